// SPDX-License-Identifier: BSD-3-Clause
// Replicas between exchanges: in the caller's bytes, or packed a temperature a lane for the whole call.
#include "src/tempering_replicas.hpp"

#include <omp.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "spinodal/packed.hpp"
#include "src/buffer.hpp"
#include "src/replica_group.hpp"
#include "src/validate.hpp"

namespace spinodal {
namespace {

/// Swept by kernels that take and leave bytes.
class ByteReplicas : public Replicas {
 public:
  explicit ByteReplicas(const TemperingJob& job)
      : job_(job), options_(job.options), beta_(static_cast<std::size_t>(job.n_chains)) {
    options_.n_sweeps = job.rule.swap_every;
  }

  void sweep(const std::int64_t* rung, std::uint64_t first_sweep, double* energy) override {
    for (std::size_t c = 0; c < beta_.size(); ++c) beta_[c] = job_.rule.ladder[rung[c]];
    options_.sweep = first_sweep;
    const std::int64_t every = job_.rule.heat_bath_every;
    if (job_.rule.layout == Layout::rows) {
      metropolis_sweep_rows(job_.spins, job_.n_chains, job_.shape, beta_.data(), job_.coupling.J, options_, every,
                            energy, nullptr);
      return;
    }
    metropolis_sweep(job_.spins, job_.n_chains, job_.shape, beta_.data(), job_.coupling, options_, every);
    ising_energy(job_.spins, job_.n_chains, job_.shape, job_.coupling, energy, options_.n_threads);
  }

 private:
  const TemperingJob job_;
  SweepOptions options_;
  std::vector<double> beta_;
};

/// Packed from the first round to the last: an exchange moves temperatures among lanes, not spins.
class LaneReplicas : public Replicas {
 public:
  explicit LaneReplicas(const TemperingJob& job)
      : job_(job),
        chains_{job.n_chains, job.shape, job.coupling, job.options, job.rule.heat_bath_every},
        memory_(std::max<std::int64_t>(1, chains_.n_groups() * chains_.lattice_bytes())),
        team_(chains_.team(job.rule.swap_every)),
        rules_(static_cast<std::size_t>(team_)) {
    for (std::int64_t r = 0; r < job.rule.n_rungs; ++r)
      shares_.push_back(lane_shares(job.shape, job.coupling, job.rule.ladder[r]));
    shares_.push_back(lane_shares(job.shape, job.coupling, 0.0));  // of lanes without a chain
    for (LaneRules& rules : rules_) prepare_lane_rules(job.shape, job.coupling, rules);
    for_each_group([&](const GroupSlice& slice, const ReplicaLattice& lattice, LaneRules&) {
      load_group(chains_, slice, job_.spins, lattice);
    });
  }

  void sweep(const std::int64_t* rung, std::uint64_t first_sweep, double* energy) override {
    for_each_group([&](const GroupSlice& slice, const ReplicaLattice& lattice, LaneRules& rules) {
      set_temperatures(slice, rung, first_sweep, rules);
      sweep_lanes(chains_, slice, rules, first_sweep, job_.rule.swap_every, lattice);
      observe_group(chains_, slice, lattice, {energy, nullptr});
    });
  }

  void store() override {
    for_each_group([&](const GroupSlice& slice, const ReplicaLattice& lattice, LaneRules&) {
      store_group(chains_, slice, lattice, job_.spins);
    });
  }

 private:
  template <class F>
  void for_each_group(F f) {
    const auto visit = [&](std::int64_t g, LaneRules& rules) {
      f(GroupSlice(chains_, g), chains_.lattice(memory_.data() + g * chains_.lattice_bytes()), rules);
    };
    const std::int64_t n_groups = chains_.n_groups();
    if (team_ == 1) {  // no team: also what a forked child can run
      for (std::int64_t g = 0; g < n_groups; ++g) visit(g, rules_[0]);
      return;
    }
#pragma omp parallel for schedule(dynamic, 1) num_threads(team_)
    for (std::int64_t g = 0; g < n_groups; ++g) visit(g, rules_[static_cast<std::size_t>(omp_get_thread_num())]);
  }

  void set_temperatures(const GroupSlice& slice, const std::int64_t* rung, std::uint64_t first_sweep,
                        LaneRules& rules) const {
    const LaneShares* of_lane[replica_lanes];
    std::fill_n(of_lane, replica_lanes, &shares_.back());
    for (int i = 0; i < slice.n_chains(); ++i)
      of_lane[slice.lane_begin + i] = &shares_[static_cast<std::size_t>(rung[slice.first_chain + i])];
    const std::int64_t every = job_.rule.heat_bath_every, n = job_.rule.swap_every;
    const bool any_bath =
        every != 0 && static_cast<std::int64_t>(first_sweep % static_cast<std::uint64_t>(every)) + n >= every;
    if (every != 1) set_lanes(of_lane, false, rules);
    if (any_bath) set_lanes(of_lane, true, rules);
  }

  const TemperingJob job_;
  const ReplicaChains chains_;
  Buffer<std::uint8_t> memory_;
  const int team_;
  std::vector<LaneRules> rules_;    // one a thread
  std::vector<LaneShares> shares_;  // one a rung, and one more
};

}  // namespace

Layout parse_tempering_layout(const std::string& name) {
  if (name == "bytes") return Layout::bytes;
  if (name == "rows") return Layout::rows;
  if (name == "lanes") return Layout::lanes;
  throw std::invalid_argument("layout='" + name + "' is unknown here; choose one of: bytes, rows, lanes");
}

void check_replicas(const TemperingJob& job) {
  const TemperingRule& rule = job.rule;
  if (rule.layout == Layout::lanes) {
    const ReplicaChains chains{job.n_chains, job.shape, job.coupling, job.options, rule.heat_bath_every};
    return check_replicas(chains, job.spins, rule.ladder, rule.n_rungs);
  }
  check_shape(job.shape);
  check_even(job.shape);
  check_coupling(job.coupling);
  check_spins(job.spins, job.n_chains * job.shape.n_sites());
  check_heat_bath_every(rule.heat_bath_every);
  if (rule.layout != Layout::rows) return;
  if (!rows_supports(job.shape)) throw std::invalid_argument("the rows layout needs even lengths, the last >= 64");
  if (job.coupling.h != 0) {
    throw std::invalid_argument("the rows layout takes no field; got h = " + std::to_string(job.coupling.h));
  }
}

std::unique_ptr<Replicas> make_replicas(const TemperingJob& job) {
  if (job.rule.layout == Layout::lanes) return std::make_unique<LaneReplicas>(job);
  return std::make_unique<ByteReplicas>(job);
}

}  // namespace spinodal
