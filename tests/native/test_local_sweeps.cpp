// SPDX-License-Identifier: BSD-3-Clause
// Checkerboard sweeps: the same bits for every instruction set, number of threads and cut into
// calls, on shapes that end in the middle of a vector; and clear refusals.
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "cases.hpp"
#include "check.hpp"
#include "spinodal/isa.hpp"
#include "spinodal/ising.hpp"

namespace {

using namespace spinodal;
using namespace spinodal::testing;

constexpr Coupling coupling{1.0, 0.1};
constexpr int heat_bath_every = 4;

Spins swept(const Case& c, int n_threads, std::int64_t cut) {
  Spins spins = random_start(c);
  const std::vector<double> beta(static_cast<std::size_t>(c.n_chains), 0.4);
  const auto sweep = [&](std::int64_t first, std::int64_t n) {
    metropolis_sweep(spins.data(), c.n_chains, c.shape, beta.data(), coupling, options(n, first, n_threads),
                     heat_bath_every);
  };
  sweep(0, cut);
  sweep(cut, c.n_sweeps - cut);
  return spins;
}

void check_same_bits(const Case& c) {
  select_isa("baseline");
  const Spins expected = swept(c, 1, 0);
  for (const std::string& isa : available_isas()) {
    select_isa(isa);
    for (const int n_threads : {1, 2, 3}) CHECK_FOR(swept(c, n_threads, 0) == expected, c.name() + " on " + isa);
    CHECK_FOR(swept(c, 1, 4) == expected, c.name() + " in two calls on " + isa);
  }
}

void test_same_bits_everywhere() {
  for (const Case& c : even_cases) check_same_bits(c);
  check_same_bits(shared_chains);
  check_same_bits(shared_lattice);
  check_same_bits({{10, 40, 40, false}, 4, 18});
}

double energy_by_definition(const std::int8_t* spins, LatticeShape shape) {
  const auto at = [&](std::int64_t z, std::int64_t y, std::int64_t x) {
    return static_cast<double>(spins[(z % shape.lz * shape.ly + y % shape.ly) * shape.lx + x % shape.lx]);
  };
  double energy = 0;
  for (std::int64_t z = 0; z < shape.lz; ++z) {
    for (std::int64_t y = 0; y < shape.ly; ++y) {
      for (std::int64_t x = 0; x < shape.lx; ++x) {
        const double depth = shape.two_dimensional ? 0.0 : at(z + 1, y, x);
        energy -= at(z, y, x) * (coupling.J * (at(z, y, x + 1) + at(z, y + 1, x) + depth) + coupling.h);
      }
    }
  }
  return energy;
}

void check_observables(const Case& c) {
  const Spins spins = random_start(c);
  const std::int64_t n = c.shape.n_sites();
  std::vector<double> energy(static_cast<std::size_t>(c.n_chains)), field(spins.size());
  std::vector<std::int64_t> total(energy.size());
  ising_energy(spins.data(), c.n_chains, c.shape, coupling, energy.data(), 2);
  magnetization(spins.data(), c.n_chains, c.shape, total.data(), 2);
  local_field(spins.data(), c.n_chains, c.shape, coupling, field.data(), 2);
  for (std::int64_t chain = 0; chain < c.n_chains; ++chain) {
    const std::int8_t* s = spins.data() + chain * n;
    double from_field = 0, sum = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      sum += s[i];
      from_field -= 0.5 * s[i] * (field[static_cast<std::size_t>(chain * n + i)] + coupling.h);
    }
    const double expected = energy_by_definition(s, c.shape), tolerance = 1e-9 * static_cast<double>(n);
    const auto k = static_cast<std::size_t>(chain);
    CHECK_FOR(std::abs(energy[k] - expected) < tolerance, c.name());
    CHECK_FOR(std::abs(from_field - expected) < tolerance, c.name());
    CHECK_FOR(static_cast<double>(total[k]) == sum, c.name());
  }
}

void test_observables() {
  for (const Case& c : even_cases) check_observables(c);
  for (const Case& c : odd_cases) check_observables(c);
  check_observables({{1, 402, 402, true}, 4, 0});  // enough work for two threads
}

void test_refusals() {
  const LatticeShape shape{1, 4, 4, true};
  const double infinity = std::numeric_limits<double>::infinity();
  const auto sweep = [&](LatticeShape lattice, double beta, Coupling c, SweepOptions o, int every, std::int8_t first) {
    Spins spins(static_cast<std::size_t>(lattice.n_sites()), 1);
    spins[0] = first;
    metropolis_sweep(spins.data(), 1, lattice, &beta, c, o, every);
  };
  const SweepOptions good = options(1, 0, 1);
  SweepOptions many_chains = good;
  many_chains.first_chain = 0xffffffff;
  CHECK_REFUSES(sweep({1, 4, 5, true}, 1, coupling, good, 0, 1), "5");
  CHECK_REFUSES(sweep({3, 4, 4, false}, 1, coupling, good, 0, 1), "3");
  CHECK_REFUSES(sweep({1, 4, 1, true}, 1, coupling, good, 0, 1), "1");
  CHECK_REFUSES(sweep(shape, -1, coupling, good, 0, 1), "-1");
  CHECK_REFUSES(sweep(shape, infinity, coupling, good, 0, 1), "inf");
  CHECK_REFUSES(sweep(shape, 1, {std::nan(""), 0}, good, 0, 1), "J");
  CHECK_REFUSES(sweep(shape, 1, {1, infinity}, good, 0, 1), "h");
  CHECK_REFUSES(sweep(shape, 1, coupling, good, -1, 1), "heat_bath_every");
  CHECK_REFUSES(sweep(shape, 1, coupling, good, 0, 0), "flat index 0 holds 0");
  CHECK_REFUSES(sweep(shape, 1, coupling, options(1, 0, 0), 0, 1), "n_threads");
  CHECK_REFUSES(sweep(shape, 1, coupling, options(-1, 0, 1), 0, 1), "n_sweeps");
  CHECK_REFUSES(sweep(shape, 1, coupling, options(1, max_sweep, 1), 0, 1), "2^40");
  many_chains.n_threads = 1;
  sweep(shape, 1, coupling, many_chains, 0, 1);  // the last chain there is
}

}  // namespace

int main() {
  test_same_bits_everywhere();
  test_observables();
  test_refusals();
  return spinodal::testing::summary("local sweeps");
}
