// SPDX-License-Identifier: BSD-3-Clause
/// Counter-based random streams: 128 random bits as a pure function of (seed, counter).
///
/// ars5, ars7, philox10 are ARS-5, ARS-7 and Philox4x32-10 of Salmon et al., "Parallel random
/// numbers: as easy as 1, 2, 3", SC'11. A stream is named, never chosen silently: a CPU without
/// AES instructions computes the same ars7 bits, slower.
#pragma once

#include <cstdint>
#include <string>

namespace spinodal {

enum class Stream { ars7, ars5, philox10 };

/// What a counter's numbers are for; two purposes never share a number.
enum class Purpose : std::uint32_t {
  local_even = 0,       ///< first byte of the uniform of each even site
  local_odd = 1,        ///< the same, odd sites
  local_even_tail = 2,  ///< the other 56 bits, for sites the first byte leaves undecided
  local_odd_tail = 3,
  wolff_seed = 4,
  wolff_bond = 5,
  wolff_tail = 6,
  cluster_bond = 7,
  cluster_tail = 8,
  cluster_flip = 9,
  cluster_field = 10,
  initial_spins = 11,
  particles = initial_spins,  ///< blocks from 1 on; see spinodal/molecular_dynamics.hpp
  tempering_swap = 12,
  packed_mask = 13,  ///< counters of these two are laid out in spinodal/packed.hpp
  packed_overwrite = 14,
  replicas = 15,  ///< and of this one in spinodal/replicas.hpp
};

/// Counter words: c0 = block | purpose << 20 | (sweep >> 32) << 24, c1 = row,
/// c2 = low half of sweep, c3 = chain.
struct Counter {
  std::uint32_t c0, c1, c2, c3;
};

constexpr std::uint64_t max_sweep = std::uint64_t{1} << 40;
constexpr std::uint64_t max_block = std::uint64_t{1} << 20;

constexpr Counter make_counter(Purpose purpose, std::uint32_t block, std::uint32_t row, std::uint64_t sweep,
                               std::uint32_t chain) {
  return {block | static_cast<std::uint32_t>(purpose) << 20 | static_cast<std::uint32_t>(sweep >> 32) << 24, row,
          static_cast<std::uint32_t>(sweep), chain};
}

/// Parse "ars7", "ars5" or "philox10"; throws std::invalid_argument that lists the names.
Stream parse_stream(const std::string& name);

/// The stream's output blocks at n counters, 4 words each: the definition every kernel follows.
void stream_blocks(Stream stream, std::uint64_t seed, const Counter* counters, std::uint64_t n, std::uint32_t* out);

}  // namespace spinodal
