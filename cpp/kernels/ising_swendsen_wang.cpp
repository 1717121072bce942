// SPDX-License-Identifier: BSD-3-Clause
// Swendsen-Wang sweeps on rows of bits: union-find over runs instead of sites.
//
// A row's runs are found from its active bonds; a run takes the label of the first run it bonds to
// in an earlier row, or a new one; its other bonds unite labels. A smaller label is always above a
// larger one, so a cluster's root is the label of its smallest site, whatever the order of the unions.
#include "kernels/cluster_bonds.hpp"
#include "kernels/entries.hpp"
#include "kernels/run_labels.hpp"

SPINODAL_KERNELS_BEGIN

constexpr std::uint8_t flips = 1, bound = 2;

template <bool planar, class Generator>
class SwendsenWang {
 public:
  SwendsenWang(const ClusterLattice& lattice, const ClusterRule& rule, const ClusterKey& key,
               const Generator& generator)
      : lattice_(lattice),
        rule_(rule),
        key_(key),
        generator_(generator),
        forest_(lattice.parent),
        unlike_(rule.antiferromagnetic ? ~Word{0} : 0),
        n_words_(lattice.n_words()),
        last_valid_(~Word{0} >> (64 * n_words_ - lattice.lx)) {}

  std::int64_t run() {
    std::int64_t n_clusters = 0;
    for (std::int64_t t = 0; t < key_.n_steps; ++t) {
      sweep_ = key_.first_step + static_cast<std::uint64_t>(t);
      n_clusters += divide();
      choose();
      for (std::int64_t r = 0; r < lattice_.n_rows(); ++r) flip(r);
    }
    return n_clusters;
  }

 private:
  /// Label all runs and unite them; returns the number of clusters.
  std::int64_t divide() {
    const std::int64_t ly = lattice_.ly, lz = lattice_.lz;
    n_runs_ = n_labels_ = n_unions_ = n_ready_ = 0;
    for (std::int64_t r = 0; r < lattice_.n_rows(); ++r) {
      const bool wraps = find_runs(r);
      prepare_labels();
      label_row(r);
      if (wraps) n_unions_ += forest_.unite(lattice_.label[first_run(r)[0]], lattice_.label[n_runs_ - 1]);
    }
    for (std::int64_t z = 0; z < lz; ++z) unite_rows(Bond::y, z * ly + ly - 1, z * ly);
    for (std::int64_t y = 0; y < ly && !planar; ++y) unite_rows(Bond::z, (lz - 1) * ly + y, y);
    return n_labels_ - n_unions_;
  }

  const Word* down(std::int64_t r) const { return lattice_.down + r * n_words_; }
  Word* starts(std::int64_t r) const { return lattice_.starts + r * n_words_; }
  std::uint32_t* first_run(std::int64_t r) const { return lattice_.first_run + r * n_words_; }
  Word valid(std::int64_t w) const { return w == n_words_ - 1 ? last_valid_ : ~Word{0}; }

  BondRow<Generator> bonds(Bond kind, std::int64_t r) const {
    const std::uint64_t threshold = kind == Bond::ghost ? rule_.ghost_threshold : rule_.bond_threshold;
    return BondRow<Generator>(generator_, kind, threshold, sweep_, key_.chain, r);
  }

  /// Where the bonds between rows a and b have J s_i s_j > 0.
  SPINODAL_INLINE Word satisfied(std::int64_t a, std::int64_t b, std::int64_t w) const {
    return (~(down(a)[w] ^ down(b)[w]) ^ unlike_) & valid(w);
  }

  /// The first sites of a row's runs; returns whether the bond across the boundary is active.
  bool find_runs(std::int64_t r) {
    BondRow<Generator> along = bonds(Bond::x, r);
    const Word* s = down(r);
    Word* const begin = starts(r);
    const int last = static_cast<int>((lattice_.lx - 1) % 64);
    Word before = 0;
    for (std::int64_t w = 0; w < n_words_; ++w) {
      const Word next = s[w] >> 1 | (w == n_words_ - 1 ? (s[0] & 1) << last : s[w + 1] << 63);
      const Word active = along.draw(w, (~(s[w] ^ next) ^ unlike_) & valid(w));
      begin[w] = ~(active << 1 | before) & valid(w);
      before = active >> 63;
      if (w == n_words_ - 1) before = active >> last & 1;
    }
    begin[0] |= 1;
    return before != 0;
  }

  /// New labels are roots; a row has at most lx of them.
  void prepare_labels() {
    std::uint32_t* const parent = lattice_.parent;
    const std::int64_t end = n_labels_ + lattice_.lx;
    for (std::int64_t i = n_ready_; i < end; ++i) parent[i] = static_cast<std::uint32_t>(i);
    n_ready_ = end;
  }

