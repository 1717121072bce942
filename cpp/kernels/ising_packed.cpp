// SPDX-License-Identifier: BSD-3-Clause
// Checkerboard updates of a bit-packed lattice, 256 sites at a time; spinodal/packed.hpp defines them.
//
// Two rows march together. Of a site's four neighbours, the one in its own row's vector and the one in
// the other row's vector are common to both rows, so half of the first adder serves twice.
#include <type_traits>

#include "kernels/entries.hpp"
#include "kernels/packed_masks.hpp"
#include "kernels/packed_rows.hpp"
#include "kernels/packed_rules.hpp"

SPINODAL_KERNELS_BEGIN

/// log2 of the number of vectors that overwrites of a lattice's blocks are spread over.
SPINODAL_INLINE int log_block_vectors(std::int64_t n_tiles) {
  int log = 1;
  while (log < 5 && (std::int64_t{1} << log) < 2 * n_tiles) ++log;
  return log;
}

/// The wrap words of a row, and for the first and last rows the copies across the bands' ends.
class PlaneEdges {
 public:
  PlaneEdges(const PackedPlanes& lattice, int color) : lattice_(lattice), color_(color) {}

  void refresh(std::int64_t row_begin, std::int64_t row_end) const {
    if (lattice_.n_bands == 1) {
      for (std::int64_t r = row_begin; r < row_end; ++r) wrap(lattice_.row(color_, r));
    }
    const std::int64_t last = lattice_.rows - 1;
    if (row_begin == 0) copy_row(0, lattice_.rows, -1);
    if (row_end == lattice_.rows) copy_row(last, -1, 1);
  }

 private:
  SPINODAL_INLINE void wrap(std::uint8_t* row) const {
    const std::int64_t width = lattice_.width;
    const std::uint8_t last = row[(width - 1) >> 3] >> ((width - 1) & 7) & 1;
    std::uint8_t& after = row[width >> 3];
    const auto bit = static_cast<unsigned>(width & 7);
    row[-1] = static_cast<std::uint8_t>(last << 7);
    after = static_cast<std::uint8_t>((after & ~(1u << bit)) | (row[0] & 1u) << bit);
  }

  /// Lane b of the copy is lane b - shift of the row.
  void copy_row(std::int64_t from, std::int64_t to, int shift) const {
    const std::uint8_t* source = lattice_.row(color_, from);
    std::uint8_t* target = lattice_.row(color_, to);
    if (lattice_.n_bands == 1) {
      std::memcpy(target - 8, source - 8, static_cast<std::size_t>(lattice_.n_vectors) * 32 + 16);
      return;
    }
    const int bytes = lattice_.lane_bits() / 8 * shift;
    std::uint8_t copy[vector_bytes];
    for (int i = 0; i < vector_bytes; ++i) copy[(i + bytes) & (vector_bytes - 1)] = source[i];
    std::memcpy(target, copy, vector_bytes);
  }

  const PackedPlanes& lattice_;
  const int color_;
};

struct PackedJob {
  const PackedPlanes& lattice;
  int color;
  std::int64_t pair_begin, pair_end;
  const PackedRule& rule;
  const SweepKey& key;
  const WordCache& cache;
};

template <class Rule, class Rows>
class PackedUpdate {
 public:
  explicit PackedUpdate(const PackedJob& job) : job_(job), lattice_(job.lattice), rows_(job.lattice) {}

  /// The job's row pairs, tile after tile, each block of tiles after its masks.
  template <int color>
  void run() {
    const DrawBlock draw = draw_block_function(job_.key.stream);
    const std::int64_t nv = lattice_.n_vectors, n_tiles = nv * lattice_.n_row_pairs(), stop = job_.pair_end * nv;
    const int log_vectors = log_block_vectors(n_tiles);
    for (std::int64_t tile = job_.pair_begin * nv; tile < stop;) {
      const std::int64_t block = tile / block_tiles, first = block * block_tiles;
      const std::int64_t left = n_tiles - first < block_tiles ? n_tiles - first : block_tiles;
      const BlockIndex index{static_cast<std::uint32_t>(block), color, static_cast<int>(2 * left), log_vectors};
      draw(job_.key, job_.cache, index, job_.rule, masks_);
      const std::int64_t end = first + left < stop ? first + left : stop;
      std::int64_t pair = tile / nv, vector = tile % nv;
      for (; tile < end; ++tile) {
        update_tile<color>(pair, vector, 64 * (tile - first));
        if (++vector == nv) vector = 0, ++pair;
      }
    }
    const std::int64_t row_end = 2 * job_.pair_end < lattice_.rows ? 2 * job_.pair_end : lattice_.rows;
    PlaneEdges(lattice_, color).refresh(2 * job_.pair_begin, row_end);
  }

 private:
  template <int color>
  SPINODAL_INLINE void update_tile(std::int64_t pair, std::int64_t vector, std::int64_t mask) {
    const std::int64_t stride = lattice_.stride;
    std::uint8_t* row = lattice_.row(color, 2 * pair) + 32 * vector;
    const std::uint8_t* other = lattice_.row(1 - color, 2 * pair) + 32 * vector;
    // With an odd number of rows the last pair's second row is the copy of another band's: left alone.
    std::uint8_t* second = 2 * pair + 1 < lattice_.rows ? row + stride : spare_;
    const Bits a = Bits::load(other), b = Bits::load(other + stride);
    const Pair both{a ^ b, a & b};
    update_vector(row, both, rows_.template side<color == 0>(a, other), Bits::load(other - stride), mask);
    update_vector(second, both, rows_.template side<color == 1>(b, other + stride),
                  Bits::load(other + 2 * stride), mask + 32);
  }

  SPINODAL_INLINE void update_vector(std::uint8_t* p, Pair pair, Bits side, Bits far, std::int64_t mask) {
    const Bits spin = Bits::load(p);
    const Bits next = Rule::update(spin, pair, side, far, Bits::load(masks_.x4 + mask),
                                   Bits::load(masks_.r8 + mask), Bits::load(masks_.tie + mask));
    rows_.existing(next).store(p);
  }

  const PackedJob& job_;
  const PackedPlanes lattice_;
  const Rows rows_;
  BlockMasks masks_{};
  alignas(32) std::uint8_t spare_[32] = {};
};

template <class Rule, class Rows>
__attribute__((noinline)) void update_rows_of(const PackedJob& job) {
  PackedUpdate<Rule, Rows> update(job);
  if (job.color == 0) {
    update.template run<0>();
  } else {
    update.template run<1>();
  }
}

SPINODAL_KERNELS_END

namespace spinodal {
namespace SPINODAL_ISA {

void packed_update(const PackedPlanes& lattice, int color, std::int64_t pair_begin, std::int64_t pair_end,
                   const PackedRule& rule, const SweepKey& key, const WordCache& cache) {
  const PackedJob job{lattice, color, pair_begin, pair_end, rule, key, cache};
  with_rows(lattice, [&](const auto& rows) {
    using Rows = std::remove_cv_t<std::remove_reference_t<decltype(rows)> >;
    if (rule.heat_bath) {
      update_rows_of<HeatBathRule, Rows>(job);
    } else {
      update_rows_of<MetropolisRule, Rows>(job);
    }
  });
}

void packed_edges(const PackedPlanes& lattice, int color, std::int64_t row_begin, std::int64_t row_end) {
  PlaneEdges(lattice, color).refresh(row_begin, row_end);
}

}  // namespace SPINODAL_ISA
}  // namespace spinodal
