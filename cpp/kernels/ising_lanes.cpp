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
#include "kernels/replica_sites.hpp"
#include "kernels/replica_words.hpp"

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
      for (int k = 0; k < threshold_bits; ++k) b = (b & w[k]) ^ Bits::load(rule.plane[j][k + 1]);
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
                                  int log_vectors, LaneMasks& out) {
  const auto draw = [&](auto n) {
    constexpr int n_classes = decltype(n)::value;
    draw_lanes<n_classes>(words, rule, n_vectors, out);
    for_each_hit(words, rules.counts, lane_hit_words, [&](std::uint64_t word) {
      overwrite_site<n_classes>(rule, word, (unsigned{replica_lanes} << log_vectors) - 1, out);
    });
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
    const Bits sum = n.pair.odd ^ n.side, carry = n.pair.both | (n.pair.odd & n.side);
    if constexpr (planar) {
      const Bits carry_far = sum & n.far;
      return {sum ^ n.far, carry ^ carry_far, carry & carry_far};
    }
    const Bits depth = n.below ^ n.above, sum2 = depth ^ n.far;
    const Bits carry2 = (n.below & n.above) | (depth & n.far), carry3 = sum & sum2;
    return {sum ^ sum2, carry ^ carry2 ^ carry3, (carry & carry2) | ((carry ^ carry2) & carry3)};
  }
};

SPINODAL_INLINE Bits choose(Bits which, Bits a, Bits b) { return b ^ (which & (a ^ b)); }

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
      against = choose(odd, masks[0], Bits::without(masks[1], n.n1));
    } else {
      up = n.n2 | (n.n1 & odd & tie);
      against = choose(odd, Bits::without(masks[1], n.n1), choose(n.n1 ^ n.n2, masks[0], masks[2]));
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
    const Bits low = choose(n.n1, choose(n.n0, m[3], m[2]), choose(n.n0, m[1], m[0]));
    Bits up = m[4];
    if constexpr (!planar) up = choose(n.n1, m[6], choose(n.n0, m[5], m[4]));
    up = choose(n.n2, up, low);
    if constexpr (heat_bath) return up;
    // Majority of the mask, the favoured direction, and the spin turned.
    const Bits favoured = is_favoured_up(n);
    return Bits::without(up, spin) | (favoured & (up | (spin ^ Bits::every_byte(255))));
  }

 private:
  /// n ≥ first_up, by the borrows of n - first_up.
  SPINODAL_INLINE Bits is_favoured_up(const UpCount& n) const {
    const Bits at0 = n.n0 | below0_;
    const Bits at1 = (n.n1 & at0) | (below1_ & (n.n1 | at0));
    return (n.n2 & at1) | (below2_ & (n.n2 | at1));
  }

  Bits below0_, below1_, below2_;
};

struct LaneBlock {
  const LaneRule* rule;
  int color;
  std::int64_t begin, end;  // vectors
};

template <bool planar, class Rule>
__attribute__((noinline)) void update_colored(const ReplicaLattice& lattice, const LaneBlock& block,
                                              const LaneMasks& masks) {
  const Rule rule(*block.rule);
  Tiles<planar>(lattice, block.color)
      .visit(block.begin / 2, block.end / 2, [&](std::uint8_t* site, const Neighbors& n, std::int64_t vector) {
        rule.update(Bits::load(site), UpCount::of<planar>(n), MasksAt(masks, vector)).store(site);
      });
}

template <bool planar, class Rule>
__attribute__((noinline)) void update_in_sequence(const ReplicaLattice& lattice, const LaneBlock& block,
                                                  bool reversed, const LaneMasks& masks) {
  const Rule rule(*block.rule);
  const Bits reverse = all_or_none(reversed);
  Sequence<planar>(lattice).visit(
      block.begin, block.end, [&](std::uint8_t* site, const Neighbors& n, std::int64_t vector) {
        const Bits spin = Bits::load(site) ^ reverse;
        (rule.update(spin, UpCount::of<planar>(n), MasksAt(masks, vector)) ^ reverse).store(site);
      });
}

template <class Words>
class LaneSweeps {
 public:
  LaneSweeps(const ReplicaLattice& lattice, const LaneRules& rules, const ReplicaRun& run, const WordCache& cache)
      : lattice_(lattice),
        rules_(rules),
        run_(run),
        words_(run.seed, cache),
        n_vectors_(rules.sequential ? lattice.n_sites() : lattice.n_sites() / 2),
        log_vectors_(log_block_vectors(n_vectors_, 4)) {}

  /// Each block's masks are drawn and overwritten before the update of the block before it, as in AliasSweeps.
  void run() {
    LaneBlock last{};
    for (std::int64_t i = 0; i < run_.n_sweeps; ++i) {
      const std::uint64_t sweep = run_.sweep + static_cast<std::uint64_t>(i);
      for (int color = 0; color < (rules_.sequential ? 1 : 2); ++color) {
        const LaneRule& rule = rules_.rule[run_.is_bath(sweep)][color];
        for (std::int64_t begin = 0; begin < n_vectors_; begin += lane_block_vectors) {
          const std::int64_t end = n_vectors_ - begin < lane_block_vectors ? n_vectors_ : begin + lane_block_vectors;
          words_.begin(replica_place(run_, sweep, color, begin / lane_block_vectors, MaskPart::thresholds));
          draw_classes(words_, rules_, rule, static_cast<int>(end - begin), log_vectors_, masks_[next_]);
          update(last);
          last = {&rule, color, begin, end};
          next_ = 1 - next_;
        }
      }
    }
    update(last);
  }

 private:
  void update(const LaneBlock& block) {
    if (block.rule == nullptr) return;
    if (lattice_.two_dimensional) {
      update_by_rule<true>(block);
    } else {
      update_by_rule<false>(block);
    }
  }

  template <bool planar>
  void update_by_rule(const LaneBlock& block) {
    if (block.rule->with_field) {
      if (block.rule->heat_bath) return update_in_order<planar, FieldRule<planar, true> >(block);
      return update_in_order<planar, FieldRule<planar, false> >(block);
    }
    if (block.rule->heat_bath) return update_in_order<planar, BalancedRule<planar, true> >(block);
    return update_in_order<planar, BalancedRule<planar, false> >(block);
  }

  template <bool planar, class Rule>
  void update_in_order(const LaneBlock& block) {
    const LaneMasks& masks = masks_[1 - next_];
    if (rules_.sequential) return update_in_sequence<planar, Rule>(lattice_, block, rules_.reversed, masks);
    return update_colored<planar, Rule>(lattice_, block, masks);
  }

  const ReplicaLattice& lattice_;
  const LaneRules& rules_;
  const ReplicaRun& run_;
  Words words_;
  const std::int64_t n_vectors_;
  const int log_vectors_;
  int next_ = 0;
  LaneMasks masks_[2] = {};
};

SPINODAL_KERNELS_END

namespace spinodal {
namespace SPINODAL_ISA {

void lane_sweeps(const ReplicaLattice& lattice, const LaneRules& rules, const ReplicaRun& run,
                 const WordCache& cache) {
  switch (run.stream) {
    case Stream::ars7: return LaneSweeps<CachedArsWords<7> >(lattice, rules, run, cache).run();
    case Stream::ars5: return LaneSweeps<CachedArsWords<5> >(lattice, rules, run, cache).run();
    case Stream::philox10: return LaneSweeps<PlainWords<Philox10> >(lattice, rules, run, cache).run();
  }
}

}  // namespace SPINODAL_ISA
}  // namespace spinodal
