// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "arrays.hpp"
#include "spinodal/lennard_jones.hpp"

namespace spinodal::bindings {

using Reals = Array<double>;

inline Shift parse_shift(const std::string& name) {
  if (name == "truncated") return Shift::truncated;
  if (name == "energy") return Shift::energy;
  if (name == "force") return Shift::force;
  throw std::invalid_argument("shift='" + name + "' is unknown; choose one of: truncated, energy, force");
}

inline Precision parse_precision(const std::string& name) {
  if (name == "double") return Precision::full;
  if (name == "mixed") return Precision::mixed;
  throw std::invalid_argument("precision='" + name + "' is unknown; choose one of: double, mixed");
}

/// Positions (n_systems, n_particles, dim).
struct ParticleBatch {
  std::int64_t n_systems, n_particles;
  Box box;

  std::int64_t size() const { return n_systems * n_particles * box.dim; }
};

inline ParticleBatch batch_of(const Reals& positions, const Reals& box, bool periodic) {
  if (positions.ndim() != 3) throw std::invalid_argument("positions must have 3 axes");
  const auto dim = static_cast<int>(positions.shape(2));
  if (dim != 2 && dim != 3) throw std::invalid_argument("dim must be 2 or 3; got " + std::to_string(dim));
  ParticleBatch batch{positions.shape(0), positions.shape(1), {dim, periodic, {1, 1, 1}}};
  const double* length = read(box, dim, "box");
  for (int axis = 0; axis < dim; ++axis) batch.box.length[axis] = length[axis];
  return batch;
}

}  // namespace spinodal::bindings
