// SPDX-License-Identifier: BSD-3-Clause
// 256 bits at a time: AVX2, or portable words. Bit i of a vector is bit i % 8 of byte i / 8.
//
// The operations of more than two arguments are one instruction of AVX-512; elsewhere they are what
// their names say.
#pragma once

#include "kernels/aes.hpp"
#include "spinodal/stream.hpp"

SPINODAL_KERNELS_BEGIN

constexpr int vector_bytes = 32;

#if defined(__AVX2__)

struct Bits {
  static constexpr int n_parts = 1;
  __m256i v;

  static SPINODAL_INLINE Bits load(const void* p) { return {_mm256_loadu_si256(static_cast<const __m256i*>(p))}; }
  SPINODAL_INLINE void store(void* p) const { _mm256_storeu_si256(static_cast<__m256i*>(p), v); }
  static SPINODAL_INLINE Bits every_byte(std::uint8_t x) { return {_mm256_set1_epi8(static_cast<char>(x))}; }
  static SPINODAL_INLINE Bits every_word(std::uint64_t x) { return {_mm256_set1_epi64x(static_cast<long long>(x))}; }
  /// Sums of 64-bit words.
  static SPINODAL_INLINE Bits add_words(Bits a, Bits b) { return {_mm256_add_epi64(a.v, b.v)}; }
  SPINODAL_INLINE Bits shift_words_left(int n) const { return {_mm256_slli_epi64(v, n)}; }
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
  /// Bytes of the table at indices 0-15 where u < limit (u >= limit), both read as signed, else zero.
  static SPINODAL_INLINE Bits if_below(Bits u, Bits limit, Bits table, Bits index) {
    return {_mm256_and_si256(_mm256_cmpgt_epi8(limit.v, u.v), table.lookup(index).v)};
  }
  static SPINODAL_INLINE Bits unless_below(Bits u, Bits limit, Bits table, Bits index) {
    return {_mm256_andnot_si256(_mm256_cmpgt_epi8(limit.v, u.v), table.lookup(index).v)};
  }
  SPINODAL_INLINE Bits low_nibbles() const { return *this & every_byte(15); }
  SPINODAL_INLINE Bits high_nibbles() const { return Bits{_mm256_srli_epi16(v, 4)} & every_byte(15); }
  static SPINODAL_INLINE void store_alternately(Bits even, Bits odd, std::uint8_t* p) {
    even.store(p);
    odd.store(p + vector_bytes);
  }

#if defined(__AVX512VL__)
  template <int table>
  static SPINODAL_INLINE Bits ternary(Bits a, Bits b, Bits c) {
    return {_mm256_ternarylogic_epi64(a.v, b.v, c.v, table)};
  }
  static SPINODAL_INLINE Bits xor3(Bits a, Bits b, Bits c) { return ternary<0x96>(a, b, c); }
  static SPINODAL_INLINE Bits majority(Bits a, Bits b, Bits c) { return ternary<0xe8>(a, b, c); }
  /// Bits of a where `which` is 1, else of b.
  static SPINODAL_INLINE Bits select(Bits which, Bits a, Bits b) { return ternary<0xca>(which, a, b); }
  /// a | (b & c)
  static SPINODAL_INLINE Bits or_both(Bits a, Bits b, Bits c) { return ternary<0xf8>(a, b, c); }
  /// (a ^ b) | c
  static SPINODAL_INLINE Bits unlike_or(Bits a, Bits b, Bits c) { return ternary<0xbe>(a, b, c); }
  /// (a & b) ^ c
  static SPINODAL_INLINE Bits and_xor(Bits a, Bits b, Bits c) { return ternary<0x6a>(a, b, c); }
  /// Bits of ~a where `which` is 1, else of b.
  static SPINODAL_INLINE Bits select_inverse(Bits which, Bits a, Bits b) { return ternary<0x5c>(which, b, a); }
#else
  static SPINODAL_INLINE Bits xor3(Bits a, Bits b, Bits c) { return a ^ b ^ c; }
  static SPINODAL_INLINE Bits majority(Bits a, Bits b, Bits c) { return (a & b) | ((a ^ b) & c); }
  static SPINODAL_INLINE Bits select(Bits which, Bits a, Bits b) { return b ^ (which & (a ^ b)); }
  static SPINODAL_INLINE Bits or_both(Bits a, Bits b, Bits c) { return a | (b & c); }
  static SPINODAL_INLINE Bits unlike_or(Bits a, Bits b, Bits c) { return (a ^ b) | c; }
  static SPINODAL_INLINE Bits and_xor(Bits a, Bits b, Bits c) { return (a & b) ^ c; }
  static SPINODAL_INLINE Bits select_inverse(Bits which, Bits a, Bits b) { return b ^ without(which, a ^ b); }
#endif

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
  /// 32-bit word i becomes word i + n modulo 8.
  SPINODAL_INLINE Bits rotate(int n) const {
    const __m256i from = _mm256_sub_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32(n));
    return {_mm256_permutevar8x32_epi32(v, from)};
  }
  /// 64-bit word i becomes word i + 1 (i - 1) modulo 4.
  SPINODAL_INLINE Bits words_up() const { return {_mm256_permute4x64_epi64(v, 0x93)}; }
  SPINODAL_INLINE Bits words_down() const { return {_mm256_permute4x64_epi64(v, 0x39)}; }
  /// Each 64-bit word shifted by one, the end bit of its neighbour's word coming in.
