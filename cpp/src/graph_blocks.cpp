// SPDX-License-Identifier: BSD-3-Clause
#include <stdexcept>
#include <string>
#include <vector>

#include "spinodal/graph.hpp"
#include "src/dispatch.hpp"
#include "src/team.hpp"
#include "src/validate.hpp"

namespace spinodal {
namespace {

void dense(const DenseBlock<float>& block, const float* x, float* out, std::int64_t n_channels) {
  kernels().dense_block(block, x, out, n_channels);
}
void dense(const DenseBlock<double>& block, const double* x, double* out, std::int64_t n_channels) {
  kernels().dense_block_double(block, x, out, n_channels);
}

std::int64_t padded(std::int64_t n) { return (n + 7) / 8 * 8; }

/// Where each block's filter begins, and how many elements all have.
std::vector<std::int64_t> filter_offsets(const std::int64_t* offsets, std::int64_t n_blocks, std::int64_t n_nodes) {
  std::vector<std::int64_t> begin{0};
  for (std::int64_t b = 0; b < n_blocks; ++b) {
    const std::int64_t n = offsets[b + 1] - offsets[b];
    if (n < 1) throw std::invalid_argument("offsets must rise; block " + std::to_string(b) + " is empty");
    begin.push_back(begin.back() + n * padded(n));
  }
  if (n_blocks < 1 || offsets[0] != 0 || offsets[n_blocks] != n_nodes) {
    throw std::invalid_argument("offsets must lead from 0 to the number of nodes, " + std::to_string(n_nodes));
  }
  return begin;
}

}  // namespace

template <class T>
void block_filter(const T* filters, const std::int64_t* offsets, std::int64_t n_blocks, const T* x, FieldShape shape,
                  T* out, int n_threads) {
  const std::vector<std::int64_t> begin = filter_offsets(offsets, n_blocks, shape.n_nodes);
  check_threads(n_threads);
  const std::int64_t in_field = shape.n_nodes * shape.n_channels;
  const int team = team_size(n_threads, n_blocks, begin.back() * shape.n_columns() / 8);
#pragma omp parallel for schedule(static) num_threads(team) if (team > 1)
  for (std::int64_t b = 0; b < n_blocks; ++b) {
    const std::int64_t n = offsets[b + 1] - offsets[b];
    const DenseBlock<T> block{filters + begin[static_cast<std::size_t>(b)], n, padded(n)};
    for (std::int64_t f = 0; f < shape.n_fields; ++f) {
      const std::int64_t first = f * in_field + offsets[b] * shape.n_channels;
      dense(block, x + first, out + first, shape.n_channels);
    }
  }
}

template void block_filter(const float*, const std::int64_t*, std::int64_t, const float*, FieldShape, float*, int);
template void block_filter(const double*, const std::int64_t*, std::int64_t, const double*, FieldShape, double*, int);

}  // namespace spinodal
