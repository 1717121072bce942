// SPDX-License-Identifier: BSD-3-Clause
#include "src/word_cache.hpp"

#include <memory>
#include <stdexcept>

#include "src/dispatch.hpp"

namespace spinodal {

const WordCache& words_of(std::uint64_t seed) {
  thread_local std::unique_ptr<WordCache> cache;
  thread_local std::uint64_t cached_seed;
  if (cache == nullptr || cached_seed != seed) {
    auto fresh = std::make_unique<WordCache>();
    if (!kernels().cache_words(seed, *fresh)) throw std::logic_error("AES rounds disagree with their cache");
    cache = std::move(fresh);
    cached_seed = seed;
  }
  return *cache;
}

}  // namespace spinodal
