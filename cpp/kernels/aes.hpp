// SPDX-License-Identifier: BSD-3-Clause
// AES rounds in hardware (AES-NI, VAES) or from one table; identical bits.
#pragma once

#include "kernels/isa.hpp"

SPINODAL_KERNELS_BEGIN

struct Block {
  std::uint64_t lo, hi;
};

#if !defined(__AES__)

// x → (2·S[x], S[x], S[x], 3·S[x]) as a little-endian word: SubBytes and MixColumns of one byte.
struct AesTable {
  std::uint32_t word[256];
  std::uint8_t sbox[256];
  constexpr AesTable() : word{}, sbox{} {
    std::uint8_t p = 1, q = 1;
    do {  // p runs over the powers of 3, q over those of its inverse: S-box without a listing
      p = static_cast<std::uint8_t>(p ^ (p << 1) ^ (p & 0x80 ? 0x1b : 0));
      q = static_cast<std::uint8_t>(q ^ (q << 1));
      q = static_cast<std::uint8_t>(q ^ (q << 2));
      q = static_cast<std::uint8_t>(q ^ (q << 4));
      if (q & 0x80) q = static_cast<std::uint8_t>(q ^ 0x09);
      const std::uint32_t x = q;
      const std::uint32_t s = x ^ (x << 1 | x >> 7) ^ (x << 2 | x >> 6) ^ (x << 3 | x >> 5) ^ (x << 4 | x >> 4);
      sbox[p] = static_cast<std::uint8_t>(s ^ 0x63);
    } while (p != 1);
    sbox[0] = 0x63;
    for (int i = 0; i < 256; ++i) {
      const std::uint32_t s = sbox[i], s2 = (s << 1 ^ (s & 0x80 ? 0x11b : 0)) & 0xff;
      word[i] = s2 | s << 8 | s << 16 | (s2 ^ s) << 24;
    }
  }
};

constexpr AesTable aes_table{};

SPINODAL_INLINE std::uint32_t rotate(std::uint32_t x, int bits) { return x << bits | x >> (32 - bits); }

SPINODAL_INLINE Block aes_round(Block state, Block key) {
  std::uint32_t in[4], out[4];
  std::memcpy(in, &state, 16);
  for (int c = 0; c < 4; ++c) {
    out[c] = aes_table.word[in[c] & 0xff] ^ rotate(aes_table.word[in[(c + 1) & 3] >> 8 & 0xff], 8) ^
             rotate(aes_table.word[in[(c + 2) & 3] >> 16 & 0xff], 16) ^
             rotate(aes_table.word[in[(c + 3) & 3] >> 24], 24);
  }
  std::memcpy(&state, out, 16);
  return {state.lo ^ key.lo, state.hi ^ key.hi};
}

SPINODAL_INLINE Block aes_last_round(Block state, Block key) {
  std::uint32_t in[4], out[4];
  std::memcpy(in, &state, 16);
  for (int c = 0; c < 4; ++c) {
    out[c] = std::uint32_t{aes_table.sbox[in[c] & 0xff]} |
             std::uint32_t{aes_table.sbox[in[(c + 1) & 3] >> 8 & 0xff]} << 8 |
             std::uint32_t{aes_table.sbox[in[(c + 2) & 3] >> 16 & 0xff]} << 16 |
             std::uint32_t{aes_table.sbox[in[(c + 3) & 3] >> 24]} << 24;
  }
  std::memcpy(&state, out, 16);
  return {state.lo ^ key.lo, state.hi ^ key.hi};
}

#endif

SPINODAL_KERNELS_END
