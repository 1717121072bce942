// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "kernels/pack.hpp"

SPINODAL_KERNELS_BEGIN

/// As many of `width` columns as one register holds.
///
/// Packs of several registers are copied through memory, by other pieces than they are read in: each sum would wait.
template <class T, int width>
using RegisterPack = Pack<T, (width < native_lanes<T> ? width : native_lanes<T>)>;

SPINODAL_KERNELS_END
