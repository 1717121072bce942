// SPDX-License-Identifier: BSD-3-Clause
// The functions of one instruction set; table.cpp gathers them.
#pragma once

#include "kernels/table.hpp"

namespace spinodal {
namespace SPINODAL_ISA {

void stream_blocks(Stream, std::uint64_t seed, const Counter*, std::uint64_t n, std::uint32_t* out);
void pack_rows(const std::int8_t* spins, const ColorPlanes&, std::int64_t row_begin, std::int64_t row_end);
void unpack_rows(const ColorPlanes&, std::int8_t* spins, std::int64_t row_begin, std::int64_t row_end);
void update_rows(const ColorPlanes&, int color, std::int64_t row_begin, std::int64_t row_end, const AcceptTable&,
                 const SweepKey&);
void random_spins(std::int8_t* spins, std::int64_t n_sites, Stream, std::uint64_t seed, std::uint32_t chain);
std::int64_t first_non_spin(const std::int8_t* spins, std::int64_t n);
std::int64_t sum_spins(const std::int8_t* spins, std::int64_t n);
std::int64_t bond_sum(const std::int8_t* spins, LatticeShape shape);
WolffTotals wolff_steps(std::int8_t* spins, const WolffLattice&, const ClusterRule&, const ClusterKey&,
                        bool whole_clusters);
std::int64_t swendsen_wang_sweeps(std::int8_t* spins, const ClusterLattice&, const ClusterRule&, const ClusterKey&);
void packed_load(const std::int8_t* spins, const PackedPlanes&, bool stagger, std::int64_t row_begin,
                 std::int64_t row_end);
void packed_store(const PackedPlanes&, std::int8_t* spins, bool stagger, std::int64_t row_begin, std::int64_t row_end);
void packed_edges(const PackedPlanes&, int color, std::int64_t row_begin, std::int64_t row_end);
void packed_sweeps(const PackedPlanes&, const PackedSweeps&, const WordCache&);
bool cache_words(std::uint64_t seed, WordCache&);
void packed_masks(const PackedRule&, const SweepKey&, const WordCache&, std::uint32_t block_begin,
                  std::uint32_t block_end, std::uint8_t* out);
std::int64_t packed_unequal_bonds(const PackedPlanes&, std::int64_t row_begin, std::int64_t row_end);
std::int64_t packed_up_count(const PackedPlanes&, int color, std::int64_t row_begin, std::int64_t row_end);
void replica_load(const std::int8_t* spins, const ReplicaLattice&, int lane_begin, int lane_end);
void replica_store(const ReplicaLattice&, std::int8_t* spins, int lane_begin, int lane_end);
void replica_reverse_odd(const ReplicaLattice&);
void replica_sums(const ReplicaLattice&, std::uint32_t* up, std::uint32_t* unlike);
void replica_sweeps(const ReplicaLattice&, const PackedRule* const* rules, const ReplicaRun&, const WordCache&);
void lane_sweeps(const ReplicaLattice&, const LaneRules&, const ReplicaRun&, const WordCache&);
bool pack_spins(const std::int8_t* spins, std::int64_t n, std::uint8_t* bits);
void unpack_spins(const std::uint8_t* bits, std::int64_t n, std::int8_t* spins);
void correlate_bits(const std::uint8_t* bits, const BitAxis&, std::uint64_t* ring, std::int64_t* sums);
std::int64_t lj_batch_width();
void lj_batch(const LjBatch&, const LjPotential&, double* x, double* f, double* energy, double* virial, bool measured);
std::int64_t lj_outer_rows(const LjCells&, double reach, bool exact, std::int64_t cluster, std::int64_t end, LjRows&);
void lj_inner_rows(const LjCells&, double reach, const LjRows&);
void lj_singles(const LjCells&, std::int64_t begin, std::int64_t end);
LjTotals lj_forces(const LjCells&, const LjPotential&, const LjRows&, bool measured);
void lj_batch_steps(const LjBatch&, const LjPotential&, LjMotion, std::int64_t n_steps, double* x, double* v, double* f,
                    const double* noise, double* kinetic);
void lj_batch_velocities(const LjBatch&, const LjMotion&, double* v, const double* noise);
LjMoved lj_move(const LjCells&, const LjMotion&, const LjMoving&, std::int64_t half, std::int64_t half_end, bool finish,
                bool start);
std::int64_t lj_partners(const LjCells&, double cutoff, std::int64_t row, const LjRows&, LjPartners&);
void lj_write_pairs(const LjCells&, const LjRows&, const LjPartners&, const LjPairTables&, std::int64_t first);
void lj_count_pairs(const LjCells&, const LjRows&, double reach, const LjBins&);
std::int64_t lj_local_sweep(const LjDwellings&, const LjPotential&, const LjWalk&, std::int64_t first, LjWalked&);
void graph_term(const GraphRows<float>&, std::int64_t window, const GraphTerm<float>&, int width);
void graph_term_double(const GraphRows<double>&, std::int64_t window, const GraphTerm<double>&, int width);
void grid_pass(const GridAxis<float>&, GridPass, float* block, float* line, int width);
void grid_pass_double(const GridAxis<double>&, GridPass, double* block, double* line, int width);
void dense_block(const DenseBlock<float>&, const float* x, float* out, std::int64_t n_channels);
void dense_block_double(const DenseBlock<double>&, const double* x, double* out, std::int64_t n_channels);
void lj_mixed_rows(const LjCells&, double reach, const LjRows&);
void lj_mixed_begin(const LjCells&, std::int64_t begin, std::int64_t end);
LjTotals lj_mixed_forces(const LjCells&, const LjPotential&, const LjRows&, bool measured);
void lj_mixed_end(const LjCells&, std::int64_t begin, std::int64_t end);

}  // namespace SPINODAL_ISA
}  // namespace spinodal
