// SPDX-License-Identifier: BSD-3-Clause
// Sweeps of the bit-packed lattice: shapes, buffers, and the partition of work among threads.
#include <omp.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>

#include "spinodal/packed.hpp"
#include "src/dispatch.hpp"
#include "src/packed_tables.hpp"
#include "src/packed_words.hpp"
#include "src/team.hpp"
#include "src/validate.hpp"

namespace spinodal {
namespace {

PackedPlanes planes_of(LatticeShape shape) {
  PackedPlanes planes{};
  planes.lz = shape.lz;
  planes.ly = shape.ly;
  planes.width = shape.lx / 2;
  planes.two_dimensional = shape.two_dimensional;
  planes.layer = shape.two_dimensional ? 1 : shape.ly;
  planes.n_bands = 8;
  const std::int64_t n_layers = shape.two_dimensional ? shape.ly : shape.lz;
  while (planes.n_bands > 1 && (planes.n_bands * planes.width > 256 || n_layers % planes.n_bands != 0))
    planes.n_bands /= 2;
  planes.rows = n_layers / planes.n_bands * planes.layer;
  planes.n_vectors = planes.n_bands > 1 ? 1 : (planes.width + 255) / 256;
  planes.stride = 32 * planes.n_vectors + (planes.has_end_words() ? PackedPlanes::margin : 0);
  for (std::int64_t bit = 0; bit < 256; ++bit) {
    const std::int64_t lane = planes.lane_bits(), site = bit % lane + 256 * (planes.n_vectors - 1);
    const auto mark = static_cast<std::uint8_t>(1u << bit % 8);
    if (site < planes.width) planes.sites[bit / 8] |= mark;
    if (bit / lane % 2 == 1) planes.odd_bands[bit / 8] |= mark;
  }
  return planes;
}

std::int64_t n_tiles(const PackedPlanes& planes) { return planes.n_row_pairs() * planes.n_vectors; }

/// The two sublattices' memory, kept by each thread between calls. Sites that no row has are zero.
class PackedBuffer {
 public:
  const PackedPlanes& planes(LatticeShape shape) {
    if (shape == shape_) return planes_;
    PackedPlanes planes = planes_of(shape);
    shape_ = {};  // the planes are of no use any more, should memory run out
    const auto size = static_cast<std::size_t>(planes.plane_bytes());
    for (int color = 0; color < 2; ++color) {
      if (size > capacity_) {
        memory_[color].reset(static_cast<std::uint8_t*>(::operator new(size, std::align_val_t{64})));
      }
      std::memset(memory_[color].get(), 0, size);
      planes.plane[color] = memory_[color].get();
    }
    capacity_ = std::max(size, capacity_);
    shape_ = shape;
    return planes_ = planes;
  }

 private:
  struct Free {
    void operator()(std::uint8_t* p) const { ::operator delete(p, std::align_val_t{64}); }
  };
  std::unique_ptr<std::uint8_t, Free> memory_[2];
  std::size_t capacity_ = 0;
  PackedPlanes planes_{};
  LatticeShape shape_{};
};

thread_local PackedBuffer packed_buffer;

struct Work {
  std::int8_t* spins;
  std::int64_t n_chains;
  LatticeShape shape;
  const double* beta;
  double J;
  const SweepOptions& options;
  std::int64_t heat_bath_every;
  const WordCache& words;
  double* energy;
  std::int64_t* magnetization;
};

/// What the members of a team count together on one chain.
struct Totals {
  std::int64_t n_unequal = 0, n_up[2] = {0, 0};
};

/// A member's share of a chain: row pairs to sweep, and rows of the array to read and write.
struct Share {
  std::int64_t pair_begin, pair_end, row_begin, row_end, y_begin, y_end;

  /// Whole blocks of random numbers where the rows allow.
  Share(const PackedPlanes& planes, int rank, int size)
      : pair_begin(first_pair(planes, rank, size)),
        pair_end(first_pair(planes, rank + 1, size)),
        row_begin(2 * pair_begin),
        row_end(std::min(2 * pair_end, planes.rows)),
        y_begin(planes.lz * planes.ly * rank / size),
        y_end(planes.lz * planes.ly * (rank + 1) / size) {}

