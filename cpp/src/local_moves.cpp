// SPDX-License-Identifier: BSD-3-Clause
#include "spinodal/local_moves.hpp"

#include <algorithm>
#include <cmath>
#include <exception>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "src/dispatch.hpp"
#include "src/lj_dwellings.hpp"
#include "src/lj_potential.hpp"
#include "src/refuse.hpp"
#include "src/team.hpp"
#include "src/validate.hpp"

namespace spinodal {
namespace {

void check_moves(const LocalMoves& moves, std::int64_t n_systems, const Box& box, const LennardJones& potential,
                 const double* temperature, const double* step) {
  const auto positive = [](double x) { return std::isfinite(x) && x > 0; };
  double shortest = std::numeric_limits<double>::infinity();
  for (int axis = 0; box.periodic && axis < box.dim; ++axis) {
    shortest = std::min(shortest, box.length[axis]);
    if (box.length[axis] >= 2 * potential.cutoff) continue;
    refuse("local moves need a box of at least twice the cutoff; axis ", axis, " is ", box.length[axis],
           " long and the cutoff ", potential.cutoff);
  }
  for (std::int64_t s = 0; s < n_systems; ++s) {
    if (!positive(temperature[s])) refuse("temperature must be finite and > 0; system ", s, " has ", temperature[s]);
    if (!positive(step[s])) refuse("step must be finite and > 0; system ", s, " has ", step[s]);
    if (step[s] <= shortest / 2) continue;
    refuse("step must be at most half the shortest box length, ", shortest / 2, "; system ", s, " has ", step[s]);
  }
  if (!(std::isfinite(moves.confinement) && moves.confinement >= 0) || (box.periodic && moves.confinement != 0)) {
    refuse("confinement must be finite and >= 0, and 0 in a periodic box; got ", moves.confinement);
  }
  SweepOptions counters;
  counters.n_sweeps = moves.n_sweeps;
  counters.sweep = moves.sweep;
  counters.first_chain = moves.first_chain;
  counters.n_threads = moves.n_threads;
  check_options(counters, n_systems);
}

/// One system and its energy.
class Walk {
 public:
  Walk(const Box& box, const LennardJones& potential, const LocalMoves& moves, std::int64_t system, double temperature,
       double step)
      : box_(box), potential_(potential), system_(system) {
    rule_ = {moves.stream,     moves.seed, moves.sweep, moves.first_chain + static_cast<std::uint32_t>(system),
             local_move_block, step,       temperature, moves.confinement};
  }

  void run(double* positions, std::int64_t n, std::int64_t n_sweeps, double& energy, std::int64_t& accepted) {
    static thread_local Dwellings home;
    const LjPotential folded = fold(potential_);
    home.take(positions, n, box_, potential_.cutoff, rule_.step);
    LjWalked walked{energy, 0, {}, {}};
    for (std::int64_t t = 0; t < n_sweeps; ++t, ++rule_.sweep) {
      sweep(home, folded, walked);
      if ((rule_.sweep + 1) % sweeps_to_fresh_energy == 0) {
        home.read(positions);
        walked.energy = checked(walked.energy, positions, n);
      }
    }
    home.read(positions);
    energy = walked.energy;
    accepted = walked.accepted;
  }

 private:
  void sweep(Dwellings& home, const LjPotential& folded, LjWalked& walked) {
    home.settle();
    if (!box_.periodic) home.mean(walked.mean);
    std::fill_n(walked.drift, 3, 0.0);
    for (std::int64_t i = 0; i < home.cells().n;) {
      i = kernels().lj_local_sweep(home.cells(), folded, rule_, i, walked);
      if (i < home.cells().n) home.grow();
    }
    if (box_.periodic) return;
    for (double& drift : walked.drift) drift = -drift;
    home.shift(walked.drift);
  }

  /// The energy of the positions, after a comparison with what has been accumulated.
  double checked(double accumulated, const double* positions, std::int64_t n) const {
    double energy, virial, mean[3] = {};
    lennard_jones(positions, 1, n, box_, potential_, &energy, nullptr, &virial, 1);
    for (std::int64_t k = 0; rule_.confinement != 0 && k < n * box_.dim; ++k) {
      mean[k % box_.dim] += positions[k] / static_cast<double>(n);
    }
    for (std::int64_t k = 0; rule_.confinement != 0 && k < n * box_.dim; ++k) {
      const double d = positions[k] - mean[k % box_.dim];
      energy += 0.5 * rule_.confinement * d * d;
    }
    const double scale = std::abs(energy) + static_cast<double>(n) * (potential_.epsilon + rule_.temperature);
    if (std::abs(energy - accumulated) <= 1e-7 * scale) return energy;
    std::ostringstream message;
    message << "the accumulated energy of system " << system_ << " is " << accumulated << " after sweep " << rule_.sweep
            << ", but that of its positions is " << energy << ": a wrong energy was given";
    throw std::runtime_error(message.str());
  }

  Box box_;
  LennardJones potential_;
  std::int64_t system_;
  LjWalk rule_{};
};

}  // namespace

void local_moves(double* positions, std::int64_t n_systems, std::int64_t n_particles, const Box& box,
                 const LennardJones& potential, const double* temperature, const double* step, const LocalMoves& moves,
                 double* energy, std::int64_t* accepted) {
  check_potential(potential, box);
  check_positions(positions, n_systems, n_particles, box);
  check_moves(moves, n_systems, box, potential, temperature, step);
  const int team = team_size(moves.n_threads, n_systems, 256 * n_systems * n_particles * moves.n_sweeps);
  std::vector<std::exception_ptr> errors(static_cast<std::size_t>(n_systems));  // none may leave a team of threads
#pragma omp parallel for schedule(static) num_threads(team) if (team > 1)
  for (std::int64_t s = 0; s < n_systems; ++s) {
    try {
      Walk walk(box, potential, moves, s, temperature[s], step[s]);
      walk.run(positions + s * n_particles * box.dim, n_particles, moves.n_sweeps, energy[s], accepted[s]);
    } catch (...) {
      errors[static_cast<std::size_t>(s)] = std::current_exception();
    }
  }
  for (const std::exception_ptr& error : errors) {
    if (error != nullptr) std::rethrow_exception(error);
  }
}

}  // namespace spinodal
