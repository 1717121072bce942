# SPDX-License-Identifier: BSD-3-Clause
"""Configurations to start from that no sampler needs to fear: random ones, and overlapping ones pushed apart."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import numpy as np

from spinodal.backends.protocol import Reals
from spinodal.systems.descent import descend

if TYPE_CHECKING:
    from spinodal.systems.lennard_jones import LennardJonesSystem

_SOFTENING, _SOFT_STEPS = 0.7, 200  # σ
_REACH, _TIMESTEP = 0.1, 0.01
_CLUSTER_DENSITY = 0.5


def scattered(system: LennardJonesSystem, n_systems: int, seed: int) -> Reals:
    """Return particles anywhere in the box, or in a cube of a loose cluster's size, shape (n_systems, n, dim)."""
    side = (system.n_particles / _CLUSTER_DENSITY) ** (1 / system.dim) * system.sigma
    box = system.box if system.periodic else np.full(system.dim, side)
    uniform = [np.random.default_rng([seed, chain]).random(system.shape) for chain in range(n_systems)]
    scattered: Reals = np.stack(uniform) * box - (0 if system.periodic else box / 2)
    return scattered


def pushed_apart(system: LennardJonesSystem, positions: Reals, max_force: float, max_steps: int) -> Reals:
    """Move overlapping particles apart until no force exceeds ``max_force`` ε/σ; others stay where they are."""
    x = positions.reshape(-1, *system.shape).copy()
    bound, unit = max_force * system.epsilon / system.sigma, system.sigma
    rough = np.array([not _largest_force(system, one) <= bound for one in x])
    if rough.any():
        soft = copy.copy(system)
        soft.softening, soft.tail, soft.shift = np.hypot(system.softening, _SOFTENING * unit), False, "truncated"
        jolt = np.random.default_rng(0).normal(0, 1e-3 * unit, system.shape)  # no two at one place
        options = {"reach": _REACH * unit, "timestep": _TIMESTEP * unit / system.epsilon**0.5}
        loose = descend(
            lambda y: soft.measure(y)[:2], x[rough] + jolt, tolerance=bound / 100, max_steps=_SOFT_STEPS, **options
        )
        tight = descend(
            lambda y: system.measure(y)[:2], loose.positions, tolerance=bound, max_steps=max_steps, **options
        )
        worst = float(tight.largest.max())
        if not worst <= bound:
            raise ValueError(
                f"a force of {worst:.3g} is left after {max_steps} steps, more than max_force = {bound:g}: "
                "the density may be too high, or max_steps too low"
            )
        x[rough] = system.wrap(tight.positions)
    return x.reshape(positions.shape)


def _largest_force(system: LennardJonesSystem, x: Reals) -> float:
    """Return the largest component of a force; infinite where particles are at one place."""
    try:
        return float(np.abs(system.forces(x)).max())
    except ValueError:
        return np.inf
