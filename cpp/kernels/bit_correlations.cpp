// SPDX-License-Identifier: BSD-3-Clause
// Correlations of spins held as bits (spinodal/packing.hpp), by population counts of shifted exclusive ors.
//
// A slab of length·n_after sites that follow one another is a ring: its correlation at distance r is that of its bits
// with the same bits r·n_after further on, whatever the axis.
#include <cstdint>

#include "kernels/entries.hpp"
#include "kernels/isa.hpp"

SPINODAL_KERNELS_BEGIN

/// The 64 bits from a position on, the first highest; zeros past the last byte.
SPINODAL_INLINE std::uint64_t bits_from(const std::uint8_t* bytes, std::int64_t n_bytes, std::int64_t position) {
  const std::int64_t first = position / 8, left = n_bytes - first;
  std::uint8_t window[9] = {};
  std::memcpy(window, bytes + first, static_cast<std::size_t>(left < 9 ? left : 9));
  std::uint64_t word = 0;
  for (int i = 0; i < 8; ++i) word = word << 8 | window[i];
  const auto shift = static_cast<unsigned>(position % 8);
  return word << shift | std::uint64_t{window[8]} >> (8 - shift);
}

/// All ones in the n highest bits, 1 ≤ n ≤ 64.
SPINODAL_INLINE std::uint64_t highest(std::int64_t n) { return ~std::uint64_t{0} << (64 - n); }

/// Two words' bits from bit `shift` < 64 of the first on.
SPINODAL_INLINE std::uint64_t funnel(std::uint64_t a, std::uint64_t b, unsigned shift) {
  return a << shift | b >> 1 >> (63 - shift);
}

/// A slab's bits twice over, n_words = ⌈n / 64⌉ words once, and zeros.
SPINODAL_INLINE void lay_ring(const std::uint8_t* bytes, std::int64_t n_bytes, std::int64_t begin, std::int64_t n,
                              std::int64_t n_words, std::uint64_t* ring) {
  for (std::int64_t w = 0; w < n_words; ++w) ring[w] = bits_from(bytes, n_bytes, begin + 64 * w);
  ring[n_words - 1] &= highest(n - 64 * (n_words - 1));
  for (std::int64_t w = n_words; w < 2 * n_words + 2; ++w) ring[w] = 0;
  const auto shift = static_cast<unsigned>(n % 64);
  std::uint64_t* again = ring + n / 64;
  for (std::int64_t w = n_words - 1; w >= 0; --w) {  // from the end: the first word may hold both copies
    const std::uint64_t word = ring[w];
    again[w + 1] |= word << 1 << (63 - shift);
    again[w] |= word >> shift;
  }
}

/// Bits of the ring that differ from those `shift` further on.
SPINODAL_INLINE std::int64_t unlike(const std::uint64_t* ring, std::int64_t n, std::int64_t shift) {
  const std::int64_t whole = n / 64;
  const std::uint64_t* ahead = ring + shift / 64;
  const auto s = static_cast<unsigned>(shift % 64);
  std::int64_t total = 0;
  for (std::int64_t w = 0; w < whole; ++w) {
    total += __builtin_popcountll(ring[w] ^ funnel(ahead[w], ahead[w + 1], s));
  }
  if (n % 64 == 0) return total;
  return total + __builtin_popcountll((ring[whole] ^ funnel(ahead[whole], ahead[whole + 1], s)) & highest(n % 64));
}

SPINODAL_KERNELS_END

namespace spinodal {
namespace SPINODAL_ISA {

void correlate_bits(const std::uint8_t* bits, const BitAxis& axis, std::uint64_t* ring, std::int64_t* sums) {
  const std::int64_t n = axis.length * axis.n_after, n_words = (n + 63) / 64;
  const std::int64_t n_bytes = (axis.n_before * n + 7) / 8;
  for (std::int64_t r = 0; r <= axis.length / 2; ++r) sums[r] = axis.n_before * n;
  for (std::int64_t slab = 0; slab < axis.n_before; ++slab) {
    lay_ring(bits, n_bytes, slab * n, n, n_words, ring);
    for (std::int64_t r = 1; r <= axis.length / 2; ++r) sums[r] -= 2 * unlike(ring, n, r * axis.n_after);
  }
}

}  // namespace SPINODAL_ISA
}  // namespace spinodal
