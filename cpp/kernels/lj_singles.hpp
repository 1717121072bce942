// SPDX-License-Identifier: BSD-3-Clause
// Distances in single precision, of four particles from clusters of eight.
#pragma once

#include "kernels/lj_types.hpp"
#include "kernels/pack.hpp"

SPINODAL_KERNELS_BEGIN

using Eight = Pack<float, 8>;

/// Four particles of a half, in single precision.
struct Singles {
  Eight x[4], y[4], z[4];

  /// Shifted into an image.
  Singles(const LjCells& cells, std::int64_t half, const std::int32_t* image) {
    const double* own = cells.halves + half * LjCells::half_size;
    for (int a = 0; a < 4; ++a) {
      x[a] = Eight::all(static_cast<float>(own[a] - image[0] * cells.length[0]));
      y[a] = Eight::all(static_cast<float>(own[4 + a] - image[1] * cells.length[1]));
      z[a] = Eight::all(static_cast<float>(own[8 + a] - image[2] * cells.length[2]));
    }
  }

  SPINODAL_INLINE Eight distance2(int a, const float* cluster) const {
    const Eight dx = x[a] - Eight::load(cluster), dy = y[a] - Eight::load(cluster + 8);
    const Eight dz = z[a] - Eight::load(cluster + 16);
    return dx * dx + dy * dy + dz * dz;
  }
};

SPINODAL_KERNELS_END
