// SPDX-License-Identifier: BSD-3-Clause
// Sorting particles into columns and clusters: one counting sort by (column, z bin), then by z.
#include "src/lj_cells.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>
#include <stdexcept>

namespace spinodal {
namespace {

constexpr std::int64_t cluster_size = 8, n_half = 4;
constexpr double far_away = 1e30;  // of a pad: its square and inverse powers are finite

/// x in [0, length).
double wrap_into(double x, double length) {
  const double inside = x - length * std::floor(x / length);
  return inside < length ? inside : 0.0;  // a tiny negative x is rounded up to the length
}

std::int32_t bin_of(double x, double width, std::int64_t n) {
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(static_cast<std::int64_t>(x / width), 0, n - 1));
}

}  // namespace

void LjSorted::sort(const double* positions, std::int64_t n, const Box& box) {
  n_ = n;
  dim_ = box.dim;
  wrap(positions, box);
  divide(box);
  order();
  fill();
  bound();
}

void LjSorted::wrap(const double* positions, const Box& box) {
  double* out = wrapped_.room(3 * n_);
  for (int axis = 0; axis < 3; ++axis) {
    cells_.periodic[axis] = false;
    cells_.length[axis] = 1;
    origin_[axis] = 0;
  }
  if (dim_ == 2) std::fill_n(out, 3 * n_, 0.0);
  for (int axis = 0; axis < dim_; ++axis) {
    const int inner = inner_axis(dim_, axis);
    cells_.periodic[inner] = box.periodic;
    if (box.periodic) {
      const double length = cells_.length[inner] = box.length[axis];
      for (std::int64_t i = 0; i < n_; ++i) out[3 * i + inner] = wrap_into(positions[dim_ * i + axis], length);
      continue;
    }
    double low = positions[axis], high = low;
    for (std::int64_t i = 0; i < n_; ++i) {
      low = std::min(low, positions[dim_ * i + axis]);
      high = std::max(high, positions[dim_ * i + axis]);
    }
    origin_[inner] = low;
    cells_.length[inner] = std::max(high - low, std::numeric_limits<double>::min() * 0x1p100);
    for (std::int64_t i = 0; i < n_; ++i) out[3 * i + inner] = positions[dim_ * i + axis] - low;
  }
}

bool LjSorted::wraps(const double* positions, const Box& box, std::int32_t* lengths) const {
  if (!box.periodic) return false;
  bool any = false;
  for (std::int64_t k = 0; k < n_ * dim_; ++k) {
    const auto axis = static_cast<int>(k % dim_);
    const double inside = wrapped_.data()[3 * (k / dim_) + inner_axis(dim_, axis)];
    const double n = std::nearbyint((positions[k] - inside) / box.length[axis]);
    if (std::abs(n) > 0x1p30) {
      std::ostringstream message;
      message << "positions must be less than 2^30 box lengths away; particle " << k / dim_ << " is " << n;
      throw std::invalid_argument(message.str());
    }
    lengths[k] = static_cast<std::int32_t>(n);
    any = any || n != 0;
  }
  return any;
}

void LjSorted::divide(const Box& box) {
  // A half of 4 particles is about as long as it is wide: then fewest halves are within reach of a point.
  double volume = 1;
  for (int axis = 0; axis < 3; ++axis) volume *= cells_.length[axis];
  const double side = std::pow(static_cast<double>(n_half) * volume / static_cast<double>(n_), 1.0 / box.dim);
  const auto along = [&](int axis) { return std::max(1.0, std::floor(cells_.length[axis] / side)); };
  double nx = along(0), ny = box.dim == 2 ? 1.0 : along(1);
  const double most = static_cast<double>(n_) + 1;  // a flat box: no more columns than particles
  while (nx * ny > most) (nx > ny ? nx : ny) = std::max(1.0, std::floor((nx > ny ? nx : ny) / 2));
  cells_.nx = static_cast<std::int64_t>(nx);
  cells_.ny = static_cast<std::int64_t>(ny);
  cells_.side[0] = cells_.length[0] / nx;
  cells_.side[1] = cells_.length[1] / ny;
}

