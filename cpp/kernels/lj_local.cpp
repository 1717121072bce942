// SPDX-License-Identifier: BSD-3-Clause
// Local moves: each particle in turn, against the particles of the cells around it.
#include "kernels/append.hpp"
#include "kernels/entries.hpp"
#include "kernels/gaussian.hpp"
#include "kernels/lj_singles.hpp"

SPINODAL_KERNELS_BEGIN

using Four = Pack<double, 4>;

/// The energy of pairs at r², eq. (2) of lj_types.hpp; 0 beyond the cutoff, and where r² is not a number.
template <bool plain>
class PairEnergy {
 public:
  explicit SPINODAL_INLINE PairEnergy(const LjPotential& u)
      : cutoff2_(Four::all(u.cutoff2)),
        softening2_(Four::all(u.softening2)),
        scale_(Four::all(u.scale)),
        repulsive_(Four::all(u.repulsive)),
        attractive_(Four::all(u.attractive)),
        offset_(Four::all(u.offset)),
        slope_(Four::all(u.slope)) {}

  SPINODAL_INLINE Four operator()(Four r2) const {
    const Four rho2 = plain ? r2 : r2 + softening2_;
    const Four q = scale_ / rho2, q3 = q * q * q;
    Four u = q3 * (repulsive_ * q3 - attractive_) + offset_;
    if constexpr (!plain) u = u + slope_ * rho2.sqrt();
    return u.where(r2 < cutoff2_);
  }

 private:
  Four cutoff2_, softening2_, scale_, repulsive_, attractive_, offset_, slope_;
};

/// x, y, z of four records of (x, y, z, 0).
SPINODAL_INLINE void gather(const double* place, const std::uint32_t* which, Four* out) {
#if defined(__AVX2__)
  const __m256d a = _mm256_loadu_pd(place + 4 * which[0]), b = _mm256_loadu_pd(place + 4 * which[1]);
  const __m256d c = _mm256_loadu_pd(place + 4 * which[2]), d = _mm256_loadu_pd(place + 4 * which[3]);
  const __m256d xz_ab = _mm256_unpacklo_pd(a, b), xz_cd = _mm256_unpacklo_pd(c, d);
  out[0] = {{_mm256_permute2f128_pd(xz_ab, xz_cd, 0x20)}};
  out[1] = {{_mm256_permute2f128_pd(_mm256_unpackhi_pd(a, b), _mm256_unpackhi_pd(c, d), 0x20)}};
  out[2] = {{_mm256_permute2f128_pd(xz_ab, xz_cd, 0x31)}};
#else
  for (int axis = 0; axis < 3; ++axis) {
    double lane[4];
    for (int l = 0; l < 4; ++l) lane[l] = place[4 * which[l] + axis];
    out[axis] = Four::load(lane);
  }
#endif
}

/// Random numbers of four particles: displacements in units of the step, and -ln of a uniform.
struct Proposals {
  double move[3][4], threshold[4];

  template <class Generator>
  Proposals(const Generator& generator, const LjWalk& walk, std::int64_t first) {
    Block block[4];
    for (std::uint32_t l = 0; l < 4; ++l) {
      block[l] = generator.block(
          make_counter(Purpose::particles, walk.block, static_cast<std::uint32_t>(first) + l, walk.sweep, walk.chain));
    }
    const auto lo = Words<Four>::of([&](int l) { return block[l].lo; });
    for (int axis = 0; axis < 3; ++axis) {  // odd multiples of 2^-21 in (-1, 1)
      const Four grid = lo.map([axis](auto w) { return w >> 21 * axis & 0x1fffff; }).to_double();
      ((grid + Four::all(0.5)) * Four::all(0x1p-20) - Four::all(1)).store(move[axis]);
    }
    const Four high = Words<Four>::of([&](int l) { return block[l].hi >> 12; }).to_double();
    (Four::all(0) - log_of((high + Four::all(0.5)) * Four::all(0x1p-52))).store(threshold);
  }
};

