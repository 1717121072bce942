// SPDX-License-Identifier: BSD-3-Clause
// Masks of independent bits of equal probability, by alias sampling with byte shuffles.
//
// Nibble scheme: a 4-bit column c and a byte u give the nibble  u < cells(c) ? c : alias(c).
// Byte scheme, for rare bits: a column and a byte give  u < cells(c) ? value(c) : 0, where the 16
// values are the 8 single bits and 8 of the 28 pairs. Both have the law cells/4096 by construction;
// the overwrites make up what the wanted law differs from it.
#include "kernels/packed_masks.hpp"

#include "kernels/entries.hpp"
#include "kernels/packed_words.hpp"

SPINODAL_KERNELS_BEGIN

// Index of the first of a block's 256-bit words that serve each mask.
constexpr int x4_words = 0, r8_words = 3 * block_vectors, tie_words = 6 * block_vectors;
constexpr int x4_hit_words = 1, r8_hit_words = 1 + (max_overwrites + 1) / 4;

struct MaskRegisters {
  Bits limit, value, high_value;

  explicit SPINODAL_INLINE MaskRegisters(const MaskTable& table)
      : limit(Bits::table(table.limit)),
        value(Bits::table(table.value)),
        high_value(Bits::table(table.high_value)) {}

  /// 64 nibbles: their columns, and the bytes that decide the low and the high nibbles.
  SPINODAL_INLINE Bits nibbles(Bits columns, Bits low_u, Bits high_u) const {
    const Bits low_nibble = Bits::every_byte(15);
    const Bits low = columns & low_nibble, high_in_place = Bits::without(columns, low_nibble);
    const Bits high = high_in_place.high_nibbles();
    return Bits::select(Bits::greater(limit.lookup(low), low_u), low, value.lookup(low)) |
           Bits::select(Bits::greater(limit.lookup(high), high_u), high_in_place, high_value.lookup(high));
  }

  /// 32 bytes with columns 0–15.
  SPINODAL_INLINE Bits bytes(Bits columns, Bits u) const {
    return Bits::greater(limit.lookup(columns), u) & value.lookup(columns);
  }
};

/// The masks of two vectors at a time: nine words (twelve) of independent AES chains keep both units busy.
template <bool by_bytes, class Words>
SPINODAL_INLINE void draw_masks(const Words& words, const PackedRule& rule, int n_vectors, BlockMasks& out) {
  const MaskRegisters x4(*rule.x4), r8(*rule.r8);
  const Bits low_nibble = Bits::every_byte(15);
  constexpr int n_r8 = by_bytes ? 3 : 6;
  for (int v = 0; v < n_vectors; v += 2) {
    Bits w[6 + n_r8];
    words.template draw<6>(x4_words + 3 * v, w);
    words.template draw<n_r8>(r8_words + n_r8 * (v / 2), w + 6);
    words.template finish<6 + n_r8>(w);
    x4.nibbles(w[0], w[1], w[2]).store(out.x4 + 32 * v);
    x4.nibbles(w[3], w[4], w[5]).store(out.x4 + 32 * v + 32);
    if constexpr (by_bytes) {
      r8.bytes(w[6] & low_nibble, w[7]).store(out.r8 + 32 * v);
      r8.bytes(Bits::without(w[6], low_nibble).high_nibbles(), w[8]).store(out.r8 + 32 * v + 32);
    } else {
      r8.nibbles(w[6], w[7], w[8]).store(out.r8 + 32 * v);
      r8.nibbles(w[9], w[10], w[11]).store(out.r8 + 32 * v + 32);
    }
  }
}

template <class Words>
SPINODAL_INLINE void draw_ties(const Words& words, int n_vectors, BlockMasks& out) {
  for (int v = 0; v < n_vectors; v += 2) {
    Bits w[2];
    words.template draw<2>(tie_words + v, w);
    words.template finish<2>(w);
    w[0].store(out.tie + 32 * v);
    w[1].store(out.tie + 32 * v + 32);
  }
}

SPINODAL_INLINE int count_overwrites(const Overwrites& overwrites, std::uint64_t u) {
  int n = overwrites.guide[u >> 56];
  while (u > overwrites.count_limit[n]) ++n;
  return n;
}

/// A hit's word: column in the low 4 (8) bits, place in the next 11 (10), the rest against `cut`.
SPINODAL_INLINE void overwrite_nibble(const Overwrites& overwrites, std::uint64_t word, int log_vectors,
                                      std::uint8_t* mask) {
  const auto column = static_cast<unsigned>(word & 15);
  const unsigned value = word < overwrites.cut[column] ? column : overwrites.alias[column];
  const auto place = static_cast<unsigned>(word >> 4) & ((64u << log_vectors) - 1);
  const unsigned shift = 4 * (place & 1);
  std::uint8_t& byte = mask[place >> 1];
  byte = static_cast<std::uint8_t>((byte & 0xf0u >> shift) | value << shift);
}

