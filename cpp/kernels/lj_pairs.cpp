// SPDX-License-Identifier: BSD-3-Clause
// Pairs within a cutoff, listed or counted by distance. Floats find most of them; where they cannot tell, doubles do:
// what is found is what doubles find.
#include "kernels/append.hpp"
#include "kernels/entries.hpp"
#include "kernels/lj_singles.hpp"

SPINODAL_KERNELS_BEGIN

/// No distance between floats is wrong by more.
double margin_of(const LjCells& cells, double reach) { return 2 * static_cast<double>(cells.rounding) + 1e-6 * reach; }

/// A particle, shifted into the image of its row, in double precision.
struct Place {
  double x, y, z;

  Place(const LjCells& cells, const LjRow& row, int a) {
    const double* own = cells.halves + row.half * LjCells::half_size + a;
    x = own[0] - row.image[0] * cells.length[0];
    y = own[4] - row.image[1] * cells.length[1];
    z = own[8] - row.image[2] * cells.length[2];
  }

  SPINODAL_INLINE double distance2(const LjCells& cells, std::uint32_t slot) const {
    const double* at = position(cells, slot);
    const double dx = at[0] - x, dy = at[4] - y, dz = at[8] - z;
    return dx * dx + dy * dy + dz * dz;
  }

  /// x, and y and z 4 and 8 further on.
  static SPINODAL_INLINE const double* position(const LjCells& cells, std::uint32_t slot) {
    return cells.halves + slot / 4 * LjCells::half_size + slot % 4;
  }
};

/// f(cluster, lanes) for all clusters one particle of a row meets: its own with the lanes after it.
template <class F>
SPINODAL_INLINE void for_clusters(const LjRow& row, const std::uint32_t* outer, int a, F f) {
  if (row.image[0] == 0 && row.image[1] == 0 && row.image[2] == 0) {
    f(static_cast<std::uint32_t>(row.half / 2), 0xfeU << (4 * (row.half % 2) + a) & 0xffU);
  }
  for (std::int64_t e = row.outer_begin; e < row.outer_end; ++e) f(outer[e], 0xffU);
}

SPINODAL_INLINE EightWords slots_of(std::uint32_t cluster) {
  const EightWords lanes = {0, 1, 2, 3, 4, 5, 6, 7};
  return lanes + 8 * cluster;
}

/// Those within a cutoff of one particle.
class Near {
 public:
  Near(const LjCells& cells, double cutoff) : cells_(cells), cutoff2_(cutoff * cutoff) {
    const double margin = margin_of(cells, cutoff), low = cutoff - margin, high = cutoff + margin;
    surely_ = Eight::all(static_cast<float>(low > 0 ? low * low : 0));
    perhaps_ = Eight::all(static_cast<float>(high * high));
  }

  SPINODAL_INLINE unsigned operator()(const Singles& four, int a, const Place& place, std::uint32_t cluster) const {
    const Eight r2 = four.distance2(a, cells_.singles + cluster * LjCells::single_size);
    unsigned near = (r2 < perhaps_).bits();
    const unsigned undecided = near & ~(r2 < surely_).bits();
    if (__builtin_expect(undecided != 0, 0)) near ^= farther(place, cluster, undecided);
    return near;
  }

 private:
  unsigned farther(const Place& place, std::uint32_t cluster, unsigned lanes) const {
    unsigned result = 0;
    for (unsigned l = 0; l < 8; ++l) {
      if (lanes >> l & 1 && !(place.distance2(cells_, 8 * cluster + l) < cutoff2_)) result |= 1U << l;
    }
    return result;
  }

  const LjCells& cells_;
  double cutoff2_;
  Eight surely_, perhaps_;
};

/// The partners of the particles of one row. False: the memory does not suffice.
bool row_partners(const LjCells& cells, const Near& near, LjRow& row, const std::uint32_t* outer, LjPartners& out) {
  const std::int64_t most = 8 * (row.outer_end - row.outer_begin + 1);
  if (out.n + 4 * most + 8 > out.capacity) return false;
  const Singles four(cells, row.half, row.image);
  for (int a = 0; a < 4; ++a) {
    row.inner_begin[a] = out.n;
    if (a >= cells.n_in_half[row.half]) continue;
    const Place place(cells, row, a);
    std::int64_t n = out.n;
    for_clusters(row, outer, a, [&](std::uint32_t cluster, unsigned lanes) {
      n += append_set(out.slot + n, slots_of(cluster), near(four, a, place, cluster) & lanes);
    });
    out.n = n;
  }
  row.inner_begin[4] = out.n;
  return true;
}

/// The pairs of one particle of a row.
struct Group {
  const LjCells& cells;
  const LjRow& row;
  Place place;
  std::int64_t particle;
  const std::uint32_t* slot;
  std::int64_t n;
};

