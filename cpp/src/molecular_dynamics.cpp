// SPDX-License-Identifier: BSD-3-Clause
#include "spinodal/molecular_dynamics.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "src/dispatch.hpp"
#include "src/lj_lanes.hpp"
#include "src/lj_list.hpp"
#include "src/lj_potential.hpp"
#include "src/refuse.hpp"
#include "src/team.hpp"
#include "src/validate.hpp"

namespace spinodal {
namespace {

// Of an outer list, rebuilt when it is used up, and of the rows cut from it: about the best for a melt, where it
// matters.
constexpr double outer_skin = 0.7, inner_skin = 0.22;
constexpr double kinetic_limit = 0x1p31;  // of a system: beyond it the grid of 2^-20 ends, and any physics

LjMotion constants(const Motion& motion, int dim) {
  LjMotion m{};
  m.stream = motion.stream;
  m.block = langevin_noise_block;
  m.seed = motion.seed;
  m.step = motion.step;
  m.chain = motion.first_chain;
  m.dim = dim;
  m.kick = motion.timestep / (2 * motion.mass);
  m.drift = motion.timestep / 2;
  m.damping = motion.friction == 0 ? 1 : std::exp(-motion.friction * motion.timestep);
  m.mass = motion.mass;
  m.confinement = motion.confinement;
  return m;
}

/// Of the velocity in O.
double noise_of(const Motion& motion, double temperature) {
  if (motion.friction == 0) return 0;
  return std::sqrt(-std::expm1(-2 * motion.friction * motion.timestep) * temperature / motion.mass);
}

void check_energy(double kinetic, std::int64_t system, std::uint64_t step) {
  if (kinetic < kinetic_limit) return;
  std::ostringstream message;
  message << "the kinetic energy of system " << system << " is " << kinetic << " at step " << step
          << ": particles overlapped at the start, or the timestep is too long";
  throw std::runtime_error(message.str());
}

double rounded(double kinetic) { return std::nearbyint(kinetic * 0x1p20) * 0x1p-20; }

void check_motion(const Motion& motion, std::int64_t n_systems, const Box& box, const double* temperature) {
  const auto positive = [](double x) { return std::isfinite(x) && x > 0; };
  if (!positive(motion.timestep)) refuse("timestep must be finite and > 0; got ", motion.timestep);
  if (!positive(motion.mass)) refuse("mass must be finite and > 0; got ", motion.mass);
  if (!(std::isfinite(motion.friction) && motion.friction >= 0)) {
    refuse("friction must be finite and >= 0; got ", motion.friction);
  }
  if (!(std::isfinite(motion.confinement) && motion.confinement >= 0) || (box.periodic && motion.confinement != 0)) {
    refuse("confinement must be finite and >= 0, and 0 in a periodic box; got ", motion.confinement);
  }
  for (std::int64_t s = 0; motion.friction > 0 && s < n_systems; ++s) {
    if (!positive(temperature[s])) refuse("temperature must be finite and > 0; system ", s, " has ", temperature[s]);
  }
  SweepOptions counters;
  counters.n_sweeps = motion.n_steps;
  counters.sweep = motion.step;
  counters.first_chain = motion.first_chain;
  counters.n_threads = motion.n_threads;
  check_options(counters, n_systems);
}

/// All steps of one large system.
class ListedMotion {
 public:
  ListedMotion(const Box& box, const LennardJones& potential, std::int64_t n, int n_threads)
      : box_(box),
        potential_(fold(potential)),
        precision_(potential.precision),
        n_(n),
        outer_(potential.cutoff + outer_skin * potential.sigma),
        inner_(potential.cutoff + inner_skin * potential.sigma),
        threads_(n_threads) {}

