// SPDX-License-Identifier: BSD-3-Clause
// Dense symmetric filters of small graphs. Each result is one sum over nodes in their order, whatever the lanes hold.
#include "kernels/entries.hpp"
#include "kernels/graph_pack.hpp"

SPINODAL_KERNELS_BEGIN

constexpr int tile = 6;  ///< rows at once

/// Lanes are channels.
template <class V, int n_rows, class T>
SPINODAL_INLINE void channel_rows(const DenseBlock<T>& block, std::int64_t row, const T* x, T* out, std::int64_t step) {
  V sum[n_rows];
  for (int r = 0; r < n_rows; ++r) sum[r] = V::all(0);
  const T* entry = block.filter + row;  // of the row as of the column: the filter is symmetric
  for (std::int64_t k = 0; k < block.n; ++k, entry += block.stride) {
    const V value = V::load(x + k * step);
    for (int r = 0; r < n_rows; ++r) sum[r] = sum[r] + V::all(entry[r]) * value;
  }
  for (int r = 0; r < n_rows; ++r) sum[r].store(out + (row + r) * step);
}

/// The last lanes and the last rows overlap those before; `width` channels at least.
template <int width, class T>
void by_channel(const DenseBlock<T>& block, const T* x, T* out, std::int64_t n_channels) {
  using V = RegisterPack<T, width>;
  constexpr int lanes = V::lanes;
  for (std::int64_t c = 0; c < n_channels; c += lanes) {
    const std::int64_t first = c + lanes <= n_channels ? c : n_channels - lanes;
    if (block.n < tile) {
      for (std::int64_t row = 0; row < block.n; ++row) {
        channel_rows<V, 1>(block, row, x + first, out + first, n_channels);
      }
      continue;
    }
    for (std::int64_t row = 0; row < block.n; row += tile) {
      channel_rows<V, tile>(block, row + tile <= block.n ? row : block.n - tile, x + first, out + first, n_channels);
    }
  }
}

/// Rows by the register of at most 8, which strides are multiples of.
template <class T>
using Rows = RegisterPack<T, 8>;

/// Lanes are rows of n_packs registers, of `n_channels` channels of `step`.
template <int n_packs, int n_channels, class T>
SPINODAL_INLINE void node_rows(const DenseBlock<T>& block, std::int64_t row, const T* x, T* out, std::int64_t step) {
  using V = Rows<T>;
  constexpr int n_lanes = V::lanes * n_packs;
  V sum[n_channels][n_packs];
  for (int c = 0; c < n_channels; ++c) {
    for (int p = 0; p < n_packs; ++p) sum[c][p] = V::all(0);
  }
  const T* entry = block.filter + row;
  for (std::int64_t k = 0; k < block.n; ++k, entry += block.stride, x += step) {
    for (int p = 0; p < n_packs; ++p) {
      const V column = V::load(entry + V::lanes * p);
      for (int c = 0; c < n_channels; ++c) sum[c][p] = sum[c][p] + column * V::all(x[c]);
    }
  }
  T lane[n_channels][n_lanes];
  for (int c = 0; c < n_channels; ++c) {
    for (int p = 0; p < n_packs; ++p) sum[c][p].store(lane[c] + V::lanes * p);
  }
  const std::int64_t left = block.n - row, n_rows = left < n_lanes ? left : n_lanes;
  for (std::int64_t r = 0; r < n_rows; ++r) {
    for (int c = 0; c < n_channels; ++c) out[(row + r) * step + c] = lane[c][r];
  }
}

template <int n_channels, class T>
void by_node(const DenseBlock<T>& block, const T* x, T* out, std::int64_t step) {
  constexpr std::int64_t lanes = Rows<T>::lanes;
  std::int64_t row = 0;
  for (; block.n - row > 3 * lanes; row += 4 * lanes) node_rows<4, n_channels>(block, row, x, out, step);
  if (block.n - row > 2 * lanes) {
    node_rows<3, n_channels>(block, row, x, out, step);
  } else if (block.n - row > lanes) {
    node_rows<2, n_channels>(block, row, x, out, step);
  } else if (block.n - row > 0) {
    node_rows<1, n_channels>(block, row, x, out, step);
  }
}

template <class T>
void filter_block(const DenseBlock<T>& block, const T* x, T* out, std::int64_t n_channels) {
  if (n_channels >= 16 && sizeof(T) == 4) return by_channel<16>(block, x, out, n_channels);
  if (n_channels >= 8) return by_channel<8>(block, x, out, n_channels);
  std::int64_t c = 0;
  for (; n_channels - c >= 3; c += 3) by_node<3>(block, x + c, out + c, n_channels);
  if (n_channels - c == 2) by_node<2>(block, x + c, out + c, n_channels);
  if (n_channels - c == 1) by_node<1>(block, x + c, out + c, n_channels);
}

SPINODAL_KERNELS_END

namespace spinodal {
namespace SPINODAL_ISA {

void dense_block(const DenseBlock<float>& block, const float* x, float* out, std::int64_t n_channels) {
  filter_block(block, x, out, n_channels);
}

void dense_block_double(const DenseBlock<double>& block, const double* x, double* out, std::int64_t n_channels) {
  filter_block(block, x, out, n_channels);
}

}  // namespace SPINODAL_ISA
}  // namespace spinodal
