// SPDX-License-Identifier: BSD-3-Clause
#include <pybind11/stl.h>

#include <optional>

#include "arrays.hpp"
#include "bindings.hpp"
#include "spinodal/replicas.hpp"

namespace spinodal::bindings {
namespace {

using Sweep = void (*)(std::int8_t*, std::int64_t, LatticeShape, const double*, Coupling, const SweepOptions&,
                       std::int64_t, const ReplicaObservables&);

template <Sweep function>
void sweep(Array<std::int8_t>& spins, const Array<double>& beta, double J, double h, std::int64_t n_sweeps,
           std::uint64_t seed, std::uint64_t sweep, std::uint32_t first_chain, std::int64_t heat_bath_every,
           const std::string& stream, int ndim, int n_threads, std::optional<Array<double>> energy,
           std::optional<Array<std::int64_t>> magnetization) {
  const SpinBatch batch = batch_of(spins, ndim);
  std::int8_t* data = spins.mutable_data();
  const double* betas = read(beta, batch.n_chains, "beta");
  const SweepOptions options{n_sweeps, seed, sweep, first_chain, parse_stream(stream), n_threads};
  ReplicaObservables observables;
  if (energy) observables.energy = write(*energy, batch.n_chains, "energy");
  if (magnetization) observables.magnetization = write(*magnetization, batch.n_chains, "magnetization");
  py::gil_scoped_release release;
  function(data, batch.n_chains, batch.shape, betas, {J, h}, options, heat_bath_every, observables);
}

template <Sweep function>
void bind(py::module_& module, const char* name) {
  using py::arg;
  module.def(name, &sweep<function>, arg("spins").noconvert(), arg("beta").noconvert(), arg("J"), arg("h"),
             arg("n_sweeps"), arg("seed"), arg("sweep"), arg("first_chain"), arg("heat_bath_every"), arg("stream"),
             arg("ndim"), arg("n_threads"), arg("energy").noconvert() = py::none(),
             arg("magnetization").noconvert() = py::none());
}

}  // namespace

void bind_replicas(py::module_& module) {
  bind<&spinodal::metropolis_sweep_replicas>(module, "metropolis_sweep_replicas");
  bind<&spinodal::metropolis_sweep_lanes>(module, "metropolis_sweep_lanes");
}

}  // namespace spinodal::bindings
