// SPDX-License-Identifier: BSD-3-Clause
#include <pybind11/stl.h>

#include <optional>

#include "arrays.hpp"
#include "bindings.hpp"
#include "spinodal/lennard_jones.hpp"

namespace spinodal::bindings {
namespace {

using Reals = Array<double>;

Shift parse_shift(const std::string& name) {
  if (name == "truncated") return Shift::truncated;
  if (name == "energy") return Shift::energy;
  if (name == "force") return Shift::force;
  throw std::invalid_argument("shift='" + name + "' is unknown; choose one of: truncated, energy, force");
}

/// Positions (n_systems, n_particles, dim).
struct ParticleBatch {
  std::int64_t n_systems, n_particles;
  Box box;

  std::int64_t size() const { return n_systems * n_particles * box.dim; }
};

ParticleBatch batch_of(const Reals& positions, const Reals& box, bool periodic) {
  if (positions.ndim() != 3) throw std::invalid_argument("positions must have 3 axes");
  const auto dim = static_cast<int>(positions.shape(2));
  if (dim != 2 && dim != 3) throw std::invalid_argument("dim must be 2 or 3; got " + std::to_string(dim));
  ParticleBatch batch{positions.shape(0), positions.shape(1), {dim, periodic, {1, 1, 1}}};
  const double* length = read(box, dim, "box");
  for (int axis = 0; axis < dim; ++axis) batch.box.length[axis] = length[axis];
  return batch;
}

void lennard_jones(const Reals& positions, const Reals& box, bool periodic, double epsilon, double sigma, double cutoff,
                   const std::string& shift, double softening, int n_threads, Reals& energy,
                   std::optional<Reals>& forces, Reals& virial) {
  const ParticleBatch batch = batch_of(positions, box, periodic);
  const LennardJones potential{epsilon, sigma, cutoff, parse_shift(shift), softening};
  const double* x = positions.data();
  double* u = write(energy, batch.n_systems, "energy");
  double* f = forces ? write(*forces, batch.size(), "forces") : nullptr;
  double* w = write(virial, batch.n_systems, "virial");
  py::gil_scoped_release release;
  spinodal::lennard_jones(x, batch.n_systems, batch.n_particles, batch.box, potential, u, f, w, n_threads);
}

}  // namespace

void bind_lennard_jones(py::module_& module) {
  using py::arg;
  module.def("lennard_jones", &lennard_jones, arg("positions").noconvert(), arg("box").noconvert(), arg("periodic"),
             arg("epsilon"), arg("sigma"), arg("cutoff"), arg("shift"), arg("softening"), arg("n_threads"),
             arg("energy").noconvert(), arg("forces").noconvert(), arg("virial").noconvert());
}

}  // namespace spinodal::bindings
