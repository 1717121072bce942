// SPDX-License-Identifier: BSD-3-Clause
// Alias tables of the packed masks, in fixed point:  one = 2^62.
//
// The law P of a nibble (byte) is written  P = (1 - δ)·cells/4096 + δ·R  with integer cells that make
// δ least; cells/4096 is what a column and a byte sample exactly, and R what overwrites draw.
#include "src/packed_tables.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "src/threshold.hpp"

namespace spinodal {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::uint64_t one = std::uint64_t{1} << 62;
constexpr int n_cells = 4096, column_cells = 256;
// More overwrites than 1.5 a vector cost more than the second column word of the nibble scheme.
constexpr std::uint64_t max_byte_delta = one / 64 * 3;

std::uint64_t product(std::uint64_t a, std::uint64_t b) {
  return static_cast<std::uint64_t>(static_cast<Wide>(a) * b >> 62);
}

/// Probability of each value of n_bits bits, by the number of ones; the rounding goes to none.
void value_probabilities(std::uint64_t p, int n_bits, std::uint64_t* by_ones) {
  std::uint64_t rest = one, choose = 1;
  for (int ones = 1; ones <= n_bits; ++ones) {
    std::uint64_t value = one;
    for (int bit = 0; bit < n_bits; ++bit) value = product(value, bit < ones ? p : one - p);
    by_ones[ones] = value;
    choose = choose * static_cast<std::uint64_t>(n_bits - ones + 1) / static_cast<std::uint64_t>(ones);
    rest -= choose * value;
  }
  by_ones[0] = rest;
}

struct Outcome {
  std::uint64_t probability;
  int max_cells;
  int cells;
};

/// Share 4096 cells so that the least of probability/cells is greatest; return 1 - δ.
/// Flooring leaves some over: each goes where that ratio stays highest.
std::uint64_t share_cells(Outcome* outcomes, int n) {
  int left = n_cells;
  for (int o = 0; o < n; ++o) left -= outcomes[o].cells = static_cast<int>(outcomes[o].probability >> 50);
  for (; left > 0; --left) {
    Outcome* best = outcomes;
    while (best->cells == best->max_cells) ++best;
    for (Outcome* o = best + 1; o < outcomes + n; ++o) {
      if (o->cells<o->max_cells&& static_cast<Wide>(o->probability) *
                   static_cast<unsigned>(best->cells + 1)> static_cast<Wide>(best->probability) *
          static_cast<unsigned>(o->cells + 1))
        best = o;
    }
    ++best->cells;
  }
  std::uint64_t kept = one;
  for (int o = 0; o < n; ++o) {
    if (outcomes[o].cells == 0) continue;
    const Wide ratio = (static_cast<Wide>(outcomes[o].probability) << 12) / static_cast<unsigned>(outcomes[o].cells);
    if (ratio < kept) kept = static_cast<std::uint64_t>(ratio);
  }
  return kept;
}

/// Robin Hood: n columns of `size` cells, column i its own value below cut[i] and alias[i] above. A
/// column of one value is alias[i] = i with cut[i] = 0.
void fill_columns(std::uint64_t* count, int n, std::uint64_t size, std::uint64_t* cut, std::uint8_t* alias) {
  int small[256], large[256], n_small = 0, n_large = 0;
  for (int i = 0; i < n; ++i) {
    cut[i] = 0;
    alias[i] = static_cast<std::uint8_t>(i);
    (count[i] < size ? small[n_small++] : large[n_large++]) = i;
  }
  while (n_small > 0 && n_large > 0) {
    const int poor = small[--n_small], rich = large[n_large - 1];
    cut[poor] = count[poor];
    alias[poor] = static_cast<std::uint8_t>(rich);
    count[rich] -= size - count[poor];
    if (count[rich] < size) {
      --n_large;
      small[n_small++] = rich;
    }
  }
}

/// Slots cost little, an overwrite past them a mispredicted branch.
int slots_for(double mean) {
  return mean < 0.05 ? 0 : static_cast<int>(std::min(std::ceil(mean + 1.5 * std::sqrt(mean)), 120.0));
}

/// Draws from R: weights probability·4096 - kept·cells, as 2^53 (2^54) cells in columns.
void set_values(const Outcome* values, int n_bits, std::uint64_t kept, int first_index, OverwriteTable& out) {
  const int n = 1 << n_bits, log_cells = n_bits == 4 ? 53 : 54;
  const Wide total = static_cast<Wide>(one - kept) << 12;
  std::uint64_t count[256] = {}, cut[256], left = std::uint64_t{1} << log_cells;
  std::uint8_t alias[256];
  int most = 0;
  for (int o = 0; o < n; ++o) {
    const Wide weight = (static_cast<Wide>(values[o].probability) << 12) -
                        static_cast<Wide>(kept) * static_cast<unsigned>(values[o].cells);
    left -= count[o] = total == 0 ? 0 : static_cast<std::uint64_t>((weight << log_cells) / total);
    if (count[o] > count[most]) most = o;
  }
  count[most] += left;
  fill_columns(count, n, std::uint64_t{1} << (log_cells - n_bits), cut, alias);
  for (int i = 0; i < (n_bits == 4 ? nibble_indices : n); ++i) {
    const int column = i % n, shift = i / n * 4;  // the second sixteen: the upper half of a byte
    const int at = first_index + i;
    out.cut[at] = cut[column] << (64 - log_cells + n_bits);
    out.alias[at] = static_cast<std::uint8_t>(alias[column] << shift);
    out.change[at] = static_cast<std::uint8_t>((alias[column] ^ column) << shift);
    out.kept[at] = static_cast<std::uint8_t>(n_bits == 4 ? 0xf0 >> shift : 0);
  }
}

/// What the overwrites of a mask are written to.
struct OverwriteTarget {
  OverwriteCounts& counts;
  OverwriteTable& table;
  int first_index, log_vectors;
};

void set_overwrites(const Outcome* values, int n_bits, std::uint64_t kept, const OverwriteTarget& out) {
  const double delta = std::ldexp(static_cast<double>(one - kept), -62);
  const int n_items = (n_bits == 4 ? 64 : 32) << out.log_vectors;
  const double mean = n_items * -std::log1p(-delta);
  set_counts(mean, out.counts);
  out.counts.index_bits = n_bits == 4 ? 5 : 8;
  out.counts.place_mask = (32u << out.log_vectors) - 1;
  out.counts.mean = mean;
  set_values(values, n_bits, kept, out.first_index, out.table);
}

MaskTable nibble_table(std::uint64_t p, const OverwriteTarget& out) {
  std::uint64_t by_ones[5];
  value_probabilities(p, 4, by_ones);
  Outcome values[16];
  for (int o = 0; o < 16; ++o) values[o] = {by_ones[__builtin_popcount(static_cast<unsigned>(o))], n_cells, 0};
  const std::uint64_t kept = share_cells(values, 16);
  std::uint64_t count[16], cut[16];
  for (int o = 0; o < 16; ++o) count[o] = static_cast<std::uint64_t>(values[o].cells);
  MaskTable table{};
  fill_columns(count, 16, column_cells, cut, table.value);
  for (int o = 0; o < 16; ++o) {
    table.limit[o] = static_cast<std::uint8_t>(cut[o] - 128);
    table.value[o] ^= static_cast<std::uint8_t>(o);
    table.high_value[o] = static_cast<std::uint8_t>(table.value[o] << 4);
  }
  set_overwrites(values, 4, kept, out);
  return table;
}

/// False if the sparse scheme would need too many overwrites.
bool byte_table(std::uint64_t p, const OverwriteTarget& out, MaskTable& table) {
  std::uint64_t by_ones[9];
  value_probabilities(p, 8, by_ones);
  if (static_cast<Wide>(one - by_ones[0]) - 8 * by_ones[1] > max_byte_delta * 2) return false;
  Outcome columns[17] = {{by_ones[0], n_cells, 0}};
  for (int c = 0; c < 16; ++c) {
    columns[1 + c] = {by_ones[c < 8 ? 1 : 2], column_cells - 1, 0};
    table.value[c] = static_cast<std::uint8_t>(c < 8 ? 1 << c : 1 << (c - 8) | 1 << ((c - 5) & 7));
  }
  const std::uint64_t kept = share_cells(columns, 17);
  if (one - kept > max_byte_delta) return false;
  Outcome values[256];
  for (unsigned o = 0; o < 256; ++o) values[o] = {by_ones[__builtin_popcount(o)], 0, 0};
  values[0].cells = columns[0].cells;
  for (int c = 0; c < 16; ++c) {
    values[table.value[c]].cells = columns[1 + c].cells;
    table.limit[c] = static_cast<std::uint8_t>(columns[1 + c].cells - 128);
  }
  table.by_bytes = true;
  set_overwrites(values, 8, kept, out);
  return true;
}

MaskTable mask_table(double p, bool may_use_bytes, const OverwriteTarget& out) {
  const auto fixed = static_cast<std::uint64_t>(std::ldexp(p, 62));
  MaskTable table{};
  if (may_use_bytes && byte_table(fixed, out, table)) return table;
  return nibble_table(fixed, out);
}

/// log2 of the vectors a block's overwrites are spread over.
int log_vectors_of(std::int64_t n_vectors) {
  int log = 1;
  while (log < 5 && std::int64_t{1} << log < n_vectors) ++log;
  return log;
}

/// 1 / (1 + e^x).
double expit_minus(double x) { return 1 / (1 + std::exp(x)); }

/// x = 4β|J|.
PackedRule make_rule(bool heat_bath, bool cubic, double x, int log_vectors) {
  PackedRule rule{};
  rule.heat_bath = heat_bath;
  rule.cubic = cubic;
  OverwriteTable& table = rule.overwrites;
  rule.x4 = mask_table(expit_minus(x), false, {table.x4, table, 0, log_vectors});
  const double p_r8 = heat_bath ? expit_minus(cubic ? 3 * x : 2 * x) : std::exp(cubic ? -4 * x : -2 * x);
  rule.r8 = mask_table(p_r8, true, {table.r8, table, nibble_indices, log_vectors});
  if (cubic) rule.x8 = mask_table(expit_minus(2 * x), false, {table.x8, table, x8_indices, log_vectors});
  table.n_slots = slots_for(table.x4.mean + table.r8.mean + table.x8.mean);
  table.kept[no_overwrite] = 0xff;
  return rule;
}

}  // namespace

