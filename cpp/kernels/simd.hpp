// SPDX-License-Identifier: BSD-3-Clause
// 32 bytes at a time: AVX2, or loops the compiler vectorises for whatever there is.
#pragma once

#include "kernels/aes.hpp"

SPINODAL_KERNELS_BEGIN

constexpr int lanes = 32;

#if defined(__AVX2__)

struct Bytes {
  __m256i v;

  static SPINODAL_INLINE Bytes load(const std::uint8_t* p) {
    return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))};
  }
  SPINODAL_INLINE void store(std::uint8_t* p) const { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v); }
  static SPINODAL_INLINE Bytes from_blocks(Block a, Block b) {
    return {_mm256_set_epi64x(static_cast<long long>(b.hi), static_cast<long long>(b.lo), static_cast<long long>(a.hi),
                              static_cast<long long>(a.lo))};
  }
  /// 16 entries, in both halves.
  static SPINODAL_INLINE Bytes table(const std::uint8_t* p) {
    return {_mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))};
  }
  SPINODAL_INLINE Bytes lookup(Bytes index) const { return {_mm256_shuffle_epi8(v, index.v)}; }
  friend SPINODAL_INLINE Bytes operator+(Bytes a, Bytes b) { return {_mm256_add_epi8(a.v, b.v)}; }
  friend SPINODAL_INLINE Bytes operator^(Bytes a, Bytes b) { return {_mm256_xor_si256(a.v, b.v)}; }
  /// 1 where a < b (unsigned), else 0.
  static SPINODAL_INLINE Bytes less(Bytes a, Bytes b) {
    // min(a + 1 saturated, ·) would lose 255; a < b ⇔ saturated b - a > 0.
    return {_mm256_min_epu8(_mm256_subs_epu8(b.v, a.v), _mm256_set1_epi8(1))};
  }
  /// Bit i set where byte i of a equals that of b.
  static SPINODAL_INLINE std::uint32_t equal_mask(Bytes a, Bytes b) {
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(a.v, b.v)));
  }
};

#else

struct Bytes {
  std::uint8_t v[lanes];

  static SPINODAL_INLINE Bytes load(const std::uint8_t* p) {
    Bytes r;
    std::memcpy(r.v, p, lanes);
    return r;
  }
  SPINODAL_INLINE void store(std::uint8_t* p) const { std::memcpy(p, v, lanes); }
  static SPINODAL_INLINE Bytes from_blocks(Block a, Block b) {
    Bytes r;
    std::memcpy(r.v, &a, 16);
    std::memcpy(r.v + 16, &b, 16);
    return r;
  }
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
  friend SPINODAL_INLINE Bytes operator^(const Bytes& a, const Bytes& b) {
    Bytes r;
    for (int i = 0; i < lanes; ++i) r.v[i] = a.v[i] ^ b.v[i];
    return r;
  }
  static SPINODAL_INLINE Bytes less(const Bytes& a, const Bytes& b) {
    Bytes r;
    for (int i = 0; i < lanes; ++i) r.v[i] = a.v[i] < b.v[i];
    return r;
  }
  static SPINODAL_INLINE std::uint32_t equal_mask(const Bytes& a, const Bytes& b) {
    std::uint32_t mask = 0;
    for (int i = 0; i < lanes; ++i) mask |= std::uint32_t{a.v[i] == b.v[i]} << i;
    return mask;
  }
};

#endif

SPINODAL_KERNELS_END
