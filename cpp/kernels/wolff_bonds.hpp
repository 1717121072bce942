// SPDX-License-Identifier: BSD-3-Clause
// Which bonds of the sites in a Wolff queue are active.
//
// Bond d of queue position n has the 16-bit word n·words + d of the blocks of wolff_bond (words = 4
// on a square, 8 on a cubic lattice) as the top of its 64-bit uniform; the other 48 bits come from
// wolff_tail, and are drawn only where the top leaves the comparison open: one time in 65536.
#pragma once

#include "kernels/stream.hpp"
#include "kernels/table.hpp"

SPINODAL_KERNELS_BEGIN

template <int n_neighbors, class Generator>
class WolffBonds {
 public:
  static constexpr int words = n_neighbors == 4 ? 4 : 8;
  static constexpr int granule = 2 * lanes / 2 / words;  ///< positions served by two pairs of blocks
  static constexpr int batch = 64;                       ///< divides the positions of a row of blocks

  WolffBonds(const Generator& generator, std::uint64_t threshold, std::uint32_t chain)
      : generator_(generator), threshold_(threshold), chain_(chain) {}

  /// Bit d + 1 of active[i]: bond d of position first + i. Both numbers are multiples of `granule`,
  /// and no multiple of `batch` lies between the first position and the last.
  void draw(std::uint64_t step, std::uint64_t first, int n_positions, std::uint8_t* active) const {
    auto cursor = generator_.cursor(counter(Purpose::wolff_bond, step, first * words / 8));
    for (int i = 0; i < n_positions; i += granule) {
      Bytes low, high;
      generator_.template draw<1>(cursor, &low);
      generator_.template draw<1>(cursor, &high);
      std::uint32_t undecided, bits = compare(low, high, &undecided);
      if (undecided != 0) bits = settle(bits, undecided, step, (first + static_cast<std::uint64_t>(i)) * words);
      spread(bits, active + i);
    }
  }

 private:
  Counter counter(Purpose purpose, std::uint64_t step, std::uint64_t index) const {
    return make_counter(purpose, static_cast<std::uint32_t>(index % max_block),
                        static_cast<std::uint32_t>(index / max_block), step, chain_);
  }

  /// Bit i: word i of (low, high) is at most the threshold's top word; in `equal`: is that word.
  SPINODAL_INLINE std::uint32_t compare(const Bytes& low, const Bytes& high, std::uint32_t* equal) const {
    const auto top = static_cast<std::uint16_t>(threshold_ >> 48);
#if defined(__AVX2__)
    const __m256i t = _mm256_set1_epi16(static_cast<short>(top));
    *equal = mask_of(_mm256_cmpeq_epi16(low.v, t), _mm256_cmpeq_epi16(high.v, t));
    return mask_of(_mm256_cmpeq_epi16(_mm256_min_epu16(low.v, t), low.v),
                   _mm256_cmpeq_epi16(_mm256_min_epu16(high.v, t), high.v));
#else
    std::uint16_t word[lanes];
    std::memcpy(word, low.v, lanes);
    std::memcpy(word + lanes / 2, high.v, lanes);
    std::uint32_t at_most = 0;
    *equal = 0;
    for (int i = 0; i < lanes; ++i) {
      at_most |= std::uint32_t{word[i] <= top} << i;
      *equal |= std::uint32_t{word[i] == top} << i;
    }
    return at_most;
#endif
  }

#if defined(__AVX2__)
  static SPINODAL_INLINE std::uint32_t mask_of(__m256i low, __m256i high) {
    const __m256i bytes = _mm256_permute4x64_epi64(_mm256_packs_epi16(low, high), 0xd8);
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(bytes));
  }
#endif

  /// `words` bits a position to a byte a position, from bit 1 up.
  static SPINODAL_INLINE void spread(std::uint32_t bits, std::uint8_t* active) {
    if constexpr (words == 4) {
#if defined(__BMI2__)
      const std::uint64_t bytes = _pdep_u64(bits, 0x1e1e1e1e1e1e1e1eu);
#else
      std::uint64_t bytes = 0;
      for (int i = 0; i < 8; ++i) bytes |= static_cast<std::uint64_t>(bits >> 4 * i & 0xf) << (8 * i + 1);
#endif
      std::memcpy(active, &bytes, 8);
    } else {
      bits = (bits & 0x3f3f3f3fu) << 1;
      std::memcpy(active, &bits, 4);
    }
  }

  __attribute__((noinline)) std::uint32_t settle(std::uint32_t bits, std::uint32_t undecided, std::uint64_t step,
                                                 std::uint64_t first_word) const {
    constexpr std::uint64_t low_48_bits = ~std::uint64_t{0} >> 16;
    for (; undecided != 0; undecided &= undecided - 1) {
      const int i = __builtin_ctz(undecided);
      const Counter c = counter(Purpose::wolff_tail, step, first_word + static_cast<std::uint64_t>(i));
      if (generator_.block(c).lo >> 16 > (threshold_ & low_48_bits)) bits &= ~(std::uint32_t{1} << i);
    }
    return bits;
  }

  const Generator& generator_;
  const std::uint64_t threshold_;
  const std::uint32_t chain_;
};

SPINODAL_KERNELS_END
