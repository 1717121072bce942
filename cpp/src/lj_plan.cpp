// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>

#include "src/lj_list.hpp"
#include "src/lj_potential.hpp"
#include "src/team.hpp"
#include "src/validate.hpp"

namespace spinodal {
namespace {

constexpr double outer_skin = 0.7, inner_skin = 0.22;  // of σ, as in molecular dynamics

}  // namespace

struct LennardJonesPlan::Kept {
  std::int64_t n;
  Box box;
  LennardJones potential;
  LjPotential folded;
  LjList list;
  Scratch<double> given, listed, pruned,
      now;  ///< positions: of the caller at the last list; wrapped; at the last prune
  std::int64_t n_lists = 0;

  double* halves() { return list.sorted().cells().halves; }
  std::int64_t n_numbers() const { return n * box.dim; }

  LjTotals compute(const double* positions, double* forces, int n_threads) {
    if (n_lists == 0 || follow(positions) > limit2(outer_skin)) {
      rebuild(positions, n_threads);
      prune(n_threads);
    } else {
      list.sorted().scatter(now.data(), halves(), LjCells::half_size, 0);
      if (from_pruned() > limit2(inner_skin)) prune(n_threads);
    }
    for (std::int64_t h = 0; h < 2 * list.sorted().cells().n_clusters; ++h) {
      std::fill_n(halves() + h * LjCells::half_size + 12, 12, 0.0);
    }
    const LjTotals totals = list.evaluate(folded, true, n_threads);
    if (forces != nullptr) list.sorted().read_forces(forces);
    return totals;
  }

  double limit2(double skin) const { return 0.25 * skin * skin * potential.sigma * potential.sigma; }

  /// Where the particles are, next to where they were listed; returns the largest squared displacement.
  double follow(const double* positions) {
    double most = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      double sum = 0;
      for (int axis = 0; axis < box.dim; ++axis) {
        const std::int64_t k = i * box.dim + axis;
        double d = positions[k] - given.data()[k];
        if (box.periodic) d -= box.length[axis] * std::nearbyint(d / box.length[axis]);
        now.data()[k] = listed.data()[k] + d;
        sum += d * d;
      }
      most = std::max(most, sum);
    }
    return most;
  }

  double from_pruned() const {
    double most = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      double sum = 0;
      for (std::int64_t k = i * box.dim; k < (i + 1) * box.dim; ++k) {
        const double d = now.data()[k] - pruned.data()[k];
        sum += d * d;
      }
      most = std::max(most, sum);
    }
    return most;
  }

  void rebuild(const double* positions, int n_threads) {
    list.build(positions, n, box, potential.cutoff + outer_skin * potential.sigma, true, n_threads);
    std::copy_n(positions, n_numbers(), given.room(n_numbers()));
    list.sorted().gather(halves(), LjCells::half_size, 0, listed.room(n_numbers()));
    std::copy_n(listed.data(), n_numbers(), now.room(n_numbers()));
    ++n_lists;
  }

  void prune(int n_threads) {
    std::copy_n(now.data(), n_numbers(), pruned.room(n_numbers()));
    list.prune(potential.cutoff + inner_skin * potential.sigma, potential.precision, n_threads);
  }
};

LennardJonesPlan::LennardJonesPlan(std::int64_t n_particles, const Box& box, const LennardJones& potential)
    : kept_(std::make_unique<Kept>()) {
  check_potential(potential, box);
  kept_->n = n_particles;
  kept_->box = box;
  kept_->potential = potential;
  kept_->folded = fold(potential);
}

LennardJonesPlan::~LennardJonesPlan() = default;

std::int64_t LennardJonesPlan::n_lists() const { return kept_->n_lists; }

void LennardJonesPlan::compute(const double* positions, double* energy, double* forces, double* virial, int n_threads) {
  Kept& kept = *kept_;
  if (takes_all_pairs(kept.n, kept.box, kept.potential)) {
    lennard_jones(positions, 1, kept.n, kept.box, kept.potential, energy, forces, virial, n_threads);
    return;
  }
  check_positions(positions, 1, kept.n, kept.box);
  check_threads(n_threads);
  const LjTotals totals = kept.compute(positions, forces, team_size(n_threads, kept.n, 64 * kept.n));
  *energy = totals.energy;
  *virial = totals.virial;
  check_finite(totals, positions, 0, kept.n, kept.box);
}

}  // namespace spinodal
