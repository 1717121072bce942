// SPDX-License-Identifier: BSD-3-Clause
// Pairs in single precision, eight at a time: one particle against clusters. What they add up to is kept in double
// precision: forces on the one and totals at once, forces on the eight when all pairs are done.
#include "kernels/entries.hpp"
#include "kernels/lj_pair.hpp"
#include "kernels/lj_singles.hpp"

SPINODAL_KERNELS_BEGIN

/// Bits of the eight lanes after lane a.
struct LanesAfter {
  alignas(32) std::int32_t bits[8][8];

  constexpr LanesAfter() : bits() {
    for (int a = 0; a < 8; ++a) {
      for (int l = 0; l < 8; ++l) bits[a][l] = l > a ? -1 : 0;
    }
  }
};
constexpr LanesAfter lanes_after_of_eight;

struct Single {
  Eight x, y, z, fx, fy, fz;

  template <class Pairs>
  SPINODAL_INLINE void meet(const float* at, float* forces, Pairs& pairs, const Eight::Mask* allowed = nullptr) {
    Eight dx = x - Eight::load(at), dy = y - Eight::load(at + 8), dz = z - Eight::load(at + 16);
    const Eight r2 = dx * dx + dy * dy + dz * dz;
    const Eight::Mask inside = pairs.inside(r2);
    const Eight force = pairs.force(r2, allowed == nullptr ? inside : inside & *allowed);
    dx = force * dx;
    dy = force * dy;
    dz = force * dz;
    fx = fx + dx;
    fy = fy + dy;
    fz = fz + dz;
    (Eight::load(forces) - dx).store(forces);
    (Eight::load(forces + 8) - dy).store(forces + 8);
    (Eight::load(forces + 16) - dz).store(forces + 16);
  }
};

/// Add four particles' forces, each a sum over lanes, to their record.
SPINODAL_INLINE void add_sums(double* target, const Eight* of) {
#if defined(__AVX2__)
  const __m256 ab = _mm256_hadd_ps(of[0].part[0], of[1].part[0]), cd = _mm256_hadd_ps(of[2].part[0], of[3].part[0]);
  const __m256 halves = _mm256_hadd_ps(ab, cd);
  const __m128 sums = _mm_add_ps(_mm256_castps256_ps128(halves), _mm256_extractf128_ps(halves, 1));
  _mm256_storeu_pd(target, _mm256_add_pd(_mm256_loadu_pd(target), _mm256_cvtps_pd(sums)));
#else
  for (int a = 0; a < 4; ++a) target[a] += static_cast<double>(of[a].sum());
#endif
}

template <class Variant>
void row_forces(const LjCells& cells, const LjRow& row, const std::uint32_t* inner, LjPairs<Variant, Eight>& pairs,
                LjTotals& totals) {
  const Singles four(cells, row.half, row.image);
  const bool home = row.image[0] == 0 && row.image[1] == 0 && row.image[2] == 0;
  const std::int64_t own = row.half / 2 * LjCells::single_size;
  const Eight zero = Eight::all(0);
  Eight fx[4] = {zero, zero, zero, zero}, fy[4] = {zero, zero, zero, zero}, fz[4] = {zero, zero, zero, zero};
  for (int a = 0; a < cells.n_in_half[row.half]; ++a) {
    Single particle{four.x[a], four.y[a], four.z[a], zero, zero, zero};
    if (home) {
      Eight::Mask after;
      std::memcpy(after.part, lanes_after_of_eight.bits[row.half % 2 * 4 + a], sizeof after.part);
      particle.meet(cells.singles + own, cells.single_forces + own, pairs, &after);
    }
    const std::uint32_t* const end = inner + row.inner_begin[a + 1];
    for (const std::uint32_t* entry = inner + row.inner_begin[a]; entry < end; ++entry) {
      particle.meet(cells.singles + *entry, cells.single_forces + *entry, pairs);
    }
    fx[a] = particle.fx;
    fy[a] = particle.fy;
    fz[a] = particle.fz;
    if constexpr (Variant::measured) {  // sums in single precision stay short
      totals.energy += static_cast<double>(pairs.energy.sum());
      totals.virial += static_cast<double>(pairs.virial.sum());
      pairs.energy = pairs.virial = zero;
    }
  }
  double* record = cells.halves + row.half * LjCells::half_size;
  add_sums(record + 12, fx);
  add_sums(record + 16, fy);
  add_sums(record + 20, fz);
}

