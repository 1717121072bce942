// SPDX-License-Identifier: BSD-3-Clause
// Checkerboard updates of one sublattice, 32 sites at a time, for any flip-probability table.
//
// A site's class is 2·(up neighbours) + (1 if up). The flip is decided by the first byte of its
// 64-bit uniform wherever that byte differs from the threshold's; the one site in 256 where they
// agree is queued and compared in full, so the probability is exact to 2^-64.
#include "kernels/entries.hpp"
#include "kernels/stream.hpp"

SPINODAL_KERNELS_BEGIN

struct Undecided {
  std::int64_t row;
  std::int32_t vector;
  std::uint32_t sites;  // one bit a lane
};

/// The rows of the other sublattice that hold the neighbours of a row, shifted to line up with it.
template <int n_neighbors>
struct Neighbors {
  const std::uint8_t* from[n_neighbors];

  SPINODAL_INLINE Neighbors(const ColorPlanes& lattice, int color, std::int64_t r) {
    const std::int64_t ly = lattice.ly, y = r % ly, z = r / ly;
    const int other = 1 - color;
    from[0] = lattice.row(other, r);
    from[1] = from[0] + ((y + z + color) % 2 == 0 ? -1 : 1);
    from[2] = lattice.row(other, r + (y == 0 ? ly - 1 : -1));
    from[3] = lattice.row(other, r + (y == ly - 1 ? 1 - ly : 1));
    if constexpr (n_neighbors == 6) {
      from[4] = lattice.row(other, r + (z == 0 ? (lattice.lz - 1) * ly : -ly));
      from[5] = lattice.row(other, r + (z == lattice.lz - 1 ? (1 - lattice.lz) * ly : ly));
    }
  }

  SPINODAL_INLINE Bytes sum(std::int64_t k) const {
    Bytes total = (Bytes::load(from[0] + k) + Bytes::load(from[1] + k)) +
                  (Bytes::load(from[2] + k) + Bytes::load(from[3] + k));
    if constexpr (n_neighbors == 6) total = total + (Bytes::load(from[4] + k) + Bytes::load(from[5] + k));
    return total;
  }

  SPINODAL_INLINE unsigned sum_at(std::int64_t k) const {
    unsigned total = 0;
    for (int j = 0; j < n_neighbors; ++j) total += from[j][k];
    return total;
  }
};

template <int n_neighbors, class Generator>
class SublatticeUpdate {
 public:
  SPINODAL_INLINE SublatticeUpdate(const ColorPlanes& lattice, int color, const AcceptTable& accept,
                                   const SweepKey& key, const Generator& generator)
      : lattice_(lattice), accept_(accept), key_(key), generator_(generator), color_(color) {}

  void run(std::int64_t row_begin, std::int64_t row_end) {
    constexpr std::int64_t segment = queue_size / 2;
    const std::int64_t n_vectors = (lattice_.width + lanes - 1) / lanes;
    for (std::int64_t r = row_begin; r < row_end; ++r) {
      for (std::int64_t v = 0; v < n_vectors; v += segment) {
        update_vectors(r, v, v + segment < n_vectors ? v + segment : n_vectors);
        if (n_queued_ >= segment) settle();
      }
      std::uint8_t* row = lattice_.row(color_, r);
      row[-1] = row[lattice_.width - 1];
      row[lattice_.width] = row[0];
    }
    settle();
  }

 private:
  static constexpr std::int64_t queue_size = 512;

  SPINODAL_INLINE Counter counter(bool tail, std::int64_t r) const {
    const auto purpose = static_cast<Purpose>(color_ + (tail ? 2 : 0));
    return make_counter(purpose, 0, static_cast<std::uint32_t>(r), key_.sweep, key_.chain);
  }

  SPINODAL_INLINE void update_vectors(std::int64_t r, std::int64_t begin, std::int64_t end) {
    const Neighbors<n_neighbors> neighbors(lattice_, color_, r);
    const Counter base = counter(false, r);
    const Bytes first_byte = Bytes::table(accept_.first_byte);
    std::uint8_t* row = lattice_.row(color_, r);
    const std::int64_t width = lattice_.width;
    std::int64_t n_queued = n_queued_;
    for (std::int64_t v = begin; v < end; ++v) {
      const std::int64_t k = v * lanes;
      const Bytes spin = Bytes::load(row + k), up = neighbors.sum(k);
      const Bytes threshold = first_byte.lookup(up + up + spin);
      const Bytes uniform = generator_.pair(base, static_cast<std::uint32_t>(v));
      (spin ^ Bytes::less(uniform, threshold)).store(row + k);
      std::uint32_t undecided = Bytes::equal_mask(uniform, threshold);
      if (width - k < lanes) undecided &= (std::uint32_t{1} << (width - k)) - 1;
      queue_[n_queued] = {r, static_cast<std::int32_t>(v), undecided};
      n_queued += undecided != 0;
    }
    n_queued_ = n_queued;
  }