  void label_row(std::int64_t r) {
    const std::int64_t ly = lattice_.ly;
    const bool has_above = planar ? r > 0 : r % ly > 0, has_behind = !planar && r >= ly;
    BondRow<Generator> to_above = bonds(Bond::y, r - 1), to_behind = bonds(Bond::z, r - ly);
    for (std::int64_t w = 0; w < n_words_; ++w) {
      const Word above = has_above ? to_above.draw(w, satisfied(r - 1, r, w)) : 0;
      const Word behind = has_behind ? to_behind.draw(w, satisfied(r - ly, r, w)) : 0;
      first_run(r)[w] = static_cast<std::uint32_t>(n_runs_);
      const Word used = inherit(r, w, above, behind);
      if (has_above) unite_words(r - 1, r, w, above, used & above);
      if (has_behind) unite_words(r - ly, r, w, behind, used & ~above);
    }
    if (rule_.field_sign != 0) bind(r);
  }

  /// Label the runs that start in a word; returns the bonds that gave them theirs.
  Word inherit(std::int64_t r, std::int64_t w, Word above, Word behind) {
    const Word begin = starts(r)[w];
    const FieldScan bonds = scan_fields((above | behind) & -(begin & -begin), begin);
    std::uint32_t found[128];
    std::uint32_t* end = found;
    const Word* const row_starts = starts(r) + w;
    const std::uint32_t* const row_first = first_run(r) + w;
    const std::int64_t up = n_words_, back = n_words_ * lattice_.ly;
    for (Word todo = bonds.lowest; todo != 0; todo &= todo - 1) {
      const std::int64_t to = planar || (todo & -todo & above) != 0 ? up : back;
      *end++ = lattice_.label[row_first[-to] + count(row_starts[-to] & up_to_lowest(todo)) - 1];
    }
    const auto next = static_cast<std::uint32_t>(n_labels_);
    set_coins(r, w, begin, bonds.empty);
    n_labels_ = merge_labels(bonds.empty, count(begin), found, next, lattice_.label + n_runs_);
    n_runs_ += count(begin);
    return bonds.lowest;
  }

  /// The coin of a label's first site decides for its cluster, should the label be a root.
  void set_coins(std::int64_t r, std::int64_t w, Word begin, Word is_new) {
    const auto half_block = static_cast<std::uint32_t>(w);
    const Block block = generator_.block(
        make_counter(Purpose::cluster_flip, half_block / 2, static_cast<std::uint32_t>(r), sweep_, key_.chain));
    Word coins = extract(extract(w % 2 == 0 ? block.lo : block.hi, begin), is_new);
    std::uint8_t* state = lattice_.state + n_labels_;
    for (int n = count(is_new); n > 0; n -= 16) {
      for (int k = 0; k < 2; ++k, state += 8, coins >>= 8) {
        const Word bytes = deposit(coins & 0xff, 0x0101010101010101u);
        std::memcpy(state, &bytes, 8);
      }
    }
  }

  SPINODAL_INLINE void unite_words(std::int64_t a, std::int64_t b, std::int64_t w, Word bonds, Word used) {
    const Word starts_a = starts(a)[w], starts_b = starts(b)[w];
    const std::uint32_t* const label_a = lattice_.label + first_run(a)[w] - 1;
    const std::uint32_t* const label_b = lattice_.label + first_run(b)[w] - 1;
    // Two runs have at most one stretch in common in this word: one union for its bonds is enough.
    Word todo = lowest_of_fields(bonds, starts_a | starts_b | 1) & ~used;
    for (; todo != 0; todo &= todo - 1) {
      const Word below = up_to_lowest(todo);
      n_unions_ += forest_.unite(label_a[count(starts_a & below)], label_b[count(starts_b & below)]);
    }
  }

  void unite_rows(Bond kind, std::int64_t a, std::int64_t b) {
    BondRow<Generator> across = bonds(kind, a);
    for (std::int64_t w = 0; w < n_words_; ++w) unite_words(a, b, w, across.draw(w, satisfied(a, b, w)), 0);
  }

  /// Note the ghost's bonds to a row's sites in the labels of their runs.
  void bind(std::int64_t r) {
    BondRow<Generator> to_ghost = bonds(Bond::ghost, r);
    for (std::int64_t w = 0; w < n_words_; ++w) {
      const Word aligned = (rule_.field_sign > 0 ? ~down(r)[w] : down(r)[w]) & valid(w), begin = starts(r)[w];
      const std::uint32_t* const label = lattice_.label + first_run(r)[w] - 1;
      Word todo = lowest_of_fields(to_ghost.draw(w, aligned), begin | 1);
      for (; todo != 0; todo &= todo - 1) lattice_.state[label[count(begin & up_to_lowest(todo))]] |= bound;
    }
  }

