// SPDX-License-Identifier: BSD-3-Clause
/// Parallel tempering: replicas of one lattice that trade the temperatures of a ladder.
///
/// Replica c stays where it is in memory, at the temperature of rung[c] of its ladder c / n_rungs; exchanges
/// permute the rungs. Conventions, and what is thrown, as in spinodal/ising.hpp.
#pragma once

#include <cstdint>
#include <string>

#include "spinodal/ising.hpp"

namespace spinodal {

/// Where the replicas lie between exchanges, and which kernel sweeps them: metropolis_sweep, metropolis_sweep_rows or
/// metropolis_sweep_lanes.
enum class Layout { bytes, rows, lanes };

/// Parse "bytes", "rows" or "lanes"; throws std::invalid_argument that lists the names.
Layout parse_tempering_layout(const std::string& name);

struct TemperingRule {
  const double* ladder;          ///< (n_rungs) inverse temperatures, from the coldest rung to the hottest
  std::int64_t n_rungs;          ///< at least 2; n_chains is a multiple
  std::int64_t swap_every;       ///< sweeps of a round
  std::int64_t heat_bath_every;  ///< as in metropolis_sweep
  Layout layout;
};

/// Each (n_chains).
struct TemperingState {
  std::int64_t* rung;       ///< within each ladder a permutation of 0 … n_rungs - 1
  std::int64_t* direction;  ///< 1 if the replica was last on the coldest rung, -1 on the hottest, 0 on neither
};

/// Each (n_chains), and added to.
struct TemperingTotals {
  std::int64_t* swap_attempts;  ///< of rung c % n_rungs of ladder c / n_rungs with the next hotter one
  std::int64_t* swap_accepts;
  std::int64_t* round_trips;  ///< of replica c: returns to the coldest rung after a visit to the hottest
};

/// options.n_sweeps rounds, the first of index options.sweep, each of swap_every Metropolis sweeps of all replicas and
/// an exchange of neighbouring rungs (r, r + 1), r even in even rounds and odd in odd ones, accepted with
///
///   P = min(1, exp((β_r - β_{r+1}) (E_r - E_{r+1})))                                      (1)
///
/// when the uniform U < P, U the upper 53 bits of the first half of the tempering_swap block of (round, chain of
/// rung r). Hukushima and Nemoto, J. Phys. Soc. Jpn. 65, 1604 (1996).
void parallel_tempering(std::int8_t* spins, const TemperingState& state, std::int64_t n_chains, LatticeShape shape,
                        Coupling coupling, const TemperingRule& rule, const SweepOptions& options,
                        const TemperingTotals& totals);

}  // namespace spinodal
