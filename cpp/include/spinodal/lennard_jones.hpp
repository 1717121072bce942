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
#include <memory>

namespace spinodal {

enum class Shift { truncated, energy, force };

/// How the pairs of systems that are large enough for neighbour lists are computed: in double precision, or in single
/// precision, and added up in double: then energies of a melt are right to about 1e-7, and forces to 1e-5 of the
/// largest.
enum class Precision { full, mixed };

struct LennardJones {
  double epsilon = 1, sigma = 1;
  double cutoff = 2.5;  ///< infinite: all pairs, for free particles alone
  Shift shift = Shift::truncated;
  double softening = 0;  ///< a length; 0 is the Lennard-Jones potential itself
  Precision precision = Precision::full;
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

/// The same of one system, call after call: lists of neighbours are kept, with a skin, until a particle has moved half
/// of it, which is checked at every call. Sums follow the order of the particles at the last list: results agree with
/// those of `lennard_jones` to rounding, and their bits depend on the calls before.
class LennardJonesPlan {
 public:
  LennardJonesPlan(std::int64_t n_particles, const Box& box, const LennardJones& potential);
  ~LennardJonesPlan();
  LennardJonesPlan(const LennardJonesPlan&) = delete;
  LennardJonesPlan& operator=(const LennardJonesPlan&) = delete;

  /// @param positions, forces  (n_particles, dim); periodic particles may be at any of their images
  void compute(const double* positions, double* energy, double* forces, double* virial, int n_threads);

  std::int64_t n_lists() const;  ///< made so far

 private:
  struct Kept;
  std::unique_ptr<Kept> kept_;
};

}  // namespace spinodal
