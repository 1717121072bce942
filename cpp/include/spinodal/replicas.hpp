// SPDX-License-Identifier: BSD-3-Clause
/// Many chains of one lattice, 256 at a time: bit c of a vector is chain c's spin at one site.
///
/// Same rules and contract as metropolis_sweep of spinodal/ising.hpp, other random numbers. What
/// follows defines the result bit for bit; docs/replica-kernel.md derives it.
///
/// Layout. Chain c is lane c % 256 of group c / 256, c counted from 0 over all calls: a lane's random
/// numbers depend on nothing else, so chains may be cut into calls anywhere. A group costs the same
/// however many of its lanes a call fills.
///
/// Order. With even lengths, the sites of color (z + y + x) % 2 = 0, then color 1. Tile t of a color, of row pair
/// (z, y), y even, k < lx/2, t = (z·ly + y)/2·lx/2 + k, has the sites (z, y, x), x = 2k + (z + color) % 2, and
/// (z, y + 1, x + 1): vectors 2t and 2t + 1. With an odd length, all sites one after another in C order (color
/// 0): vector i is site i. A block is 32 consecutive vectors of X4 and r8 below, 16 of thresholds.
///
/// Random words. Word n of a block is the 16-byte stream block at the counter of spinodal/packed.hpp with
/// purpose 15 and, for its chain, group | part << 24; part is 0 for masks, 1 for overwrites, 2 for
/// thresholds. V(i) is words 2i and 2i + 1 side by side.
///
/// One temperature a group, two dimensions, h = 0, even lengths. Masks, overwrites and update are those of
/// spinodal/packed.hpp, of parts 0 and 1.
///
/// All else: a probability P for each lane and class of sites. In units of 2^-62, with P rounded down,
/// c = min(256, P / (255·2^46)) and rest = (P - c·255·2^46) / 8. The class's mask starts as (c == 256) in each lane;
/// with V = V(16·⌊v/2⌋ + 2k + v % 2), k = 0 … 7, it becomes  bit k of min(c, 255) ? mask | ~V : mask & V,  which
/// gives c/256.
/// Overwrites, Poisson with 1/256 of the sites hit: U is the low 64 bits of V(128); overwrite k
/// is the 64-bit quarter k % 4 of V(129 + k/4): its lane is its bits 0–7, its vector bits 8–11 modulo B, B = min(16,
/// the least power of two ≥ the number of vectors of a color), and every class's bit there becomes
/// (word >> 13) < rest. A lane's numbers depend on no other lane's probabilities.
///
/// Classes, J ≥ 0, n of the site's z neighbours up:
///
///   h = 0:  class j holds |2n - z| = 2j + 2, P = e^{-4β|J|(j + 1)} or in the heat bath 1/(1 + e^{4β|J|(j + 1)});
///           the site ends up like most neighbours, or against them if it stood with them (heat
///           bath: in any case) and the mask is set. 2n = z: it flips, in the heat bath it becomes the last V above.
///   h ≠ 0:  class n, p = e^{-2β|J(2n - z) + h|} or 1/(1 + e^{2β|J(2n - z) + h|}), up favoured if J(2n - z) + h > 0
///           has P = 1 - p, else P = p; the site becomes the mask's bit, in a Metropolis sweep
///           only if it stood in the favoured direction, else it turns.
///
/// J < 0 is J > 0 with the lattice's color 1 reversed, in which h counts negative there; with an odd
/// length, each site is updated as if it and h were reversed.
#pragma once

#include <cstdint>

#include "spinodal/ising.hpp"

namespace spinodal {

/// What a replica sweep can tell of the chains after its last sweep; a null pointer is left alone.
struct ReplicaObservables {
  double* energy = nullptr;               ///< total energy of each chain
  std::int64_t* magnetization = nullptr;  ///< Σ s of each chain
};

/// metropolis_sweep of chains whose groups have one temperature each; any lengths ≥ 2. With an odd length sites are
/// updated one after another. Refuses a group with two different temperatures: metropolis_sweep_lanes takes them.
void metropolis_sweep_replicas(std::int8_t* spins, std::int64_t n_chains, LatticeShape shape, const double* beta,
                               Coupling coupling, const SweepOptions& options, std::int64_t heat_bath_every,
                               const ReplicaObservables& observables);

/// The same with a temperature for every chain, slower at h = 0 in two dimensions.
void metropolis_sweep_lanes(std::int8_t* spins, std::int64_t n_chains, LatticeShape shape, const double* beta,
                            Coupling coupling, const SweepOptions& options, std::int64_t heat_bath_every,
                            const ReplicaObservables& observables);

}  // namespace spinodal
