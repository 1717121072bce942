// SPDX-License-Identifier: BSD-3-Clause
// Wolff single-cluster updates, breadth first.
#include <cmath>

#include "kernels/entries.hpp"
#include "kernels/wolff_bonds.hpp"
#include "kernels/wolff_visit.hpp"

SPINODAL_KERNELS_BEGIN

/// How the spins of one chain look to the loops: sublattice-transformed where that turns every
/// antiferromagnetic bond into a ferromagnetic one and no field tells the sublattices apart.
struct Gauge {
  bool staggered;  ///< the byte's up bit is flipped on odd sites
  bool one_sign;   ///< every cluster has one sign

  Gauge(const WolffLattice& lattice, const ClusterRule& rule) {
    const bool bipartite = (lattice.lx | lattice.ly | (lattice.two_dimensional ? 0 : lattice.lz)) % 2 == 0;
    staggered = rule.antiferromagnetic && bipartite && rule.field_sign == 0;
    one_sign = !rule.antiferromagnetic || staggered;
  }
};

template <int n_neighbors, class Generator>
class WolffChain {
 public:
  WolffChain(const WolffLattice& lattice, const ClusterRule& rule, const ClusterKey& key, const Generator& generator,
             bool one_sign, bool whole_clusters)
      : lattice_(lattice),
        rule_(rule),
        key_(key),
        generator_(generator),
        geometry_(lattice),
        bonds_(generator, rule.bond_threshold, key.chain),
        one_sign_(one_sign),
        whole_clusters_(whole_clusters) {}

  WolffTotals run() {
    WolffTotals totals{0, 0};
    const bool far = lattice_.plane * lattice_.lz > 1 << 18;
    for (std::int64_t t = 0; t < key_.n_steps; ++t) {
      const std::uint64_t step = key_.first_step + static_cast<std::uint64_t>(t);
      const Block start = generator_.block(make_counter(Purpose::wolff_seed, 0, 0, step, key_.chain));
      const std::uint32_t first = site_of(start.lo);
      const std::int64_t limit = ghost_limit(start.hi);
      const bool up = lattice_.site[first] & up_bit;
      if (!one_sign_) {
        grow_marked(step, first, limit, &totals);
      } else if (up) {
        far ? grow<true, true>(step, first, limit, &totals) : grow<true, false>(step, first, limit, &totals);
      } else {
        far ? grow<false, true>(step, first, limit, &totals) : grow<false, false>(step, first, limit, &totals);
      }
    }
    return totals;
  }

 private:
  static constexpr int first_draw = 16;  // most clusters are small away from the critical point

  std::uint32_t site_of(std::uint64_t uniform) const {
    const auto lx = static_cast<std::uint32_t>(lattice_.lx), ly = static_cast<std::uint32_t>(lattice_.ly);
    const std::uint64_t n = std::uint64_t{lx} * ly * static_cast<std::uint64_t>(lattice_.lz);
    const auto i = static_cast<std::uint32_t>(static_cast<unsigned __int128>(uniform) * n >> 64);
    const std::uint32_t r = i / lx;
    return static_cast<std::uint32_t>(r / ly * lattice_.plane + r % ly * lattice_.row + i % lx);
  }

  /// Sites aligned with the field that a cluster may have without a bond to the ghost spin: each
  /// bonds independently, so P(no bond | n) = exp(-2β|h| n), and one uniform decides for all.
  std::int64_t ghost_limit(std::uint64_t uniform) const {
    if (rule_.field_sign == 0) return INT64_MAX;
    const double u = static_cast<double>((uniform >> 11) + 1) * 0x1p-53;
    const double limit = std::floor(-std::log(u) / rule_.ghost_exponent);
    return limit < 0x1p62 ? static_cast<std::int64_t>(limit) : INT64_MAX;
  }

  /// Ferromagnetic bonds: a site that has joined is known by its flipped sign.
  template <bool up, bool far>
  void grow(std::uint64_t step, std::uint32_t first, std::int64_t limit, WolffTotals* totals) {
    if (up != (rule_.field_sign > 0)) limit = INT64_MAX;
    std::uint32_t *const queue = lattice_.queue, *head = queue, *tail = queue + 1;
    std::int64_t size = 0, room = 1 << 14;
    std::uint8_t active[bonds_.batch];
    queue[0] = first;
    for (std::uint64_t n = 0; head != tail;) {
      const int n_active = n == 0 ? first_draw : bonds_.batch - static_cast<int>(n % bonds_.batch);
      bonds_.draw(step, n, n_active, active);
      n += static_cast<std::uint64_t>(n_active);
      const Visit done = visit<n_neighbors, up, far>(geometry_, lattice_.site, head, tail, active, n_active);
      head += done.n_visits, tail = done.tail, size += done.n_joined;
      if (size > limit && !whole_clusters_) break;
      if (limit == INT64_MAX && tail - queue >= room) {  // nothing to undo: keep the front alone, in the cache
        const std::int64_t front = tail - head;
        std::memmove(queue, head, static_cast<std::size_t>(front) * sizeof *queue);
        head = queue, tail = queue + front;
        if (room < 4 * front) room = 4 * front;
      }
    }
    totals->cluster_size += size;
    if (size <= limit) {
      totals->flipped += size;
    } else {  // bonded to the ghost: as it was
      for (const std::uint32_t* i = queue; i != head; ++i) set<up>(*i);
    }
  }

  template <bool up>
  void set(std::uint32_t i) {
    std::uint8_t& site = lattice_.site[i];
    site = static_cast<std::uint8_t>((site & wrapped_bit<n_neighbors>) | (up ? up_bit : 0));
  }

