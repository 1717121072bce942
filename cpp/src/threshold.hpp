// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <cstdint>

namespace spinodal {

/// ceil(p·2^64) - 1: U ≤ threshold has probability p to within 2^-64, for any p in (0, 1].
inline std::uint64_t threshold_of(double p) {
  const double scaled = std::ceil(std::ldexp(p, 64));
  if (scaled >= 0x1p64) return ~std::uint64_t{0};
  return scaled < 1 ? 0 : static_cast<std::uint64_t>(scaled) - 1;
}

}  // namespace spinodal