  /// Sum of the kinetic energies.
  double run(double* x, double* v, double* listed, LjMotion motion, double noise, std::int64_t n_steps,
             std::int64_t system) {
    build(listed);
    if (farthest(x, listed) <= outer_limit() * outer_limit()) {
      list_.sorted().scatter(x, halves(), LjCells::half_size, 0);
    } else {  // not where the list is: the first call
      std::copy_n(x, n_ * box_.dim, listed);
      build(listed);
    }
    list_.sorted().scatter(v, velocities_.data(), 12, 0);
    prune();
    list_.evaluate(potential_, false, threads_);
    double total = 0;
    for (std::int64_t t = 0; t <= n_steps; ++t, ++motion.step) {
      const LjMoving moving{velocities_.data(), listed_.data(), pruned_.data(), list_.sorted().particle(), noise};
      const LjMoved moved = list_.move(motion, moving, t > 0, t < n_steps, threads_);
      if (t > 0) {
        check_energy(moved.kinetic_energy, system, motion.step);
        total += rounded(moved.kinetic_energy);
      }
      if (t < n_steps) forces(moved, x, v, listed);
    }
    write(x, v);
    return total;
  }

 private:
  double outer_limit() const { return (outer_ - std::sqrt(potential_.cutoff2)) / 2; }
  double inner_limit() const { return (inner_ - std::sqrt(potential_.cutoff2)) / 2; }

  /// Largest squared distance of a particle from where it was listed.
  double farthest(const double* x, const double* listed) const {
    double most = 0;
    for (std::int64_t i = 0; i < n_; ++i) {
      double sum = 0;
      for (int axis = 0; axis < box_.dim; ++axis) {
        const double d = x[box_.dim * i + axis] - listed[box_.dim * i + axis];
        sum += d * d;
      }
      most = std::max(most, sum);
    }
    return most;
  }

  double* halves() { return list_.sorted().cells().halves; }

  /// Sort and list at given positions, wrapped; positions of the halves are those then.
  void build(double* listed) {
    list_.build(listed, n_, box_, outer_, true, threads_);
    const std::int64_t n_numbers = 24 * list_.sorted().cells().n_clusters;
    std::fill_n(velocities_.room(n_numbers), n_numbers, 0.0);
    copy_positions(listed_.room(n_numbers));
    pruned_.room(n_numbers);
    list_.sorted().gather(halves(), LjCells::half_size, 0, listed);
  }

  void prune() {
    copy_positions(pruned_.data());
    list_.prune(inner_, precision_, threads_);
  }

  void forces(const LjMoved& moved, double* x, double* v, double* listed) {
    if (moved.from_listed > outer_limit() * outer_limit()) {
      write(x, v);
      std::copy_n(x, n_ * box_.dim, listed);
      build(listed);
      list_.sorted().scatter(v, velocities_.data(), 12, 0);
      prune();
    } else if (moved.from_pruned > inner_limit() * inner_limit()) {
      prune();
    }
    list_.evaluate(potential_, false, threads_);
  }

  void write(double* x, double* v) {
    list_.sorted().gather(halves(), LjCells::half_size, 0, x);
    list_.sorted().gather(velocities_.data(), 12, 0, v);
  }

  void copy_positions(double* to) {
    for (std::int64_t h = 0; h < 2 * list_.sorted().cells().n_clusters; ++h) {
      std::copy_n(halves() + h * LjCells::half_size, 12, to + 12 * h);
    }
  }

