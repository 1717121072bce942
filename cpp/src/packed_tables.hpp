// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "kernels/packed.hpp"

namespace spinodal {

/// The limits of the number of overwrites, Poisson of this mean, and the slots for them.
void set_counts(double mean, OverwriteCounts& out);

/// The masks of one temperature, exponent = β|J|, in two or three dimensions; n_vectors of a color share out the
/// overwrites of a block. All arithmetic past the rates of the overwrites is in integers: the same bits on any machine.
struct ChainTables {
  ChainTables(double exponent, std::int64_t n_vectors, bool cubic);

  PackedRule metropolis, heat_bath;
};

/// The same, kept by each thread for the temperatures it met last: they take longer than a sweep of a small lattice.
/// Valid until the thread's next call.
const ChainTables& chain_tables(double exponent, std::int64_t n_vectors, bool cubic);

}  // namespace spinodal
