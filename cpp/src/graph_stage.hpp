// SPDX-License-Identifier: BSD-3-Clause
// Fields (n_fields, n_nodes, n_channels) in blocks of columns side by side, at most a cache line of them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "spinodal/graph.hpp"

namespace spinodal {

template <class T>
constexpr int widest_block = 64 / static_cast<int>(sizeof(T));

/// Columns first … first + count, in rows of `width`; lanes past `count` are 0.
struct ColumnBlock {
  std::int64_t first;
  int count, width;
};

/// How many blocks columns are cut into, and which columns each has.
template <class T>
struct ColumnBlocks {
  explicit ColumnBlocks(std::int64_t n_columns) : n_columns(n_columns) {}

  std::int64_t size() const { return (n_columns + widest_block<T> - 1) / widest_block<T>; }
  ColumnBlock at(std::int64_t index) const {
    const std::int64_t first = index * widest_block<T>;
    const int count = static_cast<int>(std::min<std::int64_t>(widest_block<T>, n_columns - first));
    return {first, count, count > 8 ? 16 : count > 4 ? 8 : 4};
  }

  std::int64_t n_columns;
};

/// Where each lane of a block lies in a field's rows.
template <class T>
struct Lanes {
  Lanes(const FieldShape& shape, const ColumnBlock& block) : n_channels(shape.n_channels), count(block.count) {
    together = true;
    for (int l = 0; l < count; ++l) {
      const std::int64_t column = block.first + l;
      offset[l] = column / shape.n_channels * shape.n_nodes * shape.n_channels + column % shape.n_channels;
      together = together && offset[l] == offset[0] + l;
    }
  }

  void read(const T* x, std::int64_t node, T* row, int width) const {
    const T* from = x + node * n_channels;
    if (together && count == 16) {
      std::memcpy(row, from + offset[0], 16 * sizeof(T));
      return;
    }
    for (int l = 0; l < count; ++l) row[l] = from[offset[l]];
    for (int l = count; l < width; ++l) row[l] = 0;
  }

  void write(const T* row, std::int64_t node, T* out) const {
    T* to = out + node * n_channels;
    if (together && count == 16) {
      std::memcpy(to + offset[0], row, 16 * sizeof(T));
      return;
    }
    for (int l = 0; l < count; ++l) to[offset[l]] = row[l];
  }

  std::int64_t n_channels, offset[16];
  int count;
  bool together;
};

}  // namespace spinodal
