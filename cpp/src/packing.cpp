// SPDX-License-Identifier: BSD-3-Clause
#include "spinodal/packing.hpp"

#include <stdexcept>
#include <string>
#include <vector>

#include "src/dispatch.hpp"

namespace spinodal {
namespace {

struct Rows {
  std::int64_t n, n_sites;

  std::int64_t n_bytes() const { return (n_sites + 7) / 8; }
};

/// Rows of whole bytes follow one another without a gap: together they are one long row.
Rows rows_of(std::int64_t n_rows, std::int64_t n_sites) {
  if (n_rows < 0) throw std::invalid_argument("n_rows must be >= 0; got " + std::to_string(n_rows));
  if (n_sites < 0) throw std::invalid_argument("n_sites must be >= 0; got " + std::to_string(n_sites));
  return n_sites % 8 == 0 ? Rows{1, n_rows * n_sites} : Rows{n_rows, n_sites};
}

void check_axis(const BitAxis& axis) {
  for (const std::int64_t n : {axis.n_before, axis.length, axis.n_after}) {
    if (n < 1) throw std::invalid_argument("an axis and the sites around it must be >= 1; got " + std::to_string(n));
  }
}

}  // namespace

bool pack_spins(const std::int8_t* spins, std::int64_t n_rows, std::int64_t n_sites, std::uint8_t* bits) {
  const Rows rows = rows_of(n_rows, n_sites);
  for (std::int64_t r = 0; r < rows.n; ++r) {
    if (!kernels().pack_spins(spins + r * rows.n_sites, rows.n_sites, bits + r * rows.n_bytes())) return false;
  }
  return true;
}

void unpack_spins(const std::uint8_t* bits, std::int64_t n_rows, std::int64_t n_sites, std::int8_t* spins) {
  const Rows rows = rows_of(n_rows, n_sites);
  for (std::int64_t r = 0; r < rows.n; ++r) {
    kernels().unpack_spins(bits + r * rows.n_bytes(), rows.n_sites, spins + r * rows.n_sites);
  }
}

void correlate_bits(const std::uint8_t* bits, std::int64_t n_rows, std::int64_t n_before, std::int64_t length,
                    std::int64_t n_after, std::int64_t* sums) {
  const BitAxis axis{n_before, length, n_after};
  check_axis(axis);
  if (n_rows < 0) throw std::invalid_argument("n_rows must be >= 0; got " + std::to_string(n_rows));
  const std::int64_t n_bytes = (n_before * length * n_after + 7) / 8, n_words = (length * n_after + 63) / 64;
  std::vector<std::uint64_t> ring(static_cast<std::size_t>(2 * n_words + 2));
  for (std::int64_t row = 0; row < n_rows; ++row) {
    kernels().correlate_bits(bits + row * n_bytes, axis, ring.data(), sums + row * (length / 2 + 1));
  }
}

}  // namespace spinodal