#if defined(__AVX512VBMI2__)
  SPINODAL_INLINE Bits left_from(Bits before) const { return {_mm256_shldi_epi64(v, before.v, 1)}; }
  SPINODAL_INLINE Bits right_from(Bits after) const { return {_mm256_shrdi_epi64(v, after.v, 1)}; }
#else
  SPINODAL_INLINE Bits left_from(Bits before) const { return left<64>(1) | before.right<64>(63); }
  SPINODAL_INLINE Bits right_from(Bits after) const { return right<64>(1) | after.left<64>(63); }
#endif

  // Two AES states side by side.
  static SPINODAL_INLINE Bits both_halves(std::uint64_t lo, std::uint64_t hi) {
    return {_mm256_broadcastsi128_si256(_mm_set_epi64x(static_cast<long long>(hi), static_cast<long long>(lo)))};
  }
  static SPINODAL_INLINE Bits both_halves(const Counter& c) {
    return both_halves(c.c0 | std::uint64_t{c.c1} << 32, c.c2 | std::uint64_t{c.c3} << 32);
  }
#if defined(__VAES__)
  SPINODAL_INLINE Bits aes_round(Bits key) const { return {_mm256_aesenc_epi128(v, key.v)}; }
  SPINODAL_INLINE Bits aes_last_round(Bits key) const { return {_mm256_aesenclast_epi128(v, key.v)}; }
#else
  SPINODAL_INLINE __m128i low() const { return _mm256_castsi256_si128(v); }
  SPINODAL_INLINE __m128i high() const { return _mm256_extracti128_si256(v, 1); }
  SPINODAL_INLINE Bits aes_round(Bits key) const {
    return {_mm256_set_m128i(_mm_aesenc_si128(high(), key.high()), _mm_aesenc_si128(low(), key.low()))};
  }
  SPINODAL_INLINE Bits aes_last_round(Bits key) const {
    return {_mm256_set_m128i(_mm_aesenclast_si128(high(), key.high()), _mm_aesenclast_si128(low(), key.low()))};
  }
#endif
  static SPINODAL_INLINE Bits repeat(Bits x) { return x; }
  SPINODAL_INLINE Bits first() const { return *this; }
};

#else

struct Bits {
  static constexpr int n_parts = 1;
  std::uint64_t w[4];