/// One system on its walk.
template <bool plain>
class Walker {
 public:
  Walker(const LjDwellings& at, const LjPotential& potential, const LjWalk& walk, LjWalked& walked)
      : at_(at), walk_(walk), walked_(walked), energy_(potential), reach_(__builtin_sqrt(potential.cutoff2)) {
    double longest = 0;
    for (int axis = 0; axis < 3; ++axis) {
      const bool wraps = at.periodic && axis < at.dim;
      length_[axis] = Four::all(wraps ? at.length[axis] : 0);
      inverse_[axis] = Four::all(wraps ? 1 / at.length[axis] : 0);
      longest = at.side[axis] > longest ? at.side[axis] : longest;
    }
    rounding_ = 1e-5 * longest;
  }

  /// False: the particle would enter a full cell; it is where it was.
  SPINODAL_INLINE bool move(std::int64_t i, const double* unit, double threshold) {
    double* own = at_.place + 4 * i;
    const double old[3] = {own[0], own[1], own[2]};
    double by[3], to[3], by2 = 0;
    for (int axis = 0; axis < 3; ++axis) {
      by[axis] = axis < at_.dim ? walk_.step * unit[axis] : 0;
      to[axis] = old[axis] + by[axis];
      by2 += by[axis] * by[axis];
    }
    own[0] = __builtin_nan("");  // meets nobody
    std::int64_t n = at_.n;
    if (!at_.single) n = at_.filtered ? filter(i, old, __builtin_sqrt(by2)) : collect(i);
    double change = at_.tight ? difference<true>(old, by, n) : difference<false>(old, by, n);
    if (walk_.confinement != 0) change += spring(old, by, by2);
    own[0] = old[0];
    if (!(change <= threshold * walk_.temperature)) return true;
    if (at_.periodic) wrap(to);
    if (!at_.single && !enter(i, to)) return false;
    for (int axis = 0; axis < 3; ++axis) {
      own[axis] = to[axis];
      const double shift = by[axis] / static_cast<double>(at_.n);
      walked_.mean[axis] += shift;
      walked_.drift[axis] += shift;
    }
    walked_.energy += change;
    ++walked_.accepted;
    return true;
  }

 private:
  /// Of ½ k Σ (x - mean)².
  double spring(const double* old, const double* by, double by2) const {
    double along = 0;
    for (int axis = 0; axis < 3; ++axis) along += (old[axis] - walked_.mean[axis]) * by[axis];
    return walk_.confinement * (along + 0.5 * by2 * (1 - 1 / static_cast<double>(at_.n)));
  }

  void wrap(double* to) const {
    for (int axis = 0; axis < at_.dim; ++axis) {
      const double length = at_.length[axis];
      const double inside = to[axis] < 0 ? to[axis] + length : to[axis] >= length ? to[axis] - length : to[axis];
      to[axis] = inside < length ? inside : 0;  // a tiny negative one is rounded up to the length
    }
  }

  SPINODAL_INLINE Four nearest(Four d, int axis) const {
    const Four shift = Four::all(0x1.8p52);
    return d - length_[axis] * ((d * inverse_[axis] + shift) - shift);
  }

  /// New energy less old, with the first n candidates.
  template <bool tight>
  SPINODAL_INLINE double difference(const double* old, const double* by, std::int64_t n) const {
    Four total = Four::all(0);
    for (std::int64_t k = 0; k < n; k += 4) {
      Four there[3], before = Four::all(0), after = Four::all(0);
      gather(at_.place, at_.candidates + k, there);
      for (int axis = 0; axis < 3; ++axis) {
        const Four d = nearest(Four::all(old[axis]) - there[axis], axis);
        const Four moved = d + Four::all(by[axis]), e = tight ? nearest(moved, axis) : moved;
        before = before + d * d;
        after = after + e * e;
      }
      total = total + (energy_(after) - energy_(before));
    }
    return total.sum();
  }