  /// Carry each root's decision to its labels, and from there to the runs.
  void choose() {
    std::uint8_t* const state = lattice_.state;
    std::uint32_t *const parent = lattice_.parent, *const label = lattice_.label;
    if (rule_.field_sign != 0) {
      for (std::int64_t i = n_labels_ - 1; i >= 0; --i) state[parent[i]] |= state[i] & bound;
    }
    for (std::int64_t i = 0; i < n_labels_; ++i) state[i] = state[parent[i]] == flips;
    for (int k = 0; k < 8; ++k) label[n_runs_ + k] = 0;
    for (std::int64_t i = 0; i < n_runs_; i += 8) {
      unsigned bits = 0;
      for (int k = 7; k >= 0; --k) bits = 2 * bits + state[label[i + k]];
      lattice_.turned[i / 8] = static_cast<std::uint8_t>(bits);
    }
  }

  void flip(std::int64_t r) {
    Word* const s = lattice_.down + r * n_words_;
    Word inside = 0;  // all ones while the run that enters a word flips
    for (std::int64_t w = 0; w < n_words_; ++w) {
      const Word begin = starts(r)[w], turned = turned_from(first_run(r)[w]);
      const Word mask = prefix_parity(deposit(turned ^ (turned << 1 | (inside & 1)), begin)) ^ inside;
      s[w] ^= mask & valid(w);
      inside = -(mask >> 63);
    }
  }

  /// The decisions of 64 runs.
  Word turned_from(std::uint32_t first) const {
    const std::uint8_t* const p = lattice_.turned + first / 8;
    const int shift = static_cast<int>(first % 8);
    Word low;
    std::memcpy(&low, p, 8);
    return low >> shift | Word{p[8]} << 1 << (63 - shift);
  }

  const ClusterLattice& lattice_;
  const ClusterRule& rule_;
  const ClusterKey& key_;
  const Generator& generator_;
  LabelForest forest_;
  const Word unlike_;
  const std::int64_t n_words_;
  const Word last_valid_;
  std::uint64_t sweep_ = 0;
  std::int64_t n_runs_ = 0, n_labels_ = 0, n_unions_ = 0, n_ready_ = 0;
};

/// Bits of up to 64 spins, set where down.
SPINODAL_INLINE Word down_bits(const std::int8_t* spins, std::int64_t n) {
  Word bits = 0;
  std::int64_t i = 0;
#if defined(__AVX2__)
  for (; i + 32 <= n; i += 32) {  // a spin's sign is its byte's top bit
    const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(spins + i));
    bits |= Word{static_cast<std::uint32_t>(_mm256_movemask_epi8(v))} << i;
  }
#endif
  for (; i < n; ++i) bits |= Word{spins[i] < 0} << i;
  return bits;
}

SPINODAL_INLINE void spins_of(Word down, std::int64_t n, std::int8_t* spins) {
  std::int64_t i = 0;
#if defined(__AVX2__)
  const __m256i byte = _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303);
  const __m256i bit = _mm256_set1_epi64x(static_cast<long long>(0x8040201008040201u));
  for (; i + 32 <= n; i += 32) {
    const __m256i spread = _mm256_shuffle_epi8(_mm256_set1_epi32(static_cast<int>(down >> i)), byte);
    const __m256i minus = _mm256_cmpeq_epi8(_mm256_and_si256(spread, bit), bit);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(spins + i), _mm256_or_si256(minus, _mm256_set1_epi8(1)));
  }
#endif
  for (; i < n; ++i) spins[i] = static_cast<std::int8_t>(1 - 2 * static_cast<int>(down >> i & 1));
}

/// f(word, first site, number of sites) for every word of the lattice.
template <class F>
SPINODAL_INLINE void for_each_word(const ClusterLattice& lattice, F f) {
  const std::int64_t lx = lattice.lx, n_words = lattice.n_words(), n_rows = lattice.n_rows();
  for (std::int64_t r = 0; r < n_rows; ++r) {
    for (std::int64_t w = 0; w < n_words; ++w) f(r * n_words + w, r * lx + 64 * w, w == n_words - 1 ? lx - 64 * w : 64);
  }
}

SPINODAL_KERNELS_END

namespace spinodal {
namespace SPINODAL_ISA {

std::int64_t swendsen_wang_sweeps(std::int8_t* spins, const ClusterLattice& lattice, const ClusterRule& rule,
                                  const ClusterKey& key) {
  std::int64_t n_clusters = 0;
  for_each_word(lattice,
                [&](std::int64_t w, std::int64_t i, std::int64_t n) { lattice.down[w] = down_bits(spins + i, n); });
  with_stream(key.stream, key.seed, [&](const auto& generator) {
    using Generator = std::remove_cv_t<std::remove_reference_t<decltype(generator)>>;
    n_clusters = lattice.two_dimensional ? SwendsenWang<true, Generator>(lattice, rule, key, generator).run()
                                         : SwendsenWang<false, Generator>(lattice, rule, key, generator).run();
  });
  for_each_word(lattice,
                [&](std::int64_t w, std::int64_t i, std::int64_t n) { spins_of(lattice.down[w], n, spins + i); });
  return n_clusters;
}

}  // namespace SPINODAL_ISA
}  // namespace spinodal
