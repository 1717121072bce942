// SPDX-License-Identifier: BSD-3-Clause
// 256 chains at once, each with flip probabilities of its own; spinodal/replicas.hpp defines it.
//
// A mask of Bernoulli bits whose probability is c/256 in its lane, from eight words v, the most significant last:
//
//   m ← t ? m | ~v : m & v,   t = bit k of c:   P ← (t + P)/2                    (1)
//
// With b = m ^ t that is  b ← (b & v) ^ (t ^ t'), t' the next bit: two operations, whatever the lanes' c. All
// classes of sites share the words, since a site belongs to one. Overwrites make up what c/256 lacks.
#include "kernels/entries.hpp"
#include "kernels/packed_overwrites.hpp"
#include "kernels/replica_sites.hpp"

SPINODAL_KERNELS_BEGIN

template <int n>
struct Number {
  static constexpr int value = n;
};

constexpr int lane_hit_words = threshold_bits * lane_block_vectors;

/// Kept at full length: overwrites of a part-filled block may land past its end.
struct LaneMasks {
  alignas(64) std::uint8_t of_class[max_classes][32 * lane_block_vectors], tie[32 * lane_block_vectors];
};

template <int n_classes, class Words>
__attribute__((noinline)) void draw_lanes(const Words& words, const LaneRule& rule, int n_vectors, LaneMasks& out) {
  for (int v = 0; v < n_vectors; ++v) {
    Bits w[threshold_bits];
    words.template draw<threshold_bits>(threshold_bits * v, w);
    words.template finish<threshold_bits>(w);
    for (int j = 0; j < n_classes; ++j) {
      Bits b = Bits::load(rule.plane[j][0]);
      for (int k = 0; k < threshold_bits; ++k) b = Bits::and_xor(b, w[k], Bits::load(rule.plane[j][k + 1]));
      b.store(out.of_class[j] + 32 * v);
    }
    // The tie is a class of its own: it may use a word of the others'.
    w[threshold_bits - 1].store(out.tie + 32 * v);
  }
}

/// A hit's word: lane in the low 8 bits, vector in the next 4, the upper 51 against the lane's `rest`.
template <int n_classes>
SPINODAL_INLINE void overwrite_site(const LaneRule& rule, std::uint64_t word, unsigned place_mask, LaneMasks& out) {
  const auto place = static_cast<unsigned>(word) & place_mask;
  const std::uint64_t* rest = rule.rest[place & (replica_lanes - 1)];
  const unsigned bit = place & 7;
  for (int j = 0; j < n_classes; ++j) {
    std::uint8_t& byte = out.of_class[j][place >> 3];
    byte = static_cast<std::uint8_t>((byte & ~(1u << bit)) | static_cast<unsigned>(word >> 13 < rest[j]) << bit);
  }
}

template <class Words>
SPINODAL_INLINE void draw_classes(const Words& words, const LaneRules& rules, const LaneRule& rule, int n_vectors,
                                  LaneMasks& out) {
  const auto draw = [&](auto n) {
    constexpr int n_classes = decltype(n)::value;
    draw_lanes<n_classes>(words, rule, n_vectors, out);
    std::uint64_t quarter[4];
    words.word(lane_hit_words).store(quarter);
    const int n_hits = count_overwrites(rules.counts, quarter[0]);
    for (int i = 0; i < n_hits; i += 4) {
      words.word(lane_hit_words + 1 + i / 4).store(quarter);
      const int stop = n_hits - i < 4 ? n_hits - i : 4;
      for (int k = 0; k < stop; ++k) overwrite_site<n_classes>(rule, quarter[k], rules.place_mask, out);
    }
  };
  switch (rule.n_classes) {
    case 2: return draw(Number<2>{});
    case 3: return draw(Number<3>{});
    case 5: return draw(Number<5>{});
    case 7: return draw(Number<7>{});
    default: return;
  }
}

/// The number of up neighbours in binary.
struct UpCount {
  Bits n0, n1, n2;

