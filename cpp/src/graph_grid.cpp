// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <stdexcept>
#include <string>

#include "src/dispatch.hpp"
#include "src/graph_stage.hpp"
#include "src/scratch.hpp"
#include "src/team.hpp"
#include "src/validate.hpp"

namespace spinodal {
namespace {

void pass(const GridAxis<float>& axis, GridPass kind, float* block, float* line, int width) {
  kernels().grid_pass(axis, kind, block, line, width);
}
void pass(const GridAxis<double>& axis, GridPass kind, double* block, double* line, int width) {
  kernels().grid_pass_double(axis, kind, block, line, width);
}

template <class T>
struct GridFilter {
  const GridMatrices<T>* axes;
  int n_axes;
  const GridInput<T>* inputs;
  int n_inputs;
  FieldShape shape;
  T* out;

  std::int64_t longest() const {
    std::int64_t n = 0;
    for (int a = 0; a < n_axes; ++a) n = std::max(n, axes[a].n);
    return n;
  }
  std::int64_t room() const { return (n_inputs * shape.n_nodes + 2 * longest()) * widest_block<T>; }

  void passes(GridPass kind, T* field, T* line, int width) const {
    std::int64_t stride = shape.n_nodes;
    for (int a = 0; a < n_axes; ++a) {
      const GridMatrices<T>& m = axes[a];
      stride /= m.n;
      const bool back = kind == GridPass::inverse;
      const GridAxis<T> axis{back ? m.back_even : m.even, back ? m.back_odd : m.odd, m.n, shape.n_nodes / m.n, stride};
      pass(axis, kind, field, line, width);
    }
  }

  void load(const T* x, const Lanes<T>& lanes, T* field, int width) const {
    for (std::int64_t i = 0; i < shape.n_nodes; ++i) lanes.read(x, i, field + i * width, width);
  }

  /// field ← m ∘ field.
  void multiply(const GridInput<T>& input, const ColumnBlock& block, T* field) const {
    const int width = block.width;
    if (input.n_multipliers == 1) {
      for (std::int64_t i = 0; i < shape.n_nodes; ++i) {
        const T factor = input.multipliers[i];
        for (int l = 0; l < width; ++l) field[i * width + l] *= factor;
      }
      return;
    }
    const T* of_lane[16];
    for (int l = 0; l < width; ++l) {
      const std::int64_t column = block.first + std::min(l, block.count - 1);
      of_lane[l] = input.multipliers + column / shape.n_channels * shape.n_nodes;
    }
    for (std::int64_t i = 0; i < shape.n_nodes; ++i) {
      for (int l = 0; l < width; ++l) field[i * width + l] *= of_lane[l][i];
    }
  }

  void block(const ColumnBlock& block, T* memory) const {
    const int width = block.width;
    const std::int64_t size = shape.n_nodes * width;
    const Lanes<T> lanes(shape, block);
    T* const line = memory + n_inputs * size;
    for (int m = 0; m < n_inputs; ++m) {
      T* const field = memory + m * size;
      load(inputs[m].x, lanes, field, width);
      if (inputs[m].multipliers == nullptr) {
        passes(GridPass::direct, field, line, width);
        continue;
      }
      passes(GridPass::forward, field, line, width);
      multiply(inputs[m], block, field);
      if (m > 0) {
        for (std::int64_t i = 0; i < size; ++i) memory[i] += field[i];
      }
    }
    if (inputs[0].multipliers != nullptr) passes(GridPass::inverse, memory, line, width);
    for (std::int64_t i = 0; i < shape.n_nodes; ++i) lanes.write(memory + i * width, i, out);
  }
};

template <class T>
void check_grid(const GridMatrices<T>* axes, int n_axes, const GridInput<T>* inputs, int n_inputs, FieldShape shape) {
  std::int64_t n = 1;
  for (int a = 0; a < n_axes; ++a) n *= axes[a].n;
  if (n != shape.n_nodes || n < 1) {
    throw std::invalid_argument("the axes' lengths multiply to " + std::to_string(n) + "; fields have " +
                                std::to_string(shape.n_nodes) + " nodes");
  }
  if (n_inputs < 1 || n_inputs > 2) {
    throw std::invalid_argument("a filter takes 1 or 2 fields; got " + std::to_string(n_inputs));
  }
  for (int m = 0; m < n_inputs; ++m) {
    const std::int64_t rows = inputs[m].n_multipliers;
    if (inputs[m].multipliers == nullptr ? n_inputs > 1 : rows != 1 && rows != shape.n_fields) {
      throw std::invalid_argument("multipliers are needed of two fields, for 1 or " + std::to_string(shape.n_fields) +
                                  " of them; got " + std::to_string(rows));
    }
  }
}

}  // namespace

template <class T>
void grid_filter(const GridMatrices<T>* axes, int n_axes, const GridInput<T>* inputs, int n_inputs, FieldShape shape,
                 T* out, int n_threads) {
  check_grid(axes, n_axes, inputs, n_inputs, shape);
  check_threads(n_threads);
  const GridFilter<T> filter{axes, n_axes, inputs, n_inputs, shape, out};
  const ColumnBlocks<T> blocks(shape.n_columns());
  const std::int64_t n_blocks = blocks.size(), room = filter.room();
  const int team = team_size(n_threads, n_blocks, 8 * shape.size());
  T* const memory = scratch_of_thread<T>().room(team * room);
#pragma omp parallel for schedule(static) num_threads(team) if (team > 1)
  for (int part = 0; part < team; ++part) {
    for (std::int64_t b = n_blocks * part / team; b < n_blocks * (part + 1) / team; ++b) {
      filter.block(blocks.at(b), memory + part * room);
    }
  }
}

template void grid_filter(const GridMatrices<float>*, int, const GridInput<float>*, int, FieldShape, float*, int);
template void grid_filter(const GridMatrices<double>*, int, const GridInput<double>*, int, FieldShape, double*, int);

}  // namespace spinodal
