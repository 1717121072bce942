// SPDX-License-Identifier: BSD-3-Clause
#include "arrays.hpp"
#include "bindings.hpp"
#include "spinodal/packed.hpp"

namespace spinodal::bindings {
namespace {

bool packed_supports(std::int64_t ly, std::int64_t lx) { return spinodal::packed_supports({1, ly, lx, true}); }

void packed_metropolis_sweep(Array<std::int8_t>& spins, const Array<double>& beta, double J, std::int64_t n_sweeps,
                             std::uint64_t seed, std::uint64_t sweep, std::uint32_t first_chain,
                             int heat_bath_every, const std::string& stream, int n_threads) {
  const SpinBatch batch = batch_of(spins, 2);
  std::int8_t* data = spins.mutable_data();
  const double* betas = read(beta, batch.n_chains, "beta");
  const SweepOptions options{n_sweeps, seed, sweep, first_chain, parse_stream(stream), n_threads};
  py::gil_scoped_release release;
  spinodal::packed_metropolis_sweep(data, batch.n_chains, batch.shape, betas, J, options, heat_bath_every);
}

void packed_observables(const Array<std::int8_t>& spins, double J, Array<double>& energy,
                        Array<std::int64_t>& magnetization, int n_threads) {
  const SpinBatch batch = batch_of(spins, 2);
  const std::int8_t* data = spins.data();
  double* energies = write(energy, batch.n_chains, "energy");
  std::int64_t* totals = write(magnetization, batch.n_chains, "magnetization");
  py::gil_scoped_release release;
  spinodal::packed_observables(data, batch.n_chains, batch.shape, J, energies, totals, n_threads);
}

Array<std::uint8_t> packed_masks(double exponent, bool heat_bath, bool overwrites, std::uint32_t first_block,
                                 std::uint32_t n_blocks, std::uint64_t seed, std::uint64_t sweep,
                                 std::uint32_t chain, const std::string& stream) {
  Array<std::uint8_t> out({py::ssize_t{n_blocks}, py::ssize_t{2}, py::ssize_t{32}, py::ssize_t{32}});
  std::uint8_t* data = out.mutable_data();
  const SweepOptions options{1, seed, sweep, chain, parse_stream(stream), 1};
  py::gil_scoped_release release;
  spinodal::packed_masks(exponent, heat_bath, overwrites, first_block, n_blocks, options, data);
  return out;
}

}  // namespace

void bind_packed(py::module_& module) {
  using py::arg;
  module.def("packed_supports", &packed_supports, arg("ly"), arg("lx"));
  module.def("packed_metropolis_sweep", &packed_metropolis_sweep, arg("spins").noconvert(),
             arg("beta").noconvert(), arg("J"), arg("n_sweeps"), arg("seed"), arg("sweep"), arg("first_chain"),
             arg("heat_bath_every"), arg("stream"), arg("n_threads"));
  module.def("packed_observables", &packed_observables, arg("spins").noconvert(), arg("J"),
             arg("energy").noconvert(), arg("magnetization").noconvert(), arg("n_threads"));
  module.def("packed_masks", &packed_masks, arg("exponent"), arg("heat_bath"), arg("overwrites"),
             arg("first_block"), arg("n_blocks"), arg("seed"), arg("sweep"), arg("chain"), arg("stream"));
}

}  // namespace spinodal::bindings
