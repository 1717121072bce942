// SPDX-License-Identifier: BSD-3-Clause
#include "bindings.hpp"

PYBIND11_MODULE(_native, module) {
  module.doc() = "Compiled kernels of spinodal; use them through spinodal.kernels.";
  spinodal::bindings::bind_runtime(module);
  spinodal::bindings::bind_ising(module);
  spinodal::bindings::bind_cluster(module);
  spinodal::bindings::bind_tempering(module);
  spinodal::bindings::bind_packed(module);
  spinodal::bindings::bind_replicas(module);
  spinodal::bindings::bind_packing(module);
  spinodal::bindings::bind_lennard_jones(module);
  spinodal::bindings::bind_molecular_dynamics(module);
  spinodal::bindings::bind_neighbors(module);
  spinodal::bindings::bind_local_moves(module);
  spinodal::bindings::bind_graph(module);
}