/// The places of a group's pairs in the tables: pair k is at first + stride k, and from the other side if reversed.
struct Places {
  std::int64_t first, stride;
  bool reversed;
};

void write_indices(const Group& group, const LjPairTables& tables, const Places& at) {
  std::int64_t *one = at.reversed ? tables.j : tables.i, *other = at.reversed ? tables.i : tables.j;
  for (std::int64_t k = 0; one != nullptr && k < group.n; ++k) one[at.first + at.stride * k] = group.particle;
  for (std::int64_t k = 0; other != nullptr && k < group.n; ++k) {
    other[at.first + at.stride * k] = tables.particle[group.slot[k]];
  }
}

template <int dim>
void write_vectors(const Group& group, double* vectors, const Places& at) {
  const double sign = at.reversed ? -1 : 1;
  for (std::int64_t k = 0; k < group.n; ++k) {
    const double* to = Place::position(group.cells, group.slot[k]);
    double* out = vectors + dim * (at.first + at.stride * k);
    out[0] = sign * (to[0] - group.place.x);
    if constexpr (dim == 3) out[1] = sign * (to[4] - group.place.y);
    out[dim - 1] = sign * (to[8] - group.place.z);
  }
}

void write_distances(const Group& group, double* distances, const Places& at) {
  using Four = Pack<double, 4>;
  for (std::int64_t k = 0; k < group.n; k += 4) {
    double r[4] = {};
    const std::int64_t n = group.n - k < 4 ? group.n - k : 4;
    for (std::int64_t l = 0; l < n; ++l) r[l] = group.place.distance2(group.cells, group.slot[k + l]);
    Four::load(r).sqrt().store(r);
    for (std::int64_t l = 0; l < n; ++l) distances[at.first + at.stride * (k + l)] = r[l];
  }
}

void write_shifts(const Group& group, const LjPairTables& tables, const Places& at) {
  const int dim = tables.dim;
  std::int32_t image[3] = {group.row.image[0], group.row.image[dim == 2 ? 2 : 1], group.row.image[2]};
  const std::int32_t* own = tables.wraps == nullptr ? nullptr : tables.wraps + dim * group.particle;
  for (int axis = 0; own != nullptr && axis < dim; ++axis) image[axis] += own[axis];
  for (std::int64_t k = 0; k < group.n; ++k) {
    std::int32_t* out = tables.shifts + dim * (at.first + at.stride * k);
    for (int axis = 0; axis < dim; ++axis) {
      const std::int32_t shift =
          own == nullptr ? image[axis] : image[axis] - tables.wraps[dim * tables.particle[group.slot[k]] + axis];
      out[axis] = at.reversed ? -shift : shift;
    }
  }
}

void write_group(const Group& group, const LjPairTables& tables, const Places& at) {
  write_indices(group, tables, at);
  if (tables.distances != nullptr) write_distances(group, tables.distances, at);
  if (tables.vectors != nullptr) (tables.dim == 2 ? write_vectors<2> : write_vectors<3>)(group, tables.vectors, at);
  if (tables.shifts != nullptr) write_shifts(group, tables, at);
}

/// Adds the distances of one particle from others to the bins: those within reach are gathered, then counted by eights.
class Counter {
 public:
  Counter(const LjCells& cells, const LjBins& bins, double reach)
      : cells_(cells), bins_(bins), scale_(Eight::all(static_cast<float>(bins.scale))) {
    const double wide = reach + margin_of(cells, reach);
    limit_ = Eight::all(static_cast<float>(wide * wide));
    beyond_ = Eight::all(static_cast<float>(bins.n_bins) + 0.5F);
    // In bins: of the distance itself, and of the arithmetic.
    const double error = margin_of(cells, reach) * bins.scale + 1e-6 * static_cast<double>(bins.n_bins);
    centred_ = Eight::all(static_cast<float>(error < 0.5 ? 0.5 - error : 0));
  }

  /// Gather, after n of them, those of a cluster; returns how many there are then.
  SPINODAL_INLINE std::int64_t meet(const Singles& four, int a, const Place& place, std::uint32_t cluster,
                                    unsigned lanes, std::int64_t n) {
    const Eight r2 = four.distance2(a, cells_.singles + cluster * LjCells::single_size);
    const unsigned near = (r2 < limit_).bits() & lanes;
    EightWords bits;
    std::memcpy(&bits, r2.part, sizeof bits);
    append_set(r2_ + n, bits, near);
    n += append_set(slot_ + n, slots_of(cluster), near);
    if (__builtin_expect(n <= room - 8, 1)) return n;
    count(place, n);
    return 0;
  }

