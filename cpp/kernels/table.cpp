// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/entries.hpp"

#define SPINODAL_NAME_OF(isa) #isa
#define SPINODAL_NAME(isa) SPINODAL_NAME_OF(isa)

namespace spinodal {
namespace SPINODAL_ISA {

const KernelTable kernel_table = {
    SPINODAL_NAME(SPINODAL_ISA),
    stream_blocks,
    pack_rows,
    unpack_rows,
    update_rows,
    random_spins,
    first_non_spin,
    sum_spins,
    bond_sum,
    wolff_steps,
    swendsen_wang_sweeps,
    packed_load,
    packed_store,
    packed_edges,
    packed_sweeps,
    cache_words,
    packed_masks,
    packed_unequal_bonds,
    packed_up_count,
    replica_load,
    replica_store,
    replica_reverse_odd,
    replica_sums,
    replica_sweeps,
    lane_sweeps,
    pack_spins,
    unpack_spins,
    correlate_bits,
    lj_batch_width,
    lj_batch,
    lj_outer_rows,
    lj_inner_rows,
    lj_singles,
    lj_forces,
    lj_batch_steps,
    lj_batch_velocities,
    lj_move,
    lj_partners,
    lj_write_pairs,
    lj_count_pairs,
    lj_local_sweep,
    graph_term,
    graph_term_double,
    grid_pass,
    grid_pass_double,
    dense_block,
    dense_block_double,
    lj_mixed_rows,
    lj_mixed_begin,
    lj_mixed_forces,
    lj_mixed_end,
};

}  // namespace SPINODAL_ISA
}  // namespace spinodal
