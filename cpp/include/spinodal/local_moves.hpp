// SPDX-License-Identifier: BSD-3-Clause
/// Metropolis moves of one particle at a time, of the particles of lennard_jones.hpp.
///
/// A sweep proposes to each particle in turn, in the order of the arrays,
///
///   x' = x + step · ξ,   ξ uniform in (-1, 1)^dim,   accepted if U(x') - U(x) <= -T ln u                    (1)
///
/// ξ is an odd multiple of 2^-21 and u of 2^-53; both are a function of (seed, chain, sweep, particle) alone. Bits
/// depend neither on threads or instruction set nor on the cut into calls.
///
/// Metropolis et al., J. Chem. Phys. 21, 1087 (1953).
#pragma once

#include <cstdint>

#include "spinodal/lennard_jones.hpp"
#include "spinodal/stream.hpp"

namespace spinodal {

/// Block of Purpose::particles; row: particle.
constexpr std::uint32_t local_move_block = 3;

/// Energies are summed anew after every sweep whose number, counted from 1, is a multiple of this.
constexpr std::uint64_t sweeps_to_fresh_energy = 256;

struct LocalMoves {
  double confinement = 0;  ///< k of springs to the centre of mass; free particles alone
  std::int64_t n_sweeps = 1;
  std::uint64_t seed = 0;
  std::uint64_t sweep = 0;        ///< index of the first sweep, below 2^40
  std::uint32_t first_chain = 0;  ///< global index of the first system
  Stream stream = Stream::ars7;
  int n_threads = 1;
};

/// moves.n_sweeps sweeps of every system, in place.
///
/// Periodic particles are wrapped; a box must be at least twice the cutoff long. The centre of mass of free particles
/// is put back after each sweep.
///
/// @param positions    (n_systems, n_particles, dim)
/// @param temperature  (n_systems)
/// @param step         (n_systems), at most half the shortest box length
/// @param energy       (n_systems) that of the positions; becomes that after the moves
/// @param accepted     (n_systems) number of moves accepted
/// Throws std::runtime_error if an accumulated energy is not that of the positions: a wrong one was given.
void local_moves(double* positions, std::int64_t n_systems, std::int64_t n_particles, const Box& box,
                 const LennardJones& potential, const double* temperature, const double* step, const LocalMoves& moves,
                 double* energy, std::int64_t* accepted);

}  // namespace spinodal
