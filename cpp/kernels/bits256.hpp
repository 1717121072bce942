// SPDX-License-Identifier: BSD-3-Clause
// 256 bits at a time: AVX2, or portable words. Bit i of a vector is bit i % 8 of byte i / 8.
#pragma once

#include "kernels/aes.hpp"

SPINODAL_KERNELS_BEGIN

constexpr int vector_bytes = 32;

#if defined(__AVX2__)

struct Bits {
  __m256i v;

  static SPINODAL_INLINE Bits load(const void* p) {
    return {_mm256_loadu_si256(static_cast<const __m256i*>(p))};
  }
  SPINODAL_INLINE void store(void* p) const { _mm256_storeu_si256(static_cast<__m256i*>(p), v); }
  static SPINODAL_INLINE Bits every_byte(std::uint8_t x) { return {_mm256_set1_epi8(static_cast<char>(x))}; }
  /// 16 entries, in both halves.
  static SPINODAL_INLINE Bits table(const std::uint8_t* p) {
    return {_mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))};
  }
  friend SPINODAL_INLINE Bits operator&(Bits a, Bits b) { return {_mm256_and_si256(a.v, b.v)}; }
  friend SPINODAL_INLINE Bits operator|(Bits a, Bits b) { return {_mm256_or_si256(a.v, b.v)}; }
  friend SPINODAL_INLINE Bits operator^(Bits a, Bits b) { return {_mm256_xor_si256(a.v, b.v)}; }
  /// a & ~b
  static SPINODAL_INLINE Bits without(Bits a, Bits b) { return {_mm256_andnot_si256(b.v, a.v)}; }
  /// Bytes of this table at indices 0–15.
  SPINODAL_INLINE Bits lookup(Bits index) const { return {_mm256_shuffle_epi8(v, index.v)}; }
  /// All ones in the bytes where a > b, both read as signed.
  static SPINODAL_INLINE Bits greater(Bits a, Bits b) { return {_mm256_cmpgt_epi8(a.v, b.v)}; }
  /// Bytes of a where `which` is all ones, of b where it is zero.
  static SPINODAL_INLINE Bits select(Bits which, Bits a, Bits b) {
    return {_mm256_blendv_epi8(b.v, a.v, which.v)};
  }
  /// High nibbles moved down; the low nibbles must be zero.
  SPINODAL_INLINE Bits high_nibbles() const { return {_mm256_srli_epi16(v, 4)}; }

  /// Shifts inside lanes of 32 or 64 bits; n ≥ lane gives zero.
  template <int lane>
  SPINODAL_INLINE Bits left(int n) const {
    if constexpr (lane == 32) return {_mm256_slli_epi32(v, n)};
    return {_mm256_slli_epi64(v, n)};
  }
  template <int lane>
  SPINODAL_INLINE Bits right(int n) const {
    if constexpr (lane == 32) return {_mm256_srli_epi32(v, n)};
    return {_mm256_srli_epi64(v, n)};
  }
  /// The low (high) half of each 128-bit lane moved to the other half, zeros behind it.
  SPINODAL_INLINE Bits low_to_high() const { return {_mm256_slli_si256(v, 8)}; }
  SPINODAL_INLINE Bits high_to_low() const { return {_mm256_srli_si256(v, 8)}; }
  SPINODAL_INLINE Bits swap_halves() const { return {_mm256_shuffle_epi32(v, 0x4e)}; }
};

#else

struct Bits {
  std::uint64_t w[4];

  static SPINODAL_INLINE Bits load(const void* p) {
    Bits r;
    std::memcpy(r.w, p, vector_bytes);
    return r;
  }
  SPINODAL_INLINE void store(void* p) const { std::memcpy(p, w, vector_bytes); }
  static SPINODAL_INLINE Bits every_byte(std::uint8_t x) {
    const std::uint64_t word = x * (~std::uint64_t{0} / 255);
    return {{word, word, word, word}};
  }
  static SPINODAL_INLINE Bits table(const std::uint8_t* p) {
    Bits r;
    std::memcpy(r.w, p, 16);
    std::memcpy(r.w + 2, p, 16);
    return r;
  }

  template <class F>
  static SPINODAL_INLINE Bits by_word(F f) {
    return {{f(0), f(1), f(2), f(3)}};
  }
  template <class F>
  static SPINODAL_INLINE Bits by_byte(F f) {
    std::uint8_t bytes[vector_bytes];
    for (int i = 0; i < vector_bytes; ++i) bytes[i] = static_cast<std::uint8_t>(f(i));
    return load(bytes);
  }
  friend SPINODAL_INLINE Bits operator&(const Bits& a, const Bits& b) {
    return by_word([&](int i) { return a.w[i] & b.w[i]; });
  }
  friend SPINODAL_INLINE Bits operator|(const Bits& a, const Bits& b) {
    return by_word([&](int i) { return a.w[i] | b.w[i]; });
  }
  friend SPINODAL_INLINE Bits operator^(const Bits& a, const Bits& b) {
    return by_word([&](int i) { return a.w[i] ^ b.w[i]; });
  }
  static SPINODAL_INLINE Bits without(const Bits& a, const Bits& b) {
    return by_word([&](int i) { return a.w[i] & ~b.w[i]; });
  }
  SPINODAL_INLINE Bits lookup(const Bits& index) const {
    std::uint8_t entries[vector_bytes], at[vector_bytes];
    store(entries);
    index.store(at);
    return by_byte([&](int i) { return entries[at[i] & 15]; });
  }
  static SPINODAL_INLINE Bits greater(const Bits& a, const Bits& b) {
    std::int8_t x[vector_bytes], y[vector_bytes];
    a.store(x);
    b.store(y);
    return by_byte([&](int i) { return x[i] > y[i] ? 255 : 0; });
  }
  static SPINODAL_INLINE Bits select(const Bits& which, const Bits& a, const Bits& b) {
    return (a & which) | without(b, which);
  }
  SPINODAL_INLINE Bits high_nibbles() const {
    return by_word([&](int i) { return w[i] >> 4; });
  }

  template <int lane>
  SPINODAL_INLINE Bits left(int n) const {
    if (n >= lane) return every_byte(0);
    if constexpr (lane == 64) return by_word([&](int i) { return w[i] << n; });
    const std::uint64_t kept = (0xffffffffu << n & 0xffffffffu) * 0x100000001u;
    return by_word([&](int i) { return w[i] << n & kept; });
  }
  template <int lane>
  SPINODAL_INLINE Bits right(int n) const {
    if (n >= lane) return every_byte(0);
    if constexpr (lane == 64) return by_word([&](int i) { return w[i] >> n; });
    const std::uint64_t kept = (0xffffffffu >> n) * std::uint64_t{0x100000001u};
    return by_word([&](int i) { return w[i] >> n & kept; });
  }
  SPINODAL_INLINE Bits low_to_high() const { return {{0, w[0], 0, w[2]}}; }
  SPINODAL_INLINE Bits high_to_low() const { return {{w[1], 0, w[3], 0}}; }
  SPINODAL_INLINE Bits swap_halves() const { return {{w[1], w[0], w[3], w[2]}}; }
};

#endif

SPINODAL_KERNELS_END
