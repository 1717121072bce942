// SPDX-License-Identifier: BSD-3-Clause
// Labels of runs, and the forest of labels known to belong to one cluster.
#pragma once

#include "kernels/bits.hpp"
#include "kernels/simd.hpp"

SPINODAL_KERNELS_BEGIN

/// Union-find over labels, a smaller label above a larger one: a root is its cluster's first label.
///
/// Few labels lie deeper than one below their root, since a row's runs inherit labels and not
/// places in the forest. So a union of two roots, or of a root with itself, is a straight line of
/// code; the rest takes Rem's algorithm. Patwary, Blair, Manne, SEA 2010, LNCS 6049, 411.
class LabelForest {
 public:
  explicit LabelForest(std::uint32_t* parent) : parent_(parent) {}

  /// 1 when a and b belonged to different trees.
  SPINODAL_INLINE std::int64_t unite(std::uint32_t a, std::uint32_t b) {
    const std::uint32_t above_a = parent_[a], above_b = parent_[b];
    const std::uint32_t high = above_a > above_b ? above_a : above_b, low = above_a ^ above_b ^ high;
    const std::uint32_t above_high = parent_[high];
    if (__builtin_expect((high != low) & (above_high != high), 0)) return unite_deep(a, b);
    parent_[high] = high == low ? above_high : low;
    return high != low;
  }

 private:
  __attribute__((noinline)) std::int64_t unite_deep(std::uint32_t a, std::uint32_t b) {
    std::uint32_t above_a = parent_[a], above_b = parent_[b];
    while (above_a != above_b) {
      if (above_a < above_b) {
        const std::uint32_t c = a, above_c = above_a;
        a = b, above_a = above_b;
        b = c, above_b = above_c;
      }
      parent_[a] = above_b;
      if (a == above_a) return 1;
      a = above_a;
      above_a = parent_[a];
    }
    return 0;
  }

  std::uint32_t* const parent_;
};

#if defined(__AVX2__)

/// For each byte, by bit: the rank among the clear bits, or 0x80 + the rank among the set ones.
struct MergeOrder {
  std::uint8_t rank[256][8];
  constexpr MergeOrder() : rank{} {
    for (int mask = 0; mask < 256; ++mask) {
      for (int j = 0, n_set = 0; j < 8; ++j) {
        const bool set = mask >> j & 1;
        rank[mask][j] = static_cast<std::uint8_t>(set ? 0x80 + n_set : j - n_set);
        n_set += set;
      }
    }
  }
};
constexpr MergeOrder merge_order{};

/// Labels of n runs: where is_new has a bit the next unused label, else the next of `found`.
/// Returns the next unused label; writes up to 40 labels too many.
SPINODAL_INLINE std::uint32_t merge_labels(Word is_new, int n, const std::uint32_t* found, std::uint32_t next,
                                           std::uint32_t* label) {
  for (; n > 0; n -= 40) {  // five times eight: one round, nearly always, near the critical point
    for (int k = 0; k < 5; ++k, label += 8, is_new >>= 8) {
      const std::uint8_t* rank = merge_order.rank[is_new & 0xff];
      const __m256i order = _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(rank)));
      const __m256i old =
          _mm256_permutevar8x32_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(found)), order);
      const __m256i fresh =
          _mm256_add_epi32(_mm256_and_si256(order, _mm256_set1_epi32(7)), _mm256_set1_epi32(static_cast<int>(next)));
      const __m256 both =
          _mm256_blendv_ps(_mm256_castsi256_ps(old), _mm256_castsi256_ps(fresh), _mm256_castsi256_ps(order));
      _mm256_storeu_ps(reinterpret_cast<float*>(label), both);
      const int n_new = __builtin_popcount(is_new & 0xff);
      next += static_cast<std::uint32_t>(n_new);
      found += 8 - n_new;
    }
  }
  return next;
}

#else

SPINODAL_INLINE std::uint32_t merge_labels(Word is_new, int n, const std::uint32_t* found, std::uint32_t next,
                                           std::uint32_t* label) {
  for (int k = 0; k < n; ++k, is_new >>= 1) {
    // NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign): the caller has filled `found`
    *label++ = is_new & 1 ? next++ : *found++;
  }
  return next;
}

#endif

SPINODAL_KERNELS_END
