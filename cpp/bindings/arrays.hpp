// SPDX-License-Identifier: BSD-3-Clause
// The one place where NumPy arrays become pointers. Arguments are taken with noconvert: a wrong
// dtype or stride is a TypeError, never a hidden copy of an array that is changed in place.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <stdexcept>
#include <string>

#include "spinodal/ising.hpp"

namespace spinodal::bindings {

namespace py = pybind11;

template <class T>
using Array = py::array_t<T, py::array::c_style>;

/// Spins (…, [lz,] ly, lx): leading axes are chains.
struct SpinBatch {
  std::int64_t n_chains;
  LatticeShape shape;
};

inline SpinBatch batch_of(const Array<std::int8_t>& spins, int ndim) {
  if (ndim != 2 && ndim != 3) throw std::invalid_argument("ndim must be 2 or 3; got " + std::to_string(ndim));
  if (spins.ndim() < ndim) {
    throw std::invalid_argument("spins need at least " + std::to_string(ndim) + " axes; got " +
                                std::to_string(spins.ndim()));
  }
  const auto length = [&](int from_last) { return static_cast<std::int64_t>(spins.shape(spins.ndim() - from_last)); };
  const LatticeShape shape{ndim == 3 ? length(3) : 1, length(2), length(1), ndim == 2};
  std::int64_t n_chains = 1;
  for (py::ssize_t axis = 0; axis < spins.ndim() - ndim; ++axis) n_chains *= spins.shape(axis);
  return {n_chains, shape};
}

/// An array's data after a check of its number of elements.
template <class T>
const T* read(const Array<T>& array, std::int64_t size, const char* name) {
  if (array.size() != size) {
    throw std::invalid_argument(std::string(name) + " needs " + std::to_string(size) + " elements; got " +
                                std::to_string(array.size()));
  }
  return array.data();
}

template <class T>
T* write(Array<T>& array, std::int64_t size, const char* name) {
  read(array, size, name);
  return array.mutable_data();  // a read-only array throws here
}

}  // namespace spinodal::bindings
