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

#include "kernels/bits512.hpp"
#include "kernels/packed.hpp"
#include "kernels/stream.hpp"

SPINODAL_KERNELS_BEGIN

// Index of the first of a block's words that serve each mask, and each mask's overwrites.
constexpr int x4_words = 0, r8_words = 3 * block_vectors, tie_words = 6 * block_vectors, x8_words = 7 * block_vectors;
constexpr int overwrite_words_each = (max_overwrites + 1) / 4;
constexpr int x4_overwrite_words = 1, r8_overwrite_words = x4_overwrite_words + overwrite_words_each,
              x8_overwrite_words = r8_overwrite_words + overwrite_words_each;

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
    return {
        (n & 0xff) | (place & 0xff) << 8 | place >> 16 << 16 | static_cast<std::uint32_t>(purpose) << 20 | high << 24,
        (place >> 8 & 0xff) | n >> 8 << 8 | low << 16, low >> 16 | chain << 24, chain >> 8};
  }
};

SPINODAL_INLINE Bits ars_key(std::uint64_t seed, std::uint64_t round) {
  return Bits::both_halves(seed + round * ars_weyl_lo, round * ars_weyl_hi);
}

/// Where the cache keeps word i, so that a vector of V::n_parts · 256 bits is one load. A wide vector holds words
/// i and i + 3: the columns (low bytes, high bytes) of two masks' vectors.
template <class V>
constexpr int cache_position(int i) {
  if (i >= x8_words) return x8_words + cache_position<V>(i - x8_words);
  return V::n_parts == 1 || i >= tie_words ? i : i / 6 * 6 + i % 3 * 2 + i % 6 / 3;
}
template <class V>
constexpr int word_at(int position) {
  if (position >= x8_words) return x8_words + word_at<V>(position - x8_words);
  return V::n_parts == 1 || position >= tie_words ? position : position / 6 * 6 + position % 2 * 3 + position % 6 / 2;
}

/// Parts of the work that is done between the rounds of the next words.
constexpr int n_interleaved = 3;

/// Words computed plainly, for any stream. `masks<n>(position, out)` makes n vectors of the words from a position of
/// the cache on, once `finish` has been called; `overwrites(i)` one vector of words i and the next.
template <class V, class Generator>
class PlainWords {
 public:
  PlainWords(std::uint64_t seed, const WordCache&) : generator_(seed) {}

  SPINODAL_INLINE void begin(const PackedPlace& place) { place_ = place; }

  template <int n>
  SPINODAL_INLINE void masks(int position, V* out) const {
    for (int i = 0; i < n; ++i) {
      int words[V::n_parts];
      for (int part = 0; part < V::n_parts; ++part) words[part] = word_at<V>(position + V::n_parts * i + part);
      out[i] = vector(words);
    }
  }
  template <int n, class Work>
  SPINODAL_INLINE void finish(V*, Work&& work) const {
    for (int part = 0; part < n_interleaved; ++part) work(part);
  }

  SPINODAL_INLINE V overwrites(int i) const {
    int words[V::n_parts];
    for (int part = 0; part < V::n_parts; ++part) words[part] = i + part;
    return vector(words);
  }

 private:
  SPINODAL_INLINE V vector(const int* words) const {
    Block halves[2 * V::n_parts];
    for (int half = 0; half < 2 * V::n_parts; ++half) {
      const auto n = static_cast<std::uint32_t>(2 * words[half / 2] + half % 2);
      halves[half] = generator_.block(place_.counter(n));
    }
    return V::load(halves);
  }

  Generator generator_;
  PackedPlace place_{};
};

/// ARS-R by eq. (1).
template <class V, int n_rounds>
class CachedArsWords {
 public:
  CachedArsWords(std::uint64_t, const WordCache& cache) : cache_(cache) {
    for (int r = 0; r <= n_rounds; ++r) keys_[r] = V::load(cache.keys[r]);
  }

  SPINODAL_INLINE void begin(const PackedPlace& place) {
    const Bits counter = Bits::both_halves(place.counter(0));
    base_ = V::repeat((counter ^ keys_[0].first()).aes_round(keys_[1].first()).aes_round(keys_[2].first()));
  }

  /// States after two rounds, for `finish`: rounds in lockstep hide their latency.
  template <int n>
  SPINODAL_INLINE void masks(int position, V* out) const {
    const std::uint8_t* p = cache_.masks + vector_bytes * position;
    for (int i = 0; i < n; ++i) out[i] = V::load(p + vector_bytes * V::n_parts * i) ^ base_;
  }
  /// Meanwhile, part by part, work that does not need the words: in the order it comes in it is issued.
  template <int n, class Work>
  SPINODAL_INLINE void finish(V* words, Work&& work) const {
    int part = 0;
    for (int r = 3; r <= n_rounds; ++r) {
      for (int i = 0; i < n; ++i)
        words[i] = r < n_rounds ? words[i].aes_round(keys_[r]) : words[i].aes_last_round(keys_[r]);
      for (; part < n_interleaved * (r - 2) / (n_rounds - 2); ++part) work(part);
    }
  }

  SPINODAL_INLINE V overwrites(int i) const {
    V x = V::load(cache_.in_order + vector_bytes * i) ^ base_;
    finish<1>(&x, [](int) {});
    return x;
  }

 private:
  const WordCache& cache_;
  V keys_[n_rounds + 1];
  V base_;
};

SPINODAL_KERNELS_END
