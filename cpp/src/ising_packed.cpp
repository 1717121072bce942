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
#include "src/validate.hpp"
#include "src/word_cache.hpp"

namespace spinodal {
namespace {

PackedPlanes planes_of(LatticeShape shape) {
  PackedPlanes planes{};
  planes.ly = shape.ly;
  planes.width = shape.lx / 2;
  planes.n_bands = 8;
  while (planes.n_bands > 1 && (planes.n_bands * planes.width > 256 || shape.ly % planes.n_bands != 0))
    planes.n_bands /= 2;
  planes.rows = shape.ly / planes.n_bands;
  planes.n_vectors = planes.n_bands > 1 ? 1 : (planes.width + 255) / 256;
  planes.stride = 32 * planes.n_vectors + (planes.n_bands > 1 ? 0 : PackedPlanes::margin);
  return planes;
}

std::int64_t n_tiles(const PackedPlanes& planes) { return planes.n_row_pairs() * planes.n_vectors; }

/// log2 of the vectors a block's overwrites are spread over.
int log_vectors_of(const PackedPlanes& planes) {
  int log = 1;
  while (log < 5 && std::int64_t{1} << log < 2 * n_tiles(planes)) ++log;
  return log;
}

/// The two sublattices' memory, kept by each thread between calls. Sites that no row has are zero.
class PackedBuffer {
 public:
  const PackedPlanes& planes(LatticeShape shape) {
    const PackedPlanes wanted = planes_of(shape);
    const bool same_shape = wanted.ly == planes_.ly && wanted.width == planes_.width;
    if (same_shape) return planes_;
    const auto size = static_cast<std::size_t>(wanted.plane_bytes());
    planes_ = wanted;
    for (int color = 0; color < 2; ++color) {
      if (size > capacity_)
        memory_[color].reset(static_cast<std::uint8_t*>(::operator new(size, std::align_val_t{64})));
      std::memset(memory_[color].get(), 0, size);
      planes_.plane[color] = memory_[color].get();
    }
    capacity_ = std::max(size, capacity_);
    return planes_;
  }

 private:
  struct Free {
    void operator()(std::uint8_t* p) const { ::operator delete(p, std::align_val_t{64}); }
  };
  std::unique_ptr<std::uint8_t, Free> memory_[2];
  std::size_t capacity_ = 0;
  PackedPlanes planes_{};
};

thread_local PackedBuffer packed_buffer;

struct PackedWork {
  std::int8_t* spins;
  std::int64_t n_chains;
  LatticeShape shape;
  const double* beta;
  double J;
  const SweepOptions& options;
  int heat_bath_every;
  const WordCache& words;

