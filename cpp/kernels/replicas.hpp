// SPDX-License-Identifier: BSD-3-Clause
// What host code and the kernels of replica-packed lattices share; spinodal/replicas.hpp defines it all.
#pragma once

#include <cstdint>

#include "kernels/packed.hpp"
#include "spinodal/stream.hpp"

namespace spinodal {

constexpr int replica_lanes = 256;

/// One lattice of each of 256 chains: bit c of vector i is chain c's spin at site i, 1 = up. Sites in C order.
struct ReplicaLattice {
  std::uint8_t* sites;  // n_sites vectors of 32 bytes, aligned to 32 bytes
  std::int64_t lz, ly, lx;
  bool two_dimensional;

  std::int64_t n_sites() const { return lz * ly * lx; }
};

/// Consecutive sweeps of a group of chains.
struct ReplicaRun {
  Stream stream;
  std::uint64_t seed, sweep;
  std::int64_t n_sweeps, heat_bath_every;
  std::uint32_t group;

  bool is_bath(std::uint64_t t) const {
    const auto every = static_cast<std::uint64_t>(heat_bath_every);
    return every != 0 && t % every == every - 1;
  }
};

constexpr int threshold_bits = 8;
constexpr int lane_block_vectors = 16;
constexpr int max_classes = 7;

/// How spins of one color are updated where every lane has probabilities of its own.
///
/// Without a field class j are the sites with j + 1 more (or fewer) up neighbours than half of them, and
/// the masks choose those that end up against their neighbours. With one class n are the sites with n up
/// neighbours, and the masks those that end up up: always in the heat bath; in a Metropolis sweep if they
/// stood in the favoured direction, which is up from `first_up` up neighbours on.
struct LaneRule {
  /// Of class j: c ⊕ (c << 1) by bits, c the cells of 256 of each lane; see LaneMasks.
  alignas(64) std::uint8_t plane[max_classes][threshold_bits + 1][32];
  int n_classes, first_up;
  bool heat_bath, with_field;
  /// Overwritten bits are set where 51 random bits are below this.
  alignas(64) std::uint64_t rest[replica_lanes][max_classes + 1];
};

struct LaneRules {
  LaneRule rule[2][2];  // by heat bath and color
  OverwriteCounts counts;
  unsigned place_mask;  // places of a block, less one
  bool sequential;      // sites one by one instead of color by color
  bool reversed;        // J < 0 in sequential order: a spin sees its neighbours reversed
};

}  // namespace spinodal
