// SPDX-License-Identifier: BSD-3-Clause
// 256 chains of one temperature at once on the square lattice at h = 0; spinodal/replicas.hpp defines it.
//
// Random masks do not depend on the spins, so each block's are drawn, then overwritten here and there, one block
// before their update: an update that loads bytes just overwritten would wait for them.
#include "kernels/entries.hpp"
#include "kernels/replica_sites.hpp"
#include "kernels/replica_words.hpp"

SPINODAL_KERNELS_BEGIN

/// Kept at full length: overwrites of a part-filled block may land past its end.
struct AliasMasks {
  alignas(64) std::uint8_t x4[32 * block_vectors], r8[32 * block_vectors], tie[32 * block_vectors];
};

struct AliasBlock {
  bool heat_bath;
  int color;
  std::int64_t tile_begin, tile_end;
};

struct AliasTables {
  Bits limit, value, high_value;

  explicit SPINODAL_INLINE AliasTables(const MaskTable& table)
      : limit(Bits::table(table.limit)),
        value(Bits::table(table.value)),
        high_value(Bits::table(table.high_value)) {}
};

constexpr int alias_hit_words = 96;

/// 64 nibbles a vector: their columns, and the bytes that decide the low and the high nibbles.
template <class Words>
SPINODAL_INLINE void draw_nibbles(const Words& words, const MaskTable& table, int n_vectors, std::uint8_t* out) {
  const AliasTables t(table);
  const Bits low_nibble = Bits::every_byte(15);
  for (int v = 0; v < n_vectors; v += 2) {
    Bits w[6];
    words.template draw<6>(3 * v, w);
    words.template finish<6>(w);
    for (int i = 0; i < 2; ++i) {
      const Bits low = w[3 * i] & low_nibble, high_in_place = Bits::without(w[3 * i], low_nibble);
      const Bits high = high_in_place.high_nibbles();
      const Bits a = Bits::select(Bits::greater(t.limit.lookup(low), w[3 * i + 1]), low, t.value.lookup(low));
      const Bits b = Bits::select(Bits::greater(t.limit.lookup(high), w[3 * i + 2]), high_in_place,
                                  t.high_value.lookup(high));
      (a | b).store(out + 32 * (v + i));
    }
  }
}

/// 32 bytes a vector, most of them zero.
template <class Words>
SPINODAL_INLINE void draw_bytes(const Words& words, const MaskTable& table, int n_vectors, std::uint8_t* out) {
  const AliasTables t(table);
  const Bits low_nibble = Bits::every_byte(15);
  const auto put = [&](Bits columns, Bits u, int v) {
    (Bits::greater(t.limit.lookup(columns), u) & t.value.lookup(columns)).store(out + 32 * v);
  };
  for (int v = 0; v < n_vectors; v += 4) {
    Bits w[6];
    words.template draw<6>(3 * (v / 2), w);
    words.template finish<6>(w);
    for (int i = 0; i < 2; ++i) {
      put(w[3 * i] & low_nibble, w[3 * i + 1], v + 2 * i);
      put(Bits::without(w[3 * i], low_nibble).high_nibbles(), w[3 * i + 2], v + 2 * i + 1);
    }
  }
}

SPINODAL_INLINE void overwrite_nibble(const Overwrites& overwrites, std::uint64_t word, unsigned place_mask,
                                      std::uint8_t* mask) {
  const auto column = static_cast<unsigned>(word & 15);
  const unsigned value = word < overwrites.cut[column] ? column : overwrites.alias[column];
  const auto place = static_cast<unsigned>(word >> 4) & place_mask;
  const unsigned shift = 4 * (place & 1);
  std::uint8_t& byte = mask[place >> 1];
  byte = static_cast<std::uint8_t>((byte & 0xf0u >> shift) | value << shift);
}

SPINODAL_INLINE void overwrite_byte(const Overwrites& overwrites, std::uint64_t word, unsigned place_mask,
                                    std::uint8_t* mask) {
  const auto column = static_cast<unsigned>(word & 255);
  mask[static_cast<unsigned>(word >> 8) & place_mask] =
      static_cast<std::uint8_t>(word < overwrites.cut[column] ? column : overwrites.alias[column]);
}

template <class Words>
SPINODAL_INLINE void draw_mask(const Words& words, const MaskTable& table, int n_vectors, int log_vectors,
                               std::uint8_t* out) {
  const Overwrites& overwrites = table.overwrites;
  if (table.by_bytes) {
    draw_bytes(words, table, n_vectors, out);
    for_each_hit(words, overwrites, alias_hit_words, [&](std::uint64_t word) {
      overwrite_byte(overwrites, word, (32u << log_vectors) - 1, out);
    });
  } else {
    draw_nibbles(words, table, n_vectors, out);
    for_each_hit(words, overwrites, alias_hit_words, [&](std::uint64_t word) {
      overwrite_nibble(overwrites, word, (64u << log_vectors) - 1, out);
    });
  }
}

