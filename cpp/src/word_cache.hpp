// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "kernels/packed.hpp"

namespace spinodal {

/// The word cache of a seed, kept by each thread: a call that makes one short sweep must not build it.
const WordCache& words_of(std::uint64_t seed);

}  // namespace spinodal
