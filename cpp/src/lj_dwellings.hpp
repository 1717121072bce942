// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "kernels/lj_types.hpp"
#include "spinodal/lennard_jones.hpp"
#include "src/scratch.hpp"

namespace spinodal {

/// The memory of LjDwellings.
class Dwellings {
 public:
  /// Take the positions (n, dim), wrapped, of particles whose moves and pairs reach so far.
  void take(const double* positions, std::int64_t n, const Box& box, double cutoff, double step);

  /// Put everyone into its cell, in the order of the particles: then what follows depends on the positions alone.
  void settle();

  /// More room in every cell, all in their order.
  void grow();

  /// Move all by the same.
  void shift(const double* by);

  void read(double* positions) const;

  /// (dim) mean position.
  void mean(double* out) const;

  const LjDwellings& cells() const { return at_; }

 private:
  void divide(const Box& box, double reach);
  void lay_out(std::int64_t capacity);
  std::int64_t cell_of(std::int64_t i) const;
  void place_in(std::int64_t i, std::int64_t cell);
  std::int64_t total_cells() const { return at_.n_cells[0] * at_.n_cells[1] * at_.n_cells[2]; }

  LjDwellings at_{};
  Scratch<double> place_;
  Scratch<float> corner_;
  Scratch<std::uint32_t> occupant_, candidates_;
  Scratch<std::int32_t> count_, cell_, slot_;
};

}  // namespace spinodal
