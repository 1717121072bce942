// SPDX-License-Identifier: BSD-3-Clause
// Spins as bits and back, 64 at a time. Words are little-endian: spin i of 64 is byte i, or bit i.
#include "kernels/bits.hpp"
#include "kernels/entries.hpp"
#include "kernels/simd.hpp"

SPINODAL_KERNELS_BEGIN

constexpr Word every_byte = 0x0101010101010101;

SPINODAL_INLINE Word load_word(const void* p) {
  Word w;
  std::memcpy(&w, p, sizeof w);
  return w;
}

/// The bits of every byte in the opposite order: in memory the first spin is the highest.
SPINODAL_INLINE Word reverse_in_bytes(Word w) {
  w = (w >> 1 & 0x55 * every_byte) | (w & 0x55 * every_byte) << 1;
  w = (w >> 2 & 0x33 * every_byte) | (w & 0x33 * every_byte) << 2;
  return (w >> 4 & 0x0F * every_byte) | (w & 0x0F * every_byte) << 4;
}

struct PackedWord {
  Word up;     ///< bit i: spin i is +1
  Word wrong;  ///< not 0 where a value is not ±1
};

#if defined(__AVX2__)

SPINODAL_INLINE PackedWord pack_64(const std::uint8_t* spins) {
  alignas(64) static constexpr std::uint8_t ones[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  alignas(64) static constexpr std::uint8_t minus_ones[16] = {255, 255, 255, 255, 255, 255, 255, 255,
                                                              255, 255, 255, 255, 255, 255, 255, 255};
  const WideBytes plus = WideBytes::table(ones), minus = WideBytes::table(minus_ones);
  Word up = 0, down = 0;
  for (int i = 0; i < 64; i += WideBytes::lanes) {
    const WideBytes s = WideBytes::load(spins + i);
    up |= Word{WideBytes::equal_mask(s, plus)} << i;
    down |= Word{WideBytes::equal_mask(s, minus)} << i;
  }
  return {up, ~(up | down)};
}

/// Each of four bytes is copied to the eight spins it stands for, and each of those looks at a bit of its own.
SPINODAL_INLINE void unpack_32(const std::uint8_t* bits, std::uint8_t* spins) {
  int four;
  std::memcpy(&four, bits, sizeof four);
  const __m256i from = _mm256_setr_epi64x(0, every_byte, 2 * every_byte, 3 * every_byte);
  const __m256i bit = _mm256_set1_epi64x(0x0102040810204080);
  const __m256i copies = _mm256_shuffle_epi8(_mm256_set1_epi32(four), from);
  const __m256i down = _mm256_cmpeq_epi8(_mm256_and_si256(copies, bit), _mm256_setzero_si256());
  const __m256i values = _mm256_or_si256(down, _mm256_set1_epi8(1));  // -1 where down, else 0 | 1
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(spins), values);
}

SPINODAL_INLINE void unpack_64(const std::uint8_t* bits, std::uint8_t* spins) {
  unpack_32(bits, spins);
  unpack_32(bits + 4, spins + 32);
}

#else

SPINODAL_INLINE PackedWord pack_64(const std::uint8_t* spins) {
  Word up = 0, wrong = 0;
  for (int i = 0; i < 64; i += 8) {
    const Word s = load_word(spins + i), down = s >> 7 & every_byte;
    wrong |= s ^ (every_byte | down * 0xFE);
    // The product brings bit 8 k to bit 56 + k; no two of its terms meet.
    up |= ((down ^ every_byte) * 0x0102040810204080 >> 56) << i;
  }
  return {up, wrong};
}

SPINODAL_INLINE void unpack_64(const std::uint8_t* bits, std::uint8_t* spins) {
  for (int i = 0; i < 8; ++i) {
    const Word own_bit = bits[i] * every_byte & 0x0102040810204080;
    const Word up = (own_bit + 0x7F * every_byte) >> 7 & every_byte;
    const Word values = ~(up * 0xFE);
    std::memcpy(spins + 8 * i, &values, sizeof values);
  }
}

#endif

SPINODAL_KERNELS_END

namespace spinodal {
namespace SPINODAL_ISA {

/// One row; false if a value is not ±1.
bool pack_spins(const std::int8_t* spins, std::int64_t n, std::uint8_t* bits) {
  const auto* source = reinterpret_cast<const std::uint8_t*>(spins);
  Word wrong = 0;
  std::int64_t i = 0;
  for (; i + 64 <= n; i += 64) {
    const PackedWord word = pack_64(source + i);
    const Word ordered = reverse_in_bytes(word.up);
    std::memcpy(bits + i / 8, &ordered, sizeof ordered);
    wrong |= word.wrong;
  }
  if (i < n) {
    std::uint8_t rest[64];
    std::memset(rest, 0xFF, sizeof rest);  // spins down, whose bits are 0
    std::memcpy(rest, source + i, static_cast<std::size_t>(n - i));
    const PackedWord word = pack_64(rest);
    const Word ordered = reverse_in_bytes(word.up);
    std::memcpy(bits + i / 8, &ordered, static_cast<std::size_t>((n - i + 7) / 8));
    wrong |= word.wrong;
  }
  return wrong == 0;
}

/// One row.
void unpack_spins(const std::uint8_t* bits, std::int64_t n, std::int8_t* spins) {
  auto* target = reinterpret_cast<std::uint8_t*>(spins);
  std::int64_t i = 0;
  for (; i + 64 <= n; i += 64) unpack_64(bits + i / 8, target + i);
  if (i < n) {
    std::uint8_t rest[64], last[8] = {};
    std::memcpy(last, bits + i / 8, static_cast<std::size_t>((n - i + 7) / 8));
    unpack_64(last, rest);
    std::memcpy(target + i, rest, static_cast<std::size_t>(n - i));
  }
}

}  // namespace SPINODAL_ISA
}  // namespace spinodal
