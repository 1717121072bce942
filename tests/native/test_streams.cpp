// SPDX-License-Identifier: BSD-3-Clause
// The counter streams: published answers, and the same bits on every instruction set.
#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "check.hpp"
#include "spinodal/isa.hpp"
#include "spinodal/stream.hpp"

namespace {

using namespace spinodal;
using Words = std::array<std::uint32_t, 4>;

constexpr Stream streams[] = {Stream::ars7, Stream::ars5, Stream::philox10};

Words block(Stream stream, std::uint64_t seed, Counter counter) {
  Words out;
  stream_blocks(stream, seed, &counter, 1, out.data());
  return out;
}

/// kat_vectors of Random123, philox4x32 10.
void test_philox_known_answers() {
  CHECK((block(Stream::philox10, 0, {0, 0, 0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  const std::uint32_t ones = 0xffffffff;
  CHECK((block(Stream::philox10, ~std::uint64_t{0}, {ones, ones, ones, ones}) ==
         Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  CHECK((block(Stream::philox10, 0x299f31d0a4093822, {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}) ==
         Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

std::vector<Words> sample(Stream stream) {
  std::vector<Words> blocks;
  for (std::uint32_t i = 0; i < 64; ++i) {
    const auto purpose = static_cast<Purpose>(i % 13);
    blocks.push_back(
        block(stream, 0x9E3779B97F4A7C15 * i, make_counter(purpose, i, ~i, max_sweep - 1 - i, 1u << i % 32)));
  }
  return blocks;
}

void test_every_isa_gives_the_same_bits() {
  for (const Stream stream : streams) {
    select_isa("baseline");
    const std::vector<Words> expected = sample(stream);
    for (const std::string& isa : available_isas()) {
      select_isa(isa);
      CHECK_FOR(sample(stream) == expected, isa);
    }
  }
}

void test_counters_do_not_collide() {
  std::set<Words> seen;
  const auto add = [&](Counter c) { seen.insert({c.c0, c.c1, c.c2, c.c3}); };
  const std::uint64_t sweeps[] = {0, 1, std::uint64_t{1} << 32, max_sweep - 1};
  for (std::uint32_t purpose = 0; purpose < 13; ++purpose) {
    for (const std::uint64_t sweep : sweeps) {
      for (const std::uint32_t small : {0u, 1u}) {
        add(make_counter(static_cast<Purpose>(purpose), small, 0, sweep, 0));
        add(make_counter(static_cast<Purpose>(purpose), 0, small + 2, sweep, 0));
        add(make_counter(static_cast<Purpose>(purpose), 0, 0, sweep, small + 2));
        add(make_counter(static_cast<Purpose>(purpose), max_block - 1 - small, 0, sweep, 0));
      }
    }
  }
  CHECK(seen.size() == 13 * 4 * 8);
}

void test_names() {
  CHECK(parse_stream("ars7") == Stream::ars7);
  CHECK(parse_stream("ars5") == Stream::ars5);
  CHECK(parse_stream("philox10") == Stream::philox10);
  CHECK_REFUSES(parse_stream("mt19937"), "mt19937");
  CHECK_REFUSES(select_isa("avx9"), "avx9");
}

}  // namespace

int main() {
  test_philox_known_answers();
  test_every_isa_gives_the_same_bits();
  test_counters_do_not_collide();
  test_names();
  return spinodal::testing::summary("streams");
}
