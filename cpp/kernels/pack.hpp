// SPDX-License-Identifier: BSD-3-Clause
// n floating-point numbers at a time, in registers of the width there is.
//
// Every operation is an IEEE one, lane by lane, and sums over lanes have one order: the bits do not depend on
// the instruction set. For that reason nothing here is fused, and reciprocals are divisions.
#pragma once

#include "kernels/isa.hpp"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

SPINODAL_KERNELS_BEGIN

#if defined(__AVX512F__)
constexpr int vector_bytes = 64;
#elif defined(__AVX2__)
constexpr int vector_bytes = 32;
#else
constexpr int vector_bytes = 16;
#endif

template <class T>
constexpr int native_lanes = vector_bytes / static_cast<int>(sizeof(T));

template <class T>
struct LaneInteger;
template <>
struct LaneInteger<double> {
  using type = std::int64_t;
};
template <>
struct LaneInteger<float> {
  using type = std::int32_t;
};

template <class T, int n>
struct Pack {
  static constexpr int lanes = n;
  static constexpr int wanted = n * static_cast<int>(sizeof(T));
  static constexpr int bytes = wanted < vector_bytes ? wanted : vector_bytes;
  static constexpr int width = bytes / static_cast<int>(sizeof(T));
  static constexpr int n_parts = n / width;
  using Integer = typename LaneInteger<T>::type;
  typedef T Part __attribute__((vector_size(bytes)));
  typedef Integer Bits __attribute__((vector_size(bytes)));
  typedef std::uint64_t Words __attribute__((vector_size(bytes)));  // of packs of doubles

  /// All bits of a lane set where a comparison holds.
  struct Mask {
    Bits part[n_parts];

    friend SPINODAL_INLINE Mask operator&(Mask a, const Mask& b) {
      for (int p = 0; p < n_parts; ++p) a.part[p] &= b.part[p];
      return a;
    }
    /// Bit l set where lane l is.
    SPINODAL_INLINE unsigned bits() const {
      unsigned result = 0;
      for (int p = 0; p < n_parts; ++p) result |= bits_of(part[p]) << (p * width);
      return result;
    }
  };

  Part part[n_parts];

  static SPINODAL_INLINE Pack all(T value) {
    Pack r;
    for (int p = 0; p < n_parts; ++p) r.part[p] = value - Part{};
    return r;
  }
  static SPINODAL_INLINE Pack load(const T* from) {
    Pack r;
    std::memcpy(r.part, from, sizeof r.part);
    return r;
  }
  SPINODAL_INLINE void store(T* to) const { std::memcpy(to, part, sizeof part); }

  friend SPINODAL_INLINE Pack operator+(Pack a, const Pack& b) {
    for (int p = 0; p < n_parts; ++p) a.part[p] += b.part[p];
    return a;
  }
  friend SPINODAL_INLINE Pack operator-(Pack a, const Pack& b) {
    for (int p = 0; p < n_parts; ++p) a.part[p] -= b.part[p];
    return a;
  }
  friend SPINODAL_INLINE Pack operator*(Pack a, const Pack& b) {
    for (int p = 0; p < n_parts; ++p) a.part[p] *= b.part[p];
    return a;
  }
  friend SPINODAL_INLINE Pack operator/(Pack a, const Pack& b) {
    for (int p = 0; p < n_parts; ++p) a.part[p] /= b.part[p];
    return a;
  }
  friend SPINODAL_INLINE Mask operator<(const Pack& a, const Pack& b) {
    Mask m;
    for (int p = 0; p < n_parts; ++p) m.part[p] = a.part[p] < b.part[p];
    return m;
  }
  friend SPINODAL_INLINE Pack larger(Pack a, const Pack& b) {
    for (int p = 0; p < n_parts; ++p) a.part[p] = a.part[p] < b.part[p] ? b.part[p] : a.part[p];
    return a;
  }
  friend SPINODAL_INLINE Pack smaller(Pack a, const Pack& b) {
    for (int p = 0; p < n_parts; ++p) a.part[p] = a.part[p] < b.part[p] ? a.part[p] : b.part[p];
    return a;
  }
  /// The value where the mask is set, else 0.
  SPINODAL_INLINE Pack where(const Mask& mask) const {
    Pack r;
    for (int p = 0; p < n_parts; ++p) {
      Bits bits;
      std::memcpy(&bits, &part[p], sizeof bits);
      bits &= mask.part[p];
      std::memcpy(&r.part[p], &bits, sizeof bits);
    }
    return r;
  }
  SPINODAL_INLINE Pack sqrt() const {
    Pack r;
    for (int p = 0; p < n_parts; ++p) r.part[p] = sqrt_of(part[p]);
    return r;
  }
  /// Σ over the lanes: neighbours first, then pairs of neighbours.
  SPINODAL_INLINE T sum() const {
    T lane[n];
    store(lane);
    for (int left = n; left > 1; left /= 2) {
      for (int l = 0; l < left / 2; ++l) lane[l] = lane[2 * l] + lane[2 * l + 1];
    }
    return lane[0];
  }

