// SPDX-License-Identifier: BSD-3-Clause
/// Lennard-Jones particles in two or three dimensions, periodic in a rectangular box or free.
///
///   U(r) = 4ε [(σ/ρ)^12 - (σ/ρ)^6] + shift,   ρ² = r² + softening²,   0 where r >= cutoff      (1)
///
///   truncated  shift = 0
///   energy     shift = -U(r_c)
///   force      shift = -U(r_c) - (ρ - ρ_c) dU/dρ(ρ_c): energy and force are continuous
///
/// Allen and Tildesley, Computer Simulation of Liquids, 2nd ed. (2017), section 5.2.
///
/// Positions and forces are C-contiguous (n_systems, n_particles, dim). A periodic box may have any lengths: images are
/// enumerated where the cutoff reaches further than half of it. Particles may lie outside the box. Results are the
/// same bits for any number of threads and any instruction set.
/// Every function throws std::invalid_argument on input it cannot take.
#pragma once

#include <cstdint>

namespace spinodal {

enum class Shift { truncated, energy, force };

struct LennardJones {
  double epsilon = 1, sigma = 1;
  double cutoff = 2.5;  ///< infinite: all pairs, for free particles alone
  Shift shift = Shift::truncated;
  double softening = 0;  ///< a length; 0 is the Lennard-Jones potential itself
};

/// Where the particles live; lengths are read where periodic.
struct Box {
  int dim;  ///< 2 or 3
  bool periodic;
  double length[3];
};

/// Energy U, forces -∇U and virial Σ_pairs r·F of every system.
///
/// No tail correction is made. With `truncated` the impulse at the cutoff is no part of the virial.
///
/// @param forces   (n_systems, n_particles, dim), or null: not wanted
void lennard_jones(const double* positions, std::int64_t n_systems, std::int64_t n_particles, const Box& box,
                   const LennardJones& potential, double* energy, double* forces, double* virial, int n_threads);

}  // namespace spinodal
