// SPDX-License-Identifier: BSD-3-Clause
// 32 bytes at a time: AVX2, or loops the compiler vectorises for whatever there is. 64 with AVX-512.
#pragma once

#include "kernels/aes.hpp"

SPINODAL_KERNELS_BEGIN

constexpr int lanes = 32;  ///< of Bytes

#if defined(__AVX2__)

struct Bytes {
  static constexpr int lanes = 32;
  using Mask = std::uint32_t;

  __m256i v;

  static SPINODAL_INLINE Bytes load(const std::uint8_t* p) {
    return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))};
  }
  SPINODAL_INLINE void store(std::uint8_t* p) const { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v); }
  /// 16 entries, in both halves.
  static SPINODAL_INLINE Bytes table(const std::uint8_t* p) {
    return {_mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))};
  }
  SPINODAL_INLINE Bytes lookup(Bytes index) const { return {_mm256_shuffle_epi8(v, index.v)}; }
  friend SPINODAL_INLINE Bytes operator+(Bytes a, Bytes b) { return {_mm256_add_epi8(a.v, b.v)}; }
  /// The bytes 0 and 1 of this, exchanged where a < b (unsigned).
  SPINODAL_INLINE Bytes flipped_where_less(Bytes a, Bytes b) const {
    const __m256i one = _mm256_set1_epi8(1);
#if defined(__AVX512BW__)
    return {_mm256_mask_sub_epi8(v, _mm256_cmplt_epu8_mask(a.v, b.v), one, v)};
#else
    // min(a + 1 saturated, ·) would lose 255; a < b ⇔ saturated b - a > 0.
    return {_mm256_xor_si256(v, _mm256_min_epu8(_mm256_subs_epu8(b.v, a.v), one))};
#endif
  }
  /// Bit i set where byte i of a equals that of b.
  static SPINODAL_INLINE Mask equal_mask(Bytes a, Bytes b) {
    return static_cast<Mask>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(a.v, b.v)));
  }
};

#else

struct Bytes {
  static constexpr int lanes = 32;
  using Mask = std::uint32_t;

  std::uint8_t v[lanes];

  static SPINODAL_INLINE Bytes load(const std::uint8_t* p) {
    Bytes r;
    std::memcpy(r.v, p, lanes);
    return r;
  }
  SPINODAL_INLINE void store(std::uint8_t* p) const { std::memcpy(p, v, lanes); }
  static SPINODAL_INLINE Bytes table(const std::uint8_t* p) {
    Bytes r;
    std::memcpy(r.v, p, 16);
    std::memcpy(r.v + 16, p, 16);
    return r;
  }
  SPINODAL_INLINE Bytes lookup(Bytes index) const {
    Bytes r;
    for (int i = 0; i < lanes; ++i) r.v[i] = v[index.v[i]];
    return r;
  }
  friend SPINODAL_INLINE Bytes operator+(const Bytes& a, const Bytes& b) {
    Bytes r;
    for (int i = 0; i < lanes; ++i) r.v[i] = static_cast<std::uint8_t>(a.v[i] + b.v[i]);
    return r;
  }
  SPINODAL_INLINE Bytes flipped_where_less(const Bytes& a, const Bytes& b) const {
    Bytes r;
    for (int i = 0; i < lanes; ++i) r.v[i] = static_cast<std::uint8_t>(v[i] ^ (a.v[i] < b.v[i]));
    return r;
  }
  static SPINODAL_INLINE Mask equal_mask(const Bytes& a, const Bytes& b) {
    Mask mask = 0;
    for (int i = 0; i < lanes; ++i) mask |= Mask{a.v[i] == b.v[i]} << i;
    return mask;
  }
};

#endif

#if defined(__AVX512BW__)

struct WideBytes {
  static constexpr int lanes = 64;
  using Mask = std::uint64_t;

  __m512i v;

  static SPINODAL_INLINE WideBytes load(const std::uint8_t* p) { return {_mm512_loadu_si512(p)}; }
  SPINODAL_INLINE void store(std::uint8_t* p) const { _mm512_storeu_si512(p, v); }
  static SPINODAL_INLINE WideBytes table(const std::uint8_t* p) {
    return {_mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))};
  }
  SPINODAL_INLINE WideBytes lookup(WideBytes index) const { return {_mm512_shuffle_epi8(v, index.v)}; }
  friend SPINODAL_INLINE WideBytes operator+(WideBytes a, WideBytes b) { return {_mm512_add_epi8(a.v, b.v)}; }
  SPINODAL_INLINE WideBytes flipped_where_less(WideBytes a, WideBytes b) const {
    return {_mm512_mask_sub_epi8(v, _mm512_cmplt_epu8_mask(a.v, b.v), _mm512_set1_epi8(1), v)};
  }
  static SPINODAL_INLINE Mask equal_mask(WideBytes a, WideBytes b) { return _mm512_cmpeq_epu8_mask(a.v, b.v); }
};

#else

using WideBytes = Bytes;

#endif

SPINODAL_KERNELS_END
