// SPDX-License-Identifier: BSD-3-Clause
// Masks of independent bits of equal probability, by alias sampling with byte shuffles.
//
// Nibble scheme: a 4-bit column c and a byte u give the nibble  u < cells(c) ? c : alias(c).
// Byte scheme, for rare bits: a column and a byte give  u < cells(c) ? value(c) : 0, where the 16
// values are the 8 single bits and 8 of the 28 pairs. Both have the law cells/4096 by construction;
// the overwrites make up what the wanted law differs from it.
#include "kernels/packed_masks.hpp"

#include "kernels/entries.hpp"
#include "kernels/packed_overwrites.hpp"
#include "kernels/packed_words.hpp"

SPINODAL_KERNELS_BEGIN

template <class V>
struct MaskRegisters {
  V limit, value, high_value;

  explicit SPINODAL_INLINE MaskRegisters(const MaskTable& table)
      : limit(V::table(table.limit)), value(V::table(table.value)), high_value(V::table(table.high_value)) {}

  /// Nibbles from their columns, and the bytes that decide the low and the high ones.
  SPINODAL_INLINE V nibbles(V columns, V low_u, V high_u) const {
    const V low = columns.low_nibbles(), high = columns.high_nibbles();
    return V::xor3(columns, V::unless_below(low_u, limit.lookup(low), value, low),
                   V::unless_below(high_u, limit.lookup(high), high_value, high));
  }

  /// Bytes with columns 0-15.
  SPINODAL_INLINE V bytes(V columns, V u) const { return V::if_below(u, limit.lookup(columns), value, columns); }
};

/// Draws the masks of two wide vectors at a time: nine (or more) independent AES chains keep both units busy. With
/// registers enough, the shuffles that make masks of the words before are issued between the rounds.
template <bool by_bytes, bool ties, class V, class Words>
class MaskDrawer {
 public:
  static constexpr int step = 2 * V::n_parts;  // vectors

  SPINODAL_INLINE MaskDrawer(const Words& words, const PackedRule& rule) : words_(words), x4_(rule.x4), r8_(rule.r8) {}

  SPINODAL_INLINE void draw(int n_vectors, BlockMasks& next, OverwriteMaker& overwrites) const {
    if constexpr (V::n_parts == 1) {
      draw_in_turns(n_vectors, next, overwrites);
    } else {
      draw_interleaved(n_vectors, next, overwrites);
    }
  }

 private:
  SPINODAL_INLINE void draw_in_turns(int n_vectors, BlockMasks& next, OverwriteMaker& overwrites) const {
    for (int v = 0; v < n_vectors; v += step) {
      V w[n_words];
      start(v, w);
      words_.template finish<n_words>(w, [](int) {});
      for (int part = 0; part < n_interleaved; ++part) make(part, w, v, next);
      overwrites.make_some();
    }
  }

  SPINODAL_INLINE void draw_interleaved(int n_vectors, BlockMasks& next, OverwriteMaker& overwrites) const {
    V w[n_words], following[n_words];
    start(0, w);
    words_.template finish<n_words>(w, [](int) {});
    for (int v = 0; v < n_vectors - step; v += step) {
      start(v + step, following);
      words_.template finish<n_words>(following, [&](int part) { make(part, w, v, next); });
      overwrites.make_some();
      for (int i = 0; i < n_words; ++i) w[i] = following[i];
    }
    for (int part = 0; part < n_interleaved; ++part) make(part, w, (n_vectors - 1) / step * step, next);
    overwrites.make_some();
  }

  static constexpr int n_r8 = by_bytes ? 3 : 6, n_words = 6 + n_r8 + (ties ? 2 : 0);

  SPINODAL_INLINE void start(int v, V* w) const {
    words_.template masks<6>(x4_words + 3 * v, w);
    words_.template masks<n_r8>(r8_words + n_r8 * (v / 2), w + 6);
    if constexpr (ties) words_.template masks<2>(tie_words + v, w + 6 + n_r8);
  }

  SPINODAL_INLINE void make(int part, const V* w, int v, BlockMasks& out) const {
    constexpr int bytes = vector_bytes * V::n_parts;
    std::uint8_t *x4 = out.x4 + vector_bytes * v, *r8 = out.r8 + vector_bytes * v;
    if (part == 0) {
      x4_.nibbles(w[0], w[1], w[2]).store(x4);
    } else if (part == 1) {
      x4_.nibbles(w[3], w[4], w[5]).store(x4 + bytes);
    } else {
      if constexpr (by_bytes) {
        V::store_alternately(r8_.bytes(w[6].low_nibbles(), w[7]), r8_.bytes(w[6].high_nibbles(), w[8]), r8);
      } else {
        r8_.nibbles(w[6], w[7], w[8]).store(r8);
        r8_.nibbles(w[9], w[10], w[11]).store(r8 + bytes);
      }
      if constexpr (ties) {
        w[6 + n_r8].store(out.tie + vector_bytes * v);
        w[7 + n_r8].store(out.tie + vector_bytes * v + bytes);
      }
    }
  }

  const Words& words_;
  const MaskRegisters<V> x4_, r8_;
};

/// X8, nibble by nibble.
template <class V, class Words>
SPINODAL_INLINE void draw_x8(const Words& words, const MaskTable& table, int n_vectors, std::uint8_t* out) {
  const MaskRegisters<V> x8(table);
  constexpr int bytes = vector_bytes * V::n_parts;
  for (int v = 0; v < n_vectors; v += 2 * V::n_parts) {
    V w[6];
    words.template masks<6>(x8_words + 3 * v, w);
    words.template finish<6>(w, [](int) {});
    x8.nibbles(w[0], w[1], w[2]).store(out + vector_bytes * v);
    x8.nibbles(w[3], w[4], w[5]).store(out + vector_bytes * v + bytes);
  }
}

