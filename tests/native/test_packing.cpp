// SPDX-License-Identifier: BSD-3-Clause
// Packed spins: the definition, the same on every instruction set, at lengths that end in the middle of a word.
#include <cstdint>
#include <string>
#include <vector>

#include "cases.hpp"
#include "check.hpp"
#include "spinodal/isa.hpp"
#include "spinodal/packing.hpp"

namespace {

using namespace spinodal;
using namespace spinodal::testing;

void check_rows(std::int64_t n_rows, std::int64_t n_sites, const std::string& isa) {
  const std::string detail = std::to_string(n_rows) + " of " + std::to_string(n_sites) + " on " + isa;
  Spins spins(static_cast<std::size_t>(n_rows * n_sites)), back(spins.size());
  random_spins(spins.data(), n_rows, n_sites, 7, 0, Stream::ars7, 1);
  const std::int64_t n_bytes = (n_sites + 7) / 8;
  std::vector<std::uint8_t> bits(static_cast<std::size_t>(n_rows * n_bytes), 0xAA), expected(bits.size());
  for (std::int64_t i = 0; i < n_rows * n_sites; ++i) {
    const std::int64_t row = i / n_sites, site = i % n_sites;
    const int up = spins[static_cast<std::size_t>(i)] == 1;
    std::uint8_t& byte = expected[static_cast<std::size_t>(row * n_bytes + site / 8)];
    byte = static_cast<std::uint8_t>(byte | up << (7 - site % 8));
  }
  CHECK_FOR(pack_spins(spins.data(), n_rows, n_sites, bits.data()), detail);
  CHECK_FOR(bits == expected, detail);
  unpack_spins(bits.data(), n_rows, n_sites, back.data());
  CHECK_FOR(back == spins, detail);
  spins.back() = 0;
  CHECK_FOR(!pack_spins(spins.data(), n_rows, n_sites, bits.data()), detail);
}

void test_rows() {
  for (const std::string& isa : available_isas()) {
    select_isa(isa);
    for (const std::int64_t n_sites : {1, 7, 8, 31, 64, 65, 128, 203}) {
      for (const std::int64_t n_rows : {1, 3}) check_rows(n_rows, n_sites, isa);
    }
  }
}

void check_correlations(std::int64_t n_before, std::int64_t length, std::int64_t n_after, const std::string& isa) {
  const std::int64_t n = n_before * length * n_after;
  Spins spins(static_cast<std::size_t>(n));
  random_spins(spins.data(), 1, n, 7, 0, Stream::ars7, 1);
  std::vector<std::uint8_t> bits(static_cast<std::size_t>((n + 7) / 8));
  pack_spins(spins.data(), 1, n, bits.data());
  std::vector<std::int64_t> sums(static_cast<std::size_t>(length / 2 + 1)), expected(sums.size());
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t slab = i / (length * n_after), at = i / n_after % length, after = i % n_after;
    for (std::int64_t r = 0; r <= length / 2; ++r) {
      const std::int64_t j = (slab * length + (at + r) % length) * n_after + after;
      expected[static_cast<std::size_t>(r)] +=
          std::int64_t{spins[static_cast<std::size_t>(i)]} * spins[static_cast<std::size_t>(j)];
    }
  }
  correlate_bits(bits.data(), 1, n_before, length, n_after, sums.data());
  CHECK_FOR(sums == expected,
            std::to_string(n_before) + " x " + std::to_string(length) + " x " + std::to_string(n_after) + " on " + isa);
}

void test_correlations() {
  for (const std::string& isa : available_isas()) {
    select_isa(isa);
    for (const std::int64_t length : {1, 5, 8, 64, 65, 130}) {
      for (const std::int64_t n_after : {1, 7, 64}) check_correlations(3, length, n_after, isa);
    }
  }
}

void test_refusals() {
  CHECK_REFUSES(pack_spins(nullptr, -1, 8, nullptr), "n_rows must be >= 0; got -1");
  CHECK_REFUSES(unpack_spins(nullptr, 1, -8, nullptr), "n_sites must be >= 0; got -8");
  CHECK_REFUSES(correlate_bits(nullptr, 1, 1, 0, 1, nullptr), "must be >= 1; got 0");
  CHECK_REFUSES(correlate_bits(nullptr, -1, 1, 8, 1, nullptr), "n_rows must be >= 0; got -1");
}

}  // namespace

int main() {
  test_rows();
  test_correlations();
  test_refusals();
  return summary("packing");
}
