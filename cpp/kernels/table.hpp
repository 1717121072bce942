// SPDX-License-Identifier: BSD-3-Clause
// What each instruction set offers: one row of the dispatch table.
#pragma once

#include <cstdint>

#include "kernels/graph_types.hpp"
#include "kernels/lj_types.hpp"
#include "kernels/packed.hpp"
#include "kernels/replicas.hpp"
#include "spinodal/ising.hpp"
#include "spinodal/stream.hpp"

namespace spinodal {

/// One lattice split into its two sublattices, spins as bytes 0 (down) and 1 (up).
///
/// Row r = z·ly + y of sublattice c holds the sites x = 2k + (y + z + c) % 2, k < width. Each row
/// has a copy of its last site before it and of its first site after it, so that every
/// neighbour of a vector of sites is one load; bytes past those are scratch, as many as the last of the
/// widest vectors reaches.
struct ColorPlanes {
  std::uint8_t* plane[2];
  std::int64_t lz, ly, width, stride;
  bool two_dimensional;

  static constexpr std::int64_t margin = 64;
  std::int64_t n_rows() const { return lz * ly; }
  std::uint8_t* row(int color, std::int64_t r) const { return plane[color] + margin + r * stride; }
};

/// Flip probabilities by local class 2·(up neighbours) + (1 if up): flip when a 64-bit
/// uniform U ≤ threshold. `first_byte` is the top byte of each threshold.
struct AcceptTable {
  alignas(16) std::uint8_t first_byte[16];
  std::uint64_t threshold[16];
};

struct SweepKey {
  Stream stream;
  std::uint64_t seed, sweep;
  std::uint32_t chain;
};

/// The cluster updates of one chain; update t draws from the counters of step first_step + t.
struct ClusterKey {
  Stream stream;
  std::uint64_t seed, first_step;
  std::int64_t n_steps;
  std::uint32_t chain;
};

/// Fortuin-Kasteleyn bonds of one chain. A bond with J s_i s_j > 0 is active when U ≤ bond_threshold,
/// one between the ghost spin and a site with h s_i > 0 when U ≤ ghost_threshold.
struct ClusterRule {
  std::uint64_t bond_threshold;   ///< of 1 - exp(-2β|J|)
  std::uint64_t ghost_threshold;  ///< of 1 - exp(-2β|h|)
  double ghost_exponent;          ///< 2β|h|
  int field_sign;                 ///< of h: -1, 0 or 1
  bool antiferromagnetic;         ///< J < 0
};

/// One lattice for Wolff updates, a byte a site, and the queue of the sites reached.
///
/// Site (z, y, x) is at z·plane + y·row + x. `queue` has room for every bond of the lattice,
/// which each enter it at most once, the first site, and `queue_margin` more.
struct WolffLattice {
  std::uint8_t* site;
  std::uint32_t* queue;
  std::int64_t lz, ly, lx, row, plane;
  bool two_dimensional;

  static constexpr std::int64_t queue_margin = 64;
};

struct WolffTotals {
  std::int64_t flipped, cluster_size;
};

/// One lattice for Swendsen-Wang sweeps, a bit a site, and what a sweep knows of its clusters.
///
/// Bit x % 64 of word x / 64 of a row is set where the spin is down; bits past lx are 0. A run is a
/// maximal stretch of a row joined by active bonds, the one across the boundary left out.
struct ClusterLattice {
  std::uint64_t* down;       ///< (n_rows, n_words)
  std::uint64_t* starts;     ///< (n_rows, n_words) first sites of runs
  std::uint32_t* first_run;  ///< (n_rows, n_words) number of runs that start before the word
  std::uint32_t* label;      ///< of each run, in the order of their first sites
  std::uint32_t* parent;     ///< of each label: a smaller one of its cluster, or itself
  std::uint8_t* state;       ///< of each label: 1 flips, 2 bound to the ghost
  std::uint8_t* turned;      ///< a bit a run: its spins flip
  std::int64_t lz, ly, lx;
  bool two_dimensional;

