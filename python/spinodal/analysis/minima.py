# SPDX-License-Identifier: BSD-3-Clause
"""Minima of the energy: the nearest ones, and a search for the lowest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spinodal.analysis.arrays import FloatArray
from spinodal.systems.descent import descend

_HOP = 0.4  # largest change of a coordinate, in units of the length scale
_HOP_TEMPERATURE = 0.8  # of the walk over minima, in units of the energy scale


@dataclass(frozen=True)
class Minimum:
    """Configurations without forces.

    Attributes
    ----------
    positions : float64 array, shape (…, n_particles, dim)
    energy : float or float64 array of the leading shape
    largest_force : float or float64 array of the leading shape
        Largest force left on a particle.
    converged : bool or bool array of the leading shape
        Whether that is within the tolerance.
    """

    positions: FloatArray
    energy: Any
    largest_force: Any
    converged: Any


def quench(system: Any, positions: npt.ArrayLike, *, tolerance: float = 1e-7, max_steps: int = 20_000) -> Minimum:
    """Return the minima of the energy nearest to some configurations, by FIRE.

    Parameters
    ----------
    system : LennardJonesSystem, DoubleWell, or another with ``energy`` and ``forces``
    positions : float64 array, shape (…, n_particles, dim)
        Overlaps are to be removed first: ``LennardJonesSystem.relax``.
    tolerance : float
        Largest force on a particle, in units of the system's ε/σ. The energy is then exact to its square.
    max_steps : int
        Steps after which the rest is given up, see ``Minimum.converged``.
    """
    x = np.asarray(positions, dtype=np.float64)
    leading = x.shape[:-2]
    length, energy = _scales(system)

    def measure(y: FloatArray) -> tuple[FloatArray, FloatArray]:
        if hasattr(system, "measure"):
            found: tuple[FloatArray, FloatArray] = system.measure(y)[:2]
            return found
        return np.asarray(system.energy(y)), system.forces(y)

    end = descend(
        measure, x.reshape(-1, *x.shape[-2:]), reach=0.1 * length, timestep=0.01 * length / energy**0.5,
        tolerance=tolerance * energy / length, max_steps=max_steps,
    )  # fmt: skip
    per_system = (values.reshape(leading)[()] for values in (end.energy, end.largest))
    at, largest = per_system
    return Minimum(end.positions.reshape(x.shape), at, largest, largest <= tolerance * energy / length)


def search_minimum(system: Any, *, n_walkers: int = 16, n_hops: int = 50, seed: int = 0) -> Minimum:
    """Search for the lowest minimum by basin hopping: random displacements, quenches, and a choice by the energies.

    Walkers start from random configurations; nothing proves that what they find is the lowest. LJ13 is found at once,
    LJ55 in some tens of hops; clusters with a double funnel (LJ38, LJ75) need far more.

    Parameters
    ----------
    system : LennardJonesSystem
    n_walkers : int
        Independent walks, computed side by side.
    n_hops : int
    seed : int

    References
    ----------
    Wales and Doye, J. Phys. Chem. A 101, 5111 (1997).
    """
    for name, value in (("n_walkers", n_walkers), ("n_hops", n_hops)):
        if value < 1:
            raise ValueError(f"{name} must be >= 1; got {value}")
    rng = np.random.default_rng(seed)
    length, scale = _scales(system)
    here = quench(system, system.random(n_walkers, seed=seed), tolerance=1e-2)
    x, energy = here.positions, np.asarray(here.energy)
    best, lowest = x[energy.argmin()], energy.min()
    for _ in range(n_hops):
        moved = system.relax(x + rng.uniform(-_HOP * length, _HOP * length, x.shape))
        there = quench(system, moved, tolerance=1e-2)
        gain = (np.asarray(there.energy) - energy) / (_HOP_TEMPERATURE * scale)
        taken = rng.random(n_walkers) < np.exp(-np.maximum(gain, 0.0))
        x, energy = np.where(taken[:, None, None], there.positions, x), np.where(taken, there.energy, energy)
        if energy.min() < lowest:
            best, lowest = x[energy.argmin()], energy.min()
    return quench(system, best)


def _scales(system: Any) -> tuple[float, float]:
    """Return the units of length and energy; 1 where the system names none."""
    return float(getattr(system, "sigma", 1.0)), float(getattr(system, "epsilon", 1.0))