  template <bool planar>
  static SPINODAL_INLINE UpCount of(const Neighbors& n) {
    const Bits sum = n.pair.odd ^ n.side, carry = Bits::or_both(n.pair.both, n.pair.odd, n.side);
    if constexpr (planar) {
      const Bits carry_far = sum & n.far;
      return {sum ^ n.far, carry ^ carry_far, carry & carry_far};
    }
    const Bits sum2 = Bits::xor3(n.below, n.above, n.far), carry2 = Bits::majority(n.below, n.above, n.far);
    const Bits carry3 = sum & sum2;
    return {sum ^ sum2, Bits::xor3(carry, carry2, carry3), Bits::majority(carry, carry2, carry3)};
  }
};

/// The masks of one vector.
class MasksAt {
 public:
  SPINODAL_INLINE MasksAt(const LaneMasks& masks, std::int64_t vector) : masks_(masks), offset_(32 * vector) {}
  SPINODAL_INLINE Bits operator[](int n) const { return Bits::load(masks_.of_class[n] + offset_); }
  SPINODAL_INLINE Bits tie() const { return Bits::load(masks_.tie + offset_); }

 private:
  const LaneMasks& masks_;
  const std::int64_t offset_;
};

/// h = 0: where most neighbours are, or against them. Where they balance, Metropolis flips and the heat bath
/// takes the tie bit.
template <bool planar, bool heat_bath>
struct BalancedRule {
  explicit BalancedRule(const LaneRule&) {}

  SPINODAL_INLINE Bits update(Bits spin, const UpCount& n, const MasksAt& masks) const {
    const Bits tie = heat_bath ? masks.tie() : spin ^ Bits::every_byte(255);
    const Bits odd = n.n0;
    Bits up, against;
    if constexpr (planar) {
      up = n.n2 | (n.n1 & (odd | tie));
      against = Bits::select(odd, masks[0], Bits::without(masks[1], n.n1));
    } else {
      up = n.n2 | (n.n1 & odd & tie);
      against = Bits::select(odd, Bits::without(masks[1], n.n1), Bits::select(n.n1 ^ n.n2, masks[0], masks[2]));
    }
    return heat_bath ? up ^ against : up ^ Bits::without(against, spin ^ up);
  }
};

SPINODAL_INLINE Bits all_or_none(bool all) { return Bits::every_byte(all ? 255 : 0); }

/// h ≠ 0: a class for each number of up neighbours.
template <bool planar, bool heat_bath>
class FieldRule {
 public:
  explicit FieldRule(const LaneRule& rule)
      : below0_(all_or_none(!(rule.first_up & 1))),
        below1_(all_or_none(!(rule.first_up & 2))),
        below2_(all_or_none(!(rule.first_up & 4))) {}

  SPINODAL_INLINE Bits update(Bits spin, const UpCount& n, const MasksAt& m) const {
    const Bits low = Bits::select(n.n1, Bits::select(n.n0, m[3], m[2]), Bits::select(n.n0, m[1], m[0]));
    Bits up = m[4];
    if constexpr (!planar) up = Bits::select(n.n1, m[6], Bits::select(n.n0, m[5], m[4]));
    up = Bits::select(n.n2, up, low);
    if constexpr (heat_bath) return up;
    // Majority of the mask, the favoured direction, and the spin turned.
    return Bits::majority(up, is_favoured_up(n), spin ^ Bits::every_byte(255));
  }

 private:
  /// n ≥ first_up, by the borrows of n - first_up.
  SPINODAL_INLINE Bits is_favoured_up(const UpCount& n) const {
    const Bits at0 = n.n0 | below0_;
    return Bits::majority(n.n2, below2_, Bits::majority(n.n1, below1_, at0));
  }

  Bits below0_, below1_, below2_;
};

template <bool planar, class Rule>
__attribute__((noinline)) void update_colored(const ReplicaLattice& lattice, const ReplicaBlock& block,
                                              const Rule& rule, const LaneMasks& masks) {
  Tiles<planar>(lattice, block.color)
      .visit(block.begin / 2, block.end / 2, [&](std::uint8_t* site, const Neighbors& n, std::int64_t vector) {
        rule.update(Bits::load(site), UpCount::of<planar>(n), MasksAt(masks, vector)).store(site);
      });
}

