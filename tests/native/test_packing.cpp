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

void test_refusals() {
  CHECK_REFUSES(pack_spins(nullptr, -1, 8, nullptr), "n_rows must be >= 0; got -1");
  CHECK_REFUSES(unpack_spins(nullptr, 1, -8, nullptr), "n_sites must be >= 0; got -8");
}

}  // namespace

int main() {
  test_rows();
  test_refusals();
  return summary("packing");
}
