// SPDX-License-Identifier: BSD-3-Clause
// Checkerboard sweeps: the same bits for every instruction set, number of threads and cut into
// calls, on shapes that end in the middle of a vector; and clear refusals.
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "check.hpp"
#include "spinodal/ising.hpp"
#include "spinodal/isa.hpp"

namespace {

using namespace spinodal;
using Spins = std::vector<std::int8_t>;

constexpr Coupling coupling{1.0, 0.1};
constexpr int heat_bath_every = 4;

/// Smallest lattices, rows shorter and longer than a vector by a site, and a lattice worth a team.
const LatticeShape shapes[] = {{1, 2, 2, true},   {1, 2, 62, true},  {1, 6, 64, true},    {1, 4, 66, true},
                               {1, 4, 130, true}, {2, 2, 2, false},  {4, 2, 6, false},    {2, 4, 66, false},
                               {1, 258, 258, true}};

std::string name(LatticeShape shape) {
  return std::to_string(shape.lz) + "x" + std::to_string(shape.ly) + "x" + std::to_string(shape.lx);
}

SweepOptions options(std::int64_t n_sweeps, std::uint64_t first, int n_threads) {
  SweepOptions result;
  result.n_sweeps = n_sweeps;
  result.seed = 12345;
  result.sweep = first;
  result.n_threads = n_threads;
  return result;
}

Spins swept(LatticeShape shape, std::int64_t n_chains, int n_threads, std::int64_t cut = 9) {
  Spins spins(static_cast<std::size_t>(n_chains * shape.n_sites()));
  random_spins(spins.data(), n_chains, shape.n_sites(), 7, 0, Stream::ars7, n_threads);
  const std::vector<double> beta(static_cast<std::size_t>(n_chains), 0.4);
  const auto sweep = [&](std::int64_t first, std::int64_t n) {
    metropolis_sweep(spins.data(), n_chains, shape, beta.data(), coupling,
                     options(n, static_cast<std::uint64_t>(first), n_threads), heat_bath_every);
  };
  sweep(0, cut);
  sweep(cut, 9 - cut);
  return spins;
}

void test_same_bits_everywhere() {
  for (const LatticeShape& shape : shapes) {
    select_isa("baseline");
    const std::int64_t n_chains = shape.n_sites() > 1000 ? 1 : 3;
    const Spins expected = swept(shape, n_chains, 1);
    for (const std::string& isa : available_isas()) {
      select_isa(isa);
      for (const int n_threads : {1, 2, 3}) {
        CHECK_FOR(swept(shape, n_chains, n_threads) == expected, name(shape) + " on " + isa);
      }
      CHECK_FOR(swept(shape, n_chains, 1, 4) == expected, name(shape) + " in two calls on " + isa);
    }
  }
}

double energy_by_definition(const Spins& spins, LatticeShape shape) {
  const auto at = [&](std::int64_t z, std::int64_t y, std::int64_t x) {
    return static_cast<double>(spins[static_cast<std::size_t>((z % shape.lz * shape.ly + y % shape.ly) * shape.lx + x % shape.lx)]);
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

void test_observables() {
  for (const LatticeShape& shape : shapes) {
    const Spins spins = swept(shape, 1, 1);
    double energy = 0, field_sum = 0, spin_sum = 0;
    std::int64_t total = 0;
    ising_energy(spins.data(), 1, shape, coupling, &energy, 2);
    magnetization(spins.data(), 1, shape, &total, 2);
    std::vector<double> field(spins.size());
    local_field(spins.data(), 1, shape, coupling, field.data(), 2);
    for (std::size_t i = 0; i < spins.size(); ++i) {
      spin_sum += spins[i];
      field_sum += spins[i] * (field[i] - coupling.h);
    }
    const double expected = energy_by_definition(spins, shape);
    CHECK_FOR(std::abs(energy - expected) < 1e-9 * static_cast<double>(shape.n_sites()), name(shape));
    CHECK_FOR(static_cast<double>(total) == spin_sum, name(shape));
    CHECK_FOR(std::abs(-0.5 * field_sum - coupling.h * spin_sum - expected) < 1e-6, name(shape));
  }
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