  /// Count the n gathered; all were of one particle, which is at that place.
  void count(const Place& place, std::int64_t n) {
    const float far = 1e30F;
    for (int l = 0; l < 8; ++l) std::memcpy(r2_ + n + l, &far, sizeof far);
    for (std::int64_t k = 0; k < n; k += 8) add(place, k, n);
  }

 private:
  static constexpr std::int64_t room = 512;

  SPINODAL_INLINE void add(const Place& place, std::int64_t k, std::int64_t n) const {
    Eight r2;
    std::memcpy(r2.part, r2_ + k, sizeof r2.part);
    const Eight half = Eight::all(0.5F), shift = Eight::all(0x1.8p23F);  // the sum has no bits left for a fraction
    const Eight t = smaller(r2.sqrt() * scale_, beyond_) - half, rounded = t + shift;
    const Eight off = t - (rounded - shift);
    EightWords bits;  // of a float of that size: the shift's, and the integer
    std::memcpy(&bits, rounded.part, sizeof bits);
    const EightWords lanes = {0, 1, 2, 3, 4, 5, 6, 7};
    bits = ((bits - 0x4B400000U) << 3) + lanes;
    std::uint32_t bin[8];
    std::memcpy(bin, &bits, sizeof bin);
    const unsigned near_edge = (centred_ < larger(off, Eight::all(0) - off)).bits();
    if (__builtin_expect(near_edge != 0, 0)) correct(place, k, n, near_edge, bin);
#pragma GCC unroll 8
    for (int l = 0; l < 8; ++l) ++bins_.counts[bin[l]];
  }

  __attribute__((noinline)) void correct(const Place& place, std::int64_t k, std::int64_t n, unsigned near_edge,
                                         std::uint32_t* bin) const {
    for (std::uint32_t l = 0; l < 8; ++l) {
      if (!(near_edge >> l & 1) || k + l >= n) continue;
      const double t = __builtin_sqrt(place.distance2(cells_, slot_[k + l])) * bins_.scale;
      const bool inside = t < static_cast<double>(bins_.n_bins);
      const std::int64_t exact = inside ? static_cast<std::int64_t>(t) : bins_.n_bins;
      bin[l] = static_cast<std::uint32_t>(LjBins::n_copies * exact) + l;
    }
  }

  const LjCells& cells_;
  const LjBins& bins_;
  Eight scale_, limit_, beyond_, centred_;
  std::uint32_t r2_[room + 8], slot_[room + 8];  // the first are bits of floats
};

SPINODAL_KERNELS_END

namespace spinodal {
namespace SPINODAL_ISA {

/// List the partners of all particles of the rows [row, rows.n_rows); returns the first row the memory did not suffice
/// for.
std::int64_t lj_partners(const LjCells& cells, double cutoff, std::int64_t row, const LjRows& rows, LjPartners& out) {
  const Near near(cells, cutoff);
  while (row < rows.n_rows && row_partners(cells, near, rows.row[row], rows.outer, out)) ++row;
  return row;
}

/// Write the pairs of the rows, from pair `first` on; a list that is not half has each of them from both sides.
void lj_write_pairs(const LjCells& cells, const LjRows& rows, const LjPartners& partners, const LjPairTables& tables,
                    std::int64_t first) {
  for (std::int64_t r = 0; r < rows.n_rows; ++r) {
    const LjRow& row = rows.row[r];
    for (int a = 0; a < cells.n_in_half[row.half]; ++a) {
      const std::int64_t begin = row.inner_begin[a], n = row.inner_begin[a + 1] - begin;
      const Group group{cells, row, Place(cells, row, a), tables.particle[4 * row.half + a], partners.slot + begin, n};
      if (tables.half) {
        write_group(group, tables, {first + begin, 1, false});
      } else {
        write_group(group, tables, {2 * (first + begin), 2, false});
        write_group(group, tables, {2 * (first + begin) + 1, 2, true});
      }
    }
  }
}

/// Add the pairs of the rows to the bins; `reach` is that of the rows.
void lj_count_pairs(const LjCells& cells, const LjRows& rows, double reach, const LjBins& bins) {
  Counter counter(cells, bins, reach);
  for (std::int64_t r = 0; r < rows.n_rows; ++r) {
    const LjRow& row = rows.row[r];
    const Singles four(cells, row.half, row.image);
    for (int a = 0; a < cells.n_in_half[row.half]; ++a) {
      const Place place(cells, row, a);
      std::int64_t n = 0;
      for_clusters(row, rows.outer, a,
                   [&](std::uint32_t cluster, unsigned lanes) { n = counter.meet(four, a, place, cluster, lanes, n); });
      counter.count(place, n);
    }
  }
}

}  // namespace SPINODAL_ISA
}  // namespace spinodal
