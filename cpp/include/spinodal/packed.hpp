// SPDX-License-Identifier: BSD-3-Clause
/// The bit-packed square or cubic lattice at h = 0: checkerboard sweeps, 256 sites at a time.
///
/// Same rules and contract as metropolis_sweep of spinodal/ising.hpp, other random numbers. What
/// follows defines the result bit for bit; docs/packed-ising-kernel.md derives it.
///
/// Layout. Row R = z·ly + y, in two dimensions R = y. Color c of it holds the sites x = 2k + (z + y + c) % 2,
/// k < width = lx/2. A row belongs to one of n_bands bands of rows = lz·ly/n_bands rows each: n_bands is the largest of
/// 8, 4, 2 with n_bands·width ≤ 256 that divides ly, in three dimensions lz, else 1. Vectors have 256 bits: with one
/// band, site k of row R is bit k % 256 of vector j = k/256, j < n_vectors; else row R has one vector, shared with the
/// other bands, and site k is bit k + (256/n_bands)·(R / rows). With r = R % rows, the vector (r, j) has
/// number 2·((r/2)·n_vectors + j) + r % 2; 32 consecutive numbers are a block, v < 32 its place
/// there. (When rows is odd, the last numbers with r % 2 = 1 stand for no row.)
///
/// Random words. Word n of a block is the 16-byte stream block at the counter of bytes
///
///   0      1   2                  3   4   5       6, 7    8, 9    11–14  10, 15
///   n low  p0  p2 | purpose << 4  s4  p1  n high  s0, s1  s2, s3  chain  0
///
/// with p = 2·block + color below 2^20 and s = sweep below 2^40 in little-endian bytes. Purposes
/// 13 (masks) and 14 (overwrites) are used by nothing else. V(i) is words 2i and 2i + 1 side by side.
///
/// Masks. X4 of vector v takes V(3v), V(3v + 1), V(3v + 2): columns, low bytes, high bytes. Byte i of
/// the columns holds two columns; its low (high) nibble c, with u = byte i of the low (high) bytes, read
/// as signed, plus 128, gives the low (high) nibble of byte i of the mask:  u < cells(c) ? c : alias(c).
/// r8 by nibbles takes V(96 + 3v) … V(98 + 3v) likewise. r8 by bytes takes, for vectors 2τ and
/// 2τ + 1, V(96 + 3τ), whose low (high) nibbles are the columns of vector 2τ (2τ + 1), and V(97 + 3τ)
/// (V(98 + 3τ)), whose bytes are its u: byte i is  u < cells(c) ? value(c) : 0. The tie mask is V(192 + v).
/// In three dimensions X8 takes V(224 + 3v) … V(226 + 3v), as X4 does.
///
/// Overwrites (purpose 14). B = min(32, the least power of two ≥ the number of vectors of a color). The
/// first, second, third 64 bits of V(0) are U: X4, r8, X8 get N = #{k : U > limit(k)} overwrites; overwrite k is the
/// 64-bit quarter k % 4 of V(1 + k/4) for X4, V(33 + k/4) for r8, V(65 + k/4) for X8. On nibbles: column c is its bits
/// 0–3, its place bits 4–14 modulo 64·B; nibble number `place` of the block's mask becomes
/// c if the word is below cut(c), else alias(c). On bytes: bits 0–7, and 8–17 modulo 32·B.
/// Tables as in src/packed_tables.cpp.
///
/// Update, color 0 then color 1, J > 0, with n the number of neighbours unlike the site:
///
///   Metropolis:  flip = n ≥ 2 or r8 or (n ≥ 1 and X4)
///   heat bath:   flip = (r8, X4, spin ^ tie ^ r8, not X4, not r8)[n]
///
///   P(X4) = 1/(1 + e^{4βJ});   P(r8) = e^{-8βJ}, or 1/(1 + e^{8βJ}) in the heat bath
///
/// In three dimensions
///
///   Metropolis:  flip = n + X4 + 2·X8 + 4·r8 ≥ 3
///   heat bath:   flip = (r8, X8, X4, spin ^ tie, not X4, not X8, not r8)[n]
///
///   P(X4) = 1/(1 + e^{4βJ});   P(X8) = 1/(1 + e^{8βJ});   P(r8) = e^{-16βJ}, or 1/(1 + e^{12βJ}) in the heat bath
///
/// J < 0 is J > 0 for the lattice with color 1 reversed.
#pragma once

#include <cstdint>

#include "spinodal/ising.hpp"

namespace spinodal {

/// Whether metropolis_sweep_rows takes this shape: even lengths, lx ≥ 64.
bool rows_supports(LatticeShape shape);

/// metropolis_sweep at h = 0: same contract, same chain of states in law, other bits. Where the pointers are
/// not null, the total energy and Σ s of every chain after the last sweep, counted on the packed lattice.
void metropolis_sweep_rows(std::int8_t* spins, std::int64_t n_chains, LatticeShape shape, const double* beta, double J,
                           const SweepOptions& options, std::int64_t heat_bath_every, double* energy = nullptr,
                           std::int64_t* magnetization = nullptr);

/// The masks X4, r8 and in three dimensions X8 of blocks first_block … first_block + n_blocks - 1 of color 0, each of
/// 1024 bytes, by turns; for tests of their law. Without overwrites the law is cells/4096.
void packed_masks(double exponent, bool heat_bath, bool cubic, bool overwrites, std::uint32_t first_block,
                  std::uint32_t n_blocks, const SweepOptions& options, std::uint8_t* out);

}  // namespace spinodal
