// SPDX-License-Identifier: BSD-3-Clause
// Active bonds of a row of sites, 64 at a time.
//
// The bond from site x of row r along an axis has byte x % 16 of block cluster_bond, 2^16·axis + x / 16,
// as the top of its 64-bit uniform, and one to the ghost spin that of block cluster_field, x / 16. The
// other 56 bits come from block x of cluster_tail, and are drawn only where the top leaves the
// comparison open: one time in 256. Axes x and y share a block of row r, z and the ghost one of
// row r + 2^31, each the upper bits of a half.
#pragma once

#include "kernels/bits.hpp"
#include "kernels/stream.hpp"
#include "kernels/table.hpp"

SPINODAL_KERNELS_BEGIN

/// Bonds from a site to the next along an axis, and to the ghost spin.
enum class Bond : std::uint32_t { x, y, z, ghost };

/// The bonds of one kind of one row, taken word by word.
template <class Generator>
class BondRow {
 public:
  BondRow(const Generator& generator, Bond kind, std::uint64_t threshold, std::uint64_t sweep, std::uint32_t chain,
          std::int64_t r)
      : generator_(generator),
        kind_(static_cast<std::uint32_t>(kind)),
        row_(static_cast<std::uint32_t>(r)),
        chain_(chain),
        threshold_(threshold),
        sweep_(sweep),
        cursor_(generator.cursor(first_block(kind))) {}

  /// The active bonds, out of `satisfied`, of word w: 0 in the first call, one more in each.
  SPINODAL_INLINE Word draw(std::int64_t w, Word satisfied) {
    Bytes low, high;
    generator_.template draw<1>(cursor_, &low);
    generator_.template draw<1>(cursor_, &high);
    const auto top = static_cast<std::uint8_t>(threshold_ >> 56);
    Word active = satisfied & (at_most(low, top) | at_most(high, top) << 32);
    for (Word open = active & (equal(low, top) | equal(high, top) << 32); open != 0; open &= open - 1) {
      if (!settle(static_cast<std::uint32_t>(64 * w + lowest(open)))) active &= ~(open & -open);
    }
    return active;
  }

 private:
  Counter first_block(Bond kind) const {
    if (kind == Bond::ghost) return make_counter(Purpose::cluster_field, 0, row_, sweep_, chain_);
    return make_counter(Purpose::cluster_bond, kind_ << 16, row_, sweep_, chain_);
  }

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
  SPINODAL_INLINE bool settle(std::uint32_t x) const {
    constexpr std::uint64_t low_56_bits = ~std::uint64_t{0} >> 8;
    const Block rest = generator_.block(make_counter(Purpose::cluster_tail, x, row_ | kind_ / 2 << 31, sweep_, chain_));
    return (kind_ % 2 == 0 ? rest.lo : rest.hi) >> 8 <= (threshold_ & low_56_bits);
  }

  const Generator& generator_;
  const std::uint32_t kind_, row_, chain_;
  const std::uint64_t threshold_, sweep_;
  typename Generator::Cursor cursor_;
};

SPINODAL_KERNELS_END