  /// The cells next to one along an axis, and how far the particle is from each of them.
  struct Line {
    std::int64_t n, cell[3];
    double offset[3];  ///< of the cell's corner from that of the particle's own
    double gap2[3];
  };

  SPINODAL_INLINE Line line(std::int64_t cell, int axis, double in_cell) const {
    const std::int64_t n = at_.n_cells[axis];
    if (n == 1) return {1, {0, 0, 0}, {0, 0, 0}, {0, 0, 0}};
    const double side = at_.side[axis], above = side - in_cell;
    return {3,
            {cell == 0 ? n - 1 : cell - 1, cell, cell == n - 1 ? 0 : cell + 1},
            {-side, 0, side},
            {in_cell > 0 ? in_cell * in_cell : 0, 0, above > 0 ? above * above : 0}};
  }

  /// The particles of the cells around that may be within the cutoff before the move or after it; returns how many.
  SPINODAL_INLINE std::int64_t filter(std::int64_t i, const double* old, double by) const {
    const std::int64_t nz = at_.n_cells[2], ny = at_.n_cells[1], own = at_.cell[i];
    const std::int64_t index[3] = {own / (ny * nz), own / nz % ny, own % nz};
    Line lines[3];
    double in_cell[3];
    for (int axis = 0; axis < 3; ++axis) {
      in_cell[axis] = old[axis] - static_cast<double>(index[axis]) * at_.side[axis];
      lines[axis] = line(index[axis], axis, in_cell[axis]);
    }
    const double wide = reach_ + by + rounding_, limit = wide * wide;
    const Eight limits = Eight::all(static_cast<float>(limit));
    std::int64_t n = 0;
    for (std::int64_t a = 0; a < lines[0].n; ++a) {
      const Eight x = Eight::all(static_cast<float>(in_cell[0] - lines[0].offset[a]));
      for (std::int64_t b = 0; b < lines[1].n; ++b) {
        const Eight y = Eight::all(static_cast<float>(in_cell[1] - lines[1].offset[b]));
        const double rest = limit - lines[0].gap2[a] - lines[1].gap2[b];
        const std::int64_t column = (lines[0].cell[a] * ny + lines[1].cell[b]) * nz;
        for (std::int64_t c = 0; c < lines[2].n; ++c) {
          if (lines[2].gap2[c] > rest) continue;
          const Eight z = Eight::all(static_cast<float>(in_cell[2] - lines[2].offset[c]));
          n += near_in_cell(column + lines[2].cell[c], x, y, z, limits, n);
        }
      }
    }
    return pad(n);
  }

  SPINODAL_INLINE std::int64_t near_in_cell(std::int64_t cell, Eight x, Eight y, Eight z, Eight limits,
                                            std::int64_t n) const {
    const float* corner = at_.corner + 3 * cell * at_.capacity;
    const std::uint32_t* occupant = at_.occupant + cell * at_.capacity;
    const std::int64_t first = n;
    for (std::int64_t k = 0; k < at_.count[cell]; k += 8) {
      const Eight dx = x - Eight::load(corner + k), dy = y - Eight::load(corner + at_.capacity + k);
      const Eight dz = z - Eight::load(corner + 2 * at_.capacity + k);
      EightWords who;
      std::memcpy(&who, occupant + k, sizeof who);
      n += append_set(at_.candidates + n, who, (dx * dx + dy * dy + dz * dz < limits).bits());
    }
    return n - first;
  }

  /// All particles of the cells around.
  std::int64_t collect(std::int64_t i) const {
    const std::int64_t nz = at_.n_cells[2], ny = at_.n_cells[1], own = at_.cell[i];
    const Line lx = line(own / (ny * nz), 0, 0), ly = line(own / nz % ny, 1, 0), lz = line(own % nz, 2, 0);
    std::int64_t n = 0;
    for (std::int64_t a = 0; a < lx.n; ++a) {
      for (std::int64_t b = 0; b < ly.n; ++b) {
        for (std::int64_t c = 0; c < lz.n; ++c) {
          const std::int64_t cell = (lx.cell[a] * ny + ly.cell[b]) * nz + lz.cell[c];
          const std::uint32_t* occupant = at_.occupant + cell * at_.capacity;
          for (std::int32_t k = 0; k < at_.count[cell]; ++k) at_.candidates[n++] = occupant[k];
        }
      }
    }
    return pad(n);
  }

