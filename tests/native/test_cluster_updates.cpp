// SPDX-License-Identifier: BSD-3-Clause
// Wolff and Swendsen-Wang updates: the same bits and counts for every instruction set, number of
// threads and cut into calls, for any sign of J, with and without a field; and clear refusals.
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "cases.hpp"
#include "check.hpp"
#include "spinodal/cluster.hpp"
#include "spinodal/isa.hpp"

namespace {

using namespace spinodal;
using namespace spinodal::testing;

constexpr Coupling couplings[] = {{1.0, 0.0}, {-1.0, 0.0}, {1.0, 0.02}, {-1.0, -0.02}};

struct Outcome {
  Spins spins;
  std::vector<std::int64_t> counts;

  bool operator==(const Outcome& other) const { return spins == other.spins && counts == other.counts; }
};

/// update(spins, beta, first, n, counts) in two calls; counts of both are summed.
template <class Update>
Outcome in_two_calls(const Case& c, std::int64_t cut, Update update) {
  Outcome outcome{random_start(c), std::vector<std::int64_t>(2 * static_cast<std::size_t>(c.n_chains))};
  const std::vector<double> beta(static_cast<std::size_t>(c.n_chains), 0.4);
  for (const auto& [first, n] : {std::pair{std::int64_t{0}, cut}, std::pair{cut, c.n_sweeps - cut}}) {
    std::vector<std::int64_t> counts(outcome.counts.size());
    update(outcome.spins.data(), beta.data(), first, n, counts.data());
    for (std::size_t i = 0; i < counts.size(); ++i) outcome.counts[i] += counts[i];
  }
  return outcome;
}

Outcome wolff(const Case& c, Coupling coupling, int n_threads, std::int64_t cut) {
  return in_two_calls(
      c, cut, [&](std::int8_t* spins, const double* beta, std::int64_t first, std::int64_t n, std::int64_t* counts) {
        wolff_step(spins, c.n_chains, c.shape, beta, coupling, options(n, first, n_threads), counts,
                   counts + c.n_chains);
      });
}

Outcome swendsen_wang(const Case& c, Coupling coupling, int n_threads, std::int64_t cut) {
  return in_two_calls(
      c, cut, [&](std::int8_t* spins, const double* beta, std::int64_t first, std::int64_t n, std::int64_t* counts) {
        swendsen_wang_sweep(spins, c.n_chains, c.shape, beta, coupling, options(n, first, n_threads), counts);
      });
}

void check_same_bits(const Case& c, Coupling coupling, Outcome (*update)(const Case&, Coupling, int, std::int64_t)) {
  select_isa("baseline");
  const Outcome expected = update(c, coupling, 1, 0);
  for (const std::string& isa : available_isas()) {
    select_isa(isa);
    const std::string detail = c.name() + " on " + isa + ", J = " + std::to_string(coupling.J);
    for (const int n_threads : {1, 3}) CHECK_FOR(update(c, coupling, n_threads, 0) == expected, detail);
    CHECK_FOR(update(c, coupling, 1, 4) == expected, detail);
  }
}

void test_same_bits_everywhere() {
  for (const Coupling coupling : couplings) {
    for (const Case& c : even_cases) check_same_bits(c, coupling, wolff);
    for (const Case& c : odd_cases) check_same_bits(c, coupling, wolff);
    for (const Case& c : even_cases) check_same_bits(c, coupling, swendsen_wang);
    for (const Case& c : odd_cases) check_same_bits(c, coupling, swendsen_wang);
  }
  check_same_bits(shared_chains, couplings[0], wolff);
  check_same_bits(shared_chains, couplings[0], swendsen_wang);
}

void test_a_cluster_need_not_be_counted() {
  for (const Coupling coupling : couplings) {
    const Case c = odd_cases[1];
    const Outcome counted = wolff(c, coupling, 1, 0);
    Spins spins = random_start(c);
    std::vector<std::int64_t> flipped(static_cast<std::size_t>(c.n_chains));
    const std::vector<double> beta(flipped.size(), 0.4);
    wolff_step(spins.data(), c.n_chains, c.shape, beta.data(), coupling, options(c.n_sweeps, 0, 1), flipped.data(),
               nullptr);
    CHECK(spins == counted.spins);
    for (std::size_t i = 0; i < flipped.size(); ++i) {
      CHECK(flipped[i] == counted.counts[i]);
      CHECK(counted.counts[i] <= counted.counts[i + flipped.size()]);
    }
  }
}

void test_limits_of_temperature() {
  const Case c{{1, 6, 10, true}, 1, 1};
  Spins spins(60, 1);
  std::int64_t count = 0, size = 0;
  const double hot = 0, cold = 1000;
  swendsen_wang_sweep(spins.data(), 1, c.shape, &cold, {1, 0}, options(1, 0, 1), &count);
  CHECK(count == 1);
  wolff_step(spins.data(), 1, c.shape, &cold, {1, 0}, options(3, 0, 1), &count, &size);
  CHECK(count == 3 * 60 && size == 3 * 60);
  wolff_step(spins.data(), 1, c.shape, &hot, {1, 0}, options(3, 0, 1), &count, &size);
  CHECK(count == 3 && size == 3);
  swendsen_wang_sweep(spins.data(), 1, c.shape, &hot, {1, 0}, options(1, 0, 1), &count);
  CHECK(count == 60);
}

void test_refusals() {
  const auto step = [](LatticeShape shape, double beta, Coupling coupling, SweepOptions o, std::int8_t spin) {
    Spins spins(static_cast<std::size_t>(shape.n_sites()), spin);
    std::int64_t flipped = 0, clusters = 0;
    wolff_step(spins.data(), 1, shape, &beta, coupling, o, &flipped, nullptr);
    swendsen_wang_sweep(spins.data(), 1, shape, &beta, coupling, o, &clusters);
  };
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK_REFUSES(step({1, 3, 1, true}, 1, {1, 0}, options(1, 0, 1), 1), "1");
  CHECK_REFUSES(step({1, 3, 3, true}, -1, {1, 0}, options(1, 0, 1), 1), "-1");
  CHECK_REFUSES(step({1, 3, 3, true}, 1, {infinity, 0}, options(1, 0, 1), 1), "J");
  CHECK_REFUSES(step({1, 3, 3, true}, 1, {1, 0}, options(1, 0, 0), 1), "n_threads");
  CHECK_REFUSES(step({1, 3, 3, true}, 1, {1, 0}, options(1, 0, 1), 2), "flat index 0 holds 2");
}

}  // namespace

int main() {
  test_same_bits_everywhere();
  test_a_cluster_need_not_be_counted();
  test_limits_of_temperature();
  test_refusals();
  return spinodal::testing::summary("cluster updates");
}
