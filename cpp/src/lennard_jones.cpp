// SPDX-License-Identifier: BSD-3-Clause
#include "spinodal/lennard_jones.hpp"

#include <algorithm>
#include <cmath>

#include "src/dispatch.hpp"
#include "src/lj_lanes.hpp"
#include "src/lj_list.hpp"
#include "src/lj_potential.hpp"
#include "src/team.hpp"
#include "src/validate.hpp"

namespace spinodal {
namespace {

struct Outputs {
  double *energy, *forces, *virial;

  void set(std::int64_t system, const LjTotals& totals) const {
    energy[system] = totals.energy;
    virial[system] = totals.virial;
  }
};

void all_pairs(const double* positions, std::int64_t n_systems, std::int64_t n_particles, const Box& box,
               const LjPotential& potential, const Outputs& out, int n_threads) {
  const std::int64_t width = kernels().lj_batch_width(), n_vectors = (n_systems + width - 1) / width;
  const LjBatch batch = batch_in(box, n_particles);
  const int team = team_size(n_threads, n_vectors, 8 * n_systems * n_particles * n_particles);
#pragma omp parallel num_threads(team) if (team > 1)
  {
    LjLanes x(n_particles, box.dim), f(n_particles, box.dim);
    double energy[16], virial[16];  // more than there are lanes
#pragma omp for schedule(static)
    for (std::int64_t v = 0; v < n_vectors; ++v) {
      const std::int64_t first = v * width, n = std::min(width, n_systems - first);
      x.read(positions, first, n);
      kernels().lj_batch(batch, potential, x.data(), f.data(), energy, virial, true);
      for (std::int64_t lane = 0; lane < n; ++lane) out.set(first + lane, {energy[lane], virial[lane]});
      if (out.forces != nullptr) f.write(out.forces, first, n);
    }
  }
}

thread_local LjList list_of_thread;

void listed(const double* positions, std::int64_t system, std::int64_t n_particles, const Box& box,
            const LjPotential& potential, Precision precision, const Outputs& out, int n_threads) {
  LjList& list = list_of_thread;
  const double reach = std::sqrt(potential.cutoff2);
  const std::int64_t offset = system * n_particles * box.dim;
  list.build(positions + offset, n_particles, box, reach, false, n_threads);
  list.prune(reach, precision, n_threads);
  out.set(system, list.evaluate(potential, true, n_threads));
  if (out.forces != nullptr) list.sorted().read_forces(out.forces + offset);
}

void by_list(const double* positions, std::int64_t n_systems, std::int64_t n_particles, const Box& box,
             const LjPotential& potential, Precision precision, const Outputs& out, int n_threads) {
  const bool one_each = n_systems >= n_threads;  // systems shared among the threads, or the slabs of each
  const int team = one_each ? team_size(n_threads, n_systems, 64 * n_systems * n_particles) : 1;
  const int inside = one_each ? 1 : team_size(n_threads, n_particles, 64 * n_particles);
#pragma omp parallel for schedule(static) num_threads(team) if (team > 1)
  for (std::int64_t s = 0; s < n_systems; ++s)
    listed(positions, s, n_particles, box, potential, precision, out, inside);
}

}  // namespace

void lennard_jones(const double* positions, std::int64_t n_systems, std::int64_t n_particles, const Box& box,
                   const LennardJones& potential, double* energy, double* forces, double* virial, int n_threads) {
  check_potential(potential, box);
  check_positions(positions, n_systems, n_particles, box);
  check_threads(n_threads);
  const LjPotential folded = fold(potential);
  const Outputs out{energy, forces, virial};
  if (takes_all_pairs(n_particles, box, potential)) {
    all_pairs(positions, n_systems, n_particles, box, folded, out, n_threads);
  } else {
    by_list(positions, n_systems, n_particles, box, folded, potential.precision, out, n_threads);
  }
  for (std::int64_t s = 0; s < n_systems; ++s) {
    check_finite({energy[s], virial[s]}, positions, s, n_particles, box);
  }
}

}  // namespace spinodal
