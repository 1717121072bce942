# SPDX-License-Identifier: BSD-3-Clause
"""Numba twin of the Lennard-Jones kernel: linked cells, every pair from both sides, any box.

The formulas are in ``cpp/include/spinodal/lennard_jones.hpp``. Sums have another order than the compiled ones: results
agree to rounding.
"""

from __future__ import annotations

import math

import numba
import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]


def constants(epsilon: float, sigma: float, cutoff: float, shift: str, softening: float) -> Reals:
    """Return (cutoff², softening², c12, c6, offset, slope): u = c12/ρ¹² − c6/ρ⁶ + offset + slope ρ."""
    c6, c12 = 4 * epsilon * sigma**6, 4 * epsilon * sigma**12
    offset = slope = 0.0
    if shift != "truncated":
        rho = math.sqrt(cutoff**2 + softening**2)
        offset = c6 / rho**6 - c12 / rho**12
        if shift == "force":
            slope = 12 * c12 / rho**13 - 6 * c6 / rho**7
            offset -= slope * rho
    return np.array([cutoff**2, softening**2, c12, c6, offset, slope])


@numba.njit(cache=True, inline="always")
def pair(r2: float, k: Reals):
    """Return energy and F/r of a pair at r²."""
    rho2 = r2 + k[1]
    s6 = 1.0 / (rho2 * rho2 * rho2)
    energy = s6 * (k[2] * s6 - k[3]) + k[4]
    force = s6 * (12.0 * k[2] * s6 - 6.0 * k[3]) / rho2
    if k[5] != 0.0:
        rho = math.sqrt(rho2)
        energy += k[5] * rho
        force -= k[5] / rho
    return energy, force


@numba.njit(cache=True)
def wrapped(positions: Reals, box: Reals, periodic: bool):
    """Return positions (n, 3) within lengths (3,) of a corner at 0."""
    n, dim = positions.shape
    at, length = np.zeros((n, 3)), np.ones(3)
    for axis in range(dim):
        low = 0.0
        if periodic:
            length[axis] = box[axis]
        else:
            low = positions[:, axis].min()
            length[axis] = max(positions[:, axis].max() - low, 1e-280)
        for i in range(n):
            x = positions[i, axis] - low
            if periodic:
                x -= length[axis] * math.floor(x / length[axis])
            at[i, axis] = x
    return at, length


@numba.njit(cache=True)
def link(at: Reals, length: Reals, cutoff: float, periodic: bool, dim: int):
    """Return cells an axis, how many the cutoff reaches, the first particle of each cell, and each one's next."""
    n = len(at)
    cells, reach = np.ones(3, dtype=np.int64), np.zeros(3, dtype=np.int64)
    most = max(1, math.ceil(n ** (1.0 / dim)))
    for axis in range(dim):
        if math.isfinite(cutoff):
            cells[axis] = min(most, max(1, int(min(length[axis] / cutoff, 1e6))))
            reach[axis] = math.ceil(cutoff * cells[axis] / length[axis]) if periodic or cells[axis] > 1 else 0
    head = np.full(cells[0] * cells[1] * cells[2], -1, dtype=np.int64)
    following = np.empty(n, dtype=np.int64)
    for i in range(n):
        cell = 0
        for axis in range(3):
            index = min(int(at[i, axis] / length[axis] * cells[axis]), cells[axis] - 1)
            cell = cell * cells[axis] + index
        following[i] = head[cell]
        head[cell] = i
    return cells, reach, head, following


@numba.njit(cache=True, nogil=True)
def compute(positions: Reals, box: Reals, periodic: bool, k: Reals, forces: Reals):
    """Write the forces of one system; return its energy and virial."""
    n, dim = positions.shape
    at, length = wrapped(positions, box, periodic)
    cells, reach, head, following = link(at, length, math.sqrt(k[0]), periodic, dim)
    energy, virial = 0.0, 0.0
    home, cell, shift = np.empty(3, dtype=np.int64), np.empty(3, dtype=np.int64), np.empty(3)
    for i in range(n):
        total = np.zeros(3)
        for axis in range(3):
            home[axis] = min(int(at[i, axis] / length[axis] * cells[axis]), cells[axis] - 1)
        for offset in np.ndindex(2 * reach[0] + 1, 2 * reach[1] + 1, 2 * reach[2] + 1):
            outside = False
            for axis in range(3):
                index = home[axis] + offset[axis] - reach[axis]
                image = index // cells[axis]
                outside = outside or (not periodic and image != 0)
                cell[axis] = index - image * cells[axis]
                shift[axis] = image * length[axis]
            if outside:
                continue
            j = head[(cell[0] * cells[1] + cell[1]) * cells[2] + cell[2]]
            while j >= 0:
                dx = at[i, 0] - (at[j, 0] + shift[0])
                dy = at[i, 1] - (at[j, 1] + shift[1])
                dz = at[i, 2] - (at[j, 2] + shift[2])
                r2 = dx * dx + dy * dy + dz * dz
                itself = i == j and shift[0] == 0.0 and shift[1] == 0.0 and shift[2] == 0.0
                if r2 < k[0] and not itself:
                    u, f = pair(r2, k) if r2 + k[1] > 0.0 else (np.inf, np.inf)
                    energy += 0.5 * u
                    virial += 0.5 * f * r2
                    total[0] += f * dx
                    total[1] += f * dy
                    total[2] += f * dz
                j = following[j]
        for axis in range(dim):
            forces[i, axis] = total[axis]
    return energy, virial


def check_finite(totals: Reals, positions: Reals, box: Reals, periodic: bool) -> None:
    """Refuse systems without a finite energy: two particles overlap."""
    wrong = np.flatnonzero(~np.isfinite(totals).all(axis=0))
    if len(wrong) == 0:
        return
    x = positions[wrong[0]]
    closest = (math.inf, 0, 0)
    for i in range(len(x) - 1):
        vectors = x[i] - x[i + 1 :]
        if periodic:
            vectors -= box * np.rint(vectors / box)
        r2 = (vectors**2).sum(axis=1)
        j = int(r2.argmin())
        closest = min(closest, (float(r2[j]), i, i + 1 + j))
    raise ValueError(
        f"particles {closest[1]} and {closest[2]} of system {wrong[0]} overlap: they are {math.sqrt(closest[0]):g} "
        f"apart, and the energy is {totals[0, wrong[0]]} (softening > 0 makes it finite)"
    )
