// SPDX-License-Identifier: BSD-3-Clause
// Kicks, drifts and noise: of systems one to a lane, and of sorted particles.
#include "kernels/entries.hpp"
#include "kernels/gaussian.hpp"
#include "kernels/lj_types.hpp"

SPINODAL_KERNELS_BEGIN

using Systems = Pack<double, native_lanes<double> >;
using Four = Pack<double, 4>;
constexpr std::int64_t width = Systems::lanes;
constexpr double kinetic_grid = 0x1.8p32;  ///< added and taken away again: rounds to 2^-20, so that sums are exact

/// Coordinate k of particle i in all lanes.
SPINODAL_INLINE double* at(double* data, std::int64_t n, int k, std::int64_t i) { return data + (k * n + i) * width; }

/// Take the mean over the particles away from each coordinate.
void remove_mean(double* data, std::int64_t n, int dim) {
  for (int k = 0; k < dim; ++k) {
    Systems mean = Systems::all(0);
    for (std::int64_t i = 0; i < n; ++i) mean = mean + Systems::load(at(data, n, k, i));
    mean = mean / Systems::all(static_cast<double>(n));
    for (std::int64_t i = 0; i < n; ++i) (Systems::load(at(data, n, k, i)) - mean).store(at(data, n, k, i));
  }
}

/// v += kick f.
void kick(double* v, const double* f, std::int64_t n_numbers, double by) {
  const Systems factor = Systems::all(by);
  for (std::int64_t k = 0; k < n_numbers; k += width) {
    (Systems::load(v + k) + factor * Systems::load(f + k)).store(v + k);
  }
}

/// v = damping v + noise ξ.
template <class Generator>
void thermalize(const Generator& generator, const LjMotion& motion, double* v, std::int64_t n, const double* noise) {
  const Systems damping = Systems::all(motion.damping), amplitude = Systems::load(noise);
  for (std::int64_t i = 0; i < n; ++i) {
    const auto counter = [&](int lane) {
      const std::uint32_t chain = motion.chain + static_cast<std::uint32_t>(lane);
      return make_counter(Purpose::particles, motion.block, static_cast<std::uint32_t>(i), motion.step, chain);
    };
    Systems normal[3];
    normal_numbers(generator, counter, normal);
    for (int k = 0; k < motion.dim; ++k) {
      (damping * Systems::load(at(v, n, k, i)) + amplitude * normal[k]).store(at(v, n, k, i));
    }
  }
}

/// f -= k (x - mean).
void confine(double* f, const double* x, std::int64_t n, const LjMotion& motion) {
  const Systems stiffness = Systems::all(motion.confinement);
  for (int k = 0; k < motion.dim; ++k) {
    const double* line = x + k * n * width;
    Systems mean = Systems::all(0);
    for (std::int64_t i = 0; i < n; ++i) mean = mean + Systems::load(line + i * width);
    mean = mean / Systems::all(static_cast<double>(n));
    for (std::int64_t i = 0; i < n; ++i) {
      const Systems spring = stiffness * (Systems::load(line + i * width) - mean);
      (Systems::load(at(f, n, k, i)) - spring).store(at(f, n, k, i));
    }
  }
}

void batch_forces(const LjBatch& batch, const LjPotential& potential, const LjMotion& motion, double* x, double* f) {
  double unused[2][width];
  lj_batch(batch, potential, x, f, unused[0], unused[1], false);
  if (motion.confinement != 0) confine(f, x, batch.n_particles, motion);
}

/// One half of four particles: the end of a step, and the beginning of the next.
template <class Generator>
class HalfMover {
 public:
  double kinetic = 0;
  Four from_listed = Four::all(0), from_pruned = Four::all(0);

  HalfMover(const Generator& generator, const LjCells& cells, const LjMotion& motion, const LjMoving& moving)
      : generator_(generator), cells_(cells), motion_(motion), moving_(moving) {}

  void finish(std::int64_t half) {
    double* record = cells_.halves + half * LjCells::half_size;
    double* v = moving_.velocities + 12 * half;
    Four sum = Four::all(0);
    for (int k = 0; k < 12; k += 4) {
      const Four velocity = Four::load(v + k) + Four::all(motion_.kick) * Four::load(record + 12 + k);
      velocity.store(v + k);
      sum = sum + velocity * velocity;
    }
    kinetic += sum.sum();
  }

