// SPDX-License-Identifier: BSD-3-Clause
// The counter streams of spinodal/stream.hpp, inlined into the kernels that use them.
//
// Each generator offers  block(counter), and a cursor over the blocks of a row:  draw<n>(cursor, out)
// takes the next two blocks, 32 bytes, of that row and of the n - 1 rows after it, in lockstep.
#pragma once

#include "kernels/aes.hpp"
#include "kernels/simd.hpp"
#include "spinodal/stream.hpp"

SPINODAL_KERNELS_BEGIN

// Salmon et al. (2011), section 4: the key schedule adds the golden ratio and √3 - 1.
constexpr std::uint64_t ars_weyl_lo = 0x9E3779B97F4A7C15u, ars_weyl_hi = 0xBB67AE8584CAA73Bu;

/// The cursor of a generator that makes one block at a time.
template <class Generator>
class BlockCursor {
 public:
  using Cursor = Counter;

  SPINODAL_INLINE Cursor cursor(const Counter& c) const { return c; }

  template <int n>
  SPINODAL_INLINE void draw(Cursor& cursor, Bytes* out) const {
    const auto& self = static_cast<const Generator&>(*this);
    for (std::uint32_t i = 0; i < n; ++i) {
      out[i] = Bytes::from_blocks(self.block({cursor.c0, cursor.c1 + i, cursor.c2, cursor.c3}),
                                  self.block({cursor.c0 + 1, cursor.c1 + i, cursor.c2, cursor.c3}));
    }
    cursor.c0 += 2;
  }

 private:
  friend Generator;
  BlockCursor() = default;
};

#if defined(__AES__)

template <int n_rounds>
class Ars {
 public:
  using Cursor = __m256i;  // the counters of the next two blocks

  explicit Ars(std::uint64_t seed) {
    for (int r = 0; r <= n_rounds; ++r) {
      const std::uint64_t lo = seed + static_cast<std::uint64_t>(r) * ars_weyl_lo;
      const std::uint64_t hi = static_cast<std::uint64_t>(r) * ars_weyl_hi;
      keys_[r] = _mm256_broadcastsi128_si256(_mm_set_epi64x(static_cast<long long>(hi), static_cast<long long>(lo)));
    }
  }

  SPINODAL_INLINE Block block(const Counter& c) const {
    __m128i x;
    std::memcpy(&x, &c, 16);
    x = encrypt(x);
    Block out;
    std::memcpy(&out, &x, 16);
    return out;
  }

  SPINODAL_INLINE Cursor cursor(const Counter& c) const {
    __m128i first;
    std::memcpy(&first, &c, 16);
    return _mm256_set_m128i(_mm_add_epi32(first, _mm_cvtsi32_si128(1)), first);
  }

  template <int n>
  SPINODAL_INLINE void draw(Cursor& cursor, Bytes* out) const {
    const __m256i two_blocks = _mm256_set_epi32(0, 0, 0, 2, 0, 0, 0, 2);
    const __m256i one_row = _mm256_set_epi32(0, 0, 1, 0, 0, 0, 1, 0);
    __m256i counter[n];
    counter[0] = cursor;
    for (int i = 1; i < n; ++i) counter[i] = _mm256_add_epi32(counter[i - 1], one_row);
    cursor = _mm256_add_epi32(cursor, two_blocks);
    encrypt(counter, out, n);
  }

 private:
  SPINODAL_INLINE __m128i encrypt(__m128i x) const {
    x = _mm_xor_si128(x, _mm256_castsi256_si128(keys_[0]));
    for (int r = 1; r < n_rounds; ++r) x = _mm_aesenc_si128(x, _mm256_castsi256_si128(keys_[r]));
    return _mm_aesenclast_si128(x, _mm256_castsi256_si128(keys_[n_rounds]));
  }

#if defined(__VAES__)
  SPINODAL_INLINE void encrypt(__m256i* x, Bytes* out, int n) const {
    for (int i = 0; i < n; ++i) x[i] = _mm256_xor_si256(x[i], keys_[0]);
    for (int r = 1; r < n_rounds; ++r) {
      for (int i = 0; i < n; ++i) x[i] = _mm256_aesenc_epi128(x[i], keys_[r]);
    }
    for (int i = 0; i < n; ++i) out[i] = {_mm256_aesenclast_epi128(x[i], keys_[n_rounds])};
  }
#else
  SPINODAL_INLINE void encrypt(__m256i* x, Bytes* out, int n) const {
    for (int i = 0; i < n; ++i) {
      out[i] = {_mm256_set_m128i(encrypt(_mm256_extracti128_si256(x[i], 1)), encrypt(_mm256_castsi256_si128(x[i])))};
    }
  }
#endif

  __m256i keys_[n_rounds + 1];
};

#else

template <int n_rounds>
class Ars : public BlockCursor<Ars<n_rounds> > {
 public:
  explicit Ars(std::uint64_t seed) {
    for (std::uint64_t r = 0; r <= n_rounds; ++r) keys_[r] = {seed + r * ars_weyl_lo, r * ars_weyl_hi};
  }

  Block block(const Counter& c) const {
    Block x;
    std::memcpy(&x, &c, 16);
    x = {x.lo ^ keys_[0].lo, x.hi ^ keys_[0].hi};
    for (int r = 1; r < n_rounds; ++r) x = aes_round(x, keys_[r]);
    return aes_last_round(x, keys_[n_rounds]);
  }

 private:
  Block keys_[n_rounds + 1];
};

#endif

class Philox10 : public BlockCursor<Philox10> {
 public:
  explicit Philox10(std::uint64_t seed)
      : key0_(static_cast<std::uint32_t>(seed)), key1_(static_cast<std::uint32_t>(seed >> 32)) {}

  SPINODAL_INLINE Block block(Counter c) const {
    std::uint32_t k0 = key0_, k1 = key1_;
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

 private:
  std::uint32_t key0_, key1_;
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
