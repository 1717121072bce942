// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "kernels/replicas.hpp"
#include "spinodal/ising.hpp"

namespace spinodal {

/// The probabilities of spinodal/replicas.hpp, lane i at beta[i].
void set_lane_rules(LatticeShape shape, Coupling coupling, const double* beta, LaneRules& out);

}  // namespace spinodal
