// SPDX-License-Identifier: BSD-3-Clause
// Standard normal numbers, a vector at a time, by IEEE operations alone: the same bits on every instruction set.
#pragma once

#include "kernels/pack.hpp"
#include "kernels/stream.hpp"

SPINODAL_KERNELS_BEGIN

/// Horner's rule.
template <class P>
SPINODAL_INLINE P polynomial(P x, double last) {
  (void)x;
  return P::all(last);
}
template <class P, class... Rest>
SPINODAL_INLINE P polynomial(P x, double first, Rest... rest) {
  return P::all(first) + x * polynomial(x, rest...);
}

/// ln u for u in [2^-33, 1): u = 2^e m with m in [√½, √2), and ln m = 2 artanh(s), s = (m - 1)/(m + 1).
template <class P>
SPINODAL_INLINE P log_of(P u) {
  constexpr std::uint64_t root_half = 0x3FE6A09E667F3BCD, fraction = (std::uint64_t{1} << 52) - 1;
  double value[P::lanes], exponent[P::lanes], mantissa[P::lanes];
  u.store(value);
  for (int l = 0; l < P::lanes; ++l) {
    std::uint64_t bits;
    std::memcpy(&bits, value + l, 8);
    const std::uint64_t above = bits - root_half;
    exponent[l] = static_cast<double>(static_cast<std::int64_t>(above) >> 52);
    const std::uint64_t part = (above & fraction) + root_half;
    std::memcpy(mantissa + l, &part, 8);
  }
  const P one = P::all(1), e = P::load(exponent), m = P::load(mantissa);
  const P s = (m - one) / (m + one), z = s * s;
  // 2/(2k + 1): the rest after s^19 is below 2^-52, as s < 0.1716.
  const P series =
      polynomial(z, 2.0, 2.0 / 3, 2.0 / 5, 2.0 / 7, 2.0 / 9, 2.0 / 11, 2.0 / 13, 2.0 / 15, 2.0 / 17, 2.0 / 19);
  return e * P::all(0x1.62e42fefa39efp-1) + s * series;
}

/// cos and sin of (π/2) r, |r| <= ½, by their series.
template <class P>
SPINODAL_INLINE void quarter_turns(P r, P& cosine, P& sine) {
  const P x = r * P::all(0x1.921fb54442d18p+0), z = x * x;
  sine = x * polynomial(z, 1.0, -1.0 / 6, 1.0 / 120, -1.0 / 5040, 1.0 / 362880, -1.0 / 39916800, 1.0 / 6227020800.0,
                        -1.0 / 1307674368000.0);
  cosine = polynomial(z, 1.0, -1.0 / 2, 1.0 / 24, -1.0 / 720, 1.0 / 40320, -1.0 / 3628800, 1.0 / 479001600.0,
                      -1.0 / 87178291200.0, 1.0 / 20922789888000.0);
}

/// Two normal numbers of two words w0, w1: radius² = -2 ln((w0 + ½) 2^-32); an angle of less than an eighth of a turn
/// from the low 30 bits of w1, which its bit 30 reflects in the diagonal and its bit 31 turns by half.
template <class P>
SPINODAL_INLINE void box_muller(const std::uint32_t* w0, const std::uint32_t* w1, P& first, P& second) {
  double uniform[P::lanes], angle[P::lanes], sign[P::lanes];
  typename P::Integer reflected[P::lanes];
  for (int l = 0; l < P::lanes; ++l) {
    uniform[l] = (static_cast<double>(w0[l]) + 0.5) * 0x1p-32;
    angle[l] = (static_cast<double>(w1[l] & 0x3fffffff) + 0.5) * 0x1p-30 - 0.5;
    sign[l] = w1[l] >> 31 != 0 ? -1.0 : 1.0;
    reflected[l] = (w1[l] >> 30 & 1) != 0 ? -1 : 0;
  }
  const P radius = (P::all(-2) * log_of(P::load(uniform))).sqrt() * P::load(sign);
  P cosine, sine;
  quarter_turns(P::load(angle), cosine, sine);
  typename P::Mask swap;
  std::memcpy(swap.part, reflected, sizeof swap.part);
  const P change = (sine - cosine).where(swap);
  first = radius * (cosine + change);
  second = radius * (sine - change);
}

/// Three numbers a lane from one block each.
template <class P, class Generator>
SPINODAL_INLINE void normal_numbers(const Generator& generator, const Counter* counters, P* out) {
  std::uint32_t words[4][P::lanes];
  for (int l = 0; l < P::lanes; ++l) {
    const Block block = generator.block(counters[l]);
    words[0][l] = static_cast<std::uint32_t>(block.lo);
    words[1][l] = static_cast<std::uint32_t>(block.lo >> 32);
    words[2][l] = static_cast<std::uint32_t>(block.hi);
    words[3][l] = static_cast<std::uint32_t>(block.hi >> 32);
  }
  P unused;
  box_muller(words[0], words[1], out[0], out[1]);
  box_muller(words[2], words[3], out[2], unused);
}

SPINODAL_KERNELS_END
