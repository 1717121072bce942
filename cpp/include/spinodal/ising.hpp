// SPDX-License-Identifier: BSD-3-Clause
/// Ising model on periodic lattices,  E(s) = -J Σ_<ij> s_i s_j - h Σ_i s_i.
///
/// Spins are int8, ±1, C-contiguous (n_chains, [Lz,] Ly, Lx). At length 2 an axis has two bonds
/// between the same pair of sites. Energies share one unit; beta is its inverse.
/// Every function throws std::invalid_argument, before any work, on input it cannot take.
#pragma once

#include <cstdint>

#include "spinodal/stream.hpp"

namespace spinodal {

struct LatticeShape {
  std::int64_t lz, ly, lx;  ///< lz = 1 and two_dimensional for a square lattice
  bool two_dimensional;

  std::int64_t n_sites() const { return lz * ly * lx; }
  bool operator==(const LatticeShape& other) const {
    return lz == other.lz && ly == other.ly && lx == other.lx && two_dimensional == other.two_dimensional;
  }
};

struct Coupling {
  double J, h;

  bool operator==(const Coupling& other) const { return J == other.J && h == other.h; }
};

struct SweepOptions {
  std::int64_t n_sweeps = 1;
  std::uint64_t seed = 0;
  std::uint64_t sweep = 0;        ///< index of the first sweep, below 2^40
  std::uint32_t first_chain = 0;  ///< global index of the first chain
  Stream stream = Stream::ars7;
  int n_threads = 1;
};

/// n_sweeps checkerboard Metropolis sweeps of every chain, in place.
///
///   P(flip i) = min(1, exp(-β ΔE_i)),   ΔE_i = 2 s_i (J Σ_j s_j + h)                    (1)
///
/// Every `heat_bath_every`-th sweep is a heat bath, P(flip i) = 1 / (1 + exp(β ΔE_i)): eq. (1)
/// alone is reducible on a checkerboard, since moves with ΔE = 0 are certain. 0 means never.
/// All lengths even. beta has n_chains entries.
/// Metropolis et al., J. Chem. Phys. 21, 1087 (1953).
void metropolis_sweep(std::int8_t* spins, std::int64_t n_chains, LatticeShape shape, const double* beta,
                      Coupling coupling, const SweepOptions& options, std::int64_t heat_bath_every);

/// n_sweeps checkerboard heat-bath (Glauber) sweeps of every chain, in place.
void heat_bath_sweep(std::int8_t* spins, std::int64_t n_chains, LatticeShape shape, const double* beta,
                     Coupling coupling, const SweepOptions& options);

/// Total energy of every chain.
void ising_energy(const std::int8_t* spins, std::int64_t n_chains, LatticeShape shape, Coupling coupling,
                  double* energy, int n_threads);

/// Σ s of every chain.
void magnetization(const std::int8_t* spins, std::int64_t n_chains, LatticeShape shape, std::int64_t* out,
                   int n_threads);

/// J Σ_j s_j + h at every site.
void local_field(const std::int8_t* spins, std::int64_t n_chains, LatticeShape shape, Coupling coupling, double* field,
                 int n_threads);

/// Independent fair spins, from Purpose::initial_spins: site i of a chain takes bit i % 128 of block i / 128.
void random_spins(std::int8_t* spins, std::int64_t n_chains, std::int64_t n_sites, std::uint64_t seed,
                  std::uint32_t first_chain, Stream stream, int n_threads);

}  // namespace spinodal
