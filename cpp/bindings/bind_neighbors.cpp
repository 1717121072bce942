// SPDX-License-Identifier: BSD-3-Clause
#include <memory>

#include "bindings.hpp"
#include "particles.hpp"
#include "spinodal/neighbors.hpp"

namespace spinodal::bindings {
namespace {

/// A new array, or none.
template <class T>
py::object table(bool wanted, std::int64_t n, int dim, T*& data) {
  data = nullptr;
  if (!wanted) return py::none();
  Array<T> array = dim == 0 ? Array<T>(n) : Array<T>({n, static_cast<std::int64_t>(dim)});
  data = array.mutable_data();
  return array;
}

/// (i, j, distances, vectors, shifts), None where not among the wanted ones.
py::tuple neighbor_list(const Reals& positions, const Reals& box, bool periodic, double cutoff, bool half,
                        const std::string& wanted, int n_threads) {
  const ParticleBatch batch = batch_of(positions, box, periodic);
  if (batch.n_systems != 1) throw std::invalid_argument("one system at a time");
  const double* x = positions.data();
  std::unique_ptr<NeighborList> list;
  {
    py::gil_scoped_release release;
    list = std::make_unique<NeighborList>(x, batch.n_particles, batch.box, cutoff, half, n_threads);
  }
  const auto has = [&](char quantity) { return wanted.find(quantity) != std::string::npos; };
  const std::int64_t n = list->n_pairs();
  const int dim = batch.box.dim;
  PairTables tables{};
  const py::object i = table(has('i'), n, 0, tables.i), j = table(has('j'), n, 0, tables.j);
  const py::object distances = table(has('d'), n, 0, tables.distances);
  const py::object vectors = table(has('D'), n, dim, tables.vectors), shifts = table(has('S'), n, dim, tables.shifts);
  {
    py::gil_scoped_release release;
    list->write(tables, n_threads);
  }
  return py::make_tuple(i, j, distances, vectors, shifts);
}

void pair_histogram(const Reals& positions, const Reals& box, bool periodic, double r_max, std::int64_t n_bins,
                    int n_threads, Array<std::int64_t>& counts) {
  const ParticleBatch batch = batch_of(positions, box, periodic);
  const double* x = positions.data();
  std::int64_t* out = write(counts, batch.n_systems * n_bins, "counts");
  py::gil_scoped_release release;
  spinodal::pair_histogram(x, batch.n_systems, batch.n_particles, batch.box, r_max, n_bins, out, n_threads);
}

}  // namespace

void bind_neighbors(py::module_& module) {
  using py::arg;
  module.def("neighbor_list", &neighbor_list, arg("positions").noconvert(), arg("box").noconvert(), arg("periodic"),
             arg("cutoff"), arg("half"), arg("wanted"), arg("n_threads"));
  module.def("pair_histogram", &pair_histogram, arg("positions").noconvert(), arg("box").noconvert(), arg("periodic"),
             arg("r_max"), arg("n_bins"), arg("n_threads"), arg("counts").noconvert());
}

}  // namespace spinodal::bindings
