// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "kernels/replicas.hpp"
#include "spinodal/ising.hpp"

namespace spinodal {

/// The probabilities of spinodal/replicas.hpp: lane lane_begin + i has beta[i]. Lanes without a chain have β = 0.
void set_lane_rules(LatticeShape shape, Coupling coupling, const double* beta, int lane_begin, int lane_end,
                    LaneRules& out);

}  // namespace spinodal
