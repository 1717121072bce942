// SPDX-License-Identifier: BSD-3-Clause
#include "src/lj_potential.hpp"

#include <cmath>
#include <limits>

#include "src/refuse.hpp"

namespace spinodal {
namespace {

constexpr double longest_box = 1e9;

bool positive(double x) { return std::isfinite(x) && x > 0; }

double distance2(const double* a, const double* b, const Box& box) {
  double sum = 0;
  for (int axis = 0; axis < box.dim; ++axis) {
    double d = a[axis] - b[axis];
    if (box.periodic) d -= box.length[axis] * std::nearbyint(d / box.length[axis]);
    sum += d * d;
  }
  return sum;
}

}  // namespace

LjPotential fold(const LennardJones& potential) {
  const double s2 = potential.sigma * potential.sigma, s6 = s2 * s2 * s2;
  const double c6 = 4 * potential.epsilon * s6, c12 = c6 * s6;
  LjPotential u{};
  u.cutoff2 = potential.cutoff * potential.cutoff;
  u.softening2 = potential.softening * potential.softening;
  u.scale = std::pow(12 * c12, 1.0 / 7);
  const double scale3 = u.scale * u.scale * u.scale;
  u.attraction = 6 * c6 / (scale3 * u.scale);
  u.repulsive = c12 / (scale3 * scale3);
  u.attractive = c6 / scale3;
  u.plain = potential.softening == 0 && potential.shift != Shift::force;
  if (potential.shift == Shift::truncated) return u;
  const double rho = std::sqrt(u.cutoff2 + u.softening2), r6 = std::pow(rho, -6);
  u.offset = -r6 * (c12 * r6 - c6);
  if (potential.shift == Shift::force) {
    u.slope = r6 * (12 * c12 * r6 - 6 * c6) / rho;
    u.offset -= u.slope * rho;
  }
  return u;
}

bool takes_all_pairs(std::int64_t n_particles, const Box& box, const LennardJones& potential) {
  if (std::isinf(potential.cutoff)) return true;
  for (int axis = 0; box.periodic && axis < box.dim; ++axis) {
    if (box.length[axis] < 2 * potential.cutoff) return false;
  }
  return n_particles <= 128;
}

void check_potential(const LennardJones& potential, const Box& box) {
  if (!positive(potential.epsilon)) refuse("epsilon must be finite and > 0; got ", potential.epsilon);
  if (!positive(potential.sigma)) refuse("sigma must be finite and > 0; got ", potential.sigma);
  if (!(std::isfinite(potential.softening) && potential.softening >= 0)) {
    refuse("softening must be finite and >= 0; got ", potential.softening);
  }
  const bool unlimited = potential.cutoff == std::numeric_limits<double>::infinity();
  if (!positive(potential.cutoff) && !unlimited) refuse("cutoff must be > 0; got ", potential.cutoff);
  if (unlimited && box.periodic) refuse("a periodic box needs a finite cutoff; got ", potential.cutoff);
  if (unlimited && potential.shift != Shift::truncated) refuse("an infinite cutoff has no shift: use 'truncated'");
  if (box.dim != 2 && box.dim != 3) refuse("dim must be 2 or 3; got ", box.dim);
  for (int axis = 0; box.periodic && axis < box.dim; ++axis) {
    const double length = box.length[axis];
    if (!positive(length) || length > longest_box) {
      refuse("box lengths must be > 0 and <= ", longest_box, "; axis ", axis, " has ", length);
    }
    if (potential.cutoff > 8 * length) {
      refuse("cutoff must be <= 8 box lengths; got ", potential.cutoff, " and axis ", axis, " of ", length);
    }
  }
}

void check_positions(const double* positions, std::int64_t n_systems, std::int64_t n_particles, const Box& box) {
  if (n_particles < 1) refuse("a system needs at least one particle; got ", n_particles);
  if (n_particles > 1 << 26) refuse("a system can have at most ", 1 << 26, " particles; got ", n_particles);
  const std::int64_t n_numbers = n_systems * n_particles * box.dim;
  for (std::int64_t k = 0; k < n_numbers; ++k) {
    if (std::abs(positions[k]) <= longest_box) continue;
    refuse("positions must be finite and at most ", longest_box, " from 0; particle ", k / box.dim % n_particles,
           " of system ", k / (box.dim * n_particles), " has ", positions[k]);
  }
}

void check_finite(const LjTotals& totals, const double* positions, std::int64_t system, std::int64_t n_particles,
                  const Box& box) {
  if (std::isfinite(totals.energy) && std::isfinite(totals.virial)) return;
  double closest = std::numeric_limits<double>::infinity();
  std::int64_t first = 0, second = 0;
  const double* x = positions + system * n_particles * box.dim;
  for (std::int64_t i = 0; i < n_particles && closest > 0; ++i) {
    for (std::int64_t j = i + 1; j < n_particles; ++j) {
      const double r2 = distance2(x + i * box.dim, x + j * box.dim, box);
      if (r2 >= closest) continue;
      closest = r2;
      first = i;
      second = j;
    }
  }
  refuse("particles ", first, " and ", second, " of system ", system, " overlap: they are ", std::sqrt(closest),
         " apart, and the energy is ", totals.energy, " (softening > 0 makes it finite)");
}

}  // namespace spinodal