template <bool planar, class Rule>
__attribute__((noinline)) void update_in_sequence(const ReplicaLattice& lattice, const ReplicaBlock& block,
                                                  const Rule& rule, bool reversed, const LaneMasks& masks) {
  const Bits reverse = all_or_none(reversed);
  Sequence<planar>(lattice).visit(
      block.begin, block.end, [&](std::uint8_t* site, const Neighbors& n, std::int64_t vector) {
        const Bits spin = Bits::load(site) ^ reverse;
        (rule.update(spin, UpCount::of<planar>(n), MasksAt(masks, vector)) ^ reverse).store(site);
      });
}

template <class Words>
class LaneSweeper {
 public:
  LaneSweeper(const ReplicaLattice& lattice, const LaneRules& rules, const ReplicaRun& run, const WordCache& cache)
      : lattice_(lattice), rules_(rules), run_(run), words_(run.seed, cache) {}

  /// Each block's masks are drawn and overwritten before the block before it is updated: an update that loads bytes
  /// just overwritten would wait for them.
  void run() {
    const bool colored = !rules_.sequential;
    ReplicaWalk here(run_, colored ? 2 : 1, lattice_.n_sites() / (colored ? 2 : 1), lane_block_vectors);
    if (!here.done()) draw(here, masks_[0]);
    for (int i = 0; !here.done(); i = 1 - i) {
      ReplicaWalk next = here;
      next.advance();
      if (!next.done()) draw(next, masks_[1 - i]);
      const LaneRule& rule = rule_at(here);
      if (lattice_.two_dimensional) {
        update<true>(here.block(), rule, masks_[i]);
      } else {
        update<false>(here.block(), rule, masks_[i]);
      }
      here = next;
    }
  }

 private:
  const LaneRule& rule_at(const ReplicaWalk& at) const {
    return rules_.rule[run_.is_bath(at.sweep())][at.block().color];
  }

  void draw(const ReplicaWalk& at, LaneMasks& out) {
    constexpr std::uint32_t thresholds = 2u << 24;
    const ReplicaBlock block = at.block();
    words_.begin({Purpose::replicas, static_cast<std::uint32_t>(block.begin / lane_block_vectors), block.color,
                  at.sweep(), run_.group | thresholds});
    draw_classes(words_, rules_, rule_at(at), static_cast<int>(block.end - block.begin), out);
  }

  template <bool planar>
  void update(const ReplicaBlock& block, const LaneRule& rule, const LaneMasks& masks) const {
    if (rule.with_field) {
      if (rule.heat_bath) return update_in_order<planar>(block, FieldRule<planar, true>(rule), masks);
      return update_in_order<planar>(block, FieldRule<planar, false>(rule), masks);
    }
    if (rule.heat_bath) return update_in_order<planar>(block, BalancedRule<planar, true>(rule), masks);
    return update_in_order<planar>(block, BalancedRule<planar, false>(rule), masks);
  }

  template <bool planar, class Rule>
  void update_in_order(const ReplicaBlock& block, const Rule& rule, const LaneMasks& masks) const {
    if (rules_.sequential) return update_in_sequence<planar>(lattice_, block, rule, rules_.reversed, masks);
    return update_colored<planar>(lattice_, block, rule, masks);
  }

  const ReplicaLattice& lattice_;
  const LaneRules& rules_;
  const ReplicaRun& run_;
  Words words_;
  LaneMasks masks_[2];
};

SPINODAL_KERNELS_END

namespace spinodal {
namespace SPINODAL_ISA {

void lane_sweeps(const ReplicaLattice& lattice, const LaneRules& rules, const ReplicaRun& run,
                 const WordCache& cache) {
  switch (run.stream) {
    case Stream::ars7: return LaneSweeper<CachedArsWords<Bits, 7> >(lattice, rules, run, cache).run();
    case Stream::ars5: return LaneSweeper<CachedArsWords<Bits, 5> >(lattice, rules, run, cache).run();
    case Stream::philox10: return LaneSweeper<PlainWords<Bits, Philox10> >(lattice, rules, run, cache).run();
  }
}

}  // namespace SPINODAL_ISA
}  // namespace spinodal
