// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <stdexcept>
#include <string>

#include "src/dispatch.hpp"
#include "src/graph_layout.hpp"
#include "src/graph_stage.hpp"
#include "src/scratch.hpp"
#include "src/team.hpp"
#include "src/validate.hpp"

namespace spinodal {
namespace {

template <class T>
GraphRows<T> rows_of(const GraphLayout& layout) {
  GraphRows<T> rows{layout.runs.data(), layout.first_run.data(), nullptr, nullptr, nullptr, nullptr};
  if (!layout.near.empty()) rows.near = layout.near.data();
  rows.far = layout.far.data();
  if (layout.value_free) return rows;
  if constexpr (sizeof(T) == 4) {
    rows.weights = layout.weights_float.data();
    rows.diagonal = layout.diagonal_float.data();
  } else {
    rows.weights = layout.weights.data();
    rows.diagonal = layout.diagonal.data();
  }
  return rows;
}

void window_term(const GraphRows<float>& rows, std::int64_t window, const GraphTerm<float>& term, int width) {
  kernels().graph_term(rows, window, term, width);
}
void window_term(const GraphRows<double>& rows, std::int64_t window, const GraphTerm<double>& term, int width) {
  kernels().graph_term_double(rows, window, term, width);
}

/// One block's fields in the graph's order, and its coefficients.
template <class T>
struct Stage {
  static std::int64_t room(std::int64_t n, std::int64_t n_terms) { return (4 * n + 2 * n_terms) * widest_block<T>; }

  Stage(T* memory, std::int64_t n, int width, std::int64_t n_terms)
      : x{memory, memory + n * width},
        ahead(memory + 2 * n * width),
        behind(memory + 3 * n * width),
        coefficients{memory + 4 * n * width, memory + (4 * n + n_terms) * width} {}

  T *x[2], *ahead, *behind;
  T* coefficients[2];
};

template <class T>
struct Filter {
  const GraphLayout& layout;
  GraphRows<T> rows;
  T scale;
  const FilterInput<T>* inputs;
  int n_inputs;
  std::int64_t n_terms;
  FieldShape shape;
  T* out;

  /// Fields of places begin … end, and the recurrence's first two: c_last x, and 0.
  void load(const Stage<T>& stage, const Lanes<T>& lanes, int width, std::int64_t begin, std::int64_t end) const {
    const T* last[2] = {stage.coefficients[0] + (n_terms - 1) * width, stage.coefficients[1] + (n_terms - 1) * width};
    for (std::int64_t i = begin; i < end; ++i) {
      T* const ahead = stage.ahead + i * width;
      for (int l = 0; l < width; ++l) ahead[l] = stage.behind[i * width + l] = 0;
      for (int m = 0; m < n_inputs; ++m) {
        T* const row = stage.x[m] + i * width;
        lanes.read(inputs[m].x, layout.order[static_cast<std::size_t>(i)], row, width);
        for (int l = 0; l < width; ++l) ahead[l] += last[m][l] * row[l];
      }
    }
  }

  void load_coefficients(const Stage<T>& stage, const ColumnBlock& block) const {
    for (int m = 0; m < n_inputs; ++m) {
      for (std::int64_t k = 0; k < n_terms; ++k) {
        const double* from = inputs[m].coefficients + k * shape.n_columns() + block.first;
        T* const to = stage.coefficients[m] + k * block.width;
        for (int l = 0; l < block.width; ++l) to[l] = l < block.count ? static_cast<T>(from[l]) : T{0};
      }
    }
  }

  /// Term k of the windows begin … end. The arrays change roles from term to term.
  void term(const Stage<T>& stage, std::int64_t k, int width, std::int64_t begin, std::int64_t end) const {
    const bool swapped = (n_terms - k) % 2 != 0;  // the first of them is k = n_terms - 2
    const GraphTerm<T> terms{swapped ? stage.behind : stage.ahead,
                             swapped ? stage.ahead : stage.behind,
                             {stage.x[0], n_inputs > 1 ? stage.x[1] : nullptr},
                             {stage.coefficients[0] + k * width, stage.coefficients[1] + k * width},
                             scale,
                             k == 0 ? T{1} / 2 : T{1}};
    for (std::int64_t w = begin; w < end; ++w) window_term(rows, w, terms, width);
  }

  const T* result(const Stage<T>& stage) const { return n_terms % 2 != 0 ? stage.ahead : stage.behind; }

  void store(const Stage<T>& stage, const Lanes<T>& lanes, int width, std::int64_t begin, std::int64_t end) const {
    const T* const rows_out = result(stage);
    for (std::int64_t i = begin; i < end; ++i) {
      lanes.write(rows_out + i * width, layout.order[static_cast<std::size_t>(i)], out);
    }
  }

