// SPDX-License-Identifier: BSD-3-Clause
// Checks at the edge: each throws std::invalid_argument that states the value and the bound.
#pragma once

#include <cstdint>

#include "spinodal/ising.hpp"

namespace spinodal {

void check_spins(const std::int8_t* spins, std::int64_t n, int n_threads = 1);
void check_beta(const double* beta, std::int64_t n_chains);
void check_coupling(Coupling coupling);
void check_shape(LatticeShape shape);
/// Cluster updates index sites by 31 bits.
void check_cluster_size(LatticeShape shape);
/// Checkerboard updates need an even number of sites along every axis.
void check_even(LatticeShape shape);
void check_options(const SweepOptions& options, std::int64_t n_chains);
void check_threads(int n_threads);
void check_heat_bath_every(std::int64_t period);

}  // namespace spinodal
