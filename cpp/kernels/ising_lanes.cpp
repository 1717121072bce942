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

constexpr int lane_hit_words = threshold_bits * lane_block_vectors;

/// Where word k of a vector stands: words k of two vectors side by side, one load where vectors are wide.
constexpr int threshold_word(int vector, int k) { return 2 * threshold_bits * (vector / 2) + 2 * k + vector % 2; }

/// The words of a block, computed plainly.
template <class V, class Generator>
class PlainLaneWords {
 public:
  PlainLaneWords(std::uint64_t seed, const WordCache& cache) : words_(seed, cache) {}

  SPINODAL_INLINE void begin(const PackedPlace& place) { words_.begin(place); }
  SPINODAL_INLINE Bits word(int i) const { return words_.overwrites(i); }

  SPINODAL_INLINE void draw(int vector, V* out) const {
    alignas(64) std::uint8_t bytes[sizeof(V)];
    for (int k = 0; k < threshold_bits; ++k) {
      for (int part = 0; part < V::n_parts; ++part)
        word(threshold_word(vector + part, k)).store(bytes + vector_bytes * part);
      out[k] = V::load(bytes);
    }
  }

 private:
  PlainWords<Bits, Generator> words_;
};

/// The same by eq. (1) of packed_words.hpp, rounds in lockstep to hide their latency.
template <class V, int n_rounds>
class CachedLaneWords {
 public:
  CachedLaneWords(std::uint64_t, const WordCache& cache) : cache_(cache.in_order) {
    for (int r = 0; r <= n_rounds; ++r) keys_[r] = V::load(cache.keys[r]);
  }

  SPINODAL_INLINE void begin(const PackedPlace& place) {
    const Bits counter = Bits::both_halves(place.counter(0));
    base_ = V::repeat((counter ^ keys_[0].first()).aes_round(keys_[1].first()).aes_round(keys_[2].first()));
  }

  SPINODAL_INLINE Bits word(int i) const {
    Bits x = Bits::load(cache_ + vector_bytes * i) ^ base_.first();
    for (int r = 3; r < n_rounds; ++r) x = x.aes_round(keys_[r].first());
    return x.aes_last_round(keys_[n_rounds].first());
  }

  SPINODAL_INLINE void draw(int vector, V* out) const {
    for (int k = 0; k < threshold_bits; ++k)
      out[k] = V::load(cache_ + vector_bytes * threshold_word(vector, k)) ^ base_;
    for (int r = 3; r < n_rounds; ++r) {
      for (int k = 0; k < threshold_bits; ++k) out[k] = out[k].aes_round(keys_[r]);
    }
    for (int k = 0; k < threshold_bits; ++k) out[k] = out[k].aes_last_round(keys_[n_rounds]);
  }

 private:
  const std::uint8_t* cache_;
  V keys_[n_rounds + 1];
  V base_;
};

/// The masks of one block. Kept at full length: overwrites of a part-filled block may land past its end. Those that
/// are none go to the bytes after it.
struct LaneMasks {
  static constexpr int mask_bytes = vector_bytes * lane_block_vectors;
  static constexpr unsigned nowhere = 8 * mask_bytes;

  alignas(64) std::uint8_t of_class[max_classes][mask_bytes + max_overwrites + 1];
  alignas(64) std::uint8_t tie[mask_bytes];

  // Overwrites drawn and not yet made.
  const LaneRule* rule;
  int n_hits, n_slots;
  alignas(32) std::uint64_t hit[max_overwrites + 1];
};

/// The overwrites of a block, for the slots and, seldom, for more.
template <class Words>
SPINODAL_INLINE void draw_hits(const Words& words, const LaneRules& rules, const LaneRule& rule, LaneMasks& out) {
  std::uint64_t quarter[4];
  words.word(lane_hit_words).store(quarter);
  out.rule = &rule;
  out.n_hits = count_overwrites(rules.counts, quarter[0]);
  out.n_slots = rules.counts.n_slots;
  const int n_drawn = out.n_hits > out.n_slots ? out.n_hits : out.n_slots;
  for (int k = 0; k < n_drawn; k += 4) words.word(lane_hit_words + 1 + k / 4).store(out.hit + k);
}

