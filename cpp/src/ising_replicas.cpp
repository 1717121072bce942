// SPDX-License-Identifier: BSD-3-Clause
// Sweeps of replica-packed chains: groups, probabilities, buffers, and the partition of groups among threads.
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <string>

#include "spinodal/replicas.hpp"
#include "src/buffer.hpp"
#include "src/dispatch.hpp"
#include "src/lane_rules.hpp"
#include "src/packed_tables.hpp"
#include "src/packed_words.hpp"
#include "src/team.hpp"
#include "src/validate.hpp"

namespace spinodal {
namespace {

/// A lattice's memory, kept by each thread between calls.
class ReplicaBuffer {
 public:
  ReplicaLattice lattice(LatticeShape shape) {
    const std::int64_t size = 32 * shape.n_sites();
    if (size > capacity_) {
      memory_ = std::make_unique<Buffer<std::uint8_t>>(size);
      capacity_ = size;
    }
    return {memory_->data(), shape.lz, shape.ly, shape.lx, shape.two_dimensional};
  }

 private:
  std::unique_ptr<Buffer<std::uint8_t>> memory_;
  std::int64_t capacity_ = 0;
};

thread_local ReplicaBuffer buffer_of_thread;

struct ReplicaWork {
  std::int8_t* spins;
  std::int64_t n_chains;
  LatticeShape shape;
  const double* beta;
  Coupling coupling;
  const SweepOptions& options;
  std::int64_t heat_bath_every;
  const ReplicaObservables& observables;
  bool lanes;

  bool is_even() const {
    return shape.lx % 2 == 0 && shape.ly % 2 == 0 && (shape.two_dimensional || shape.lz % 2 == 0);
  }
  bool by_alias() const { return !lanes && coupling.h == 0 && shape.two_dimensional && is_even(); }
  std::uint32_t first_group() const { return options.first_chain / replica_lanes; }
  std::int64_t n_groups() const {
    const std::int64_t last = options.first_chain + n_chains - 1;
    return n_chains == 0 ? 0 : last / replica_lanes - first_group() + 1;
  }
};

/// The chains of a call that stand in one group.
struct GroupSlice {
  std::uint32_t group;
  std::int64_t first_chain;  // of the call
  int lane_begin, lane_end;

