// SPDX-License-Identifier: BSD-3-Clause
#include "bindings.hpp"
#include "particles.hpp"
#include "spinodal/local_moves.hpp"

namespace spinodal::bindings {
namespace {

void local_moves(Reals& positions, const Reals& box, bool periodic, double epsilon, double sigma, double cutoff,
                 const std::string& shift, double softening, double confinement, const Reals& temperature,
                 const Reals& step, std::int64_t n_sweeps, std::uint64_t seed, std::uint64_t sweep,
                 std::uint32_t first_chain, const std::string& stream, int n_threads, Reals& energy,
                 Array<std::int64_t>& accepted) {
  const ParticleBatch batch = batch_of(positions, box, periodic);
  const LennardJones potential{epsilon, sigma, cutoff, parse_shift(shift), softening};
  double* x = write(positions, batch.size(), "positions");
  const double *t = read(temperature, batch.n_systems, "temperature"), *s = read(step, batch.n_systems, "step");
  double* u = write(energy, batch.n_systems, "energy");
  std::int64_t* n = write(accepted, batch.n_systems, "accepted");
  const LocalMoves moves{confinement, n_sweeps, seed, sweep, first_chain, parse_stream(stream), n_threads};
  py::gil_scoped_release release;
  spinodal::local_moves(x, batch.n_systems, batch.n_particles, batch.box, potential, t, s, moves, u, n);
}

}  // namespace

void bind_local_moves(py::module_& module) {
  using py::arg;
  module.def("local_moves", &local_moves, arg("positions").noconvert(), arg("box").noconvert(), arg("periodic"),
             arg("epsilon"), arg("sigma"), arg("cutoff"), arg("shift"), arg("softening"), arg("confinement"),
             arg("temperature").noconvert(), arg("step").noconvert(), arg("n_sweeps"), arg("seed"), arg("sweep"),
             arg("first_chain"), arg("stream"), arg("n_threads"), arg("energy").noconvert(),
             arg("accepted").noconvert());
}

}  // namespace spinodal::bindings
