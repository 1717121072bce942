// SPDX-License-Identifier: BSD-3-Clause
#include "spinodal/stream.hpp"

#include <stdexcept>

#include "src/dispatch.hpp"

namespace spinodal {

Stream parse_stream(const std::string& name) {
  if (name == "ars7") return Stream::ars7;
  if (name == "ars5") return Stream::ars5;
  if (name == "philox10") return Stream::philox10;
  throw std::invalid_argument("stream='" + name + "' is unknown; choose one of: ars7, ars5, philox10");
}

void stream_blocks(Stream stream, std::uint64_t seed, const Counter* counters, std::uint64_t n, std::uint32_t* out) {
  kernels().stream_blocks(stream, seed, counters, n, out);
}

}  // namespace spinodal
