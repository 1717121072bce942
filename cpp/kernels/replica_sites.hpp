// SPDX-License-Identifier: BSD-3-Clause
// The order in which sites of a replica-packed lattice are updated, and where their neighbours stand.
#pragma once

#include "kernels/packed_rules.hpp"
#include "kernels/replicas.hpp"

SPINODAL_KERNELS_BEGIN

/// Vectors of one color that share a block of random numbers.
struct ReplicaBlock {
  int color;
  std::int64_t begin, end;
};

/// The blocks of a run, sweep after sweep, color after color.
class ReplicaWalk {
 public:
  ReplicaWalk(const ReplicaRun& run, int n_colors, std::int64_t n_vectors, int block_size)
      : run_(&run),
        n_colors_(n_colors),
        n_vectors_(n_vectors),
        block_size_(block_size),
        sweep_(run.sweep),
        heat_bath_(run.is_bath(run.sweep)) {}

  bool done() const { return sweep_ - run_->sweep == static_cast<std::uint64_t>(run_->n_sweeps); }
  std::uint64_t sweep() const { return sweep_; }
  bool heat_bath() const { return heat_bath_; }
  ReplicaBlock block() const {
    const std::int64_t end = begin_ + block_size_;
    return {color_, begin_, end < n_vectors_ ? end : n_vectors_};
  }

  void advance() {
    begin_ += block_size_;
    if (begin_ < n_vectors_) return;
    begin_ = 0;
    if (++color_ < n_colors_) return;
    color_ = 0;
    heat_bath_ = run_->is_bath(++sweep_);
  }

 private:
  const ReplicaRun* run_;
  int n_colors_;
  std::int64_t n_vectors_, block_size_;
  std::uint64_t sweep_;
  bool heat_bath_;
  std::int64_t begin_ = 0;
  int color_ = 0;
};

/// Neighbours of a site: a + b as a pair, the two others of its plane, and those in depth.
struct Neighbors {
  Pair pair;
  Bits side, far, below, above;
};

template <bool planar>
SPINODAL_INLINE Neighbors neighbors_of(Pair pair, const std::uint8_t* side, const std::uint8_t* far,
                                       const std::uint8_t* below, const std::uint8_t* above) {
  Neighbors n{pair, Bits::load(side), Bits::load(far), {}, {}};
  if constexpr (!planar) n.below = Bits::load(below), n.above = Bits::load(above);
  return n;
}

SPINODAL_INLINE Pair pair_of(const std::uint8_t* a, const std::uint8_t* b) {
  const Bits first = Bits::load(a), second = Bits::load(b);
  return {first ^ second, first & second};
}

/// A tile of a color: row pair (z, y), y even, and place k in it.
struct TilePlace {
  std::int64_t z = 0, y = 0, k = 0;
};

/// Tiles of one color. A tile is the site (z, y, x), x = 2k + (z + color) % 2, and the site (z, y + 1, x + 1): they
/// share the neighbours (z, y, x + 1) and (z, y + 1, x).
template <bool planar>
class Tiles {
 public:
  Tiles(const ReplicaLattice& lattice, int color)
      : lattice_(lattice), color_(color), width_(lattice.lx / 2), row_(32 * lattice.lx), plane_(lattice.ly * row_) {}

  /// Call update(site, neighbors, vector) for the sites of n tiles from a place on, which moves past them; the first
  /// site has vector 0.
  template <class Update>
  SPINODAL_INLINE void visit(TilePlace& at, std::int64_t n, Update&& update) const {
    for (std::int64_t vector = 0; n > 0;) {
      const std::int64_t stop = width_ - at.k < n ? width_ : at.k + n;
      n -= stop - at.k;
      vector = visit_row_pair(at, stop, vector, update);
      at.k = stop;
      if (stop < width_) return;
      at.k = 0;
      at.y += 2;
      if (at.y == lattice_.ly) at.y = 0, ++at.z;
    }
  }

 private:
  template <class Update>
  SPINODAL_INLINE std::int64_t visit_row_pair(const TilePlace& at, std::int64_t stop, std::int64_t vector,
                                              Update&& update) const {
    const std::int64_t z = at.z, y = at.y;
    std::uint8_t* plane = lattice_.sites + z * plane_;
    std::uint8_t *first = plane + y * row_, *second = first + row_;
    const std::uint8_t* before = plane + (y == 0 ? lattice_.ly - 1 : y - 1) * row_;
    const std::uint8_t* after = plane + (y + 2 == lattice_.ly ? 0 : y + 2) * row_;
    const std::int64_t below = (z == 0 ? lattice_.lz - 1 : -1) * plane_;
    const std::int64_t above = (z == lattice_.lz - 1 ? 1 - lattice_.lz : 1) * plane_;
    const std::int64_t first_x = 32 * ((z + color_) & 1);
    for (std::int64_t x = 64 * at.k + first_x; x < 64 * stop + first_x; x += 64, vector += 2) {
      const std::int64_t west = x == 0 ? row_ - 32 : x - 32, east = x + 32 == row_ ? 0 : x + 32;
      const std::int64_t next = east + 32 == row_ ? 0 : east + 32;
      const Pair pair_bits = pair_of(first + east, second + x);
      std::uint8_t *a = first + x, *b = second + east;
      update(a, neighbors_of<planar>(pair_bits, first + west, before + x, a + below, a + above), vector);
      update(b, neighbors_of<planar>(pair_bits, second + next, after + east, b + below, b + above), vector + 1);
    }
    return vector;
  }

  const ReplicaLattice& lattice_;
  const std::int64_t color_, width_, row_, plane_;
};

/// Sites one after another in C order, for lattices without a two-coloring.
template <bool planar>
class Sequence {
 public:
  explicit Sequence(const ReplicaLattice& lattice)
      : lattice_(lattice), row_(32 * lattice.lx), plane_(lattice.ly * row_) {}

  template <class Update>
  SPINODAL_INLINE void visit(std::int64_t begin, std::int64_t end, Update&& update) const {
    std::int64_t x = begin % lattice_.lx, y = begin / lattice_.lx % lattice_.ly;
    std::int64_t z = begin / lattice_.lx / lattice_.ly;
    for (std::int64_t i = begin; i < end; ++i) {
      std::uint8_t* site = lattice_.sites + 32 * i;
      const std::int64_t south = step(y, lattice_.ly, 1, row_), north = step(y, lattice_.ly, -1, row_);
      const std::int64_t east = step(x, lattice_.lx, 1, 32), west = step(x, lattice_.lx, -1, 32);
      const std::int64_t below = step(z, lattice_.lz, -1, plane_), above = step(z, lattice_.lz, 1, plane_);
      // The western neighbour was updated a moment ago: it enters last.
      update(site,
             neighbors_of<planar>(pair_of(site + south, site + north), site + east, site + west, site + below,
                                  site + above),
             i - begin);
      if (++x == lattice_.lx) x = 0, ++y;
      if (y == lattice_.ly) y = 0, ++z;
    }
  }

 private:
  static SPINODAL_INLINE std::int64_t step(std::int64_t at, std::int64_t length, int by, std::int64_t stride) {
    const bool wraps = by > 0 ? at == length - 1 : at == 0;
    return (wraps ? by * (1 - length) : by) * stride;
  }

  const ReplicaLattice& lattice_;
  const std::int64_t row_, plane_;
};

SPINODAL_KERNELS_END
