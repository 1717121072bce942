// SPDX-License-Identifier: BSD-3-Clause
// Neighbour rows: clusters within reach of a half's bounding box, then the halves within reach of each particle.
#include <cmath>

#include "kernels/entries.hpp"
#include "kernels/lj_singles.hpp"

SPINODAL_KERNELS_BEGIN

std::int64_t floor_divide(std::int64_t a, std::int64_t b) { return a >= 0 ? a / b : -((b - 1 - a) / b); }
std::int64_t lower(std::int64_t a, std::int64_t b) { return a < b ? a : b; }
std::int64_t higher(std::int64_t a, std::int64_t b) { return a < b ? b : a; }
std::int64_t floor_of(double x) { return static_cast<std::int64_t>(std::floor(x)); }

/// A cluster's bounding box, shifted into an image, and what can be reached from there.
struct Search {
  const LjCells& cells;
  std::int64_t cluster;
  double reach2;
  double low[3], high[3];

  /// Clusters [begin, end) of a column that may overlap z in [from, to].
  SPINODAL_INLINE void overlap(std::int64_t column, double from, double to, std::int64_t& begin,
                               std::int64_t& end) const {
    begin = end = 0;
    if (to < 0 || from > cells.length[2]) return;
    const std::int64_t first_bin = column * cells.n_z;
    const std::int64_t before = first_bin == 0 ? 0 : cells.bin_end[first_bin - 1];
    const std::int64_t bin = first_bin + cells.bin_of(from), last = first_bin + cells.bin_of(to);
    const std::int64_t first = (bin == 0 ? 0 : cells.bin_end[bin - 1]) - before, stop = cells.bin_end[last] - before;
    begin = cells.column_begin[column] + first / 8;
    end = cells.column_begin[column] + (stop + 7) / 8;
  }

  /// Append the clusters of [begin, end) whose bounding boxes are within reach.
  SPINODAL_INLINE std::int64_t append(std::int64_t begin, std::int64_t end, std::uint32_t* out) const {
    std::int64_t n = 0;
    for (std::int64_t c = begin; c < end; c += 8) {
      Eight distance2 = Eight::all(0);
      for (int axis = 0; axis < 3; ++axis) {
        const Eight lowest = Eight::load(cells.bounds + axis * cells.bounds_stride + c);
        const Eight highest = Eight::load(cells.bounds + (axis + 3) * cells.bounds_stride + c);
        const Eight below = Eight::all(static_cast<float>(low[axis])) - highest;
        const Eight above = lowest - Eight::all(static_cast<float>(high[axis]));
        const Eight gap = larger(larger(below, above), Eight::all(0));
        distance2 = distance2 + gap * gap;
      }
      const unsigned inside = end - c < 8 ? (1U << (end - c)) - 1 : 0xff;
      const unsigned near = (distance2 < Eight::all(static_cast<float>(reach2))).bits() & inside;
#pragma GCC unroll 8
      for (unsigned k = 0; k < 8; ++k) {
        out[n] = static_cast<std::uint32_t>(c) + k;
        n += near >> k & 1;
      }
    }
    return n;
  }
};

/// Of the clusters [0, n), those with a particle within reach of any of the four; returns how many.
std::int64_t keep_near(const Singles& four, const LjCells& cells, float reach2, const std::uint32_t* clusters,
                       std::int64_t n, std::uint32_t* out) {
  std::int64_t kept = 0;
  for (std::int64_t e = 0; e < n; ++e) {
    const float* single = cells.singles + clusters[e] * LjCells::single_size;
    const Eight first = smaller(four.distance2(0, single), four.distance2(1, single));
    const Eight second = smaller(four.distance2(2, single), four.distance2(3, single));
    out[kept] = clusters[e];
    kept += (smaller(first, second) < Eight::all(reach2)).bits() != 0;
  }
  return kept;
}

/// The columns (and images of the box) one cluster reaches.
struct Extent {
  std::int64_t gx_end, gy_begin, gy_end, z_begin, z_end;

  Extent(const LjCells& cells, const double* low, const double* high, double reach) {
    gx_end = floor_of((high[0] + reach) / cells.side[0]);
    gy_begin = floor_of((low[1] - reach) / cells.side[1]);
    gy_end = floor_of((high[1] + reach) / cells.side[1]);
    z_begin = floor_of((low[2] - reach) / cells.length[2]);
    z_end = floor_of((high[2] + reach) / cells.length[2]);
    if (!cells.periodic[0]) gx_end = lower(gx_end, cells.nx - 1);
    if (!cells.periodic[1]) {
      gy_begin = higher(gy_begin, 0);
      gy_end = lower(gy_end, cells.ny - 1);
    }
    if (!cells.periodic[2]) z_begin = z_end = 0;
  }
};