/// Makes the overwrites of one block, some at a time.
template <int n_classes>
class HitMaker {
 public:
  SPINODAL_INLINE HitMaker(LaneMasks& masks, unsigned place_mask, int n_parts)
      : masks_(masks), place_mask_(place_mask), rate_((masks.n_slots + n_parts - 1) / n_parts) {}

  SPINODAL_INLINE void make_some() {
    const int stop = made_ + rate_ < masks_.n_slots ? made_ + rate_ : masks_.n_slots;
    for (; made_ < stop; ++made_) make(made_);
  }
  SPINODAL_INLINE void make_rest() {
    for (; made_ < masks_.n_hits; ++made_) make(made_);
  }

 private:
  /// Lane in the low 8 bits of a hit's word, vector in the next 4, the upper 51 against the lane's `rest`.
  SPINODAL_INLINE void make(int k) const {
    const std::uint64_t word = masks_.hit[k];
    const unsigned drawn = static_cast<unsigned>(word) & place_mask_;
    const unsigned place = k < masks_.n_hits ? drawn : LaneMasks::nowhere + 8 * static_cast<unsigned>(k);
    const std::uint64_t* rest = masks_.rule->rest[drawn & (replica_lanes - 1)];
    const unsigned shift = place & 7, kept = ~(1u << shift);
    for (int j = 0; j < n_classes; ++j) {
      std::uint8_t& byte = masks_.of_class[j][place >> 3];
      byte = static_cast<std::uint8_t>((byte & kept) | static_cast<unsigned>(word >> 13 < rest[j]) << shift);
    }
  }

  LaneMasks& masks_;
  const unsigned place_mask_;
  const int rate_;
  int made_ = 0;
};

/// Draw the masks of a block into `next`, and meanwhile make the overwrites of `current`, which is then ready for use:
/// scalar work that costs little among AES rounds.
template <int n_classes, class V, class Words>
__attribute__((noinline)) void draw_lanes(const Words& shared_words, const LaneRules& rules, const LaneRule& rule,
                                          int n_vectors, LaneMasks& next, LaneMasks& current) {
  const Words words = shared_words;  // a copy, which no store below can change: keys stay in registers
  draw_hits(words, rules, rule, next);
  constexpr int n_wide = V::n_parts, step = n_wide * V::n_parts;  // as many as fit the registers
  HitMaker<n_classes> hits(current, rules.place_mask, (n_vectors + step - 1) / step);
  for (int v = 0; v < n_vectors; v += step) {
    V w[n_wide][threshold_bits], b[n_wide];
    for (int i = 0; i < n_wide; ++i) words.draw(v + V::n_parts * i, w[i]);
    for (int j = 0; j < n_classes; ++j) {
      for (int i = 0; i < n_wide; ++i) b[i] = V::repeat(Bits::load(rule.plane[j][0]));
      for (int k = 0; k < threshold_bits; ++k) {
        const V change = V::repeat(Bits::load(rule.plane[j][k + 1]));
        for (int i = 0; i < n_wide; ++i) b[i] = V::and_xor(b[i], w[i][k], change);
      }
      for (int i = 0; i < n_wide; ++i) b[i].store(next.of_class[j] + vector_bytes * (v + V::n_parts * i));
    }
    // The tie is a class of its own: it may use a word of the others'.
    for (int i = 0; i < n_wide; ++i) w[i][threshold_bits - 1].store(next.tie + vector_bytes * (v + V::n_parts * i));
    hits.make_some();
  }
  hits.make_rest();
}

template <class Words>
using DrawLanes = void (*)(const Words&, const LaneRules&, const LaneRule&, int n_vectors, LaneMasks& next,
                           LaneMasks& current);

template <class V, class Words>
DrawLanes<Words> draw_lanes_of(int n_classes) {
  switch (n_classes) {
    case 2: return draw_lanes<2, V, Words>;
    case 3: return draw_lanes<3, V, Words>;
    case 5: return draw_lanes<5, V, Words>;
    default: return draw_lanes<7, V, Words>;
  }
}

