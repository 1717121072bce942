// SPDX-License-Identifier: BSD-3-Clause
// Molecular dynamics: the same bits for every instruction set, number of threads and cut into calls; and refusals.
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "check.hpp"
#include "spinodal/isa.hpp"
#include "spinodal/molecular_dynamics.hpp"

namespace {

using namespace spinodal;
using namespace spinodal::testing;

using Numbers = std::vector<double>;

struct Case {
  std::int64_t n_systems, n_side;
  Box box;

  std::int64_t n_particles() const { return box.dim == 2 ? n_side * n_side : n_side * n_side * n_side; }
  std::size_t size() const { return static_cast<std::size_t>(n_systems * n_particles() * box.dim); }
};

const Case cases[] = {
    {9, 3, {3, true, {6, 6, 6}}},    {3, 2, {3, false, {1, 1, 1}}},    {2, 7, {3, true, {7.4, 7.5, 7.6}}},
    {1, 18, {2, true, {20, 20, 1}}}, {1, 20, {3, true, {21, 22, 21}}},
};

Numbers lattice(const Case& c) {
  Numbers x;
  for (std::int64_t k = 0; k < c.n_systems * c.n_particles(); ++k) {
    std::int64_t site = k % c.n_particles();
    for (int axis = 0; axis < c.box.dim; ++axis, site /= c.n_side) {
      const double length = c.box.periodic ? c.box.length[axis] : 1.1 * static_cast<double>(c.n_side);
      x.push_back((static_cast<double>(site % c.n_side) + 0.5) * length / static_cast<double>(c.n_side));
    }
  }
  return x;
}

/// Everything after some steps.
Numbers moved(const Case& c, const Motion& base, int n_threads, std::int64_t cut) {
  Numbers x = lattice(c), v(c.size()), listed = x;
  const auto n = static_cast<std::size_t>(c.n_systems);
  const Numbers temperature(n, 4.0);
  Numbers first(n), second(n);
  Motion motion = base;
  motion.n_threads = n_threads;
  maxwell_velocities(v.data(), c.n_systems, c.n_particles(), c.box, temperature.data(), motion);
  const auto run = [&](std::int64_t n_steps, Numbers& kinetic) {
    motion.n_steps = n_steps;
    langevin_steps({x.data(), v.data(), listed.data()}, c.n_systems, c.n_particles(), c.box, {}, temperature.data(),
                   motion, kinetic.data());
    motion.step += static_cast<std::uint64_t>(n_steps);
  };
  run(cut, first);
  run(base.n_steps - cut, second);
  Numbers all = x;
  all.insert(all.end(), v.begin(), v.end());
  for (std::size_t s = 0; s < n; ++s) all.push_back(first[s] + second[s]);
  return all;
}

void test_same_bits_everywhere() {
  Motion motion;
  motion.seed = 5;
  motion.n_steps = 30;
  motion.timestep = 0.006;
  for (const Case& c : cases) {
    select_isa("baseline");
    const Numbers expected = moved(c, motion, 1, 0);
    for (const std::string& isa : available_isas()) {
      select_isa(isa);
      CHECK_FOR(moved(c, motion, 3, 0) == expected, std::to_string(c.n_side) + " on " + isa);
      CHECK_FOR(moved(c, motion, 2, 17) == expected, std::to_string(c.n_side) + " in two calls on " + isa);
    }
  }
}

void test_refusals() {
  const auto with = [&](auto change) {
    Motion motion;
    change(motion);
    moved(cases[0], motion, motion.n_threads, 0);
  };
  CHECK_REFUSES(with([](Motion& m) { m.timestep = 0; }), "timestep");
  CHECK_REFUSES(with([](Motion& m) { m.friction = -1; }), "friction");
  CHECK_REFUSES(with([](Motion& m) { m.mass = std::nan(""); }), "mass");
  CHECK_REFUSES(with([](Motion& m) { m.confinement = 1; }), "confinement");
  CHECK_REFUSES(with([](Motion& m) { m.n_steps = -1; }), "-1");
  CHECK_REFUSES(with([](Motion& m) { m.n_threads = 0; }), "n_threads");
}

}  // namespace

int main() {
  test_same_bits_everywhere();
  test_refusals();
  return spinodal::testing::summary("molecular dynamics");
}
