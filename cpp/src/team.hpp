// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstdint>

namespace spinodal {

/// Threads worth starting for `n_updates` site updates shared among at most `n_parts` threads.
///
/// Waking a thread and meeting it again costs microseconds on a quiet machine and a scheduler's
/// slice on a busy one; a thread's share must be worth that. One thread runs without a team,
/// which is also what a forked child can run.
inline int team_size(int n_threads, std::int64_t n_parts, std::int64_t n_updates) {
  constexpr std::int64_t min_updates_a_thread = 1 << 18;
  const std::int64_t useful = std::min(n_parts, n_updates / min_updates_a_thread);
  return static_cast<int>(std::clamp<std::int64_t>(useful, 1, n_threads));
}

}  // namespace spinodal
