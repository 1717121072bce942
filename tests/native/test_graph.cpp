// SPDX-License-Identifier: BSD-3-Clause
// Filters of graphs: the same bits for every instruction set and number of threads, close to a naive series; refusals.
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "check.hpp"
#include "spinodal/graph.hpp"
#include "spinodal/isa.hpp"

namespace {

using namespace spinodal;
using namespace spinodal::testing;

/// A ring of n nodes with chords of length 5; weights differ if asked.
struct Ring {
  std::vector<std::int64_t> indptr{0};
  std::vector<std::int32_t> indices;
  std::vector<double> values;

  Ring(std::int64_t n, bool weighted) {
    const auto weight = [&](std::int64_t a, std::int64_t b) {
      return weighted ? 1 + 0.5 * std::sin(static_cast<double>(a + b)) : 1.0;
    };
    for (std::int64_t i = 0; i < n; ++i) {
      double degree = 0;
      std::vector<double> row(static_cast<std::size_t>(n), 0.0);
      for (const std::int64_t step : {std::int64_t{1}, n - 1, std::int64_t{5}, n - 5}) {
        const std::int64_t j = (i + step) % n;
        row[static_cast<std::size_t>(j)] = -weight(i, j);
        degree += weight(i, j);
      }
      row[static_cast<std::size_t>(i)] = degree;
      for (std::int64_t j = 0; j < n; ++j) {
        if (row[static_cast<std::size_t>(j)] == 0) continue;
        indices.push_back(static_cast<std::int32_t>(j));
        values.push_back(row[static_cast<std::size_t>(j)]);
      }
      indptr.push_back(static_cast<std::int64_t>(indices.size()));
    }
  }

  SparseRows rows() const {
    return {static_cast<std::int64_t>(indptr.size()) - 1, indptr.data(), indices.data(), values.data()};
  }
};

template <class T>
std::vector<T> waves(std::int64_t n) {
  std::vector<T> x;
  x.reserve(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i) x.push_back(static_cast<T>(std::cos(0.37 * static_cast<double>(i * i % 1009))));
  return x;
}

template <class T>
std::vector<T> filtered(const Ring& ring, FieldShape shape, int n_inputs, int n_threads) {
  const GraphPlan plan(ring.rows());
  const std::vector<T> x = waves<T>(shape.size());
  std::vector<double> c;
  for (int k = 0; k < 8; ++k) c.insert(c.end(), static_cast<std::size_t>(shape.n_columns()), std::pow(0.7, k));
  std::vector<T> out(x.size());
  const FilterInput<T> inputs[2] = {{x.data(), c.data()}, {x.data(), c.data()}};
  chebyshev_filter(plan, 20.0, inputs, n_inputs, 8, shape, out.data(), n_threads);
  return out;
}

/// Column 0 by the definition.
std::vector<double> naive(const Ring& ring, const std::vector<double>& x) {
  const SparseRows m = ring.rows();
  const auto apply = [&](const std::vector<double>& v) {
    std::vector<double> y(v.size());
    for (std::size_t i = 0; i < v.size(); ++i) {
      double sum = 0;
      for (std::int64_t e = m.indptr[i]; e < m.indptr[i + 1]; ++e) {
        sum += m.values[e] * v[static_cast<std::size_t>(m.indices[e])];
      }
      y[i] = v[i] - sum / 10;
    }
    return y;
  };
  std::vector<double> before = x, now = apply(x), total(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) total[i] = before[i] + 0.7 * now[i];
  for (int k = 2; k < 8; ++k) {
    const std::vector<double> twice = apply(now);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double next = 2 * twice[i] - before[i];
      before[i] = now[i];
      now[i] = next;
      total[i] += std::pow(0.7, k) * next;
    }
  }
  return total;
}

void test_series() {
  for (const bool weighted : {false, true}) {
    const Ring ring(1500, weighted);
    const std::vector<double> want = naive(ring, waves<double>(1500));
    for (const std::int64_t n_channels : {1, 3, 7, 20}) {
      for (const int n_inputs : {1, 2}) {
        const FieldShape shape{1, 1500, n_channels};
        const auto reference = filtered<double>(ring, shape, n_inputs, 1);
        const auto single = filtered<float>(ring, shape, n_inputs, 1);
        if (n_channels == 1) {
          for (std::size_t i = 0; i < want.size(); ++i) CHECK(std::abs(reference[i] - n_inputs * want[i]) < 1e-11);
        }
        for (const std::string& isa : available_isas()) {
          select_isa(isa);
          for (const int n_threads : {1, 3}) {
            CHECK(filtered<double>(ring, shape, n_inputs, n_threads) == reference);
            CHECK(filtered<float>(ring, shape, n_inputs, n_threads) == single);
          }
        }
      }
    }
  }
}

void test_blocks_and_grids() {
  const std::vector<float> x = waves<float>(2 * 12 * 3), even{1, 0, 0, 1}, odd{1};
  std::vector<float> out(x.size());
  const GridMatrices<float> axes[2] = {{4, even.data(), even.data(), nullptr, nullptr},
                                       {3, even.data(), odd.data(), nullptr, nullptr}};
  const GridInput<float> input{x.data(), nullptr, 0};
  grid_filter(axes, 2, &input, 1, {2, 12, 3}, out.data(), 2);
  const std::int64_t offsets[3] = {0, 3, 12};
  const std::vector<float> filters(3 * 8 + 9 * 16, 0.5F);
  block_filter(filters.data(), offsets, 2, x.data(), {2, 12, 3}, out.data(), 2);
  CHECK(std::abs(out[0] - 0.5F * (x[0] + x[3] + x[6])) < 1e-6F);
}

void test_refusals() {
  const Ring ring(12, false);
  const GraphPlan plan(ring.rows());
  const std::vector<double> x(12, 1.0), c(1, 1.0);
  std::vector<double> out(12);
  const FilterInput<double> input{x.data(), c.data()};
  CHECK_REFUSES(chebyshev_filter(plan, 0.0, &input, 1, 1, {1, 12, 1}, out.data(), 1), "lmax must be finite and > 0");
  CHECK_REFUSES(chebyshev_filter(plan, 9.0, &input, 1, 1, {1, 11, 1}, out.data(), 1), "the graph has 12");
  CHECK_REFUSES(chebyshev_filter(plan, 9.0, &input, 1, 1, {1, 12, 1}, out.data(), 0), "n_threads must be >= 1");
}

}  // namespace

int main() {
  test_series();
  test_blocks_and_grids();
  test_refusals();
  return summary("graphs");
}
