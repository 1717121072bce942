// SPDX-License-Identifier: BSD-3-Clause
// One update of 256 sites by Boolean algebra, from their four neighbours and the masks of spinodal/packed.hpp.
//
// Two of a site's neighbours, a and b, are those of another site too, so half of the first adder serves twice:
//
//   n = a + b + side + far,    a + b: pair,    a + b + side = sum + 2·carry
#pragma once

#include "kernels/bits256.hpp"

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

SPINODAL_KERNELS_END
