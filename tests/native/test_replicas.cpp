// SPDX-License-Identifier: BSD-3-Clause
// Replica-packed sweeps: the same bits for every instruction set, number of threads, and cut of chains and calls;
// sums by definition; clear refusals.
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "cases.hpp"
#include "check.hpp"
#include "spinodal/isa.hpp"
#include "spinodal/replicas.hpp"

namespace {

using namespace spinodal;
using namespace spinodal::testing;

constexpr int heat_bath_every = 4;

using Sweep = decltype(&metropolis_sweep_replicas);

struct Layout {
  Sweep sweep;
  Coupling coupling;
  bool lanes;
};

const Layout layouts[] = {{metropolis_sweep_replicas, {1.0, 0.0}, false},
                          {metropolis_sweep_replicas, {-0.7, 0.0}, false},
                          {metropolis_sweep_replicas, {1.0, 0.2}, false},
                          {metropolis_sweep_lanes, {1.0, 0.0}, true},
                          {metropolis_sweep_lanes, {-0.7, 0.3}, true}};

const Case replica_cases[] = {
    {{1, 2, 2, true}, 3, 9},    {{1, 4, 66, true}, 300, 9}, {{1, 6, 10, true}, 520, 9}, {{2, 2, 2, false}, 3, 9},
    {{4, 2, 6, false}, 300, 9}, {{1, 5, 7, true}, 300, 9},  {{3, 4, 5, false}, 3, 9},   {{1, 40, 40, true}, 770, 12},
};

std::vector<double> betas(const Case& c, bool lanes) {
  std::vector<double> beta(static_cast<std::size_t>(c.n_chains), 0.44);
  for (std::size_t i = 0; lanes && i < beta.size(); ++i) beta[i] = 0.01 * static_cast<double>(i % 90);
  return beta;
}

Spins swept(const Case& c, const Layout& layout, int n_threads, std::int64_t cut, std::int64_t split) {
  Spins spins = random_start(c);
  const std::vector<double> beta = betas(c, layout.lanes);
  const auto sweep = [&](std::int64_t first, std::int64_t n, std::int64_t chain, std::int64_t n_chains) {
    SweepOptions o = options(n, first, n_threads);
    o.first_chain = static_cast<std::uint32_t>(200 + chain);
    layout.sweep(spins.data() + chain * c.shape.n_sites(), n_chains, c.shape, beta.data() + chain, layout.coupling, o,
                 heat_bath_every, {});
  };
  for (const std::int64_t chain : {std::int64_t{0}, split}) {
    const std::int64_t n_chains = chain == 0 ? split : c.n_chains - split;
    sweep(0, cut, chain, n_chains);
    sweep(cut, c.n_sweeps - cut, chain, n_chains);
  }
  return spins;
}

void check_same_bits(const Case& c, const Layout& layout) {
  select_isa("baseline");
  const Spins expected = swept(c, layout, 1, 0, c.n_chains);
  for (const std::string& isa : available_isas()) {
    select_isa(isa);
    for (const int n_threads : {1, 3})
      CHECK_FOR(swept(c, layout, n_threads, 0, c.n_chains) == expected, c.name() + " on " + isa);
    CHECK_FOR(swept(c, layout, 1, 4, c.n_chains / 2) == expected, c.name() + " in four calls on " + isa);
  }
}

double energy_by_definition(const std::int8_t* spins, LatticeShape shape, Coupling coupling) {
  const auto at = [&](std::int64_t z, std::int64_t y, std::int64_t x) {
    return static_cast<double>(spins[(z % shape.lz * shape.ly + y % shape.ly) * shape.lx + x % shape.lx]);
  };
  double energy = 0;
  for (std::int64_t i = 0; i < shape.n_sites(); ++i) {
    const std::int64_t x = i % shape.lx, y = i / shape.lx % shape.ly, z = i / shape.lx / shape.ly;
    const double depth = shape.two_dimensional ? 0.0 : at(z + 1, y, x);
    energy -= at(z, y, x) * (coupling.J * (at(z, y, x + 1) + at(z, y + 1, x) + depth) + coupling.h);
  }
  return energy;
}

void check_observables(const Case& c, const Layout& layout) {
  Spins spins = random_start(c);
  const auto n = static_cast<std::size_t>(c.n_chains);
  std::vector<double> energy(n);
  std::vector<std::int64_t> magnetization(n);
  layout.sweep(spins.data(), c.n_chains, c.shape, betas(c, layout.lanes).data(), layout.coupling, options(2, 0, 2),
               heat_bath_every, {energy.data(), magnetization.data()});
  for (std::int64_t chain = 0; chain < c.n_chains; ++chain) {
    const std::int8_t* s = spins.data() + chain * c.shape.n_sites();
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < c.shape.n_sites(); ++i) sum += s[i];
    const auto k = static_cast<std::size_t>(chain);
    CHECK_FOR(std::abs(energy[k] - energy_by_definition(s, c.shape, layout.coupling)) < 1e-8, c.name());
    CHECK_FOR(magnetization[k] == sum, c.name());
  }
}

void test_refusals() {
  const LatticeShape shape{1, 4, 4, true};
  const double beta[2] = {0.1, 0.2};
  Spins spins(32, 1);
  const auto sweep = [&](Sweep function, LatticeShape lattice, const SweepOptions& o, std::int64_t every) {
    function(spins.data(), 2, lattice, beta, {1.0, 0.0}, o, every, {});
  };
  const SweepOptions good = options(1, 0, 1);
  CHECK_REFUSES(sweep(metropolis_sweep_replicas, shape, good, 0), "one beta");
  CHECK_REFUSES(sweep(metropolis_sweep_lanes, shape, good, -1), "heat_bath_every");
  CHECK_REFUSES(sweep(metropolis_sweep_lanes, {1, 1, 4, true}, good, 0), "1");
  CHECK_REFUSES(sweep(metropolis_sweep_lanes, shape, options(1, 0, 0), 0), "n_threads");
  SweepOptions apart = good;
  apart.first_chain = 255;
  sweep(metropolis_sweep_replicas, shape, apart, 0);
  spins[3] = 0;
  CHECK_REFUSES(sweep(metropolis_sweep_lanes, shape, good, 0), "flat index 3 holds 0");
}

}  // namespace

int main() {
  for (const Case& c : replica_cases) {
    for (const Layout& layout : layouts) {
      check_same_bits(c, layout);
      check_observables(c, layout);
    }
  }
  test_refusals();
  return spinodal::testing::summary("replicas");
}
