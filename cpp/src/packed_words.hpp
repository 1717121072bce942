// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "kernels/packed.hpp"

namespace spinodal {

/// The word cache of a seed for the instruction set in use, kept by each thread: a call that makes one short sweep
/// must not build it again. Valid until the thread's next call.
const WordCache& packed_words(std::uint64_t seed);

}  // namespace spinodal
