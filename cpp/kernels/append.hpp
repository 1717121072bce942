// SPDX-License-Identifier: BSD-3-Clause
// Appending those of eight numbers whose bits are set, without a branch.
#pragma once

#include "kernels/isa.hpp"

SPINODAL_KERNELS_BEGIN

#if defined(__AVX2__) && !defined(__AVX512VL__)
/// For each mask of eight, the lanes that are set, a byte each.
struct LaneTable {
  std::uint64_t lanes[256];

  constexpr LaneTable() : lanes() {
    for (int mask = 0; mask < 256; ++mask) {
      int n = 0;
      for (int lane = 0; lane < 8; ++lane) {
        if (mask >> lane & 1) lanes[mask] |= static_cast<std::uint64_t>(lane) << (8 * n++);
      }
    }
  }
};
constexpr LaneTable lane_table;
#endif

typedef std::uint32_t EightWords __attribute__((vector_size(32)));

/// Write number[l] of the set bits l of a mask below 256, in order; returns how many. Eight are written over.
SPINODAL_INLINE std::int64_t append_set(std::uint32_t* out, const EightWords& number, unsigned mask) {
#if defined(__AVX512VL__)
  const auto all = reinterpret_cast<const __m256i&>(number);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm256_maskz_compress_epi32(static_cast<__mmask8>(mask), all));
  return __builtin_popcount(mask);
#elif defined(__AVX2__)
  const auto all = reinterpret_cast<const __m256i&>(number);
  const __m256i lanes = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(static_cast<long long>(lane_table.lanes[mask])));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm256_permutevar8x32_epi32(all, lanes));
  return __builtin_popcount(mask);
#else
  std::int64_t n = 0;
  std::uint32_t word[8];
  std::memcpy(word, &number, sizeof word);
  for (int l = 0; l < 8; ++l) {
    out[n] = word[l];
    n += mask >> l & 1;
  }
  return n;
#endif
}

SPINODAL_KERNELS_END