 private:
#if defined(__SSE2__)
  static SPINODAL_INLINE unsigned bits_of(Bits b) {
    if constexpr (bytes == 64) {
      if constexpr (sizeof(T) == 8) {
        return _mm512_test_epi64_mask(reinterpret_cast<__m512i&>(b), reinterpret_cast<__m512i&>(b));
      } else {
        return _mm512_test_epi32_mask(reinterpret_cast<__m512i&>(b), reinterpret_cast<__m512i&>(b));
      }
    } else if constexpr (bytes == 32) {
      if constexpr (sizeof(T) == 8) {
        return static_cast<unsigned>(_mm256_movemask_pd(reinterpret_cast<__m256d&>(b)));
      } else {
        return static_cast<unsigned>(_mm256_movemask_ps(reinterpret_cast<__m256&>(b)));
      }
    } else if constexpr (sizeof(T) == 8) {
      return static_cast<unsigned>(_mm_movemask_pd(reinterpret_cast<__m128d&>(b)));
    } else {
      return static_cast<unsigned>(_mm_movemask_ps(reinterpret_cast<__m128&>(b)));
    }
  }
  static SPINODAL_INLINE Part sqrt_of(Part v) {
    if constexpr (sizeof(T) == 4) {
      return sqrt_of_floats(v);
    } else if constexpr (bytes == 64) {
      return reinterpret_cast<Part&>(static_cast<__m512d&&>(_mm512_sqrt_pd(reinterpret_cast<__m512d&>(v))));
    } else if constexpr (bytes == 32) {
      return reinterpret_cast<Part&>(static_cast<__m256d&&>(_mm256_sqrt_pd(reinterpret_cast<__m256d&>(v))));
    } else {
      return reinterpret_cast<Part&>(static_cast<__m128d&&>(_mm_sqrt_pd(reinterpret_cast<__m128d&>(v))));
    }
  }
  static SPINODAL_INLINE Part sqrt_of_floats(Part v) {
    if constexpr (bytes == 64) {
      return reinterpret_cast<Part&>(static_cast<__m512&&>(_mm512_sqrt_ps(reinterpret_cast<__m512&>(v))));
    } else if constexpr (bytes == 32) {
      return reinterpret_cast<Part&>(static_cast<__m256&&>(_mm256_sqrt_ps(reinterpret_cast<__m256&>(v))));
    } else {
      return reinterpret_cast<Part&>(static_cast<__m128&&>(_mm_sqrt_ps(reinterpret_cast<__m128&>(v))));
    }
  }
#else
  static SPINODAL_INLINE unsigned bits_of(Bits b) {
    unsigned result = 0;
    for (int l = 0; l < width; ++l) result |= static_cast<unsigned>(b[l] & 1) << l;
    return result;
  }
  static SPINODAL_INLINE Part sqrt_of(Part v) {
    for (int l = 0; l < width; ++l) v[l] = static_cast<T>(__builtin_sqrt(static_cast<double>(v[l])));
    return v;
  }
#endif
};

SPINODAL_KERNELS_END
