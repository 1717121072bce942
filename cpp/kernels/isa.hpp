// SPDX-License-Identifier: BSD-3-Clause
// Everything under kernels/ is compiled once per instruction set, into its own namespace: code
// compiled for AVX2 must never win at link time over the same name compiled for the baseline.
// For that reason no STL container or algorithm appears here.
#pragma once

#include <cstdint>
#include <cstring>

#define SPINODAL_KERNELS_BEGIN \
  namespace spinodal {         \
  namespace SPINODAL_ISA {     \
  namespace {
#define SPINODAL_KERNELS_END \
  }                          \
  }                          \
  }
#define SPINODAL_INLINE inline __attribute__((always_inline))

#if defined(__AVX2__)
#include <immintrin.h>
#endif
