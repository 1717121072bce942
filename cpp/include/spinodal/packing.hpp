// SPDX-License-Identifier: BSD-3-Clause
/// Spins ±1 as bits, eight in a byte: 1 for up, the first spin in the highest bit, each row in bytes of its own.
///
/// A row of n_sites spins takes ceil(n_sites / 8) bytes; the bits past its last spin are 0.
/// Every function throws std::invalid_argument, before any work, if a size is negative.
#pragma once

#include <cstdint>

namespace spinodal {

/// Pack rows of spins (n_rows, n_sites).
///
/// @return false, and `bits` are of no use, if a value is not ±1.
bool pack_spins(const std::int8_t* spins, std::int64_t n_rows, std::int64_t n_sites, std::uint8_t* bits);

/// Undo pack_spins.
void unpack_spins(const std::uint8_t* bits, std::int64_t n_rows, std::int64_t n_sites, std::int8_t* spins);

/// Correlations along one periodic axis of packed lattices, which are (n_before, length, n_after) sites in C order:
///
///   sums[row][r] = Σ_x s(x) s(x + r),   r = 0 … length / 2
void correlate_bits(const std::uint8_t* bits, std::int64_t n_rows, std::int64_t n_before, std::int64_t length,
                    std::int64_t n_after, std::int64_t* sums);

}  // namespace spinodal