SPINODAL_INLINE void overwrite_byte(const Overwrites& overwrites, std::uint64_t word, int log_vectors,
                                    std::uint8_t* mask) {
  const auto column = static_cast<unsigned>(word & 255);
  const unsigned value = word < overwrites.cut[column] ? column : overwrites.alias[column];
  mask[static_cast<unsigned>(word >> 8) & ((32u << log_vectors) - 1)] = static_cast<std::uint8_t>(value);
}

template <class Words>
SPINODAL_INLINE void overwrite(const Words& words, const MaskTable& table, std::uint64_t count_word,
                               int first_word, int log_vectors, std::uint8_t* mask) {
  const int n = count_overwrites(table.overwrites, count_word);
  for (int i = 0; i < n; i += 4) {
    std::uint64_t hit[4];
    words.word(first_word + i / 4).store(hit);
    const int stop = n - i < 4 ? n - i : 4;
    for (int k = 0; k < stop; ++k) {
      if (table.by_bytes) {
        overwrite_byte(table.overwrites, hit[k], log_vectors, mask);
      } else {
        overwrite_nibble(table.overwrites, hit[k], log_vectors, mask);
      }
    }
  }
}

template <class Words>
__attribute__((noinline)) void draw_block(const SweepKey& key, const WordCache& cache, const BlockIndex& index,
                                          const PackedRule& rule, BlockMasks& out) {
  Words words(key.seed, cache);
  PackedPlace place{Purpose::packed_mask, index.block, index.color, key.sweep, key.chain};
  words.begin(place);
  if (rule.r8->by_bytes) {
    draw_masks<true>(words, rule, index.n_vectors, out);
  } else {
    draw_masks<false>(words, rule, index.n_vectors, out);
  }
  if (rule.heat_bath) draw_ties(words, index.n_vectors, out);
  place.purpose = Purpose::packed_overwrite;
  words.begin(place);
  std::uint64_t counts[4];
  words.word(0).store(counts);
  overwrite(words, *rule.x4, counts[0], x4_hit_words, index.log_vectors, out.x4);
  overwrite(words, *rule.r8, counts[1], r8_hit_words, index.log_vectors, out.r8);
}

SPINODAL_KERNELS_END

namespace spinodal {
namespace SPINODAL_ISA {

DrawBlock draw_block_function(Stream stream) {
  switch (stream) {
    case Stream::ars7:
      return draw_block<CachedArsWords<7> >;
    case Stream::ars5:
      return draw_block<CachedArsWords<5> >;
    default:
      return draw_block<PlainWords<Philox10> >;
  }
}

/// E[n] of eq. (1) in packed_words.hpp; false if the identity fails, which no seed can make it do.
bool cache_words(std::uint64_t seed, WordCache& cache) {
  const auto two_rounds = [&](const Counter& c) {
    return (TwoStates::same(c) ^ ars_key(seed, 0)).round(ars_key(seed, 1)).round(ars_key(seed, 2));
  };
  const PackedPlace origin{};
  const PackedPlace probe{Purpose::packed_overwrite, 0x5a5a5, 1, 0x9c3b6d2e17, 0xf1e2d3c4};
  const TwoStates at_origin = two_rounds(origin.counter(0)), at_probe = two_rounds(probe.counter(0));
  bool identical = true;
  for (std::uint32_t n = 0; n < 2 * block_words; ++n) {
    const TwoStates added = two_rounds(origin.counter(n)) ^ at_origin;
    std::uint8_t bytes[2][vector_bytes];
    added.bits().store(bytes[0]);
    std::memcpy(cache.bytes + 16 * n, bytes[0], 16);
    (added ^ at_probe).bits().store(bytes[0]);
    two_rounds(probe.counter(n)).bits().store(bytes[1]);
    identical = identical && std::memcmp(bytes[0], bytes[1], 16) == 0;
  }
  return identical;
}

/// X4 and r8 of whole blocks, for the tests of their law.
void packed_masks(const PackedRule& rule, const SweepKey& key, const WordCache& cache, std::uint32_t block_begin,
                  std::uint32_t block_end, std::uint8_t* out) {
  const DrawBlock draw = draw_block_function(key.stream);
  BlockMasks masks{};
  for (std::uint32_t block = block_begin; block < block_end; ++block, out += 2 * sizeof masks.x4) {
    draw(key, cache, {block, 0, block_vectors, 5}, rule, masks);
    std::memcpy(out, masks.x4, sizeof masks.x4);
    std::memcpy(out + sizeof masks.x4, masks.r8, sizeof masks.r8);
  }
}

}  // namespace SPINODAL_ISA
}  // namespace spinodal
