# SPDX-License-Identifier: BSD-3-Clause
"""Spin-spin correlations in real space, and the second-moment correlation length, on any periodic lattice.

``connected`` is the same everywhere: False gives <s_x s_{x+r}>; True subtracts <m>², which vanishes at h = 0 when
both signs are sampled; "abs" subtracts <|m|>², the choice for an ordered phase.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from spinodal.analysis.arrays import AnyArray, Draws, FloatArray, as_draws, as_log_weights, over_draws
from spinodal.analysis.estimates import Estimate
from spinodal.analysis.fields import (
    Connected,
    Ensemble,
    Profile,
    block_correlations,
    block_power,
    ensemble,
    order_parameter,
    ratio_profile,
)
from spinodal.analysis.observables import sum_over_lattice
from spinodal.analysis.resampling import jackknife
from spinodal.files.packing import PackedSpins

_LONGEST_COUNTED = 512  # counting takes a time in proportion to the length, the transform to its logarithm


def correlation(
    draws: npt.ArrayLike,
    connected: Connected = False,
    axis: int | None = None,
    log_weights: npt.ArrayLike | None = None,
) -> Profile:
    """Return C(r) = <s_x s_{x+r e}>, averaged over x, for r = 0 … L/2 along an axis.

    Parameters
    ----------
    draws : array_like or PackedSpins, shape (n_chains, n_draws, *lattice)
    connected : bool or "abs"
        What is subtracted, see the module.
    axis : int, optional
        Lattice axis, 0 the first; default: the mean over all axes, up to half the shortest length.
    log_weights : array_like, shape (n_chains, n_draws), optional

    Returns
    -------
    Profile
        Unpacks into r, C(r), stderr; errors by jackknife over blocks.
    """
    sample = ensemble(draws, log_weights)
    axes = range(len(sample.lattice)) if axis is None else (axis,)
    if axis is not None and not -len(sample.lattice) <= axis < len(sample.lattice):
        raise ValueError(f"axis {axis} of a lattice with {len(sample.lattice)} axes")
    sums = [_axis_sums(sample, a % len(sample.lattice)) for a in axes]
    reach = min(s.shape[1] for s in sums)
    mean = np.mean([s[:, :reach] for s in sums], axis=0)
    return _connected_profile(sample, np.arange(reach, dtype=np.float64), mean, connected)


def _axis_sums(sample: Ensemble, axis: int) -> FloatArray:
    """Return block sums of w C(r), shape (n_blocks, L/2 + 1): by counting bits where draws have them, else by FFT."""
    length = sample.lattice[axis]
    if isinstance(sample.draws, PackedSpins) and length <= _LONGEST_COUNTED:
        return np.array(list(block_correlations(sample, axis))) / sample.n_sites
    power = np.array(list(block_power(sample, (axis,))))
    result: FloatArray = np.fft.irfft(power, length, axis=1)[:, : length // 2 + 1] / sample.n_sites
    return result


def radial_correlation(
    draws: npt.ArrayLike,
    connected: Connected = False,
    width: float = 1.0,
    log_weights: npt.ArrayLike | None = None,
) -> Profile:
    """Return C(r) averaged over all displacements of about the same minimum-image length.

    Shell i holds the displacements with (i - 1/2) ``width`` ≤ |r| < (i + 1/2) ``width``, up to half the shortest
    length; its ``x`` is their mean length, and r = 0 is a shell of its own.

    Parameters
    ----------
    draws : array_like or PackedSpins, shape (n_chains, n_draws, *lattice)
    connected : bool or "abs"
    width : float
        At most 1, or r = 0 would share its shell.
    log_weights : array_like, shape (n_chains, n_draws), optional

    Returns
    -------
    Profile
        Unpacks into r, C(r), stderr.
    """
    if not 0.0 < width <= 1.0:
        raise ValueError(f"width must be in (0, 1]; got {width}")
    sample = ensemble(draws, log_weights)
    lattice, axes = sample.lattice, tuple(range(len(sample.lattice)))
    shell, count, r = shells(displacement_lengths(lattice), width, min(lattice) / 2.0)
    sums = [
        np.bincount(shell, np.fft.irfftn(power, lattice, axes).ravel(), count.size)
        for power in block_power(sample, axes)
    ]
    used = count > 0
    mean = np.array(sums)[:, used] / (count[used] * sample.n_sites)
    return _connected_profile(sample, r[used], mean, connected)


def displacement_lengths(lattice: tuple[int, ...]) -> FloatArray:
    """Return |r| of every minimum-image displacement, shape ``lattice``."""
    square = np.zeros(lattice)
    for axis, length in enumerate(lattice):
        d = np.minimum(np.arange(length), length - np.arange(length)).astype(np.float64)
        square += (d * d).reshape(-1, *(1,) * (len(lattice) - axis - 1))
    return np.sqrt(square)


def shells(
    lengths: FloatArray, width: float, reach: float, multiplicity: FloatArray | None = None
) -> tuple[npt.NDArray[np.intp], FloatArray, FloatArray]:
    """Sort lengths into shells centred on multiples of ``width``.

    Returns
    -------
    shell : intp array, shape (lengths.size,)
        Shell of each; those beyond ``reach`` are in one more shell, whose count is zero.
    count, x : float64 arrays, shape (n_shells + 1,)
        Number of lengths in each shell, and their mean.
    """
    flat = lengths.ravel()
    weight = np.ones(flat.size) if multiplicity is None else multiplicity.ravel()
    n_shells = int(reach / width + 0.5) + 1
    beyond = flat > reach * (1.0 + 1e-12)
    shell = np.where(beyond, n_shells, np.floor(flat / width + 0.5).astype(np.intp))
    count: FloatArray = np.bincount(shell, weight, n_shells + 1).astype(np.float64)
    total = np.bincount(shell, weight * flat, n_shells + 1)
    count[n_shells] = 0.0
    return shell, count, np.divide(total, count, out=np.zeros_like(total), where=count > 0)


def _connected_profile(sample: Ensemble, r: FloatArray, sums: FloatArray, connected: Connected) -> Profile:
    order = order_parameter(sample, connected)
    return ratio_profile(sample, r, sums, None if order is None else (order, np.ones(r.size)))


def correlation_length(
    draws: npt.ArrayLike,
    connected: Connected = False,
    axis: int | None = None,
    log_weights: npt.ArrayLike | None = None,
) -> Estimate:
    """Estimate the second-moment correlation length ξ = sqrt(S(0)/S(k_min) - 1) / (2 sin(π/L)), k_min = 2π/L.

    Parameters
    ----------
    draws : array_like or PackedSpins, shape (n_chains, n_draws, *lattice)
    connected : bool or "abs"
        What is subtracted from S(0); False for the usual definition in the symmetric phase.
    axis : int, optional
        Direction of k_min; default: S(k_min) averaged over the axes, which must be of equal length.
    log_weights : array_like, shape (n_chains, n_draws), optional

    Returns
    -------
    Estimate
        With jackknife error; ``nan`` and flagged where S(0) < S(k_min).

    References
    ----------
    F. Cooper, B. Freedman, D. Preston, Nucl. Phys. B 210, 210 (1982).
    """
    array = as_draws(draws)
    lattice = array.shape[2:]
    axes = tuple(range(len(lattice))) if axis is None else (axis % len(lattice),)
    length = lattice[axes[0]]
    if any(lattice[a] != length for a in axes):
        raise ValueError(f"lattice {lattice} has unequal lengths: give axis=")
    m = sum_over_lattice(array) / math.prod(lattice)
    s_min = np.mean([_least_wave(array, a) for a in axes], axis=0) / math.prod(lattice) ** 2
    order = np.abs(m) if connected == "abs" else m * (connected is True)
    scale = 2.0 * math.sin(math.pi / length)

    def xi(s0: float, s1: float, a: float) -> float:
        excess = (s0 - a * a) / s1 - 1.0 if s1 > 0.0 else math.nan
        return math.sqrt(excess) / scale if excess >= 0.0 else math.nan

    logs = None if log_weights is None else as_log_weights(log_weights, m.shape)
    return jackknife(xi, m * m, s_min, order, log_weights=logs)


def _least_wave(draws: Draws, axis: int) -> FloatArray:
    """Return |Σ_x s_x exp(2πi x_axis/L)|² of every draw, (n_chains, n_draws)."""
    lattice = draws.shape[2:]
    others = tuple(a - len(lattice) for a in range(len(lattice)) if a != axis)
    dtype = np.int32 if np.issubdtype(draws.dtype, np.integer) else np.float64
    phase = 2.0 * np.pi * np.arange(lattice[axis]) / lattice[axis]

    def square(array: AnyArray) -> FloatArray:
        planes = np.asarray(array.sum(axis=others, dtype=dtype), dtype=np.float64)
        result: FloatArray = (planes @ np.cos(phase)) ** 2 + (planes @ np.sin(phase)) ** 2
        return result

    return over_draws(draws, square)
