# SPDX-License-Identifier: BSD-3-Clause
"""Parallel tempering by its definition in spinodal/tempering.hpp, pair after pair."""

from __future__ import annotations

import math

import numpy as np

from reference import ising, packed, replicas, streams


def energy(spins: np.ndarray, J: float, h: float, ndim: int) -> np.ndarray:
    axes = tuple(range(-ndim, 0))
    ahead = sum(np.roll(spins.astype(int), -1, axis) for axis in axes)
    return -J * (spins * ahead).sum(axes) - h * spins.sum(axes, dtype=int)


def uniform(seed: int, index: int, place: int, stream: str) -> float:
    counter = np.array([[12 << 20 | index >> 32 << 24, 0, index & 0xFFFFFFFF, place]], dtype=np.uint32)
    words = streams.stream_blocks(stream, seed, counter)[0].tolist()
    return ((words[0] | words[1] << 32) >> 11) * 2.0**-53


def parallel_tempering(
    spins, rung, direction, ladder, J=1.0, h=0.0, *, n_rounds, swap_every=1, heat_bath_every=16, seed=0, round=0,
    first_chain=0, stream="ars7", layout="bytes", ndim=2,
):  # fmt: skip
    """Advance in place; returns (swap attempts, swap accepts, round trips)."""
    sweep = {
        "bytes": lambda beta, **options: ising.metropolis_sweep(spins, beta, J, h, ndim=ndim, **options),
        "rows": lambda beta, **options: packed.metropolis_sweep(spins, beta, J, **options),
        "lanes": lambda beta, **options: replicas.metropolis_sweep_lanes(spins, beta, J, h, **options),
    }[layout]
    n_rungs, n_chains = len(ladder), len(spins)
    attempts, accepts, trips = np.zeros((3, n_chains), dtype=np.int64)
    for index in range(round, round + n_rounds):
        sweep(
            ladder[rung], n_sweeps=swap_every, sweep=index * swap_every, seed=seed, first_chain=first_chain,
            heat_bath_every=heat_bath_every, stream=stream,
        )  # fmt: skip
        energies = energy(spins, J, h, ndim)
        for place in range(n_chains):
            r, first = place % n_rungs, place - place % n_rungs
            if r % 2 != index % 2 or r + 1 == n_rungs:
                continue
            on = {int(rung[c]): c for c in range(first, first + n_rungs)}
            cold, hot = on[r], on[r + 1]
            attempts[place] += 1
            log_ratio = (ladder[r] - ladder[r + 1]) * (energies[cold] - energies[hot])
            if uniform(seed, index, first_chain + place, stream) < math.exp(min(log_ratio, 0.0)):
                accepts[place] += 1
                rung[cold], rung[hot] = r + 1, r
        for c in range(n_chains):
            if rung[c] == 0:
                trips[c] += direction[c] == -1
                direction[c] = 1
            elif rung[c] == n_rungs - 1:
                direction[c] = -1
    return attempts, accepts, trips
