// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

#include "src/graph_layout.hpp"

namespace spinodal {
namespace {

std::string at(std::int64_t row, std::int64_t entry) {
  return " (row " + std::to_string(row) + ", entry " + std::to_string(entry) + ")";
}

void check_rows(const SparseRows& graph) {
  if (graph.n < 1 || graph.n > std::numeric_limits<std::int32_t>::max()) {
    throw std::invalid_argument("a graph needs 1 to 2147483647 nodes; got " + std::to_string(graph.n));
  }
  if (graph.indptr[0] != 0) throw std::invalid_argument("indptr must start at 0");
  for (std::int64_t row = 0; row < graph.n; ++row) {
    if (graph.indptr[row + 1] < graph.indptr[row]) throw std::invalid_argument("indptr must not fall" + at(row, 0));
    for (std::int64_t e = graph.indptr[row]; e < graph.indptr[row + 1]; ++e) {
      const std::int64_t column = graph.indices[e];
      if (column < 0 || column >= graph.n) {
        throw std::invalid_argument("indices must be in [0, " + std::to_string(graph.n) + "); got " +
                                    std::to_string(column) + at(row, e));
      }
      if (e > graph.indptr[row] && column <= graph.indices[e - 1]) {
        throw std::invalid_argument("indices of a row must rise" + at(row, e));
      }
      if (!std::isfinite(graph.values[e])) throw std::invalid_argument("values must be finite" + at(row, e));
    }
  }
}

/// The rows without their diagonal, in a given order.
class Rows {
 public:
  explicit Rows(const SparseRows& graph) : graph_(graph), diagonal_(static_cast<std::size_t>(graph.n), 0.0) {
    for (std::int64_t row = 0; row < graph.n; ++row) {
      for (std::int64_t e = graph.indptr[row]; e < graph.indptr[row + 1]; ++e) {
        if (graph.indices[e] == row) diagonal_[static_cast<std::size_t>(row)] = graph.values[e];
      }
    }
  }

  double diagonal(std::int64_t row) const { return diagonal_[static_cast<std::size_t>(row)]; }

  template <class Visit>
  void edges(std::int64_t row, const Visit& visit) const {
    for (std::int64_t e = graph_.indptr[row]; e < graph_.indptr[row + 1]; ++e) {
      if (graph_.indices[e] != row && graph_.values[e] != 0) visit(graph_.indices[e], -graph_.values[e]);
    }
  }

  std::int32_t degree(std::int64_t row) const {
    std::int32_t n = 0;
    edges(row, [&](std::int32_t, double) { ++n; });
    return n;
  }

  /// The weight all edges share if the diagonal is what they sum to, else 0.
  double common_weight() const {
    double weight = 0;
    bool common = true;
    for (std::int64_t row = 0; row < graph_.n; ++row) {
      edges(row, [&](std::int32_t, double w) {
        if (weight == 0) weight = w;
        common = common && w == weight;
      });
      common = common && diagonal(row) == weight * degree(row);
    }
    return common ? weight : 0;
  }

 private:
  const SparseRows& graph_;
  std::vector<double> diagonal_;
};

void sort_windows(const Rows& rows, GraphLayout& layout) {
  std::vector<std::int32_t> degree(static_cast<std::size_t>(layout.n));
  for (std::int64_t i = 0; i < layout.n; ++i) degree[static_cast<std::size_t>(i)] = rows.degree(i);
  for (std::int64_t begin = 0; begin < layout.n; begin += window_rows) {
    const std::int64_t end = std::min(layout.n, begin + window_rows);
    std::stable_sort(layout.order.begin() + begin, layout.order.begin() + end, [&](std::int32_t a, std::int32_t b) {
      return degree[static_cast<std::size_t>(a)] < degree[static_cast<std::size_t>(b)];
    });
  }
}

/// Write the entries, 32 bits a column, and the runs.
void write_rows(const Rows& rows, GraphLayout& layout) {
  std::vector<std::int32_t> place(static_cast<std::size_t>(layout.n));
  for (std::int64_t i = 0; i < layout.n; ++i) {
    place[static_cast<std::size_t>(layout.order[static_cast<std::size_t>(i)])] = static_cast<std::int32_t>(i);
  }
  for (std::int64_t i = 0; i < layout.n; ++i) {
    const std::int64_t row = layout.order[static_cast<std::size_t>(i)], degree = rows.degree(row);
    if (i % window_rows == 0) layout.first_run.push_back(static_cast<std::int64_t>(layout.runs.size()));
    if (i % window_rows == 0 || layout.runs.back().degree != degree) {
      layout.runs.push_back({i, i, static_cast<std::int64_t>(layout.far.size()), 0, static_cast<std::int32_t>(degree)});
    }
    layout.runs.back().end = i + 1;
    rows.edges(row, [&](std::int32_t column, double weight) {
      const std::int64_t to = place[static_cast<std::size_t>(column)];
      layout.bandwidth = std::max(layout.bandwidth, std::abs(to - i));
      layout.far.push_back(static_cast<std::uint32_t>(to));
      if (!layout.value_free) layout.weights.push_back(weight);
    });
    if (!layout.value_free) layout.diagonal.push_back(rows.diagonal(row));
  }
  layout.first_run.push_back(static_cast<std::int64_t>(layout.runs.size()));
}

/// Halve the columns' bytes where every run reaches less than 2^16 rows.
void narrow(GraphLayout& layout) {
  std::vector<std::uint16_t> near(layout.far.size());
  for (GraphRun& run : layout.runs) {
    const auto begin = static_cast<std::size_t>(run.first_entry);
    const std::size_t end = begin + static_cast<std::size_t>((run.end - run.begin) * run.degree);
    if (begin == end) continue;
    const auto [low, high] = std::minmax_element(layout.far.begin() + static_cast<std::ptrdiff_t>(begin),
                                                 layout.far.begin() + static_cast<std::ptrdiff_t>(end));
    const std::uint32_t first = *low;
    if (*high - first > std::numeric_limits<std::uint16_t>::max()) {
      for (GraphRun& other : layout.runs) other.first_column = 0;
      return;
    }
    run.first_column = first;
    for (std::size_t e = begin; e < end; ++e) near[e] = static_cast<std::uint16_t>(layout.far[e] - first);
  }
  layout.near = std::move(near);
  layout.far = {};
}

}  // namespace

GraphPlan::GraphPlan(const SparseRows& laplacian) : layout_(std::make_unique<GraphLayout>()) {
  check_rows(laplacian);
  GraphLayout& layout = *layout_;
  const Rows rows(laplacian);
  layout.n = laplacian.n;
  layout.order = reverse_cuthill_mckee(laplacian);
  const double common = rows.common_weight();
  layout.value_free = common > 0;
  layout.edge_weight = layout.value_free ? common : 1;
  sort_windows(rows, layout);
  write_rows(rows, layout);
  narrow(layout);
  layout.weights_float.assign(layout.weights.begin(), layout.weights.end());
  layout.diagonal_float.assign(layout.diagonal.begin(), layout.diagonal.end());
}

GraphPlan::~GraphPlan() = default;

std::int64_t GraphPlan::n_nodes() const { return layout_->n; }
std::int64_t GraphPlan::bandwidth() const { return layout_->bandwidth; }
bool GraphPlan::value_free() const { return layout_->value_free; }
const std::int32_t* GraphPlan::order() const { return layout_->order.data(); }

}  // namespace spinodal
