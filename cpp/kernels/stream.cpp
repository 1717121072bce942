// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/stream.hpp"

#include "kernels/entries.hpp"

namespace spinodal {
namespace SPINODAL_ISA {

void stream_blocks(Stream stream, std::uint64_t seed, const Counter* counters, std::uint64_t n, std::uint32_t* out) {
  with_stream(stream, seed, [&](const auto& generator) {
    for (std::uint64_t i = 0; i < n; ++i) {
      const Block block = generator.block(counters[i]);
      std::memcpy(out + 4 * i, &block, 16);
    }
  });
}

void random_spins(std::int8_t* spins, std::int64_t n_sites, Stream stream, std::uint64_t seed, std::uint32_t chain) {
  with_stream(stream, seed, [&](const auto& generator) {
    for (std::int64_t first = 0; first < n_sites; first += 128) {
      const auto index = static_cast<std::uint32_t>(first / 128);
      const Block bits = generator.block(make_counter(Purpose::initial_spins, 0, index, 0, chain));
      const std::int64_t n = n_sites - first < 128 ? n_sites - first : 128;
      for (std::int64_t i = 0; i < n; ++i) {
        const std::uint64_t word = i < 64 ? bits.lo : bits.hi;
        spins[first + i] = static_cast<std::int8_t>(2 * static_cast<int>(word >> (i & 63) & 1) - 1);
      }
    }
  });
}

}  // namespace SPINODAL_ISA
}  // namespace spinodal
