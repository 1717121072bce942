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
  static constexpr bool needs_tie = false;

  static SPINODAL_INLINE Bits update(Bits spin, Pair pair, Bits side, Bits far, Bits x4, Bits r8, Bits) {
    const Bits sum = pair.odd ^ side, carry = pair.both | (pair.odd & side);
    const Bits t = spin ^ x4;
    const Bits carry_t = (far & t) | ((far ^ t) & sum);
    return carry ^ Bits::without((carry ^ carry_t) | r8, carry ^ spin);
  }
};

/// Up where most neighbours are, by the tie bit where they balance; against them with x4, r8.
struct HeatBathRule {
  static constexpr bool needs_tie = true;

  static SPINODAL_INLINE Bits update(Bits, Pair pair, Bits side, Bits far, Bits x4, Bits r8, Bits tie) {
    const Bits sum = pair.odd ^ side, carry = pair.both | (pair.odd & side);
    const Bits odd = sum ^ far, carry_far = sum & far;
    const Bits up = (carry & carry_far) | ((carry ^ carry_far) & (odd | tie));
    return up ^ ((odd & x4) | Bits::without(r8, odd));
  }
};

SPINODAL_KERNELS_END
