// SPDX-License-Identifier: BSD-3-Clause
// One update of 256 sites by Boolean algebra, from their neighbours and the masks of spinodal/packed.hpp.
//
// Two of a site's neighbours, a and b, are those of another site too, so half of the first adder serves twice:
//
//   n = a + b + side + far,    a + b: pair,    a + b + side = sum + 2·carry
#pragma once

#include "kernels/bits256.hpp"
#include "kernels/packed.hpp"

SPINODAL_KERNELS_BEGIN

struct Pair {
  Bits odd, both;
};

/// flip = (n_unaligned ≥ 2) | r8 | (n_unaligned ≥ 1 & x4), folded: with t = spin ^ x4, an up spin stays
/// up if n + t ≥ 4 and a down spin turns up if n + t ≥ 2.
struct MetropolisRule {
  static SPINODAL_INLINE Bits update(Bits spin, Pair pair, Bits side, Bits far, const std::uint8_t* x4,
                                     const std::uint8_t* r8, const std::uint8_t*) {
    const Bits sum = pair.odd ^ side, carry = Bits::or_both(pair.both, pair.odd, side);
    const Bits t = spin ^ Bits::load(x4);
    const Bits carry_t = Bits::majority(far, t, sum);
    const Bits certain = Bits::unlike_or(carry, carry_t, Bits::load(r8));
    return Bits::select_inverse(certain, spin, carry);
  }
};

/// Up where most neighbours are, by the tie bit where they balance; against them with x4, r8.
struct HeatBathRule {
  static SPINODAL_INLINE Bits update(Bits, Pair pair, Bits side, Bits far, const std::uint8_t* x4,
                                     const std::uint8_t* r8, const std::uint8_t* tie) {
    const Bits sum = pair.odd ^ side, carry = Bits::or_both(pair.both, pair.odd, side);
    const Bits odd = sum ^ far, carry_far = sum & far;
    const Bits up = Bits::majority(carry, carry_far, odd | Bits::load(tie));
    return up ^ Bits::select(odd, Bits::load(x4), Bits::load(r8));
  }
};

/// The six neighbours of a site in three dimensions; far, below and above are its own.
struct CubicNeighbors {
  Pair pair;
  Bits side, far, below, above;
};

/// Where the masks of a vector lie: X4 here, the others at their distance in BlockMasks.
struct CubicMasks {
  const std::uint8_t* at;

  SPINODAL_INLINE Bits x4() const { return Bits::load(at); }
  SPINODAL_INLINE Bits r8() const { return Bits::load(at + mask_bytes); }
  SPINODAL_INLINE Bits tie() const { return Bits::load(at + 2 * mask_bytes); }
  SPINODAL_INLINE Bits x8() const { return Bits::load(at + 3 * mask_bytes); }
};

/// flip = n_unaligned + x4 + 2·x8 + 4·r8 ≥ 3, folded: with t = spin ^ x4 and t' = spin ^ x8, an up spin stays up if
/// n + t + 2·t' ≥ 7 and a down spin turns up if n + t + 2·t' ≥ 3, n of the neighbours up. That is half of
/// n + t + 2·t' + 1, five carries, against 4 and 2.
struct CubicMetropolisRule {
  static SPINODAL_INLINE Bits update(Bits spin, const CubicNeighbors& n, CubicMasks mask) {
    const Bits sum = n.pair.odd ^ n.side, carry = Bits::or_both(n.pair.both, n.pair.odd, n.side);
    const Bits sum2 = Bits::xor3(n.far, n.below, n.above), carry2 = Bits::majority(n.far, n.below, n.above);
    const Bits t = spin ^ mask.x4();
    const Bits odd = Bits::xor3(sum, sum2, t), carry3 = Bits::majority(sum, sum2, t);
    const Bits twos = Bits::xor3(carry, carry2, carry3), fours = Bits::majority(carry, carry2, carry3);
    const Bits carry4 = Bits::majority(twos, odd, spin ^ mask.x8());
    const Bits certain = Bits::unlike_or(fours, carry4, mask.r8());
    return Bits::select_inverse(certain, spin, fours);
  }
};

/// Up where most neighbours are, by the tie bit where they balance; against them with x4, x8, r8.
struct CubicHeatBathRule {
  static SPINODAL_INLINE Bits update(Bits, const CubicNeighbors& n, CubicMasks mask) {
    const Bits sum = n.pair.odd ^ n.side, carry = Bits::or_both(n.pair.both, n.pair.odd, n.side);
    const Bits sum2 = Bits::xor3(n.far, n.below, n.above), carry2 = Bits::majority(n.far, n.below, n.above);
    const Bits odd = sum ^ sum2, carry3 = sum & sum2;
    const Bits twos = Bits::xor3(carry, carry2, carry3), fours = Bits::majority(carry, carry2, carry3);
    const Bits up = Bits::or_both(fours, odd & twos, mask.tie());
    const Bits even = Bits::select(twos ^ fours, mask.x4(), mask.r8());
    return up ^ Bits::select(odd, Bits::without(mask.x8(), twos), even);
  }
};

SPINODAL_KERNELS_END
