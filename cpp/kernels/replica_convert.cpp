// SPDX-License-Identifier: BSD-3-Clause
// int8 chains to and from replica-packed lattices, and sums over them, chain by chain.
//
// 32 sites of 256 chains are eight 32 × 32 matrices of bits: word q of vector i holds 32 sites of chain 32q + i
// on one side, and chains 32q … 32q + 31 of one site on the other.
#include "kernels/bits256.hpp"
#include "kernels/entries.hpp"
#include "kernels/replicas.hpp"

SPINODAL_KERNELS_BEGIN

constexpr int tile_sites = 32;

struct BitTile {
  Bits v[tile_sites];
};

/// Swap bit r of word q of vector s with bit s of word q of vector r, block by block: halves, quarters, …
template <int step>
SPINODAL_INLINE void exchange(BitTile& t, std::uint32_t pattern) {
  std::uint32_t words[8];
  for (std::uint32_t& w : words) w = pattern;
  const Bits low = Bits::load(words);
  for (int i = 0; i < tile_sites; ++i) {
    if (i & step) continue;
    const Bits swapped = (t.v[i].template right<32>(step) ^ t.v[i + step]) & low;
    t.v[i + step] = t.v[i + step] ^ swapped;
    t.v[i] = t.v[i] ^ swapped.template left<32>(step);
  }
}

SPINODAL_INLINE void transpose(BitTile& t) {
  exchange<16>(t, 0x0000ffff);
  exchange<8>(t, 0x00ff00ff);
  exchange<4>(t, 0x0f0f0f0f);
  exchange<2>(t, 0x33333333);
  exchange<1>(t, 0x55555555);
}

/// Bit k: whether spin k of n is up.
SPINODAL_INLINE std::uint32_t up_bits(const std::int8_t* spins, int n) {
#if defined(__AVX2__)
  if (n == tile_sites) return ~static_cast<std::uint32_t>(_mm256_movemask_epi8(Bits::load(spins).v));
#endif
  std::uint32_t bits = 0;
  for (int k = 0; k < n; ++k) bits |= std::uint32_t{spins[k] > 0} << k;
  return bits;
}

SPINODAL_INLINE void put_spins(std::uint32_t bits, int n, std::int8_t* spins) {
#if defined(__AVX2__)
  if (n == tile_sites) {
    const __m256i byte = _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3,
                                          3, 3, 3, 3, 3, 3);
    const __m256i bit = _mm256_set1_epi64x(static_cast<long long>(0x8040201008040201u));
    const __m256i all = _mm256_shuffle_epi8(_mm256_set1_epi32(static_cast<int>(bits)), byte);
    const __m256i down = _mm256_cmpeq_epi8(_mm256_and_si256(all, bit), _mm256_setzero_si256());
    return Bits{_mm256_or_si256(down, _mm256_set1_epi8(1))}.store(spins);
  }
#endif
  for (int k = 0; k < n; ++k) spins[k] = static_cast<std::int8_t>(2 * static_cast<int>(bits >> k & 1) - 1);
}

/// 256 sums of bits at once, each a column of the planes; planes that wait for a second carry stand apart.
class LaneSums {
 public:
  SPINODAL_INLINE void add(Bits x) {
    int k = 0;
    for (; n_added_ >> k & 1; ++k) {
      const Bits half = plane_.v[k] ^ waiting_[k];
      const Bits carry = (plane_.v[k] & waiting_[k]) | (half & x);
      plane_.v[k] = half ^ x;
      x = carry;
    }
    waiting_[k] = x;
    ++n_added_;
  }

  /// The sums, in the order of the lanes.
  void finish(std::uint32_t* sums) {
    for (int k = 0; k < tile_sites; ++k) {
      if (n_added_ >> k & 1) add_at(k, waiting_[k]);
    }
    transpose(plane_);
    std::uint32_t words[8];
    for (int i = 0; i < tile_sites; ++i) {
      plane_.v[i].store(words);
      for (int q = 0; q < 8; ++q) sums[32 * q + i] = words[q];
    }
  }

 private:
  void add_at(int k, Bits x) {
    for (; k < tile_sites; ++k) {
      const Bits carry = plane_.v[k] & x;
      plane_.v[k] = plane_.v[k] ^ x;
      x = carry;
    }
  }

