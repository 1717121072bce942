// SPDX-License-Identifier: BSD-3-Clause
// The counter streams of spinodal/stream.hpp, inlined into the kernels that use them.
//
// Each generator offers  block(counter)  and  pair(counter, v): blocks 2v and 2v+1 of a row as 32 bytes.
#pragma once

#include "kernels/aes.hpp"
#include "kernels/simd.hpp"
#include "spinodal/stream.hpp"

SPINODAL_KERNELS_BEGIN

// Salmon et al. (2011), section 4: the key schedule adds the golden ratio and √3 - 1.
constexpr std::uint64_t ars_weyl_lo = 0x9E3779B97F4A7C15u, ars_weyl_hi = 0xBB67AE8584CAA73Bu;

template <int n_rounds>
struct Ars {
#if defined(__AES__)
  __m128i keys[n_rounds + 1];

  explicit Ars(std::uint64_t seed) {
    for (int r = 0; r <= n_rounds; ++r) {
      keys[r] = _mm_set_epi64x(static_cast<long long>(r * ars_weyl_hi), static_cast<long long>(seed + r * ars_weyl_lo));
    }
  }

  SPINODAL_INLINE __m128i encrypt(__m128i x) const {
    x = _mm_xor_si128(x, keys[0]);
    for (int r = 1; r < n_rounds; ++r) x = _mm_aesenc_si128(x, keys[r]);
    return _mm_aesenclast_si128(x, keys[n_rounds]);
  }

  SPINODAL_INLINE Block block(const Counter& c) const {
    __m128i x;
    std::memcpy(&x, &c, 16);
    x = encrypt(x);
    Block out;
    std::memcpy(&out, &x, 16);
    return out;
  }

  SPINODAL_INLINE Bytes pair(const Counter& c, std::uint32_t v) const {
    __m128i base;
    std::memcpy(&base, &c, 16);
    const __m128i even = _mm_add_epi32(base, _mm_cvtsi32_si128(static_cast<int>(2 * v)));
    const __m128i odd = _mm_add_epi32(even, _mm_cvtsi32_si128(1));
#if defined(__VAES__)
    __m256i x = _mm256_xor_si256(_mm256_set_m128i(odd, even), _mm256_broadcastsi128_si256(keys[0]));
    for (int r = 1; r < n_rounds; ++r) x = _mm256_aesenc_epi128(x, _mm256_broadcastsi128_si256(keys[r]));
    return {_mm256_aesenclast_epi128(x, _mm256_broadcastsi128_si256(keys[n_rounds]))};
#else
    return {_mm256_set_m128i(encrypt(odd), encrypt(even))};
#endif
  }
#else
  Block keys[n_rounds + 1];

  explicit Ars(std::uint64_t seed) {
    for (std::uint64_t r = 0; r <= n_rounds; ++r) keys[r] = {seed + r * ars_weyl_lo, r * ars_weyl_hi};
  }

  Block block(const Counter& c) const {
    Block x;
    std::memcpy(&x, &c, 16);
    x = {x.lo ^ keys[0].lo, x.hi ^ keys[0].hi};
    for (int r = 1; r < n_rounds; ++r) x = aes_round(x, keys[r]);
    return aes_last_round(x, keys[n_rounds]);
  }

  SPINODAL_INLINE Bytes pair(const Counter& c, std::uint32_t v) const {
    return Bytes::from_blocks(block({c.c0 + 2 * v, c.c1, c.c2, c.c3}), block({c.c0 + 2 * v + 1, c.c1, c.c2, c.c3}));
  }
#endif
};

struct Philox10 {
  std::uint32_t key0, key1;

  explicit Philox10(std::uint64_t seed)
      : key0(static_cast<std::uint32_t>(seed)), key1(static_cast<std::uint32_t>(seed >> 32)) {}

  SPINODAL_INLINE Block block(Counter c) const {
    std::uint32_t k0 = key0, k1 = key1;
    for (int round = 0; round < 10; ++round) {
      const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c.c0, p1 = std::uint64_t{0xCD9E8D57u} * c.c2;
      c = {static_cast<std::uint32_t>(p1 >> 32) ^ c.c1 ^ k0, static_cast<std::uint32_t>(p1),
           static_cast<std::uint32_t>(p0 >> 32) ^ c.c3 ^ k1, static_cast<std::uint32_t>(p0)};
      k0 += 0x9E3779B9u;
      k1 += 0xBB67AE85u;
    }
    Block out;
    std::memcpy(&out, &c, 16);
    return out;
  }

  SPINODAL_INLINE Bytes pair(const Counter& c, std::uint32_t v) const {
    return Bytes::from_blocks(block({c.c0 + 2 * v, c.c1, c.c2, c.c3}), block({c.c0 + 2 * v + 1, c.c1, c.c2, c.c3}));
  }
};

/// Call f(generator) with the named stream's generator: one switch a call, none in the loops.
template <class F>
SPINODAL_INLINE void with_stream(Stream stream, std::uint64_t seed, F&& f) {
  switch (stream) {
    case Stream::ars7: return f(Ars<7>(seed));
    case Stream::ars5: return f(Ars<5>(seed));
    case Stream::philox10: return f(Philox10(seed));
  }
}

SPINODAL_KERNELS_END
