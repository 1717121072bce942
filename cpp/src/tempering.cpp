// SPDX-License-Identifier: BSD-3-Clause
// Rounds of parallel tempering: exchanges of rungs, around sweeps by src/tempering_replicas.cpp.
#include "spinodal/tempering.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "src/tempering_replicas.hpp"
#include "src/validate.hpp"

namespace spinodal {
namespace {

constexpr std::int64_t up = 1, down = -1;

class Exchange {
 public:
  Exchange(const TemperingState& state, std::int64_t n_chains, const TemperingRule& rule, const SweepOptions& options,
           const TemperingTotals& totals)
      : state_(state),
        n_chains_(n_chains),
        rule_(rule),
        options_(options),
        totals_(totals),
        replica_(static_cast<std::size_t>(n_chains)) {}

  /// Offer every pair of neighbouring rungs of the round's parity an exchange.
  void attempt(std::uint64_t round, const double* energy) {
    for (std::int64_t c = 0; c < n_chains_; ++c) replica_[index(first_of(c) + state_.rung[c])] = c;
    for (std::int64_t first = 0; first < n_chains_; first += rule_.n_rungs) {
      for (std::int64_t rung = static_cast<std::int64_t>(round % 2); rung + 1 < rule_.n_rungs; rung += 2) {
        attempt_pair(round, first + rung, rung, energy);
      }
    }
    for (std::int64_t c = 0; c < n_chains_; ++c) note_direction(c);
  }

 private:
  static std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }
  std::int64_t first_of(std::int64_t chain) const { return chain / rule_.n_rungs * rule_.n_rungs; }

  void attempt_pair(std::uint64_t round, std::int64_t place, std::int64_t rung, const double* energy) {
    const std::int64_t cold = replica_[index(place)], hot = replica_[index(place + 1)];
    const double log_ratio = (rule_.ladder[rung] - rule_.ladder[rung + 1]) * (energy[cold] - energy[hot]);
    ++totals_.swap_attempts[place];
    if (!(uniform(round, place) < std::exp(std::min(log_ratio, 0.0)))) return;
    ++totals_.swap_accepts[place];
    ++state_.rung[cold];
    --state_.rung[hot];
  }

  double uniform(std::uint64_t round, std::int64_t place) const {
    const Counter counter =
        make_counter(Purpose::tempering_swap, 0, 0, round, options_.first_chain + static_cast<std::uint32_t>(place));
    std::uint32_t words[4];
    stream_blocks(options_.stream, options_.seed, &counter, 1, words);
    const std::uint64_t bits = words[0] | std::uint64_t{words[1]} << 32;
    return std::ldexp(static_cast<double>(bits >> 11), -53);
  }

  void note_direction(std::int64_t chain) {
    std::int64_t& direction = state_.direction[chain];
    if (state_.rung[chain] == 0) {
      totals_.round_trips[chain] += direction == down;
      direction = up;
    } else if (state_.rung[chain] == rule_.n_rungs - 1) {
      direction = down;
    }
  }

  const TemperingState& state_;
  const std::int64_t n_chains_;
  const TemperingRule& rule_;
  const SweepOptions& options_;
  const TemperingTotals& totals_;
  std::vector<std::int64_t> replica_;  // by ladder and rung
};

void check_rungs(const TemperingState& state, std::int64_t n_chains, std::int64_t n_rungs) {
  std::vector<bool> taken(static_cast<std::size_t>(n_rungs));
  for (std::int64_t c = 0; c < n_chains; ++c) {
    if (c % n_rungs == 0) taken.assign(taken.size(), false);
    const std::int64_t rung = state.rung[c];
    if (rung < 0 || rung >= n_rungs || taken[static_cast<std::size_t>(rung)]) {
      throw std::invalid_argument("rung must be a permutation of 0 … " + std::to_string(n_rungs - 1) +
                                  " in every ladder; chain " + std::to_string(c) + " has " + std::to_string(rung));
    }
    taken[static_cast<std::size_t>(rung)] = true;
  }
}

void check_tempering(const TemperingState& state, std::int64_t n_chains, const TemperingRule& rule) {
  if (rule.n_rungs < 2) throw std::invalid_argument("a ladder needs >= 2 rungs; got " + std::to_string(rule.n_rungs));
  if (n_chains % rule.n_rungs != 0) {
    throw std::invalid_argument("n_chains must be a multiple of the " + std::to_string(rule.n_rungs) + " rungs; got " +
                                std::to_string(n_chains));
  }
  if (rule.swap_every < 1) {
    throw std::invalid_argument("swap_every must be >= 1; got " + std::to_string(rule.swap_every));
  }
  check_beta(rule.ladder, rule.n_rungs);
  check_rungs(state, n_chains, rule.n_rungs);
}

}  // namespace

void parallel_tempering(std::int8_t* spins, const TemperingState& state, std::int64_t n_chains, LatticeShape shape,
                        Coupling coupling, const TemperingRule& rule, const SweepOptions& options,
                        const TemperingTotals& totals) {
  check_tempering(state, n_chains, rule);
  Exchange exchange(state, n_chains, rule, options, totals);
  std::vector<double> energy(static_cast<std::size_t>(n_chains));
  const auto replicas = make_replicas({spins, n_chains, shape, coupling, rule, options});
  for (std::int64_t i = 0; i < options.n_sweeps; ++i) {
    const std::uint64_t round = options.sweep + static_cast<std::uint64_t>(i);
    replicas->sweep(state.rung, round * static_cast<std::uint64_t>(rule.swap_every), energy.data());
    exchange.attempt(round, energy.data());
  }
  replicas->store();
}

}  // namespace spinodal
