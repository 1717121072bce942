// SPDX-License-Identifier: BSD-3-Clause
// int8 spins to and from packed planes, and sums over packed planes.
#include "kernels/entries.hpp"
#include "kernels/packed_rows.hpp"

SPINODAL_KERNELS_BEGIN

#if defined(__AVX2__)

/// Bit k of *even (*odd): whether spin 2k (2k + 1) of 64 is up.
SPINODAL_INLINE void gather64(const std::int8_t* spins, std::uint32_t* even, std::uint32_t* odd) {
  const Bits split = {_mm256_setr_epi8(0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15, 0, 2, 4, 6, 8, 10, 12, 14,
                                       1, 3, 5, 7, 9, 11, 13, 15)};
  const __m256i a = Bits::load(spins).lookup(split).v, b = Bits::load(spins + 32).lookup(split).v;
  const auto down = [](__m256i v) {
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_permute4x64_epi64(v, 0xd8)));
  };
  *even = ~down(_mm256_unpacklo_epi64(a, b));
  *odd = ~down(_mm256_unpackhi_epi64(a, b));
}

SPINODAL_INLINE void scatter64(std::uint32_t even, std::uint32_t odd, std::int8_t* spins) {
  const __m256i byte =
      _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3);
  const __m256i bit = _mm256_set1_epi64x(static_cast<long long>(0x8040201008040201u));
  const auto expand = [&](std::uint32_t bits) {
    const __m256i all = _mm256_shuffle_epi8(_mm256_set1_epi32(static_cast<int>(bits)), byte);
    const __m256i up = _mm256_cmpeq_epi8(_mm256_and_si256(all, bit), bit);
    return _mm256_sub_epi8(_mm256_and_si256(up, _mm256_set1_epi8(2)), _mm256_set1_epi8(1));
  };
  const __m256i e = expand(even), o = expand(odd);
  const __m256i low = _mm256_unpacklo_epi8(e, o), high = _mm256_unpackhi_epi8(e, o);
  Bits{_mm256_permute2x128_si256(low, high, 0x20)}.store(spins);
  Bits{_mm256_permute2x128_si256(low, high, 0x31)}.store(spins + 32);
}

#endif

/// The first 2·n of 64 spins.
SPINODAL_INLINE void gather(const std::int8_t* spins, int n, std::uint32_t* even, std::uint32_t* odd) {
  *even = *odd = 0;
  for (int k = 0; k < n; ++k) {
    *even |= std::uint32_t{spins[2 * k] > 0} << k;
    *odd |= std::uint32_t{spins[2 * k + 1] > 0} << k;
  }
}

SPINODAL_INLINE void scatter(std::uint32_t even, std::uint32_t odd, int n, std::int8_t* spins) {
  for (int k = 0; k < n; ++k) {
    spins[2 * k] = static_cast<std::int8_t>(2 * static_cast<int>(even >> k & 1) - 1);
    spins[2 * k + 1] = static_cast<std::int8_t>(2 * static_cast<int>(odd >> k & 1) - 1);
  }
}

#if !defined(__AVX2__)

SPINODAL_INLINE void gather64(const std::int8_t* spins, std::uint32_t* even, std::uint32_t* odd) {
  gather(spins, 32, even, odd);
}
SPINODAL_INLINE void scatter64(std::uint32_t even, std::uint32_t odd, std::int8_t* spins) {
  scatter(even, odd, 32, spins);
}

#endif

/// Where row y of a color starts, y of all z·ly + y.
SPINODAL_INLINE std::uint8_t* lattice_row(const PackedPlanes& lattice, int color, std::int64_t y) {
  return lattice.row(color, y % lattice.rows) + y / lattice.rows * (lattice.lane_bits() / 8);
}

SPINODAL_INLINE std::int64_t count(Bits bits) {
  std::uint64_t words[4];
  bits.store(words);
  return __builtin_popcountll(words[0]) + __builtin_popcountll(words[1]) + __builtin_popcountll(words[2]) +
         __builtin_popcountll(words[3]);
}

/// Unequal bonds of one row of color 0; every bond has one end there.
template <bool to_left, class Rows>
SPINODAL_INLINE std::int64_t unequal_bonds(const PackedPlanes& lattice, const Rows& rows, std::int64_t r) {
  const Bits last = Bits::load(lattice.sites), all = Bits::every_byte(255);
  const std::int64_t plane = lattice.ly * lattice.stride, y = r % lattice.ly;
  const bool cubic = !lattice.two_dimensional;  // where y is periodic, and copies are for z
  const std::int64_t before = cubic && y == 0 ? plane - lattice.stride : -lattice.stride;
  const std::int64_t after = cubic && y + 1 == lattice.ly ? lattice.stride - plane : lattice.stride;
  std::int64_t total = 0;
  for (std::int64_t j = 0; j < lattice.n_vectors; ++j) {
    const Bits spin = Bits::load(lattice.row(0, r) + 32 * j);
    const std::uint8_t* other = lattice.row(1, r) + 32 * j;
    const Bits sites = j + 1 == lattice.n_vectors ? last : all, same = Bits::load(other);
    total += count((spin ^ same) & sites) + count((spin ^ rows.template side<to_left>(same, other)) & sites) +
             count((spin ^ Bits::load(other + before)) & sites) + count((spin ^ Bits::load(other + after)) & sites);
    if (cubic) {
      total += count((spin ^ Bits::load(other - plane)) & sites) + count((spin ^ Bits::load(other + plane)) & sites);
    }
  }
  return total;
}

