// SPDX-License-Identifier: BSD-3-Clause
// Standard normal numbers, a vector at a time, by IEEE operations alone: the same bits on every instruction set.
#pragma once

#include "kernels/pack.hpp"
#include "kernels/stream.hpp"

SPINODAL_KERNELS_BEGIN

// Bits of doubles: 2^52; √½; a fraction; and 64 times the unit of the exponent, which keeps what is shifted positive.
constexpr std::uint64_t two_52 = 0x4330000000000000, root_half = 0x3FE6A09E667F3BCD;
constexpr std::uint64_t fraction = (std::uint64_t{1} << 52) - 1, bias = std::uint64_t{64} << 52;

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

/// 64-bit integers, one beside each double of P. They stay in registers: lanes written one by one to memory and read as
/// a vector would wait for the writes.
template <class P>
struct Words {
  typename P::Words part[P::n_parts];

  /// f(lane).
  template <class F>
  static SPINODAL_INLINE Words of(F f) {
    Words r;
#pragma GCC unroll 8
    for (int l = 0; l < P::lanes; ++l) r.part[l / P::width][l % P::width] = f(l);
    return r;
  }
  static SPINODAL_INLINE Words bits_of(const P& p) {
    Words r;
    std::memcpy(r.part, p.part, sizeof r.part);
    return r;
  }

  /// f(part).
  template <class F>
  SPINODAL_INLINE Words map(F f) const {
    Words r;
    for (int p = 0; p < P::n_parts; ++p) r.part[p] = f(part[p]);
    return r;
  }
  SPINODAL_INLINE P as_double_bits() const {
    P r;
    std::memcpy(r.part, part, sizeof r.part);
    return r;
  }
  SPINODAL_INLINE typename P::Mask as_mask() const {
    typename P::Mask r;
    std::memcpy(r.part, part, sizeof r.part);
    return r;
  }
  /// Their values, below 2^52.
  SPINODAL_INLINE P to_double() const {
    return map([](auto w) { return w | two_52; }).as_double_bits() - P::all(0x1p52);
  }
};

/// ln u for u in [2^-33, 1): u = 2^e m with m in [√½, √2), and ln m = 2 artanh(s), s = (m - 1)/(m + 1).
template <class P>
SPINODAL_INLINE P log_of(P u) {
  const Words<P> bits = Words<P>::bits_of(u);
  const P e = bits.map([](auto w) { return (w - root_half + bias) >> 52; }).to_double() - P::all(64);
  const P m = bits.map([](auto w) { return ((w - root_half) & fraction) + root_half; }).as_double_bits();
  const P one = P::all(1), s = (m - one) / (m + one), z = s * s;
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

/// Two normal numbers of a word's halves w0 and w1: radius² = -2 ln((w0 + ½) 2^-32); an angle of less than an eighth of
/// a turn from the low 30 bits of w1, which its bit 30 reflects in the diagonal and its bit 31 turns by half.
template <class P>
SPINODAL_INLINE void box_muller(const Words<P>& words, P& first, P& second) {
  const P half = P::all(0.5);
  const P uniform = (words.map([](auto w) { return w & 0xffffffff; }).to_double() + half) * P::all(0x1p-32);
  const Words<P> w1 = words.map([](auto w) { return w >> 32; });
  const P angle = (w1.map([](auto w) { return w & 0x3fffffff; }).to_double() + half) * P::all(0x1p-30) - half;
  const auto swap = w1.map([](auto w) { return 0 - (w >> 30 & 1); }).as_mask();
  const Words<P> sign = w1.map([](auto w) { return w >> 31 << 63; });
  Words<P> radius = Words<P>::bits_of((P::all(-2) * log_of(uniform)).sqrt());
  for (int p = 0; p < P::n_parts; ++p) radius.part[p] ^= sign.part[p];
  P cosine, sine;
  quarter_turns(angle, cosine, sine);
  const P change = (sine - cosine).where(swap);
  first = radius.as_double_bits() * (cosine + change);
  second = radius.as_double_bits() * (sine - change);
}

/// Three numbers a lane from the block at counter(lane).
template <class P, class Generator, class F>
SPINODAL_INLINE void normal_numbers(const Generator& generator, F counter, P* out) {
  Block block[P::lanes];
#pragma GCC unroll 8
  for (int l = 0; l < P::lanes; ++l) block[l] = generator.block(counter(l));
  P unused;
  box_muller(Words<P>::of([&](int l) { return block[l].lo; }), out[0], out[1]);
  box_muller(Words<P>::of([&](int l) { return block[l].hi; }), out[2], unused);
}

SPINODAL_KERNELS_END
