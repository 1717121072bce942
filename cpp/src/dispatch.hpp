// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "kernels/table.hpp"

namespace spinodal {

/// The kernels of the instruction set in use.
const KernelTable& kernels();

}  // namespace spinodal