  void block(const ColumnBlock& block, T* memory) const {
    const Stage<T> stage(memory, layout.n, block.width, n_terms);
    const Lanes<T> lanes(shape, block);
    load_coefficients(stage, block);
    load(stage, lanes, block.width, 0, layout.n);
    for (std::int64_t k = n_terms - 2; k >= 0; --k) term(stage, k, block.width, 0, layout.n_windows());
    store(stage, lanes, block.width, 0, layout.n);
  }

  /// The same with the windows shared among threads, which meet after every term.
  void block_in_rows(const ColumnBlock& block, T* memory, int team) const {
    const Stage<T> stage(memory, layout.n, block.width, n_terms);
    const Lanes<T> lanes(shape, block);
    load_coefficients(stage, block);
#pragma omp parallel num_threads(team)
    {
#pragma omp for schedule(static)
      for (std::int64_t w = 0; w < layout.n_windows(); ++w) {
        load(stage, lanes, block.width, w * window_rows, std::min(layout.n, (w + 1) * window_rows));
      }
      for (std::int64_t k = n_terms - 2; k >= 0; --k) {
#pragma omp for schedule(static)
        for (std::int64_t w = 0; w < layout.n_windows(); ++w) term(stage, k, block.width, w, w + 1);
      }
#pragma omp for schedule(static)
      for (std::int64_t w = 0; w < layout.n_windows(); ++w) {
        store(stage, lanes, block.width, w * window_rows, std::min(layout.n, (w + 1) * window_rows));
      }
    }
  }
};

void check_filter(const GraphPlan& graph, double lmax, int n_inputs, std::int64_t n_terms, FieldShape shape) {
  if (!(std::isfinite(lmax) && lmax > 0)) {
    throw std::invalid_argument("lmax must be finite and > 0; got " + std::to_string(lmax));
  }
  if (n_inputs < 1 || n_inputs > 2) {
    throw std::invalid_argument("a filter takes 1 or 2 fields; got " + std::to_string(n_inputs));
  }
  if (n_terms < 1) throw std::invalid_argument("at least one coefficient is needed; got " + std::to_string(n_terms));
  if (shape.n_nodes != graph.n_nodes()) {
    throw std::invalid_argument("fields have " + std::to_string(shape.n_nodes) + " nodes; the graph has " +
                                std::to_string(graph.n_nodes()));
  }
}

template <class T>
Scratch<T>& scratch_of_thread() {
  thread_local Scratch<T> scratch;
  return scratch;
}

}  // namespace

template <class T>
void chebyshev_filter(const GraphPlan& graph, double lmax, const FilterInput<T>* inputs, int n_inputs,
                      std::int64_t n_terms, FieldShape shape, T* out, int n_threads) {
  check_filter(graph, lmax, n_inputs, n_terms, shape);
  check_threads(n_threads);
  const GraphLayout& layout = graph.layout();
  const auto scale = static_cast<T>(4 * layout.edge_weight / lmax);
  const Filter<T> filter{layout, rows_of<T>(layout), scale, inputs, n_inputs, n_terms, shape, out};
  const ColumnBlocks<T> blocks(shape.n_columns());
  const std::int64_t work = layout.n * blocks.n_columns * n_terms, room = Stage<T>::room(layout.n, n_terms);
  if (blocks.size() < n_threads) {
    const int team = team_size(n_threads, layout.n_windows(), layout.n * blocks.at(0).width);
    if (team > 1) {
      T* const memory = scratch_of_thread<T>().room(room);
      for (std::int64_t b = 0; b < blocks.size(); ++b) filter.block_in_rows(blocks.at(b), memory, team);
      return;
    }
  }
  const int team = team_size(n_threads, blocks.size(), work);
  T* const memory = scratch_of_thread<T>().room(team * room);
  const std::int64_t n_blocks = blocks.size();
#pragma omp parallel for schedule(static) num_threads(team) if (team > 1)
  for (int part = 0; part < team; ++part) {
    for (std::int64_t b = n_blocks * part / team; b < n_blocks * (part + 1) / team; ++b) {
      filter.block(blocks.at(b), memory + part * room);
    }
  }
}

template void chebyshev_filter(const GraphPlan&, double, const FilterInput<float>*, int, std::int64_t, FieldShape,
                               float*, int);
template void chebyshev_filter(const GraphPlan&, double, const FilterInput<double>*, int, std::int64_t, FieldShape,
                               double*, int);

}  // namespace spinodal
