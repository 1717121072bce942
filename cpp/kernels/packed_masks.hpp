// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "kernels/packed.hpp"
#include "kernels/table.hpp"

namespace spinodal {
namespace SPINODAL_ISA {

/// The masks of one block. Kept at full length: overwrites of a part-filled block may land past its end.
struct BlockMasks {
  alignas(64) std::uint8_t x4[32 * block_vectors], r8[32 * block_vectors], tie[32 * block_vectors];
};

struct BlockIndex {
  std::uint32_t block;
  int color;
  int n_vectors;    // that exist
  int log_vectors;  // log2 of those overwrites are spread over
};

/// Draws the masks of a block. A function of its own: streams times shapes times rules of updates would be
/// too much code.
using DrawBlock = void (*)(const SweepKey&, const WordCache&, const BlockIndex&, const PackedRule&, BlockMasks&);

DrawBlock draw_block_function(Stream stream);

}  // namespace SPINODAL_ISA
}  // namespace spinodal
