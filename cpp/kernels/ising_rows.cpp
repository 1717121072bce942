// SPDX-License-Identifier: BSD-3-Clause
// Checkerboard updates of a bit-packed lattice, 256 sites at a time; spinodal/packed.hpp defines them.
//
// Two rows march together. Of a site's four neighbours, the one in its own row's vector and the one in
// the other row's vector are common to both rows, so half of the first adder serves twice.
#include "kernels/entries.hpp"
#include "kernels/packed_masks.hpp"
#include "kernels/packed_rows.hpp"
#include "kernels/packed_rules.hpp"

SPINODAL_KERNELS_BEGIN

/// The end words of a row, and for the first and last rows the copies across the bands' ends.
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

  void copies(std::int64_t row_begin, std::int64_t row_end) const {
    if (row_begin == 0) copy_row(0, lattice_.rows, -1);
    if (row_end == lattice_.rows) copy_row(lattice_.rows - 1, -1, 1);
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

/// Tiles of one block of random numbers: whole row pairs of one vector each, or of several, one after the other.
template <class Rule, class Rows, int color>
class TileMarch {
 public:
  TileMarch(const PackedPlanes& lattice, const BlockMasks& masks, std::int64_t tile)
      : rows_(lattice),
        lattice_(lattice),
        stride_(lattice.stride),
        vector_(tile % lattice.n_vectors),
        row_(lattice.row(color, 2 * (tile / lattice.n_vectors)) + vector_bytes * vector_),
        other_(lattice.row(1 - color, 2 * (tile / lattice.n_vectors)) + vector_bytes * vector_),
        mask_(masks.x4 + 2 * vector_bytes * (tile % block_tiles)) {}

  void run(std::int64_t n) {
    if (lattice_.n_vectors == 1) {
      down(n);
    } else {
      along(n);
    }
  }

 private:
  void along(std::int64_t n) {
    for (; n > 0; --n) {
      update_tile(row_ + stride_, Bits::load(other_ - stride_), Bits::load(other_), Bits::load(other_ + stride_),
                  Bits::load(other_ + 2 * stride_));
      row_ += vector_bytes;
      other_ += vector_bytes;
      if (++vector_ == lattice_.n_vectors) next_pair();
    }
  }

  void down(std::int64_t n) {
    Bits above = Bits::load(other_ - stride_), a = Bits::load(other_);
    // With an odd number of rows the last pair's second row is the copy of another band's: left alone.
    const std::uint8_t* last = lattice_.row(1 - color, lattice_.rows - 1);
    const bool has_end_words = lattice_.has_end_words();
    alignas(32) std::uint8_t spare[vector_bytes] = {};
    for (; n > 0; --n) {
      const Bits b = Bits::load(other_ + stride_), below = Bits::load(other_ + 2 * stride_);
      update_tile(other_ == last ? spare : row_ + stride_, above, a, b, below);
      if (has_end_words) {
        end_words(row_);
        end_words(row_ + stride_);
      }
      above = b;
      a = below;
      row_ += 2 * stride_;
      other_ += 2 * stride_;
    }
  }

  SPINODAL_INLINE void next_pair() {
    const std::int64_t length = vector_bytes * lattice_.n_vectors;
    end_words(row_ - length);
    end_words(row_ - length + stride_);
    vector_ = 0;
    row_ += 2 * stride_ - length;
    other_ += 2 * stride_ - length;
  }

  SPINODAL_INLINE void end_words(std::uint8_t* row) const { PlaneEdges(lattice_, color).end_words(row); }

  /// Two rows, in the other color's rows a and b.
  SPINODAL_INLINE void update_tile(std::uint8_t* second, Bits above, Bits a, Bits b, Bits below) {
    const Pair pair{a ^ b, a & b};
    update_vector(row_, pair, rows_.template side<color == 0>(a, other_), above, mask_);
    update_vector(second, pair, rows_.template side<color == 1>(b, other_ + stride_), below, mask_ + vector_bytes);
    mask_ += 2 * vector_bytes;
  }

  /// `mask` points into X4; the others lie behind it.
  SPINODAL_INLINE void update_vector(std::uint8_t* p, Pair pair, Bits side, Bits far, const std::uint8_t* mask) const {
    const Bits next = Rule::update(Bits::load(p), pair, side, far, mask, mask + mask_bytes, mask + 2 * mask_bytes);
    rows_.existing(next).store(p);
  }

  const Rows rows_;
  const PackedPlanes& lattice_;
  const std::int64_t stride_;
  std::int64_t vector_;
  std::uint8_t* row_;
  const std::uint8_t *other_, *mask_;
};

template <class Rule, class Rows, int color>
__attribute__((noinline)) void update_tiles(const PackedPlanes& lattice, const BlockMasks& masks, std::int64_t begin,
                                            std::int64_t end) {
  TileMarch<Rule, Rows, color>(lattice, masks, begin).run(end - begin);
}

using UpdateTiles = void (*)(const PackedPlanes&, const BlockMasks&, std::int64_t begin, std::int64_t end);

struct Updates {
  UpdateTiles metropolis[2], heat_bath[2];  // by color
};

Updates updates_of(const PackedPlanes& lattice) {
  Updates updates{};
  with_rows(lattice, [&](auto kind) {
    using Rows = typename decltype(kind)::Rows;
    updates = {{update_tiles<MetropolisRule, Rows, 0>, update_tiles<MetropolisRule, Rows, 1>},
               {update_tiles<HeatBathRule, Rows, 0>, update_tiles<HeatBathRule, Rows, 1>}};
  });
  return updates;
}

/// The blocks a team member goes through, sweep after sweep, color after color.
class BlockWalk {
 public:
  BlockWalk(const PackedPlanes& lattice, const PackedSweeps& work)
      : n_tiles_(lattice.n_vectors * lattice.n_row_pairs()),
        begin_(work.pair_begin * lattice.n_vectors),
        end_(work.pair_end * lattice.n_vectors),
        tile_(begin_),
        sweep_(work.first_sweep) {}

  std::uint64_t sweep() const { return sweep_; }
  int color() const { return color_; }
  bool starts_color() const { return tile_ == begin_; }
  bool ends_color() const { return next_tile() == end_; }

  BlockIndex block() const {
    const std::int64_t block = tile_ / block_tiles, left = n_tiles_ - block * block_tiles;
    return {static_cast<std::uint32_t>(block), color_, 2 * static_cast<int>(left < block_tiles ? left : block_tiles)};
  }
  std::int64_t tile_begin() const { return tile_; }
  std::int64_t tile_end() const { return next_tile(); }

  void advance() {
    tile_ = next_tile();
    if (tile_ < end_) return;
    tile_ = begin_;
    if (color_ == 1) ++sweep_;
    color_ = 1 - color_;
  }

 private:
  std::int64_t next_tile() const {
    const std::int64_t next = (tile_ / block_tiles + 1) * block_tiles;
    return next < end_ ? next : end_;
  }

  std::int64_t n_tiles_, begin_, end_;
  std::int64_t tile_;
  std::uint64_t sweep_;
  int color_ = 0;
};

/// Masks do not depend on spins, so those of the next block, of whatever color and sweep, are drawn before this
/// one is updated.
class PackedSweeper {
 public:
  PackedSweeper(const PackedPlanes& lattice, const PackedSweeps& work, const WordCache& cache)
      : lattice_(lattice),
        work_(work),
        cache_(cache),
        draw_(draw_block_function(work.stream)),
        updates_(updates_of(lattice)) {}

  void run() {
    BlockWalk here(lattice_, work_);
    const std::uint64_t stop = work_.first_sweep + static_cast<std::uint64_t>(work_.n_sweeps);
    clear_block(masks_[1]);
    draw(here, masks_[0], masks_[1]);
    for (int i = 0; here.sweep() < stop; i = 1 - i) {
      BlockWalk next = here;
      next.advance();
      if (next.sweep() < stop) {
        draw(next, masks_[1 - i], masks_[i]);
      } else {
        finish_block(masks_[i]);
      }
      update(here, masks_[i]);
      here = next;
    }
  }

 private:
  const PackedRule& rule(std::uint64_t sweep) const {
    return work_.is_bath(sweep) ? *work_.heat_bath : *work_.metropolis;
  }

  void draw(const BlockWalk& at, BlockMasks& next, BlockMasks& current) const {
    draw_({work_.stream, work_.seed, at.sweep(), work_.chain}, cache_, at.block(), rule(at.sweep()), next, current);
  }

  void update(const BlockWalk& at, const BlockMasks& masks) const {
    if (at.starts_color() && work_.meet != nullptr) work_.meet();
    const bool bath = rule(at.sweep()).heat_bath;
    (bath ? updates_.heat_bath : updates_.metropolis)[at.color()](lattice_, masks, at.tile_begin(), at.tile_end());
    if (!at.ends_color()) return;
    const std::int64_t row_end = 2 * work_.pair_end < lattice_.rows ? 2 * work_.pair_end : lattice_.rows;
    PlaneEdges(lattice_, at.color()).copies(2 * work_.pair_begin, row_end);
  }

  const PackedPlanes& lattice_;
  const PackedSweeps& work_;
  const WordCache& cache_;
  const DrawBlock draw_;
  const Updates updates_;
  BlockMasks masks_[2];
};

SPINODAL_KERNELS_END

namespace spinodal {
namespace SPINODAL_ISA {

void packed_sweeps(const PackedPlanes& lattice, const PackedSweeps& work, const WordCache& cache) {
  if (work.pair_begin < work.pair_end && work.n_sweeps > 0) {
    PackedSweeper(lattice, work, cache).run();
  } else if (work.meet != nullptr) {
    for (std::int64_t i = 0; i < 2 * work.n_sweeps; ++i) work.meet();
  }
}

void packed_edges(const PackedPlanes& lattice, int color, std::int64_t row_begin, std::int64_t row_end) {
  const PlaneEdges edges(lattice, color);
  if (lattice.has_end_words()) {
    for (std::int64_t r = row_begin; r < row_end; ++r) edges.end_words(lattice.row(color, r));
  }
  edges.copies(row_begin, row_end);
}

}  // namespace SPINODAL_ISA
}  // namespace spinodal