/// All clusters that one of `search` reaches in one image, appended to the rows' memory; returns their end, or -1: the
/// memory does not suffice.
std::int64_t find_clusters(const Search& search, const Extent& extent, double reach, const std::int32_t* image,
                           const LjRows& rows) {
  const LjCells& cells = search.cells;
  const std::int64_t own = cells.cluster_column[search.cluster], own_x = own / cells.ny, own_y = own % cells.ny;
  const bool home = image[0] == 0 && image[1] == 0 && image[2] == 0;
  const std::int64_t base_x = image[0] * cells.nx, base_y = image[1] * cells.ny;
  std::int64_t n = rows.n_outer;
  for (std::int64_t gx = higher(own_x, base_x); gx <= lower(extent.gx_end, base_x + cells.nx - 1); ++gx) {
    const bool same_x = gx == own_x;
    const double dx = static_cast<double>(gx - base_x) * cells.side[0] - search.high[0];
    const double left = reach * reach - (dx > 0 ? dx * dx : 0);
    if (left < 0) break;
    const std::int64_t gy_first = higher(same_x ? own_y : extent.gy_begin, base_y);
    for (std::int64_t gy = gy_first; gy <= lower(extent.gy_end, base_y + cells.ny - 1); ++gy) {
      const bool same = same_x && gy == own_y;
      if (same && image[2] < 0) continue;
      const double edge = static_cast<double>(gy - base_y) * cells.side[1];
      const double above = edge - search.high[1], below = search.low[1] - (edge + cells.side[1]);
      const double dy = above > below ? above : below;
      const double rest = left - (dy > 0 ? dy * dy : 0);
      if (rest < 0) continue;
      const double dz = std::sqrt(rest);
      std::int64_t begin, end;
      search.overlap((gx - base_x) * cells.ny + gy - base_y, search.low[2] - dz, search.high[2] + dz, begin, end);
      if (same && home) begin = higher(begin, search.cluster + 1);
      if (n + end - begin + 8 > rows.outer_capacity) return -1;
      n += search.append(begin, end, rows.outer + n);
    }
  }
  return n;
}

/// The rows of both halves of a cluster, of what it reaches up to `end`: the same for both, or exactly what each
/// reaches. False: the memory does not suffice.
bool add_rows(const LjCells& cells, std::int64_t cluster, double reach, bool exact, const std::int32_t* image,
              std::int64_t end, LjRows& rows) {
  const bool home = image[0] == 0 && image[1] == 0 && image[2] == 0;
  const std::int64_t begin = rows.n_outer, n = end - begin;
  if (!home && n == 0) return true;
  if (rows.n_rows + 2 > rows.row_capacity || (exact && begin + 3 * n > rows.outer_capacity)) return false;
  const auto limit = static_cast<float>(reach * reach);
  std::int64_t kept = end;
  for (std::int64_t half = 2 * cluster; half < 2 * cluster + 2; ++half) {
    if (cells.n_in_half[half] == 0) continue;
    LjRow row{static_cast<std::int32_t>(half), {image[0], image[1], image[2]}, begin, end, {}};
    if (exact) {
      row.outer_begin = kept - n;  // where these will be
      kept += keep_near(Singles(cells, half, image), cells, limit, rows.outer + begin, n, rows.outer + kept);
      row.outer_end = kept - n;
      if (!home && row.outer_begin == row.outer_end) continue;
    }
    rows.row[rows.n_rows++] = row;
  }
  if (exact)
    std::memmove(rows.outer + begin, rows.outer + end, static_cast<std::size_t>(kept - end) * sizeof *rows.outer);
  rows.n_outer = exact ? kept - n : end;
  return true;
}

/// The rows of one cluster. False: the memory does not suffice, and there are none of it.
bool fill_rows(const LjCells& cells, std::int64_t cluster, double reach, bool exact, LjRows& rows) {
  double low[3], high[3];
  for (int axis = 0; axis < 3; ++axis) {
    low[axis] = static_cast<double>(cells.bounds[axis * cells.bounds_stride + cluster]);
    high[axis] = static_cast<double>(cells.bounds[(axis + 3) * cells.bounds_stride + cluster]);
  }
  const Extent extent(cells, low, high, reach);
  const std::int64_t first_row = rows.n_rows, first_outer = rows.n_outer;
  const auto images_x = static_cast<std::int32_t>(floor_divide(extent.gx_end, cells.nx));
  const auto first_y = static_cast<std::int32_t>(floor_divide(extent.gy_begin, cells.ny));
  const auto last_y = static_cast<std::int32_t>(floor_divide(extent.gy_end, cells.ny));
  for (std::int32_t ix = 0; ix <= images_x; ++ix) {
    for (std::int32_t iy = first_y; iy <= last_y; ++iy) {
      for (auto iz = static_cast<std::int32_t>(extent.z_begin); iz <= extent.z_end; ++iz) {
        const std::int32_t image[3] = {ix, iy, iz};
        Search search{cells, cluster, reach * reach, {}, {}};
        for (int axis = 0; axis < 3; ++axis) {
          search.low[axis] = low[axis] - image[axis] * cells.length[axis];
          search.high[axis] = high[axis] - image[axis] * cells.length[axis];
        }
        const std::int64_t end = find_clusters(search, extent, reach, image, rows);
        if (end < 0 || !add_rows(cells, cluster, reach, exact, image, end, rows)) {
          rows.n_rows = first_row;
          rows.n_outer = first_outer;
          return false;
        }
      }
    }
  }
  return true;
}

