// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "kernels/packed.hpp"

namespace spinodal {

/// The limits of the number of overwrites, Poisson of this mean.
void set_counts(double mean, OverwriteCounts& out);

/// The table of a mask of independent bits of probability p, for blocks of 2^log_vectors vectors.
/// All arithmetic past the rate of the overwrites is in integers: the same bits on any machine.
MaskTable make_mask_table(double p, bool may_use_bytes, int log_vectors);

/// The masks of one temperature. exponent = β|J|.
struct ChainTables {
  explicit ChainTables(double exponent, int log_vectors);

  PackedRule rule(bool bath) const { return {bath, &x4, bath ? &r8_heat_bath : &r8_metropolis}; }

  MaskTable x4, r8_metropolis, r8_heat_bath;
};

}  // namespace spinodal
