// SPDX-License-Identifier: BSD-3-Clause
#include "bindings.hpp"
#include "particles.hpp"
#include "spinodal/molecular_dynamics.hpp"

namespace spinodal::bindings {
namespace {

void langevin_steps(Reals& positions, Reals& velocities, Reals& listed, const Reals& box, bool periodic, double epsilon,
                    double sigma, double cutoff, const std::string& shift, double softening,
                    const std::string& precision, double confinement, const Reals& temperature, double timestep,
                    double friction, double mass, std::int64_t n_steps, std::uint64_t seed, std::uint64_t step,
                    std::uint32_t first_chain, const std::string& stream, int n_threads, Reals& kinetic_energy) {
  const ParticleBatch batch = batch_of(positions, box, periodic);
  const LennardJones potential{epsilon, sigma, cutoff, parse_shift(shift), softening, parse_precision(precision)};
  const PhaseSpace state{write(positions, batch.size(), "positions"), write(velocities, batch.size(), "velocities"),
                         write(listed, batch.size(), "listed")};
  const double* t = read(temperature, batch.n_systems, "temperature");
  double* kinetic = write(kinetic_energy, batch.n_systems, "kinetic_energy");
  const Motion motion{timestep, friction, mass,        confinement,          n_steps,
                      seed,     step,     first_chain, parse_stream(stream), n_threads};
  py::gil_scoped_release release;
  spinodal::langevin_steps(state, batch.n_systems, batch.n_particles, batch.box, potential, t, motion, kinetic);
}

void maxwell_velocities(Reals& velocities, bool periodic, const Reals& temperature, double mass, std::uint64_t seed,
                        std::uint64_t step, std::uint32_t first_chain, const std::string& stream, int n_threads) {
  const Reals no_box(velocities.ndim() == 3 ? velocities.shape(2) : 0);  // its lengths are not read
  const ParticleBatch batch = batch_of(velocities, no_box, periodic);
  double* v = write(velocities, batch.size(), "velocities");
  const double* t = read(temperature, batch.n_systems, "temperature");
  Motion motion;
  motion.mass = mass;
  motion.seed = seed;
  motion.step = step;
  motion.first_chain = first_chain;
  motion.stream = parse_stream(stream);
  motion.n_threads = n_threads;
  py::gil_scoped_release release;
  spinodal::maxwell_velocities(v, batch.n_systems, batch.n_particles, batch.box, t, motion);
}

}  // namespace

void bind_molecular_dynamics(py::module_& module) {
  using py::arg;
  module.def("langevin_steps", &langevin_steps, arg("positions").noconvert(), arg("velocities").noconvert(),
             arg("listed").noconvert(), arg("box").noconvert(), arg("periodic"), arg("epsilon"), arg("sigma"),
             arg("cutoff"), arg("shift"), arg("softening"), arg("precision"), arg("confinement"),
             arg("temperature").noconvert(), arg("timestep"), arg("friction"), arg("mass"), arg("n_steps"), arg("seed"),
             arg("step"), arg("first_chain"), arg("stream"), arg("n_threads"), arg("kinetic_energy").noconvert());
  module.def("maxwell_velocities", &maxwell_velocities, arg("velocities").noconvert(), arg("periodic"),
             arg("temperature").noconvert(), arg("mass"), arg("seed"), arg("step"), arg("first_chain"), arg("stream"),
             arg("n_threads"));
}

}  // namespace spinodal::bindings
