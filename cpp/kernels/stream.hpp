// SPDX-License-Identifier: BSD-3-Clause
// The counter streams of spinodal/stream.hpp, inlined into the kernels that use them.
//
// Each generator offers  block(counter), and a cursor over the blocks of a row:  draw<n>(cursor, out)
// takes the next vector of blocks, two or four, of that row and of the n - 1 rows after it, in lockstep.
#pragma once

#include "kernels/aes.hpp"
#include "kernels/simd.hpp"
#include "spinodal/stream.hpp"

SPINODAL_KERNELS_BEGIN

// Salmon et al. (2011), section 4: the key schedule adds the golden ratio and √3 - 1.
constexpr std::uint64_t ars_weyl_lo = 0x9E3779B97F4A7C15u, ars_weyl_hi = 0xBB67AE8584CAA73Bu;

#if defined(__AVX2__)

/// The cursor of a generator that works on vectors of counters: encrypt(counters, out, n).
template <class Generator>
class RowCursor {
 public:
  using Cursor = __m256i;  // the counters of the next two blocks

  /// The cursor for draws of vectors of this kind.
  template <class Vector = Bytes>
  SPINODAL_INLINE auto cursor(const Counter& c) const {
    __m128i first;
    std::memcpy(&first, &c, 16);
#if defined(__AVX512BW__)
    if constexpr (Vector::lanes == 64) {
      const __m512i blocks = _mm512_set_epi32(0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0);
      return _mm512_add_epi32(_mm512_broadcast_i32x4(first), blocks);
    } else
#endif
      return _mm256_set_m128i(_mm_add_epi32(first, _mm_cvtsi32_si128(1)), first);
  }

  template <int n>
  SPINODAL_INLINE void draw(__m256i& cursor, Bytes* out) const {
    const __m256i two_blocks = _mm256_set_epi32(0, 0, 0, 2, 0, 0, 0, 2);
    const __m256i one_row = _mm256_set_epi32(0, 0, 1, 0, 0, 0, 1, 0);
    __m256i counter[n];
    counter[0] = cursor;
    for (int i = 1; i < n; ++i) counter[i] = _mm256_add_epi32(counter[i - 1], one_row);
    cursor = _mm256_add_epi32(cursor, two_blocks);
    static_cast<const Generator*>(this)->encrypt(counter, out, n);
  }

#if defined(__AVX512BW__)
  template <int n>
  SPINODAL_INLINE void draw(__m512i& cursor, WideBytes* out) const {
    const __m512i four_blocks = _mm512_maskz_set1_epi32(0x1111, 4), one_row = _mm512_maskz_set1_epi32(0x2222, 1);
    __m512i counter[n];
    counter[0] = cursor;
    for (int i = 1; i < n; ++i) counter[i] = _mm512_add_epi32(counter[i - 1], one_row);
    cursor = _mm512_add_epi32(cursor, four_blocks);
    static_cast<const Generator*>(this)->encrypt(counter, out, n);
  }
#endif

 private:
  friend Generator;
  RowCursor() = default;
};

#else

/// The cursor of a generator that makes one block at a time.
template <class Generator>
class RowCursor {
 public:
  using Cursor = Counter;

  template <class Vector = Bytes>
  SPINODAL_INLINE Cursor cursor(const Counter& c) const {
    return c;
  }

  template <int n>
  SPINODAL_INLINE void draw(Cursor& cursor, Bytes* out) const {
    const auto& self = static_cast<const Generator&>(*this);
    for (std::uint32_t i = 0; i < n; ++i) {
      const Block blocks[2] = {self.block({cursor.c0, cursor.c1 + i, cursor.c2, cursor.c3}),
                               self.block({cursor.c0 + 1, cursor.c1 + i, cursor.c2, cursor.c3})};
      std::memcpy(out[i].v, blocks, sizeof blocks);
    }
    cursor.c0 += 2;
  }

 private:
  friend Generator;
  RowCursor() = default;
};

#endif

#if defined(__AES__)

template <int n_rounds>
class Ars : public RowCursor<Ars<n_rounds> > {
 public:
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

