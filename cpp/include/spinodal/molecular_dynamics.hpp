// SPDX-License-Identifier: BSD-3-Clause
/// Molecular dynamics of the particles of lennard_jones.hpp: constant energy, or in a heat bath.
///
/// One step of length dt, splitting BAOAB (Leimkuhler and Matthews, Appl. Math. Res. Express 2013, 34):
///
///   B  v += dt/2 F/m      A  x += dt/2 v      O  v = c v + sqrt((1 - c²) T/m) ξ,  c = exp(-γ dt)      A      B (1)
///
/// At γ = 0, O does nothing and this is velocity Verlet. ξ of a particle is a function of (seed, chain, step, particle)
/// alone: Box and Muller's transform of 32-bit uniforms, of IEEE operations alone, so |ξ| < 6.77.
///
/// Bits depend neither on threads or instruction set nor on the cut into calls: the order of sums is that of the
/// particles at the last rebuild of the neighbour list, whose positions are a part of the state.
#pragma once

#include <cstdint>

#include "spinodal/lennard_jones.hpp"
#include "spinodal/stream.hpp"

namespace spinodal {

/// Blocks of Purpose::particles; row: particle, sweep: step. Block 8 is that of the acceptances of HMC and MALA, row 0.
constexpr std::uint32_t langevin_noise_block = 1, initial_velocities_block = 2;

/// The state, each (n_systems, n_particles, dim), C-contiguous.
struct PhaseSpace {
  double* positions;
  double* velocities;
  double* listed;  ///< positions when the neighbour list was last built; at the start the positions themselves
};

struct Motion {
  double timestep = 0.004;
  double friction = 1;  ///< γ; 0: no bath
  double mass = 1;
  double confinement = 0;  ///< k of springs to the centre of mass; free particles alone
  std::int64_t n_steps = 1;
  std::uint64_t seed = 0;
  std::uint64_t step = 0;         ///< index of the first step, below 2^40
  std::uint32_t first_chain = 0;  ///< global index of the first system
  Stream stream = Stream::ars7;
  int n_threads = 1;
};

/// motion.n_steps steps of every system, in place.
///
/// Periodic particles are wrapped into the box whenever the list is rebuilt, which is as soon as any of them has moved
/// half the list's skin. The centre of mass of free particles stays at rest.
///
/// @param temperature     (n_systems), read where motion.friction > 0
/// @param kinetic_energy  (n_systems): ½ m v², rounded to 2^-20, summed over the steps: sums of calls are exact
/// Throws std::runtime_error if a system's energy grows beyond all bounds.
void langevin_steps(const PhaseSpace& state, std::int64_t n_systems, std::int64_t n_particles, const Box& box,
                    const LennardJones& potential, const double* temperature, const Motion& motion,
                    double* kinetic_energy);

/// Velocities of temperature T, drawn as the noise is, from counters of their own; the mean is removed where particles
/// are free.
void maxwell_velocities(double* velocities, std::int64_t n_systems, std::int64_t n_particles, const Box& box,
                        const double* temperature, const Motion& motion);

}  // namespace spinodal