void make_hits(LaneMasks& masks, unsigned place_mask, int n_classes) {
  switch (n_classes) {
    case 2: return HitMaker<2>(masks, place_mask, 1).make_rest();
    case 3: return HitMaker<3>(masks, place_mask, 1).make_rest();
    case 5: return HitMaker<5>(masks, place_mask, 1).make_rest();
    default: return HitMaker<7>(masks, place_mask, 1).make_rest();
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
                                              const Rule& rule, const LaneMasks& masks, TilePlace& place) {
  Tiles<planar>(lattice, block.color)
      .visit(place, (block.end - block.begin) / 2, [&](std::uint8_t* site, const Neighbors& n, std::int64_t vector) {
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

template <class V, class Words>
class LaneSweeper {
 public:
  LaneSweeper(const ReplicaLattice& lattice, const LaneRules& rules, const ReplicaRun& run, const WordCache& cache)
      : words_(run.seed, cache),
        lattice_(lattice),
        rules_(rules),
        run_(run),
        n_classes_(rules.rule[0][0].n_classes),
        draw_(draw_lanes_of<V, Words>(n_classes_)) {}

  /// Masks do not depend on spins, so those of the next block are drawn before this one is updated.
  void run() {
    const bool colored = !rules_.sequential;
    ReplicaWalk here(run_, colored ? 2 : 1, lattice_.n_sites() / (colored ? 2 : 1), lane_block_vectors);
    masks_[1].n_hits = masks_[1].n_slots = 0;
    if (!here.done()) draw(here, masks_[0], masks_[1]);
    for (int i = 0; !here.done(); i = 1 - i) {
      ReplicaWalk next = here;
      next.advance();
      if (next.done()) {
        make_hits(masks_[i], rules_.place_mask, n_classes_);
      } else {
        draw(next, masks_[1 - i], masks_[i]);
      }
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
  const LaneRule& rule_at(const ReplicaWalk& at) const { return rules_.rule[at.heat_bath()][at.block().color]; }

  void draw(const ReplicaWalk& at, LaneMasks& next, LaneMasks& current) {
    constexpr std::uint32_t thresholds = 2u << 24;
    const ReplicaBlock block = at.block();
    words_.begin({Purpose::replicas, static_cast<std::uint32_t>(block.begin / lane_block_vectors), block.color,
                  at.sweep(), run_.group | thresholds});
    draw_(words_, rules_, rule_at(at), static_cast<int>(block.end - block.begin), next, current);
  }

  template <bool planar>
  void update(const ReplicaBlock& block, const LaneRule& rule, const LaneMasks& masks) {
    if (block.begin == 0) place_ = {};
    if (rule.with_field) {
      if (rule.heat_bath) return update_in_order<planar>(block, FieldRule<planar, true>(rule), masks);
      return update_in_order<planar>(block, FieldRule<planar, false>(rule), masks);
    }
    if (rule.heat_bath) return update_in_order<planar>(block, BalancedRule<planar, true>(rule), masks);
    return update_in_order<planar>(block, BalancedRule<planar, false>(rule), masks);
  }

  template <bool planar, class Rule>
  void update_in_order(const ReplicaBlock& block, const Rule& rule, const LaneMasks& masks) {
    if (rules_.sequential) return update_in_sequence<planar>(lattice_, block, rule, rules_.reversed, masks);
    return update_colored<planar>(lattice_, block, rule, masks, place_);
  }

  LaneMasks masks_[2];
  Words words_;
  const ReplicaLattice& lattice_;
  const LaneRules& rules_;
  const ReplicaRun& run_;
  const int n_classes_;
  const DrawLanes<Words> draw_;
  TilePlace place_;
};

SPINODAL_KERNELS_END

namespace spinodal {
namespace SPINODAL_ISA {

void lane_sweeps(const ReplicaLattice& lattice, const LaneRules& rules, const ReplicaRun& run, const WordCache& cache) {
  using V = WideBits;
  switch (run.stream) {
    case Stream::ars7: return LaneSweeper<V, CachedLaneWords<V, 7> >(lattice, rules, run, cache).run();
    case Stream::ars5: return LaneSweeper<V, CachedLaneWords<V, 5> >(lattice, rules, run, cache).run();
    case Stream::philox10: return LaneSweeper<V, PlainLaneWords<V, Philox10> >(lattice, rules, run, cache).run();
  }
}

}  // namespace SPINODAL_ISA
}  // namespace spinodal
