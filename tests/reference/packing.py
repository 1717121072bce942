# SPDX-License-Identifier: BSD-3-Clause
"""The definition of packed spins: 1 for up, eight sites a byte, the first in the highest bit, rows padded with 0."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def pack_spins(spins: Array) -> Array:
    n_rows, n_sites = spins.shape
    bits = np.zeros((n_rows, -(-n_sites // 8)), np.uint8)
    for site in range(n_sites):
        bits[:, site // 8] |= (spins[:, site] > 0).astype(np.uint8) << (7 - site % 8)
    return bits


def unpack_spins(bits: Array, n_sites: int) -> Array:
    sites = [bits[:, site // 8] >> (7 - site % 8) & 1 for site in range(n_sites)]
    return (2 * np.array(sites, np.int8).reshape(n_sites, len(bits)).T - 1).astype(np.int8)


def correlate_bits(bits: Array, n_before: int, length: int, n_after: int) -> Array:
    """Σ_x s(x) s(x + r) along the middle axis of each row, r = 0 … length // 2."""
    spins = unpack_spins(bits, n_before * length * n_after).reshape(-1, n_before, length, n_after).astype(int)
    sums = [(spins * np.roll(spins, -r, axis=2)).sum(axis=(1, 2, 3)) for r in range(length // 2 + 1)]
    return np.stack(sums, axis=1)
