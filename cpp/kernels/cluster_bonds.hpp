// SPDX-License-Identifier: BSD-3-Clause
// Active bonds of a row of sites, 64 at a time.
//
// The bond from site x of row r along an axis has byte x of the row of blocks cluster_bond as the
// top of its 64-bit uniform; the other 56 bits come from cluster_tail, and are drawn only where the
// top leaves the comparison open: one time in 256.
#pragma once

#include "kernels/bits.hpp"
#include "kernels/stream.hpp"
#include "kernels/table.hpp"

SPINODAL_KERNELS_BEGIN

/// Bonds from a site to the next along an axis, and to the ghost spin.
enum class Bond : std::uint32_t { x, y, z, ghost };

template <class Generator>
class ClusterBonds {
 public:
  ClusterBonds(const Generator& generator, const ClusterKey& key, Bond kind, std::uint64_t threshold)
      : generator_(generator), chain_(key.chain), kind_(static_cast<std::uint32_t>(kind)), threshold_(threshold) {}

  /// The bonds of word w of row r that are active, out of `satisfied`.
  SPINODAL_INLINE Word draw(std::uint64_t sweep, std::int64_t r, std::int64_t w, Word satisfied) const {
    const auto row = static_cast<std::uint32_t>(r);
    const Counter base = make_counter(Purpose::cluster_bond, kind_ << 16, row, sweep, chain_);
    const Bytes low = generator_.pair(base, static_cast<std::uint32_t>(2 * w));
    const Bytes high = generator_.pair(base, static_cast<std::uint32_t>(2 * w + 1));
    const auto top = static_cast<std::uint8_t>(threshold_ >> 56);
    Word active = satisfied & (at_most(low, top) | at_most(high, top) << 32);
    for (Word open = active & (equal(low, top) | equal(high, top) << 32); open != 0; open &= open - 1) {
      if (!settle(sweep, row, static_cast<std::uint32_t>(64 * w + lowest(open)))) active &= ~(open & -open);
    }
    return active;
  }

 private:
#if defined(__AVX2__)
  static SPINODAL_INLINE Word mask_of(__m256i v) { return static_cast<std::uint32_t>(_mm256_movemask_epi8(v)); }
  static SPINODAL_INLINE Word at_most(Bytes u, std::uint8_t top) {
    return mask_of(_mm256_cmpeq_epi8(_mm256_min_epu8(u.v, _mm256_set1_epi8(static_cast<char>(top))), u.v));
  }
  static SPINODAL_INLINE Word equal(Bytes u, std::uint8_t top) {
    return mask_of(_mm256_cmpeq_epi8(u.v, _mm256_set1_epi8(static_cast<char>(top))));
  }
#else
  static SPINODAL_INLINE Word at_most(const Bytes& u, std::uint8_t top) {
    Word mask = 0;
    for (int i = 0; i < lanes; ++i) mask |= Word{u.v[i] <= top} << i;
    return mask;
  }
  static SPINODAL_INLINE Word equal(const Bytes& u, std::uint8_t top) {
    Word mask = 0;
    for (int i = 0; i < lanes; ++i) mask |= Word{u.v[i] == top} << i;
    return mask;
  }
#endif

  /// The other 56 bits: half a block, two kinds of bond to a block, two blocks to a site.
  SPINODAL_INLINE bool settle(std::uint64_t sweep, std::uint32_t row, std::uint32_t x) const {
    constexpr std::uint64_t low_56_bits = ~std::uint64_t{0} >> 8;
    const Counter c = make_counter(Purpose::cluster_tail, x, row | kind_ / 2 << 31, sweep, chain_);
    const Block rest = generator_.block(c);
    return (kind_ % 2 == 0 ? rest.lo : rest.hi) >> 8 <= (threshold_ & low_56_bits);
  }

  const Generator& generator_;
  const std::uint32_t chain_, kind_;
  const std::uint64_t threshold_;
};

SPINODAL_KERNELS_END
