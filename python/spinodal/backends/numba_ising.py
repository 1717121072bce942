# SPDX-License-Identifier: BSD-3-Clause
"""Numba twins of the Ising kernels: one chain a call, the same random numbers, the same bits."""

from __future__ import annotations

import math

import numba
import numpy as np
import numpy.typing as npt

from spinodal.backends.numba_streams import counter_word, stream_block

_U32, _U64 = np.uint32, np.uint64
_INITIAL_SPINS = 11


def accept_table(rule: str, beta: float, J: float, h: float, n_neighbors: int) -> npt.NDArray[np.uint64]:
    """Return inclusive 64-bit thresholds ceil(p·2⁶⁴) − 1 by class 2·(up neighbours) + (1 if up)."""
    table = np.zeros(2 * (n_neighbors + 1), dtype=_U64)
    for site_class in range(len(table)):
        up, spin = site_class // 2, 2 * (site_class % 2) - 1
        x = beta * (2.0 * spin * (J * (2 * up - n_neighbors) + h))
        if rule == "metropolis":
            p = 1.0 if x <= 0 else math.exp(-x)
        else:
            p = 0.0 if x > 709.0 else 1.0 / (1.0 + math.exp(x))
        table[site_class] = min(max(math.ceil(math.ldexp(p, 64)) - 1, 0), 2**64 - 1)
    return table


@numba.njit(cache=True)
def _up_neighbors(spins, z: int, y: int, x: int, planar: bool) -> int:
    lz, ly, lx = spins.shape
    total = (
        numba.int64(spins[z, y, x - 1 if x > 0 else lx - 1])
        + spins[z, y, x + 1 if x < lx - 1 else 0]
        + spins[z, y - 1 if y > 0 else ly - 1, x]
        + spins[z, y + 1 if y < ly - 1 else 0, x]
    )
    if planar:
        return (total + 4) // 2
    total += numba.int64(spins[z - 1 if z > 0 else lz - 1, y, x]) + spins[z + 1 if z < lz - 1 else 0, y, x]
    return (total + 6) // 2


@numba.njit(cache=True)
def _update_row(
    spins, z: int, y: int, color: int, table, planar: bool, stream_id: int, seed, sweep: int, chain: int
) -> None:
    row = z * spins.shape[1] + y
    offset = (y + z + color) % 2
    head = counter_word(color, 0, sweep)
    tail = counter_word(color + 2, 0, sweep)
    low_56_bits = _U64(0xFFFFFFFFFFFFFF)
    word = _U64(0)
    for k in range(spins.shape[2] // 2):
        if k % 16 == 0:
            word, high = stream_block(stream_id, seed, _U32(head + _U32(k // 16)), _U32(row), _U32(sweep), _U32(chain))
        elif k % 16 == 8:
            word = high
        first_byte = (word >> _U64(8 * (k % 8))) & _U64(0xFF)
        x = 2 * k + offset
        threshold = table[2 * _up_neighbors(spins, z, y, x, planar) + (spins[z, y, x] + 1) // 2]
        flip = first_byte < threshold >> _U64(56)
        if first_byte == threshold >> _U64(56):
            rest, _ = stream_block(stream_id, seed, _U32(tail + _U32(k)), _U32(row), _U32(sweep), _U32(chain))
            flip = rest >> _U64(8) <= threshold & low_56_bits
        if flip:
            spins[z, y, x] = -spins[z, y, x]


@numba.njit(cache=True, nogil=True)
def local_sweeps(
    spins, metropolis, heat_bath, heat_bath_every: int, planar: bool, n_sweeps: int, stream_id: int, seed,
    sweep: int, chain: int,
) -> None:  # fmt: skip
    """Checkerboard sweeps of one chain (lz, ly, lx), in place."""
    for t in range(sweep, sweep + n_sweeps):
        bath = heat_bath_every > 0 and t % heat_bath_every == heat_bath_every - 1
        table = heat_bath if bath else metropolis
        for color in range(2):
            for z in range(spins.shape[0]):
                for y in range(spins.shape[1]):
                    _update_row(spins, z, y, color, table, planar, stream_id, seed, t, chain)


@numba.njit(cache=True, nogil=True)
def fill_random(out, stream_id: int, seed, chain: int) -> None:
    """Fill one flat chain with fair spins."""
    low, high = _U64(0), _U64(0)
    for i in range(out.shape[0]):
        if i % 128 == 0:
            low, high = stream_block(
                stream_id, seed, counter_word(_INITIAL_SPINS, 0, 0), _U32(i // 128), _U32(0), _U32(chain)
            )
        word = low if i % 128 < 64 else high
        out[i] = 2 * numba.int8((word >> _U64(i % 64)) & _U64(1)) - 1


@numba.njit(cache=True, nogil=True)
def bond_sum(spins, planar: bool) -> int:
    """Return Σ_i Σ_axis s_i s_{i + axis} of one chain."""
    lz, ly, lx = spins.shape
    total = 0
    for z in range(lz):
        for y in range(ly):
            for x in range(lx):
                ahead = numba.int64(spins[z, y, (x + 1) % lx]) + spins[z, (y + 1) % ly, x]
                if not planar:
                    ahead += spins[(z + 1) % lz, y, x]
                total += spins[z, y, x] * ahead
    return total