 private:
  static std::int64_t first_pair(const PackedPlanes& planes, int rank, int size) {
    std::int64_t unit = 1;
    while (unit < block_tiles && unit * planes.n_vectors % block_tiles != 0) unit *= 2;
    const std::int64_t n_units = (planes.n_row_pairs() + unit - 1) / unit;
    return std::min(n_units * rank / size * unit, planes.n_row_pairs());
  }
};

void barrier() {
#pragma omp barrier
}

void count(const PackedPlanes& planes, const Share& share, Totals& totals) {
  const KernelTable& kernel = kernels();
  const std::int64_t n_unequal = kernel.packed_unequal_bonds(planes, share.row_begin, share.row_end);
#pragma omp atomic
  totals.n_unequal += n_unequal;
  for (int color = 0; color < 2; ++color) {
    const std::int64_t n_up = kernel.packed_up_count(planes, color, share.row_begin, share.row_end);
#pragma omp atomic
    totals.n_up[color] += n_up;
  }
}

/// E = -J Σ s_i s_j and Σ s. With J < 0 the planes hold color 1 reversed, where E has |J| for J.
void write_totals(const Work& work, std::int64_t chain, const Totals& totals) {
  const std::int64_t n_sites = work.shape.n_sites(), half = n_sites / 2;
  const std::int64_t n_bonds = n_sites * (work.shape.two_dimensional ? 2 : 3);
  const std::int64_t n_up_1 = work.J < 0 ? half - totals.n_up[1] : totals.n_up[1];
  if (work.energy != nullptr) {
    work.energy[chain] = std::abs(work.J) * static_cast<double>(2 * totals.n_unequal - n_bonds);
  }
  if (work.magnetization != nullptr) work.magnetization[chain] = 2 * (totals.n_up[0] + n_up_1) - n_sites;
}

PackedSweeps sweeps_of(const Work& work, const ChainTables& tables, std::int64_t chain, const Share& share,
                       bool alone) {
  const SweepOptions& options = work.options;
  return {&tables.metropolis,
          &tables.heat_bath,
          work.heat_bath_every,
          options.stream,
          options.seed,
          options.sweep,
          options.first_chain + static_cast<std::uint32_t>(chain),
          options.n_sweeps,
          share.pair_begin,
          share.pair_end,
          alone ? nullptr : barrier};
}

/// All sweeps of one chain by member `rank` of a team of `size`.
void sweep_chain(const Work& work, const PackedPlanes& planes, const ChainTables& tables, std::int64_t chain, int rank,
                 int size, Totals& totals) {
  const KernelTable& kernel = kernels();
  const Share share(planes, rank, size);
  const bool alone = size == 1;
  std::int8_t* spins = work.spins + chain * work.shape.n_sites();
  kernel.packed_load(spins, planes, work.J < 0, share.y_begin, share.y_end);
  if (!alone) barrier();
  for (int color = 0; color < 2; ++color) kernel.packed_edges(planes, color, share.row_begin, share.row_end);
  kernel.packed_sweeps(planes, sweeps_of(work, tables, chain, share, alone), work.words);
  if (!alone) barrier();
  if (work.energy != nullptr || work.magnetization != nullptr) count(planes, share, totals);
  kernel.packed_store(planes, spins, work.J < 0, share.y_begin, share.y_end);
}

const ChainTables& tables_of(const Work& work, const PackedPlanes& planes, std::int64_t chain) {
  return chain_tables(work.beta[chain] * std::abs(work.J), 2 * n_tiles(planes), !planes.two_dimensional);
}

void sweep_alone(const Work& work, const PackedPlanes& planes, std::int64_t chain) {
  Totals totals;
  sweep_chain(work, planes, tables_of(work, planes, chain), chain, 0, 1, totals);
  write_totals(work, chain, totals);
}

void sweep_all(const Work& work) {
  // A barrier a color costs a microsecond: worth it where a thread's share of a color takes longer.
  constexpr std::int64_t min_sites_a_thread = 1 << 17;
  // Sixteen packed updates take the time of one that team_size counts; packing and unpacking that of four sweeps.
  const std::int64_t n_sites = work.shape.n_sites(), n_sweeps = std::min<std::int64_t>(work.options.n_sweeps, 1 << 16);
  const int n_threads = team_size(work.options.n_threads, work.n_chains * work.shape.n_sites() / work.shape.lx,
                                  work.n_chains * n_sites / 16 * (n_sweeps + 4));
  const bool split_lattice =
      work.n_chains < 2 * n_threads && work.n_chains % n_threads != 0 && n_sites / n_threads >= min_sites_a_thread;
  if (n_threads == 1) {  // no team: also what a forked child can run
    const PackedPlanes& planes = packed_buffer.planes(work.shape);
    for (std::int64_t c = 0; c < work.n_chains; ++c) sweep_alone(work, planes, c);
  } else if (split_lattice) {
    const PackedPlanes& planes = packed_buffer.planes(work.shape);
    for (std::int64_t c = 0; c < work.n_chains; ++c) {
      const ChainTables& tables = tables_of(work, planes, c);
      Totals totals;
#pragma omp parallel num_threads(n_threads)
      sweep_chain(work, planes, tables, c, omp_get_thread_num(), omp_get_num_threads(), totals);
      write_totals(work, c, totals);
    }
  } else {
#pragma omp parallel num_threads(static_cast<int>(std::min<std::int64_t>(n_threads, work.n_chains)))
    {
      const PackedPlanes& planes = packed_buffer.planes(work.shape);
#pragma omp for schedule(dynamic, 1)
      for (std::int64_t c = 0; c < work.n_chains; ++c) sweep_alone(work, planes, c);
    }
  }
}

void check_rows(const Work& work) {
  check_shape(work.shape);
  check_even(work.shape);
  if (!rows_supports(work.shape)) {
    throw std::invalid_argument("the rows layout needs even lengths, the last >= 64, and at most 2^31 sites; got " +
                                std::string(work.shape.two_dimensional ? "" : std::to_string(work.shape.lz) + " x ") +
                                std::to_string(work.shape.ly) + " x " + std::to_string(work.shape.lx));
  }
  check_beta(work.beta, work.n_chains);
  check_coupling({work.J, 0.0});
  check_options(work.options, work.n_chains);
  check_heat_bath_every(work.heat_bath_every);
  check_spins(work.spins, work.n_chains * work.shape.n_sites(), work.options.n_threads);
}

}  // namespace

bool rows_supports(LatticeShape shape) {
  // Blocks of random numbers are counted by 19 bits.
  constexpr std::int64_t max_tiles = (std::int64_t{1} << 19) * block_tiles;
  const bool has_pairs = shape.two_dimensional || (shape.lz % 2 == 0 && shape.lz >= 2);
  return has_pairs && shape.lx % 2 == 0 && shape.ly % 2 == 0 && shape.lx >= 64 && shape.ly >= 2 &&
         n_tiles(planes_of(shape)) <= max_tiles;
}

void metropolis_sweep_rows(std::int8_t* spins, std::int64_t n_chains, LatticeShape shape, const double* beta, double J,
                           const SweepOptions& options, std::int64_t heat_bath_every, double* energy,
                           std::int64_t* magnetization) {
  const WordCache& words = packed_words(options.seed);
  const Work work{spins, n_chains, shape, beta, J, options, heat_bath_every, words, energy, magnetization};
  check_rows(work);
  sweep_all(work);
}

void packed_masks(double exponent, bool heat_bath, bool cubic, bool overwrites, std::uint32_t first_block,
                  std::uint32_t n_blocks, const SweepOptions& options, std::uint8_t* out) {
  check_options(options, 1);
  auto tables = std::make_unique<ChainTables>(exponent, block_vectors, cubic);
  PackedRule& rule = heat_bath ? tables->heat_bath : tables->metropolis;
  if (!overwrites) {
    for (OverwriteCounts* counts : {&rule.overwrites.x4, &rule.overwrites.r8, &rule.overwrites.x8}) {
      std::fill(std::begin(counts->limit), std::end(counts->limit), ~std::uint64_t{0});
      std::fill(std::begin(counts->guide), std::end(counts->guide), std::uint8_t{0});
    }
  }
  const SweepKey key{options.stream, options.seed, options.sweep, options.first_chain};
  kernels().packed_masks(rule, key, packed_words(options.seed), first_block, first_block + n_blocks, out);
}

}  // namespace spinodal
