# SPDX-License-Identifier: BSD-3-Clause
"""BAOAB Langevin dynamics by definition, forces from the reference of lennard_jones."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from reference import streams
from reference.lennard_jones import lennard_jones_one

Array = npt.NDArray[np.float64]


def normal_numbers(block: int, n: int, step: int, chain: int, seed: int, stream: str) -> Array:
    """Three a particle, (n, 3), from its block's words w: Box and Muller's transform of (w0, w1) and of (w2, w3).

    The purpose is that of initial spins, whose own block is 0.

    Radius √(−2 ln((w0 + ½) 2⁻³²)); the angle (π/2)(((w1 mod 2³⁰) + ½) 2⁻³⁰ − ½) gives cosine and sine, exchanged
    where bit 30 is set, both negative where bit 31 is.
    """
    counters = streams.counter("initial_spins", block, np.arange(n), step, chain)
    words = streams.stream_blocks(stream, seed, counters).reshape(n, 4).astype(np.uint64)
    numbers = []
    for w0, w1 in ((words[:, 0], words[:, 1]), (words[:, 2], words[:, 3])):
        radius = np.sqrt(-2 * np.log((w0 + 0.5) * 2.0**-32)) * np.where(w1 >> np.uint64(31), -1.0, 1.0)
        angle = (np.pi / 2) * (((w1 % np.uint64(2**30)) + 0.5) * 2.0**-30 - 0.5)
        swap = (w1 >> np.uint64(30)) % np.uint64(2) == 1
        numbers.append(radius * np.where(swap, np.sin(angle), np.cos(angle)))
        numbers.append(radius * np.where(swap, np.cos(angle), np.sin(angle)))
    return np.stack(numbers[:3], axis=1)


def langevin_steps(
    positions: Array,
    velocities: Array,
    box: Array | None,
    temperature: float,
    *,
    n_steps: int,
    timestep: float = 0.004,
    friction: float = 1.0,
    mass: float = 1.0,
    confinement: float = 0.0,
    seed: int = 0,
    step: int = 0,
    chain: int = 0,
    stream: str = "ars7",
    **potential: Any,
) -> tuple[Array, Array, float]:
    """Positions, velocities and Σ ½ m v² of one system after some steps; nothing is wrapped."""
    x, v = positions.copy(), velocities.copy()
    damping = math.exp(-friction * timestep)
    noise = math.sqrt((1 - damping**2) * temperature / mass)
    total = 0.0

    def forces() -> Array:
        return lennard_jones_one(x, box, **potential)[1] - confinement * (x - x.mean(axis=0))

    for t in range(step, step + n_steps):
        v += timestep / (2 * mass) * forces()
        x += timestep / 2 * v
        if friction > 0:
            v = damping * v + noise * normal_numbers(1, len(x), t, chain, seed, stream)[:, : x.shape[1]]
        if box is None:
            v = v - v.mean(axis=0)
        x += timestep / 2 * v
        v += timestep / (2 * mass) * forces()
        total += 0.5 * mass * (v**2).sum()
    return x, v, total
