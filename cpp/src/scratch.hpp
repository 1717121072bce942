// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

#include "src/buffer.hpp"

namespace spinodal {

/// A buffer that grows when more is asked for, and is kept from call to call: fresh pages cost as much as the work.
template <class T>
class Scratch {
 public:
  /// Room for n elements; what it held may be lost.
  T* room(std::int64_t n) {
    if (n > capacity_) grow(n, 0);
    return data();
  }

  /// Room for n elements, the first n_kept of which stay.
  T* keep(std::int64_t n, std::int64_t n_kept) {
    if (n > capacity_) grow(n, n_kept);
    return data();
  }

  T* data() const { return buffer_ ? buffer_->data() : nullptr; }
  std::int64_t capacity() const { return capacity_; }

 private:
  void grow(std::int64_t n, std::int64_t n_kept) {
    const std::int64_t capacity = n + n / 4;
    auto larger = std::make_unique<Buffer<T>>(capacity);
    if (n_kept > 0) std::memcpy(larger->data(), data(), static_cast<std::size_t>(n_kept) * sizeof(T));
    buffer_ = std::move(larger);
    capacity_ = capacity;
  }

  std::unique_ptr<Buffer<T>> buffer_;
  std::int64_t capacity_ = 0;
};

/// The calling thread's own, for one use at a time.
template <class T>
Scratch<T>& scratch_of_thread() {
  thread_local Scratch<T> scratch;
  return scratch;
}

}  // namespace spinodal
