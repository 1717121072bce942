// SPDX-License-Identifier: BSD-3-Clause
// The inner loop of a Wolff update: visit the sites of a queue, append the neighbours they bond to.
//
// No branch depends on a spin. A site enters the queue once for every active bond that leads to
// it and joins the cluster when its first copy is visited; later copies find it flipped and add
// nothing. So a visit stores one byte of the lattice, and never waits for the bond before.
#pragma once

#include "kernels/simd.hpp"
#include "kernels/table.hpp"

SPINODAL_KERNELS_BEGIN

// A site's byte: marked | up | wrapped, the last where a neighbour lies across the boundary. The
// neighbours' bytes, shifted by direction and added, show their up bits from bit 1 on: `wrapped` is
// above those. Bit 1, because a mask of directions then indexes 16-byte entries as mask·8.
constexpr unsigned marked_bit = 1, up_bit = 2;
template <int n_neighbors>
constexpr unsigned wrapped_bit = n_neighbors == 4 ? 0x20 : 0x80;

/// Steps between sites, and neighbours across the boundary; direction order -x, +x, -y, +y, -z, +z.
template <int n_neighbors>
class WolffGeometry {
 public:
  explicit WolffGeometry(const WolffLattice& lattice)
      : length_{lattice.lx, lattice.ly, lattice.lz}, row_(lattice.row), plane_(lattice.plane) {
    const std::int64_t step[3] = {1, row_, plane_};
    for (int d = 0; d < n_neighbors; ++d)
      offset[d] = static_cast<std::int32_t>(d % 2 == 0 ? -step[d / 2] : step[d / 2]);
  }

  void neighbors(std::uint32_t i, std::uint32_t* out) const {
    const std::int64_t y = i % plane_ / row_, at[3] = {i % plane_ % row_, y, i / plane_};
    for (int d = 0; d < n_neighbors; ++d) {
      const std::int64_t edge = d % 2 == 0 ? 0 : length_[d / 2] - 1;
      const std::int64_t back = at[d / 2] == edge ? offset[d] * length_[d / 2] : 0;
      out[d] = static_cast<std::uint32_t>(i + offset[d] - back);
    }
  }

  alignas(32) std::int32_t offset[8] = {};

 private:
  const std::int64_t length_[3], row_, plane_;
};

#if defined(__AVX2__)

/// For each mask of directions (bits 1 …): where their indices are, as bytes for a shuffle of 4 or
/// as lanes for a permutation of 6.
template <int n_neighbors>
struct PushOrder {
  static constexpr int entry = n_neighbors == 4 ? 16 : 8;
  alignas(16) std::uint8_t byte[entry << n_neighbors];
  constexpr PushOrder() : byte{} {
    for (int mask = 0; mask < 1 << n_neighbors; ++mask) {
      for (int d = 0, n = entry * mask; d < n_neighbors; ++d) {
        if (!(mask >> d & 1)) continue;
        for (int k = 0; k < entry / 8 * 2 && n_neighbors == 4; ++k) byte[n++] = static_cast<std::uint8_t>(4 * d + k);
        if (n_neighbors == 6) byte[n++] = static_cast<std::uint8_t>(d);
      }
    }
  }
};
template <int n_neighbors>
constexpr PushOrder<n_neighbors> push_order{};

/// Append *site + offset[d] for every bit d + 1 of the mask; writes past the new end.
template <int n_neighbors>
SPINODAL_INLINE std::uint32_t* push(std::uint32_t* tail, const std::uint32_t* site, unsigned mask,
                                    const std::int32_t* offset) {
  const std::uint8_t* order = push_order<n_neighbors>.byte + std::size_t{mask} * (PushOrder<n_neighbors>::entry / 2);
  if constexpr (n_neighbors == 4) {
    const __m128i targets = _mm_add_epi32(_mm_set1_epi32(static_cast<int>(*site)),
                                          _mm_load_si128(reinterpret_cast<const __m128i*>(offset)));
    const __m128i packed = _mm_shuffle_epi8(targets, _mm_load_si128(reinterpret_cast<const __m128i*>(order)));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(tail), packed);
  } else {
    const __m256i targets = _mm256_add_epi32(_mm256_set1_epi32(static_cast<int>(*site)),
                                             _mm256_load_si256(reinterpret_cast<const __m256i*>(offset)));
    const __m256i lane = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(order)));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(tail), _mm256_permutevar8x32_epi32(targets, lane));
  }
  return tail + __builtin_popcount(mask);
}

