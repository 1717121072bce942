// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <pybind11/pybind11.h>

namespace spinodal::bindings {

void bind_runtime(pybind11::module_& module);
void bind_ising(pybind11::module_& module);
void bind_cluster(pybind11::module_& module);
void bind_tempering(pybind11::module_& module);
void bind_packed(pybind11::module_& module);
void bind_replicas(pybind11::module_& module);
void bind_packing(pybind11::module_& module);
void bind_lennard_jones(pybind11::module_& module);
void bind_molecular_dynamics(pybind11::module_& module);
void bind_neighbors(pybind11::module_& module);
void bind_local_moves(pybind11::module_& module);
void bind_graph(pybind11::module_& module);

}  // namespace spinodal::bindings
