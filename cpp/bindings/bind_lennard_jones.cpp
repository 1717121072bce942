// SPDX-License-Identifier: BSD-3-Clause
#include <pybind11/stl.h>

#include <memory>
#include <mutex>
#include <optional>

#include "bindings.hpp"
#include "particles.hpp"

namespace spinodal::bindings {
namespace {

void lennard_jones(const Reals& positions, const Reals& box, bool periodic, double epsilon, double sigma, double cutoff,
                   const std::string& shift, double softening, const std::string& precision, int n_threads,
                   Reals& energy, std::optional<Reals>& forces, Reals& virial) {
  const ParticleBatch batch = batch_of(positions, box, periodic);
  const LennardJones potential{epsilon, sigma, cutoff, parse_shift(shift), softening, parse_precision(precision)};
  const double* x = positions.data();
  double* u = write(energy, batch.n_systems, "energy");
  double* f = forces ? write(*forces, batch.size(), "forces") : nullptr;
  double* w = write(virial, batch.n_systems, "virial");
  py::gil_scoped_release release;
  spinodal::lennard_jones(x, batch.n_systems, batch.n_particles, batch.box, potential, u, f, w, n_threads);
}

/// A plan, and who uses it: a second thread is refused, not let in.
class Plan {
 public:
  Plan(std::int64_t n_particles, const Reals& box, bool periodic, double epsilon, double sigma, double cutoff,
       const std::string& shift, double softening, const std::string& precision)
      : n_(n_particles),
        dim_(static_cast<int>(box.size())),
        plan_(n_particles, box_of(box, periodic),
              {epsilon, sigma, cutoff, parse_shift(shift), softening, parse_precision(precision)}) {}

  void compute(const Reals& positions, int n_threads, Reals& energy, Reals& forces, Reals& virial) {
    const double* x = read(positions, n_ * dim_, "positions");
    double* u = write(energy, 1, "energy");
    double* f = write(forces, n_ * dim_, "forces");
    double* w = write(virial, 1, "virial");
    py::gil_scoped_release release;
    const std::unique_lock<std::mutex> lock(mutex_, std::try_to_lock);
    if (!lock.owns_lock()) throw std::runtime_error("a plan serves one thread at a time: make one for each");
    plan_.compute(x, u, f, w, n_threads);
  }

  std::int64_t n_lists() const { return plan_.n_lists(); }

 private:
  static Box box_of(const Reals& box, bool periodic) {
    Box result{static_cast<int>(box.size()), periodic, {1, 1, 1}};
    if (box.size() != 2 && box.size() != 3) throw std::invalid_argument("box must have 2 or 3 lengths");
    for (int axis = 0; axis < result.dim; ++axis) result.length[axis] = box.data()[axis];
    return result;
  }

  std::int64_t n_;
  int dim_;
  LennardJonesPlan plan_;
  std::mutex mutex_;
};

}  // namespace

void bind_lennard_jones(py::module_& module) {
  using py::arg;
  module.def("lennard_jones", &lennard_jones, arg("positions").noconvert(), arg("box").noconvert(), arg("periodic"),
             arg("epsilon"), arg("sigma"), arg("cutoff"), arg("shift"), arg("softening"), arg("precision"),
             arg("n_threads"), arg("energy").noconvert(), arg("forces").noconvert(), arg("virial").noconvert());
  py::class_<Plan>(module, "LennardJonesPlan")
      .def(py::init<std::int64_t, const Reals&, bool, double, double, double, const std::string&, double,
                    const std::string&>(),
           arg("n_particles"), arg("box").noconvert(), arg("periodic"), arg("epsilon"), arg("sigma"), arg("cutoff"),
           arg("shift"), arg("softening"), arg("precision"))
      .def("compute", &Plan::compute, arg("positions").noconvert(), arg("n_threads"), arg("energy").noconvert(),
           arg("forces").noconvert(), arg("virial").noconvert())
      .def_property_readonly("n_lists", &Plan::n_lists);
}

}  // namespace spinodal::bindings
