# SPDX-License-Identifier: BSD-3-Clause
"""Numba twin of the pair kernels: linked cells, any box.

The formulas are in ``cpp/include/spinodal/neighbors.hpp``. Pairs are the same, in another order.
"""

from __future__ import annotations

import math

import numba
import numpy as np
import numpy.typing as npt

from spinodal.backends.numba_lennard_jones import link, wrapped

Reals = npt.NDArray[np.float64]


@numba.njit(cache=True)
def _forward_pairs(at: Reals, length: Reals, cutoff: float, periodic: bool, dim: int):
    """Return (i, j, image of j) and D of each pair within the cutoff once."""
    cells, reach, head, following = link(at, length, cutoff, periodic, dim)
    home, cell, image = np.empty(3, dtype=np.int64), np.empty(3, dtype=np.int64), np.empty(3, dtype=np.int64)
    who, vectors, n = np.empty((64, 5), dtype=np.int64), np.empty((64, 3)), 0
    for i in range(len(at)):
        for axis in range(3):
            home[axis] = min(int(at[i, axis] / length[axis] * cells[axis]), cells[axis] - 1)
        for offset in np.ndindex(2 * reach[0] + 1, 2 * reach[1] + 1, 2 * reach[2] + 1):
            outside = False
            for axis in range(3):
                index = home[axis] + offset[axis] - reach[axis]
                image[axis] = index // cells[axis]
                outside = outside or (not periodic and image[axis] != 0)
                cell[axis] = index - image[axis] * cells[axis]
            if outside:
                continue
            ahead = image[0] > 0 or (image[0] == 0 and (image[1] > 0 or (image[1] == 0 and image[2] > 0)))
            j = head[(cell[0] * cells[1] + cell[1]) * cells[2] + cell[2]]
            while j >= 0:
                dx = at[j, 0] - (at[i, 0] - image[0] * length[0])
                dy = at[j, 1] - (at[i, 1] - image[1] * length[1])
                dz = at[j, 2] - (at[i, 2] - image[2] * length[2])
                if (j > i or (j == i and ahead)) and dx * dx + dy * dy + dz * dz < cutoff * cutoff:
                    if n == len(who):
                        who, vectors = np.concatenate((who, who)), np.concatenate((vectors, vectors))
                    who[n, 0], who[n, 1], who[n, 2:] = i, j, image
                    vectors[n, 0], vectors[n, 1], vectors[n, 2] = dx, dy, dz
                    n += 1
                j = following[j]
    return who[:n], vectors[:n]


@numba.njit(cache=True, nogil=True)
def list_pairs(positions: Reals, box: Reals, periodic: bool, cutoff: float, half: bool):
    """Return the columns i, j, d, D and S."""
    dim = positions.shape[1]
    at, length = wrapped(positions, box, periodic)
    who, forward = _forward_pairs(at, length, cutoff, periodic, dim)
    step = 1 if half else 2
    n = step * len(who)
    i, j, d = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64), np.empty(n)
    vectors, shifts = np.empty((n, dim)), np.empty((n, dim), dtype=np.int32)
    for k in range(len(who)):
        a, b, square = who[k, 0], who[k, 1], 0.0
        for axis in range(dim):
            shift = who[k, 2 + axis]
            if periodic:
                shift += round((positions[a, axis] - at[a, axis]) / length[axis])
                shift -= round((positions[b, axis] - at[b, axis]) / length[axis])
            x = forward[k, axis]
            square += x * x
            vectors[step * k, axis], shifts[step * k, axis] = x, shift
            if not half:
                vectors[step * k + 1, axis], shifts[step * k + 1, axis] = -x, -shift
        i[step * k], j[step * k], d[step * k] = a, b, math.sqrt(square)
        if not half:
            i[step * k + 1], j[step * k + 1], d[step * k + 1] = b, a, math.sqrt(square)
    return i, j, d, vectors, shifts


@numba.njit(cache=True, nogil=True)
def pair_histogram(positions: Reals, box: Reals, periodic: bool, r_max: float, counts):
    """Count the pairs of one system by distance."""
    at, length = wrapped(positions, box, periodic)
    counts[:] = 0
    scale = len(counts) / r_max
    _, vectors = _forward_pairs(at, length, r_max, periodic, positions.shape[1])
    for k in range(len(vectors)):
        x, y, z = vectors[k]
        index = int(math.sqrt(x * x + y * y + z * z) * scale)
        if index < len(counts):
            counts[index] += 1
