// SPDX-License-Identifier: BSD-3-Clause
// The rows layout in two and three dimensions: the same bits for every instruction set, number of threads and cut into
// calls, in every number of bands; sums of the packed lattice; and clear refusals.
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "cases.hpp"
#include "check.hpp"
#include "spinodal/isa.hpp"
#include "spinodal/packed.hpp"

namespace {

using namespace spinodal;
using namespace spinodal::testing;

// Eight, four, two bands and one; odd numbers of rows in each; rows that end in the middle of a word.
const Case row_cases[] = {
    {{1, 24, 64, true}, 3, 9}, {{1, 2, 66, true}, 3, 9},   {{1, 12, 200, true}, 3, 9},
    {{1, 6, 258, true}, 3, 9}, {{1, 34, 512, true}, 2, 9}, {{1, 10, 1098, true}, 2, 9},
};
// The same of planes: an odd number in each band; rows that end in the middle of a word.
const Case cube_cases[] = {
    {{16, 6, 64, false}, 2, 9}, {{8, 2, 66, false}, 2, 9},  {{4, 6, 128, false}, 2, 9},
    {{2, 4, 250, false}, 2, 9}, {{4, 2, 512, false}, 2, 9}, {{2, 4, 1098, false}, 2, 9},
};
// Work for a team on one lattice.
const Case shared_rows = {{1, 1024, 1026, true}, 1, 5}, shared_planes = {{64, 64, 66, false}, 1, 5};

struct Result {
  Spins spins;
  std::vector<double> energy;
  std::vector<std::int64_t> magnetization;
};

Result swept(const Case& c, double J, int n_threads, std::int64_t cut) {
  const auto n = static_cast<std::size_t>(c.n_chains);
  Result result{random_start(c), std::vector<double>(n), std::vector<std::int64_t>(n)};
  const std::vector<double> beta(n, 0.4);
  const auto sweep = [&](std::int64_t first, std::int64_t n_sweeps) {
    metropolis_sweep_rows(result.spins.data(), c.n_chains, c.shape, beta.data(), J, options(n_sweeps, first, n_threads),
                          4, result.energy.data(), result.magnetization.data());
  };
  sweep(0, cut);
  sweep(cut, c.n_sweeps - cut);
  return result;
}

void check_sums(const Case& c, double J, const Result& result) {
  std::vector<double> energy(result.energy.size());
  std::vector<std::int64_t> total(energy.size());
  ising_energy(result.spins.data(), c.n_chains, c.shape, {J, 0.0}, energy.data(), 1);
  magnetization(result.spins.data(), c.n_chains, c.shape, total.data(), 1);
  CHECK_FOR(energy == result.energy, c.name());
  CHECK_FOR(total == result.magnetization, c.name());
}

void check_same_bits(const Case& c, double J) {
  select_isa("baseline");
  const Result expected = swept(c, J, 1, 0);
  CHECK_FOR(expected.spins != random_start(c), c.name());
  check_sums(c, J, expected);
  for (const std::string& isa : available_isas()) {
    select_isa(isa);
    for (const int n_threads : {1, 2, 3}) {
      const Result result = swept(c, J, n_threads, 0);
      CHECK_FOR(result.spins == expected.spins, c.name() + " on " + isa);
      check_sums(c, J, result);
    }
    CHECK_FOR(swept(c, J, 1, 4).spins == expected.spins, c.name() + " in two calls on " + isa);
  }
}

void test_same_bits_everywhere() {
  for (const Case& c : row_cases) check_same_bits(c, 1.0);
  for (const Case& c : cube_cases) check_same_bits(c, 1.0);
  check_same_bits(row_cases[3], -0.7);
  check_same_bits(cube_cases[1], -0.7);
  check_same_bits(shared_rows, 1.0);
  check_same_bits(shared_planes, 1.0);
}

void check_masks(double exponent, bool heat_bath, bool cubic) {
  const SweepOptions one_sweep = options(1, 0, 1);
  std::vector<std::uint8_t> expected(std::size_t{1024} * 8 * (cubic ? 3 : 2)), masks(expected.size());
  select_isa("baseline");
  packed_masks(exponent, heat_bath, cubic, true, 0, 8, one_sweep, expected.data());
  for (const std::string& isa : available_isas()) {
    select_isa(isa);
    packed_masks(exponent, heat_bath, cubic, true, 0, 8, one_sweep, masks.data());
    CHECK_FOR(masks == expected, isa);
  }
}

void test_masks() {
  for (const double exponent : {0.0, 0.2, 0.4407, 1.0, 50.0}) {
    for (const bool heat_bath : {false, true}) {
      for (const bool cubic : {false, true}) check_masks(exponent, heat_bath, cubic);
    }
  }
}

void test_refusals() {
  const double infinity = std::numeric_limits<double>::infinity();
  const auto sweep = [&](LatticeShape shape, double beta, double J, SweepOptions o, int every, std::int8_t first) {
    Spins spins(static_cast<std::size_t>(shape.n_sites()), 1);
    spins[0] = first;
    metropolis_sweep_rows(spins.data(), 1, shape, &beta, J, o, every);
  };
  const LatticeShape shape{1, 4, 64, true};
  const SweepOptions good = options(1, 0, 1);
  CHECK_REFUSES(sweep({1, 4, 65, true}, 1, 1, good, 0, 1), "65");
  CHECK_REFUSES(sweep({1, 4, 62, true}, 1, 1, good, 0, 1), "4 x 62");
  CHECK_REFUSES(sweep({2, 4, 62, false}, 1, 1, good, 0, 1), "2 x 4 x 62");
  CHECK_REFUSES(sweep({3, 4, 64, false}, 1, 1, good, 0, 1), "3");
  CHECK_REFUSES(sweep(shape, -1, 1, good, 0, 1), "-1");
  CHECK_REFUSES(sweep(shape, 1, infinity, good, 0, 1), "J");
  CHECK_REFUSES(sweep(shape, 1, 1, good, -1, 1), "heat_bath_every");
  CHECK_REFUSES(sweep(shape, 1, 1, good, 0, 0), "flat index 0 holds 0");
  CHECK_REFUSES(sweep(shape, 1, 1, options(1, 0, 0), 0, 1), "n_threads");
  CHECK_REFUSES(sweep(shape, 1, 1, options(1, max_sweep, 1), 0, 1), "2^40");
}

}  // namespace

int main() {
  test_same_bits_everywhere();
  test_masks();
  test_refusals();
  return spinodal::testing::summary("rows sweeps");
}
