// SPDX-License-Identifier: BSD-3-Clause
#include "spinodal/lennard_jones.hpp"

#include <algorithm>
#include <cmath>

#include "src/dispatch.hpp"
#include "src/lj_list.hpp"
#include "src/lj_potential.hpp"
#include "src/team.hpp"
#include "src/validate.hpp"

namespace spinodal {
namespace {

/// All pairs pay while a list costs more than it saves, and need a box in which the nearest image is the only one.
bool takes_all_pairs(std::int64_t n_systems, std::int64_t n_particles, const Box& box, const LennardJones& potential) {
  if (std::isinf(potential.cutoff)) return true;
  for (int axis = 0; box.periodic && axis < box.dim; ++axis) {
    if (box.length[axis] < 2 * potential.cutoff) return false;
  }
  return n_particles <= (n_systems == 1 ? 64 : 160);
}

struct Outputs {
  double *energy, *forces, *virial;

  void set(std::int64_t system, const LjTotals& totals) const {
    energy[system] = totals.energy;
    virial[system] = totals.virial;
  }
};

/// The systems [first, first + n) of one vector; lanes without one repeat the last.
class Lanes {
 public:
  Lanes(std::int64_t n_particles, const Box& box) : n_(n_particles), box_(box), width_(kernels().lj_batch_width()) {
    x_.room(3 * n_ * width_);
    f_.room(3 * n_ * width_);
    std::fill_n(x_.data(), 3 * n_ * width_, 0.0);
  }

  std::int64_t width() const { return width_; }

  void compute(const double* positions, std::int64_t first, std::int64_t n, const LjPotential& potential,
               const Outputs& out) {
    read(positions, first, n);
    const auto length = [&](int axis) { return axis < box_.dim && box_.periodic ? box_.length[axis] : 1.0; };
    const LjBatch batch{n_, {length(0), length(1), length(2)}, box_.periodic};
    double energy[16], virial[16];
    kernels().lj_batch(batch, potential, x_.data(), f_.data(), energy, virial, true);
    for (std::int64_t lane = 0; lane < n; ++lane) out.set(first + lane, {energy[lane], virial[lane]});
    if (out.forces != nullptr) write(out.forces, first, n);
  }

 private:
  void read(const double* positions, std::int64_t first, std::int64_t n) {
    for (std::int64_t lane = 0; lane < width_; ++lane) {
      const double* from = positions + (first + std::min(lane, n - 1)) * n_ * box_.dim;
      for (std::int64_t i = 0; i < n_; ++i) {
        for (int axis = 0; axis < box_.dim; ++axis) {
          x_.data()[(axis * n_ + i) * width_ + lane] = from[i * box_.dim + axis];
        }
      }
    }
  }

  void write(double* forces, std::int64_t first, std::int64_t n) const {
    for (std::int64_t lane = 0; lane < n; ++lane) {
      double* to = forces + (first + lane) * n_ * box_.dim;
      for (std::int64_t i = 0; i < n_; ++i) {
        for (int axis = 0; axis < box_.dim; ++axis) {
          to[i * box_.dim + axis] = f_.data()[(axis * n_ + i) * width_ + lane];
        }
      }
    }
  }

  std::int64_t n_;
  Box box_;
  std::int64_t width_;
  Scratch<double> x_, f_;
};

void all_pairs(const double* positions, std::int64_t n_systems, std::int64_t n_particles, const Box& box,
               const LjPotential& potential, const Outputs& out, int n_threads) {
  const std::int64_t width = kernels().lj_batch_width(), n_vectors = (n_systems + width - 1) / width;
  const int team = team_size(n_threads, n_vectors, 8 * n_systems * n_particles * n_particles);
#pragma omp parallel num_threads(team) if (team > 1)
  {
    Lanes lanes(n_particles, box);
#pragma omp for schedule(static)
    for (std::int64_t v = 0; v < n_vectors; ++v) {
      lanes.compute(positions, v * width, std::min(width, n_systems - v * width), potential, out);
    }
  }
}

thread_local LjList list_of_thread;

void listed(const double* positions, std::int64_t system, std::int64_t n_particles, const Box& box,
            const LjPotential& potential, const Outputs& out, int n_threads) {
  LjList& list = list_of_thread;
  const double reach = std::sqrt(potential.cutoff2);
  const std::int64_t offset = system * n_particles * box.dim;
  list.build(positions + offset, n_particles, box, reach, n_threads);
  list.prune(reach, n_threads);
  out.set(system, list.evaluate(potential, true, n_threads));
  if (out.forces != nullptr) list.sorted().read_forces(out.forces + offset);
}

void by_list(const double* positions, std::int64_t n_systems, std::int64_t n_particles, const Box& box,
             const LjPotential& potential, const Outputs& out, int n_threads) {
  const bool one_each = n_systems >= n_threads;  // systems shared among the threads, or the slabs of each
  const int team = one_each ? team_size(n_threads, n_systems, 64 * n_systems * n_particles) : 1;
  const int inside = one_each ? 1 : team_size(n_threads, n_particles, 64 * n_particles);
#pragma omp parallel for schedule(static) num_threads(team) if (team > 1)
  for (std::int64_t s = 0; s < n_systems; ++s) listed(positions, s, n_particles, box, potential, out, inside);
}

}  // namespace

void lennard_jones(const double* positions, std::int64_t n_systems, std::int64_t n_particles, const Box& box,
                   const LennardJones& potential, double* energy, double* forces, double* virial, int n_threads) {
  check_potential(potential, box);
  check_positions(positions, n_systems, n_particles, box);
  check_threads(n_threads);
  const LjPotential folded = fold(potential);
  const Outputs out{energy, forces, virial};
  if (takes_all_pairs(n_systems, n_particles, box, potential)) {
    all_pairs(positions, n_systems, n_particles, box, folded, out, n_threads);
  } else {
    by_list(positions, n_systems, n_particles, box, folded, out, n_threads);
  }
  for (std::int64_t s = 0; s < n_systems; ++s) {
    check_finite({energy[s], virial[s]}, positions, s, n_particles, box);
  }
}

}  // namespace spinodal