  GroupSlice(const ReplicaWork& work, std::int64_t index)
      : group(work.first_group() + static_cast<std::uint32_t>(index)) {
    const std::int64_t first = std::int64_t{group} * replica_lanes, offset = work.options.first_chain;
    lane_begin = static_cast<int>(std::max<std::int64_t>(offset - first, 0));
    lane_end = static_cast<int>(std::min<std::int64_t>(offset + work.n_chains - first, replica_lanes));
    first_chain = first + lane_begin - offset;
  }
  int n_chains() const { return lane_end - lane_begin; }
};

/// The rules of a group, kept by each thread: often the next group has the same temperatures.
const LaneRules& lane_rules_of(const ReplicaWork& work, const GroupSlice& slice) {
  struct Cached {
    LatticeShape shape;
    Coupling coupling;
    double beta[replica_lanes];
    LaneRules rules;
  };
  thread_local std::unique_ptr<Cached> cached;
  double beta[replica_lanes] = {};
  std::copy_n(work.beta + slice.first_chain, slice.n_chains(), beta + slice.lane_begin);
  const LatticeShape a = work.shape;
  if (cached != nullptr) {
    const LatticeShape b = cached->shape;
    const bool same_lattice = a.lz == b.lz && a.ly == b.ly && a.lx == b.lx && a.two_dimensional == b.two_dimensional;
    const bool same_coupling = work.coupling.J == cached->coupling.J && work.coupling.h == cached->coupling.h;
    if (same_lattice && same_coupling && std::equal(beta, beta + replica_lanes, cached->beta)) return cached->rules;
  }
  if (cached == nullptr) cached = std::make_unique<Cached>();
  cached->shape = a;
  cached->coupling = work.coupling;
  std::copy_n(beta, replica_lanes, cached->beta);
  set_lane_rules(work.shape, work.coupling, beta, cached->rules);
  return cached->rules;
}

/// The same of one temperature.
const ChainTables& tables_of(double exponent, int log_vectors) {
  struct Cached {
    double exponent;
    int log_vectors;
    ChainTables tables;
  };
  thread_local std::unique_ptr<Cached> cached;
  if (cached == nullptr || cached->exponent != exponent || cached->log_vectors != log_vectors)
    cached = std::make_unique<Cached>(Cached{exponent, log_vectors, ChainTables(exponent, log_vectors)});
  return cached->tables;
}

void sweep_by_thresholds(const ReplicaWork& work, const GroupSlice& slice, const ReplicaLattice& lattice,
                         const ReplicaRun& run) {
  kernels().lane_sweeps(lattice, lane_rules_of(work, slice), run, packed_words(run.seed));
}

void sweep_by_alias(const ReplicaWork& work, const GroupSlice& slice, const ReplicaLattice& lattice,
                    const ReplicaRun& run) {
  int log_vectors = 0;
  while (log_vectors < 5 && std::int64_t{1} << log_vectors < work.shape.n_sites() / 2) ++log_vectors;
  const ChainTables& tables = tables_of(work.beta[slice.first_chain] * std::abs(work.coupling.J), log_vectors);
  const PackedRule* rules[2] = {&tables.metropolis, &tables.heat_bath};
  kernels().replica_sweeps(lattice, rules, run, packed_words(run.seed));
}

void observe(const ReplicaWork& work, const GroupSlice& slice, const ReplicaLattice& lattice) {
  const ReplicaObservables& out = work.observables;
  if (out.energy == nullptr && out.magnetization == nullptr) return;
  std::uint32_t up[replica_lanes], unlike[replica_lanes];
  kernels().replica_sums(lattice, up, unlike);
  const std::int64_t n_sites = work.shape.n_sites(), n_bonds = n_sites * (work.shape.two_dimensional ? 2 : 3);
  for (int i = 0; i < slice.n_chains(); ++i) {
    const int lane = slice.lane_begin + i;
    const std::int64_t total = 2 * std::int64_t{up[lane]} - n_sites, bonds = n_bonds - 2 * std::int64_t{unlike[lane]};
    if (out.magnetization != nullptr) out.magnetization[slice.first_chain + i] = total;
    if (out.energy != nullptr) {
      out.energy[slice.first_chain + i] =
          -work.coupling.J * static_cast<double>(bonds) - work.coupling.h * static_cast<double>(total);
    }
  }
}

void sweep_group(const ReplicaWork& work, std::int64_t index) {
  const KernelTable& kernel = kernels();
  const GroupSlice slice(work, index);
  const ReplicaLattice lattice = buffer_of_thread.lattice(work.shape);
  const SweepOptions& options = work.options;
  const ReplicaRun run{options.stream,   options.seed,         options.sweep,
                       options.n_sweeps, work.heat_bath_every, slice.group};
  std::int8_t* spins = work.spins + slice.first_chain * work.shape.n_sites();
  const bool reverse = work.coupling.J < 0 && work.is_even();
  kernel.replica_load(spins, lattice, slice.lane_begin, slice.lane_end);
  if (reverse) kernel.replica_reverse_odd(lattice);
  if (work.by_alias()) {
    sweep_by_alias(work, slice, lattice, run);
  } else {
    sweep_by_thresholds(work, slice, lattice, run);
  }
  if (reverse) kernel.replica_reverse_odd(lattice);
  observe(work, slice, lattice);
  kernel.replica_store(lattice, spins, slice.lane_begin, slice.lane_end);
}

void check_one_temperature(const ReplicaWork& work) {
  for (std::int64_t g = 0; g < work.n_groups(); ++g) {
    const GroupSlice slice(work, g);
    for (std::int64_t c = slice.first_chain + 1; c < slice.first_chain + slice.n_chains(); ++c) {
      if (work.beta[c] == work.beta[c - 1]) continue;
      throw std::invalid_argument("chains of one group of 256 need one beta; chains " + std::to_string(c - 1) +
                                  " and " + std::to_string(c) + " have " + std::to_string(work.beta[c - 1]) + " and " +
                                  std::to_string(work.beta[c]) + " (metropolis_sweep_lanes takes both)");
    }
  }
}

void check_replicas(const ReplicaWork& work) {
  check_shape(work.shape);
  check_beta(work.beta, work.n_chains);
  check_coupling(work.coupling);
  check_options(work.options, work.n_chains);
  check_spins(work.spins, work.n_chains * work.shape.n_sites());
  if (work.heat_bath_every < 0) {
    throw std::invalid_argument("heat_bath_every must be >= 0; got " + std::to_string(work.heat_bath_every));
  }
  constexpr std::int64_t max_sites = std::int64_t{1} << 23;  // blocks of 16 vectors are counted by 19 bits
  if (work.shape.n_sites() > max_sites) {
    throw std::invalid_argument("replica-packed chains can have at most 8388608 sites; got " +
                                std::to_string(work.shape.n_sites()));
  }
  if (!work.lanes) check_one_temperature(work);
}

void sweep_replicas(const ReplicaWork& work) {
  check_replicas(work);
  const std::int64_t n_groups = work.n_groups();
  const std::int64_t n_sweeps = std::min<std::int64_t>(work.options.n_sweeps, 1 << 16);
  const int team = team_size(work.options.n_threads, n_groups, n_groups * work.shape.n_sites() * (16 * n_sweeps + 64));
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
  sweep_replicas({spins, n_chains, shape, beta, coupling, options, heat_bath_every, observables, false});
}

void metropolis_sweep_lanes(std::int8_t* spins, std::int64_t n_chains, LatticeShape shape, const double* beta,
                            Coupling coupling, const SweepOptions& options, std::int64_t heat_bath_every,
                            const ReplicaObservables& observables) {
  sweep_replicas({spins, n_chains, shape, beta, coupling, options, heat_bath_every, observables, true});
}

}  // namespace spinodal
