// SPDX-License-Identifier: BSD-3-Clause
// Cluster updates: the same bits for every instruction set, number of threads and cut into calls,
// whether or not cluster sizes are asked for; on rows about a word long and lattices beyond a cache.
#include <cstdint>
#include <string>
#include <vector>

#include "check.hpp"
#include "spinodal/cluster.hpp"
#include "spinodal/isa.hpp"

namespace {

using namespace spinodal;
using Spins = std::vector<std::int8_t>;
using Counts = std::vector<std::int64_t>;

const LatticeShape shapes[] = {{1, 2, 2, true},   {1, 3, 5, true},   {1, 2, 63, true},    {1, 3, 64, true},
                               {1, 2, 65, true},  {1, 5, 129, true}, {2, 2, 2, false},    {3, 4, 5, false},
                               {2, 3, 66, false}, {1, 90, 91, true}, {1, 520, 514, true}, {40, 40, 40, false}};
const Coupling couplings[] = {{1.0, 0.0}, {-1.0, 0.0}, {1.0, 0.02}, {-1.0, -0.1}};

std::string name(LatticeShape shape, Coupling coupling) {
  return std::to_string(shape.lz) + "x" + std::to_string(shape.ly) + "x" + std::to_string(shape.lx) +
         " J=" + std::to_string(coupling.J) + " h=" + std::to_string(coupling.h);
}

SweepOptions options(std::int64_t n, std::int64_t first, int n_threads) {
  SweepOptions result;
  result.n_sweeps = n;
  result.seed = 12345;
  result.sweep = static_cast<std::uint64_t>(first);
  result.n_threads = n_threads;
  return result;
}

struct Run {
  Spins spins;
  Counts wolff, sizes, clusters;

  bool operator==(const Run& other) const {
    return spins == other.spins && wolff == other.wolff && clusters == other.clusters &&
           (sizes.empty() || other.sizes.empty() || sizes == other.sizes);
  }
};

void add(Counts& total, const Counts& part) {
  for (std::size_t c = 0; c < total.size(); ++c) total[c] += part[c];
}

/// Six Wolff steps and three sweeps of every chain.
Run updated(LatticeShape shape, Coupling coupling, int n_threads, bool whole_clusters) {
  const std::int64_t n_chains = shape.n_sites() > 10000 ? 2 : 3;
  const auto size = static_cast<std::size_t>(n_chains);
  const std::vector<double> beta(size, shape.two_dimensional ? 0.45 : 0.23);
  Run run{Spins(static_cast<std::size_t>(n_chains * shape.n_sites()), 1), Counts(size), Counts(size), Counts(size)};
  random_spins(run.spins.data(), n_chains - 1, shape.n_sites(), 7, 0, Stream::ars7, 1);
  Counts part(size), sizes(size);
  const auto update = [&](std::int64_t first, std::int64_t n) {
    wolff_step(run.spins.data(), n_chains, shape, beta.data(), coupling, options(2 * n, 2 * first, n_threads),
               part.data(), whole_clusters ? sizes.data() : nullptr);
    add(run.wolff, part);
    add(run.sizes, sizes);
    swendsen_wang_sweep(run.spins.data(), n_chains, shape, beta.data(), coupling, options(n, first, n_threads),
                        part.data());
    add(run.clusters, part);
  };
  for (std::int64_t t = 0; t < 3; ++t) update(t, 1);  // alternately, so that both see every kind of state
  if (!whole_clusters) run.sizes.clear();
  return run;
}

void test_same_bits_everywhere() {
  for (const LatticeShape& shape : shapes) {
    for (const Coupling& coupling : couplings) {
      select_isa("baseline");
      const Run expected = updated(shape, coupling, 1, true);
      for (const std::string& isa : available_isas()) {
        select_isa(isa);
        for (const int n_threads : {1, 2}) {
          CHECK_FOR(updated(shape, coupling, n_threads, true) == expected, name(shape, coupling) + " on " + isa);
        }
        CHECK_FOR(updated(shape, coupling, 1, false) == expected, name(shape, coupling) + " flips alone, " + isa);
      }
    }
  }
}

/// n steps in one call are n calls of one.
void test_cuts() {
  const LatticeShape shape{1, 9, 70, true};
  const double beta[2] = {0.4, 0.5};
  for (const Coupling& coupling : couplings) {
    Spins whole(2 * 630, 1), parts = whole;
    Counts counts(2);
    wolff_step(whole.data(), 2, shape, beta, coupling, options(8, 0, 1), counts.data(), nullptr);
    swendsen_wang_sweep(whole.data(), 2, shape, beta, coupling, options(8, 0, 1), counts.data());
    for (std::int64_t t = 0; t < 8; ++t) {
      wolff_step(parts.data(), 2, shape, beta, coupling, options(1, t, 1), counts.data(), nullptr);
    }
    for (std::int64_t t = 0; t < 8; ++t) {
      swendsen_wang_sweep(parts.data(), 2, shape, beta, coupling, options(1, t, 1), counts.data());
    }
    CHECK_FOR(whole == parts, name(shape, coupling));
  }
}

void test_refusals() {
  const auto sweep = [](LatticeShape lattice, double beta, Coupling coupling, SweepOptions o, std::int8_t first) {
    Spins spins(16, 1);
    spins[0] = first;
    std::int64_t n_clusters = 0;
    swendsen_wang_sweep(spins.data(), 1, lattice, &beta, coupling, o, &n_clusters);
  };
  const LatticeShape shape{1, 4, 4, true};
  CHECK_REFUSES(sweep({1, 16, 1, true}, 1, {1, 0}, options(1, 0, 1), 1), "1");
  CHECK_REFUSES(sweep({1, 2048, 1 << 20, true}, 1, {1, 0}, options(1, 0, 1), 1), "2147483647");
  CHECK_REFUSES(sweep(shape, -1, {1, 0}, options(1, 0, 1), 1), "-1");
  CHECK_REFUSES(sweep(shape, 1, {1, 0}, options(1, 0, 1), 0), "flat index 0 holds 0");
  CHECK_REFUSES(sweep(shape, 1, {1, 0}, options(1, 0, 0), 1), "n_threads");
}

}  // namespace

int main() {
  test_same_bits_everywhere();
  test_cuts();
  test_refusals();
  return spinodal::testing::summary("cluster updates");
}