SPINODAL_KERNELS_END

namespace spinodal {
namespace SPINODAL_ISA {

void packed_load(const std::int8_t* spins, const PackedPlanes& lattice, bool stagger, std::int64_t row_begin,
                 std::int64_t row_end) {
  const std::int64_t width = lattice.width;
  const std::uint32_t turn = stagger ? ~0u : 0u;  // E with J < 0 is E with -J after reversing color 1
  for (std::int64_t y = row_begin; y < row_end; ++y) {
    const int even_color = lattice.even_color(y);
    std::uint8_t* even_row = lattice_row(lattice, even_color, y);
    std::uint8_t* odd_row = lattice_row(lattice, 1 - even_color, y);
    const std::uint32_t even_turn = even_color == 1 ? turn : 0u, odd_turn = turn ^ even_turn;
    const std::int8_t* row = spins + 2 * width * y;
    std::uint32_t even, odd;
    std::int64_t k = 0;
    for (; k + 32 <= width; k += 32) {
      gather64(row + 2 * k, &even, &odd);
      even ^= even_turn;
      odd ^= odd_turn;
      std::memcpy(even_row + k / 8, &even, 4);
      std::memcpy(odd_row + k / 8, &odd, 4);
    }
    if (k == width) continue;
    const auto n = static_cast<int>(width - k);
    gather(row + 2 * k, n, &even, &odd);
    even ^= even_turn >> (32 - n);
    odd ^= odd_turn >> (32 - n);
    std::memcpy(even_row + k / 8, &even, static_cast<std::size_t>(n + 7) / 8);
    std::memcpy(odd_row + k / 8, &odd, static_cast<std::size_t>(n + 7) / 8);
  }
}

void packed_store(const PackedPlanes& lattice, std::int8_t* spins, bool stagger, std::int64_t row_begin,
                  std::int64_t row_end) {
  const std::int64_t width = lattice.width;
  const std::uint32_t turn = stagger ? ~0u : 0u;
  for (std::int64_t y = row_begin; y < row_end; ++y) {
    const int even_color = lattice.even_color(y);
    const std::uint8_t* even_row = lattice_row(lattice, even_color, y);
    const std::uint8_t* odd_row = lattice_row(lattice, 1 - even_color, y);
    const std::uint32_t even_turn = even_color == 1 ? turn : 0u, odd_turn = turn ^ even_turn;
    std::int8_t* row = spins + 2 * width * y;
    std::uint32_t even = 0, odd = 0;
    std::int64_t k = 0;
    for (; k + 32 <= width; k += 32) {
      std::memcpy(&even, even_row + k / 8, 4);
      std::memcpy(&odd, odd_row + k / 8, 4);
      scatter64(even ^ even_turn, odd ^ odd_turn, row + 2 * k);
    }
    if (k == width) continue;
    const auto n = static_cast<int>(width - k);
    std::memcpy(&even, even_row + k / 8, static_cast<std::size_t>(n + 7) / 8);
    std::memcpy(&odd, odd_row + k / 8, static_cast<std::size_t>(n + 7) / 8);
    scatter(even ^ even_turn, odd ^ odd_turn, n, row + 2 * k);
  }
}

std::int64_t packed_unequal_bonds(const PackedPlanes& lattice, std::int64_t row_begin, std::int64_t row_end) {
  std::int64_t total = 0;
  with_rows(lattice, [&](auto kind) {
    const typename decltype(kind)::Rows rows(lattice);
    for (std::int64_t r = row_begin; r < row_end; ++r)
      total +=
          lattice.even_color(r) == 0 ? unequal_bonds<true>(lattice, rows, r) : unequal_bonds<false>(lattice, rows, r);
  });
  return total;
}

std::int64_t packed_up_count(const PackedPlanes& lattice, int color, std::int64_t row_begin, std::int64_t row_end) {
  const Bits last = Bits::load(lattice.sites), all = Bits::every_byte(255);
  std::int64_t total = 0;
  for (std::int64_t r = row_begin; r < row_end; ++r) {
    for (std::int64_t j = 0; j < lattice.n_vectors; ++j)
      total += count(Bits::load(lattice.row(color, r) + 32 * j) & (j + 1 == lattice.n_vectors ? last : all));
  }
  return total;
}

}  // namespace SPINODAL_ISA
}  // namespace spinodal
