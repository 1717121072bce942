// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "kernels/lj_types.hpp"
#include "spinodal/lennard_jones.hpp"

namespace spinodal {

/// The constants of eq. (2).
LjPotential fold(const LennardJones& potential);

/// All pairs pay while a list costs more than it saves, and need a box in which the nearest image is the only one. That
/// the number of systems is no matter keeps their bits when they are computed in other groups.
bool takes_all_pairs(std::int64_t n_particles, const Box& box, const LennardJones& potential);

/// Each throws std::invalid_argument that states the value and the bound.
void check_potential(const LennardJones& potential, const Box& box);
void check_positions(const double* positions, std::int64_t n_systems, std::int64_t n_particles, const Box& box);

/// Throws for a system whose energy or virial is not a number: names the two particles closest to each other.
void check_finite(const LjTotals& totals, const double* positions, std::int64_t system, std::int64_t n_particles,
                  const Box& box);

}  // namespace spinodal
