// SPDX-License-Identifier: BSD-3-Clause
// Lennard-Jones: the same bits for every instruction set and number of threads, close to a naive sum; and refusals.
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "check.hpp"
#include "spinodal/isa.hpp"
#include "spinodal/lennard_jones.hpp"

namespace {

using namespace spinodal;
using namespace spinodal::testing;

struct Result {
  std::vector<double> energy, forces, virial;

  bool operator==(const Result& other) const {
    return energy == other.energy && forces == other.forces && virial == other.virial;
  }
};

struct Case {
  std::int64_t n_systems, n_side;
  double length;
  int dim;

  std::int64_t n_particles() const { return dim == 2 ? n_side * n_side : n_side * n_side * n_side; }
  Box box(bool periodic) const { return {dim, periodic, {length, length, length}}; }
};

/// A lattice, moved by a fixed pattern.
std::vector<double> positions_of(const Case& c) {
  std::vector<double> x;
  for (std::int64_t k = 0; k < c.n_systems * c.n_particles(); ++k) {
    std::int64_t site = k % c.n_particles();
    for (int axis = 0; axis < c.dim; ++axis, site /= c.n_side) {
      const double wave = 0.15 * std::sin(1.7 * static_cast<double>(k) + axis);
      x.push_back((static_cast<double>(site % c.n_side) + 0.5 + wave) * c.length / static_cast<double>(c.n_side));
    }
  }
  return x;
}

Result computed(const Case& c, bool periodic, const LennardJones& potential, int n_threads) {
  const std::vector<double> x = positions_of(c);
  const auto n = static_cast<std::size_t>(c.n_systems);
  Result result{std::vector<double>(n), std::vector<double>(x.size()), std::vector<double>(n)};
  lennard_jones(x.data(), c.n_systems, c.n_particles(), c.box(periodic), potential, result.energy.data(),
                result.forces.data(), result.virial.data(), n_threads);
  return result;
}

double naive_energy(const Case& c, double cutoff) {
  const std::vector<double> x = positions_of(c);
  double energy = 0;
  const std::int64_t n = c.n_particles();
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < i; ++j) {
      double r2 = 0;
      for (int axis = 0; axis < c.dim; ++axis) {
        double d = x[static_cast<std::size_t>(i * c.dim + axis)] - x[static_cast<std::size_t>(j * c.dim + axis)];
        d -= c.length * std::nearbyint(d / c.length);
        r2 += d * d;
      }
      if (r2 < cutoff * cutoff) energy += 4 * (std::pow(r2, -6) - std::pow(r2, -3));
    }
  }
  return energy;
}

const Case cases[] = {{3, 2, 6, 3}, {9, 4, 5.2, 3}, {1, 7, 7.5, 3}, {2, 6, 3.5, 3}, {1, 20, 22, 3}, {3, 20, 22, 2}};

void test_same_bits_everywhere() {
  for (const Case& c : cases) {
    for (const Precision precision : {Precision::full, Precision::mixed}) {
      LennardJones potential;
      potential.shift = precision == Precision::full ? Shift::force : Shift::truncated;
      potential.precision = precision;
      for (const bool periodic : {true, false}) {
        select_isa("baseline");
        const Result expected = computed(c, periodic, potential, 1);
        for (const std::string& isa : available_isas()) {
          select_isa(isa);
          for (const int n_threads : {1, 2, 3}) {
            CHECK_FOR(computed(c, periodic, potential, n_threads) == expected, std::to_string(c.n_side) + " on " + isa);
          }
        }
      }
    }
  }
}

void test_energies() {
  for (const Case& c : cases) {
    if (c.length < 5) continue;
    const double expected = naive_energy(c, 2.5), energy = computed(c, true, {}, 2).energy[0];
    CHECK_FOR(std::abs(energy - expected) < 1e-10 * std::abs(expected), std::to_string(c.n_side));
  }
}

void test_plans() {
  const Case c{1, 8, 8.5, 3};
  for (const Precision precision : {Precision::full, Precision::mixed}) {
    LennardJones potential;
    potential.precision = precision;
    LennardJonesPlan plan(c.n_particles(), c.box(true), potential);
    std::vector<double> x = positions_of(c), forces(x.size()), expected(x.size());
    double energy[2], virial[2];
    for (int call = 0; call < 4; ++call) {
      plan.compute(x.data(), energy, forces.data(), virial, 2);
      lennard_jones(x.data(), 1, c.n_particles(), c.box(true), potential, energy + 1, expected.data(), virial + 1, 1);
      CHECK(std::abs(energy[0] - energy[1]) < 1e-5 * std::abs(energy[1]));
      CHECK(std::abs(forces[7] - expected[7]) < 1e-3);
      for (std::size_t k = 0; k < x.size(); k += 2) x[k] += 0.15;
    }
    CHECK(plan.n_lists() == 2);
  }
}

void test_refusals() {
  const Case c{1, 2, 6, 3};
  const auto with = [&](auto change) {
    LennardJones potential;
    change(potential);
    computed(c, true, potential, 1);
  };
  CHECK_REFUSES(with([](LennardJones& p) { p.cutoff = 0; }), "cutoff must be > 0; got 0");
  CHECK_REFUSES(with([](LennardJones& p) { p.cutoff = std::numeric_limits<double>::infinity(); }), "finite cutoff");
  CHECK_REFUSES(with([](LennardJones& p) { p.sigma = -1; }), "-1");
  CHECK_REFUSES(with([](LennardJones& p) { p.epsilon = std::nan(""); }), "nan");
  CHECK_REFUSES(computed(c, true, {}, 0), "n_threads");
  CHECK_REFUSES(computed({1, 2, 0, 3}, true, {}, 1), "box lengths");
  const std::vector<double> x(6, 1.0);
  double energy, virial;
  CHECK_REFUSES(lennard_jones(x.data(), 1, 2, c.box(true), {}, &energy, nullptr, &virial, 1), "0 and 1 of system 0");
}

}  // namespace

int main() {
  test_same_bits_everywhere();
  test_energies();
  test_plans();
  test_refusals();
  return spinodal::testing::summary("Lennard-Jones");
}
