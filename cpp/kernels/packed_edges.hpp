// SPDX-License-Identifier: BSD-3-Clause
// What lies around the rows of a packed plane: copies of their neighbours.
#pragma once

#include "kernels/bits256.hpp"
#include "kernels/packed.hpp"

SPINODAL_KERNELS_BEGIN

/// The end words of a row, and for the first and last layers the copies across the bands' ends.
class PlaneEdges {
 public:
  PlaneEdges(const PackedPlanes& lattice, int color) : lattice_(lattice), color_(color) {}

  /// The word before a row ends in its last site; its bit `width` is its first site.
  SPINODAL_INLINE void end_words(std::uint8_t* row) const {
    const std::int64_t width = lattice_.width;
    const std::uint8_t last = row[(width - 1) >> 3] >> ((width - 1) & 7) & 1;
    std::uint8_t& after = row[width >> 3];
    const auto bit = static_cast<unsigned>(width & 7);
    row[-1] = static_cast<std::uint8_t>(last << 7);
    after = static_cast<std::uint8_t>((after & ~(1u << bit)) | (row[0] & 1u) << bit);
  }

  /// Of those of the rows that lie in the first or last layer.
  void copies(std::int64_t row_begin, std::int64_t row_end) const {
    const std::int64_t rows = lattice_.rows, layer = lattice_.layer;
    for (std::int64_t r = row_begin; r < row_end && r < layer; ++r) copy_row(r, r + rows, -1);
    for (std::int64_t r = rows - layer < row_begin ? row_begin : rows - layer; r < row_end; ++r)
      copy_row(r, r - rows, 1);
  }

 private:
  /// Lane b of the copy is lane b - shift of the row.
  void copy_row(std::int64_t from, std::int64_t to, int shift) const {
    const std::uint8_t* source = lattice_.row(color_, from);
    std::uint8_t* target = lattice_.row(color_, to);
    if (lattice_.n_bands > 1) {
      Bits::load(source).rotate(lattice_.lane_bits() / 32 * shift).store(target);
    } else if (lattice_.has_end_words()) {
      std::memcpy(target - 8, source - 8, static_cast<std::size_t>(lattice_.n_vectors) * vector_bytes + 16);
    } else {
      Bits::load(source).store(target);
    }
  }

  const PackedPlanes& lattice_;
  const int color_;
};

SPINODAL_KERNELS_END
