// SPDX-License-Identifier: BSD-3-Clause
// Groups of 256 replica-packed chains: what sweeps of one call and rounds of tempering share.
#pragma once

#include <cstdint>

#include "kernels/replicas.hpp"
#include "spinodal/replicas.hpp"
#include "src/lane_rules.hpp"

namespace spinodal {

/// Chains of one lattice, and how they are swept.
struct ReplicaChains {
  std::int64_t n_chains;
  LatticeShape shape;
  Coupling coupling;
  const SweepOptions& options;
  std::int64_t heat_bath_every;

  bool is_even() const { return has_even_lengths(shape); }
  std::uint32_t first_group() const { return options.first_chain / replica_lanes; }
  std::int64_t n_groups() const;
  /// Threads worth starting for n_sweeps of every group.
  int team(std::int64_t n_sweeps) const;
  ReplicaLattice lattice(std::uint8_t* memory) const {
    return {memory, shape.lz, shape.ly, shape.lx, shape.two_dimensional};
  }
  std::int64_t lattice_bytes() const { return 32 * shape.n_sites(); }
};

/// The chains of a call that stand in its index-th group.
struct GroupSlice {
  std::uint32_t group;
  std::int64_t first_chain;  // of the call
  int lane_begin, lane_end;

  GroupSlice(const ReplicaChains& chains, std::int64_t index);
  int n_chains() const { return lane_end - lane_begin; }
};

/// Spins ±1 of the call's chains to a group's lattice and back; J < 0 is J > 0 with color 1 reversed.
void load_group(const ReplicaChains& chains, const GroupSlice& slice, const std::int8_t* spins,
                const ReplicaLattice& lattice);
void store_group(const ReplicaChains& chains, const GroupSlice& slice, const ReplicaLattice& lattice,
                 std::int8_t* spins);

/// Sweeps first … first + n - 1 of a loaded group, a temperature a lane.
void sweep_lanes(const ReplicaChains& chains, const GroupSlice& slice, const LaneRules& rules, std::uint64_t first,
                 std::int64_t n, const ReplicaLattice& lattice);

/// Energies and magnetizations of a loaded group's chains, where asked for.
void observe_group(const ReplicaChains& chains, const GroupSlice& slice, const ReplicaLattice& lattice,
                   const ReplicaObservables& out);

void check_replicas(const ReplicaChains& chains, const std::int8_t* spins, const double* beta, std::int64_t n_betas);

}  // namespace spinodal
