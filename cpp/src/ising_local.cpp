// SPDX-License-Identifier: BSD-3-Clause
// Checkerboard sweeps: tables, buffers, and the partition of work among threads.
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "spinodal/ising.hpp"
#include "src/dispatch.hpp"
#include "src/team.hpp"
#include "src/threshold.hpp"
#include "src/validate.hpp"

namespace spinodal {
namespace {

double metropolis(double beta_delta) { return beta_delta <= 0 ? 1.0 : std::exp(-beta_delta); }
double heat_bath(double beta_delta) { return 1.0 / (1.0 + std::exp(beta_delta)); }

AcceptTable make_table(double (*probability)(double), double beta, Coupling coupling, int n_neighbors) {
  AcceptTable table{};
  for (int site_class = 0; site_class < 2 * (n_neighbors + 1); ++site_class) {
    const int up = site_class / 2, spin = 2 * (site_class % 2) - 1;
    const double delta = 2.0 * spin * (coupling.J * (2 * up - n_neighbors) + coupling.h);
    table.threshold[site_class] = threshold_of(probability(beta * delta));
    table.first_byte[site_class] = static_cast<std::uint8_t>(table.threshold[site_class] >> 56);
  }
  return table;
}

/// The two sublattices' memory. Kept by each thread between calls: fresh pages for a 4096² lattice
/// cost as much as a sweep of it.
class PlaneBuffer {
 public:
  const ColorPlanes& planes(LatticeShape shape) {
    planes_.lz = shape.lz;
    planes_.ly = shape.ly;
    planes_.width = shape.lx / 2;
    const std::int64_t vector = planes_.width <= 32 ? 32 : 64;  // no longer than a row that is shorter
    planes_.stride = (planes_.width + vector - 1) / vector * vector + vector;
    planes_.two_dimensional = shape.two_dimensional;
    const std::int64_t size = planes_.n_rows() * planes_.stride + 2 * ColorPlanes::margin;
    if (size > capacity_) grow(size);
    return planes_;
  }

 private:
  struct Free {
    void operator()(std::uint8_t* p) const { ::operator delete(p, std::align_val_t{64}); }
  };

  void grow(std::int64_t size) {
    for (int color = 0; color < 2; ++color) {
      memory_[color].reset(
          static_cast<std::uint8_t*>(::operator new(static_cast<std::size_t>(size), std::align_val_t{64})));
      std::fill_n(memory_[color].get(), size, std::uint8_t{0});
      planes_.plane[color] = memory_[color].get();
    }
    capacity_ = size;
  }

  std::unique_ptr<std::uint8_t, Free> memory_[2];
  std::int64_t capacity_ = 0;
  ColorPlanes planes_{};
};

thread_local PlaneBuffer buffer_of_thread;

/// The sweeps of one call: which table each sweep uses.
struct Rule {
  std::vector<AcceptTable> metropolis, heat_bath;  // one a chain
  std::int64_t heat_bath_every;

