# SPDX-License-Identifier: BSD-3-Clause
"""Downhill: the nearest minimum of many configurations at once, and starts whose forces a sampler can bear.

FIRE, with a bound on the distance a particle moves in one step: forces of overlapping particles, however large, move
them apart and not across the box.

References
----------
Bitzek, Koskinen, Gähler, Moseler and Gumbsch, Phys. Rev. Lett. 97, 170201 (2006).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spinodal.backends.protocol import Reals

Measure = Callable[[Reals], tuple[Reals, Reals]]
_PATIENCE, _FASTER, _SLOWER, _MIXING, _LESS_MIXING = 5, 1.1, 0.5, 0.1, 0.99


@dataclass
class Descent:
    """Where the configurations are, and how they move; the leading axis counts them.

    Attributes
    ----------
    positions, forces : float64 arrays, shape (n, n_particles, dim)
    energy : float64 array, shape (n,)
    largest : float64 array, shape (n,)
        The largest force on a particle.
    n_steps : int
    """

    positions: Reals
    forces: Reals
    energy: Reals
    n_steps: int = 0

    @property
    def largest(self) -> Reals:
        """Largest force on a particle of each configuration."""
        found: Reals = np.sqrt((self.forces**2).sum(axis=-1)).max(axis=-1)
        return found


def descend(
    measure: Measure, positions: Reals, *, reach: float, timestep: float, tolerance: float, max_steps: int
) -> Descent:
    """Move configurations downhill until no force exceeds the tolerance, or ``max_steps`` are done.

    Parameters
    ----------
    measure : callable
        Energy and forces of configurations (n, n_particles, dim).
    positions : float64 array, shape (n, n_particles, dim)
        Copied.
    reach : float
        The farthest a particle may move in one step.
    timestep : float
        The first; up to ten times as long later.
    tolerance : float
        Largest force of a minimum.
    """
    x = positions.copy()
    energy, forces = measure(x)
    at = Descent(x, forces, energy)
    pace = _Pace.starting(x.shape, timestep)
    while at.n_steps < max_steps:
        moving = at.largest > tolerance
        if not moving.any():
            break
        step = pace.step(at.forces)
        farthest = np.sqrt((step**2).sum(axis=-1)).max(axis=-1)
        scale = np.where(moving, np.minimum(1.0, reach / np.maximum(farthest, 1e-300)), 0.0)
        at.positions += scale[:, None, None] * step
        at.energy, at.forces = measure(at.positions)
        at.n_steps += 1
    return at


@dataclass
class _Pace:
    """Velocities and what FIRE adapts of each configuration."""

    velocities: Reals
    timestep: Reals
    longest: float
    mixing: Reals
    downhill: npt.NDArray[np.int64]

    @classmethod
    def starting(cls, shape: tuple[int, ...], timestep: float) -> _Pace:
        """Return configurations at rest."""
        n = shape[0]
        counts = np.zeros(n, dtype=np.int64)
        return cls(np.zeros(shape), np.full(n, timestep), 10 * timestep, np.full(n, _MIXING), counts)

    def step(self, forces: Reals) -> Reals:
        """Return displacements: those that go uphill stop, the others turn towards the force and speed up."""
        v, axes = self.velocities, (-2, -1)
        with np.errstate(over="ignore", invalid="ignore"):
            scaled = forces / np.maximum(np.abs(forces).max(axis=axes, keepdims=True), 1e-300)  # squares stay finite
        power = (scaled * v).sum(axis=axes)
        uphill = power < 0
        self.downhill = np.where(uphill, 0, self.downhill + 1)
        patient = self.downhill > _PATIENCE
        faster = np.minimum(self.timestep * _FASTER, self.longest)
        self.timestep = np.where(uphill, self.timestep * _SLOWER, np.where(patient, faster, self.timestep))
        self.mixing = np.where(uphill, _MIXING, np.where(patient, self.mixing * _LESS_MIXING, self.mixing))
        speed = np.sqrt((v**2).sum(axis=axes) / np.maximum((scaled**2).sum(axis=axes), 1e-300))
        mixing = self.mixing[:, None, None]
        v[:] = np.where(uphill[:, None, None], 0.0, (1 - mixing) * v + (mixing * speed[:, None, None]) * scaled)
        v += self.timestep[:, None, None] * np.clip(forces, -1e6, 1e6)
        step: Reals = self.timestep[:, None, None] * v
        return step