  bool is_bath(std::uint64_t sweep) const {
    const auto every = static_cast<std::uint64_t>(heat_bath_every);
    return every != 0 && sweep % every == every - 1;
  }
};

/// Row pairs of team member `rank`, whole blocks of random numbers where the rows allow.
std::int64_t first_pair(const PackedPlanes& planes, int rank, int size) {
  std::int64_t unit = 1;
  while (unit < block_tiles && unit * planes.n_vectors % block_tiles != 0) unit *= 2;
  const std::int64_t n_units = (planes.n_row_pairs() + unit - 1) / unit;
  return std::min(n_units * rank / size * unit, planes.n_row_pairs());
}

void barrier(int size) {
  if (size > 1) {
#pragma omp barrier
  }
}

void sweep_chain(const PackedWork& work, const PackedPlanes& planes, const ChainTables& tables, std::int64_t chain,
                 int rank, int size) {
  const KernelTable& kernel = kernels();
  const SweepOptions& options = work.options;
  std::int8_t* spins = work.spins + chain * work.shape.n_sites();
  const std::int64_t pair_begin = first_pair(planes, rank, size), pair_end = first_pair(planes, rank + 1, size);
  const std::int64_t y_begin = planes.ly * rank / size, y_end = planes.ly * (rank + 1) / size;
  kernel.packed_load(spins, planes, work.J < 0, y_begin, y_end);
  barrier(size);
  for (int color = 0; color < 2; ++color)
    kernel.packed_edges(planes, color, 2 * pair_begin, std::min(2 * pair_end, planes.rows));
  for (std::int64_t i = 0; i < options.n_sweeps; ++i) {
    const std::uint64_t sweep = options.sweep + static_cast<std::uint64_t>(i);
    const SweepKey key{options.stream, options.seed, sweep,
                       options.first_chain + static_cast<std::uint32_t>(chain)};
    const PackedRule rule = tables.rule(work.is_bath(sweep));
    for (int color = 0; color < 2; ++color) {
      barrier(size);
      kernel.packed_update(planes, color, pair_begin, pair_end, rule, key, work.words);
    }
  }
  barrier(size);
  kernel.packed_store(planes, spins, work.J < 0, y_begin, y_end);
}

ChainTables tables_of(const PackedWork& work, const PackedPlanes& planes, std::int64_t chain) {
  return ChainTables(work.beta[chain] * std::abs(work.J), log_vectors_of(planes));
}

void sweep_all(const PackedWork& work) {
  // A barrier a color costs a microsecond: worth it where a thread's share of a color takes longer.
  constexpr std::int64_t min_sites_a_thread = 1 << 17;
  const int n_threads = work.options.n_threads;
  const bool split_lattice = work.n_chains < 2 * n_threads && work.n_chains % n_threads != 0 &&
                             work.shape.n_sites() / n_threads >= min_sites_a_thread;
  const auto whole_chain = [&](const PackedPlanes& planes, std::int64_t chain) {
    sweep_chain(work, planes, tables_of(work, planes, chain), chain, 0, 1);
  };
  if (n_threads == 1) {  // no team: also what a forked child can run
    const PackedPlanes& planes = packed_buffer.planes(work.shape);
    for (std::int64_t c = 0; c < work.n_chains; ++c) whole_chain(planes, c);
  } else if (split_lattice) {
    const PackedPlanes& planes = packed_buffer.planes(work.shape);
    for (std::int64_t c = 0; c < work.n_chains; ++c) {
      const ChainTables tables = tables_of(work, planes, c);
#pragma omp parallel num_threads(n_threads)
      sweep_chain(work, planes, tables, c, omp_get_thread_num(), omp_get_num_threads());
    }
  } else {
#pragma omp parallel num_threads(static_cast<int>(std::min<std::int64_t>(n_threads, work.n_chains)))
    {
      const PackedPlanes& planes = packed_buffer.planes(work.shape);
#pragma omp for schedule(dynamic, 1)
      for (std::int64_t c = 0; c < work.n_chains; ++c) whole_chain(planes, c);
    }
  }
}

void check_packed(const std::int8_t* spins, std::int64_t n_chains, LatticeShape shape, double J) {
  check_shape(shape);
  check_coupling({J, 0.0});
  if (!packed_supports(shape)) {
    throw std::invalid_argument("the packed lattice needs two even lengths, the last >= 64; got " +
                                std::to_string(shape.ly) + " x " + std::to_string(shape.lx) +
                                (shape.two_dimensional ? "" : " x …"));
  }
  check_spins(spins, n_chains * shape.n_sites());
}

}  // namespace

bool packed_supports(LatticeShape shape) {
  constexpr std::int64_t max_tiles = (std::int64_t{1} << 19) * block_tiles;
  return shape.two_dimensional && shape.lx % 2 == 0 && shape.ly % 2 == 0 && shape.lx >= 64 && shape.ly >= 2 &&
         n_tiles(planes_of(shape)) <= max_tiles;
}

void packed_metropolis_sweep(std::int8_t* spins, std::int64_t n_chains, LatticeShape shape, const double* beta,
                             double J, const SweepOptions& options, int heat_bath_every) {
  check_packed(spins, n_chains, shape, J);
  check_beta(beta, n_chains);
  check_options(options, n_chains);
  if (heat_bath_every < 0) {
    throw std::invalid_argument("heat_bath_every must be >= 0; got " + std::to_string(heat_bath_every));
  }
  sweep_all({spins, n_chains, shape, beta, J, options, heat_bath_every, words_of(options.seed)});
}

void packed_observables(const std::int8_t* spins, std::int64_t n_chains, LatticeShape shape, double J,
                        double* energy, std::int64_t* magnetization, int n_threads) {
  check_packed(spins, n_chains, shape, J);
  check_threads(n_threads);
  const KernelTable& kernel = kernels();
  const std::int64_t n_sites = shape.n_sites();
#pragma omp parallel for schedule(static) num_threads(n_threads) if (n_threads > 1 && n_chains > 1)
  for (std::int64_t c = 0; c < n_chains; ++c) {
    const PackedPlanes& planes = packed_buffer.planes(shape);
    kernel.packed_load(spins + c * n_sites, planes, false, 0, planes.ly);
    std::int64_t n_up = 0;
    for (int color = 0; color < 2; ++color) {
      kernel.packed_edges(planes, color, 0, planes.rows);
      n_up += kernel.packed_up_count(planes, color, 0, planes.rows);
    }
    energy[c] = -J * static_cast<double>(2 * (n_sites - kernel.packed_unequal_bonds(planes, 0, planes.rows)));
    magnetization[c] = 2 * n_up - n_sites;
  }
}

void packed_masks(double exponent, bool heat_bath, bool overwrites, std::uint32_t first_block,
                  std::uint32_t n_blocks, const SweepOptions& options, std::uint8_t* out) {
  check_options(options, 1);
  auto tables = std::make_unique<ChainTables>(exponent, 5);
  if (!overwrites) {
    for (MaskTable* table : {&tables->x4, &tables->r8_metropolis, &tables->r8_heat_bath}) {
      std::fill_n(table->overwrites.count_limit, max_overwrites + 1, ~std::uint64_t{0});
      std::fill_n(table->overwrites.guide, 256, std::uint8_t{0});
    }
  }
  const SweepKey key{options.stream, options.seed, options.sweep, options.first_chain};
  kernels().packed_masks(tables->rule(heat_bath), key, words_of(options.seed), first_block, first_block + n_blocks,
                         out);
}

}  // namespace spinodal
