# SPDX-License-Identifier: BSD-3-Clause
"""Local Metropolis moves by definition: each particle in turn, its energy with all others before and after."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from reference import streams
from reference.lennard_jones import shifted

Array = npt.NDArray[np.float64]
POTENTIAL = {"cutoff": 2.5, "shift": "truncated", "epsilon": 1.0, "sigma": 1.0, "softening": 0.0}


def proposals(n: int, dim: int, sweep: int, chain: int, seed: int, stream: str) -> tuple[Array, Array]:
    """Moves in units of the step (n, dim), and uniforms (n,), of the particles' blocks w.

    With lo = w0 + 2³² w1 and hi = w2 + 2³² w3: ξ of axis k is (m + ½) 2⁻²⁰ − 1, m the bits 21 k to 21 k + 20 of lo;
    u is ((hi >> 12) + ½) 2⁻⁵².
    """
    counters = streams.counter("initial_spins", 3, np.arange(n), sweep, chain)
    words = streams.stream_blocks(stream, seed, counters).reshape(n, 4).astype(np.uint64)
    low, high = words[:, 0] | words[:, 1] << np.uint64(32), words[:, 2] | words[:, 3] << np.uint64(32)
    bits = [(low >> np.uint64(21 * axis)) % np.uint64(2**21) for axis in range(dim)]
    moves = (np.stack(bits, axis=1).astype(np.float64) + 0.5) * 2.0**-20 - 1
    return moves, ((high >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52


def particle_energy(i: int, at: Array, x: Array, box: Array | None, confinement: float, **potential: Any) -> float:
    """Energy of particle i at a place, with the nearest images of all others, and of the springs of all."""
    vectors = np.delete(at - x, i, axis=0)
    if box is not None:
        vectors = vectors - box * np.rint(vectors / box)
    options = {**POTENTIAL, **potential}
    energy = shifted(np.sqrt((vectors**2).sum(axis=1)), **options)[0].sum()
    if confinement:
        there = x.copy()
        there[i] = at
        energy += 0.5 * confinement * ((there - there.mean(axis=0)) ** 2).sum()
    return float(energy)


def local_moves(
    positions: Array,
    box: Array | None,
    temperature: float,
    *,
    step: float,
    n_sweeps: int,
    sweep: int = 0,
    chain: int = 0,
    seed: int = 0,
    stream: str = "ars7",
    confinement: float = 0.0,
    **potential: Any,
) -> tuple[Array, float, int]:
    """Positions of one system after some sweeps, the change of its energy, and the moves accepted."""
    x = positions.copy() if box is None else positions % box
    change, accepted = 0.0, 0
    for t in range(sweep, sweep + n_sweeps):
        moves, uniform = proposals(*x.shape, t, chain, seed, stream)
        center = x.mean(axis=0)
        for i in range(len(x)):
            to = x[i] + step * moves[i]
            old = particle_energy(i, x[i], x, box, confinement, **potential)
            gain = particle_energy(i, to, x, box, confinement, **potential) - old
            if gain <= -temperature * np.log(uniform[i]):
                x[i] = to if box is None else to % box
                change += gain
                accepted += 1
        if box is None:
            x += center - x.mean(axis=0)
    return x, change, accepted
