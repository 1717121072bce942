// SPDX-License-Identifier: BSD-3-Clause
// Checkerboard updates of a bit-packed lattice, 256 sites at a time; spinodal/packed.hpp defines them.
//
// Two rows march together. Of a site's four neighbours, the one in its own row's vector and the one in
// the other row's vector are common to both rows, so half of the first adder serves twice.
#include "kernels/entries.hpp"
#include "kernels/packed_edges.hpp"
#include "kernels/packed_masks.hpp"
#include "kernels/packed_rows.hpp"
#include "kernels/packed_rules.hpp"
#include "kernels/packed_updates.hpp"

SPINODAL_KERNELS_BEGIN

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

template <class Rule, class Rows>
__attribute__((noinline)) void update_square(const PackedPlanes& lattice, const BlockMasks& masks, int color,
                                             std::int64_t begin, std::int64_t end) {
  if (color == 0) return TileMarch<Rule, Rows, 0>(lattice, masks, begin).run(end - begin);
  TileMarch<Rule, Rows, 1>(lattice, masks, begin).run(end - begin);
}

PackedUpdates square_updates(const PackedPlanes& lattice) {
  PackedUpdates updates{};
  with_rows(lattice, [&](auto kind) {
    using Rows = typename decltype(kind)::Rows;
    updates = {update_square<MetropolisRule, Rows>, update_square<HeatBathRule, Rows>};
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
        updates_(lattice.two_dimensional ? square_updates(lattice) : cubic_updates(lattice)) {}

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
    const UpdateTiles tiles = rule(at.sweep()).heat_bath ? updates_.heat_bath : updates_.metropolis;
    tiles(lattice_, masks, at.color(), at.tile_begin(), at.tile_end());
    if (!at.ends_color()) return;
    const std::int64_t row_end = 2 * work_.pair_end < lattice_.rows ? 2 * work_.pair_end : lattice_.rows;
    PlaneEdges(lattice_, at.color()).copies(2 * work_.pair_begin, row_end);
  }

  const PackedPlanes& lattice_;
  const PackedSweeps& work_;
  const WordCache& cache_;
  const DrawBlock draw_;
  const PackedUpdates updates_;
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
