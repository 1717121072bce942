// SPDX-License-Identifier: BSD-3-Clause
#include "src/lj_dwellings.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace spinodal {
namespace {

constexpr std::int64_t few = 128;  // particles for which all pairs cost no more than lists

double wrap_into(double x, double length) {
  const double inside = x - length * std::floor(x / length);
  return inside < length ? inside : 0.0;
}

}  // namespace

void Dwellings::take(const double* positions, std::int64_t n, const Box& box, double cutoff, double step) {
  at_.n = n;
  at_.dim = box.dim;
  at_.periodic = box.periodic;
  divide(box, cutoff + std::sqrt(static_cast<double>(box.dim)) * step);
  at_.place = place_.room(4 * (n + 1));
  for (std::int64_t i = 0; i < n; ++i) {
    double* place = at_.place + 4 * i;
    place[2] = place[3] = 0;
    for (int axis = 0; axis < at_.dim; ++axis) {
      const double x = positions[i * at_.dim + axis];
      place[axis] = box.periodic ? wrap_into(x, box.length[axis]) : x;
    }
  }
  std::fill_n(at_.place + 4 * n, 4, std::numeric_limits<double>::quiet_NaN());
  at_.candidates = candidates_.room(n + 16);
  for (std::int64_t k = 0; at_.single && k < n + 16; ++k) {
    at_.candidates[k] = static_cast<std::uint32_t>(std::min(k, n));
  }
}

void Dwellings::divide(const Box& box, double reach) {
  const double most = std::max(3.0, std::ceil(std::pow(static_cast<double>(at_.n), 1.0 / box.dim)));
  at_.single = at_.filtered = true;
  at_.tight = false;
  bool large = at_.n > few;
  for (int axis = 0; axis < 3; ++axis) {
    at_.n_cells[axis] = 1;
    at_.length[axis] = at_.side[axis] = 1;
    if (!box.periodic || axis >= box.dim) continue;
    const double length = at_.length[axis] = box.length[axis];
    const double n = std::min(most, std::floor(length / (reach * (1 + 1e-9))));
    if (n >= 3) at_.n_cells[axis] = static_cast<std::int64_t>(n);
    at_.side[axis] = length / static_cast<double>(at_.n_cells[axis]);
    at_.tight = at_.tight || length < 2 * reach;
    at_.filtered = at_.filtered && n >= 3;
    at_.single = at_.single && n < 3;
    large = large || n > 3;
  }
  if (large && !at_.single) return;
  std::fill_n(at_.n_cells, 3, 1);
  at_.single = true;
}

std::int64_t Dwellings::cell_of(std::int64_t i) const {
  std::int64_t cell = 0;
  for (int axis = 0; axis < 3; ++axis) {
    cell = cell * at_.n_cells[axis] + lj_cell_along(at_, axis, at_.place[4 * i + axis]);
  }
  return cell;
}

void Dwellings::lay_out(std::int64_t capacity) {
  at_.capacity = capacity;
  at_.corner = corner_.room(3 * total_cells() * capacity);
  at_.occupant = occupant_.room(total_cells() * capacity);
  std::fill_n(at_.corner, 3 * total_cells() * capacity, std::numeric_limits<float>::quiet_NaN());
  std::fill_n(at_.occupant, total_cells() * capacity, static_cast<std::uint32_t>(at_.n));
}

void Dwellings::place_in(std::int64_t i, std::int64_t cell) {
  const std::int32_t slot = at_.slot[i];
  at_.occupant[cell * at_.capacity + slot] = static_cast<std::uint32_t>(i);
  std::int64_t left = cell;
  for (int axis = 2; axis >= 0; left /= at_.n_cells[axis], --axis) {
    const double corner = static_cast<double>(left % at_.n_cells[axis]) * at_.side[axis];
    at_.corner[(3 * cell + axis) * at_.capacity + slot] = static_cast<float>(at_.place[4 * i + axis] - corner);
  }
}

void Dwellings::settle() {
  if (at_.single) return;
  at_.count = count_.room(total_cells());
  at_.cell = cell_.room(at_.n);
  at_.slot = slot_.room(at_.n);
  std::fill_n(at_.count, total_cells(), 0);
  std::int32_t most = 0;
  for (std::int64_t i = 0; i < at_.n; ++i) {
    at_.cell[i] = static_cast<std::int32_t>(cell_of(i));
    at_.slot[i] = at_.count[at_.cell[i]]++;
    most = std::max(most, at_.count[at_.cell[i]]);
  }
  lay_out((most + 15) / 8 * 8);
  for (std::int64_t i = 0; i < at_.n; ++i) place_in(i, at_.cell[i]);
}

void Dwellings::grow() {
  lay_out(at_.capacity + 8);
  for (std::int64_t i = 0; i < at_.n; ++i) place_in(i, at_.cell[i]);
}

void Dwellings::shift(const double* by) {
  for (std::int64_t i = 0; i < at_.n; ++i) {
    for (int axis = 0; axis < at_.dim; ++axis) at_.place[4 * i + axis] += by[axis];
  }
}

void Dwellings::read(double* positions) const {
  for (std::int64_t i = 0; i < at_.n; ++i) std::copy_n(at_.place + 4 * i, at_.dim, positions + i * at_.dim);
}

void Dwellings::mean(double* out) const {
  std::fill_n(out, 3, 0.0);
  for (std::int64_t i = 0; i < at_.n; ++i) {
    for (int axis = 0; axis < at_.dim; ++axis) out[axis] += at_.place[4 * i + axis];
  }
  for (int axis = 0; axis < at_.dim; ++axis) out[axis] /= static_cast<double>(at_.n);
}

}  // namespace spinodal
