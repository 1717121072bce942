# SPDX-License-Identifier: BSD-3-Clause
r"""The chemical potential by Widom's insertion of a test particle.

.. math:: \mu = T \ln(\rho \Lambda^d) + \mu_{ex}, \qquad \mu_{ex} = -T \ln \langle e^{-\Delta U/T} \rangle

over random points of every draw, ΔU the energy of one more particle there. Dense fluids have few places for it: the
error bar says so.

References
----------
Widom, J. Chem. Phys. 39, 2808 (1963), doi:10.1063/1.1734110.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spinodal.analysis.arrays import FloatArray
from spinodal.analysis.estimates import Estimate
from spinodal.analysis.resampling import jackknife

_PAIRS_AT_ONCE = 1 << 18


@dataclass(frozen=True)
class ChemicalPotential:
    """Parts of the chemical potential.

    Attributes
    ----------
    excess : Estimate
        What the interactions add.
    ideal : float
        T ln ρ: that of the ideal gas, in units where the thermal wavelength Λ is 1.
    """

    excess: Estimate
    ideal: float

    @property
    def total(self) -> float:
        """Their sum; its error is that of the excess."""
        return self.ideal + self.excess.mean


def chemical_potential(
    system: Any, draws: npt.ArrayLike, temperature: float, *, n_insertions: int = 1000, seed: int = 0
) -> ChemicalPotential:
    """Return the chemical potential of a fluid.

    Parameters
    ----------
    system : LennardJonesSystem
        In a periodic box, with a cutoff of at most half its shortest length; with its tail where it has one.
    draws : float64 array, shape (n_chains, n_draws, n_particles, dim), or (n_draws, n_particles, dim)
        Sampled at ``temperature``.
    temperature : float
    n_insertions : int
        Points tried in each draw.
    seed : int
        Of the points.

    Raises
    ------
    ValueError
        If the particles are free, or the cutoff is beyond half the box.
    """
    x = np.asarray(draws, dtype=np.float64)
    x = x[np.newaxis] if x.ndim == 3 else x
    if x.ndim != 4 or x.shape[2:] != system.shape:
        raise ValueError(f"draws must have shape (n_chains, n_draws, {system.shape}); got {np.shape(draws)}")
    if not system.periodic or system.cutoff > 0.5 * system.box.min():
        raise ValueError(
            "insertion needs a periodic box and a cutoff of at most half its shortest length; got "
            f"periodic={system.periodic}, cutoff={system.cutoff:g} and lengths {system.box.tolist()}"
        )
    if n_insertions < 1 or not (math.isfinite(temperature) and temperature > 0):
        raise ValueError(f"n_insertions must be >= 1 and temperature > 0; got {n_insertions} and {temperature}")
    flat = x.reshape(-1, *system.shape)
    factors = [
        _mean_factor(system, one, temperature, np.random.default_rng([seed, number]), n_insertions)
        for number, one in enumerate(flat)
    ]
    excess = jackknife(lambda b: -temperature * math.log(b), np.array(factors).reshape(x.shape[:2]))
    return ChemicalPotential(excess, temperature * math.log(system.density))


def _mean_factor(
    system: Any, positions: FloatArray, temperature: float, rng: np.random.Generator, n_insertions: int
) -> float:
    """Return the mean of exp(−ΔU/T) over random points."""
    n = system.n_particles
    tail = (2 * n + 1) / n**2 * system.tail_energy if system.tail else 0.0  # U_tail grows as N²
    total, step = 0.0, max(1, _PAIRS_AT_ONCE // n)
    for first in range(0, n_insertions, step):
        points = rng.random((min(step, n_insertions - first), system.dim)) * system.box
        vectors = system.minimum_image(points[:, np.newaxis] - positions)
        energy = system.pair_energy(np.sqrt((vectors**2).sum(axis=-1))).sum(axis=-1)
        total += float(np.exp(-(energy + tail) / temperature).sum())
    return total / n_insertions
