// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "kernels/packed_masks.hpp"

namespace spinodal {
namespace SPINODAL_ISA {

/// Update the tiles begin … end - 1 of a color, all of one block of random numbers. A tile is two rows of one vector.
using UpdateTiles = void (*)(const PackedPlanes&, const BlockMasks&, int color, std::int64_t begin, std::int64_t end);

struct PackedUpdates {
  UpdateTiles metropolis, heat_bath;
};

/// Those of a lattice in three dimensions.
PackedUpdates cubic_updates(const PackedPlanes& lattice);

}  // namespace SPINODAL_ISA
}  // namespace spinodal
