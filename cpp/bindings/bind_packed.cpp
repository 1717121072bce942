// SPDX-License-Identifier: BSD-3-Clause
#include <pybind11/stl.h>

#include <optional>
#include <vector>

#include "arrays.hpp"
#include "bindings.hpp"
#include "spinodal/packed.hpp"

namespace spinodal::bindings {
namespace {

template <class T>
T* write_if_given(std::optional<Array<T> >& array, std::int64_t size, const char* name) {
  return array ? write(*array, size, name) : nullptr;
}

bool rows_supports(const std::vector<std::int64_t>& shape) {
  if (shape.size() == 2) return spinodal::rows_supports({1, shape[0], shape[1], true});
  return shape.size() == 3 && spinodal::rows_supports({shape[0], shape[1], shape[2], false});
}

void metropolis_sweep_rows(Array<std::int8_t>& spins, const Array<double>& beta, double J, std::int64_t n_sweeps,
                           std::uint64_t seed, std::uint64_t sweep, std::uint32_t first_chain,
                           std::int64_t heat_bath_every, const std::string& stream, int ndim, int n_threads,
                           std::optional<Array<double> > energy, std::optional<Array<std::int64_t> > magnetization) {
  const SpinBatch batch = batch_of(spins, ndim);
  std::int8_t* data = spins.mutable_data();
  const double* betas = read(beta, batch.n_chains, "beta");
  double* energies = write_if_given(energy, batch.n_chains, "energy");
  std::int64_t* totals = write_if_given(magnetization, batch.n_chains, "magnetization");
  const SweepOptions options{n_sweeps, seed, sweep, first_chain, parse_stream(stream), n_threads};
  py::gil_scoped_release release;
  spinodal::metropolis_sweep_rows(data, batch.n_chains, batch.shape, betas, J, options, heat_bath_every, energies,
                                  totals);
}

Array<std::uint8_t> packed_masks(double exponent, bool heat_bath, bool cubic, bool overwrites,
                                 std::uint32_t first_block, std::uint32_t n_blocks, std::uint64_t seed,
                                 std::uint64_t sweep, std::uint32_t chain, const std::string& stream) {
  Array<std::uint8_t> out({py::ssize_t{n_blocks}, py::ssize_t{cubic ? 3 : 2}, py::ssize_t{32}, py::ssize_t{32}});
  std::uint8_t* data = out.mutable_data();
  const SweepOptions options{1, seed, sweep, chain, parse_stream(stream), 1};
  py::gil_scoped_release release;
  spinodal::packed_masks(exponent, heat_bath, cubic, overwrites, first_block, n_blocks, options, data);
  return out;
}

}  // namespace

void bind_packed(py::module_& module) {
  using py::arg;
  module.def("rows_supports", &rows_supports, arg("shape"));
  module.def("metropolis_sweep_rows", &metropolis_sweep_rows, arg("spins").noconvert(), arg("beta").noconvert(),
             arg("J"), arg("n_sweeps"), arg("seed"), arg("sweep"), arg("first_chain"), arg("heat_bath_every"),
             arg("stream"), arg("ndim"), arg("n_threads"), arg("energy").noconvert() = py::none(),
             arg("magnetization").noconvert() = py::none());
  module.def("packed_masks", &packed_masks, arg("exponent"), arg("heat_bath"), arg("cubic"), arg("overwrites"),
             arg("first_block"), arg("n_blocks"), arg("seed"), arg("sweep"), arg("chain"), arg("stream"));
}

}  // namespace spinodal::bindings
