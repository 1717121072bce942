# SPDX-License-Identifier: BSD-3-Clause
r"""Mean squared displacements of particles, and the diffusion coefficient.

.. math:: \langle |r(t_0 + t) - r(t_0)|^2 \rangle \to 2 d D t

averaged over particles and all time origins t₀, by the Fourier transform of the trajectories: the cost grows as
n log n with the number of draws.

References
----------
Calandrini, Pellegrini, Calligari, Hinsen and Kneller, Collection SFN 12, 201 (2011), section 4.2.1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spinodal.analysis.arrays import FloatArray
from spinodal.analysis.estimates import Estimate

_GROUPS = 8  # of particles, where there are too few chains to tell the error
_FEWEST_CHAINS = 4
_FARTHEST = 0.4  # of a box length between two draws: beyond it the way is not known
_SITES_AT_ONCE = 1 << 18


@dataclass(frozen=True)
class MeanSquaredDisplacement:
    """Mean squared displacement against time.

    Attributes
    ----------
    time : float64 array, shape (n_lags,)
        From 0 on.
    mean, stderr : float64 arrays, shape (n_lags,)
        Errors at different times are correlated.
    parts : float64 array, shape (n_parts, n_lags)
        Of each chain, or of each group of particles where there are fewer than four chains: what the error is from.
    dim : int
    """

    time: FloatArray
    mean: FloatArray
    stderr: FloatArray
    parts: FloatArray
    dim: int

    def diffusion_coefficient(self, start: float, stop: float | None = None) -> Estimate:
        """Return D from straight lines through the displacements at ``start`` ≤ time ≤ ``stop``.

        Parameters
        ----------
        start : float
            After the ballistic part: some velocity relaxation times.
        stop : float, optional
            Default half of the longest time, beyond which there are few origins.

        Raises
        ------
        ValueError
            If fewer than two times are between them.
        """
        stop = 0.5 * float(self.time[-1]) if stop is None else stop
        chosen = (self.time >= start) & (self.time <= stop)
        if chosen.sum() < 2:
            raise ValueError(f"two times or more are needed from {start:g} to {stop:g}; there are {int(chosen.sum())}")
        t = self.time[chosen] - self.time[chosen].mean()
        slopes = self.parts[:, chosen] @ t / (t @ t) / (2 * self.dim)
        error = float(slopes.std(ddof=1) / np.sqrt(len(slopes)))
        return Estimate(float(slopes.mean()), error, n=len(slopes))


def mean_squared_displacement(
    draws: npt.ArrayLike,
    box: npt.ArrayLike | None = None,
    *,
    spacing: float = 1.0,
    max_lag: int | None = None,
    remove_drift: bool = False,
) -> MeanSquaredDisplacement:
    """Return the mean squared displacement of particles against time.

    Parameters
    ----------
    draws : float64 array, shape (n_chains, n_draws, n_particles, dim), or (n_draws, n_particles, dim)
        Of dynamics, at equal times; wrapped or not.
    box : float or one an axis, optional
        Of periodic particles, which are unwrapped: from draw to draw each takes the shortest way.
    spacing : float
        Time from a draw to the next: thin × timestep.
    max_lag : int, optional
        Longest time in draws, default all there are.
    remove_drift : bool
        Whether displacements are taken from the centre of mass.

    Raises
    ------
    ValueError
        If a particle goes farther than 0.4 box lengths between two draws, where the shortest way may be the wrong one.
    """
    x = np.asarray(draws, dtype=np.float64)
    x = x[np.newaxis] if x.ndim == 3 else x
    if x.ndim != 4 or x.shape[1] < 2:
        raise ValueError(f"draws must have shape (n_chains, n_draws >= 2, n_particles, dim); got {np.shape(draws)}")
    n_chains, n_draws, n_particles, dim = x.shape
    lags = n_draws if max_lag is None else min(max_lag + 1, n_draws)
    by_particle = np.empty((n_chains, n_particles, lags))
    for chain in range(n_chains):
        path = unwrap(x[chain], box)
        if remove_drift:
            path = path - path.mean(axis=1, keepdims=True)
        step = max(1, _SITES_AT_ONCE // n_draws)
        for first in range(0, n_particles, step):
            by_particle[chain, first : first + step] = _squared_displacements(path[:, first : first + step], lags)
    parts = _parts(by_particle)
    error: FloatArray = np.full(lags, np.nan)
    if len(parts) > 1:
        error = parts.std(axis=0, ddof=1) / len(parts) ** 0.5
    time: FloatArray = np.arange(lags, dtype=np.float64) * spacing
    return MeanSquaredDisplacement(time, parts.mean(axis=0), error, parts, dim)


def unwrap(draws: FloatArray, box: npt.ArrayLike | None) -> FloatArray:
    """Return paths (n_draws, n_particles, dim) without jumps across the box, from the first positions on."""
    if box is None:
        return draws
    lengths = np.broadcast_to(np.asarray(box, dtype=np.float64), draws.shape[-1:])
    moves = np.diff(draws, axis=0)
    moves -= lengths * np.rint(moves / lengths)
    farthest = float((np.abs(moves) / lengths).max(initial=0.0))
    if farthest > _FARTHEST:
        raise ValueError(
            f"a particle moves by {farthest:.2f} box lengths between two draws, more than {_FARTHEST}: its way is not "
            "known; take draws at shorter intervals (a smaller thin)"
        )
    path: FloatArray = np.concatenate([draws[:1], draws[0] + np.cumsum(moves, axis=0)])
    return path


def _squared_displacements(path: FloatArray, n_lags: int) -> FloatArray:
    """Return the mean over origins for each particle, (n_particles, n_lags), of paths (n_draws, n_particles, dim)."""
    n_draws = len(path)
    x = path - path.mean(axis=0)
    spectrum = np.fft.rfft(x, 2 * n_draws, axis=0)
    products = np.fft.irfft((spectrum * spectrum.conj()).real.sum(axis=2), axis=0)[:n_lags]
    squares = (x**2).sum(axis=2)
    before = np.concatenate([np.zeros((1, squares.shape[1])), np.cumsum(squares, axis=0)])
    ends = before[n_draws - np.arange(n_lags)] + before[-1] - before[np.arange(n_lags)]
    counts = (n_draws - np.arange(n_lags))[:, None]
    mean: FloatArray = np.maximum((ends - 2.0 * products) / counts, 0.0).T
    mean[:, 0] = 0.0
    return mean


def _parts(by_particle: FloatArray) -> FloatArray:
    n_chains, n_particles, _ = by_particle.shape
    if n_chains >= _FEWEST_CHAINS or n_particles < _GROUPS:
        chains: FloatArray = by_particle.mean(axis=1)
        return chains
    groups = np.array_split(by_particle, _GROUPS, axis=1)
    parts: FloatArray = np.concatenate([group.mean(axis=1) for group in groups])
    return parts
