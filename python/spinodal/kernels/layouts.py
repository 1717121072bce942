# SPDX-License-Identifier: BSD-3-Clause
"""Which lattices the bit-packed layouts take."""

from __future__ import annotations

_MAX_VECTORS = 2**24


def rows_supports(shape: tuple[int, ...]) -> bool:
    """Tell whether a lattice can be swept with the bits of a word along its rows, at h = 0.

    Parameters
    ----------
    shape : tuple of int
        Lattice lengths, the last along x.

    Returns
    -------
    bool
        True for two even lengths, the last at least 64, whose sublattice fits 2²⁴ vectors of 256 bits.
    """
    if len(shape) != 2 or min(shape) < 2 or any(length % 2 for length in shape):
        return False
    ly, lx = shape
    return lx >= 64 and ly * -(-lx // 512) <= _MAX_VECTORS
