// SPDX-License-Identifier: BSD-3-Clause
// What each instruction set offers: one row of the dispatch table.
#pragma once

#include <cstdint>

#include "spinodal/ising.hpp"
#include "spinodal/stream.hpp"

namespace spinodal {

/// One lattice split into its two sublattices, spins as bytes 0 (down) and 1 (up).
///
/// Row r = z·ly + y of sublattice c holds the sites x = 2k + (y + z + c) % 2, k < width. Each row
/// has a copy of its last site before it and of its first site after it, so that every
/// neighbour of a vector of sites is one load; bytes past those are scratch.
struct ColorPlanes {
  std::uint8_t* plane[2];
  std::int64_t lz, ly, width, stride;
  bool two_dimensional;

  static constexpr std::int64_t margin = 32;
  std::int64_t n_rows() const { return lz * ly; }
  std::uint8_t* row(int color, std::int64_t r) const { return plane[color] + margin + r * stride; }
};

/// Flip probabilities by local class 2·(up neighbours) + (1 if up): flip when a 64-bit
/// uniform U ≤ threshold. `first_byte` is the top byte of each threshold.
struct AcceptTable {
  alignas(16) std::uint8_t first_byte[16];
  std::uint64_t threshold[16];
};

struct SweepKey {
  Stream stream;
  std::uint64_t seed, sweep;
  std::uint32_t chain;
};

struct KernelTable {
  const char* isa;
  void (*stream_blocks)(Stream, std::uint64_t seed, const Counter*, std::uint64_t n, std::uint32_t* out);
  void (*pack_rows)(const std::int8_t* spins, const ColorPlanes&, std::int64_t row_begin,
                    std::int64_t row_end);
  void (*unpack_rows)(const ColorPlanes&, std::int8_t* spins, std::int64_t row_begin, std::int64_t row_end);
  void (*update_rows)(const ColorPlanes&, int color, std::int64_t row_begin, std::int64_t row_end,
                      const AcceptTable&, const SweepKey&);
  void (*random_spins)(std::int8_t* spins, std::int64_t n_sites, Stream, std::uint64_t seed,
                       std::uint32_t chain);
  std::int64_t (*first_non_spin)(const std::int8_t* spins, std::int64_t n);
  std::int64_t (*sum_spins)(const std::int8_t* spins, std::int64_t n);
  std::int64_t (*bond_sum)(const std::int8_t* spins, LatticeShape shape);
};

namespace baseline {
extern const KernelTable kernel_table;
}
namespace avx2 {
extern const KernelTable kernel_table;
}
namespace vaes {
extern const KernelTable kernel_table;
}

}  // namespace spinodal
