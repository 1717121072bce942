// SPDX-License-Identifier: BSD-3-Clause
#include "arrays.hpp"
#include "bindings.hpp"
#include "spinodal/ising.hpp"

namespace spinodal::bindings {
namespace {

using Spins = Array<std::int8_t>;
using Reals = Array<double>;

SweepOptions options_of(std::int64_t n_steps, std::uint64_t seed, std::uint64_t first_step, std::uint32_t first_chain,
                        const std::string& stream, int n_threads) {
  return {n_steps, seed, first_step, first_chain, parse_stream(stream), n_threads};
}

void metropolis_sweep(Spins& spins, const Reals& beta, double J, double h, std::int64_t n_sweeps, std::uint64_t seed,
                      std::uint64_t sweep, std::uint32_t first_chain, std::int64_t heat_bath_every,
                      const std::string& stream, int ndim, int n_threads) {
  const SpinBatch batch = batch_of(spins, ndim);
  std::int8_t* data = spins.mutable_data();
  const double* betas = read(beta, batch.n_chains, "beta");
  const SweepOptions options = options_of(n_sweeps, seed, sweep, first_chain, stream, n_threads);
  py::gil_scoped_release release;
  spinodal::metropolis_sweep(data, batch.n_chains, batch.shape, betas, {J, h}, options, heat_bath_every);
}

void ising_energy(const Spins& spins, double J, double h, Reals& out, int ndim, int n_threads) {
  const SpinBatch batch = batch_of(spins, ndim);
  const std::int8_t* data = spins.data();
  double* energy = write(out, batch.n_chains, "out");
  py::gil_scoped_release release;
  spinodal::ising_energy(data, batch.n_chains, batch.shape, {J, h}, energy, n_threads);
}

void magnetization(const Spins& spins, Array<std::int64_t>& out, int ndim, int n_threads) {
  const SpinBatch batch = batch_of(spins, ndim);
  const std::int8_t* data = spins.data();
  std::int64_t* total = write(out, batch.n_chains, "out");
  py::gil_scoped_release release;
  spinodal::magnetization(data, batch.n_chains, batch.shape, total, n_threads);
}

void local_field(const Spins& spins, double J, double h, Reals& out, int ndim, int n_threads) {
  const SpinBatch batch = batch_of(spins, ndim);
  const std::int8_t* data = spins.data();
  double* field = write(out, batch.n_chains * batch.shape.n_sites(), "out");
  py::gil_scoped_release release;
  spinodal::local_field(data, batch.n_chains, batch.shape, {J, h}, field, n_threads);
}

void random_spins(Spins& out, std::uint64_t seed, std::uint32_t first_chain, const std::string& stream, int ndim,
                  int n_threads) {
  const SpinBatch batch = batch_of(out, ndim);
  std::int8_t* data = out.mutable_data();
  const Stream parsed = parse_stream(stream);
  py::gil_scoped_release release;
  spinodal::random_spins(data, batch.n_chains, batch.shape.n_sites(), seed, first_chain, parsed, n_threads);
}

}  // namespace

void bind_ising(py::module_& module) {
  using py::arg;
  module.def("metropolis_sweep", &metropolis_sweep, arg("spins").noconvert(), arg("beta").noconvert(), arg("J"),
             arg("h"), arg("n_sweeps"), arg("seed"), arg("sweep"), arg("first_chain"), arg("heat_bath_every"),
             arg("stream"), arg("ndim"), arg("n_threads"));
  module.def("ising_energy", &ising_energy, arg("spins").noconvert(), arg("J"), arg("h"), arg("out").noconvert(),
             arg("ndim"), arg("n_threads"));
  module.def("magnetization", &magnetization, arg("spins").noconvert(), arg("out").noconvert(), arg("ndim"),
             arg("n_threads"));
  module.def("local_field", &local_field, arg("spins").noconvert(), arg("J"), arg("h"), arg("out").noconvert(),
             arg("ndim"), arg("n_threads"));
  module.def("random_spins", &random_spins, arg("out").noconvert(), arg("seed"), arg("first_chain"), arg("stream"),
             arg("ndim"), arg("n_threads"));
}

}  // namespace spinodal::bindings
