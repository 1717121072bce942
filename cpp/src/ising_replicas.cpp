// SPDX-License-Identifier: BSD-3-Clause
// Sweeps of replica-packed chains, group by group.
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <string>

#include "spinodal/replicas.hpp"
#include "src/buffer.hpp"
#include "src/dispatch.hpp"
#include "src/packed_tables.hpp"
#include "src/packed_words.hpp"
#include "src/replica_group.hpp"

namespace spinodal {
namespace {

/// A lattice's memory, kept by each thread between calls.
class ReplicaBuffer {
 public:
  std::uint8_t* bytes(std::int64_t size) {
    if (size > capacity_) {
      memory_ = std::make_unique<Buffer<std::uint8_t>>(size);
      capacity_ = size;
    }
    return memory_->data();
  }

 private:
  std::unique_ptr<Buffer<std::uint8_t>> memory_;
  std::int64_t capacity_ = 0;
};

thread_local ReplicaBuffer buffer_of_thread;

struct ReplicaWork {
  ReplicaChains chains;
  std::int8_t* spins;
  const double* beta;
  const ReplicaObservables& observables;
  bool lanes;

  bool by_alias() const { return !lanes && chains.coupling.h == 0 && chains.shape.two_dimensional && chains.is_even(); }
};

/// The rules of a group, kept by each thread: often the next group has the same temperatures. Lanes without a
/// chain have β = 0.
const LaneRules& lane_rules_of(const ReplicaWork& work, const GroupSlice& slice) {
  struct Cached {
    LatticeShape shape;
    Coupling coupling;
    double beta[replica_lanes];
    LaneRules rules;
  };
  thread_local std::unique_ptr<Cached> cached;
  const LatticeShape shape = work.chains.shape;
  const Coupling coupling = work.chains.coupling;
  double beta[replica_lanes] = {};
  std::copy_n(work.beta + slice.first_chain, slice.n_chains(), beta + slice.lane_begin);
  if (cached != nullptr && cached->shape == shape && cached->coupling == coupling &&
      std::equal(beta, beta + replica_lanes, cached->beta)) {
    return cached->rules;
  }
  if (cached == nullptr) cached = std::make_unique<Cached>();
  cached->shape = shape;
  cached->coupling = coupling;
  std::copy_n(beta, replica_lanes, cached->beta);
  set_lane_rules(shape, coupling, beta, cached->rules);
  return cached->rules;
}

void sweep_by_thresholds(const ReplicaWork& work, const GroupSlice& slice, const ReplicaLattice& lattice) {
  const SweepOptions& options = work.chains.options;
  sweep_lanes(work.chains, slice, lane_rules_of(work, slice), options.sweep, options.n_sweeps, lattice);
}

void sweep_by_alias(const ReplicaWork& work, const GroupSlice& slice, const ReplicaLattice& lattice) {
  const ReplicaChains& chains = work.chains;
  const SweepOptions& options = chains.options;
  const double exponent = work.beta[slice.first_chain] * std::abs(chains.coupling.J);
  const ChainTables& tables = chain_tables(exponent, chains.shape.n_sites() / 2, false);
  const PackedRule* rules[2] = {&tables.metropolis, &tables.heat_bath};
  const ReplicaRun run{options.stream,   options.seed,           options.sweep,
                       options.n_sweeps, chains.heat_bath_every, slice.group};
  kernels().replica_sweeps(lattice, rules, run, packed_words(options.seed));
}

void sweep_group(const ReplicaWork& work, std::int64_t index) {
  const ReplicaChains& chains = work.chains;
  const GroupSlice slice(chains, index);
  const ReplicaLattice lattice = chains.lattice(buffer_of_thread.bytes(chains.lattice_bytes()));
  load_group(chains, slice, work.spins, lattice);
  if (work.by_alias()) {
    sweep_by_alias(work, slice, lattice);
  } else {
    sweep_by_thresholds(work, slice, lattice);
  }
  observe_group(chains, slice, lattice, work.observables);
  store_group(chains, slice, lattice, work.spins);
}

void check_one_temperature(const ReplicaWork& work) {
  for (std::int64_t g = 0; g < work.chains.n_groups(); ++g) {
    const GroupSlice slice(work.chains, g);
    for (std::int64_t c = slice.first_chain + 1; c < slice.first_chain + slice.n_chains(); ++c) {
      if (work.beta[c] == work.beta[c - 1]) continue;
      throw std::invalid_argument("chains of one group of 256 need one beta; chains " + std::to_string(c - 1) +
                                  " and " + std::to_string(c) + " have " + std::to_string(work.beta[c - 1]) + " and " +
                                  std::to_string(work.beta[c]) + " (metropolis_sweep_lanes takes both)");
    }
  }
}

void sweep_replicas(const ReplicaWork& work) {
  check_replicas(work.chains, work.spins, work.beta, work.chains.n_chains);
  if (!work.lanes) check_one_temperature(work);
  const std::int64_t n_groups = work.chains.n_groups();
  const int team = work.chains.team(work.chains.options.n_sweeps);
  if (team == 1) {  // no team: also what a forked child can run
    for (std::int64_t g = 0; g < n_groups; ++g) sweep_group(work, g);
    return;
  }
#pragma omp parallel for schedule(dynamic, 1) num_threads(team)
  for (std::int64_t g = 0; g < n_groups; ++g) sweep_group(work, g);
}

}  // namespace

void metropolis_sweep_replicas(std::int8_t* spins, std::int64_t n_chains, LatticeShape shape, const double* beta,
                               Coupling coupling, const SweepOptions& options, std::int64_t heat_bath_every,
                               const ReplicaObservables& observables) {
  sweep_replicas({{n_chains, shape, coupling, options, heat_bath_every}, spins, beta, observables, false});
}

void metropolis_sweep_lanes(std::int8_t* spins, std::int64_t n_chains, LatticeShape shape, const double* beta,
                            Coupling coupling, const SweepOptions& options, std::int64_t heat_bath_every,
                            const ReplicaObservables& observables) {
  sweep_replicas({{n_chains, shape, coupling, options, heat_bath_every}, spins, beta, observables, true});
}

}  // namespace spinodal
