// SPDX-License-Identifier: BSD-3-Clause
// 256 chains of one temperature at once on the square lattice at h = 0; spinodal/replicas.hpp defines it.
#include "kernels/entries.hpp"
#include "kernels/packed_masks.hpp"
#include "kernels/replica_sites.hpp"

SPINODAL_KERNELS_BEGIN

template <class Rule>
__attribute__((noinline)) void update_tiles(const ReplicaLattice& lattice, const ReplicaBlock& block,
                                            const BlockMasks& masks, TilePlace& place) {
  Tiles<true>(lattice, block.color)
      .visit(place, (block.end - block.begin) / 2, [&](std::uint8_t* site, const Neighbors& n, std::int64_t vector) {
        const std::int64_t at = vector_bytes * vector;
        Rule::update(Bits::load(site), n.pair, n.side, n.far, masks.x4 + at, masks.r8 + at, masks.tie + at).store(site);
      });
}

/// Masks do not depend on spins, so those of the next block are drawn before this one is updated.
class ReplicaSweeper {
 public:
  ReplicaSweeper(const ReplicaLattice& lattice, const PackedRule* const* rules, const ReplicaRun& run,
                 const WordCache& cache)
      : lattice_(lattice), rules_(rules), run_(run), cache_(cache), draw_(draw_block_function(run.stream)) {}

  void run() {
    ReplicaWalk here(run_, 2, lattice_.n_sites() / 2, block_vectors);
    clear_block(masks_[1]);
    draw(here, masks_[0], masks_[1]);
    for (int i = 0; !here.done(); i = 1 - i) {
      ReplicaWalk next = here;
      next.advance();
      if (next.done()) {
        finish_block(masks_[i]);
      } else {
        draw(next, masks_[1 - i], masks_[i]);
      }
      update(here, masks_[i]);
      here = next;
    }
  }

 private:
  void draw(const ReplicaWalk& at, BlockMasks& next, BlockMasks& current) const {
    const ReplicaBlock block = at.block();
    const BlockIndex index{static_cast<std::uint32_t>(block.begin / block_vectors), block.color,
                           static_cast<int>(block.end - block.begin), true};
    draw_({run_.stream, run_.seed, at.sweep(), run_.group}, cache_, index, *rules_[at.heat_bath()], next, current);
  }

  void update(const ReplicaWalk& at, const BlockMasks& masks) {
    const ReplicaBlock block = at.block();
    if (block.begin == 0) place_ = {};
    if (at.heat_bath()) {
      update_tiles<HeatBathRule>(lattice_, block, masks, place_);
    } else {
      update_tiles<MetropolisRule>(lattice_, block, masks, place_);
    }
  }

  const ReplicaLattice& lattice_;
  const PackedRule* const* rules_;
  const ReplicaRun& run_;
  const WordCache& cache_;
  const DrawBlock draw_;
  TilePlace place_;
  BlockMasks masks_[2];
};

SPINODAL_KERNELS_END

namespace spinodal {
namespace SPINODAL_ISA {

void replica_sweeps(const ReplicaLattice& lattice, const PackedRule* const* rules, const ReplicaRun& run,
                    const WordCache& cache) {
  if (run.n_sweeps > 0) ReplicaSweeper(lattice, rules, run, cache).run();
}

}  // namespace SPINODAL_ISA
}  // namespace spinodal
