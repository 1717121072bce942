# SPDX-License-Identifier: BSD-3-Clause
"""Checkerboard Metropolis in Numba, twice.

``numba-tuned`` is the bar a careful user sets: compact colour planes of bytes 0 and 1 with ghost
columns, one 32-bit counter hash a site, 32-bit thresholds, inner loops that LLVM vectorises.
``numba-expert`` goes further against the grain of the language: Numba widens every scalar
operation to 64 bits, which halves the lanes of a vector, but NumPy's functions on typed scalars
keep 8 and 32 bits; and ensembles lie with the chain innermost, so that short rows do not cut the
loops. Both give the same bits on one lattice.

The hash is Wellons' lowbias32 on a 64-bit key (half before the first multiplication, half after
the last), the key a splitmix64 of (seed, sweep, color, row).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from cases import Case
from peers.protocol import Reals, Simulation, version_of

_U8, _U32, _U64, _INDEX = np.uint8, np.uint32, np.uint64, np.uintp
_CHAINS_A_BLOCK = 256  # of an interleaved ensemble: 1024 × 32² in pieces that fit L2


@numba.njit(inline="always")
def _mix(x):
    x = (x ^ (x >> _U64(30))) * _U64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> _U64(27))) * _U64(0x94D049BB133111EB)
    return x ^ (x >> _U64(31))


@numba.njit(nogil=True)
def _update_tuned(spins, row, same, side, up, down, n, t4, t8, key):
    """Update ``n`` sites from index ``row`` on; the other arguments locate their neighbours."""
    key_low, key_high = _U32(key), _U32(key >> _U64(32))
    for i in range(n):
        k = _INDEX(i)
        x = _U32(_U32(k) * _U32(0x9E3779B9)) ^ key_low
        x = _U32(_U32(x ^ (x >> _U32(16))) * _U32(0x7FEB352D))
        x = _U32(_U32(x ^ (x >> _U32(15))) * _U32(0x846CA68B))
        x = _U32(x ^ (x >> _U32(16)) ^ key_high)
        spin = spins[row + k]
        n_up = _U32(spins[same + k]) + _U32(spins[side + k]) + _U32(spins[up + k]) + _U32(spins[down + k])
        aligned = _U32(n_up if spin else _U32(4) - n_up)
        threshold = _U32(0xFFFFFFFF) if aligned < _U32(3) else (t4 if aligned == _U32(3) else t8)
        spins[row + k] = spin ^ _U8(x <= threshold)


@numba.njit(nogil=True)
def _update_expert(spins, row, same, side, up, down, n, t4, t8, key):
    """As above; the uniform exceeds 0, 1 or 2 thresholds, each taking one aligned neighbour's licence."""
    key_low, key_high = _U32(key), _U32(key >> _U64(32))
    for i in range(n):
        k = _INDEX(i)
        x = np.bitwise_xor(np.multiply(_U32(k), _U32(0x9E3779B9)), key_low)
        x = np.multiply(np.bitwise_xor(x, np.right_shift(x, _U32(16))), _U32(0x7FEB352D))
        x = np.multiply(np.bitwise_xor(x, np.right_shift(x, _U32(15))), _U32(0x846CA68B))
        x = np.bitwise_xor(np.bitwise_xor(x, np.right_shift(x, _U32(16))), key_high)
        spin = spins[row + k]
        n_up = np.add(np.add(spins[same + k], spins[side + k]), np.add(spins[up + k], spins[down + k]))
        aligned = n_up if spin else np.subtract(_U8(4), n_up)
        exceeded = np.add(_U8(x > t4), _U8(x > t8))
        spins[row + k] = np.bitwise_xor(spin, _U8(np.add(aligned, exceeded) <= _U8(4)))


@numba.njit(nogil=True, inline="always")
def _sweep_row(update, spins, first, n_rows, width, r, color, thresholds, key):
    """One row of a lattice whose plane 0 begins at ``first``; a row has a ghost site at each end."""
    stride = width + 2
    plane, other = first + color * n_rows * stride + 1, first + (1 - color) * n_rows * stride + 1
    row, same = plane + r * stride, other + r * stride
    side = same + (-1 if (r + color) % 2 == 0 else 1)
    up = other + (r - 1 if r > 0 else n_rows - 1) * stride
    down = other + (r + 1 if r < n_rows - 1 else 0) * stride
    update(
        spins, _INDEX(row), _INDEX(same), _INDEX(side), _INDEX(up), _INDEX(down), width,
        thresholds[0], thresholds[1], _mix(key + _U64(r) * _U64(0x9E3779B97F4A7C15)),
    )  # fmt: skip
    spins[row - 1] = spins[row + width - 1]
    spins[row + width] = spins[row]


@numba.njit(nogil=True, inline="always")
def _key(seed, chain, sweep, color):
    return _mix(_U64(seed) + _mix(_U64(2 * sweep + color) + (_U64(chain) << _U64(40))))


def _chain_by_chain(update: Any, parallel: bool) -> Callable[..., None]:
    """Chains in turn, each for all its sweeps; with threads, the chains are shared out."""

    @numba.njit(nogil=True, parallel=parallel)
    def sweeps(planes, thresholds, seed, sweep, n_sweeps):
        n_chains, _, n_rows, stride = planes.shape
        spins = planes.reshape(-1)
        for chain in numba.prange(n_chains):
            for t in range(sweep, sweep + n_sweeps):
                for color in range(2):
                    key = _key(seed, chain, t, color)
                    for r in range(n_rows):
                        first = chain * 2 * n_rows * stride
                        _sweep_row(update, spins, first, n_rows, stride - 2, r, color, thresholds, key)

    return sweeps