/// The neighbours of up to four particles: every one of them writes, and the pointer moves on where one is near.
class Appender {
 public:
  explicit SPINODAL_INLINE Appender(std::uint32_t* out) : out_(out) {}

  SPINODAL_INLINE void append(std::uint32_t cluster, unsigned near) {
    const auto offset = static_cast<std::uint32_t>(2 * LjCells::half_size) * cluster;
    out_[n_] = offset;
    n_ += (near & 15) != 0;
    out_[n_] = offset + static_cast<std::uint32_t>(LjCells::half_size);
    n_ += near >> 4 != 0;
  }
  SPINODAL_INLINE std::int64_t size() const { return n_; }
  SPINODAL_INLINE const std::uint32_t* data() const { return out_; }

 private:
  std::uint32_t* out_;
  std::int64_t n_ = 0;
};

void prune_row(const LjCells& cells, LjRow& row, float reach2, const LjRows& rows, std::int64_t& n_inner) {
  const Eight limit = Eight::all(reach2);
  const std::int64_t stride = 2 * (row.outer_end - row.outer_begin + 1);  // what one particle may need
  std::uint32_t* room = rows.inner + n_inner;
  const Singles particles(cells, row.half, row.image);
  Appender near[4] = {Appender(room), Appender(room + stride), Appender(room + 2 * stride),
                      Appender(room + 3 * stride)};
  if (row.image[0] == 0 && row.image[1] == 0 && row.image[2] == 0 && row.half % 2 == 0) {
    const auto cluster = static_cast<std::uint32_t>(row.half / 2);
    const float* single = cells.singles + cluster * LjCells::single_size;
    for (int a = 0; a < 4; ++a) near[a].append(cluster, (particles.distance2(a, single) < limit).bits() & 0xf0);
  }
  for (std::int64_t e = row.outer_begin; e < row.outer_end; ++e) {
    const std::uint32_t cluster = rows.outer[e];
    const float* single = cells.singles + cluster * LjCells::single_size;
    for (int a = 0; a < 4; ++a) near[a].append(cluster, (particles.distance2(a, single) < limit).bits());
  }
  for (int a = 0; a < 4; ++a) {  // close the gaps between the four
    row.inner_begin[a] = n_inner;
    const std::int64_t n = a < cells.n_in_half[row.half] ? near[a].size() : 0;
    for (std::int64_t k = 0; k < n; ++k) rows.inner[n_inner + k] = near[a].data()[k];
    n_inner += n;
  }
  row.inner_begin[4] = n_inner;
}

SPINODAL_KERNELS_END

namespace spinodal {
namespace SPINODAL_ISA {

/// List all clusters within reach of the clusters [cluster, end); returns the first one the memory did not suffice for.
std::int64_t lj_outer_rows(const LjCells& cells, double reach, bool exact, std::int64_t cluster, std::int64_t end,
                           LjRows& rows) {
  const double wide = reach + static_cast<double>(cells.rounding);
  while (cluster < end && fill_rows(cells, cluster, wide, exact, rows)) ++cluster;
  return cluster;
}

/// From them, list the halves within reach of each particle. `rows.inner` has room for 16 (n_outer + n_rows).
void lj_inner_rows(const LjCells& cells, double reach, const LjRows& rows) {
  const float limit = static_cast<float>(reach) + cells.rounding;
  std::int64_t n_inner = 0;
  for (std::int64_t r = 0; r < rows.n_rows; ++r) prune_row(cells, rows.row[r], limit * limit, rows, n_inner);
}

/// Copy the positions of the clusters [begin, end) to single precision.
void lj_singles(const LjCells& cells, std::int64_t begin, std::int64_t end) {
  for (std::int64_t c = begin; c < end; ++c) {
    const double* half = cells.halves + 2 * c * LjCells::half_size;
    float* single = cells.singles + c * LjCells::single_size;
    for (int axis = 0; axis < 3; ++axis) {
      for (int l = 0; l < 4; ++l) {
        single[8 * axis + l] = static_cast<float>(half[4 * axis + l]);
        single[8 * axis + l + 4] = static_cast<float>(half[LjCells::half_size + 4 * axis + l]);
      }
    }
  }
}

}  // namespace SPINODAL_ISA
}  // namespace spinodal
