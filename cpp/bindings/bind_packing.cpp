// SPDX-License-Identifier: BSD-3-Clause
#include "arrays.hpp"
#include "bindings.hpp"
#include "spinodal/packing.hpp"

namespace spinodal::bindings {
namespace {

using Spins = Array<std::int8_t>;
using Bits = Array<std::uint8_t>;

/// The number of rows of spins (n_rows, n_sites).
std::int64_t rows_of(const Spins& spins) {
  if (spins.ndim() != 2) {
    throw std::invalid_argument("spins must have shape (n_rows, n_sites); got " + std::to_string(spins.ndim()) +
                                " axes");
  }
  return spins.shape(0);
}

bool pack_spins(const Spins& spins, Bits& out) {
  const std::int64_t n_rows = rows_of(spins), n_sites = spins.shape(1);
  const std::int8_t* source = spins.data();
  std::uint8_t* bits = write(out, n_rows * ((n_sites + 7) / 8), "out");
  py::gil_scoped_release release;
  return spinodal::pack_spins(source, n_rows, n_sites, bits);
}

void unpack_spins(const Bits& bits, Spins& out) {
  const std::int64_t n_rows = rows_of(out), n_sites = out.shape(1);
  const std::uint8_t* source = read(bits, n_rows * ((n_sites + 7) / 8), "bits");
  std::int8_t* spins = out.mutable_data();
  py::gil_scoped_release release;
  spinodal::unpack_spins(source, n_rows, n_sites, spins);
}

void correlate_bits(const Bits& bits, std::int64_t n_before, std::int64_t length, std::int64_t n_after,
                    Array<std::int64_t>& out) {
  const std::int64_t n_rows = bits.ndim() == 2 ? bits.shape(0) : 0;
  const std::uint8_t* source = read(bits, n_rows * ((n_before * length * n_after + 7) / 8), "bits");
  std::int64_t* sums = write(out, n_rows * (length / 2 + 1), "out");
  py::gil_scoped_release release;
  spinodal::correlate_bits(source, n_rows, n_before, length, n_after, sums);
}

}  // namespace

void bind_packing(py::module_& module) {
  using py::arg;
  module.def("pack_spins", &pack_spins, arg("spins").noconvert(), arg("out").noconvert());
  module.def("unpack_spins", &unpack_spins, arg("bits").noconvert(), arg("out").noconvert());
  module.def("correlate_bits", &correlate_bits, arg("bits").noconvert(), arg("n_before"), arg("length"), arg("n_after"),
             arg("out").noconvert());
}

}  // namespace spinodal::bindings