#else

template <int n_neighbors>
SPINODAL_INLINE std::uint32_t* push(std::uint32_t* tail, const std::uint32_t* site, unsigned mask,
                                    const std::int32_t* offset) {
  for (int d = 0; d < n_neighbors; ++d) {
    *tail = *site + static_cast<std::uint32_t>(offset[d]);
    tail += mask >> (d + 1) & 1;
  }
  return tail;
}

#endif

/// The bytes of the sites of the cluster's sign have up_bit in seen<up>(byte).
template <bool up>
SPINODAL_INLINE unsigned seen(unsigned byte) {
  return up ? byte : ~byte;
}

template <int n_neighbors, bool up>
__attribute__((noinline)) std::uint32_t* push_wrapped(const WolffGeometry<n_neighbors>& geometry,
                                                      const std::uint8_t* site, std::uint32_t i, unsigned active,
                                                      std::uint32_t* tail) {
  std::uint32_t target[n_neighbors];
  geometry.neighbors(i, target);
  for (int d = 0; d < n_neighbors; ++d) {
    *tail = target[d];
    tail += (seen<up>(site[i]) & seen<up>(site[target[d]]) & active >> d & up_bit) / up_bit;
  }
  return tail;
}

struct Visit {
  std::uint32_t* tail;    ///< new end of the queue
  std::int64_t n_visits;  ///< queue entries visited
  std::int64_t n_joined;  ///< of those, sites that joined the cluster
};

/// Visit at most n_active entries from `head` on. `far`: the lattice exceeds the cache.
template <int n_neighbors, bool up, bool far>
__attribute__((noinline)) Visit visit(const WolffGeometry<n_neighbors>& geometry, std::uint8_t* site,
                                      const std::uint32_t* head, std::uint32_t* tail, const std::uint8_t* active,
                                      std::int64_t n_active) {
  constexpr int look_ahead = 32;
  const std::int64_t row = geometry.offset[3], plane = geometry.offset[n_neighbors - 1];
  std::uint8_t *above = site - row, *below = site + row;
  asm("" : "+r"(above), "+r"(below));  // three bases and one index, not three sums a site
  std::int64_t n = 0, joined = 0;
  for (; n < n_active && head + n != tail; ++n) {
    const std::size_t i = head[n], self = site[i];
    if constexpr (far) {
      const std::size_t next = head[n + look_ahead];
      __builtin_prefetch(site + next);
      __builtin_prefetch(above + next);
      __builtin_prefetch(below + next);
    }
    if (__builtin_expect((self & wrapped_bit<n_neighbors>) != 0, 0)) {
      tail = push_wrapped<n_neighbors, up>(geometry, site, head[n], active[n], tail);
      joined += seen<up>(static_cast<unsigned>(self)) & up_bit;
      site[i] = wrapped_bit<n_neighbors> | (up ? 0 : up_bit);
      continue;
    }
    const std::size_t fresh = up ? self : self ^ up_bit;
    unsigned around = site[i - 1] + 2u * site[i + 1] + 4u * (above[i] + 2u * below[i]);
    if constexpr (n_neighbors == 6) around += 16u * (site[i - plane] + 2u * site[i + plane]);
    const unsigned mask = seen<up>(around) & active[n] & static_cast<unsigned>(-fresh);
    tail = push<n_neighbors>(tail, head + n, mask, geometry.offset);
    joined += fresh;
    site[i] = up ? 0 : up_bit;
  }
  return {tail, n, joined / up_bit};
}

SPINODAL_KERNELS_END
