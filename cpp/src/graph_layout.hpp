// SPDX-License-Identifier: BSD-3-Clause
// A graph's rows as the filter reads them.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/graph_types.hpp"
#include "spinodal/graph.hpp"

namespace spinodal {

constexpr std::int64_t window_rows = 1024;  ///< rows of one degree are brought together within so many

struct GraphLayout {
  std::int64_t n = 0, bandwidth = 0;
  bool value_free = false;
  double edge_weight = 1;           ///< of every edge of a value-free graph
  std::vector<std::int32_t> order;  ///< node at each place
  std::vector<GraphRun> runs;
  std::vector<std::int64_t> first_run;
  std::vector<std::uint16_t> near;
  std::vector<std::uint32_t> far;
  std::vector<double> weights, diagonal;  ///< empty if value-free
  std::vector<float> weights_float, diagonal_float;

  std::int64_t n_windows() const { return static_cast<std::int64_t>(first_run.size()) - 1; }
};

/// Nodes in reverse Cuthill-McKee order: neighbours come near each other.
///
/// Cuthill and McKee, Proc. 24th ACM National Conference, 157 (1969); George and Liu (1981), section 4.3.
std::vector<std::int32_t> reverse_cuthill_mckee(const SparseRows& graph);

}  // namespace spinodal