/// The clusters within reach of each of the four particles of a row's half.
void prune_row(const LjCells& cells, LjRow& row, float reach2, const LjRows& rows, std::int64_t& n_inner) {
  const Eight limit = Eight::all(reach2);
  const std::int64_t stride = row.outer_end - row.outer_begin + 1;  // what one particle may need
  std::uint32_t* room = rows.inner + n_inner;
  const Singles particles(cells, row.half, row.image);
  std::int64_t n[4] = {};
  for (std::int64_t e = row.outer_begin; e < row.outer_end; ++e) {
    const std::uint32_t offset = static_cast<std::uint32_t>(LjCells::single_size) * rows.outer[e];
    for (int a = 0; a < 4; ++a) {
      room[a * stride + n[a]] = offset;
      n[a] += (particles.distance2(a, cells.singles + offset) < limit).bits() != 0;
    }
  }
  for (int a = 0; a < 4; ++a) {  // close the gaps between the four
    row.inner_begin[a] = n_inner;
    if (a >= cells.n_in_half[row.half]) n[a] = 0;
    for (std::int64_t k = 0; k < n[a]; ++k) rows.inner[n_inner + k] = room[a * stride + k];
    n_inner += n[a];
  }
  row.inner_begin[4] = n_inner;
}

SPINODAL_KERNELS_END

namespace spinodal {
namespace SPINODAL_ISA {

/// From the outer rows, list the clusters within reach of each particle.
void lj_mixed_rows(const LjCells& cells, double reach, const LjRows& rows) {
  const float limit = static_cast<float>(reach) + cells.rounding;
  std::int64_t n_inner = 0;
  for (std::int64_t r = 0; r < rows.n_rows; ++r) prune_row(cells, rows.row[r], limit * limit, rows, n_inner);
}

/// Before the pairs: no forces in single precision on the clusters [begin, end).
void lj_mixed_begin(const LjCells& cells, std::int64_t begin, std::int64_t end) {
  lj_singles(cells, begin, end);
  std::memset(cells.single_forces + begin * LjCells::single_size, 0,
              static_cast<std::size_t>((end - begin) * LjCells::single_size) * sizeof(float));
}

/// Add the forces of all pairs of the rows; unmeasured, the totals are zero.
LjTotals lj_mixed_forces(const LjCells& cells, const LjPotential& potential, const LjRows& rows, bool measured) {
  return with_variant(potential.plain, measured, [&](auto variant) {
    LjPairs<decltype(variant), Eight> pairs(potential);
    LjTotals totals{};
    for (std::int64_t r = 0; r < rows.n_rows; ++r) row_forces(cells, rows.row[r], rows.inner, pairs, totals);
    return totals;
  });
}

/// After them: those in single precision are added to the halves' records.
void lj_mixed_end(const LjCells& cells, std::int64_t begin, std::int64_t end) {
  for (std::int64_t c = begin; c < end; ++c) {
    double* half = cells.halves + 2 * c * LjCells::half_size;
    const float* forces = cells.single_forces + c * LjCells::single_size;
    for (int k = 0; k < 24; ++k) {
      half[k / 4 % 2 * LjCells::half_size + 12 + k / 8 * 4 + k % 4] += static_cast<double>(forces[k]);
    }
  }
}

}  // namespace SPINODAL_ISA
}  // namespace spinodal
