// SPDX-License-Identifier: BSD-3-Clause
/// Filters f(L) of the Laplacian of a graph, as operators on fields.
///
/// Fields are C-contiguous (n_fields, n_nodes, n_channels), float or double; a column is one channel of one field.
/// Every operation is an IEEE one, lane by lane over columns: results are the same bits for any number of threads and
/// any instruction set. Every function throws std::invalid_argument on input it cannot take.
#pragma once

#include <cstdint>
#include <memory>

namespace spinodal {

/// A symmetric matrix in compressed rows, diagonal included: columns of a row rise, none twice.
struct SparseRows {
  std::int64_t n;
  const std::int64_t* indptr;   ///< (n + 1)
  const std::int32_t* indices;  ///< (indptr[n])
  const double* values;         ///< (indptr[n])
};

struct FieldShape {
  std::int64_t n_fields, n_nodes, n_channels;

  std::int64_t n_columns() const { return n_fields * n_channels; }
  std::int64_t size() const { return n_columns() * n_nodes; }
};

struct GraphLayout;

/// A graph's rows in the order the filter works in: reverse Cuthill-McKee, rows of one degree side by side.
class GraphPlan {
 public:
  explicit GraphPlan(const SparseRows& laplacian);
  ~GraphPlan();
  GraphPlan(const GraphPlan&) = delete;
  GraphPlan& operator=(const GraphPlan&) = delete;

  std::int64_t n_nodes() const;
  std::int64_t bandwidth() const;     ///< largest distance of two neighbours in that order
  bool value_free() const;            ///< all edges weigh the same, and the diagonal is what they sum to
  const std::int32_t* order() const;  ///< (n_nodes) node at each place
  const GraphLayout& layout() const { return *layout_; }

 private:
  std::unique_ptr<GraphLayout> layout_;
};

/// One filter's argument: a field and its coefficients.
template <class T>
struct FilterInput {
  const T* x;
  const double* coefficients;  ///< (n_terms, n_columns)
};

/// out = Σ_inputs Σ_k c_k T_k(1 - 2L/lmax) x                                                 (1)
///
/// One field: T_{k+1} = (2 - 4L/lmax) T_k - T_{k-1}. Two fields, at the cost of one, by Clenshaw's recurrence
///
///   b_k = c_k x + (2 - 4L/lmax) b_{k+1} - b_{k+2},   out = c_0 x + (1 - 2L/lmax) b_1 - b_2    (2)
///
/// Each column may have coefficients of its own. `lmax` must not be below the largest eigenvalue: the recurrence would
/// diverge.
///
/// Clenshaw, Math. Tables Aids Comput. 9, 118 (1955).
///
/// @param inputs  1 or 2 of them; `out` may be none of their fields
template <class T>
void chebyshev_filter(const GraphPlan& graph, double lmax, const FilterInput<T>* inputs, int n_inputs,
                      std::int64_t n_terms, FieldShape shape, T* out, int n_threads);

/// Matrices along one axis of a grid, of a path or a ring of n nodes: they commute with its reversal.
///
/// With h = ceil(n / 2) sums x_i + x_{n-1-i} (the middle of an odd length by itself) and n - h differences, `even`
/// takes sums to sums and `odd` differences to differences, each (inputs, outputs). Where multipliers are given these
/// are the eigenvectors, to even coefficients and odd ones, and the `back` pair leads from there; else they are the
/// filter.
template <class T>
struct GridMatrices {
  std::int64_t n;
  const T *even, *odd;
  const T *back_even, *back_odd;
};

/// A field, and what multiplies its coefficients: (1 or n_fields, n_nodes), or null for a filter by the axes alone.
template <class T>
struct GridInput {
  const T* x;
  const T* multipliers;
  std::int64_t n_multipliers;
};

/// out = Σ_inputs f(L) x on a grid whose Laplacian is a sum over axes.
///
/// @param axes    slowest first; their lengths multiply to n_nodes
/// @param inputs  1 or 2 of them; 1 without multipliers
template <class T>
void grid_filter(const GridMatrices<T>* axes, int n_axes, const GridInput<T>* inputs, int n_inputs, FieldShape shape,
                 T* out, int n_threads);

/// out = F_b x for each block of consecutive nodes: one dense symmetric filter a block.
///
/// @param filters  blocks one after the other, each (n_b, s_b) with n_b rounded up to s_b, a multiple of 8
/// @param offsets  (n_blocks + 1) first node of each block, and n_nodes
template <class T>
void block_filter(const T* filters, const std::int64_t* offsets, std::int64_t n_blocks, const T* x, FieldShape shape,
                  T* out, int n_threads);

}  // namespace spinodal
