// SPDX-License-Identifier: BSD-3-Clause
#include "src/lj_list.hpp"

#include <algorithm>
#include <cmath>

#include "src/dispatch.hpp"

namespace spinodal {
namespace {

/// Clusters along x a row can reach forward.
std::int64_t columns_forward(const LjCells& cells, double reach) {
  return 1 + static_cast<std::int64_t>((reach + 2 * static_cast<double>(cells.rounding)) / cells.side[0]);
}

std::int64_t count_slabs(const LjCells& cells, double reach) {
  const std::int64_t most = cells.nx / (columns_forward(cells, reach) + 1);
  // Four threads, or two, get the same number of slabs each wherever there are enough.
  return most >= 4 ? most / 4 * 4 : most >= 2 ? 2 : 1;
}

}  // namespace

void LjList::build(const double* positions, std::int64_t n, const Box& box, double reach, bool exact, int n_threads) {
  sorted_.sort(positions, n, box);
  divide(reach);
  const LjCells& cells = sorted_.cells();
  for_slabs(0, 1, n_threads, [&](Slab& slab) { kernels().lj_singles(cells, slab.first_cluster, slab.cluster_end); });
  for_slabs(0, 1, n_threads, [&](Slab& slab) { list(slab, reach, exact); });
}

void LjList::divide(double reach) {
  const LjCells& cells = sorted_.cells();
  n_slabs_ = static_cast<std::size_t>(count_slabs(cells, reach));
  if (slabs_.size() < n_slabs_) slabs_.resize(n_slabs_);
  const auto cluster_at = [&](std::size_t slab) {
    const std::int64_t column = cells.nx * static_cast<std::int64_t>(slab) / static_cast<std::int64_t>(n_slabs_);
    return cells.column_begin[column * cells.ny];
  };
  for (std::size_t s = 0; s < n_slabs_; ++s) {
    slabs_[s].first_cluster = cluster_at(s);
    slabs_[s].cluster_end = cluster_at(s + 1);
  }
}

void LjList::list(Slab& slab, double reach, bool exact) const {
  const std::int64_t n_clusters = slab.cluster_end - slab.first_cluster;
  LjRows& rows = slab.rows;
  rows.n_rows = rows.n_outer = 0;
  std::int64_t cluster = slab.first_cluster;
  for (std::int64_t row_room = 4 * n_clusters + 64, room = 128 * n_clusters + 1024;; row_room *= 2, room *= 2) {
    rows.row = slab.row.keep(row_room, rows.n_rows);
    rows.outer = slab.outer.keep(room, rows.n_outer);
    rows.row_capacity = slab.row.capacity();
    rows.outer_capacity = slab.outer.capacity();
    cluster = kernels().lj_outer_rows(sorted_.cells(), reach, exact, cluster, slab.cluster_end, rows);
    if (cluster == slab.cluster_end) return;
  }
}

void LjList::prune(double reach, int n_threads) {
  const LjCells& cells = sorted_.cells();
  for_slabs(0, 1, n_threads, [&](Slab& slab) { kernels().lj_singles(cells, slab.first_cluster, slab.cluster_end); });
  for_slabs(0, 1, n_threads, [&](Slab& slab) {
    slab.rows.inner = slab.inner.room(16 * (slab.rows.n_outer + slab.rows.n_rows));
    kernels().lj_inner_rows(cells, reach, slab.rows);
  });
}

LjTotals LjList::evaluate(const LjPotential& potential, bool measured, int n_threads) {
  const auto of_slab = [&](Slab& slab) {
    slab.totals = kernels().lj_forces(sorted_.cells(), potential, slab.rows, measured);
  };
  for (const std::size_t first : {std::size_t{0}, std::size_t{1}}) {
    if (first < n_slabs_) for_slabs(first, 2, n_threads, of_slab);
  }
  LjTotals totals{};
  for (std::size_t s = 0; s < n_slabs_; ++s) {
    totals.energy += slabs_[s].totals.energy;
    totals.virial += slabs_[s].totals.virial;
  }
  return totals;
}

LjMoved LjList::move(const LjMotion& motion, const LjMoving& moving, bool finish, bool start, int n_threads) {
  for_slabs(0, 1, n_threads, [&](Slab& slab) {
    slab.moved =
        kernels().lj_move(sorted_.cells(), motion, moving, 2 * slab.first_cluster, 2 * slab.cluster_end, finish, start);
  });
  LjMoved moved{};
  for (std::size_t s = 0; s < n_slabs_; ++s) {
    moved.kinetic_energy += slabs_[s].moved.kinetic_energy;
    moved.from_listed = std::max(moved.from_listed, slabs_[s].moved.from_listed);
    moved.from_pruned = std::max(moved.from_pruned, slabs_[s].moved.from_pruned);
  }
  return moved;
}

}  // namespace spinodal
