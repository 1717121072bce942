// SPDX-License-Identifier: BSD-3-Clause
// Words of 64 bits that stand for 64 sites, and their fields: a field starts at each set bit of a
// second word and ends before the next.
#pragma once

#include "kernels/isa.hpp"

SPINODAL_KERNELS_BEGIN

using Word = std::uint64_t;

SPINODAL_INLINE int count(Word w) { return __builtin_popcountll(w); }
SPINODAL_INLINE int lowest(Word w) { return __builtin_ctzll(w); }

/// Bits 0 … position of the lowest set bit; all where there is none.
SPINODAL_INLINE Word up_to_lowest(Word w) { return w ^ (w - 1); }

/// Bit i of the result is bit j of `bits` where i is the j-th set bit of `places`.
SPINODAL_INLINE Word deposit(Word bits, Word places) {
#if defined(__BMI2__)
  return _pdep_u64(bits, places);
#else
  Word out = 0;
  for (; places != 0; places &= places - 1, bits >>= 1) out |= (places & -places) & -(bits & 1);
  return out;
#endif
}

/// Bit j of the result is bit i of `bits` where i is the j-th set bit of `places`.
SPINODAL_INLINE Word extract(Word bits, Word places) {
#if defined(__BMI2__)
  return _pext_u64(bits, places);
#else
  Word out = 0;
  for (int j = 0; places != 0; places &= places - 1, ++j) out |= Word{(bits & places & -places) != 0} << j;
  return out;
#endif
}

/// Bit i is the parity of bits 0 … i.
SPINODAL_INLINE Word prefix_parity(Word w) {
  for (int shift = 1; shift < 64; shift *= 2) w ^= w << shift;
  return w;
}

/// The lowest set bit of every field. Adding each field's start to the complement, with the field's
/// last bit cleared to hold the carry, turns the bits up to the lowest set one over and no other.
SPINODAL_INLINE Word lowest_of_fields(Word bits, Word starts) { return bits & ((~bits & ~(starts >> 1)) + starts); }

struct FieldScan {
  Word lowest;  ///< the lowest set bit of every field
  Word empty;   ///< bit k: field k has no set bit
};

/// Both, for fields that start in this word; `bits` has none below the first start.
SPINODAL_INLINE FieldScan scan_fields(Word bits, Word starts) {
  const Word last = (starts & (starts - 1)) >> 1 | Word{1} << 63;
  const Word turned = (~bits & ~last) + starts;
  return {bits & turned, starts == 0 ? 0 : extract(turned & ~bits, last)};
}

SPINODAL_KERNELS_END
