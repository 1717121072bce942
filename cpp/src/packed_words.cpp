// SPDX-License-Identifier: BSD-3-Clause
#include "src/packed_words.hpp"

#include <memory>
#include <stdexcept>

#include "src/dispatch.hpp"

namespace spinodal {

const WordCache& packed_words(std::uint64_t seed) {
  struct Cached {
    const KernelTable* kernel;
    std::uint64_t seed;
    WordCache words;
  };
  thread_local std::unique_ptr<Cached> cached;
  const KernelTable* kernel = &kernels();
  if (cached == nullptr || cached->seed != seed || cached->kernel != kernel) {
    auto fresh = std::make_unique<Cached>();
    if (!kernel->cache_words(seed, fresh->words)) throw std::logic_error("AES rounds disagree with their cache");
    fresh->kernel = kernel;
    fresh->seed = seed;
    cached = std::move(fresh);
  }
  return cached->words;
}

}  // namespace spinodal