  const AcceptTable& table(std::int64_t chain, std::uint64_t sweep) const {
    const auto every = static_cast<std::uint64_t>(heat_bath_every);
    const bool bath = every != 0 && sweep % every == every - 1;
    return (bath ? heat_bath : metropolis)[static_cast<std::size_t>(chain)];
  }
};

Rule make_rule(const double* beta, std::int64_t n_chains, Coupling coupling, int n_neighbors,
               std::int64_t heat_bath_every) {
  Rule rule{{}, {}, heat_bath_every};
  for (std::int64_t c = 0; c < n_chains; ++c) {
    rule.metropolis.push_back(make_table(metropolis, beta[c], coupling, n_neighbors));
    rule.heat_bath.push_back(make_table(heat_bath, beta[c], coupling, n_neighbors));
  }
  return rule;
}

struct Work {
  std::int8_t* spins;
  std::int64_t n_chains;
  LatticeShape shape;
  const Rule& rule;
  const SweepOptions& options;
};

/// All sweeps of one chain by the calling team: member `rank` of `size` owns a block of rows.
void sweep_chain(const Work& work, const ColorPlanes& planes, std::int64_t chain, int rank, int size) {
  const KernelTable& kernel = kernels();
  const SweepOptions& options = work.options;
  std::int8_t* spins = work.spins + chain * work.shape.n_sites();
  const std::int64_t n_rows = planes.n_rows(), begin = n_rows * rank / size, end = n_rows * (rank + 1) / size;
  kernel.pack_rows(spins, planes, begin, end);
  for (std::int64_t i = 0; i < options.n_sweeps; ++i) {
    const std::uint64_t sweep = options.sweep + static_cast<std::uint64_t>(i);
    const SweepKey key{options.stream, options.seed, sweep, options.first_chain + static_cast<std::uint32_t>(chain)};
    for (int color = 0; color < 2; ++color) {
      if (size > 1) {
#pragma omp barrier
      }
      kernel.update_rows(planes, color, begin, end, work.rule.table(chain, sweep), key);
    }
  }
  kernel.unpack_rows(planes, spins, begin, end);
}

void sweep_all(const Work& work) {
  // A team inside one lattice pays two barriers a sweep: worth it only where a thread's share of
  // a sublattice takes far longer than a barrier, and where chains alone would leave threads idle.
  constexpr std::int64_t min_sites_a_thread = 1 << 15;
  const std::int64_t n_sites = work.shape.n_sites();
  const int n_threads = team_size(work.options.n_threads, work.n_chains * work.shape.lz * work.shape.ly,
                                  work.n_chains * n_sites * std::min<std::int64_t>(work.options.n_sweeps, 1 << 16));
  const bool split_lattice =
      work.n_chains < 2 * n_threads && work.n_chains % n_threads != 0 && n_sites / n_threads >= min_sites_a_thread;
  if (n_threads == 1) {
    const ColorPlanes& planes = buffer_of_thread.planes(work.shape);
    for (std::int64_t c = 0; c < work.n_chains; ++c) sweep_chain(work, planes, c, 0, 1);
  } else if (split_lattice) {
    const ColorPlanes& planes = buffer_of_thread.planes(work.shape);
#pragma omp parallel num_threads(n_threads)
    for (std::int64_t c = 0; c < work.n_chains; ++c) {
      sweep_chain(work, planes, c, omp_get_thread_num(), omp_get_num_threads());
#pragma omp barrier
    }
  } else {
#pragma omp parallel num_threads(static_cast<int>(std::min<std::int64_t>(n_threads, work.n_chains)))
    {
      const ColorPlanes& planes = buffer_of_thread.planes(work.shape);
#pragma omp for schedule(dynamic, 1)
      for (std::int64_t c = 0; c < work.n_chains; ++c) sweep_chain(work, planes, c, 0, 1);
    }
  }
}

void check_sweep(const std::int8_t* spins, std::int64_t n_chains, LatticeShape shape, const double* beta,
                 Coupling coupling, const SweepOptions& options) {
  check_shape(shape);
  check_even(shape);
  check_beta(beta, n_chains);
  check_coupling(coupling);
  check_options(options, n_chains);
  check_spins(spins, n_chains * shape.n_sites(), options.n_threads);
}

}  // namespace

void metropolis_sweep(std::int8_t* spins, std::int64_t n_chains, LatticeShape shape, const double* beta,
                      Coupling coupling, const SweepOptions& options, std::int64_t heat_bath_every) {
  check_sweep(spins, n_chains, shape, beta, coupling, options);
  check_heat_bath_every(heat_bath_every);
  const int n_neighbors = shape.two_dimensional ? 4 : 6;
  sweep_all({spins, n_chains, shape, make_rule(beta, n_chains, coupling, n_neighbors, heat_bath_every), options});
}

void heat_bath_sweep(std::int8_t* spins, std::int64_t n_chains, LatticeShape shape, const double* beta,
                     Coupling coupling, const SweepOptions& options) {
  metropolis_sweep(spins, n_chains, shape, beta, coupling, options, 1);
}

}  // namespace spinodal
