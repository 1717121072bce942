// SPDX-License-Identifier: BSD-3-Clause
// Neighbours along a row of a packed plane.
//
// Site k of a row sees sites k and k - 1 of the other color in the same row, or k and k + 1: the
// side neighbours are the other color's row shifted by one site, to the left (k takes k - 1) on
// every other row. `side<to_left>(o, p)` is that shift of the vector o, which stands at p.
#pragma once

#include "kernels/bits256.hpp"
#include "kernels/packed.hpp"

SPINODAL_KERNELS_BEGIN

/// One band: rows of whole vectors; the words before and after a vector hold the sites next to it.
class WideRows {
 public:
  explicit WideRows(const PackedPlanes&) {}

  template <bool to_left>
  SPINODAL_INLINE Bits side(Bits o, const std::uint8_t* p) const {
    if constexpr (to_left) return o.left_from(Bits::load(p - 8));
    return o.right_from(Bits::load(p + 8));
  }
  /// Sites past the row's end take part in nothing: any value is right.
  SPINODAL_INLINE Bits existing(Bits sites) const { return sites; }
};

/// One band of rows that fill one vector.
class FullRows {
 public:
  explicit FullRows(const PackedPlanes&) {}

  template <bool to_left>
  SPINODAL_INLINE Bits side(Bits o, const std::uint8_t*) const {
    if constexpr (to_left) return o.left_from(o.words_up());
    return o.right_from(o.words_down());
  }
  SPINODAL_INLINE Bits existing(Bits sites) const { return sites; }
};

/// A row of sites in each 32- or 64-bit lane, zero past its end.
template <int lane>
class LaneRows {
 public:
  explicit LaneRows(const PackedPlanes& lattice)
      : wrap_(static_cast<int>(lattice.width) - 1), sites_(Bits::load(lattice.sites)) {}

  template <bool to_left>
  SPINODAL_INLINE Bits side(Bits o, const std::uint8_t*) const {
    if constexpr (to_left) return o.left<lane>(1) | o.right<lane>(wrap_);
    return o.right<lane>(1) | o.left<lane>(wrap_);
  }
  SPINODAL_INLINE Bits existing(Bits sites) const { return sites & sites_; }

 private:
  int wrap_;
  Bits sites_;
};

/// The same for 128-bit lanes, which have no shift instruction.
template <>
class LaneRows<128> {
 public:
  explicit LaneRows(const PackedPlanes& lattice)
      : wrap_(static_cast<int>(lattice.width) - 1), sites_(Bits::load(lattice.sites)) {}

  template <bool to_left>
  SPINODAL_INLINE Bits side(Bits o, const std::uint8_t*) const {
    if constexpr (to_left) return left(o, 1) | right(o, wrap_);
    return right(o, 1) | left(o, wrap_);
  }
  SPINODAL_INLINE Bits existing(Bits sites) const { return sites & sites_; }

 private:
  // Counts past 63 shift everything out: one of the two last terms is always zero.
  static SPINODAL_INLINE Bits left(Bits o, int n) {
    const Bits low = o.low_to_high();
    return o.left<64>(n) | (n < 64 ? low.right<64>(64 - n) : low.left<64>(n - 64));
  }
  static SPINODAL_INLINE Bits right(Bits o, int n) {
    const Bits high = o.high_to_low();
    return o.right<64>(n) | (n < 64 ? high.left<64>(64 - n) : high.right<64>(n - 64));
  }

  int wrap_;
  Bits sites_;
};

/// Rows that fill 128-bit lanes: a shift by one is a rotation.
class FullLaneRows128 {
 public:
  explicit FullLaneRows128(const PackedPlanes&) {}

  template <bool to_left>
  SPINODAL_INLINE Bits side(Bits o, const std::uint8_t*) const {
    if constexpr (to_left) return o.left_from(o.swap_halves());
    return o.right_from(o.swap_halves());
  }
  SPINODAL_INLINE Bits existing(Bits sites) const { return sites; }
};

/// Bands an odd number of rows, in three dimensions of planes, apart: shifts go the other way in every other band.
template <class Rows>
class AlternatingRows {
 public:
  explicit AlternatingRows(const PackedPlanes& lattice) : rows_(lattice), odd_bands_(Bits::load(lattice.odd_bands)) {}

  template <bool to_left>
  SPINODAL_INLINE Bits side(Bits o, const std::uint8_t* p) const {
    return Bits::select(odd_bands_, rows_.template side<!to_left>(o, p), rows_.template side<to_left>(o, p));
  }
  SPINODAL_INLINE Bits existing(Bits sites) const { return rows_.existing(sites); }

 private:
  Rows rows_;
  Bits odd_bands_;
};

/// A kind of row as an argument.
template <class Rows_>
struct RowKind {
  using Rows = Rows_;
};

/// Call f(kind) with the lattice's kind of row.
template <class F>
SPINODAL_INLINE void with_rows(const PackedPlanes& lattice, F&& f) {
  const bool alternating = lattice.has_odd_bands();
  switch (lattice.lane_bits()) {
    case 32: return alternating ? f(RowKind<AlternatingRows<LaneRows<32> > >()) : f(RowKind<LaneRows<32> >());
    case 64: return alternating ? f(RowKind<AlternatingRows<LaneRows<64> > >()) : f(RowKind<LaneRows<64> >());
    case 128:
      if (alternating) return f(RowKind<AlternatingRows<LaneRows<128> > >());
      return lattice.width == 128 ? f(RowKind<FullLaneRows128>()) : f(RowKind<LaneRows<128> >());
    default: return lattice.has_end_words() ? f(RowKind<WideRows>()) : f(RowKind<FullRows>());
  }
}

SPINODAL_KERNELS_END
