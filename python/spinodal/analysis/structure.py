# SPDX-License-Identifier: BSD-3-Clause
"""Structure factors S(k) = <|s_k|²>/N, s_k = Σ_x s_x exp(-i k x), on any periodic lattice."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spinodal.analysis.arrays import FloatArray
from spinodal.analysis.correlations import shells
from spinodal.analysis.fields import Connected, Ensemble, Profile, block_power, ensemble, order_parameter, ratio_profile


@dataclass(frozen=True)
class StructureFactor:
    """S at every wave vector of the lattice.

    Attributes
    ----------
    k : tuple of float64 arrays
        Components along each axis, radians per lattice unit, in the order of ``numpy.fft.fftfreq``
        (``numpy.fft.fftshift`` puts k = 0 in the middle).
    mean, stderr : float64 arrays, shape lattice
    reliable : bool
        Whether S(0), the slowest mode, passed the checks of ``estimate``.
    reason : str
    """

    k: tuple[FloatArray, ...]
    mean: FloatArray
    stderr: FloatArray
    reliable: bool
    reason: str


def structure_factor(
    draws: npt.ArrayLike, connected: Connected = False, log_weights: npt.ArrayLike | None = None
) -> StructureFactor:
    """Return S(k) = <|s_k|²>/N at every wave vector, with errors from blocks.

    Parameters
    ----------
    draws : array_like or PackedSpins, shape (n_chains, n_draws, *lattice)
    connected : bool or "abs"
        True subtracts N <m>² from S(0), "abs" N <|m|>². The error of S(0) leaves out that of the subtraction.
    log_weights : array_like, shape (n_chains, n_draws), optional

    Returns
    -------
    StructureFactor
    """
    sample = ensemble(draws, log_weights)
    lattice = sample.lattice
    half, error = _mean_over_blocks(sample)
    mean = _whole_spectrum(half / sample.n_sites, lattice)
    stderr = _whole_spectrum(error / sample.n_sites, lattice)
    order = order_parameter(sample, connected)
    if order is not None:
        mean.flat[0] -= sample.n_sites * (order.sum() / sample.weights.sum()) ** 2
    k = tuple(np.asarray(2.0 * np.pi * np.fft.fftfreq(length), dtype=np.float64) for length in lattice)
    return StructureFactor(k, mean, stderr, sample.m2.reliable, sample.m2.reason)


def _mean_over_blocks(sample: Ensemble) -> tuple[FloatArray, FloatArray]:
    """Return mean and standard error of the power, holding three spectra and never one for each block."""
    weights = sample.blocks.sums(sample.weights)
    first = square = cross = np.zeros(1)
    axes = tuple(range(len(sample.lattice)))
    for weight, power in zip(weights, block_power(sample, axes), strict=True):
        first = first + power
        square = square + power * power
        cross = cross + weight * power
    total, n = weights.sum(), weights.size
    mean = first / total
    if n < 2:
        return mean, np.full(mean.shape, math.nan)
    spread = square - 2.0 * mean * cross + mean * mean * (weights * weights).sum()
    variance = np.maximum(spread, 0.0) * n / (n - 1) / total**2 * sample.blocks.inflation
    return mean, np.sqrt(variance)


def _whole_spectrum(half: FloatArray, lattice: tuple[int, ...]) -> FloatArray:
    """Complete the half spectrum of ``rfftn`` by S(-k) = S(k)."""
    whole = np.empty(lattice)
    n_half = half.shape[-1]
    whole[..., :n_half] = half
    mirrored = [(-np.arange(length)) % length for length in lattice[:-1]]
    last = lattice[-1] - np.arange(n_half, lattice[-1])
    whole[..., n_half:] = half[np.ix_(*mirrored, last)]
    return whole


def radial_structure_factor(
    draws: npt.ArrayLike, connected: Connected = False, log_weights: npt.ArrayLike | None = None
) -> Profile:
    """Return S averaged over wave vectors of about the same length, in shells 2π/L wide, L the greatest length.

    Parameters
    ----------
    draws : array_like or PackedSpins, shape (n_chains, n_draws, *lattice)
    connected : bool or "abs"
        What is subtracted from S(0), which is a shell of its own.
    log_weights : array_like, shape (n_chains, n_draws), optional

    Returns
    -------
    Profile
        Unpacks into k, S(k), stderr, for |k| ≤ π.
    """
    sample = ensemble(draws, log_weights)
    lengths, multiplicity = _half_wave_numbers(sample.lattice)
    shell, count, k = shells(lengths, 2.0 * np.pi / max(sample.lattice), np.pi, multiplicity)
    axes = tuple(range(len(sample.lattice)))
    sums = [np.bincount(shell, (power * multiplicity).ravel(), count.size) for power in block_power(sample, axes)]
    used = count > 0
    mean = np.array(sums)[:, used] / (count[used] * sample.n_sites)
    order = order_parameter(sample, connected)
    at_zero = sample.n_sites * (np.arange(mean.shape[1]) == 0) / count[used]
    return ratio_profile(sample, k[used], mean, None if order is None else (order, at_zero))


def _half_wave_numbers(lattice: tuple[int, ...]) -> tuple[FloatArray, FloatArray]:
    """Return |k| on the half spectrum, and how many wave vectors each entry stands for."""
    parts = [np.fft.fftfreq(length) for length in lattice[:-1]]
    parts.append(np.fft.rfftfreq(lattice[-1]))
    grids = np.meshgrid(*parts, indexing="ij")
    multiplicity = np.full(grids[0].shape, 2.0)
    multiplicity[..., 0] = 1.0
    if lattice[-1] % 2 == 0:
        multiplicity[..., -1] = 1.0
    return 2.0 * np.pi * np.sqrt(sum(g * g for g in grids)), multiplicity