 private:
  friend class RowCursor<Ars>;

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

#if defined(__AVX512BW__)
  SPINODAL_INLINE void encrypt(__m512i* x, WideBytes* out, int n) const {
    for (int i = 0; i < n; ++i) x[i] = _mm512_xor_si512(x[i], wide_key(0));
    for (int r = 1; r < n_rounds; ++r) {
      for (int i = 0; i < n; ++i) x[i] = _mm512_aesenc_epi128(x[i], wide_key(r));
    }
    for (int i = 0; i < n; ++i) out[i] = {_mm512_aesenclast_epi128(x[i], wide_key(n_rounds))};
  }
  SPINODAL_INLINE __m512i wide_key(int round) const { return _mm512_broadcast_i64x4(keys_[round]); }
#endif

  __m256i keys_[n_rounds + 1];
};

#else

template <int n_rounds>
class Ars : public RowCursor<Ars<n_rounds> > {
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

/// One round takes (c0, c1, c2, c3) to (hi(p1)^c1^k0, lo(p1), hi(p0)^c3^k1, lo(p0)), with p0 = c0·M0 and p1 = c2·M1.
class Philox10 : public RowCursor<Philox10> {
 public:
  explicit Philox10(std::uint64_t seed)
      : key0_(static_cast<std::uint32_t>(seed)), key1_(static_cast<std::uint32_t>(seed >> 32)) {}

  SPINODAL_INLINE Block block(Counter c) const {
    std::uint32_t k0 = key0_, k1 = key1_;
    for (int round = 0; round < n_rounds; ++round) {
      const std::uint64_t p0 = std::uint64_t{multiplier0} * c.c0, p1 = std::uint64_t{multiplier1} * c.c2;
      c = {static_cast<std::uint32_t>(p1 >> 32) ^ c.c1 ^ k0, static_cast<std::uint32_t>(p1),
           static_cast<std::uint32_t>(p0 >> 32) ^ c.c3 ^ k1, static_cast<std::uint32_t>(p0)};
      k0 += weyl0;
      k1 += weyl1;
    }
    Block out;
    std::memcpy(&out, &c, 16);
    return out;
  }

 private:
  friend class RowCursor<Philox10>;

  static constexpr int n_rounds = 10;
  static constexpr std::uint32_t multiplier0 = 0xD2511F53u, multiplier1 = 0xCD9E8D57u;
  static constexpr std::uint32_t weyl0 = 0x9E3779B9u, weyl1 = 0xBB67AE85u;

#if defined(__AVX2__)
  // A 32-bit multiplication of the even words gives p0 and p1 side by side; reversed, they are where they belong.
  static constexpr int reversed = 0x1b;

  SPINODAL_INLINE void encrypt(__m256i* x, Bytes* out, int n) const {
    const __m256i multiplier = _mm256_set_epi64x(multiplier1, multiplier0, multiplier1, multiplier0);
    const __m256i weyl = _mm256_set_epi64x(weyl1, weyl0, weyl1, weyl0);
    __m256i key = _mm256_set_epi64x(key1_, key0_, key1_, key0_);
    for (int round = 0; round < n_rounds; ++round, key = _mm256_add_epi32(key, weyl)) {
      for (int i = 0; i < n; ++i) {
        const __m256i products = _mm256_shuffle_epi32(_mm256_mul_epu32(x[i], multiplier), reversed);
        x[i] = _mm256_xor_si256(_mm256_xor_si256(products, _mm256_srli_epi64(x[i], 32)), key);
      }
    }
    for (int i = 0; i < n; ++i) out[i] = {x[i]};
  }
#endif

#if defined(__AVX512BW__)
  SPINODAL_INLINE void encrypt(__m512i* x, WideBytes* out, int n) const {
    const __m512i multiplier = _mm512_set4_epi64(multiplier1, multiplier0, multiplier1, multiplier0);
    const __m512i weyl = _mm512_set4_epi64(weyl1, weyl0, weyl1, weyl0);
    __m512i key = _mm512_set4_epi64(key1_, key0_, key1_, key0_);
    for (int round = 0; round < n_rounds; ++round, key = _mm512_add_epi32(key, weyl)) {
      for (int i = 0; i < n; ++i) {
        const __m512i products = _mm512_shuffle_epi32(_mm512_mul_epu32(x[i], multiplier), _MM_PERM_ENUM(reversed));
        x[i] = _mm512_ternarylogic_epi64(products, _mm512_srli_epi64(x[i], 32), key, 0x96);  // a ^ b ^ c
      }
    }
    for (int i = 0; i < n; ++i) out[i] = {x[i]};
  }
#endif

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
