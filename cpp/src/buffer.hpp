// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace spinodal {

/// Uninitialised memory for n elements, aligned to cache lines.
///
/// Clusters reach all over a lattice: past a few megabytes most of their cost would be misses of the
/// address translation, so a large buffer asks for large pages.
template <class T>
class Buffer {
 public:
  explicit Buffer(std::int64_t n) {
    constexpr std::size_t line = 64, large_page = std::size_t{2} << 20;
    const std::size_t wanted = static_cast<std::size_t>(n) * sizeof(T);
    const std::size_t alignment = wanted >= 2 * large_page ? large_page : line;
    const std::size_t size = (wanted + alignment) / alignment * alignment;
    memory_.reset(std::aligned_alloc(alignment, size));
    if (memory_ == nullptr) throw std::bad_alloc();
#if defined(__linux__)
    if (alignment == large_page) madvise(memory_.get(), size, MADV_HUGEPAGE);  // advice: a refusal costs speed alone
#endif
  }

  T* data() const { return static_cast<T*>(memory_.get()); }

 private:
  struct Free {
    void operator()(void* p) const { std::free(p); }
  };
  std::unique_ptr<void, Free> memory_;
};

}  // namespace spinodal
