// SPDX-License-Identifier: BSD-3-Clause
#include <pybind11/stl.h>

#include <optional>

#include "arrays.hpp"
#include "bindings.hpp"
#include "spinodal/cluster.hpp"

namespace spinodal::bindings {
namespace {

using Spins = Array<std::int8_t>;
using Reals = Array<double>;
using Integers = Array<std::int64_t>;

void wolff_step(Spins& spins, const Reals& beta, double J, double h, std::int64_t n_steps, std::uint64_t seed,
                std::uint64_t step, std::uint32_t first_chain, const std::string& stream, int ndim, int n_threads,
                Integers& flipped, std::optional<Integers> cluster_size) {
  const SpinBatch batch = batch_of(spins, ndim);
  std::int8_t* data = spins.mutable_data();
  const double* betas = read(beta, batch.n_chains, "beta");
  std::int64_t* n_flipped = write(flipped, batch.n_chains, "flipped");
  std::int64_t* sizes = cluster_size ? write(*cluster_size, batch.n_chains, "cluster_size") : nullptr;
  const SweepOptions options{n_steps, seed, step, first_chain, parse_stream(stream), n_threads};
  py::gil_scoped_release release;
  spinodal::wolff_step(data, batch.n_chains, batch.shape, betas, {J, h}, options, n_flipped, sizes);
}

void swendsen_wang_sweep(Spins& spins, const Reals& beta, double J, double h, std::int64_t n_sweeps, std::uint64_t seed,
                         std::uint64_t sweep, std::uint32_t first_chain, const std::string& stream, int ndim,
                         int n_threads, Integers& n_clusters) {
  const SpinBatch batch = batch_of(spins, ndim);
  std::int8_t* data = spins.mutable_data();
  const double* betas = read(beta, batch.n_chains, "beta");
  std::int64_t* counts = write(n_clusters, batch.n_chains, "n_clusters");
  const SweepOptions options{n_sweeps, seed, sweep, first_chain, parse_stream(stream), n_threads};
  py::gil_scoped_release release;
  spinodal::swendsen_wang_sweep(data, batch.n_chains, batch.shape, betas, {J, h}, options, counts);
}

}  // namespace

void bind_cluster(py::module_& module) {
  using py::arg;
  module.def("wolff_step", &wolff_step, arg("spins").noconvert(), arg("beta").noconvert(), arg("J"), arg("h"),
             arg("n_steps"), arg("seed"), arg("step"), arg("first_chain"), arg("stream"), arg("ndim"), arg("n_threads"),
             arg("flipped").noconvert(), arg("cluster_size").noconvert());
  module.def("swendsen_wang_sweep", &swendsen_wang_sweep, arg("spins").noconvert(), arg("beta").noconvert(), arg("J"),
             arg("h"), arg("n_sweeps"), arg("seed"), arg("sweep"), arg("first_chain"), arg("stream"), arg("ndim"),
             arg("n_threads"), arg("n_clusters").noconvert());
}

}  // namespace spinodal::bindings