  /// Compare the queued sites' other 56 bits; sites of one sublattice do not see each other.
  void settle() {
    for (std::int64_t i = 0; i < n_queued_; ++i) {
      const Undecided& entry = queue_[i];
      for (std::uint32_t sites = entry.sites; sites != 0; sites &= sites - 1) {
        settle_site(entry.row, std::int64_t{entry.vector} * lanes + __builtin_ctz(sites));
      }
    }
    n_queued_ = 0;
  }

  SPINODAL_INLINE void settle_site(std::int64_t r, std::int64_t k) {
    constexpr std::uint64_t low_56_bits = ~std::uint64_t{0} >> 8;
    std::uint8_t* row = lattice_.row(color_, r);
    const unsigned site_class = 2 * Neighbors<n_neighbors>(lattice_, color_, r).sum_at(k) + row[k];
    Counter c = counter(true, r);
    c.c0 += static_cast<std::uint32_t>(k);
    const bool flip = generator_.block(c).lo >> 8 <= (accept_.threshold[site_class] & low_56_bits);
    row[k] = static_cast<std::uint8_t>(row[k] ^ flip);
    if (k == 0) row[lattice_.width] = row[0];
    if (k == lattice_.width - 1) row[-1] = row[k];
  }

  const ColorPlanes& lattice_;
  const AcceptTable& accept_;
  const SweepKey& key_;
  const Generator& generator_;
  const int color_;
  std::int64_t n_queued_ = 0;
  Undecided queue_[queue_size];
};

SPINODAL_KERNELS_END

namespace spinodal {
namespace SPINODAL_ISA {

void update_rows(const ColorPlanes& lattice, int color, std::int64_t row_begin, std::int64_t row_end,
                 const AcceptTable& accept, const SweepKey& key) {
  with_stream(key.stream, key.seed, [&](const auto& generator) {
    using Generator = std::remove_cv_t<std::remove_reference_t<decltype(generator)>>;
    if (lattice.two_dimensional) {
      SublatticeUpdate<4, Generator>(lattice, color, accept, key, generator).run(row_begin, row_end);
    } else {
      SublatticeUpdate<6, Generator>(lattice, color, accept, key, generator).run(row_begin, row_end);
    }
  });
}

void pack_rows(const std::int8_t* spins, const ColorPlanes& lattice, std::int64_t row_begin, std::int64_t row_end) {
  const std::int64_t width = lattice.width;
  for (std::int64_t r = row_begin; r < row_end; ++r) {
    const std::int8_t* source = spins + 2 * width * r;
    const int even = static_cast<int>((r % lattice.ly + r / lattice.ly) % 2);  // color of x = 0, 2, …
    std::uint8_t *a = lattice.row(even, r), *b = lattice.row(1 - even, r);
    for (std::int64_t k = 0; k < width; ++k) {
      a[k] = static_cast<std::uint8_t>((source[2 * k] + 1) >> 1);
      b[k] = static_cast<std::uint8_t>((source[2 * k + 1] + 1) >> 1);
    }
    a[-1] = a[width - 1], a[width] = a[0];
    b[-1] = b[width - 1], b[width] = b[0];
  }
}

void unpack_rows(const ColorPlanes& lattice, std::int8_t* spins, std::int64_t row_begin, std::int64_t row_end) {
  const std::int64_t width = lattice.width;
  for (std::int64_t r = row_begin; r < row_end; ++r) {
    std::int8_t* target = spins + 2 * width * r;
    const int even = static_cast<int>((r % lattice.ly + r / lattice.ly) % 2);
    const std::uint8_t *a = lattice.row(even, r), *b = lattice.row(1 - even, r);
    for (std::int64_t k = 0; k < width; ++k) {
      target[2 * k] = static_cast<std::int8_t>(2 * a[k] - 1);
      target[2 * k + 1] = static_cast<std::int8_t>(2 * b[k] - 1);
    }
  }
}

}  // namespace SPINODAL_ISA
}  // namespace spinodal
