// SPDX-License-Identifier: BSD-3-Clause
#include <pybind11/stl.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "arrays.hpp"
#include "bindings.hpp"
#include "spinodal/graph.hpp"

namespace spinodal::bindings {
namespace {

template <class T>
FieldShape shape_of(const Array<T>& x) {
  if (x.ndim() != 3) throw std::invalid_argument("fields must have 3 axes; got " + std::to_string(x.ndim()));
  return {x.shape(0), x.shape(1), x.shape(2)};
}

std::unique_ptr<GraphPlan> plan_graph(const Array<std::int64_t>& indptr, const Array<std::int32_t>& indices,
                                      const Array<double>& values) {
  if (indptr.size() < 1) throw std::invalid_argument("indptr needs at least one element");
  const std::int64_t n = indptr.size() - 1, n_entries = indptr.data()[n];
  const SparseRows rows{n, indptr.data(), read(indices, n_entries, "indices"), read(values, n_entries, "values")};
  py::gil_scoped_release release;
  return std::make_unique<GraphPlan>(rows);
}

py::array_t<std::int32_t> order_of(const GraphPlan& plan) {
  return py::array_t<std::int32_t>(plan.n_nodes(), plan.order());
}

template <class T>
void chebyshev(const GraphPlan& plan, double lmax, const std::vector<Array<T>>& x,
               const std::vector<Array<double>>& coefficients, Array<T>& out, int n_threads) {
  if (x.empty() || x.size() != coefficients.size()) throw std::invalid_argument("one array of coefficients a field");
  const FieldShape shape = shape_of(x[0]);
  const std::int64_t n_terms = coefficients[0].ndim() == 2 ? coefficients[0].shape(0) : 0;
  std::vector<FilterInput<T>> inputs;
  inputs.reserve(x.size());
  for (std::size_t m = 0; m < x.size(); ++m) {
    inputs.push_back(
        {read(x[m], shape.size(), "x"), read(coefficients[m], n_terms * shape.n_columns(), "coefficients")});
  }
  T* y = write(out, shape.size(), "out");
  py::gil_scoped_release release;
  spinodal::chebyshev_filter(plan, lmax, inputs.data(), static_cast<int>(inputs.size()), n_terms, shape, y, n_threads);
}

template <class T>
void grid(const std::vector<std::int64_t>& lengths, const std::vector<Array<T>>& matrices,
          const std::vector<Array<T>>& x, const std::vector<Array<T>>& multipliers, Array<T>& out, int n_threads) {
  const bool direct = multipliers.empty();
  const std::size_t each = direct ? 2 : 4;
  if (x.empty() || (!direct && multipliers.size() != x.size()) || matrices.size() != each * lengths.size()) {
    throw std::invalid_argument("2 matrices an axis, or 4 and multipliers of each field");
  }
  const FieldShape shape = shape_of(x[0]);
  std::vector<GridMatrices<T>> axes;
  axes.reserve(lengths.size());
  for (std::size_t a = 0; a < lengths.size(); ++a) {
    const std::int64_t n = lengths[a], even = (n + 1) / 2, odd = n / 2;
    const T* m[4] = {nullptr, nullptr, nullptr, nullptr};
    for (std::size_t i = 0; i < each; ++i) {
      const std::int64_t size = i % 2 == 0 ? even : odd;
      m[i] = read(matrices[each * a + i], size * size, "matrices");
    }
    axes.push_back({n, m[0], m[1], m[2], m[3]});
  }
  std::vector<GridInput<T>> inputs;
  inputs.reserve(x.size());
  for (std::size_t m = 0; m < x.size(); ++m) {
    const std::int64_t rows = direct ? 0 : multipliers[m].size() / std::max<std::int64_t>(shape.n_nodes, 1);
    const T* factors = direct ? nullptr : read(multipliers[m], rows * shape.n_nodes, "multipliers");
    inputs.push_back({read(x[m], shape.size(), "x"), factors, rows});
  }
  T* y = write(out, shape.size(), "out");
  py::gil_scoped_release release;
  grid_filter(axes.data(), static_cast<int>(axes.size()), inputs.data(), static_cast<int>(inputs.size()), shape, y,
              n_threads);
}

template <class T>
void blocks(const Array<T>& filters, const Array<std::int64_t>& offsets, const Array<T>& x, Array<T>& out,
            int n_threads) {
  const FieldShape shape = shape_of(x);
  const std::int64_t n_blocks = offsets.size() - 1;
  std::int64_t size = 0;
  for (std::int64_t b = 0; b < n_blocks; ++b) {
    const std::int64_t n = offsets.data()[b + 1] - offsets.data()[b];
    size += n * ((n + 7) / 8 * 8);
  }
  const T* f = read(filters, size, "filters");
  const T* from = x.data();
  T* y = write(out, shape.size(), "out");
  py::gil_scoped_release release;
  block_filter(f, offsets.data(), n_blocks, from, shape, y, n_threads);
}

template <class T>
void bind_filters(py::module_& module) {
  using py::arg;
  module.def("chebyshev_filter", &chebyshev<T>, arg("plan"), arg("lmax"), arg("x"), arg("coefficients"),
             arg("out").noconvert(), arg("n_threads"));
  module.def("grid_filter", &grid<T>, arg("lengths"), arg("matrices"), arg("x"), arg("multipliers"),
             arg("out").noconvert(), arg("n_threads"));
  module.def("block_filter", &blocks<T>, arg("filters").noconvert(), arg("offsets").noconvert(), arg("x").noconvert(),
             arg("out").noconvert(), arg("n_threads"));
}

}  // namespace

void bind_graph(py::module_& module) {
  using py::arg;
  py::class_<GraphPlan>(module, "GraphPlan")
      .def(py::init(&plan_graph), arg("indptr").noconvert(), arg("indices").noconvert(), arg("values").noconvert())
      .def_property_readonly("n_nodes", &GraphPlan::n_nodes)
      .def_property_readonly("bandwidth", &GraphPlan::bandwidth)
      .def_property_readonly("value_free", &GraphPlan::value_free)
      .def_property_readonly("order", &order_of);
  bind_filters<float>(module);
  bind_filters<double>(module);
}

}  // namespace spinodal::bindings
