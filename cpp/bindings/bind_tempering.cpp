// SPDX-License-Identifier: BSD-3-Clause
#include "arrays.hpp"
#include "bindings.hpp"
#include "spinodal/tempering.hpp"

namespace spinodal::bindings {
namespace {

using Integers = Array<std::int64_t>;

void parallel_tempering(Array<std::int8_t>& spins, Integers& rung, Integers& direction, const Array<double>& ladder,
                        double J, double h, std::int64_t swap_every, std::int64_t heat_bath_every,
                        std::int64_t n_rounds, std::uint64_t seed, std::uint64_t round, std::uint32_t first_chain,
                        const std::string& stream, const std::string& layout, int ndim, int n_threads,
                        Integers& swap_attempts, Integers& swap_accepts, Integers& round_trips) {
  const SpinBatch batch = batch_of(spins, ndim);
  const std::int64_t n = batch.n_chains;
  std::int8_t* data = spins.mutable_data();
  const TemperingState state{write(rung, n, "rung"), write(direction, n, "direction")};
  const TemperingTotals totals{write(swap_attempts, n, "swap_attempts"), write(swap_accepts, n, "swap_accepts"),
                               write(round_trips, n, "round_trips")};
  const TemperingRule rule{ladder.data(), ladder.size(), swap_every, heat_bath_every, parse_tempering_layout(layout)};
  const SweepOptions options{n_rounds, seed, round, first_chain, parse_stream(stream), n_threads};
  py::gil_scoped_release release;
  spinodal::parallel_tempering(data, state, n, batch.shape, {J, h}, rule, options, totals);
}

}  // namespace

void bind_tempering(py::module_& module) {
  using py::arg;
  module.def("parallel_tempering", &parallel_tempering, arg("spins").noconvert(), arg("rung").noconvert(),
             arg("direction").noconvert(), arg("ladder").noconvert(), arg("J"), arg("h"), arg("swap_every"),
             arg("heat_bath_every"), arg("n_rounds"), arg("seed"), arg("round"), arg("first_chain"), arg("stream"),
             arg("layout"), arg("ndim"), arg("n_threads"), arg("swap_attempts").noconvert(),
             arg("swap_accepts").noconvert(), arg("round_trips").noconvert());
}

}  // namespace spinodal::bindings