  /// Bonds of any sign: sites that have joined are marked, and flipped at the end.
  void grow_marked(std::uint64_t step, std::uint32_t first, std::int64_t limit, WolffTotals* totals) {
    std::uint32_t* const queue = lattice_.queue;
    std::int64_t head = 0, tail = 1, size = 0, n_aligned = 0;
    std::uint8_t active[bonds_.batch];
    queue[0] = first;
    for (; head < tail && (n_aligned <= limit || whole_clusters_); ++head) {
      const std::int64_t k = head % bonds_.batch;
      if (k == 0) bonds_.draw(step, static_cast<std::uint64_t>(head), bonds_.batch, active);
      std::uint8_t& site = lattice_.site[queue[head]];
      if (site & marked_bit) continue;
      tail = push_satisfied(queue[head], active[k], tail);
      site |= marked_bit;
      n_aligned += (site & up_bit) == (rule_.field_sign > 0 ? up_bit : 0);
      ++size;
    }
    const bool flip = n_aligned <= limit;
    for (std::int64_t i = 0; i < head; ++i) {
      std::uint8_t& site = lattice_.site[queue[i]];
      if (site & marked_bit) site ^= static_cast<std::uint8_t>(marked_bit | (flip ? up_bit : 0));
    }
    totals->cluster_size += size;
    if (flip) totals->flipped += size;
  }

  std::int64_t push_satisfied(std::uint32_t i, unsigned active, std::int64_t tail) const {
    const unsigned wanted = (lattice_.site[i] & up_bit) ^ (rule_.antiferromagnetic ? up_bit : 0);
    std::uint32_t target[n_neighbors];
    geometry_.neighbors(i, target);
    for (int d = 0; d < n_neighbors; ++d) {
      const unsigned there = lattice_.site[target[d]] & (up_bit | marked_bit);
      lattice_.queue[tail] = target[d];
      tail += there == wanted && (active >> (d + 1) & 1);
    }
    return tail;
  }

  const WolffLattice& lattice_;
  const ClusterRule& rule_;
  const ClusterKey& key_;
  const Generator& generator_;
  const WolffGeometry<n_neighbors> geometry_;
  const WolffBonds<n_neighbors, Generator> bonds_;
  const bool one_sign_, whole_clusters_;
};

/// f(row of spins, row of bytes, first site whose sign a staggered gauge turns, on the boundary) for every row.
template <class Spin, class F>
SPINODAL_INLINE void for_each_row(Spin* spins, const WolffLattice& lattice, F f) {
  const std::int64_t ly = lattice.ly, lz = lattice.lz;
  for (std::int64_t r = 0; r < lz * ly; ++r) {
    const std::int64_t y = r % ly, z = r / ly;
    const bool face = y == 0 || y == ly - 1 || (!lattice.two_dimensional && (z == 0 || z == lz - 1));
    f(spins + r * lattice.lx, lattice.site + z * lattice.plane + y * lattice.row, 1 - (y + z) % 2, face);
  }
}

template <int n_neighbors>
void pack(const std::int8_t* spins, const WolffLattice& lattice, bool staggered) {
  const std::int64_t lx = lattice.lx;
  for_each_row(spins, lattice, [&](const std::int8_t* source, std::uint8_t* target, std::int64_t odd, bool face) {
    const auto flag = static_cast<std::uint8_t>(face ? wrapped_bit<n_neighbors> : 0);
    for (std::int64_t x = 0; x < lx; ++x) target[x] = static_cast<std::uint8_t>((source[x] + 1) | flag);
    for (std::int64_t x = odd; staggered && x < lx; x += 2) target[x] ^= up_bit;
    target[0] |= wrapped_bit<n_neighbors>;
    target[lx - 1] |= wrapped_bit<n_neighbors>;
  });
}

void unpack(const WolffLattice& lattice, std::int8_t* spins, bool staggered) {
  const std::int64_t lx = lattice.lx;
  for_each_row(spins, lattice, [&](std::int8_t* target, const std::uint8_t* source, std::int64_t odd, bool) {
    for (std::int64_t x = 0; x < lx; ++x) target[x] = static_cast<std::int8_t>((source[x] & up_bit) - 1);
    for (std::int64_t x = odd; staggered && x < lx; x += 2) target[x] = static_cast<std::int8_t>(-target[x]);
  });
}

template <int n_neighbors>
WolffTotals run_chain(std::int8_t* spins, const WolffLattice& lattice, const ClusterRule& rule, const ClusterKey& key,
                      bool whole_clusters) {
  const Gauge gauge(lattice, rule);
  WolffTotals totals{0, 0};
  pack<n_neighbors>(spins, lattice, gauge.staggered);
  with_stream(key.stream, key.seed, [&](const auto& generator) {
    using Generator = std::remove_cv_t<std::remove_reference_t<decltype(generator)>>;
    totals = WolffChain<n_neighbors, Generator>(lattice, rule, key, generator, gauge.one_sign, whole_clusters).run();
  });
  unpack(lattice, spins, gauge.staggered);
  return totals;
}

SPINODAL_KERNELS_END

namespace spinodal {
namespace SPINODAL_ISA {

WolffTotals wolff_steps(std::int8_t* spins, const WolffLattice& lattice, const ClusterRule& rule, const ClusterKey& key,
                        bool whole_clusters) {
  return lattice.two_dimensional ? run_chain<4>(spins, lattice, rule, key, whole_clusters)
                                 : run_chain<6>(spins, lattice, rule, key, whole_clusters);
}

}  // namespace SPINODAL_ISA
}  // namespace spinodal
