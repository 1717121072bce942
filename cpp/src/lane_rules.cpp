// SPDX-License-Identifier: BSD-3-Clause
#include "src/lane_rules.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "src/packed_tables.hpp"

namespace spinodal {
namespace {

constexpr std::uint64_t one = std::uint64_t{1} << 62;
// One site in 256 is overwritten: a cell, 1/256 of the others, has this weight.
constexpr std::uint64_t cell = one / (256 * 256) * 255;

/// Of ending up against the favoured direction, x = β|ΔE|.
double against_probability(bool heat_bath, double x) { return heat_bath ? 1 / (1 + std::exp(x)) : std::exp(-x); }

void set_share(LaneShare& share, int j, std::uint64_t probability) {
  const std::uint64_t cells = std::min<std::uint64_t>(probability / cell, 256);
  share.rest[j] = (probability - cells * cell) >> 3;
  const auto kept = static_cast<unsigned>(std::min<std::uint64_t>(cells, 255));
  const unsigned from = kept << 1 | static_cast<unsigned>(cells == 256);
  share.changes[j] = static_cast<std::uint8_t>(kept ^ from);
  share.top[j] = static_cast<std::uint8_t>(kept >> 7);
}

/// J ≥ 0. The sites of a color see the field h.
struct RuleOf {
  bool heat_bath;
  int n_neighbors;
  Coupling coupling;

  double local_field(int n_up) const { return coupling.J * (2 * n_up - n_neighbors) + coupling.h; }
  int n_classes() const { return coupling.h == 0 ? n_neighbors / 2 : n_neighbors + 1; }

  std::uint64_t probability(int j, double beta) const {
    const double field = coupling.h == 0 ? 2 * coupling.J * (j + 1) : local_field(j);
    const auto p =
        static_cast<std::uint64_t>(std::ldexp(against_probability(heat_bath, beta * (2 * std::abs(field))), 62));
    return coupling.h != 0 && field > 0 ? one - p : p;
  }

  void head(LaneRule& out) const {
    out.heat_bath = heat_bath;
    out.with_field = coupling.h != 0;
    out.n_classes = n_classes();
    out.first_up = 0;
    while (out.first_up <= n_neighbors && !(local_field(out.first_up) > 0)) ++out.first_up;
  }
};

/// J < 0 is J > 0 for reversed spins, which see the field reversed.
RuleOf rule_of(LatticeShape shape, Coupling coupling, bool heat_bath, int color) {
  const bool turned = coupling.J < 0 && (!has_even_lengths(shape) || color == 1);
  return {heat_bath, shape.two_dimensional ? 4 : 6, {std::abs(coupling.J), turned ? -coupling.h : coupling.h}};
}

/// Bit i of byte k of the result is bit k of byte i.
std::uint64_t transposed(std::uint64_t x) {
  std::uint64_t t = (x ^ x >> 7) & 0x00aa00aa00aa00aau;
  x ^= t ^ t << 7;
  t = (x ^ x >> 14) & 0x0000cccc0000ccccu;
  x ^= t ^ t << 14;
  t = (x ^ x >> 28) & 0x00000000f0f0f0f0u;
  return x ^ t ^ t << 28;
}

/// One class's planes of eight lanes.
void set_planes(const LaneShares* const* of_lane, bool heat_bath, int color, int j, int lane, LaneRule& out) {
  std::uint64_t changes = 0;
  unsigned top = 0;
  for (int i = 0; i < 8; ++i) {
    const LaneShare& share = of_lane[lane + i]->of[heat_bath][color];
    changes |= std::uint64_t{share.changes[j]} << 8 * i;
    top |= unsigned{share.top[j]} << i;
  }
  const std::uint64_t planes = transposed(changes);
  for (int k = 0; k < threshold_bits; ++k) out.plane[j][k][lane / 8] = static_cast<std::uint8_t>(planes >> 8 * k);
  out.plane[j][threshold_bits][lane / 8] = static_cast<std::uint8_t>(top);
}

}  // namespace

bool has_even_lengths(LatticeShape shape) {
  return shape.lx % 2 == 0 && shape.ly % 2 == 0 && (shape.two_dimensional || shape.lz % 2 == 0);
}

LaneShares lane_shares(LatticeShape shape, Coupling coupling, double beta) {
  LaneShares shares{};
  for (const bool heat_bath : {false, true}) {
    for (int color = 0; color < 2; ++color) {
      const RuleOf rule = rule_of(shape, coupling, heat_bath, color);
      for (int j = 0; j < rule.n_classes(); ++j) set_share(shares.of[heat_bath][color], j, rule.probability(j, beta));
    }
  }
  return shares;
}

void prepare_lane_rules(LatticeShape shape, Coupling coupling, LaneRules& out) {
  const bool even = has_even_lengths(shape);
  const std::int64_t n_vectors = even ? shape.n_sites() / 2 : shape.n_sites();
  out.sequential = !even;
  out.reversed = !even && coupling.J < 0;
  unsigned places = replica_lanes;
  for (std::int64_t n = 1; n < lane_block_vectors && n < n_vectors; n *= 2) places *= 2;
  set_counts(places * -std::log1p(-1.0 / 256), out.counts);
  out.place_mask = places - 1;
  for (const bool heat_bath : {false, true}) {
    for (int color = 0; color < 2; ++color) rule_of(shape, coupling, heat_bath, color).head(out.rule[heat_bath][color]);
  }
}

void set_lanes(const LaneShares* const* of_lane, bool heat_bath, LaneRules& out) {
  for (int color = 0; color < 2; ++color) {
    LaneRule& rule = out.rule[heat_bath][color];
    for (int lane = 0; lane < replica_lanes; ++lane)
      std::memcpy(rule.rest[lane], of_lane[lane]->of[heat_bath][color].rest, sizeof rule.rest[lane]);
    for (int j = 0; j < rule.n_classes; ++j) {
      for (int lane = 0; lane < replica_lanes; lane += 8) set_planes(of_lane, heat_bath, color, j, lane, rule);
    }
  }
}

void set_lane_rules(LatticeShape shape, Coupling coupling, const double (&beta)[replica_lanes], LaneRules& out) {
  std::vector<LaneShares> shares;
  shares.reserve(replica_lanes);
  const LaneShares* of_lane[replica_lanes];
  for (int lane = 0; lane < replica_lanes; ++lane) {
    if (lane == 0 || beta[lane] != beta[lane - 1]) shares.push_back(lane_shares(shape, coupling, beta[lane]));
    of_lane[lane] = &shares.back();
  }
  prepare_lane_rules(shape, coupling, out);
  for (const bool heat_bath : {false, true}) set_lanes(of_lane, heat_bath, out);
}

}  // namespace spinodal