  static SPINODAL_INLINE Bits load(const void* p) {
    Bits r;
    std::memcpy(r.w, p, vector_bytes);
    return r;
  }
  SPINODAL_INLINE void store(void* p) const { std::memcpy(p, w, vector_bytes); }
  static SPINODAL_INLINE Bits every_byte(std::uint8_t x) { return every_word(x * (~std::uint64_t{0} / 255)); }
  static SPINODAL_INLINE Bits every_word(std::uint64_t x) { return {{x, x, x, x}}; }
  static SPINODAL_INLINE Bits add_words(const Bits& a, const Bits& b) {
    return by_word([&](int i) { return a.w[i] + b.w[i]; });
  }
  SPINODAL_INLINE Bits shift_words_left(int n) const {
    return by_word([&](int i) { return w[i] << n; });
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
  static SPINODAL_INLINE Bits if_below(const Bits& u, const Bits& limit, const Bits& table, const Bits& index) {
    return below(u, limit) & table.lookup(index);
  }
  static SPINODAL_INLINE Bits unless_below(const Bits& u, const Bits& limit, const Bits& table, const Bits& index) {
    return without(table.lookup(index), below(u, limit));
  }
  SPINODAL_INLINE Bits low_nibbles() const { return *this & every_byte(15); }
  SPINODAL_INLINE Bits high_nibbles() const {
    return by_word([&](int i) { return w[i] >> 4; }).low_nibbles();
  }
  static SPINODAL_INLINE void store_alternately(const Bits& even, const Bits& odd, std::uint8_t* p) {
    even.store(p);
    odd.store(p + vector_bytes);
  }
  static SPINODAL_INLINE Bits xor3(const Bits& a, const Bits& b, const Bits& c) { return a ^ b ^ c; }
  static SPINODAL_INLINE Bits majority(const Bits& a, const Bits& b, const Bits& c) { return (a & b) | ((a ^ b) & c); }
  static SPINODAL_INLINE Bits select(const Bits& which, const Bits& a, const Bits& b) { return b ^ (which & (a ^ b)); }
  static SPINODAL_INLINE Bits or_both(const Bits& a, const Bits& b, const Bits& c) { return a | (b & c); }
  static SPINODAL_INLINE Bits unlike_or(const Bits& a, const Bits& b, const Bits& c) { return (a ^ b) | c; }
  static SPINODAL_INLINE Bits and_xor(const Bits& a, const Bits& b, const Bits& c) { return (a & b) ^ c; }
  static SPINODAL_INLINE Bits select_inverse(const Bits& which, const Bits& a, const Bits& b) {
    return b ^ without(which, a ^ b);
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
  SPINODAL_INLINE Bits rotate(int n) const {
    std::uint32_t from[8], to[8];
    store(from);
    for (int i = 0; i < 8; ++i) to[(i + n) & 7] = from[i];
    return load(to);
  }
  SPINODAL_INLINE Bits words_up() const { return {{w[3], w[0], w[1], w[2]}}; }
  SPINODAL_INLINE Bits words_down() const { return {{w[1], w[2], w[3], w[0]}}; }
  SPINODAL_INLINE Bits left_from(const Bits& before) const { return left<64>(1) | before.right<64>(63); }
  SPINODAL_INLINE Bits right_from(const Bits& after) const { return right<64>(1) | after.left<64>(63); }

  static SPINODAL_INLINE Bits both_halves(std::uint64_t lo, std::uint64_t hi) { return {{lo, hi, lo, hi}}; }
  static SPINODAL_INLINE Bits both_halves(const Counter& c) {
    return both_halves(c.c0 | std::uint64_t{c.c1} << 32, c.c2 | std::uint64_t{c.c3} << 32);
  }
  // Not inlined: they would be most of the code.
  __attribute__((noinline)) Bits aes_round(const Bits& key) const {
    return of(spinodal::SPINODAL_ISA::aes_round(block(0), key.block(0)),
              spinodal::SPINODAL_ISA::aes_round(block(1), key.block(1)));
  }
  __attribute__((noinline)) Bits aes_last_round(const Bits& key) const {
    return of(spinodal::SPINODAL_ISA::aes_last_round(block(0), key.block(0)),
              spinodal::SPINODAL_ISA::aes_last_round(block(1), key.block(1)));
  }
  static SPINODAL_INLINE Bits repeat(const Bits& x) { return x; }
  SPINODAL_INLINE const Bits& first() const { return *this; }

 private:
  SPINODAL_INLINE Block block(int i) const { return {w[2 * i], w[2 * i + 1]}; }
  static SPINODAL_INLINE Bits of(const Block& a, const Block& b) { return {{a.lo, a.hi, b.lo, b.hi}}; }
  static SPINODAL_INLINE Bits below(const Bits& u, const Bits& limit) {
    std::int8_t x[vector_bytes], y[vector_bytes];
    u.store(x);
    limit.store(y);
    return by_byte([&](int i) { return x[i] < y[i] ? 255 : 0; });
  }
};

#endif

SPINODAL_KERNELS_END
