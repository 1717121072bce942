// SPDX-License-Identifier: BSD-3-Clause
// Checkerboard updates of one sublattice, 32 or 64 sites at a time, for any flip-probability table.
//
// A site's class is 2·(up neighbours) + (1 if up). The flip is decided by the first byte of its
// 64-bit uniform wherever that byte differs from the threshold's; the one site in 256 where they
// agree is queued and compared in full, so the probability is exact to 2^-64.
#include "kernels/entries.hpp"
#include "kernels/stream.hpp"

SPINODAL_KERNELS_BEGIN

struct RowIndex {
  std::int32_t z, y;
};

template <class Vector>
struct Undecided {
  RowIndex row;
  std::uint32_t first_site;
  typename Vector::Mask sites;  // one bit a lane
};

SPINODAL_INLINE int lowest_site(std::uint32_t sites) { return __builtin_ctz(sites); }
SPINODAL_INLINE int lowest_site(std::uint64_t sites) { return __builtin_ctzll(sites); }

/// A block of rows, one below the other, of the sublattice under update.
struct RowBlock {
  std::uint8_t* row;                  // first row of the block
  const std::uint8_t* same;           // the other sublattice, same row: one of the two neighbours along x
  std::ptrdiff_t side;                // offset of the other one in the first row, -1 or +1; alternates
  const std::uint8_t *above, *below;  // rows before the first and after the last
  std::ptrdiff_t front, back;         // offsets of the neighbours along z

  SPINODAL_INLINE RowBlock(const ColorPlanes& lattice, int color, RowIndex index, int n_rows) {
    const std::int64_t z = index.z, y = index.y, ly = lattice.ly;
    const std::ptrdiff_t stride = lattice.stride, layer = ly * stride;
    row = lattice.row(color, z * ly + y);
    same = lattice.row(1 - color, z * ly + y);
    side = 2 * ((y + z + color) & 1) - 1;
    above = same + (y == 0 ? layer - stride : -stride);
    below = same + (y + n_rows == ly ? n_rows * stride - layer : n_rows * stride);
    front = z == 0 ? (lattice.lz - 1) * layer : -layer;
    back = z == lattice.lz - 1 ? (1 - lattice.lz) * layer : layer;
  }
};

template <int n_neighbors, class Vector, class Generator>
class SublatticeUpdate {
 public:
  SPINODAL_INLINE SublatticeUpdate(const ColorPlanes& lattice, int color, const AcceptTable& accept,
                                   const SweepKey& key, const Generator& generator)
      : lattice_(lattice), accept_(accept), key_(key), generator_(generator), color_(color) {}

  SPINODAL_INLINE void run(std::int64_t row_begin, std::int64_t row_end) {
    RowIndex index{static_cast<std::int32_t>(row_begin / lattice_.ly),
                   static_cast<std::int32_t>(row_begin % lattice_.ly)};
    for (std::int64_t r = row_begin; r < row_end;) {
      const int n_rows = row_end - r >= block_rows && lattice_.ly - index.y >= block_rows ? block_rows : 1;
      if (n_rows == block_rows) {
        update_block<block_rows>(index);
      } else {
        update_block<1>(index);
      }
      r += n_rows;
      index.y += n_rows;
      if (index.y == lattice_.ly) index = {index.z + 1, 0};
    }
    settle();
  }

 private:
  static constexpr int queue_size = 512, block_rows = 4, lanes = Vector::lanes;
  using Mask = typename Vector::Mask;

  SPINODAL_INLINE std::int64_t row_number(RowIndex index) const { return index.z * lattice_.ly + index.y; }

  SPINODAL_INLINE Counter counter(bool tail, RowIndex index) const {
    const auto purpose = static_cast<Purpose>(color_ + (tail ? 2 : 0));
    return make_counter(purpose, 0, static_cast<std::uint32_t>(row_number(index)), key_.sweep, key_.chain);
  }

