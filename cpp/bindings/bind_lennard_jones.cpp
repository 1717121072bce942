// SPDX-License-Identifier: BSD-3-Clause
#include <pybind11/stl.h>

#include <optional>

#include "bindings.hpp"
#include "particles.hpp"

namespace spinodal::bindings {
namespace {

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
