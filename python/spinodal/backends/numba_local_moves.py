# SPDX-License-Identifier: BSD-3-Clause
"""Numba twin of local moves: the same random numbers, energies to rounding.

The formulas are in ``cpp/include/spinodal/local_moves.hpp``.
"""

from __future__ import annotations

import math

import numba
import numpy as np
import numpy.typing as npt

from spinodal.backends.numba_lennard_jones import compute, pair
from spinodal.backends.numba_streams import counter_word, stream_block

Reals = npt.NDArray[np.float64]

_U32, _U64 = np.uint32, np.uint64
_PARTICLES, _LOCAL_MOVE = 11, 3  # the purpose, and its block
_FRESH = 256  # sweeps from one fresh energy to the next


@numba.njit(cache=True)
def _divide(n: int, dim: int, box: Reals, periodic: bool, cutoff: float):
    """Return the number of cells along each axis: one where there is no room for three."""
    cells = np.ones(3, dtype=np.int64)
    most = max(3, math.ceil(n ** (1.0 / dim)))
    for axis in range(dim):
        if periodic and box[axis] >= 3 * cutoff:
            cells[axis] = min(most, int(box[axis] / cutoff))
    return cells


@numba.njit(cache=True)
def _cell(x: Reals, box: Reals, cells):
    index = 0
    for axis in range(3):
        along = 0
        if axis < len(x) and cells[axis] > 1:
            along = min(int(x[axis] / box[axis] * cells[axis]), cells[axis] - 1)
        index = index * cells[axis] + along
    return index


@numba.njit(cache=True)
def _pairs_energy(x: Reals, i: int, at: Reals, box: Reals, periodic: bool, k: Reals, cells, head, following):
    """Return the energy of particle i at a place with all others."""
    total, home = 0.0, _cell(at, box, cells)
    index = (home // (cells[1] * cells[2]), home // cells[2] % cells[1], home % cells[2])
    around = (min(3, cells[0]), min(3, cells[1]), min(3, cells[2]))
    for offset in np.ndindex(around):
        cell = 0
        for axis in range(3):
            along = (index[axis] + offset[axis] - 1) % cells[axis] if cells[axis] > 1 else 0
            cell = cell * cells[axis] + along
        j = head[cell]
        while j >= 0:
            r2 = 0.0
            for axis in range(len(at)):
                d = at[axis] - x[j, axis]
                if periodic:
                    d -= box[axis] * np.rint(d / box[axis])
                r2 += d * d
            if j != i and r2 < k[0]:
                total += pair(r2, k)[0] if r2 + k[1] > 0.0 else np.inf
            j = following[j]
    return total


@numba.njit(cache=True)
def _change_cell(i: int, old: int, new: int, head, following):
    if old == new:
        return
    if head[old] == i:
        head[old] = following[i]
    else:
        j = head[old]
        while following[j] != i:
            j = following[j]
        following[j] = following[i]
    following[i] = head[new]
    head[new] = i


@numba.njit(cache=True)
def _wrap(x: Reals, box: Reals):
    for axis in range(len(x)):
        x[axis] -= box[axis] * math.floor(x[axis] / box[axis])
        if x[axis] >= box[axis]:
            x[axis] = 0.0


@numba.njit(cache=True)
def _mean(x: Reals):
    center = np.zeros(x.shape[1])
    for axis in range(x.shape[1]):
        center[axis] = x[:, axis].mean()
    return center


@numba.njit(cache=True)
def _sweep(x, box, periodic, k, confinement, temperature, step, cells, head, following, stream_id, seed, sweep, chain):
    """Move every particle in turn; return the change of energy and the moves accepted."""
    n, dim = x.shape
    center, energy, accepted = _mean(x), 0.0, 0
    word = counter_word(_PARTICLES, _LOCAL_MOVE, sweep)
    by, to = np.zeros(dim), np.zeros(dim)
    for i in range(n):
        lo, hi = stream_block(stream_id, seed, word, _U32(i), _U32(sweep), _U32(chain))
        spring = 0.0
        for axis in range(dim):
            grid = float((lo >> _U64(21 * axis)) & _U64(0x1FFFFF))
            by[axis] = step * ((grid + 0.5) * 2.0**-20 - 1.0)
            to[axis] = x[i, axis] + by[axis]
            spring += (x[i, axis] - center[axis]) * by[axis] + 0.5 * by[axis] ** 2 * (1.0 - 1.0 / n)
        if periodic:
            _wrap(to, box)
        threshold = -math.log((float(hi >> _U64(12)) + 0.5) * 2.0**-52)
        change = _pairs_energy(x, i, to, box, periodic, k, cells, head, following)
        change += confinement * spring - _pairs_energy(x, i, x[i], box, periodic, k, cells, head, following)
        if change <= threshold * temperature:
            _change_cell(i, _cell(x[i], box, cells), _cell(to, box, cells), head, following)
            x[i] = to
            center += by / n
            energy += change
            accepted += 1
    return energy, accepted


@numba.njit(cache=True)
def _energy(x: Reals, box: Reals, periodic: bool, k: Reals, confinement: float):
    energy, _ = compute(x, box, periodic, k, np.empty_like(x))
    center = _mean(x)
    for axis in range(x.shape[1]):
        energy += 0.5 * confinement * ((x[:, axis] - center[axis]) ** 2).sum()
    return energy


@numba.njit(cache=True, nogil=True)
def sweeps(x, box, periodic, k, confinement, temperature, step, energy, n_sweeps, stream_id, seed, sweep, chain):
    """Sweep one system; return its energy (not a number if it went wrong) and the moves accepted."""
    n, dim = x.shape
    cells = _divide(n, dim, box, periodic, math.sqrt(k[0]))
    total = 0
    if periodic:
        for i in range(n):
            _wrap(x[i], box)
    for t in range(sweep, sweep + n_sweeps):
        head = np.full(cells[0] * cells[1] * cells[2], -1, dtype=np.int64)
        following = np.empty(n, dtype=np.int64)
        for i in range(n - 1, -1, -1):
            cell = _cell(x[i], box, cells)
            following[i] = head[cell]
            head[cell] = i
        before = _mean(x)
        change, accepted = _sweep(
            x, box, periodic, k, confinement, temperature, step, cells, head, following, stream_id, seed, t, chain
        )
        energy += change
        total += accepted
        if not periodic:
            x += before - _mean(x)
        if (t + 1) % _FRESH == 0:
            fresh = _energy(x, box, periodic, k, confinement)
            energy = fresh if abs(fresh - energy) <= 1e-7 * (abs(fresh) + n * (k[3] + temperature)) else np.nan
    return energy, total


def check_energies(energy: Reals, sweep: int) -> None:
    """Refuse to go on from an energy that is not that of the positions."""
    wrong = np.flatnonzero(np.isnan(energy))
    if len(wrong):
        raise RuntimeError(
            f"the accumulated energy of system {wrong[0]} is not that of its positions at sweep {sweep}: "
            "a wrong energy was given"
        )
