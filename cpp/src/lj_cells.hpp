// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "kernels/lj_types.hpp"
#include "spinodal/lennard_jones.hpp"
#include "src/scratch.hpp"

namespace spinodal {

/// Particles sorted into the columns of LjCells, and the memory for it.
///
/// The axes here: columns lie along z. In two dimensions y of the caller is z, and y here has length one.
class LjSorted {
 public:
  /// Sort (n, dim) positions; the order depends on them alone. Periodic ones are wrapped.
  void sort(const double* positions, std::int64_t n, const Box& box);

  const LjCells& cells() const { return cells_; }
  std::int64_t n_particles() const { return n_; }
  int dim() const { return dim_; }

  /// Slot of LjCells (8 a cluster) → particle, or -1 in a pad.
  const std::int32_t* particle() const { return particle_.data(); }

  /// Lengths of the box that each of the particles was moved by, (n, dim), into the box; false if by none.
  bool wraps(const double* positions, const Box& box, std::int32_t* lengths) const;

  /// Numbers of the halves' records (n_clusters, 2, stride), from an offset on, in the caller's order.
  void gather(const double* halves, std::int64_t stride, std::int64_t offset, double* numbers) const;

  /// The other way; pads are left as they are.
  void scatter(const double* numbers, double* halves, std::int64_t stride, std::int64_t offset) const;

  /// The forces in the halves' records.
  void read_forces(double* forces) const { gather(cells_.halves, LjCells::half_size, 12, forces); }

 private:
  void wrap(const double* positions, const Box& box);
  void divide(const Box& box);
  void order();
  void order_column(std::int32_t* slots, std::int64_t n) const;
  void fill();
  void bound();

  std::int64_t n_ = 0;
  int dim_ = 3;
  double origin_[3] = {};
  LjCells cells_{};
  Scratch<double> wrapped_, halves_;
  Scratch<float> singles_, bounds_;
  Scratch<std::int32_t> key_, bin_, starts_, sorted_, particle_, n_in_half_, column_begin_, cluster_column_;
};

/// The caller's axis → the axis of LjCells.
inline int inner_axis(int dim, int axis) { return dim == 2 && axis == 1 ? 2 : axis; }

}  // namespace spinodal
