// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>

#include "src/graph_layout.hpp"

namespace spinodal {
namespace {

class LevelSearch {
 public:
  explicit LevelSearch(const SparseRows& graph) : graph_(graph), seen_(static_cast<std::size_t>(graph.n), 0) {}

  std::int64_t degree(std::int32_t node) const { return graph_.indptr[node + 1] - graph_.indptr[node]; }

  /// Append the component of `start`, level after level, neighbours by rising degree; return the number of levels.
  std::int64_t walk(std::int32_t start, std::vector<std::int32_t>& found) {
    ++mark_;
    const std::size_t first = found.size();
    seen_[static_cast<std::size_t>(start)] = mark_;
    found.push_back(start);
    std::int64_t n_levels = 0;
    for (std::size_t at = first, end = found.size(); at < end; end = found.size(), ++n_levels) {
      last_level_ = at;
      for (; at < end; ++at) visit(found[at], found);
    }
    return n_levels;
  }

  /// A node of least degree in the last level of the last walk.
  std::int32_t far_node(const std::vector<std::int32_t>& found) const {
    return *std::min_element(found.begin() + static_cast<std::ptrdiff_t>(last_level_), found.end(),
                             [this](std::int32_t a, std::int32_t b) { return degree(a) < degree(b); });
  }

 private:
  void visit(std::int32_t node, std::vector<std::int32_t>& found) {
    const std::size_t first = found.size();
    for (std::int64_t e = graph_.indptr[node]; e < graph_.indptr[node + 1]; ++e) {
      const std::int32_t next = graph_.indices[e];
      std::int32_t& seen = seen_[static_cast<std::size_t>(next)];
      if (seen == mark_) continue;
      seen = mark_;
      found.push_back(next);
    }
    std::stable_sort(found.begin() + static_cast<std::ptrdiff_t>(first), found.end(),
                     [this](std::int32_t a, std::int32_t b) { return degree(a) < degree(b); });
  }

  const SparseRows& graph_;
  std::vector<std::int32_t> seen_;
  std::int32_t mark_ = 0;
  std::size_t last_level_ = 0;
};

}  // namespace

std::vector<std::int32_t> reverse_cuthill_mckee(const SparseRows& graph) {
  LevelSearch search(graph);
  std::vector<std::int32_t> order, trial;
  std::vector<char> placed(static_cast<std::size_t>(graph.n), 0);
  order.reserve(static_cast<std::size_t>(graph.n));
  for (std::int32_t node = 0; node < graph.n; ++node) {
    if (placed[static_cast<std::size_t>(node)] != 0) continue;
    std::int32_t start = node;
    std::int64_t deepest = 0;
    for (int round = 0; round < 4; ++round) {  // each search starts at the far end of the one before
      trial.clear();
      const std::int64_t depth = search.walk(start, trial);
      if (depth <= deepest) break;
      deepest = depth;
      start = search.far_node(trial);
    }
    const std::size_t first = order.size();
    search.walk(start, order);
    for (std::size_t i = first; i < order.size(); ++i) placed[static_cast<std::size_t>(order[i])] = 1;
  }
  std::reverse(order.begin(), order.end());
  return order;
}

}  // namespace spinodal
