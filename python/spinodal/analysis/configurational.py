# SPDX-License-Identifier: BSD-3-Clause
r"""The temperature that positions alone show.

.. math:: T = \frac{\langle |\nabla U|^2 \rangle}{\langle \nabla^2 U \rangle}

holds for whatever is sampled at T, by dynamics or Monte Carlo: a timestep that is too long, a wrong acceptance or a
chain that has not equilibrated show in it, where the velocities' temperature may look right.

References
----------
Rugh, Phys. Rev. Lett. 78, 772 (1997); Butler, Ayton, Jepps and Evans, J. Chem. Phys. 109, 6519 (1998).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from spinodal.analysis.arrays import FloatArray
from spinodal.analysis.estimates import Estimate
from spinodal.analysis.resampling import jackknife

_STEP = 1e-4  # σ, of the difference that stands for a derivative of the forces


def configurational_temperature(system: Any, draws: npt.ArrayLike, *, seed: int = 0) -> Estimate:
    """Return the temperature of configurations, from forces and how they change.

    Parameters
    ----------
    system : LennardJonesSystem, DoubleWell, or another with ``forces``
        The forces must be continuous: ``shift="force"``, or a cutoff where they are small.
    draws : float64 array, shape (n_chains, n_draws, n_particles, dim), or (n_draws, n_particles, dim)
    seed : int
        Of the directions ±1 along which the Laplacian is measured, one for each draw (Hutchinson's estimator).

    Raises
    ------
    ValueError
        If the draws have another shape.
    """
    x = np.asarray(draws, dtype=np.float64)
    x = x[np.newaxis] if x.ndim == 3 else x
    if x.ndim != 4 or x.shape[2:] != system.shape:
        raise ValueError(f"draws must have shape (n_chains, n_draws, {system.shape}); got {np.shape(draws)}")
    step = _STEP * float(getattr(system, "sigma", 1.0))
    squares, laplacians = np.empty(x.shape[:2]), np.empty(x.shape[:2])
    for chain, own in enumerate(x):  # one at a time: the forces of all draws of all chains need not fit into memory
        direction = np.where(np.random.default_rng([seed, chain]).random(own.shape) < 0.5, -1.0, 1.0)
        change: FloatArray = system.forces(own + step * direction) - system.forces(own - step * direction)
        squares[chain] = (system.forces(own) ** 2).sum(axis=(-2, -1))
        laplacians[chain] = -(change * direction).sum(axis=(-2, -1)) / (2 * step)
    return jackknife(lambda square, laplacian: square / laplacian, squares, laplacians)
