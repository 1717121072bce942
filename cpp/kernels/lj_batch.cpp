// SPDX-License-Identifier: BSD-3-Clause
// All pairs of small systems, one system in each lane.
#include "kernels/entries.hpp"
#include "kernels/lj_pair.hpp"

SPINODAL_KERNELS_BEGIN

using Systems = Pack<double, native_lanes<double> >;
constexpr std::int64_t width = Systems::lanes;

/// Coordinate k of particle i in all lanes: x + (k · n + i) · width.
struct Coordinates {
  double* data;
  std::int64_t n;

  SPINODAL_INLINE Systems load(int k, std::int64_t i) const { return Systems::load(data + (k * n + i) * width); }
  SPINODAL_INLINE void store(int k, std::int64_t i, Systems v) const { v.store(data + (k * n + i) * width); }
};

/// d minus the nearest multiple of the length: exact halves are beyond the cutoff, so their rounding is no matter.
class NearestImage {
 public:
  explicit SPINODAL_INLINE NearestImage(double length)
      : length_(Systems::all(length)), inverse_(Systems::all(1 / length)) {}

  SPINODAL_INLINE Systems operator()(Systems d) const {
    const Systems shift = Systems::all(0x1.8p52);  // x + 2^52 + 2^51 has no bits left for a fraction
    return d - length_ * ((d * inverse_ + shift) - shift);
  }

 private:
  Systems length_, inverse_;
};

template <class Variant, bool periodic>
void all_pairs(const LjBatch& batch, const LjPotential& potential, Coordinates x, Coordinates f, double* energy,
               double* virial) {
  const std::int64_t n = batch.n_particles;
  const NearestImage image[3] = {NearestImage(batch.length[0]), NearestImage(batch.length[1]),
                                 NearestImage(batch.length[2])};
  LjPairs<Variant, Systems> pairs(potential);
  std::memset(f.data, 0, static_cast<std::size_t>(3 * n * width) * sizeof(double));
  for (std::int64_t i = 0; i < n; ++i) {
    const Systems xi = x.load(0, i), yi = x.load(1, i), zi = x.load(2, i);
    Systems fx = f.load(0, i), fy = f.load(1, i), fz = f.load(2, i);
    for (std::int64_t j = i + 1; j < n; ++j) {
      Systems dx = xi - x.load(0, j), dy = yi - x.load(1, j), dz = zi - x.load(2, j);
      if constexpr (periodic) {
        dx = image[0](dx);
        dy = image[1](dy);
        dz = image[2](dz);
      }
      const Systems r2 = dx * dx + dy * dy + dz * dz;
      const Systems force = pairs.force(r2, pairs.inside(r2));
      dx = force * dx;
      dy = force * dy;
      dz = force * dz;
      fx = fx + dx;
      fy = fy + dy;
      fz = fz + dz;
      f.store(0, j, f.load(0, j) - dx);
      f.store(1, j, f.load(1, j) - dy);
      f.store(2, j, f.load(2, j) - dz);
    }
    f.store(0, i, fx);
    f.store(1, i, fy);
    f.store(2, i, fz);
  }
  pairs.energy.store(energy);
  pairs.virial.store(virial);
}

SPINODAL_KERNELS_END

namespace spinodal {
namespace SPINODAL_ISA {

std::int64_t lj_batch_width() { return width; }

/// x and f are (3, n, width), and energy and virial (width); unmeasured, these are zero.
void lj_batch(const LjBatch& batch, const LjPotential& potential, double* x, double* f, double* energy, double* virial,
              bool measured) {
  const Coordinates positions{x, batch.n_particles}, forces{f, batch.n_particles};
  with_variant(potential.plain, measured, [&](auto variant) {
    using Variant = decltype(variant);
    if (batch.periodic) {
      all_pairs<Variant, true>(batch, potential, positions, forces, energy, virial);
    } else {
      all_pairs<Variant, false>(batch, potential, positions, forces, energy, virial);
    }
  });
}

}  // namespace SPINODAL_ISA
}  // namespace spinodal
