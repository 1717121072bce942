// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "kernels/packed.hpp"
#include "kernels/table.hpp"

namespace spinodal {
namespace SPINODAL_ISA {

/// Overwrites drawn for a block and not yet made: their words, and index | byte of x4 and r8 << 16.
struct PendingOverwrites {
  const OverwriteTable* table;
  std::int64_t n;
  alignas(32) std::uint64_t word[4 * (max_overwrites + 1)], code[4 * (max_overwrites + 1)];
};

/// The masks of one block. Kept at full length: overwrites of a part-filled block may land past its end.
struct BlockMasks {
  alignas(64) std::uint8_t x4[mask_bytes], r8[mask_bytes], tie[mask_bytes], x8[mask_bytes];
  PendingOverwrites pending;
};

struct BlockIndex {
  std::uint32_t block;
  int color;
  int n_vectors;          // that exist: even
  bool replicas = false;  // random words of spinodal/replicas.hpp, the key's chain its group
};

/// Draw the masks of a block into `next`, and meanwhile make the overwrites of `current`, which is then ready for
/// use: those few hundred scalar instructions cost little among vector ones, and a byte stored long before
/// its vector is loaded costs no stall. A function of its own: streams times shapes times rules of updates would be
/// too much code.
using DrawBlock = void (*)(const SweepKey&, const WordCache&, const BlockIndex&, const PackedRule&, BlockMasks& next,
                           BlockMasks& current);

DrawBlock draw_block_function(Stream stream);

/// A block without masks: what is current when the first is drawn.
void clear_block(BlockMasks& block);
/// Make the overwrites of the last block.
void finish_block(BlockMasks& block);

}  // namespace SPINODAL_ISA
}  // namespace spinodal