def _row_by_row(update: Any, parallel: bool) -> Callable[..., None]:
    """One lattice whose rows are shared out among the threads."""

    @numba.njit(nogil=True, parallel=parallel)
    def sweeps(planes, thresholds, seed, sweep, n_sweeps):
        _, _, n_rows, stride = planes.shape
        spins = planes.reshape(-1)
        for t in range(sweep, sweep + n_sweeps):
            for color in range(2):
                key = _key(seed, 0, t, color)
                for r in numba.prange(n_rows):
                    _sweep_row(update, spins, 0, n_rows, stride - 2, r, color, thresholds, key)

    return sweeps


def _interleaved(update: Any, parallel: bool) -> Callable[..., None]:
    """Blocks of chains (n_blocks, 2, n_rows, width, chains): a site's chains are one vector loop."""

    @numba.njit(nogil=True, parallel=parallel)
    def sweeps(blocks, thresholds, seed, sweep, n_sweeps):
        n_blocks, _, n_rows, width, n = blocks.shape
        spins = blocks.reshape(-1)
        for block in numba.prange(n_blocks):
            for t in range(sweep, sweep + n_sweeps):
                for color in range(2):
                    key = _key(seed, block, t, color)
                    plane = (2 * block + color) * n_rows * width
                    other = (2 * block + 1 - color) * n_rows * width
                    for r in range(n_rows):
                        step = -1 if (r + color) % 2 == 0 else 1
                        above, below = (r - 1) % n_rows * width, (r + 1) % n_rows * width
                        for k in range(width):
                            update(
                                spins, _INDEX((plane + r * width + k) * n), _INDEX((other + r * width + k) * n),
                                _INDEX((other + r * width + (k + step) % width) * n), _INDEX((other + above + k) * n),
                                _INDEX((other + below + k) * n), n, thresholds[0], thresholds[1],
                                _mix(key + _U64(r * width + k) * _U64(0x9E3779B97F4A7C15)),
                            )  # fmt: skip

    return sweeps


class _Planes:
    """Spins in either layout; ``_planes()`` is a view (n_chains, 2, n_rows, width)."""

    def __init__(self, case: Case, seed: int, sweeps: Callable[..., None], interleaved: bool) -> None:
        self._seed, self._sweep, self._sweeps = seed, 0, sweeps
        self._n_threads, self._work = case.n_threads, case.n_chains * case.n_sites
        n_rows, width = case.shape[0], case.shape[1] // 2
        self._interleaved = interleaved
        if interleaved:
            block = math.gcd(case.n_chains, _CHAINS_A_BLOCK)
            self._spins = np.ones((case.n_chains // block, 2, n_rows, width, block), dtype=np.uint8)
        else:
            self._spins = np.ones((case.n_chains, 2, n_rows, width + 2), dtype=np.uint8)
        # x <= threshold has probability (threshold + 1) / 2^32.
        probabilities = np.exp(-np.array([4.0, 8.0]) / case.temperature)
        self._thresholds = np.maximum(np.round(probabilities * 2.0**32) - 1.0, 0.0).astype(np.uint32)

    def advance(self, n_updates: int) -> float:
        numba.set_num_threads(self._n_threads)
        self._sweeps(self._spins, self._thresholds, self._seed, self._sweep, n_updates)
        self._sweep += n_updates
        return float(n_updates) * self._work

    def _planes(self) -> Any:
        if not self._interleaved:
            return self._spins[..., 1:-1]
        return np.moveaxis(self._spins, -1, 1).reshape(-1, *self._spins.shape[1:4])

    def energy_per_site(self) -> Reals:
        planes = 2 * self._planes().astype(np.int8) - 1
        lattice = np.empty((len(planes), planes.shape[2], 2 * planes.shape[3]), dtype=np.int8)
        for color in range(2):
            lattice[:, color::2, 0::2], lattice[:, 1 - color :: 2, 1::2] = (
                planes[:, color, color::2], planes[:, color, 1 - color :: 2]
            )  # fmt: skip
        bonds = lattice * (np.roll(lattice, 1, 1) + np.roll(lattice, 1, 2))
        return np.asarray(-bonds.mean(axis=(1, 2), dtype=np.float64))

    def m2(self) -> Reals:
        return np.asarray((2.0 * self._planes().mean(axis=(1, 2, 3)) - 1.0) ** 2)


class NumbaPlanes:
    """Either variant; compiled functions are kept, so that only the first ``start`` compiles."""

    ours = False

    def __init__(self, name: str, update: Any, *, interleave: bool) -> None:
        self.name = name
        self._update, self._interleave = update, interleave
        self._compiled: dict[tuple[str, bool], Callable[..., None]] = {}

    def version(self) -> str:
        return version_of("numba")

    def why_missing(self) -> str | None:
        return None

    def supports(self, case: Case) -> bool:
        plain = case.algorithm == "metropolis" and len(case.shape) == 2
        return plain and case.field == 0.0 and not case.ours_only

    def start(self, case: Case, seed: int) -> Simulation:
        interleaved = self._interleave and case.n_chains > 1
        layout = "interleaved" if interleaved else "chains" if case.n_chains > 1 or case.n_threads == 1 else "rows"
        simulation = _Planes(case, seed, self._sweeps(layout, case.n_threads > 1), interleaved)
        simulation.advance(1)
        return simulation

    def _sweeps(self, layout: str, parallel: bool) -> Callable[..., None]:
        if (layout, parallel) not in self._compiled:
            make = {"interleaved": _interleaved, "chains": _chain_by_chain, "rows": _row_by_row}[layout]
            self._compiled[layout, parallel] = make(self._update, parallel)
        return self._compiled[layout, parallel]


TUNED_NUMBA = NumbaPlanes("numba-tuned", _update_tuned, interleave=False)
EXPERT_NUMBA = NumbaPlanes("numba-expert", _update_expert, interleave=True)