void set_counts(double mean, OverwriteCounts& out) {
  double probability = std::exp(-mean), total = probability;
  for (int k = 0; k <= max_overwrites; ++k) {
    out.limit[k] = k == max_overwrites ? ~std::uint64_t{0} : threshold_of(total);
    probability = probability * mean / (k + 1);
    total += probability;
  }
  for (int k = max_overwrites + 1; k < max_overwrites + 5; ++k) out.limit[k] = ~std::uint64_t{0};
  int n = 0;
  for (unsigned top = 0; top < 256; ++top) {
    while (out.limit[n] < std::uint64_t{top} << 56) ++n;
    out.guide[top] = static_cast<std::uint8_t>(n);
  }
  out.n_slots = slots_for(mean);
}

ChainTables::ChainTables(double exponent, std::int64_t n_vectors, bool cubic)
    : metropolis(make_rule(false, cubic, 4 * exponent, log_vectors_of(n_vectors))),
      heat_bath(make_rule(true, cubic, 4 * exponent, log_vectors_of(n_vectors))) {}

const ChainTables& chain_tables(double exponent, std::int64_t n_vectors, bool cubic) {
  constexpr std::size_t most = 64;  // a megabyte
  using Key = std::tuple<double, int, bool>;
  thread_local std::map<Key, ChainTables> kept;
  const Key key{exponent, log_vectors_of(n_vectors), cubic};
  const auto found = kept.find(key);
  if (found != kept.end()) return found->second;
  if (kept.size() == most) kept.clear();
  return kept.try_emplace(key, exponent, n_vectors, cubic).first->second;
}

}  // namespace spinodal
