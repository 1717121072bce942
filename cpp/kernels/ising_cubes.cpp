// SPDX-License-Identifier: BSD-3-Clause
// Checkerboard updates of a bit-packed lattice in three dimensions; spinodal/packed.hpp defines them.
//
// Rows y and y + 1 of a plane march together, as in two dimensions: of a site's six neighbours, those in the vectors
// of these two rows are common to both.
#include "kernels/packed_edges.hpp"
#include "kernels/packed_rows.hpp"
#include "kernels/packed_rules.hpp"
#include "kernels/packed_updates.hpp"

SPINODAL_KERNELS_BEGIN

template <class Rule, class Rows>
class CubicMarch {
 public:
  CubicMarch(const PackedPlanes& lattice, const BlockMasks& masks, int color, std::int64_t tile)
      : rows_(lattice),
        lattice_(lattice),
        edges_(lattice, color),
        stride_(lattice.stride),
        plane_(lattice.ly * lattice.stride),
        vector_(tile % lattice.n_vectors),
        y_(2 * (tile / lattice.n_vectors) % lattice.ly),
        to_left_((2 * (tile / lattice.n_vectors) / lattice.ly + color) % 2 == 0),
        row_(lattice.row(color, 2 * (tile / lattice.n_vectors))),
        other_(lattice.row(1 - color, 2 * (tile / lattice.n_vectors))),
        mask_{masks.x4 + 2 * vector_bytes * (tile % block_tiles)} {}

  void run(std::int64_t n) {
    while (n > 0) {
      const std::int64_t left = lattice_.n_vectors - vector_, m = n < left ? n : left;
      if (to_left_) {
        update_pair<true>(m);
      } else {
        update_pair<false>(m);
      }
      n -= m;
      if (m == left) next_pair();
    }
  }

 private:
  /// n tiles of a pair of rows; y is periodic, the copies around the planes are for z.
  template <bool to_left>
  SPINODAL_INLINE void update_pair(std::int64_t n) {
    const std::int64_t before = y_ == 0 ? plane_ - stride_ : -stride_;
    const std::int64_t after = y_ + 2 == lattice_.ly ? 2 * stride_ - plane_ : 2 * stride_;
    std::uint8_t* first = row_ + vector_bytes * vector_;
    const std::uint8_t *a = other_ + vector_bytes * vector_, *b = a + stride_;
    for (std::int64_t i = 0; i < n; ++i) {
      const Bits at_a = Bits::load(a), at_b = Bits::load(b);
      const Pair pair{at_a ^ at_b, at_a & at_b};
      update_vector(first, {pair, rows_.template side<to_left>(at_a, a), Bits::load(a + before), Bits::load(a - plane_),
                            Bits::load(a + plane_)});
      update_vector(first + stride_, {pair, rows_.template side<!to_left>(at_b, b), Bits::load(a + after),
                                      Bits::load(b - plane_), Bits::load(b + plane_)});
      first += vector_bytes;
      a += vector_bytes;
      b += vector_bytes;
    }
    vector_ += n;
  }

  SPINODAL_INLINE void update_vector(std::uint8_t* p, const CubicNeighbors& neighbors) {
    rows_.existing(Rule::update(Bits::load(p), neighbors, mask_)).store(p);
    mask_.at += vector_bytes;
  }

  SPINODAL_INLINE void next_pair() {
    if (lattice_.has_end_words()) {
      edges_.end_words(row_);
      edges_.end_words(row_ + stride_);
    }
    vector_ = 0;
    row_ += 2 * stride_;
    other_ += 2 * stride_;
    y_ += 2;
    if (y_ < lattice_.ly) return;
    y_ = 0;
    to_left_ = !to_left_;
  }

  const Rows rows_;
  const PackedPlanes& lattice_;
  const PlaneEdges edges_;
  const std::int64_t stride_, plane_;
  std::int64_t vector_, y_;
  bool to_left_;  // the side neighbours of the first row
  std::uint8_t* row_;
  const std::uint8_t* other_;
  CubicMasks mask_;
};

template <class Rule, class Rows>
__attribute__((noinline)) void update_cubic(const PackedPlanes& lattice, const BlockMasks& masks, int color,
                                            std::int64_t begin, std::int64_t end) {
  CubicMarch<Rule, Rows>(lattice, masks, color, begin).run(end - begin);
}

SPINODAL_KERNELS_END

namespace spinodal {
namespace SPINODAL_ISA {

PackedUpdates cubic_updates(const PackedPlanes& lattice) {
  PackedUpdates updates{};
  with_rows(lattice, [&](auto kind) {
    using Rows = typename decltype(kind)::Rows;
    updates = {update_cubic<CubicMetropolisRule, Rows>, update_cubic<CubicHeatBathRule, Rows>};
  });
  return updates;
}

}  // namespace SPINODAL_ISA
}  // namespace spinodal