  Box box_;
  LjPotential potential_;
  Precision precision_;
  std::int64_t n_;
  double outer_, inner_;
  int threads_;
  LjList list_;
  Scratch<double> velocities_, listed_, pruned_;
};

/// All steps of the systems of one vector.
void batch_steps(const PhaseSpace& state, std::int64_t first, std::int64_t n, const LjBatch& batch, const Box& box,
                 const LjPotential& potential, const double* temperature, const Motion& motion, double* kinetic) {
  const std::int64_t n_particles = batch.n_particles;
  LjLanes x(n_particles, box.dim), v(n_particles, box.dim), f(n_particles, box.dim);
  x.read(state.positions, first, n);
  v.read(state.velocities, first, n);
  double noise[16], sums[16];  // more than there are lanes
  for (std::int64_t lane = 0; lane < 16; ++lane) {
    noise[lane] = motion.friction > 0 ? noise_of(motion, temperature[first + std::min(lane, n - 1)]) : 0;
  }
  LjMotion of_vector = constants(motion, box.dim);
  of_vector.chain += static_cast<std::uint32_t>(first);
  kernels().lj_batch_steps(batch, potential, of_vector, motion.n_steps, x.data(), v.data(), f.data(), noise, sums);
  x.write(state.positions, first, n);
  v.write(state.velocities, first, n);
  std::copy_n(sums, n, kinetic + first);
}

bool moves_in_lanes(std::int64_t n_particles, const Box& box, const LennardJones& potential) {
  return !box.periodic || takes_all_pairs(n_particles, box, potential);
}

/// f(first, n) for the vectors of systems, by some threads.
template <class F>
void for_vectors(std::int64_t n_systems, std::int64_t work, int n_threads, F f) {
  const std::int64_t width = kernels().lj_batch_width(), n_vectors = (n_systems + width - 1) / width;
  const int team = team_size(n_threads, n_vectors, work);
#pragma omp parallel for schedule(static) num_threads(team) if (team > 1)
  for (std::int64_t k = 0; k < n_vectors; ++k) f(k * width, std::min(width, n_systems - k * width));
}

}  // namespace

void langevin_steps(const PhaseSpace& state, std::int64_t n_systems, std::int64_t n_particles, const Box& box,
                    const LennardJones& potential, const double* temperature, const Motion& motion,
                    double* kinetic_energy) {
  check_potential(potential, box);
  for (const double* numbers : {state.positions, state.velocities, state.listed}) {
    check_positions(numbers, n_systems, n_particles, box);
  }
  check_motion(motion, n_systems, box, temperature);
  const LjPotential folded = fold(potential);
  if (moves_in_lanes(n_particles, box, potential)) {
    const LjBatch batch = batch_in(box, n_particles);
    const std::int64_t work = 8 * n_systems * n_particles * n_particles * motion.n_steps;
    for_vectors(n_systems, work, motion.n_threads, [&](std::int64_t first, std::int64_t n) {
      batch_steps(state, first, n, batch, box, folded, temperature, motion, kinetic_energy);
    });
    const std::uint64_t last = motion.step + static_cast<std::uint64_t>(motion.n_steps);
    for (std::int64_t s = 0; s < n_systems; ++s) check_energy(kinetic_energy[s], s, last);
    return;
  }
  for (std::int64_t s = 0; s < n_systems; ++s) {
    const std::int64_t offset = s * n_particles * box.dim;
    LjMotion of_system = constants(motion, box.dim);
    of_system.chain += static_cast<std::uint32_t>(s);
    const int team = team_size(motion.n_threads, n_particles, 64 * n_particles);
    ListedMotion listed(box, potential, n_particles, team);
    const double noise = motion.friction > 0 ? noise_of(motion, temperature[s]) : 0;
    kinetic_energy[s] = listed.run(state.positions + offset, state.velocities + offset, state.listed + offset,
                                   of_system, noise, motion.n_steps, s);
  }
}

void maxwell_velocities(double* velocities, std::int64_t n_systems, std::int64_t n_particles, const Box& box,
                        const double* temperature, const Motion& motion) {
  check_motion(motion, n_systems, box, temperature);
  const LjBatch batch = batch_in(box, n_particles);
  LjMotion constant = constants(motion, box.dim);
  constant.block = initial_velocities_block;
  constant.damping = 0;
  for_vectors(n_systems, n_systems * n_particles, motion.n_threads, [&](std::int64_t first, std::int64_t n) {
    LjLanes v(n_particles, box.dim);
    double noise[16];
    for (std::int64_t lane = 0; lane < 16; ++lane) {
      noise[lane] = std::sqrt(temperature[first + std::min(lane, n - 1)] / motion.mass);
    }
    LjMotion of_vector = constant;
    of_vector.chain += static_cast<std::uint32_t>(first);
    kernels().lj_batch_velocities(batch, of_vector, v.data(), noise);
    v.write(velocities, first, n);
  });
}

}  // namespace spinodal
