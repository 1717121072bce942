// SPDX-License-Identifier: BSD-3-Clause
// The random words of a block: stream blocks at packed counters, two AES rounds of seven (or five) cached.
//
// AES moves bytes 0, 5, 10, 15 of the state into column 0 in its first round, and no others. With
// the word's index n in bytes 0 and 5, and 10 and 15 constant, one round leaves column 0 a
// function of n alone and the other columns functions of the block alone; the second round, linear
// after its S-boxes, then gives
//
//   state(n, block) = E[n] ^ state(0, block),     E[n] = state(n, 0) ^ state(0, 0)            (1)
//
// so a word costs one XOR and the rounds from the third on.
#pragma once

#include "kernels/bits256.hpp"
#include "kernels/packed.hpp"
#include "kernels/stream.hpp"

SPINODAL_KERNELS_BEGIN

/// Where a block of random numbers stands: which block of which color, sweep and chain, and what for.
struct PackedPlace {
  Purpose purpose;
  std::uint32_t block;  // below 2^19
  int color;
  std::uint64_t sweep;
  std::uint32_t chain;

  SPINODAL_INLINE Counter counter(std::uint32_t n) const {
    const std::uint32_t place = block << 1 | static_cast<std::uint32_t>(color);
    const auto low = static_cast<std::uint32_t>(sweep), high = static_cast<std::uint32_t>(sweep >> 32);
    return {(n & 0xff) | (place & 0xff) << 8 | place >> 16 << 16 | static_cast<std::uint32_t>(purpose) << 20 |
                high << 24,
            (place >> 8 & 0xff) | n >> 8 << 8 | low << 16, low >> 16 | chain << 24, chain >> 8};
  }
};

/// Words computed plainly, for any stream.
template <class Generator>
class PlainWords {
 public:
  PlainWords(std::uint64_t seed, const WordCache&) : generator_(seed) {}

  SPINODAL_INLINE void begin(const PackedPlace& place) { place_ = place; }

  template <int n>
  SPINODAL_INLINE void draw(int first, Bits* out) const {
    for (int i = 0; i < n; ++i) out[i] = word(first + i);
  }
  template <int n>
  SPINODAL_INLINE void finish(Bits*) const {}

  SPINODAL_INLINE Bits word(int i) const {
    const auto n = static_cast<std::uint32_t>(2 * i);
    const Block halves[2] = {generator_.block(place_.counter(n)), generator_.block(place_.counter(n + 1))};
    return Bits::load(halves);
  }

 private:
  Generator generator_;
  PackedPlace place_{};
};

#if defined(__AES__)

/// Two AES states side by side.
struct TwoStates {
  __m256i v;

  static SPINODAL_INLINE TwoStates same(const Counter& c) {
    __m128i x;
    std::memcpy(&x, &c, 16);
    return {_mm256_broadcastsi128_si256(x)};
  }
  static SPINODAL_INLINE TwoStates key(std::uint64_t lo, std::uint64_t hi) {
    return {_mm256_set_epi64x(static_cast<long long>(hi), static_cast<long long>(lo), static_cast<long long>(hi),
                              static_cast<long long>(lo))};
  }
  static SPINODAL_INLINE TwoStates load(const void* p) { return {Bits::load(p).v}; }
  friend SPINODAL_INLINE TwoStates operator^(TwoStates a, TwoStates b) { return {_mm256_xor_si256(a.v, b.v)}; }
  SPINODAL_INLINE Bits bits() const { return {v}; }
  static SPINODAL_INLINE TwoStates of(Bits bits) { return {bits.v}; }
#if defined(__VAES__)
  SPINODAL_INLINE TwoStates round(TwoStates k) const { return {_mm256_aesenc_epi128(v, k.v)}; }
  SPINODAL_INLINE TwoStates last_round(TwoStates k) const { return {_mm256_aesenclast_epi128(v, k.v)}; }
#else
  SPINODAL_INLINE TwoStates round(TwoStates k) const {
    return {_mm256_set_m128i(_mm_aesenc_si128(_mm256_extracti128_si256(v, 1), _mm256_extracti128_si256(k.v, 1)),
                             _mm_aesenc_si128(_mm256_castsi256_si128(v), _mm256_castsi256_si128(k.v)))};
  }
  SPINODAL_INLINE TwoStates last_round(TwoStates k) const {
    return {
        _mm256_set_m128i(_mm_aesenclast_si128(_mm256_extracti128_si256(v, 1), _mm256_extracti128_si256(k.v, 1)),
                         _mm_aesenclast_si128(_mm256_castsi256_si128(v), _mm256_castsi256_si128(k.v)))};
  }
#endif
};