template <class Words>
SPINODAL_INLINE void draw_ties(const Words& words, int n_vectors, std::uint8_t* out) {
  for (int v = 0; v < n_vectors; v += 4) {
    Bits w[4];
    words.template draw<4>(v, w);
    words.template finish<4>(w);
    for (int i = 0; i < 4; ++i) w[i].store(out + 32 * (v + i));
  }
}

template <class Rule>
__attribute__((noinline)) void update_tiles(const ReplicaLattice& lattice, const AliasBlock& block,
                                            const AliasMasks& masks) {
  Tiles<true>(lattice, block.color)
      .visit(block.tile_begin, block.tile_end, [&](std::uint8_t* site, const Neighbors& n, std::int64_t vector) {
        Rule::update(Bits::load(site), n.pair, n.side, n.far, Bits::load(masks.x4 + 32 * vector),
                     Bits::load(masks.r8 + 32 * vector), Bits::load(masks.tie + 32 * vector))
            .store(site);
      });
}

SPINODAL_INLINE void update_block(const ReplicaLattice& lattice, const AliasBlock& block, const AliasMasks& masks) {
  if (block.heat_bath) {
    update_tiles<HeatBathRule>(lattice, block, masks);
  } else {
    update_tiles<MetropolisRule>(lattice, block, masks);
  }
}

template <class Words>
class AliasSweeps {
 public:
  AliasSweeps(const ReplicaLattice& lattice, const PackedRule* rules, const ReplicaRun& run, const WordCache& cache)
      : lattice_(lattice),
        rules_(rules),
        run_(run),
        words_(run.seed, cache),
        n_tiles_(lattice.n_sites() / 4),
        log_vectors_(log_block_vectors(2 * n_tiles_, 5)) {}

  void run() {
    bool pending = false;
    AliasBlock last{};
    for (std::int64_t i = 0; i < run_.n_sweeps; ++i) {
      const std::uint64_t sweep = run_.sweep + static_cast<std::uint64_t>(i);
      for (int color = 0; color < 2; ++color) {
        for (std::int64_t tile = 0; tile < n_tiles_; tile += block_tiles) {
          const std::int64_t end = tile + block_tiles < n_tiles_ ? tile + block_tiles : n_tiles_;
          const AliasBlock block{run_.is_bath(sweep), color, tile, end};
          draw(block, sweep);
          if (pending) update_block(lattice_, last, masks_[1 - next_]);
          last = block;
          pending = true;
          next_ = 1 - next_;
        }
      }
    }
    if (pending) update_block(lattice_, last, masks_[1 - next_]);
  }

 private:
  __attribute__((noinline)) void draw(const AliasBlock& block, std::uint64_t sweep) {
    const int n_vectors = static_cast<int>(2 * (block.tile_end - block.tile_begin));
    const PackedRule& rule = rules_[block.heat_bath];
    AliasMasks& out = masks_[next_];
    const auto begin = [&](MaskPart part) {
      words_.begin(replica_place(run_, sweep, block.color, block.tile_begin / block_tiles, part));
    };
    begin(MaskPart::x4);
    draw_mask(words_, *rule.x4, n_vectors, log_vectors_, out.x4);
    begin(MaskPart::r8);
    draw_mask(words_, *rule.r8, n_vectors, log_vectors_, out.r8);
    if (rule.heat_bath) {
      begin(MaskPart::tie);
      draw_ties(words_, n_vectors, out.tie);
    }
  }

  const ReplicaLattice& lattice_;
  const PackedRule* rules_;
  const ReplicaRun& run_;
  Words words_;
  const std::int64_t n_tiles_;
  const int log_vectors_;
  int next_ = 0;
  AliasMasks masks_[2] = {};
};

SPINODAL_KERNELS_END

namespace spinodal {
namespace SPINODAL_ISA {

void replica_sweeps(const ReplicaLattice& lattice, const PackedRule* rules, const ReplicaRun& run,
                    const WordCache& cache) {
  switch (run.stream) {
    case Stream::ars7: return AliasSweeps<CachedArsWords<7> >(lattice, rules, run, cache).run();
    case Stream::ars5: return AliasSweeps<CachedArsWords<5> >(lattice, rules, run, cache).run();
    case Stream::philox10: return AliasSweeps<PlainWords<Philox10> >(lattice, rules, run, cache).run();
  }
}

}  // namespace SPINODAL_ISA
}  // namespace spinodal