  void start(std::int64_t half) {
    double* record = cells_.halves + half * LjCells::half_size;
    double* v = moving_.velocities + 12 * half;
    const std::int32_t* particle = moving_.particle + 4 * half;
    Four normal[3] = {Four::all(0), Four::all(0), Four::all(0)};
    if (motion_.damping != 1) draw(particle, normal);
    Four listed = Four::all(0), pruned = Four::all(0);
    for (int axis = 0; axis < 3; ++axis) {
      const int k = 4 * axis;
      const Four drift = Four::all(motion_.drift);
      Four velocity = Four::load(v + k) + Four::all(motion_.kick) * Four::load(record + 12 + k);
      Four x = Four::load(record + k) + drift * velocity;
      velocity = Four::all(motion_.damping) * velocity + Four::all(moving_.noise) * normal[axis];
      x = x + drift * velocity;
      velocity.store(v + k);
      x.store(record + k);
      Four::all(0).store(record + 12 + k);
      const Four a = x - Four::load(moving_.listed + 12 * half + k), b = x - Four::load(moving_.pruned + 12 * half + k);
      listed = listed + a * a;
      pruned = pruned + b * b;
    }
    from_listed = larger(from_listed, listed);
    from_pruned = larger(from_pruned, pruned);
  }

 private:
  /// Pads get none; in two dimensions the second number is that of the third axis here.
  void draw(const std::int32_t* particle, Four* normal) const {
    const auto counter = [&](int lane) {
      const std::int32_t row = particle[lane] < 0 ? 0 : particle[lane];
      return make_counter(Purpose::particles, motion_.block, static_cast<std::uint32_t>(row), motion_.step,
                          motion_.chain);
    };
    normal_numbers(generator_, counter, normal);
    if (motion_.dim == 2) {
      normal[2] = normal[1];
      normal[1] = Four::all(0);
    }
    const auto present = [&](int lane) { return particle[lane] < 0 ? std::uint64_t{0} : ~std::uint64_t{0}; };
    const Four::Mask mask = Words<Four>::of(present).as_mask();
    for (int k = 0; k < 3; ++k) normal[k] = normal[k].where(mask);
  }

  const Generator& generator_;
  const LjCells& cells_;
  const LjMotion& motion_;
  const LjMoving& moving_;
};

SPINODAL_INLINE double largest(Four v) {
  double lane[4], most = 0;
  v.store(lane);
  for (const double value : lane) most = value > most ? value : most;
  return most;
}

SPINODAL_KERNELS_END

namespace spinodal {
namespace SPINODAL_ISA {

/// n_steps steps of the systems in the lanes; x, v, f are (3, n, width), noise and kinetic (width).
void lj_batch_steps(const LjBatch& batch, const LjPotential& potential, LjMotion motion, std::int64_t n_steps,
                    double* x, double* v, double* f, const double* noise, double* kinetic) {
  const std::int64_t n = batch.n_particles, n_numbers = motion.dim * n * width;
  Systems total = Systems::all(0);
  if (n_steps > 0) batch_forces(batch, potential, motion, x, f);
  for (std::int64_t t = 0; t < n_steps; ++t, ++motion.step) {
    kick(v, f, n_numbers, motion.kick);
    kick(x, v, n_numbers, motion.drift);
    if (motion.damping != 1) {
      with_stream(motion.stream, motion.seed,
                  [&](const auto& generator) { thermalize(generator, motion, v, n, noise); });
    }
    if (!batch.periodic) remove_mean(v, n, motion.dim);
    kick(x, v, n_numbers, motion.drift);
    batch_forces(batch, potential, motion, x, f);
    kick(v, f, n_numbers, motion.kick);
    Systems sum = Systems::all(0);
    for (std::int64_t k = 0; k < n_numbers; k += width) sum = sum + Systems::load(v + k) * Systems::load(v + k);
    total = total + ((sum * Systems::all(0.5 * motion.mass) + Systems::all(kinetic_grid)) - Systems::all(kinetic_grid));
  }
  total.store(kinetic);
}

/// v = noise ξ, in lanes.
void lj_batch_velocities(const LjBatch& batch, const LjMotion& motion, double* v, const double* noise) {
  std::memset(v, 0, static_cast<std::size_t>(3 * batch.n_particles * width) * sizeof(double));
  with_stream(motion.stream, motion.seed,
              [&](const auto& generator) { thermalize(generator, motion, v, batch.n_particles, noise); });
  if (!batch.periodic) remove_mean(v, batch.n_particles, motion.dim);
}

/// End a step of the halves [half, half_end), begin one, or both.
LjMoved lj_move(const LjCells& cells, const LjMotion& motion, const LjMoving& moving, std::int64_t half,
                std::int64_t half_end, bool finish, bool start) {
  LjMoved moved{};
  with_stream(motion.stream, motion.seed, [&](const auto& generator) {
    HalfMover mover(generator, cells, motion, moving);
    for (; half < half_end; ++half) {
      if (finish) mover.finish(half);
      if (start) mover.start(half);
    }
    moved = {0.5 * motion.mass * mover.kinetic, largest(mover.from_listed), largest(mover.from_pruned)};
  });
  return moved;
}

}  // namespace SPINODAL_ISA
}  // namespace spinodal
