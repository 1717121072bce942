// SPDX-License-Identifier: BSD-3-Clause
// Small dense matrices along the lines of a grid, in the nearest cache; sites that mirror each other share products.
#include "kernels/entries.hpp"
#include "kernels/graph_pack.hpp"

SPINODAL_KERNELS_BEGIN

constexpr int tile = 6;  ///< results at once: as many sums as registers hold beside their operands

template <class V, int n_rows, class T>
SPINODAL_INLINE void product_rows(const T* matrix, std::int64_t size, const T* in, T* out) {
  constexpr int n = V::lanes;
  V sum[n_rows];
  for (int r = 0; r < n_rows; ++r) sum[r] = V::all(0);
  for (std::int64_t k = 0; k < size; ++k) {
    const V value = V::load(in + k * n);
    for (int r = 0; r < n_rows; ++r) sum[r] = sum[r] + V::all(matrix[k * size + r]) * value;
  }
  for (int r = 0; r < n_rows; ++r) sum[r].store(out + r * n);
}

/// out = matrixᵀ in, a row of lanes each; the last tile overlaps the one before.
template <class V, class T>
void product(const T* matrix, std::int64_t size, const T* in, T* out) {
  constexpr int n = V::lanes;
  if (size < tile) {
    for (std::int64_t r = 0; r < size; ++r) product_rows<V, 1>(matrix + r, size, in, out + r * n);
    return;
  }
  for (std::int64_t r = 0; r < size; r += tile) {
    const std::int64_t first = r + tile <= size ? r : size - tile;
    product_rows<V, tile>(matrix + first, size, in, out + first * n);
  }
}

template <class V, class T>
SPINODAL_INLINE void read_line(const GridAxis<T>& axis, std::int64_t step, bool sites, const T* from, T* line) {
  const std::int64_t n = axis.n, half = axis.n_even();
  if (!sites) {
    for (std::int64_t i = 0; i < n; ++i) V::load(from + i * step).store(line + i * V::lanes);
    return;
  }
  for (std::int64_t i = 0; i < axis.n_odd(); ++i) {
    const V first = V::load(from + i * step), last = V::load(from + (n - 1 - i) * step);
    (first + last).store(line + i * V::lanes);
    (first - last).store(line + (half + i) * V::lanes);
  }
  if (n % 2 != 0) V::load(from + (n / 2) * step).store(line + (n / 2) * V::lanes);
}

template <class V, class T>
SPINODAL_INLINE void write_line(const GridAxis<T>& axis, std::int64_t step, bool sites, const T* line, T* to) {
  const std::int64_t n = axis.n, half = axis.n_even();
  if (!sites) {
    for (std::int64_t i = 0; i < n; ++i) V::load(line + i * V::lanes).store(to + i * step);
    return;
  }
  for (std::int64_t i = 0; i < axis.n_odd(); ++i) {
    const V even = V::load(line + i * V::lanes), odd = V::load(line + (half + i) * V::lanes);
    (even + odd).store(to + i * step);
    (even - odd).store(to + (n - 1 - i) * step);
  }
  if (n % 2 != 0) V::load(line + (n / 2) * V::lanes).store(to + (n / 2) * step);
}

/// Columns go by a register at a time; `line` has room for 2 n rows.
template <int width, class T>
void pass(const GridAxis<T>& axis, GridPass kind, T* block, T* line) {
  using V = RegisterPack<T, width>;
  const std::int64_t step = axis.stride * width, first_odd = axis.n_even() * V::lanes;
  T* const result = line + axis.n * V::lanes;
  for (std::int64_t l = 0; l < axis.n_lines; ++l) {
    // Lines of a slab lie side by side, slabs one after the other.
    T* const at = block + ((l / axis.stride) * axis.stride * axis.n + l % axis.stride) * width;
    for (int part = 0; part < width; part += V::lanes) {
      read_line<V>(axis, step, kind != GridPass::inverse, at + part, line);
      product<V>(axis.even, axis.n_even(), line, result);
      product<V>(axis.odd, axis.n_odd(), line + first_odd, result + first_odd);
      write_line<V>(axis, step, kind != GridPass::forward, result, at + part);
    }
  }
}

SPINODAL_KERNELS_END

namespace spinodal {
namespace SPINODAL_ISA {

void grid_pass(const GridAxis<float>& axis, GridPass kind, float* block, float* line, int width) {
  switch (width) {
    case 16: pass<16>(axis, kind, block, line); break;
    case 8: pass<8>(axis, kind, block, line); break;
    default: pass<4>(axis, kind, block, line);
  }
}

void grid_pass_double(const GridAxis<double>& axis, GridPass kind, double* block, double* line, int width) {
  width == 8 ? pass<8>(axis, kind, block, line) : pass<4>(axis, kind, block, line);
}

}  // namespace SPINODAL_ISA
}  // namespace spinodal