void LjSorted::order() {
  const std::int64_t n_columns = cells_.nx * cells_.ny;
  const std::int64_t n_z = std::clamp<std::int64_t>(n_ / n_columns, 1, 65536);
  cells_.n_z = n_z;
  cells_.bins = static_cast<double>(n_z) / cells_.length[2];
  const double* at = wrapped_.data();
  std::int32_t* key = key_.room(n_);
  std::int32_t* bin = bin_.room(n_columns * n_z + 1);
  std::fill_n(bin, n_columns * n_z + 1, 0);
  cells_.bin_end = bin;  // what it counts in the end
  for (std::int64_t i = 0; i < n_; ++i) {
    const std::int64_t column =
        bin_of(at[3 * i], cells_.side[0], cells_.nx) * cells_.ny + bin_of(at[3 * i + 1], cells_.side[1], cells_.ny);
    key[i] = static_cast<std::int32_t>(column * n_z + cells_.bin_of(at[3 * i + 2]));
    ++bin[key[i] + 1];
  }
  for (std::int64_t b = 0; b < n_columns * n_z; ++b) bin[b + 1] += bin[b];
  std::int32_t* begin = column_begin_.room(n_columns + 1);
  begin[0] = 0;
  for (std::int64_t c = 0; c < n_columns; ++c) {
    const std::int64_t n = bin[(c + 1) * n_z] - bin[c * n_z];
    begin[c + 1] = begin[c] + static_cast<std::int32_t>((n + cluster_size - 1) / cluster_size);
  }
  cells_.column_begin = begin;
  cells_.n_clusters = begin[n_columns];
  std::int32_t* sorted = sorted_.room(n_);
  std::int32_t* particle = particle_.room(cells_.n_clusters * cluster_size);
  std::int32_t* column_of = cluster_column_.room(cells_.n_clusters);
  cells_.cluster_column = column_of;
  std::fill_n(particle, cells_.n_clusters * cluster_size, -1);
  std::int32_t* starts = starts_.room(n_columns + 1);
  for (std::int64_t c = 0; c <= n_columns; ++c) starts[c] = bin[c * n_z];
  for (std::int64_t i = 0; i < n_; ++i) sorted[bin[key[i]]++] = static_cast<std::int32_t>(i);
  for (std::int64_t c = 0; c < n_columns; ++c) {
    const std::int64_t n = starts[c + 1] - starts[c];
    std::int32_t* slots = particle + begin[c] * cluster_size;
    std::copy_n(sorted + starts[c], n, slots);
    order_column(slots, n);
    for (std::int32_t k = begin[c]; k < begin[c + 1]; ++k) column_of[k] = static_cast<std::int32_t>(c);
  }
}

/// By (z, particle): the bins have done most of it.
void LjSorted::order_column(std::int32_t* slots, std::int64_t n) const {
  const double* at = wrapped_.data();
  const auto before = [at](std::int32_t a, std::int32_t b) {
    const double za = at[3 * a + 2], zb = at[3 * b + 2];
    return za != zb ? za < zb : a < b;
  };
  std::int64_t n_moves = 0;
  for (std::int64_t k = 1; k < n; ++k) {
    const std::int32_t moving = slots[k];
    std::int64_t to = k;
    for (; to > 0 && before(moving, slots[to - 1]); --to) slots[to] = slots[to - 1];
    slots[to] = moving;
    n_moves += k - to;
    if (n_moves > 16 * (n + 16)) return std::sort(slots, slots + n, before);  // many in one bin
  }
}

void LjSorted::fill() {
  const std::int64_t n = cells_.n_clusters;
  cells_.halves = halves_.room(2 * n * LjCells::half_size);
  cells_.singles = singles_.room(n * LjCells::single_size);
  cells_.n_in_half = n_in_half_.room(2 * n);
  const double* at = wrapped_.data();
  for (std::int64_t h = 0; h < 2 * n; ++h) {
    double* half = cells_.halves + h * LjCells::half_size;
    const std::int32_t* slots = particle_.data() + h * n_half;
    std::int32_t count = 0;
    for (int l = 0; l < n_half; ++l) {
      count += slots[l] >= 0;
      for (int axis = 0; axis < 3; ++axis) {
        half[4 * axis + l] = slots[l] >= 0 ? at[3 * slots[l] + axis] : far_away;
        half[4 * axis + l + 12] = 0;
      }
    }
    cells_.n_in_half[h] = count;
  }
}

void LjSorted::bound() {
  const std::int64_t n = cells_.n_clusters;
  cells_.bounds_stride = n + cluster_size;
  cells_.bounds = bounds_.room(6 * cells_.bounds_stride);
  std::fill_n(cells_.bounds, 6 * cells_.bounds_stride, static_cast<float>(far_away));
  double longest = 0;
  for (const double length : cells_.length) longest = std::max(longest, length);
  cells_.rounding = static_cast<float>(1e-6 * longest);
  for (std::int64_t c = 0; c < n; ++c) {
    const double* cluster = cells_.halves + 2 * c * LjCells::half_size;
    const int n_present = cells_.n_in_half[2 * c] + cells_.n_in_half[2 * c + 1];
    for (int axis = 0; axis < 3; ++axis) {
      float low = std::numeric_limits<float>::max(), high = -low;
      for (int l = 0; l < n_present; ++l) {
        const auto x = static_cast<float>(cluster[l / 4 * LjCells::half_size + 4 * axis + l % 4]);
        low = std::min(low, x);
        high = std::max(high, x);
      }
      cells_.bounds[axis * cells_.bounds_stride + c] = low;
      cells_.bounds[(axis + 3) * cells_.bounds_stride + c] = high;
    }
  }
}

void LjSorted::gather(const double* halves, std::int64_t stride, std::int64_t offset, double* numbers) const {
  for (std::int64_t slot = 0; slot < cells_.n_clusters * cluster_size; ++slot) {
    const std::int64_t i = particle_.data()[slot];
    if (i < 0) continue;
    const double* half = halves + slot / n_half * stride + offset + slot % n_half;
    for (int axis = 0; axis < dim_; ++axis) numbers[dim_ * i + axis] = half[n_half * inner_axis(dim_, axis)];
  }
}

void LjSorted::scatter(const double* numbers, double* halves, std::int64_t stride, std::int64_t offset) const {
  for (std::int64_t slot = 0; slot < cells_.n_clusters * cluster_size; ++slot) {
    const std::int64_t i = particle_.data()[slot];
    if (i < 0) continue;
    double* half = halves + slot / n_half * stride + offset + slot % n_half;
    for (int axis = 0; axis < dim_; ++axis) half[n_half * inner_axis(dim_, axis)] = numbers[dim_ * i + axis];
  }
}

}  // namespace spinodal
