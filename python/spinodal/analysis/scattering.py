# SPDX-License-Identifier: BSD-3-Clause
r"""The static structure factor of particles.

.. math:: S(k) = \frac{1}{N} \left\langle \left| \sum_j e^{-i k \cdot r_j} \right|^2 \right\rangle

at the wave vectors 2π n/L of the periodic box, averaged over those of about the same length: 1 at large k, and at
small k the density times the temperature times the compressibility.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from spinodal.analysis.arrays import FloatArray
from spinodal.analysis.estimates import estimate
from spinodal.analysis.fields import Profile


def static_structure_factor(
    draws: npt.ArrayLike, box: float | npt.ArrayLike, *, k_max: float = 15.0, width: float | None = None
) -> Profile:
    """Return S(k) of particles in a periodic box, with errors that know about autocorrelation.

    Parameters
    ----------
    draws : float64 array, shape (n_chains, n_draws, n_particles, dim), or (n_draws, n_particles, dim)
        Wrapped or not.
    box : float or one an axis
    k_max : float
        Largest wave number, > 0; the cost of a draw grows as n_particles k_max^dim.
    width : float, optional
        Of the shells; default 2π over the greatest length of the box.

    Returns
    -------
    Profile
        Unpacks into k (the mean of each shell), S(k), stderr. k = 0 is left out. ``reliable`` tells whether every
        shell's error can be trusted; the reason names the first that cannot.
    """
    x = np.asarray(draws, dtype=np.float64)
    x = x[np.newaxis] if x.ndim == 3 else x
    if x.ndim != 4 or x.shape[-1] not in (2, 3) or x.size == 0:
        raise ValueError(f"draws must have shape (n_chains, n_draws, n_particles, 2 or 3); got {np.shape(draws)}")
    lengths = np.broadcast_to(np.asarray(box, dtype=np.float64), x.shape[-1:])
    if not (np.isfinite(lengths) & (lengths > 0)).all() or not k_max > 0:
        raise ValueError(f"box lengths and k_max must be > 0; got {lengths.tolist()} and {k_max}")
    width = 2.0 * np.pi / lengths.max() if width is None else width
    lattice = _half_lattice(lengths, k_max)
    k, shell, count = _shells(lattice, lengths, k_max, width)
    if not count.size:
        raise ValueError(f"no wave vector of a box of {lengths.tolist()} is shorter than k_max = {k_max:g}")
    flat = x.reshape(-1, *x.shape[2:])
    power = np.array([np.bincount(shell, _power(one, lengths, lattice)[k > 0], count.size) for one in flat])
    series = (power / count).reshape(*x.shape[:2], -1) / x.shape[2]
    found = [estimate(series[..., s]) for s in range(count.size)]
    wrong = next((e for e in found if not e.reliable), None)
    mean_k = np.bincount(shell, k[k > 0], count.size) / count
    mean, stderr = np.array([e.mean for e in found]), np.array([e.stderr for e in found])
    return Profile(mean_k, mean, stderr, wrong is None, "" if wrong is None else wrong.reason)


def _half_lattice(lengths: FloatArray, k_max: float) -> list[npt.NDArray[np.int64]]:
    """Return the integers of each axis; the first has no negative ones, because S(−k) = S(k)."""
    most = [int(k_max * length / (2 * np.pi)) for length in lengths]
    return [np.arange(0 if axis == 0 else -n, n + 1) for axis, n in enumerate(most)]


def _shells(
    lattice: list[npt.NDArray[np.int64]], lengths: FloatArray, k_max: float, width: float
) -> tuple[FloatArray, npt.NDArray[np.intp], npt.NDArray[np.int64]]:
    """Return every |k|, 0 for those that do not count; the shells of the others; and how many each shell has."""
    grids = np.meshgrid(*(2 * np.pi * n / length for n, length in zip(lattice, lengths, strict=True)), indexing="ij")
    k = np.sqrt(sum(np.square(grid) for grid in grids)).ravel()
    # Of a pair ±k on the plane where the first component is 0, one is enough.
    repeated = np.zeros(grids[0].shape, dtype=bool)
    repeated[0] = _is_repeated([grid[0] for grid in grids[1:]])
    k[repeated.ravel() | (k > k_max)] = 0.0
    index = (k[k > 0] / width + 0.5).astype(np.intp)
    used, shell = np.unique(index, return_inverse=True)
    return k, shell, np.bincount(shell, minlength=used.size)


def _is_repeated(grids: list[FloatArray]) -> npt.NDArray[np.bool_]:
    """Tell the wave vectors whose first component that is not 0 is negative."""
    negative = np.zeros(grids[0].shape, dtype=bool)
    undecided = np.ones(grids[0].shape, dtype=bool)
    for grid in grids:
        negative |= undecided & (grid < 0)
        undecided &= grid == 0
    return negative


def _power(positions: FloatArray, lengths: FloatArray, lattice: list[npt.NDArray[np.int64]]) -> FloatArray:
    """Return |Σ_j exp(−i k·r_j)|² at all wave vectors, flat: products of the axes' phases, by matrix products."""
    phases = [np.exp(-2j * np.pi * np.outer(positions[:, axis] / lengths[axis], n)) for axis, n in enumerate(lattice)]
    return np.concatenate([(np.abs(plane) ** 2).ravel() for plane in _planes(phases)])


def _planes(phases: list[npt.NDArray[np.complex128]]) -> Iterator[npt.NDArray[np.complex128]]:
    """Yield the sums over particles, one value of the first axis at a time."""
    for first in phases[0].T:
        weighted = phases[1] * first[:, np.newaxis]
        yield weighted.sum(axis=0) if len(phases) == 2 else weighted.T @ phases[2]
