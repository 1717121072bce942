// SPDX-License-Identifier: BSD-3-Clause
// The widest vectors masks are drawn in: two of 256 bits with AVX-512, else one.
#pragma once

#include "kernels/bits256.hpp"

SPINODAL_KERNELS_BEGIN

#if defined(__AVX512VBMI2__) && defined(__VAES__)

struct WideBits {
  static constexpr int n_parts = 2;
  __m512i v;

  static SPINODAL_INLINE WideBits load(const void* p) { return {_mm512_loadu_si512(p)}; }
  SPINODAL_INLINE void store(void* p) const { _mm512_storeu_si512(p, v); }
  static SPINODAL_INLINE WideBits repeat(Bits x) { return {_mm512_broadcast_i64x4(x.v)}; }
  SPINODAL_INLINE Bits first() const { return {_mm512_castsi512_si256(v)}; }
  static SPINODAL_INLINE WideBits every_byte(std::uint8_t x) { return {_mm512_set1_epi8(static_cast<char>(x))}; }
  static SPINODAL_INLINE WideBits every_word(std::uint64_t x) { return {_mm512_set1_epi64(static_cast<long long>(x))}; }
  static SPINODAL_INLINE WideBits add_words(WideBits a, WideBits b) { return {_mm512_add_epi64(a.v, b.v)}; }
  SPINODAL_INLINE WideBits shift_words_left(int n) const { return {_mm512_slli_epi64(v, static_cast<unsigned>(n))}; }
  static SPINODAL_INLINE WideBits table(const std::uint8_t* p) {
    return {_mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))};
  }
  friend SPINODAL_INLINE WideBits operator&(WideBits a, WideBits b) { return {_mm512_and_si512(a.v, b.v)}; }
  friend SPINODAL_INLINE WideBits operator^(WideBits a, WideBits b) { return {_mm512_xor_si512(a.v, b.v)}; }
  static SPINODAL_INLINE WideBits xor3(WideBits a, WideBits b, WideBits c) {
    return {_mm512_ternarylogic_epi64(a.v, b.v, c.v, 0x96)};
  }
  /// (a & b) ^ c
  static SPINODAL_INLINE WideBits and_xor(WideBits a, WideBits b, WideBits c) {
    return {_mm512_ternarylogic_epi64(a.v, b.v, c.v, 0x6a)};
  }

  static SPINODAL_INLINE WideBits or_both(WideBits a, WideBits b, WideBits c) {
    return {_mm512_ternarylogic_epi64(a.v, b.v, c.v, 0xf8)};
  }

  SPINODAL_INLINE WideBits lookup(WideBits index) const { return {_mm512_shuffle_epi8(v, index.v)}; }
  static SPINODAL_INLINE WideBits if_below(WideBits u, WideBits limit, WideBits table, WideBits index) {
    return {_mm512_maskz_shuffle_epi8(_mm512_cmplt_epi8_mask(u.v, limit.v), table.v, index.v)};
  }
  static SPINODAL_INLINE WideBits unless_below(WideBits u, WideBits limit, WideBits table, WideBits index) {
    return {_mm512_maskz_shuffle_epi8(_mm512_cmpge_epi8_mask(u.v, limit.v), table.v, index.v)};
  }
  SPINODAL_INLINE WideBits low_nibbles() const { return *this & every_byte(15); }
  SPINODAL_INLINE WideBits high_nibbles() const { return WideBits{_mm512_srli_epi16(v, 4)} & every_byte(15); }
  /// Halves in the order even, odd, even, odd.
  static SPINODAL_INLINE void store_alternately(WideBits even, WideBits odd, std::uint8_t* p) {
    _mm512_storeu_si512(p, _mm512_inserti64x4(even.v, _mm512_castsi512_si256(odd.v), 1));
    _mm512_storeu_si512(p + 64, _mm512_shuffle_i64x2(even.v, odd.v, 0xee));
  }

  SPINODAL_INLINE WideBits aes_round(WideBits key) const { return {_mm512_aesenc_epi128(v, key.v)}; }
  SPINODAL_INLINE WideBits aes_last_round(WideBits key) const { return {_mm512_aesenclast_epi128(v, key.v)}; }
};

#else

using WideBits = Bits;

#endif

SPINODAL_KERNELS_END