template <bool by_bytes, bool ties, class V, class Words>
SPINODAL_INLINE void draw_masks(const Words& words, const PackedRule& rule, int n_vectors, BlockMasks& next,
                                BlockMasks& current) {
  using Drawer = MaskDrawer<by_bytes, ties, V, Words>;
  OverwriteMaker overwrites(current, (n_vectors + Drawer::step - 1) / Drawer::step);
  Drawer(words, rule).draw(n_vectors, next, overwrites);
  overwrites.make_rest();
}

template <class V, class Words>
__attribute__((noinline)) void draw_block(const SweepKey& key, const WordCache& cache, const BlockIndex& index,
                                          const PackedRule& rule, BlockMasks& next, BlockMasks& current) {
  Words words(key.seed, cache);
  PackedPlace place{Purpose::packed_overwrite, index.block, index.color, key.sweep, key.chain};
  constexpr std::uint32_t replica_overwrites = 1u << 24;
  if (index.replicas) place.purpose = Purpose::replicas, place.chain |= replica_overwrites;
  words.begin(place);
  draw_overwrites<V>(words, rule.overwrites, rule.cubic, next.pending);
  place.purpose = index.replicas ? Purpose::replicas : Purpose::packed_mask;
  place.chain = key.chain;
  words.begin(place);
  if (rule.cubic) draw_x8<V>(words, rule.x8, index.n_vectors, next.x8);
  if (rule.r8.by_bytes) {
    if (rule.heat_bath) return draw_masks<true, true, V>(words, rule, index.n_vectors, next, current);
    return draw_masks<true, false, V>(words, rule, index.n_vectors, next, current);
  }
  if (rule.heat_bath) return draw_masks<false, true, V>(words, rule, index.n_vectors, next, current);
  return draw_masks<false, false, V>(words, rule, index.n_vectors, next, current);
}

constexpr OverwriteTable no_overwrites{};

SPINODAL_KERNELS_END

namespace spinodal {
namespace SPINODAL_ISA {

DrawBlock draw_block_function(Stream stream) {
  switch (stream) {
    case Stream::ars7: return draw_block<WideBits, CachedArsWords<WideBits, 7> >;
    case Stream::ars5: return draw_block<WideBits, CachedArsWords<WideBits, 5> >;
    default: return draw_block<WideBits, PlainWords<WideBits, Philox10> >;
  }
}

void clear_block(BlockMasks& block) {
  block.pending.table = &no_overwrites;
  block.pending.n = 0;
}

void finish_block(BlockMasks& block) { OverwriteMaker(block, 1).make_rest(); }

/// False if eq. (1) in packed_words.hpp fails, which no seed can make it do.
bool cache_words(std::uint64_t seed, WordCache& cache) {
  const auto two_rounds = [&](const Counter& c) {
    return (Bits::both_halves(c) ^ ars_key(seed, 0)).aes_round(ars_key(seed, 1)).aes_round(ars_key(seed, 2));
  };
  const PackedPlace origin{};
  const PackedPlace probe{Purpose::packed_overwrite, 0x5a5a5, 1, 0x9c3b6d2e17, 0xf1e2d3c4};
  const Bits at_origin = two_rounds(origin.counter(0)), at_probe = two_rounds(probe.counter(0));
  bool identical = true;
  for (int n = 0; n < 2 * block_words; ++n) {
    const auto index = static_cast<std::uint32_t>(n);
    const Bits added = two_rounds(origin.counter(index)) ^ at_origin;
    const int word = n / 2, half = 16 * (n % 2);
    std::uint8_t bytes[2][vector_bytes];
    added.store(bytes[0]);
    std::memcpy(cache.masks + vector_bytes * cache_position<WideBits>(word) + half, bytes[0], 16);
    if (word < n_words_in_order) std::memcpy(cache.in_order + vector_bytes * word + half, bytes[0], 16);
    (added ^ at_probe).store(bytes[0]);
    two_rounds(probe.counter(index)).store(bytes[1]);
    identical = identical && std::memcmp(bytes[0], bytes[1], 16) == 0;
  }
  for (int r = 0; r < 8; ++r) {
    ars_key(seed, static_cast<std::uint64_t>(r)).store(cache.keys[r]);
    std::memcpy(cache.keys[r] + vector_bytes, cache.keys[r], vector_bytes);
  }
  return identical;
}

/// X4, r8 and in three dimensions X8 of whole blocks, for the tests of their law.
void packed_masks(const PackedRule& rule, const SweepKey& key, const WordCache& cache, std::uint32_t block_begin,
                  std::uint32_t block_end, std::uint8_t* out) {
  const DrawBlock draw = draw_block_function(key.stream);
  BlockMasks masks, none;
  clear_block(none);
  for (std::uint32_t block = block_begin; block < block_end; ++block) {
    draw(key, cache, {block, 0, block_vectors}, rule, masks, none);
    finish_block(masks);
    for (const std::uint8_t* mask : {masks.x4, masks.r8, masks.x8}) {
      if (mask == masks.x8 && !rule.cubic) continue;
      std::memcpy(out, mask, mask_bytes);
      out += mask_bytes;
    }
  }
}

}  // namespace SPINODAL_ISA
}  // namespace spinodal
