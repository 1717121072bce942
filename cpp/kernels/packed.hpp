// SPDX-License-Identifier: BSD-3-Clause
// What host code and the kernels of the bit-packed lattice share; spinodal/packed.hpp defines it all.
#pragma once

#include <cstdint>

#include "spinodal/stream.hpp"

namespace spinodal {

/// Vectors of 256 sites that share one block of random numbers.
constexpr int block_vectors = 32;
constexpr int block_tiles = block_vectors / 2;
/// 256-bit random words of a block: X4, r8, ties, and in three dimensions X8.
constexpr int block_words = 320;
/// More overwrites of a block's mask than this have probability below 2^-64.
constexpr int max_overwrites = 127;
/// Words that are cached in order as well. Overwrites take one for their numbers, a quarter each for three masks';
/// and one, so that pairs can be loaded. Thresholds of replicas (kernels/replicas.hpp) take 128, and one mask's
/// overwrites.
constexpr int n_words_in_order = 168;

/// One lattice as two sublattices of bits, 1 = up.
///
/// Bands: band b holds the rows b·rows … (b + 1)·rows - 1 of the lattice, z·ly + y, in lane b of each vector,
/// so that one row of a plane is rows y, y + rows, y + 2·rows, … of the lattice; one band means rows of n_vectors
/// vectors. A `layer` of rows before the first and after the last copies the neighbours across the bands' ends. With
/// one band the word before a row ends in the row's last site, and its bit `width` is the row's first site.
struct PackedPlanes {
  std::uint8_t* plane[2];                  // each aligned to 32 bytes
  std::int64_t lz, ly, width;              // width = lx / 2 sites of one colour in a row
  bool two_dimensional;                    // lz = 1
  std::int64_t rows;                       // lz·ly / n_bands
  std::int64_t layer;                      // 1, in three dimensions ly
  std::int64_t n_vectors;                  // of a row
  std::int64_t stride;                     // bytes from row to row
  int n_bands;                             // 1, 2, 4, 8
  alignas(32) std::uint8_t sites[32];      // all ones where the last vector of a row holds sites
  alignas(32) std::uint8_t odd_bands[32];  // all ones in bands 1, 3, 5, 7

  static constexpr std::int64_t margin = 32;
  int lane_bits() const { return 256 / n_bands; }
  /// A row that fills one vector is its own neighbour by a rotation; other single bands need words at both ends.
  bool has_end_words() const { return n_bands == 1 && width != 256; }
  std::int64_t n_row_pairs() const { return (rows + 1) / 2; }
  bool has_odd_bands() const { return rows / layer % 2 != 0; }
  std::int64_t plane_bytes() const { return (rows + 2 * layer + 1) * stride + margin; }
  std::uint8_t* row(int color, std::int64_t r) const { return plane[color] + margin + (r + layer) * stride; }
  /// The color of the sites x = 0, 2, … of a row of the lattice.
  int even_color(std::int64_t row) const { return static_cast<int>((row + row / ly) & 1); }
};

constexpr int mask_bytes = 32 * block_vectors;

/// How many overwrites make a mask of a block exact: Poisson, their number is #{k : U > limit[k]}. An overwrite is a
/// 64-bit word: its low index_bits say what becomes of a byte, the next ones which byte.
struct OverwriteCounts {
  double mean;
  std::uint64_t limit[max_overwrites + 5];
  std::uint8_t guide[256];  // that number at the least U with this top byte
  int index_bits;           // 5, a nibble's column and half; or 8, a byte's column
  int n_slots;              // seldom exceeded
  unsigned place_mask;      // bytes of the mask, less one
};

/// What an overwrite with index i does to its byte: keep the bits kept[i], set alias[i], or, where its word is below
/// cut[i], the column itself, alias[i] ^ change[i]. X4's indices come first, then r8's, X8's, and one that does
/// nothing.
constexpr int nibble_indices = 32, x8_indices = nibble_indices + 256, no_overwrite = x8_indices + nibble_indices;

struct OverwriteTable {
  OverwriteCounts x4, r8, x8;
  int n_slots;
  std::uint64_t cut[no_overwrite + 1];
  std::uint8_t alias[no_overwrite + 1], change[no_overwrite + 1], kept[no_overwrite + 1];
};

/// How one mask of independent bits of equal probability is drawn.
struct MaskTable {
  bool by_bytes;                // r8's sparse scheme; else nibble by nibble
  std::uint8_t limit[16];       // cells of a column's own value, as signed byte: cells - 128
  std::uint8_t value[16];       // by_bytes: the column's value; else what its alias changes in the nibble
  std::uint8_t high_value[16];  // value << 4
};

/// The masks of one rule at one temperature; X8 in three dimensions only.
struct PackedRule {
  bool heat_bath, cubic;
  MaskTable x4, r8, x8;
  OverwriteTable overwrites;
};

/// All sweeps of one chain by one member of a team that shares its row pairs.
struct PackedSweeps {
  const PackedRule *metropolis, *heat_bath;
  std::int64_t heat_bath_every;
  Stream stream;
  std::uint64_t seed, first_sweep;
  std::uint32_t chain;
  std::int64_t n_sweeps;
  std::int64_t pair_begin, pair_end;
  void (*meet)();  // a barrier of the team; null for a team of one

  bool is_bath(std::uint64_t sweep) const {
    const auto every = static_cast<std::uint64_t>(heat_bath_every);
    return every != 0 && sweep % every == every - 1;
  }
};

/// E[n] of n < 2·block_words: what word n's counter adds to the state after two AES rounds; and the round keys,
/// repeated to the length of a vector.
struct WordCache {
  alignas(64) std::uint8_t masks[block_words * 32];          // as the instruction set loads them
  alignas(64) std::uint8_t in_order[n_words_in_order * 32];  // in order, the first of them
  alignas(64) std::uint8_t keys[8][64];
};

}  // namespace spinodal
