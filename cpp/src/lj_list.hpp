// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "src/lj_cells.hpp"

namespace spinodal {

/// The neighbour rows of sorted particles, in slabs.
///
/// A slab is some neighbouring x-columns, at least as wide as the list's reach, so that its rows write into it and the
/// slab after it alone. All even slabs, then all odd ones: no two threads write to one place, and a record gets its
/// forces in one order. Their number is even, or one, and comes from the box alone, never from the threads.
class LjList {
 public:
  /// Sort the particles, and list all clusters within reach. A list that is to be used often is worth making `exact`,
  /// else it is one of bounding boxes.
  void build(const double* positions, std::int64_t n, const Box& box, double reach, bool exact, int n_threads);

  /// From those, list what is within a shorter reach of the present positions.
  void prune(double reach, int n_threads);

  /// Forces into the halves' records.
  LjTotals evaluate(const LjPotential& potential, bool measured, int n_threads);

  /// End a step, begin one, or both; energies are added, and displacements compared, slab by slab.
  LjMoved move(const LjMotion& motion, const LjMoving& moving, bool finish, bool start, int n_threads);

  LjSorted& sorted() { return sorted_; }
  const LjSorted& sorted() const { return sorted_; }

  std::size_t n_slabs() const { return n_slabs_; }

  /// f(slab, its rows), by some threads.
  template <class F>
  void for_each_slab(int n_threads, F f) {
    for_slabs(0, 1, n_threads, [&](Slab& slab) { f(static_cast<std::size_t>(&slab - slabs_.data()), slab.rows); });
  }

 private:
  struct Slab {
    std::int64_t first_cluster, cluster_end;
    Scratch<LjRow> row;
    Scratch<std::uint32_t> outer, inner;
    LjRows rows{};
    LjTotals totals{};
    LjMoved moved{};
  };

  void divide(double reach);
  void list(Slab& slab, double reach, bool exact) const;

  /// f(slab) for the slabs first, first + step, …, by some threads.
  template <class F>
  void for_slabs(std::size_t first, std::size_t step, int n_threads, F f) {
    const auto n = static_cast<std::int64_t>((n_slabs_ - first + step - 1) / step);
    const auto team = static_cast<int>(std::min<std::int64_t>(n_threads, n));
#pragma omp parallel for schedule(static, 1) num_threads(team) if (team > 1)
    for (std::int64_t k = 0; k < n; ++k) f(slabs_[first + static_cast<std::size_t>(k) * step]);
  }

  LjSorted sorted_;
  std::vector<Slab> slabs_;
  std::size_t n_slabs_ = 0;
};

}  // namespace spinodal
