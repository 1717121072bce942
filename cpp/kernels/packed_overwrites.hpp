// SPDX-License-Identifier: BSD-3-Clause
// Overwrites of a block's masks: drawn with the block, made while the next one is drawn.
#pragma once

#include "kernels/packed_masks.hpp"
#include "kernels/packed_words.hpp"

SPINODAL_KERNELS_BEGIN

/// #{k : u > count_limit[k]}. The guide is seldom more than four short: no branch to mispredict.
SPINODAL_INLINE int count_overwrites(const OverwriteCounts& table, std::uint64_t u) {
  const int guess = table.guide[u >> 56];
  const std::uint64_t* limit = table.count_limit + guess;
  int n = guess + (u > limit[0]) + (u > limit[1]) + (u > limit[2]) + (u > limit[3]);
  while (n < max_overwrites && u > table.count_limit[n]) ++n;
  return n;
}

/// Their number and their words, for the slots and, seldom, for more.
template <class Words>
SPINODAL_INLINE void draw_overwrites(const Words& words, const Overwrites& table, std::uint64_t count_word,
                                     int first_word, PendingOverwrites& out) {
  out.table = &table;
  out.n = count_overwrites(table, count_word);
  const int n_drawn = out.n > table.n_slots ? out.n : table.n_slots;
  for (int k = 0; k < n_drawn; k += 4) words.word(first_word + k / 4).store(out.word + k);
}

/// Makes the overwrites of one mask, some at a time. Slots without an overwrite write past the mask.
class OverwriteMaker {
 public:
  SPINODAL_INLINE OverwriteMaker(const PendingOverwrites& pending, int n_parts, std::uint8_t* mask)
      : table_(*pending.table),
        word_(pending.word),
        mask_(mask),
        n_(pending.n),
        n_slots_(table_.n_slots),
        rate_((n_slots_ + n_parts - 1) / n_parts) {}

  SPINODAL_INLINE void make_some() {
    const int stop = made_ + rate_ < n_slots_ ? made_ + rate_ : n_slots_;
    for (; made_ < stop; ++made_) make(made_);
  }
  SPINODAL_INLINE void make_rest() {
    for (; made_ < n_; ++made_) make(made_);
  }

 private:
  SPINODAL_INLINE void make(int k) const {
    constexpr std::uint64_t nowhere = 32 * block_vectors;
    const std::uint64_t word = word_[k];
    const std::uint64_t i = word & ((1u << table_.index_bits) - 1);
    const std::uint8_t own = table_.own[i], alias = table_.alias[i];
    const std::uint64_t drawn_place = word >> table_.index_bits & table_.place_mask;
    const std::uint64_t place = k < n_ ? drawn_place : nowhere;
    const std::uint8_t value = word < table_.cut[i] ? own : alias;
    mask_[place] = static_cast<std::uint8_t>((mask_[place] & table_.kept[i]) | value);
  }

  const Overwrites& table_;
  const std::uint64_t* word_;
  std::uint8_t* mask_;
  const int n_, n_slots_, rate_;
  int made_ = 0;
};

SPINODAL_KERNELS_END