#else

struct TwoStates {
  Block b[2];

  static SPINODAL_INLINE TwoStates same(const Counter& c) {
    Block x;
    std::memcpy(&x, &c, 16);
    return {{x, x}};
  }
  static SPINODAL_INLINE TwoStates key(std::uint64_t lo, std::uint64_t hi) { return {{{lo, hi}, {lo, hi}}}; }
  static SPINODAL_INLINE TwoStates load(const void* p) {
    TwoStates r;
    std::memcpy(r.b, p, 32);
    return r;
  }
  friend SPINODAL_INLINE TwoStates operator^(const TwoStates& x, const TwoStates& y) {
    return {{{x.b[0].lo ^ y.b[0].lo, x.b[0].hi ^ y.b[0].hi}, {x.b[1].lo ^ y.b[1].lo, x.b[1].hi ^ y.b[1].hi}}};
  }
  SPINODAL_INLINE Bits bits() const { return Bits::load(b); }
  static SPINODAL_INLINE TwoStates of(const Bits& bits) { return load(bits.w); }
  __attribute__((noinline)) TwoStates round(const TwoStates& k) const {  // inlined it would be most of the code
    return {{aes_round(b[0], k.b[0]), aes_round(b[1], k.b[1])}};
  }
  __attribute__((noinline)) TwoStates last_round(const TwoStates& k) const {
    return {{aes_last_round(b[0], k.b[0]), aes_last_round(b[1], k.b[1])}};
  }
};

#endif

SPINODAL_INLINE TwoStates ars_key(std::uint64_t seed, std::uint64_t round) {
  return TwoStates::key(seed + round * ars_weyl_lo, round * ars_weyl_hi);
}

/// ARS-R by eq. (1).
template <int n_rounds>
class CachedArsWords {
 public:
  CachedArsWords(std::uint64_t seed, const WordCache& cache) : cache_(cache) {
    for (int r = 0; r <= n_rounds; ++r) keys_[r] = ars_key(seed, static_cast<std::uint64_t>(r));
  }

  SPINODAL_INLINE void begin(const PackedPlace& place) {
    base_ = (TwoStates::same(place.counter(0)) ^ keys_[0]).round(keys_[1]).round(keys_[2]);
  }

  /// States of words first … first + n - 1, for `finish`: rounds in lockstep hide their latency.
  template <int n>
  SPINODAL_INLINE void draw(int first, Bits* out) const {
    for (int i = 0; i < n; ++i) out[i] = (TwoStates::load(cache_.bytes + 32 * (first + i)) ^ base_).bits();
  }
  template <int n>
  SPINODAL_INLINE void finish(Bits* words) const {
    TwoStates state[n];
    for (int i = 0; i < n; ++i) state[i] = TwoStates::of(words[i]);
    for (int r = 3; r < n_rounds; ++r) {
      for (int i = 0; i < n; ++i) state[i] = state[i].round(keys_[r]);
    }
    for (int i = 0; i < n; ++i) words[i] = state[i].last_round(keys_[n_rounds]).bits();
  }

  SPINODAL_INLINE Bits word(int i) const {
    Bits out;
    draw<1>(i, &out);
    finish<1>(&out);
    return out;
  }

 private:
  const WordCache& cache_;
  TwoStates keys_[n_rounds + 1];
  TwoStates base_;
};

SPINODAL_KERNELS_END