  SPINODAL_INLINE std::int64_t pad(std::int64_t n) const {
    for (int l = 0; l < 4; ++l) at_.candidates[n + l] = static_cast<std::uint32_t>(at_.n);
    return n;
  }

  /// Put a particle into the cell of its new place. False: that cell is full.
  SPINODAL_INLINE bool enter(std::int64_t i, const double* to) const {
    std::int64_t index[3];
    for (int axis = 0; axis < 3; ++axis) index[axis] = lj_cell_along(at_, axis, to[axis]);
    const std::int64_t cell = (index[0] * at_.n_cells[1] + index[1]) * at_.n_cells[2] + index[2], old = at_.cell[i];
    if (cell != old) {
      if (at_.count[cell] == at_.capacity) return false;
      leave(i, old);
      const std::int32_t slot = at_.count[cell]++;
      at_.occupant[cell * at_.capacity + slot] = static_cast<std::uint32_t>(i);
      at_.cell[i] = static_cast<std::int32_t>(cell);
      at_.slot[i] = slot;
    }
    float* corner = at_.corner + 3 * cell * at_.capacity + at_.slot[i];
    for (int axis = 0; axis < 3; ++axis) {
      const double in_cell = to[axis] - static_cast<double>(index[axis]) * at_.side[axis];
      corner[axis * at_.capacity] = static_cast<float>(in_cell);
    }
    return true;
  }

  /// The last occupant takes the place of the one that leaves.
  void leave(std::int64_t i, std::int64_t cell) const {
    const std::int32_t last = --at_.count[cell], slot = at_.slot[i];
    std::uint32_t* occupant = at_.occupant + cell * at_.capacity;
    float* corner = at_.corner + 3 * cell * at_.capacity;
    at_.slot[occupant[last]] = slot;
    occupant[slot] = occupant[last];
    for (int axis = 0; axis < 3; ++axis, corner += at_.capacity) {
      corner[slot] = corner[last];
      corner[last] = __builtin_nanf("");
    }
  }

  const LjDwellings& at_;
  const LjWalk& walk_;
  LjWalked& walked_;
  PairEnergy<plain> energy_;
  Four length_[3], inverse_[3];
  double reach_, rounding_;
};

template <bool plain>
std::int64_t sweep(const LjDwellings& at, const LjPotential& potential, const LjWalk& walk, std::int64_t first,
                   LjWalked& walked) {
  std::int64_t i = first;
  with_stream(walk.stream, walk.seed, [&](const auto& generator) {
    Walker<plain> walker(at, potential, walk, walked);
    for (bool room = true; room && i < at.n;) {
      const std::int64_t group = i / 4 * 4, end = group + 4 < at.n ? group + 4 : at.n;
      const Proposals proposals(generator, walk, group);
      for (; i < end; ++i) {
        const std::int64_t l = i - group;
        const double unit[3] = {proposals.move[0][l], proposals.move[1][l], proposals.move[2][l]};
        room = walker.move(i, unit, proposals.threshold[l]);
        if (!room) break;
      }
    }
  });
  return i;
}

SPINODAL_KERNELS_END

namespace spinodal {
namespace SPINODAL_ISA {

/// Move the particles from the first given on; returns the first that would have entered a full cell, else their
/// number.
std::int64_t lj_local_sweep(const LjDwellings& at, const LjPotential& potential, const LjWalk& walk, std::int64_t first,
                            LjWalked& walked) {
  return (potential.plain ? sweep<true> : sweep<false>)(at, potential, walk, first, walked);
}

}  // namespace SPINODAL_ISA
}  // namespace spinodal