  /// Rows march in registers: a row of the other sublattice is the same row of one site, and
  /// above or below two others.
  template <int n_rows>
  SPINODAL_INLINE void update_block(RowIndex index) {
    const RowBlock block(lattice_, color_, index, n_rows);
    const std::ptrdiff_t stride = lattice_.stride;
    const std::int64_t width = lattice_.width;
    auto cursor = generator_.template cursor<Vector>(counter(false, index));
    for (std::int64_t k = 0; k < width; k += lanes) {
      Vector uniform[n_rows], other[n_rows + 2];
      generator_.template draw<n_rows>(cursor, uniform);
      other[0] = Vector::load(block.above + k);
      for (int i = 0; i < n_rows; ++i) other[i + 1] = Vector::load(block.same + i * stride + k);
      other[n_rows + 1] = Vector::load(block.below + k);
      const Mask sites = width - k < lanes ? (Mask{1} << (width - k)) - 1 : ~Mask{0};
      for (int i = 0; i < n_rows; ++i) {
        const std::uint8_t* same = block.same + i * stride + k;
        const Vector side = Vector::load(same + (i % 2 ? -block.side : block.side));
        Vector up = (other[i] + other[i + 1]) + (other[i + 2] + side);
        if constexpr (n_neighbors == 6) up = up + (Vector::load(same + block.front) + Vector::load(same + block.back));
        const Mask undecided = update_vector(block.row + i * stride + k, up, uniform[i]) & sites;
        queue_[n_queued_] = {{index.z, index.y + i}, static_cast<std::uint32_t>(k), undecided};
        n_queued_ += undecided != 0;
      }
      if (n_queued_ > queue_size - n_rows) settle();
    }
    for (int i = 0; i < n_rows; ++i) {
      std::uint8_t* row = block.row + i * stride;
      row[-1] = row[width - 1];
      row[width] = row[0];
    }
  }

  /// Flip what the first byte decides; return the lanes it does not.
  SPINODAL_INLINE Mask update_vector(std::uint8_t* sites, Vector up, Vector uniform) const {
    const Vector spin = Vector::load(sites);
    const Vector threshold = Vector::table(accept_.first_byte).lookup(up + up + spin);
    spin.flipped_where_less(uniform, threshold).store(sites);
    return Vector::equal_mask(uniform, threshold);
  }

  /// Compare the queued sites' other 56 bits; sites of one sublattice do not see each other.
  __attribute__((noinline)) void settle() {
    for (int i = 0; i < n_queued_; ++i) {
      const Undecided<Vector>& entry = queue_[i];
      const RowBlock block(lattice_, color_, entry.row, 1);
      for (Mask sites = entry.sites; sites != 0; sites &= sites - 1) {
        settle_site(block, entry.row, std::int64_t{entry.first_site} + lowest_site(sites));
      }
    }
    n_queued_ = 0;
  }

  SPINODAL_INLINE void settle_site(const RowBlock& block, RowIndex index, std::int64_t k) {
    constexpr std::uint64_t low_56_bits = ~std::uint64_t{0} >> 8;
    unsigned up = block.same[k] + block.same[k + block.side] + block.above[k] + block.below[k];
    if constexpr (n_neighbors == 6) up += block.same[k + block.front] + block.same[k + block.back];
    std::uint8_t* row = block.row;
    Counter c = counter(true, index);
    c.c0 += static_cast<std::uint32_t>(k);
    const std::uint64_t threshold = accept_.threshold[2 * up + row[k]];
    const bool flip = generator_.block(c).lo >> 8 <= (threshold & low_56_bits);
    row[k] = static_cast<std::uint8_t>(row[k] ^ flip);
    if (k == 0) row[lattice_.width] = row[0];
    if (k == lattice_.width - 1) row[-1] = row[k];
  }

  const ColorPlanes lattice_;
  const AcceptTable& accept_;
  const SweepKey& key_;
  const Generator& generator_;
  const int color_;
  int n_queued_ = 0;
  Undecided<Vector> queue_[queue_size];
};

SPINODAL_KERNELS_END

namespace spinodal {
namespace SPINODAL_ISA {

void update_rows(const ColorPlanes& lattice, int color, std::int64_t row_begin, std::int64_t row_end,
                 const AcceptTable& accept, const SweepKey& key) {
  with_stream(key.stream, key.seed, [&](const auto& generator) {
    using Generator = std::remove_cv_t<std::remove_reference_t<decltype(generator)>>;
    const auto update = [&](auto vector) {
      using Vector = decltype(vector);
      if (lattice.two_dimensional) {
        SublatticeUpdate<4, Vector, Generator>(lattice, color, accept, key, generator).run(row_begin, row_end);
      } else {
        SublatticeUpdate<6, Vector, Generator>(lattice, color, accept, key, generator).run(row_begin, row_end);
      }
    };
    if constexpr (WideBytes::lanes > lanes) {
      if (lattice.width > lanes) return update(WideBytes{});
    }
    update(Bytes{});
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
