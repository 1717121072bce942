// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "kernels/replicas.hpp"
#include "spinodal/ising.hpp"

namespace spinodal {

/// Whether a lattice is updated color by color; else site by site.
bool has_even_lengths(LatticeShape shape);

/// What a lane of one temperature adds to a rule: the cells and the rest of each class's probability.
struct LaneShare {
  std::uint8_t changes[max_classes], top[max_classes];
  std::uint64_t rest[max_classes + 1];
};

/// The same for every rule, by heat bath and color.
struct LaneShares {
  LaneShare of[2][2];
};

/// The probabilities of spinodal/replicas.hpp at one temperature.
LaneShares lane_shares(LatticeShape shape, Coupling coupling, double beta);

/// Rules without lanes: all that does not depend on a temperature.
void prepare_lane_rules(LatticeShape shape, Coupling coupling, LaneRules& out);

/// Give every lane its share of the Metropolis rules (heat-bath rules) of both colors.
void set_lanes(const LaneShares* const* of_lane, bool heat_bath, LaneRules& out);

/// All rules of lanes at these temperatures.
void set_lane_rules(LatticeShape shape, Coupling coupling, const double (&beta)[replica_lanes], LaneRules& out);

}  // namespace spinodal
