// SPDX-License-Identifier: BSD-3-Clause
// Parallel tempering: the same rungs and bits for every instruction set, number of threads and cut into calls.
#include <cstdint>
#include <numeric>
#include <vector>

#include "cases.hpp"
#include "check.hpp"
#include "spinodal/isa.hpp"
#include "spinodal/tempering.hpp"

namespace {

using namespace spinodal;
using namespace spinodal::testing;

using Integers = std::vector<std::int64_t>;
constexpr std::int64_t n_rungs = 3, n_chains = 6;
constexpr double ladder[n_rungs] = {0.6, 0.5, 0.4};

struct Replicas {
  Spins spins;
  Integers rung = {0, 1, 2, 2, 0, 1}, direction = Integers(n_chains), totals = Integers(3 * n_chains);

  bool operator==(const Replicas& other) const {
    return spins == other.spins && rung == other.rung && direction == other.direction && totals == other.totals;
  }
};

Replicas tempered(LatticeShape shape, Layout layout, int n_threads, std::int64_t cut) {
  Replicas r{random_start({shape, n_chains, 0})};
  const TemperingTotals totals{r.totals.data(), r.totals.data() + n_chains, r.totals.data() + 2 * n_chains};
  const auto advance = [&](std::int64_t first, std::int64_t n) {
    parallel_tempering(r.spins.data(), {r.rung.data(), r.direction.data()}, n_chains, shape,
                       {1.0, layout == Layout::rows ? 0.0 : 0.1}, {ladder, n_rungs, 2, 4, layout},
                       options(n, first, n_threads), totals);
  };
  advance(0, cut);
  advance(cut, 20 - cut);
  return r;
}

void check_same_bits(LatticeShape shape, Layout layout) {
  select_isa("baseline");
  const Replicas expected = tempered(shape, layout, 1, 0);
  for (const std::string& isa : available_isas()) {
    select_isa(isa);
    CHECK_FOR(tempered(shape, layout, 2, 7) == expected, isa);
  }
  const std::int64_t accepts =
      std::accumulate(expected.totals.begin() + n_chains, expected.totals.end(), std::int64_t{0});
  CHECK_FOR(accepts > 0, std::to_string(accepts));
}

void test_same_bits_everywhere() {
  for (const LatticeShape shape : {LatticeShape{1, 6, 66, true}, LatticeShape{2, 4, 6, false}}) {
    check_same_bits(shape, Layout::bytes);
    check_same_bits(shape, Layout::lanes);
  }
  check_same_bits({1, 6, 66, true}, Layout::rows);
}

void test_refusals() {
  Replicas r{random_start({{1, 4, 4, true}, n_chains, 0})};
  const auto advance = [&](std::int64_t n, std::int64_t swap_every) {
    parallel_tempering(r.spins.data(), {r.rung.data(), r.direction.data()}, n, {1, 4, 4, true}, {1.0, 0.0},
                       {ladder, n_rungs, swap_every, 16, Layout::bytes}, options(1, 0, 1),
                       {r.totals.data(), r.totals.data() + n_chains, r.totals.data() + 2 * n_chains});
  };
  CHECK_REFUSES(advance(5, 1), "multiple of the 3 rungs; got 5");
  CHECK_REFUSES(advance(n_chains, 0), "swap_every must be >= 1; got 0");
  r.rung[4] = 1;
  CHECK_REFUSES(advance(n_chains, 1), "permutation of 0 … 2 in every ladder; chain 5 has 1");
}

}  // namespace

int main() {
  test_same_bits_everywhere();
  test_refusals();
  return summary("tempering");
}
