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

/// One block's arrays in the graph's order, and its coefficients: term k's in row k + 2, after rows of zeros.
template <class T>
struct Stage {
  static std::int64_t room(std::int64_t n, std::int64_t n_terms) {
    return (4 * n + 2 * (n_terms + 2)) * widest_block<T>;
  }

  Stage(T* memory, std::int64_t n, int width, std::int64_t n_terms) : width(width) {
    T* at = memory;
    for (T*& array : field) {
      array = at;
      at += n * width;
    }
    for (T*& array : coefficients) {
      array = at;
      at += (n_terms + 2) * width;
    }
  }

  const T* coefficient(int input, std::int64_t k) const { return coefficients[input] + (k + 2) * width; }

  T* field[4];
  T* coefficients[2];
  int width;
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

  // One field goes from below, where rounding errors are least; two go from above, at the cost of one.
  bool from_above() const { return n_inputs > 1; }

  void load_coefficients(const Stage<T>& stage, const ColumnBlock& block) const {
    for (int m = 0; m < n_inputs; ++m) {
      T* to = stage.coefficients[m];
      for (int l = 0; l < 2 * block.width; ++l) *to++ = 0;
      for (std::int64_t k = 0; k < n_terms; ++k) {
        const double* from = inputs[m].coefficients + k * shape.n_columns() + block.first;
        for (int l = 0; l < block.width; ++l) *to++ = l < block.count ? static_cast<T>(from[l]) : T{0};
      }
    }
  }

  /// Rows begin … end of the first two of the recurrence: x or Σ_m c_last x_m, and 0.
  void load(const Stage<T>& stage, const Lanes<T>& lanes, std::int64_t begin, std::int64_t end) const {
    const int width = stage.width;
    const T* last[2] = {stage.coefficient(0, n_terms - 1), stage.coefficient(1, n_terms - 1)};
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t node = layout.order[static_cast<std::size_t>(i)];
      T *const ahead = stage.field[0] + i * width, *const behind = stage.field[1] + i * width;
      for (int l = 0; l < width; ++l) ahead[l] = behind[l] = 0;
      if (!from_above()) {
        lanes.read(inputs[0].x, node, ahead, width);
        continue;
      }
      for (int m = 0; m < 2; ++m) {
        T* const row = stage.field[2 + m] + i * width;
        lanes.read(inputs[m].x, node, row, width);
        for (int l = 0; l < width; ++l) ahead[l] += last[m][l] * row[l];
      }
    }
  }

  /// Step s of n_terms - 1. The first two arrays change roles from step to step.
  GraphTerm<T> step(const Stage<T>& stage, std::int64_t s) const {
    const bool swapped = s % 2 == 0;
    GraphTerm<T> term{};
    term.ahead = stage.field[swapped ? 1 : 0];
    term.behind = stage.field[swapped ? 0 : 1];
    term.scale = scale;
    const std::int64_t k = from_above() ? n_terms - 1 - s : s;
    term.half = k == (from_above() ? 0 : 1) ? T{1} / 2 : T{1};
    if (from_above()) {
      for (int m = 0; m < 2; ++m) {
        term.c[m] = stage.coefficient(m, k);
        term.x[m] = stage.field[2 + m];
      }
      return term;
    }
    const bool full = k % 3 == 2;
    term.out = stage.field[2];
    term.update = full || k == n_terms - 1;
    term.first = k <= 2;
    for (int m = 0; m < 3; ++m) {  // terms of a full three before this one are in already
      const std::int64_t of = k - 2 + m;
      term.c[m] = of / 3 == k / 3 && of >= 0 ? stage.coefficient(0, of) : stage.coefficients[0];
    }
    return term;
  }

  void windows(const GraphTerm<T>& term, int width, std::int64_t begin, std::int64_t end) const {
    for (std::int64_t w = begin; w < end; ++w) window_term(rows, w, term, width);
  }

  /// Write rows begin … end of the result.
  void store(const Stage<T>& stage, const Lanes<T>& lanes, std::int64_t begin, std::int64_t end) const {
    const int width = stage.width;
    if (n_terms == 1 && !from_above()) {
      const T* c = stage.coefficient(0, 0);
      for (std::int64_t i = begin * width; i < end * width; ++i) stage.field[2][i] = c[i % width] * stage.field[0][i];
    }
    const T* const result = from_above() ? stage.field[(n_terms - 1) % 2] : stage.field[2];
    for (std::int64_t i = begin; i < end; ++i) {
      lanes.write(result + i * width, layout.order[static_cast<std::size_t>(i)], out);
    }
  }

  /// How many steps go over the windows one behind the other: as many as the nearer caches hold the windows of.
  std::int64_t n_together(int width) const {
    constexpr std::int64_t cache = 3 << 18, least = 4;
    const std::int64_t of_step = 3 * layout.reach * window_rows * width * static_cast<std::int64_t>(sizeof(T));
    return std::max(least, cache / of_step);
  }

  /// Steps `begin` … `end`, each `reach` windows behind the one before: what it reads is there, and still near.
  void steps(const Stage<T>& stage, std::int64_t begin, std::int64_t end) const {
    const std::int64_t n_windows = layout.n_windows(), lag = layout.reach;
    for (std::int64_t front = 0; front < n_windows + (end - begin - 1) * lag; ++front) {
      for (std::int64_t s = begin; s < end; ++s) {
        const std::int64_t w = front - (s - begin) * lag;
        if (w >= 0 && w < n_windows) windows(step(stage, s), stage.width, w, w + 1);
      }
    }
  }

  void block(const ColumnBlock& block, T* memory) const {
    const Stage<T> stage(memory, layout.n, block.width, n_terms);
    const Lanes<T> lanes(shape, block);
    load_coefficients(stage, block);
    load(stage, lanes, 0, layout.n);
    const std::int64_t together = n_together(block.width);
    for (std::int64_t s = 1; s < n_terms; s += together) steps(stage, s, std::min(n_terms, s + together));
    store(stage, lanes, 0, layout.n);
  }

  /// The same with the windows shared among threads, which meet after every term.
  void block_in_rows(const ColumnBlock& block, T* memory, int team) const {
    const Stage<T> stage(memory, layout.n, block.width, n_terms);
    const Lanes<T> lanes(shape, block);
    load_coefficients(stage, block);
    const auto last_row = [&](std::int64_t w) { return std::min(layout.n, (w + 1) * window_rows); };
#pragma omp parallel num_threads(team)
    {
#pragma omp for schedule(static)
      for (std::int64_t w = 0; w < layout.n_windows(); ++w) load(stage, lanes, w * window_rows, last_row(w));
      for (std::int64_t s = 1; s < n_terms; ++s) {
        const GraphTerm<T> term = step(stage, s);
#pragma omp for schedule(static)
        for (std::int64_t w = 0; w < layout.n_windows(); ++w) windows(term, block.width, w, w + 1);
      }
#pragma omp for schedule(static)
      for (std::int64_t w = 0; w < layout.n_windows(); ++w) store(stage, lanes, w * window_rows, last_row(w));
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
