// SPDX-License-Identifier: BSD-3-Clause
#include "src/lane_rules.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "src/packed_tables.hpp"

namespace spinodal {
namespace {

constexpr std::uint64_t one = std::uint64_t{1} << 62;
// One site in 256 is overwritten: a cell, 1/256 of the others, has this weight.
constexpr std::uint64_t cell = one / (256 * 256) * 255;

/// Of ending up against the favoured direction, x = β|ΔE|.
double against_probability(bool heat_bath, double x) { return heat_bath ? 1 / (1 + std::exp(x)) : std::exp(-x); }

void set_lane(LaneRule& rule, int j, int lane, std::uint64_t probability) {
  const std::uint64_t cells = std::min<std::uint64_t>(probability / cell, 256);
  rule.rest[lane][j] = (probability - cells * cell) >> 3;
  const auto kept = static_cast<unsigned>(std::min<std::uint64_t>(cells, 255));
  const unsigned from = kept << 1 | static_cast<unsigned>(cells == 256), changes = (kept ^ from) & 0xff;
  for (int k = 0; k < threshold_bits; ++k)
    rule.plane[j][k][lane / 8] |= static_cast<std::uint8_t>((changes >> k & 1) << lane % 8);
  rule.plane[j][threshold_bits][lane / 8] |= static_cast<std::uint8_t>(kept >> 7 << lane % 8);
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
    std::memset(out.plane, 0, sizeof out.plane);
    out.heat_bath = heat_bath;
    out.with_field = coupling.h != 0;
    out.n_classes = n_classes();
    out.first_up = 0;
    while (out.first_up <= n_neighbors && !(local_field(out.first_up) > 0)) ++out.first_up;
  }
};

}  // namespace

void set_lane_rules(LatticeShape shape, Coupling coupling, const double* beta, LaneRules& out) {
  const bool even = shape.lx % 2 == 0 && shape.ly % 2 == 0 && (shape.two_dimensional || shape.lz % 2 == 0);
  const std::int64_t n_vectors = even ? shape.n_sites() / 2 : shape.n_sites();
  out.sequential = !even;
  out.reversed = !even && coupling.J < 0;
  unsigned places = replica_lanes;
  for (std::int64_t n = 1; n < lane_block_vectors && n < n_vectors; n *= 2) places *= 2;
  set_counts(places * -std::log1p(-1.0 / 256), out.counts);
  out.place_mask = places - 1;
  for (const bool bath : {false, true}) {
    for (int color = 0; color < 2; ++color) {
      LaneRule& target = out.rule[bath][color];
      if (color == 1 && coupling.h == 0) {  // both colors see the same
        target = out.rule[bath][0];
        continue;
      }
      const bool turned = coupling.J < 0 && (!even || color == 1);
      const RuleOf rule{bath, shape.two_dimensional ? 4 : 6, {std::abs(coupling.J), turned ? -coupling.h : coupling.h}};
      rule.head(target);
      for (int lane = 0; lane < replica_lanes; ++lane) {
        for (int j = 0; j < target.n_classes; ++j) set_lane(target, j, lane, rule.probability(j, beta[lane]));
      }
    }
  }
}

}  // namespace spinodal
