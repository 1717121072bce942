// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "kernels/packed.hpp"

namespace spinodal {

/// The limits of the number of overwrites, Poisson of this mean, and the slots for them.
void set_counts(double mean, OverwriteCounts& out);

/// The masks of one temperature, exponent = β|J|, for blocks of 2^log_vectors vectors. All arithmetic past the
/// rates of the overwrites is in integers: the same bits on any machine.
struct ChainTables {
  explicit ChainTables(double exponent, int log_vectors);

  PackedRule metropolis, heat_bath;
};

}  // namespace spinodal
