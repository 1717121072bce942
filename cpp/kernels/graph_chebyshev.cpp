// SPDX-License-Identifier: BSD-3-Clause
// Chebyshev terms row by row. A block of columns is at most a cache line wide: one row, one line of each array.
#include "kernels/entries.hpp"
#include "kernels/graph_pack.hpp"

SPINODAL_KERNELS_BEGIN

template <class V, int width, bool weighted, class T, class Index>
SPINODAL_INLINE V neighbor(const T* ahead, const Index* column, const T* weight, int j) {
  const V value = V::load(ahead + static_cast<std::int64_t>(column[j]) * width);
  if constexpr (weighted) {
    return V::all(weight[j]) * value;
  } else {
    return value;
  }
}

/// Σ of the neighbours, four at a time and `left` more: rows of a run have one degree, so no branch is guessed wrong.
template <class V, int width, bool weighted, int left, class T, class Index>
SPINODAL_INLINE V neighbors(const T* ahead, const Index* column, const T* weight, std::int32_t n_fours) {
  const auto at = [&](int j) { return neighbor<V, width, weighted>(ahead, column, weight, j); };
  V sum = V::all(0);
  for (std::int32_t q = 0; q < n_fours; ++q) {
    sum = sum + ((at(0) + at(1)) + (at(2) + at(3)));
    column += 4;
    if constexpr (weighted) weight += 4;
  }
  if constexpr (left > 0) sum = sum + at(0);
  if constexpr (left > 1) sum = sum + at(1);
  if constexpr (left > 2) sum = sum + at(2);
  return sum;
}

/// From below: out += c_0 T_{k-2} + c_1 T_{k-1} + c_2 T_k.
template <class V, class T>
struct Forward {
  explicit Forward(const GraphTerm<T>& term) : out(term.out), update(term.update), first(term.first) {
    for (int m = 0; m < 3; ++m) c[m] = update ? V::load(term.c[m]) : V::all(0);
  }
  SPINODAL_INLINE V finish(std::int64_t at, V ahead, V behind, V next) const {
    if (update) {
      const V three = (c[0] * behind + c[1] * ahead) + c[2] * next;
      (first ? three : V::load(out + at) + three).store(out + at);
    }
    return next;
  }

  V c[3];
  T* out;
  bool update, first;
};

/// From above: Clenshaw's sum.
template <class V, class T>
struct Backward {
  explicit Backward(const GraphTerm<T>& term) : x{term.x[0], term.x[1]} {
    for (int m = 0; m < 2; ++m) c[m] = V::load(term.c[m]);
  }
  SPINODAL_INLINE V finish(std::int64_t at, V, V, V next) const {
    return (next + c[0] * V::load(x[0] + at)) + c[1] * V::load(x[1] + at);
  }

  V c[2];
  const T* x[2];
};

template <class V, int width, class Finish, bool weighted, int left, class T, class Index>
void run_rows(const GraphRows<T>& rows, const GraphRun& run, const Index* columns, const GraphTerm<T>& term) {
  const Finish finish(term);
  const V scale = V::all(term.half * term.scale);
  V own = V::all(term.half * (T{2} - term.scale * static_cast<T>(run.degree)));
  const Index* column = columns + run.first_entry;
  const T* weight = weighted ? rows.weights + run.first_entry : nullptr;
  const T* const base = term.ahead + run.first_column * width;
  for (std::int64_t row = run.begin; row < run.end; ++row) {
    const V sum = neighbors<V, width, weighted, left>(base, column, weight, run.degree / 4);
    column += run.degree;
    if constexpr (weighted) {
      weight += run.degree;
      own = V::all(term.half * (T{2} - term.scale * rows.diagonal[row]));
    }
    const V ahead = V::load(term.ahead + row * width), behind = V::load(term.behind + row * width);
    finish.finish(row * width, ahead, behind, scale * sum + (own * ahead - behind)).store(term.behind + row * width);
  }
}

template <class V, int width, class Finish, bool weighted, class T, class Index>
void window_rows(const GraphRows<T>& rows, std::int64_t window, const Index* columns, const GraphTerm<T>& term) {
  for (std::int64_t r = rows.first_run[window]; r < rows.first_run[window + 1]; ++r) {
    const GraphRun& run = rows.runs[r];
    switch (run.degree % 4) {
      case 0: run_rows<V, width, Finish, weighted, 0>(rows, run, columns, term); break;
      case 1: run_rows<V, width, Finish, weighted, 1>(rows, run, columns, term); break;
      case 2: run_rows<V, width, Finish, weighted, 2>(rows, run, columns, term); break;
      default: run_rows<V, width, Finish, weighted, 3>(rows, run, columns, term);
    }
  }
}

template <class V, int width, class Finish, class T>
void finished_term(const GraphRows<T>& rows, std::int64_t window, const GraphTerm<T>& term) {
  const bool weighted = rows.weights != nullptr;
  if (rows.near != nullptr) {
    weighted ? window_rows<V, width, Finish, true>(rows, window, rows.near, term)
             : window_rows<V, width, Finish, false>(rows, window, rows.near, term);
  } else {
    weighted ? window_rows<V, width, Finish, true>(rows, window, rows.far, term)
             : window_rows<V, width, Finish, false>(rows, window, rows.far, term);
  }
}

/// A block wider than a register goes by in parts.
template <int width, class T>
void window_term(const GraphRows<T>& rows, std::int64_t window, GraphTerm<T> term) {
  using V = RegisterPack<T, width>;
  constexpr int lanes = V::lanes;
  for (int part = 0; part < width; part += lanes) {
    term.out != nullptr ? finished_term<V, width, Forward<V, T>>(rows, window, term)
                        : finished_term<V, width, Backward<V, T>>(rows, window, term);
    term.ahead += lanes;
    term.behind += lanes;
    if (term.out != nullptr) term.out += lanes;
    for (const T*& c : term.c) c = c == nullptr ? c : c + lanes;
    for (const T*& x : term.x) x = x == nullptr ? x : x + lanes;
  }
}

SPINODAL_KERNELS_END

namespace spinodal {
namespace SPINODAL_ISA {

void graph_term(const GraphRows<float>& rows, std::int64_t window, const GraphTerm<float>& term, int width) {
  switch (width) {
    case 16: window_term<16>(rows, window, term); break;
    case 8: window_term<8>(rows, window, term); break;
    default: window_term<4>(rows, window, term);
  }
}

void graph_term_double(const GraphRows<double>& rows, std::int64_t window, const GraphTerm<double>& term, int width) {
  width == 8 ? window_term<8>(rows, window, term) : window_term<4>(rows, window, term);
}

}  // namespace SPINODAL_ISA
}  // namespace spinodal
