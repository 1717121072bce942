// SPDX-License-Identifier: BSD-3-Clause
// Pairs and local moves: the same bits for every instruction set and number of threads; and refusals.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "check.hpp"
#include "spinodal/isa.hpp"
#include "spinodal/local_moves.hpp"
#include "spinodal/neighbors.hpp"

namespace {

using namespace spinodal;
using namespace spinodal::testing;

/// A lattice in a cube, moved by a fixed pattern.
std::vector<double> positions_of(std::int64_t n_side, int dim, double length) {
  std::vector<double> x;
  const std::int64_t n = dim == 2 ? n_side * n_side : n_side * n_side * n_side;
  for (std::int64_t k = 0; k < n; ++k) {
    std::int64_t site = k;
    for (int axis = 0; axis < dim; ++axis, site /= n_side) {
      const double wave = 0.2 * std::sin(1.7 * static_cast<double>(k) + axis);
      x.push_back((static_cast<double>(site % n_side) + 0.5 + wave) * length / static_cast<double>(n_side));
    }
  }
  return x;
}

struct Case {
  std::int64_t n_side;
  double length, cutoff;
  int dim;
  bool periodic;

  Box box() const { return {dim, periodic, {length, length, length}}; }
};

const Case cases[] = {{2, 2.0, 2.5, 3, true},
                      {7, 7.5, 2.5, 3, true},
                      {20, 22, 1.5, 3, true},
                      {20, 22, 2.5, 2, true},
                      {9, 10, 2.5, 3, false}};

struct Pairs {
  std::vector<std::int64_t> i, j, counts;
  std::vector<double> distances, vectors;
  std::vector<std::int32_t> shifts;

  bool operator==(const Pairs& other) const {
    return i == other.i && j == other.j && distances == other.distances && vectors == other.vectors &&
           shifts == other.shifts && counts == other.counts;
  }
};

Pairs found(const Case& c, bool half, int n_threads) {
  const std::vector<double> x = positions_of(c.n_side, c.dim, c.length);
  const auto n_particles = static_cast<std::int64_t>(x.size()) / c.dim;
  const NeighborList list(x.data(), n_particles, c.box(), c.cutoff, half, n_threads);
  const auto n = static_cast<std::size_t>(list.n_pairs()), dim = static_cast<std::size_t>(c.dim);
  Pairs pairs{std::vector<std::int64_t>(n), std::vector<std::int64_t>(n), std::vector<std::int64_t>(30),
              std::vector<double>(n),       std::vector<double>(dim * n), std::vector<std::int32_t>(dim * n)};
  list.write({pairs.i.data(), pairs.j.data(), pairs.distances.data(), pairs.vectors.data(), pairs.shifts.data()},
             n_threads);
  pair_histogram(x.data(), 1, n_particles, c.box(), c.cutoff, 30, pairs.counts.data(), n_threads);
  return pairs;
}

void test_pairs() {
  for (const Case& c : cases) {
    select_isa("baseline");
    const Pairs expected = found(c, true, 1), both = found(c, false, 1);
    std::int64_t counted = 0;
    for (const std::int64_t count : expected.counts) counted += count;
    CHECK_FOR(counted == static_cast<std::int64_t>(expected.i.size()), std::to_string(c.n_side));
    CHECK_FOR(both.i.size() == 2 * expected.i.size(), std::to_string(c.n_side));
    for (const std::string& isa : available_isas()) {
      select_isa(isa);
      for (const int n_threads : {1, 3}) CHECK_FOR(found(c, true, n_threads) == expected, isa);
    }
  }
}

struct Walked {
  std::vector<double> positions, energy;
  std::vector<std::int64_t> accepted;

  bool operator==(const Walked& other) const {
    return positions == other.positions && energy == other.energy && accepted == other.accepted;
  }
};

Walked walked(const Case& c, double step, int n_threads, std::int64_t n_sweeps) {
  std::vector<double> x = positions_of(c.n_side, c.dim, c.length);
  const auto n_particles = static_cast<std::int64_t>(x.size()) / c.dim;
  const std::vector<double> one = x;
  x.insert(x.end(), one.begin(), one.end());
  LennardJones potential;
  potential.cutoff = std::min(c.cutoff, c.length / 2);
  std::vector<double> energy(2), virial(2);
  lennard_jones(x.data(), 2, n_particles, c.box(), potential, energy.data(), nullptr, virial.data(), 1);
  const double temperature[2] = {1.0, 2.0}, steps[2] = {step, 0.7 * step};
  LocalMoves moves;
  moves.n_sweeps = n_sweeps;
  moves.sweep = 254;
  moves.n_threads = n_threads;
  std::vector<std::int64_t> accepted(2);
  local_moves(x.data(), 2, n_particles, c.box(), potential, temperature, steps, moves, energy.data(), accepted.data());
  return {x, energy, accepted};
}

void test_local_moves() {
  for (const Case& c : cases) {
    select_isa("baseline");
    const Walked expected = walked(c, 0.3, 1, 4);
    CHECK_FOR(expected.accepted[0] > 0, std::to_string(c.n_side));
    for (const std::string& isa : available_isas()) {
      select_isa(isa);
      CHECK_FOR(walked(c, 0.3, 2, 4) == expected, isa);
    }
  }
}

void test_refusals() {
  Case c = cases[1];
  c.cutoff = std::numeric_limits<double>::infinity();
  CHECK_REFUSES(found(c, true, 1), "cutoff must be finite and > 0; got inf");
  c.cutoff = 80;
  CHECK_REFUSES(found(c, true, 1), "8 box lengths; got 80");
  CHECK_REFUSES(found(cases[1], true, 0), "n_threads");
  CHECK_REFUSES(walked(cases[1], 4.0, 1, 1), "half the shortest box length, 3.75");
  CHECK_REFUSES(walked(cases[1], -1.0, 1, 1), "step must be finite and > 0");
  std::vector<std::int64_t> counts(1);
  const std::vector<double> x(6, 1.0);
  CHECK_REFUSES(pair_histogram(x.data(), 1, 2, c.box(), 1.0, 0, counts.data(), 1), "between 1 and 65536; got 0");
}

}  // namespace

int main() {
  test_pairs();
  test_local_moves();
  test_refusals();
  return spinodal::testing::summary("Pairs of particles and local moves");
}
