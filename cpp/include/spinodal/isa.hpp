// SPDX-License-Identifier: BSD-3-Clause
/// Instruction sets the kernels were compiled for, and the one in use.
#pragma once

#include <string>
#include <vector>

namespace spinodal {

/// Names this build contains and this CPU can run, slowest first: "baseline", "avx2", "vaes", "avx512".
std::vector<std::string> available_isas();

/// The one in use: the last available, or the environment's SPINODAL_ISA.
/// Throws std::invalid_argument when SPINODAL_ISA names one that cannot run here.
std::string active_isa();

/// Use another; results do not depend on it.
void select_isa(const std::string& name);

}  // namespace spinodal
