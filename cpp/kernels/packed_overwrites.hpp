// SPDX-License-Identifier: BSD-3-Clause
// Overwrites of a block's masks: drawn with the block, made while the next one is drawn.
#pragma once

#include "kernels/packed_masks.hpp"
#include "kernels/packed_words.hpp"

SPINODAL_KERNELS_BEGIN

/// #{k : u > limit[k]}. The guide is seldom more than four short: no branch to mispredict.
SPINODAL_INLINE int count_overwrites(const OverwriteCounts& counts, std::uint64_t u) {
  const int guess = counts.guide[u >> 56];
  const std::uint64_t* limit = counts.limit + guess;
  int n = guess + (u > limit[0]) + (u > limit[1]) + (u > limit[2]) + (u > limit[3]);
  while (n < max_overwrites && u > counts.limit[n]) ++n;
  return n;
}

/// Store n overwrites of one mask. Whole vectors of words are drawn, so that their number is the same in almost every
/// block; what is past the end is overwritten by what is stored next.
template <class V, class Words>
SPINODAL_INLINE void store_overwrites(const Words& words, const OverwriteCounts& counts, int n, int first_word,
                                      std::uint64_t origin, std::uint64_t* word_out, std::uint64_t* code_out) {
  constexpr int step = 4 * V::n_parts;
  const V index_bits = V::every_word((1u << counts.index_bits) - 1), first = V::every_word(origin);
  const V place_bits = V::every_word(std::uint64_t{counts.place_mask} << 16);
  const int n_drawn = n > counts.n_slots ? n : counts.n_slots, shift = 16 - counts.index_bits;
  for (int k = 0; k < n_drawn; k += step) {
    const V word = words.overwrites(first_word + k / 4);
    const V place = word.shift_words_left(shift) & place_bits;
    word.store(word_out + k);
    V::add_words(V::or_both(place, word, index_bits), first).store(code_out + k);
  }
}

/// The masks' overwrites, and enough after them that change nothing to fill the slots: each at another byte, for one
/// that met its byte again would wait for it.
template <class V, class Words>
SPINODAL_INLINE void draw_overwrites(const Words& words, const OverwriteTable& table, bool cubic,
                                     PendingOverwrites& out) {
  constexpr std::uint64_t next_byte = 1u << 16;
  std::uint64_t u[4 * V::n_parts];
  words.overwrites(0).store(u);
  const int n_x4 = count_overwrites(table.x4, u[0]), n_r8 = count_overwrites(table.r8, u[1]);
  int n = n_x4 + n_r8;
  store_overwrites<V>(words, table.x4, n_x4, x4_overwrite_words, 0, out.word, out.code);
  store_overwrites<V>(words, table.r8, n_r8, r8_overwrite_words, nibble_indices + mask_bytes * next_byte,
                      out.word + n_x4, out.code + n_x4);
  if (cubic) {
    const int n_x8 = count_overwrites(table.x8, u[2]);
    store_overwrites<V>(words, table.x8, n_x8, x8_overwrite_words, x8_indices + 3 * mask_bytes * next_byte,
                        out.word + n, out.code + n);
    n += n_x8;
  }
  for (int k = 0; k < 4 * V::n_parts; ++k) u[k] = no_overwrite + next_byte * static_cast<unsigned>(k);
  V nothing = V::load(u);
  for (int k = 0; k < table.n_slots; k += 4 * V::n_parts) {
    nothing.store(out.code + n + k);
    nothing = V::add_words(nothing, V::every_word(4 * V::n_parts * next_byte));
  }
  out.table = &table;
  out.n = n;
}

/// Makes a block's overwrites, some at a time.
class OverwriteMaker {
 public:
  SPINODAL_INLINE OverwriteMaker(BlockMasks& block, int n_parts)
      : table_(*block.pending.table),
        pending_(block.pending),
        masks_(block.x4),
        rate_((table_.n_slots + n_parts - 1) / n_parts),
        n_slots_(table_.n_slots) {}

  SPINODAL_INLINE void make_some() {
    const std::int64_t stop = made_ + rate_ < n_slots_ ? made_ + rate_ : n_slots_;
    for (; made_ < stop; ++made_) make(made_);
  }
  SPINODAL_INLINE void make_rest() {
    for (; made_ < pending_.n; ++made_) make(made_);
  }

 private:
  /// Arithmetic where a choice is meant: the choice is random, and the compiler would branch.
  SPINODAL_INLINE void make(std::int64_t k) const {
    const std::uint64_t i = pending_.code[k] & 0xffff;
    std::uint8_t& byte = masks_[pending_.code[k] >> 16];
    const std::uint64_t is_own = 0 - std::uint64_t{pending_.word[k] < table_.cut[i]};
    const auto value = static_cast<std::uint8_t>(table_.alias[i] ^ (table_.change[i] & is_own));
    byte = static_cast<std::uint8_t>((byte & table_.kept[i]) | value);
  }

  const OverwriteTable& table_;
  const PendingOverwrites& pending_;
  std::uint8_t* masks_;
  const std::int64_t rate_, n_slots_;
  std::int64_t made_ = 0;
};

SPINODAL_KERNELS_END