  std::uint32_t n_added_ = 0;
  BitTile plane_{};
  Bits waiting_[tile_sites + 1];
};

SPINODAL_KERNELS_END

namespace spinodal {
namespace SPINODAL_ISA {

/// Lanes lane_begin … lane_end - 1 of a lattice take the chains that start at `spins`; the others get down spins.
void replica_load(const std::int8_t* spins, const ReplicaLattice& lattice, int lane_begin, int lane_end) {
  const std::int64_t n_sites = lattice.n_sites();
  alignas(32) std::uint32_t words[tile_sites][8] = {};
  BitTile tile;
  for (std::int64_t first = 0; first < n_sites; first += tile_sites) {
    const int n = n_sites - first < tile_sites ? static_cast<int>(n_sites - first) : tile_sites;
    const std::int8_t* chain = spins + first;
    for (int lane = lane_begin; lane < lane_end; ++lane, chain += n_sites)
      words[lane % 32][lane / 32] = up_bits(chain, n);
    for (int i = 0; i < tile_sites; ++i) tile.v[i] = Bits::load(words[i]);
    transpose(tile);
    for (int i = 0; i < n; ++i) tile.v[i].store(lattice.sites + 32 * (first + i));
  }
}

void replica_store(const ReplicaLattice& lattice, std::int8_t* spins, int lane_begin, int lane_end) {
  const std::int64_t n_sites = lattice.n_sites();
  alignas(32) std::uint32_t words[tile_sites][8];
  BitTile tile{};
  for (std::int64_t first = 0; first < n_sites; first += tile_sites) {
    const int n = n_sites - first < tile_sites ? static_cast<int>(n_sites - first) : tile_sites;
    for (int i = 0; i < n; ++i) tile.v[i] = Bits::load(lattice.sites + 32 * (first + i));
    transpose(tile);
    for (int i = 0; i < tile_sites; ++i) tile.v[i].store(words[i]);
    std::int8_t* chain = spins + first;
    for (int lane = lane_begin; lane < lane_end; ++lane, chain += n_sites)
      put_spins(words[lane % 32][lane / 32], n, chain);
  }
}

/// Turn every spin of color 1: J < 0 becomes J > 0.
void replica_reverse_odd(const ReplicaLattice& lattice) {
  const Bits all = Bits::every_byte(255);
  for (std::int64_t row = 0; row < lattice.lz * lattice.ly; ++row) {
    const std::int64_t parity = (row % lattice.ly + row / lattice.ly) % 2;
    std::uint8_t* sites = lattice.sites + 32 * row * lattice.lx;
    for (std::int64_t x = 1 - parity; x < lattice.lx; x += 2) (Bits::load(sites + 32 * x) ^ all).store(sites + 32 * x);
  }
}

/// Of every lane: its up spins, and its bonds between unlike spins.
void replica_sums(const ReplicaLattice& lattice, std::uint32_t* up, std::uint32_t* unlike) {
  const std::int64_t lx = lattice.lx, ly = lattice.ly, lz = lattice.lz;
  LaneSums up_sums, unlike_sums;
  for (std::int64_t row = 0; row < lz * ly; ++row) {
    const std::int64_t y = row % ly, z = row / ly;
    const auto row_at = [&](std::int64_t r) { return lattice.sites + 32 * lx * r; };
    const std::uint8_t *here = row_at(row), *south = row_at(y + 1 < ly ? row + 1 : z * ly);
    const std::uint8_t* above = row_at(z + 1 < lz ? row + ly : y);
    for (std::int64_t x = 0; x < lx; ++x) {
      const Bits spin = Bits::load(here + 32 * x);
      up_sums.add(spin);
      unlike_sums.add(spin ^ Bits::load(here + 32 * (x + 1 < lx ? x + 1 : 0)));
      unlike_sums.add(spin ^ Bits::load(south + 32 * x));
      if (!lattice.two_dimensional) unlike_sums.add(spin ^ Bits::load(above + 32 * x));
    }
  }
  up_sums.finish(up);
  unlike_sums.finish(unlike);
}

}  // namespace SPINODAL_ISA
}  // namespace spinodal
