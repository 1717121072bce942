// SPDX-License-Identifier: BSD-3-Clause
// Where the random words of replica-packed updates stand.
#pragma once

#include "kernels/packed_words.hpp"
#include "kernels/replicas.hpp"

SPINODAL_KERNELS_BEGIN

/// The masks of a block draw from counters of their own.
enum class MaskPart : std::uint32_t { x4 = 0, r8 = 1, tie = 2, thresholds = 3 };

SPINODAL_INLINE PackedPlace replica_place(const ReplicaRun& run, std::uint64_t sweep, int color, std::int64_t block,
                                          MaskPart part) {
  return {Purpose::replicas, static_cast<std::uint32_t>(block), color, sweep,
          run.group | static_cast<std::uint32_t>(part) << 24};
}

SPINODAL_INLINE int count_hits(const OverwriteCounts& counts, std::uint64_t u) {
  int n = counts.guide[u >> 56];
  while (u > counts.count_limit[n]) ++n;
  return n;
}

/// Call f(word) for the overwrites of a block: 64-bit quarters of the words from first + 1 on, as many as the
/// low quarter of word `first` says.
template <class Words, class F>
SPINODAL_INLINE void for_each_hit(const Words& words, const OverwriteCounts& counts, int first, F&& f) {
  std::uint64_t quarter[4];
  words.word(first).store(quarter);
  const int n = count_hits(counts, quarter[0]);
  for (int i = 0; i < n; i += 4) {
    words.word(first + 1 + i / 4).store(quarter);
    const int stop = n - i < 4 ? n - i : 4;
    for (int k = 0; k < stop; ++k) f(quarter[k]);
  }
}

/// log2 of the number of vectors that overwrites of a block are spread over: at most the block's.
SPINODAL_INLINE int log_block_vectors(std::int64_t n_vectors, int log_block) {
  int log = 0;
  while (log < log_block && (std::int64_t{1} << log) < n_vectors) ++log;
  return log;
}

SPINODAL_KERNELS_END
