// SPDX-License-Identifier: BSD-3-Clause
// One particle against halves of four: the force on the one stays in registers, that on the four in their record.
#include "kernels/entries.hpp"
#include "kernels/lj_pair.hpp"

SPINODAL_KERNELS_BEGIN

using Four = Pack<double, 4>;

/// Bits of the lanes after lane a.
alignas(32) constexpr std::int64_t lanes_after[4][4] = {{0, -1, -1, -1}, {0, 0, -1, -1}, {0, 0, 0, -1}, {0, 0, 0, 0}};

struct Particle {
  Four x, y, z, fx, fy, fz;

  template <class Pairs>
  SPINODAL_INLINE void meet(double* half, Pairs& pairs, const Four::Mask* allowed = nullptr) {
    Four dx = x - Four::load(half), dy = y - Four::load(half + 4), dz = z - Four::load(half + 8);
    const Four r2 = dx * dx + dy * dy + dz * dz;
    const Four::Mask inside = pairs.inside(r2);
    const Four force = pairs.force(r2, allowed == nullptr ? inside : inside & *allowed);
    dx = force * dx;
    dy = force * dy;
    dz = force * dz;
    fx = fx + dx;
    fy = fy + dy;
    fz = fz + dz;
    (Four::load(half + 12) - dx).store(half + 12);
    (Four::load(half + 16) - dy).store(half + 16);
    (Four::load(half + 20) - dz).store(half + 20);
  }
};

/// Add four particles' forces, each a sum over lanes, to their record.
SPINODAL_INLINE void add_sums(double* target, Four a, Four b, Four c, Four d) {
#if defined(__AVX2__)
  const __m256d ab = _mm256_hadd_pd(a.part[0], b.part[0]), cd = _mm256_hadd_pd(c.part[0], d.part[0]);
  const __m256d across = _mm256_permute2f128_pd(ab, cd, 0x21), along = _mm256_blend_pd(ab, cd, 0xc);
  const Four sums{{_mm256_add_pd(along, across)}};
#else
  const double lane[4] = {a.sum(), b.sum(), c.sum(), d.sum()};
  const Four sums = Four::load(lane);
#endif
  (Four::load(target) + sums).store(target);
}

template <class Pairs>
void row_forces(const LjCells& cells, const LjRow& row, const std::uint32_t* inner, Pairs& pairs) {
  double* const halves = cells.halves;
  double* const own = halves + row.half * LjCells::half_size;
  const bool home = row.image[0] == 0 && row.image[1] == 0 && row.image[2] == 0;
  const int n_particles = cells.n_in_half[row.half];
  double shift[3];
  for (int axis = 0; axis < 3; ++axis) shift[axis] = row.image[axis] * cells.length[axis];
  const Four zero = Four::all(0);
  Four fx[4] = {zero, zero, zero, zero}, fy[4] = {zero, zero, zero, zero}, fz[4] = {zero, zero, zero, zero};
  for (int a = 0; a < n_particles; ++a) {
    Particle particle{Four::all(own[a] - shift[0]),
                      Four::all(own[4 + a] - shift[1]),
                      Four::all(own[8 + a] - shift[2]),
                      zero,
                      zero,
                      zero};
    if (home) {
      Four::Mask after;
      std::memcpy(after.part, lanes_after[a], sizeof after.part);
      particle.meet(own, pairs, &after);
    }
    const std::uint32_t* const end = inner + row.inner_begin[a + 1];
    for (const std::uint32_t* entry = inner + row.inner_begin[a]; entry < end; ++entry) {
      particle.meet(halves + *entry, pairs);
    }
    fx[a] = particle.fx;
    fy[a] = particle.fy;
    fz[a] = particle.fz;
  }
  add_sums(own + 12, fx[0], fx[1], fx[2], fx[3]);
  add_sums(own + 16, fy[0], fy[1], fy[2], fy[3]);
  add_sums(own + 20, fz[0], fz[1], fz[2], fz[3]);
}

SPINODAL_KERNELS_END

namespace spinodal {
namespace SPINODAL_ISA {

/// Add the forces of all pairs of the rows to the halves' records; unmeasured, the totals are zero.
LjTotals lj_forces(const LjCells& cells, const LjPotential& potential, const LjRows& rows, bool measured) {
  return with_variant(potential.plain, measured, [&](auto variant) {
    LjPairs<decltype(variant), Four> pairs(potential);
    for (std::int64_t r = 0; r < rows.n_rows; ++r) row_forces(cells, rows.row[r], rows.inner, pairs);
    return LjTotals{pairs.energy.sum(), pairs.virial.sum()};
  });
}

}  // namespace SPINODAL_ISA
}  // namespace spinodal
