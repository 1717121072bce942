# SPDX-License-Identifier: BSD-3-Clause
"""Numba twin of molecular dynamics: the same noise to rounding, forces by :mod:`numba_lennard_jones`.

The formulas are in ``cpp/include/spinodal/molecular_dynamics.hpp``.
"""

from __future__ import annotations

import math

import numba
import numpy as np
import numpy.typing as npt

from spinodal.backends.numba_lennard_jones import compute
from spinodal.backends.numba_streams import counter_word, stream_block

Reals = npt.NDArray[np.float64]

_U32, _U64 = np.uint32, np.uint64
_PARTICLES, _LANGEVIN_NOISE, _INITIAL_VELOCITIES = 11, 1, 2  # the purpose, and its blocks
_GRID = 2.0**20  # kinetic energies are multiples of 2⁻²⁰: sums are exact
_KINETIC_LIMIT = 2.0**31


@numba.njit(cache=True)
def _normal_pair(word: np.uint64):
    """Box and Muller's transform of the low and high half of a word."""
    w0, w1 = word & _U64(0xFFFFFFFF), word >> _U64(32)
    uniform = (float(w0) + 0.5) * 2.0**-32
    angle = (float(w1 & _U64(0x3FFFFFFF)) + 0.5) * 2.0**-30 - 0.5
    radius = math.sqrt(-2.0 * math.log(uniform))
    if w1 >> _U64(31):
        radius = -radius
    cosine, sine = math.cos(angle * (math.pi / 2)), math.sin(angle * (math.pi / 2))
    if (w1 >> _U64(30)) & _U64(1):
        cosine, sine = sine, cosine
    return radius * cosine, radius * sine


@numba.njit(cache=True)
def _thermalize(v: Reals, damping: float, noise: float, block: int, stream_id: int, seed, step: int, chain: int):
    word = counter_word(_PARTICLES, block, step)
    for i in range(len(v)):
        lo, hi = stream_block(stream_id, seed, word, _U32(i), _U32(step), _U32(chain))
        first, second = _normal_pair(lo)
        third, _ = _normal_pair(hi)
        normal = (first, second, third)
        for axis in range(v.shape[1]):
            v[i, axis] = damping * v[i, axis] + noise * normal[axis]


@numba.njit(cache=True)
def _remove_mean(v: Reals):
    for axis in range(v.shape[1]):
        v[:, axis] -= v[:, axis].mean()


@numba.njit(cache=True)
def _forces(x: Reals, box: Reals, periodic: bool, potential: Reals, confinement: float, out: Reals):
    compute(x, box, periodic, potential, out)
    if confinement != 0.0:
        for axis in range(x.shape[1]):
            out[:, axis] -= confinement * (x[:, axis] - x[:, axis].mean())


@numba.njit(cache=True, nogil=True)
def langevin_steps(
    x: Reals,
    v: Reals,
    box: Reals,
    periodic: bool,
    potential: Reals,
    motion: Reals,
    temperature: float,
    n_steps: int,
    stream_id: int,
    seed,
    step: int,
    chain: int,
):
    """Move one system; return its kinetic energy summed over the steps."""
    timestep, friction, mass, confinement = motion
    damping = math.exp(-friction * timestep)
    noise = math.sqrt(-math.expm1(-2.0 * friction * timestep) * temperature / mass)
    kick, drift = timestep / (2.0 * mass), timestep / 2.0
    f = np.empty_like(x)
    total = 0.0
    if n_steps > 0:
        _forces(x, box, periodic, potential, confinement, f)
    for t in range(n_steps):
        v += kick * f
        x += drift * v
        if friction != 0.0:
            _thermalize(v, damping, noise, _LANGEVIN_NOISE, stream_id, seed, step + t, chain)
        if not periodic:
            _remove_mean(v)
        x += drift * v
        _forces(x, box, periodic, potential, confinement, f)
        v += kick * f
        kinetic = 0.5 * mass * (v * v).sum()
        if not kinetic < _KINETIC_LIMIT:
            return np.inf
        total += np.rint(kinetic * _GRID) / _GRID
    return total


@numba.njit(cache=True, nogil=True)
def maxwell_velocities(v: Reals, noise: float, periodic: bool, stream_id: int, seed, step: int, chain: int):
    """Fill with the velocities of one system."""
    v[:] = 0.0
    _thermalize(v, 0.0, noise, _INITIAL_VELOCITIES, stream_id, seed, step, chain)
    if not periodic:
        _remove_mean(v)


def check_energies(kinetic_energy: Reals, step: int) -> None:
    """Refuse to go on from an energy beyond all bounds."""
    wrong = np.flatnonzero(~np.isfinite(kinetic_energy))
    if len(wrong):
        raise RuntimeError(
            f"the kinetic energy of system {wrong[0]} is {kinetic_energy[wrong[0]]} at step {step}: particles "
            "overlapped at the start, or the timestep is too long"
        )
