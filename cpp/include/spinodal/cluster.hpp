// SPDX-License-Identifier: BSD-3-Clause
/// Cluster updates of the Ising model of ising.hpp: any sign of J, any field, any lengths ≥ 2.
///
/// Bonds (Fortuin and Kasteleyn, Physica 57, 536 (1972)): a bond with J s_i s_j > 0 is active with
///
///   p = 1 - exp(-2β|J|)                                                                  (1)
///
/// and clusters are what active bonds connect. The field is one more spin, the ghost, coupled to
/// every site: where h s_i > 0 the bond to it is active with 1 - exp(-2β|h|), and a cluster with
/// such a bond keeps its spins. Coniglio, de Liberto, Monroy, Peruggi, J. Phys. A 22, L837 (1989);
/// Kent-Dobias and Sethna, Phys. Rev. E 98, 063306 (2018).
///
/// At most 2^31 - 1 sites. Chains are shared among the threads; a chain's bits depend on its index
/// alone. Every function throws std::invalid_argument, before any work, on input it cannot take.
#pragma once

#include <cstdint>

#include "spinodal/ising.hpp"

namespace spinodal {

/// options.n_sweeps single-cluster updates of every chain, in place; options.sweep is the index of the first.
///
/// One site is chosen at random, its cluster is grown and flipped. The number of updates is fixed
/// beforehand: stopping on the number of flipped spins would bias every average.
///
/// With a field: of n sites aligned with it each bonds to the ghost, so the cluster flips with
/// probability exp(-2β|h| n). This satisfies detailed balance: the cluster C is grown from s and
/// from the flipped s' with probabilities in the ratio (1 - p)^(m - m'), m and m' its satisfied
/// boundary bonds, which is the Boltzmann ratio of the bonds' energies; and the ghost's factors are
/// in the ratio exp(-2β|h|(n - (|C| - n))), which is that of the field's.
///
/// @param flipped        (n_chains): spins in flipped clusters, summed over the updates
/// @param cluster_size   (n_chains) or null: spins in all clusters, flipped or not; at h = 0 its
///                       mean an update is N⟨m²⟩. Null lets a cluster stop growing once it is bound to the
///                       ghost, which changes no spin and saves most of the work in a field.
/// Wolff, Phys. Rev. Lett. 62, 361 (1989).
void wolff_step(std::int8_t* spins, std::int64_t n_chains, LatticeShape shape, const double* beta, Coupling coupling,
                const SweepOptions& options, std::int64_t* flipped, std::int64_t* cluster_size);

/// options.n_sweeps updates of all clusters of every chain, in place: each cluster flips with probability 1/2,
/// one with a bond to the ghost not at all.
///
/// @param n_clusters   (n_chains): clusters, summed over the sweeps
/// Swendsen and Wang, Phys. Rev. Lett. 58, 86 (1987).
void swendsen_wang_sweep(std::int8_t* spins, std::int64_t n_chains, LatticeShape shape, const double* beta,
                         Coupling coupling, const SweepOptions& options, std::int64_t* n_clusters);

}  // namespace spinodal
