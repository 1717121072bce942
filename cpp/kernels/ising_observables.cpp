// SPDX-License-Identifier: BSD-3-Clause
// Sums over int8 spins, in blocks short enough for narrow accumulators.
#include "kernels/entries.hpp"
#include "kernels/isa.hpp"

SPINODAL_KERNELS_BEGIN

/// Σ_i a_i b_i of two rows of ±1.
std::int64_t row_product(const std::int8_t* a, const std::int8_t* b, std::int64_t n) {
  std::int64_t total = 0;
  for (std::int64_t first = 0; first < n; first += 16384) {  // 16384 products of ±1 fit an int16
    const std::int64_t stop = first + 16384 < n ? first + 16384 : n;
    std::int16_t block = 0;
    for (std::int64_t i = first; i < stop; ++i) block = static_cast<std::int16_t>(block + a[i] * b[i]);
    total += block;
  }
  return total;
}

SPINODAL_KERNELS_END

namespace spinodal {
namespace SPINODAL_ISA {

/// Index of the first entry that is not ±1, or n.
std::int64_t first_non_spin(const std::int8_t* spins, std::int64_t n) {
  constexpr std::int64_t block = 4096;
  for (std::int64_t first = 0; first < n; first += block) {
    const std::int64_t stop = first + block < n ? first + block : n;
    std::uint8_t bad = 0;
    for (std::int64_t i = first; i < stop; ++i) {
      bad = static_cast<std::uint8_t>(bad | ((spins[i] != 1) & (spins[i] != -1)));
    }
    if (bad == 0) continue;
    for (std::int64_t i = first; i < stop; ++i) {
      if (spins[i] != 1 && spins[i] != -1) return i;
    }
  }
  return n;
}

std::int64_t sum_spins(const std::int8_t* spins, std::int64_t n) {
  std::int64_t total = 0;
  for (std::int64_t first = 0; first < n; first += 16384) {
    const std::int64_t stop = first + 16384 < n ? first + 16384 : n;
    std::int16_t block = 0;
    for (std::int64_t i = first; i < stop; ++i) block = static_cast<std::int16_t>(block + spins[i]);
    total += block;
  }
  return total;
}

/// Σ_i Σ_axis s_i s_{i + axis}.
std::int64_t bond_sum(const std::int8_t* spins, LatticeShape shape) {
  const std::int64_t lx = shape.lx, ly = shape.ly, lz = shape.lz;
  std::int64_t total = 0;
  for (std::int64_t z = 0; z < lz; ++z) {
    for (std::int64_t y = 0; y < ly; ++y) {
      const std::int8_t* row = spins + (z * ly + y) * lx;
      total += row_product(row, row + 1, lx - 1) + row[lx - 1] * row[0];
      total += row_product(row, spins + (z * ly + (y + 1 == ly ? 0 : y + 1)) * lx, lx);
      if (!shape.two_dimensional) total += row_product(row, spins + ((z + 1 == lz ? 0 : z + 1) * ly + y) * lx, lx);
    }
  }
  return total;
}

}  // namespace SPINODAL_ISA
}  // namespace spinodal