  static constexpr std::int64_t label_margin = 128;
  std::int64_t n_rows() const { return lz * ly; }
  std::int64_t n_words() const { return (lx + 63) / 64; }
};

/// One axis of a lattice in C order, among n_before · length · n_after sites.
struct BitAxis {
  std::int64_t n_before, length, n_after;
};

struct KernelTable {
  const char* isa;
  void (*stream_blocks)(Stream, std::uint64_t seed, const Counter*, std::uint64_t n, std::uint32_t* out);
  void (*pack_rows)(const std::int8_t* spins, const ColorPlanes&, std::int64_t row_begin, std::int64_t row_end);
  void (*unpack_rows)(const ColorPlanes&, std::int8_t* spins, std::int64_t row_begin, std::int64_t row_end);
  void (*update_rows)(const ColorPlanes&, int color, std::int64_t row_begin, std::int64_t row_end, const AcceptTable&,
                      const SweepKey&);
  void (*random_spins)(std::int8_t* spins, std::int64_t n_sites, Stream, std::uint64_t seed, std::uint32_t chain);
  std::int64_t (*first_non_spin)(const std::int8_t* spins, std::int64_t n);
  std::int64_t (*sum_spins)(const std::int8_t* spins, std::int64_t n);
  std::int64_t (*bond_sum)(const std::int8_t* spins, LatticeShape shape);
  WolffTotals (*wolff_steps)(std::int8_t* spins, const WolffLattice&, const ClusterRule&, const ClusterKey&,
                             bool whole_clusters);
  std::int64_t (*swendsen_wang_sweeps)(std::int8_t* spins, const ClusterLattice&, const ClusterRule&,
                                       const ClusterKey&);
  void (*packed_load)(const std::int8_t* spins, const PackedPlanes&, bool stagger, std::int64_t row_begin,
                      std::int64_t row_end);
  void (*packed_store)(const PackedPlanes&, std::int8_t* spins, bool stagger, std::int64_t row_begin,
                       std::int64_t row_end);
  void (*packed_edges)(const PackedPlanes&, int color, std::int64_t row_begin, std::int64_t row_end);
  void (*packed_sweeps)(const PackedPlanes&, const PackedSweeps&, const WordCache&);
  bool (*cache_words)(std::uint64_t seed, WordCache&);
  void (*packed_masks)(const PackedRule&, const SweepKey&, const WordCache&, std::uint32_t block_begin,
                       std::uint32_t block_end, std::uint8_t* out);
  std::int64_t (*packed_unequal_bonds)(const PackedPlanes&, std::int64_t row_begin, std::int64_t row_end);
  std::int64_t (*packed_up_count)(const PackedPlanes&, int color, std::int64_t row_begin, std::int64_t row_end);
  void (*replica_load)(const std::int8_t* spins, const ReplicaLattice&, int lane_begin, int lane_end);
  void (*replica_store)(const ReplicaLattice&, std::int8_t* spins, int lane_begin, int lane_end);
  void (*replica_reverse_odd)(const ReplicaLattice&);
  void (*replica_sums)(const ReplicaLattice&, std::uint32_t* up, std::uint32_t* unlike);
  void (*replica_sweeps)(const ReplicaLattice&, const PackedRule* const* rules, const ReplicaRun&, const WordCache&);
  void (*lane_sweeps)(const ReplicaLattice&, const LaneRules&, const ReplicaRun&, const WordCache&);
  bool (*pack_spins)(const std::int8_t* spins, std::int64_t n, std::uint8_t* bits);
  void (*unpack_spins)(const std::uint8_t* bits, std::int64_t n, std::int8_t* spins);
  void (*correlate_bits)(const std::uint8_t* bits, const BitAxis&, std::uint64_t* ring, std::int64_t* sums);
  std::int64_t (*lj_batch_width)();
  void (*lj_batch)(const LjBatch&, const LjPotential&, double* x, double* f, double* energy, double* virial,
                   bool measured);
  std::int64_t (*lj_outer_rows)(const LjCells&, double reach, bool exact, std::int64_t cluster, std::int64_t end,
                                LjRows&);
  void (*lj_inner_rows)(const LjCells&, double reach, const LjRows&);
  void (*lj_singles)(const LjCells&, std::int64_t begin, std::int64_t end);
  LjTotals (*lj_forces)(const LjCells&, const LjPotential&, const LjRows&, bool measured);
  void (*lj_batch_steps)(const LjBatch&, const LjPotential&, LjMotion, std::int64_t n_steps, double* x, double* v,
                         double* f, const double* noise, double* kinetic);
  void (*lj_batch_velocities)(const LjBatch&, const LjMotion&, double* v, const double* noise);
  LjMoved (*lj_move)(const LjCells&, const LjMotion&, const LjMoving&, std::int64_t half, std::int64_t half_end,
                     bool finish, bool start);
  std::int64_t (*lj_partners)(const LjCells&, double cutoff, std::int64_t row, const LjRows&, LjPartners&);
  void (*lj_write_pairs)(const LjCells&, const LjRows&, const LjPartners&, const LjPairTables&, std::int64_t first);
  void (*lj_count_pairs)(const LjCells&, const LjRows&, double reach, const LjBins&);
  std::int64_t (*lj_local_sweep)(const LjDwellings&, const LjPotential&, const LjWalk&, std::int64_t first, LjWalked&);
  void (*graph_term)(const GraphRows<float>&, std::int64_t window, const GraphTerm<float>&, int width);
  void (*graph_term_double)(const GraphRows<double>&, std::int64_t window, const GraphTerm<double>&, int width);
  void (*grid_pass)(const GridAxis<float>&, GridPass, float* block, float* line, int width);
  void (*grid_pass_double)(const GridAxis<double>&, GridPass, double* block, double* line, int width);
  void (*dense_block)(const DenseBlock<float>&, const float* x, float* out, std::int64_t n_channels);
  void (*dense_block_double)(const DenseBlock<double>&, const double* x, double* out, std::int64_t n_channels);
  void (*lj_mixed_rows)(const LjCells&, double reach, const LjRows&);
  void (*lj_mixed_begin)(const LjCells&, std::int64_t begin, std::int64_t end);
  LjTotals (*lj_mixed_forces)(const LjCells&, const LjPotential&, const LjRows&, bool measured);
  void (*lj_mixed_end)(const LjCells&, std::int64_t begin, std::int64_t end);
};

namespace baseline { extern const KernelTable kernel_table; }
namespace avx2 { extern const KernelTable kernel_table; }
namespace vaes { extern const KernelTable kernel_table; }
namespace avx512 { extern const KernelTable kernel_table; }

}  // namespace spinodal
