// SPDX-License-Identifier: BSD-3-Clause
// The few checks the native tests need. A failed check prints where and goes on; the program's
// exit status is the number of failures.
#pragma once

#include <cstdio>
#include <stdexcept>
#include <string>

namespace spinodal::testing {

inline int n_checks = 0, n_failures = 0;

inline void check(bool passed, const char* what, const std::string& detail, const char* file, int line) {
  ++n_checks;
  if (passed) return;
  ++n_failures;
  std::fprintf(stderr, "%s:%d: failed: %s %s\n", file, line, what, detail.c_str());
}

/// The call must throw std::invalid_argument whose message contains `part`.
template <class F>
void check_refuses(F&& call, const std::string& part, const char* what, const char* file, int line) {
  try {
    call();
    check(false, what, "did not throw", file, line);
  } catch (const std::invalid_argument& error) {
    const std::string message = error.what();
    check(message.find(part) != std::string::npos, what, "said: " + message, file, line);
  }
}

inline int summary(const char* name) {
  std::printf("%s: %d passed, %d failed\n", name, n_checks - n_failures, n_failures);
  return n_failures == 0 ? 0 : 1;
}

}  // namespace spinodal::testing

#define CHECK(condition) spinodal::testing::check(condition, #condition, "", __FILE__, __LINE__)
#define CHECK_FOR(condition, detail) spinodal::testing::check(condition, #condition, detail, __FILE__, __LINE__)
#define CHECK_REFUSES(call, part) spinodal::testing::check_refuses([&] { call; }, part, #call, __FILE__, __LINE__)
