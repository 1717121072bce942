// SPDX-License-Identifier: BSD-3-Clause
#include <pybind11/stl.h>

#include "arrays.hpp"
#include "bindings.hpp"
#include "spinodal/isa.hpp"
#include "spinodal/stream.hpp"

namespace spinodal::bindings {
namespace {

Array<std::uint32_t> stream_blocks(const std::string& stream, std::uint64_t seed,
                                   const Array<std::uint32_t>& counters) {
  static_assert(sizeof(Counter) == 4 * sizeof(std::uint32_t));
  if (counters.ndim() != 2 || counters.shape(1) != 4) throw std::invalid_argument("counters must have shape (n, 4)");
  const Stream parsed = parse_stream(stream);
  Array<std::uint32_t> out({counters.shape(0), py::ssize_t{4}});
  const auto* source = reinterpret_cast<const Counter*>(counters.data());
  std::uint32_t* target = out.mutable_data();
  const auto n = static_cast<std::uint64_t>(counters.shape(0));
  py::gil_scoped_release release;
  spinodal::stream_blocks(parsed, seed, source, n, target);
  return out;
}

}  // namespace

void bind_runtime(py::module_& module) {
  module.def("available_isas", &available_isas);
  module.def("active_isa", &active_isa);
  module.def("select_isa", &select_isa, py::arg("name"));
  module.def("stream_blocks", &stream_blocks, py::arg("stream"), py::arg("seed"), py::arg("counters").noconvert());
}

}  // namespace spinodal::bindings
