// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstdint>

#include "spinodal/lennard_jones.hpp"
#include "src/dispatch.hpp"
#include "src/scratch.hpp"

namespace spinodal {

/// Some systems side by side, one a lane: (3, n_particles, width). Lanes without one repeat the last.
class LjLanes {
 public:
  LjLanes(std::int64_t n_particles, int dim) : n_(n_particles), dim_(dim), width_(kernels().lj_batch_width()) {
    std::fill_n(memory_.room(3 * n_ * width_), 3 * n_ * width_, 0.0);
  }

  double* data() const { return memory_.data(); }

  /// Take the systems [first, first + n) of (…, n_particles, dim).
  void read(const double* systems, std::int64_t first, std::int64_t n) {
    for (std::int64_t lane = 0; lane < width_; ++lane) {
      const double* from = systems + (first + std::min(lane, n - 1)) * n_ * dim_;
      for (std::int64_t i = 0; i < n_; ++i) {
        for (int axis = 0; axis < dim_; ++axis) data()[(axis * n_ + i) * width_ + lane] = from[i * dim_ + axis];
      }
    }
  }

  void write(double* systems, std::int64_t first, std::int64_t n) const {
    for (std::int64_t lane = 0; lane < n; ++lane) {
      double* to = systems + (first + lane) * n_ * dim_;
      for (std::int64_t i = 0; i < n_; ++i) {
        for (int axis = 0; axis < dim_; ++axis) to[i * dim_ + axis] = data()[(axis * n_ + i) * width_ + lane];
      }
    }
  }

 private:
  std::int64_t n_;
  int dim_;
  std::int64_t width_;
  Scratch<double> memory_;
};

inline LjBatch batch_in(const Box& box, std::int64_t n_particles) {
  const auto length = [&](int axis) { return axis < box.dim && box.periodic ? box.length[axis] : 1.0; };
  return {n_particles, {length(0), length(1), length(2)}, box.periodic};
}

}  // namespace spinodal
