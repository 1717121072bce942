// SPDX-License-Identifier: BSD-3-Clause
// What the filters of graphs work on.
#pragma once

#include <cstdint>

namespace spinodal {

/// Neighbouring rows of one degree within a window of rows.
struct GraphRun {
  std::int64_t begin, end;    ///< rows
  std::int64_t first_entry;   ///< of row `begin`; each row has `degree` of them
  std::int64_t first_column;  ///< that offsets of 16 bits count from
  std::int32_t degree;
};

/// Off-diagonal entries of 4L/lmax negated, and what is left of the diagonal; T is float or double.
///
/// Columns are 16 bits from a run's first one where every window's reach allows, else 32.
template <class T>
struct GraphRows {
  const GraphRun* runs;
  const std::int64_t* first_run;  ///< (n_windows + 1)
  const std::uint16_t* near;      ///< null: `far` is read
  const std::uint32_t* far;
  const T* weights;   ///< of every entry; null: all are 1
  const T* diagonal;  ///< of every row; read with `weights`, else the diagonal is the degree
};

/// One term of a recurrence on a block of columns side by side, and what becomes of it row by row:
///
///   next = half · (scale Σ_j w_ij ahead_j + (2 - scale d_i) ahead_i) - behind                                  (1)
///
/// From below (`out` not null) behind ← next = T_k, and where `update` is set out gains
/// c_0 T_{k-2} + c_1 T_{k-1} + c_2 T_k, three terms in one visit. From above, behind ← next + Σ_m c_m x_m (Clenshaw).
template <class T>
struct GraphTerm {
  const T* ahead;
  T* behind;
  T scale, half;
  const T* c[3];       ///< (width) each
  const T* x[2];       ///< from above
  T* out;              ///< from below
  bool update, first;  ///< the first update of `out` sets it
};

/// One axis of a grid: lines of n sites, `stride` sites apart, of a matrix that commutes with the line's reversal.
///
/// Sums x_i + x_{n-1-i} (the middle of an odd line by itself) meet `even`, differences `odd`; both are stored by input:
/// even[k·n_even + r] takes sum k to result r.
template <class T>
struct GridAxis {
  const T *even, *odd;
  std::int64_t n, n_lines, stride;

  std::int64_t n_even() const { return (n + 1) / 2; }
  std::int64_t n_odd() const { return n / 2; }
};

/// What a pass along an axis begins or ends with: sites, or the even coefficients and then the odd ones.
enum class GridPass { forward, inverse, direct };

/// One dense symmetric filter of a block of nodes; rows are `stride` elements apart, a multiple of 8.
template <class T>
struct DenseBlock {
  const T* filter;
  std::int64_t n, stride;
};

}  // namespace spinodal
