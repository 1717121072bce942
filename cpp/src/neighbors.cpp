// SPDX-License-Identifier: BSD-3-Clause
#include "spinodal/neighbors.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <stdexcept>
#include <utility>
#include <vector>

#include "src/dispatch.hpp"
#include "src/lj_list.hpp"
#include "src/lj_potential.hpp"
#include "src/team.hpp"
#include "src/validate.hpp"

namespace spinodal {
namespace {

void check(const double* positions, std::int64_t n_systems, std::int64_t n_particles, const Box& box, double reach,
           const char* name, int n_threads) {
  if (!(std::isfinite(reach) && reach > 0)) {
    std::ostringstream message;
    message << name << " must be finite and > 0; got " << reach;
    throw std::invalid_argument(message.str());
  }
  LennardJones potential;
  potential.cutoff = reach;
  check_potential(potential, box);
  check_positions(positions, n_systems, n_particles, box);
  check_threads(n_threads);
}

/// Pairs of a slab, before they are written.
struct Partners {
  Scratch<std::uint32_t> memory;
  LjPartners list{};

  void find(const LjCells& cells, double cutoff, const LjRows& rows) {
    list.n = 0;
    std::int64_t row = 0;
    for (std::int64_t room = 16 * rows.n_outer + 4096;; room *= 2) {
      list.slot = memory.keep(room, list.n);
      list.capacity = memory.capacity();
      row = kernels().lj_partners(cells, cutoff, row, rows, list);
      if (row == rows.n_rows) return;
    }
  }
};

}  // namespace

struct NeighborList::Found {
  LjList list;
  std::vector<Partners> partners;
  std::vector<std::int64_t> first;  ///< pair of each slab, and the end
  Scratch<std::int32_t> wraps;
  bool wrapped = false;

  /// What the last list of this thread needed, for the next one: fresh pages cost as much as the work.
  static std::unique_ptr<Found>& spare() {
    thread_local std::unique_ptr<Found> found;
    return found;
  }

  void find(const double* positions, std::int64_t n_particles, const Box& box, double cutoff, int n_threads) {
    list.build(positions, n_particles, box, cutoff, false, n_threads);
    wrapped = list.sorted().wraps(positions, box, wraps.room(n_particles * box.dim));
    partners.resize(std::max(partners.size(), list.n_slabs()));
    list.for_each_slab(n_threads, [&](std::size_t slab, const LjRows& rows) {
      partners[slab].find(list.sorted().cells(), cutoff, rows);
    });
    first.assign(1, 0);
    for (std::size_t slab = 0; slab < list.n_slabs(); ++slab) first.push_back(first.back() + partners[slab].list.n);
  }
};

NeighborList::NeighborList(const double* positions, std::int64_t n_particles, const Box& box, double cutoff, bool half,
                           int n_threads)
    : half_(half) {
  check(positions, 1, n_particles, box, cutoff, "cutoff", n_threads);
  found_ = Found::spare() != nullptr ? std::move(Found::spare()) : std::make_unique<Found>();
  found_->find(positions, n_particles, box, cutoff, team_size(n_threads, n_particles, 64 * n_particles));
}

NeighborList::~NeighborList() { Found::spare() = std::move(found_); }

std::int64_t NeighborList::n_pairs() const { return found_->first.back() * (half_ ? 1 : 2); }

void NeighborList::write(const PairTables& tables, int n_threads) const {
  check_threads(n_threads);
  LjList& list = found_->list;
  const LjSorted& sorted = list.sorted();
  const LjPairTables columns{tables.i,
                             tables.j,
                             tables.distances,
                             tables.vectors,
                             tables.shifts,
                             sorted.particle(),
                             found_->wrapped ? found_->wraps.data() : nullptr,
                             sorted.dim(),
                             half_};
  const int team = team_size(n_threads, static_cast<std::int64_t>(list.n_slabs()), 4 * n_pairs());
  list.for_each_slab(team, [&](std::size_t slab, const LjRows& rows) {
    kernels().lj_write_pairs(sorted.cells(), rows, found_->partners[slab].list, columns, found_->first[slab]);
  });
}

namespace {

/// Counts of one system, by slabs.
class SlabBins {
 public:
  void count(const double* positions, std::int64_t n_particles, const Box& box, double r_max, std::int64_t n_bins,
             std::int64_t* counts, int n_threads) {
    list_.build(positions, n_particles, box, r_max, false, n_threads);
    const std::int64_t size = (n_bins + 1) * LjBins::n_copies, n_slabs = static_cast<std::int64_t>(list_.n_slabs());
    std::int64_t* memory = memory_.room(n_slabs * size);
    list_.for_each_slab(n_threads, [&](std::size_t slab, const LjRows& rows) {
      std::int64_t* own = memory + static_cast<std::int64_t>(slab) * size;
      std::fill_n(own, size, 0);
      const LjBins bins{static_cast<double>(n_bins) / r_max, n_bins, own};
      kernels().lj_count_pairs(list_.sorted().cells(), rows, r_max, bins);
    });
    for (std::int64_t bin = 0; bin < n_bins; ++bin) {
      counts[bin] = 0;
      for (std::int64_t slab = 0; slab < n_slabs; ++slab) {
        const std::int64_t* copies = memory + slab * size + bin * LjBins::n_copies;
        for (std::int64_t copy = 0; copy < LjBins::n_copies; ++copy) counts[bin] += copies[copy];
      }
    }
  }

 private:
  LjList list_;
  Scratch<std::int64_t> memory_;
};

thread_local SlabBins bins_of_thread;

}  // namespace

void pair_histogram(const double* positions, std::int64_t n_systems, std::int64_t n_particles, const Box& box,
                    double r_max, std::int64_t n_bins, std::int64_t* counts, int n_threads) {
  check(positions, n_systems, n_particles, box, r_max, "r_max", n_threads);
  if (n_bins < 1 || n_bins > max_bins) {
    std::ostringstream message;
    message << "n_bins must be between 1 and " << max_bins << "; got " << n_bins;
    throw std::invalid_argument(message.str());
  }
  const bool one_each = n_systems >= n_threads;  // systems shared among the threads, or the slabs of each
  const int team = one_each ? team_size(n_threads, n_systems, 256 * n_systems * n_particles) : 1;
  const int inside = one_each ? 1 : team_size(n_threads, n_particles, 256 * n_particles);
#pragma omp parallel for schedule(static) num_threads(team) if (team > 1)
  for (std::int64_t s = 0; s < n_systems; ++s) {
    bins_of_thread.count(positions + s * n_particles * box.dim, n_particles, box, r_max, n_bins, counts + s * n_bins,
                         inside);
  }
}

}  // namespace spinodal
