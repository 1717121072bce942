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
bool pack_spins(const std::int8_t* spins, std::int64_t n, std::uint8_t* bits);
void unpack_spins(const std::uint8_t* bits, std::int64_t n, std::int8_t* spins);
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

}  // namespace SPINODAL_ISA
}  // namespace spinodal
