# SPDX-License-Identifier: BSD-3-Clause
"""Histograms with error bars, whose bins never split a level of a discrete quantity."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spinodal.analysis.arrays import (
    FloatArray,
    IntArray,
    SamplesLike,
    as_log_weights,
    at_temperature,
    n_sites,
    one_temperature,
)
from spinodal.analysis.autocovariance import Autocovariance
from spinodal.analysis.blocks import automatic_blocks
from spinodal.analysis.estimates import Estimate, estimate, estimate_chains
from spinodal.analysis.observables import total_magnetization
from spinodal.analysis.resampling import delete_block
from spinodal.analysis.weights import normalized_weights

MOST_LEVELS = 200  # one bin a level up to here, unless bins are asked for


@dataclass(frozen=True)
class Histogram:
    """A normalised histogram.

    Attributes
    ----------
    edges : float64 array, shape (n_bins + 1,)
    centers : float64 array, shape (n_bins,)
    probability : float64 array, shape (n_bins,)
        Fraction of the weight in each bin; sums to 1.
    density, stderr : float64 arrays, shape (n_bins,)
        Probability over bin width, and its error from blocks. An empty bin has error 0, which means unknown.
    counts : int64 array, shape (n_bins,)
        Number of draws in each bin.
    reliable : bool
        Whether the series and its square passed the checks of ``estimate``.
    reason : str
    """

    edges: FloatArray
    centers: FloatArray
    probability: FloatArray
    density: FloatArray
    stderr: FloatArray
    counts: IntArray
    reliable: bool
    reason: str


def magnetization_histogram(
    samples: SamplesLike, bins: int | None = None, temperature: float | None = None
) -> Histogram:
    """Return the histogram of m = M/N. M takes the values -N, -N + 2, …, N, and each bin holds whole values.

    Parameters
    ----------
    samples : Samples
    bins : int, optional
        Number of bins, at most N + 1; default one for each value of M, or about 200 for large lattices.
    temperature : float, optional
        Needed when the chains have several.
    """
    samples = samples if temperature is None else at_temperature(samples, temperature)
    one_temperature(samples)
    sites = n_sites(samples)
    m = total_magnetization(samples) / sites
    return histogram(m, level_edges(-1.0, 2.0 / sites, sites + 1, bins), samples.log_weights)


def energy_histogram(samples: SamplesLike, bins: int | None = None, temperature: float | None = None) -> Histogram:
    """Return the histogram of the energy per site, with bins that hold whole energy levels.

    The spacing of the levels is read off the energies (4|J| for the square lattice at h = 0); energies that do not
    lie on a regular grid are treated as continuous.

    Parameters
    ----------
    samples : Samples
    bins : int, optional
        Number of bins; default one for each level, or about 200.
    temperature : float, optional
        Needed when the chains have several.
    """
    samples = samples if temperature is None else at_temperature(samples, temperature)
    one_temperature(samples)
    energy = np.asarray(samples.energy, dtype=np.float64)
    if not np.isfinite(energy).all():
        raise ValueError("energies are not all finite")
    values = np.unique(energy)
    spacing = level_spacing(values)
    sites = n_sites(samples)
    if spacing is None:
        steps = np.linspace(0.0, 1.0 + 1e-12, (bins or MOST_LEVELS) + 1)  # the last edge is just above the last value
        edges = np.asarray(values[0] + np.ptp(values) * steps, dtype=np.float64)
    else:
        n_levels = round((values[-1] - values[0]) / spacing) + 1
        edges = level_edges(float(values[0]), spacing, n_levels, bins)
    return histogram(energy / sites, edges / sites, samples.log_weights)


def level_spacing(values: FloatArray) -> float | None:
    """Return the step of the grid that sorted distinct ``values`` lie on, or None if there is none."""
    if values.size == 1:
        return 1.0
    gaps = np.diff(values)
    spacing = float(gaps.min())
    multiples = (values - values[0]) / spacing
    regular = np.abs(multiples - np.rint(multiples)).max() < 1e-6 and spacing > 1e-9 * np.abs(values).max()
    return spacing if regular else None


def level_edges(first: float, spacing: float, n_levels: int, bins: int | None) -> FloatArray:
    """Return edges halfway between levels, with the levels shared out evenly over the bins."""
    n_bins = min(n_levels, MOST_LEVELS) if bins is None else bins
    if not 1 <= n_bins <= n_levels:
        raise ValueError(f"bins must be between 1 and {n_levels}, the number of levels; got {bins}")
    boundaries = np.arange(n_bins + 1) * n_levels // n_bins
    return np.asarray(first + spacing * (boundaries - 0.5), dtype=np.float64)


def histogram(x: FloatArray, edges: FloatArray, log_weights: npt.ArrayLike | None = None) -> Histogram:
    """Return the histogram of a series (n_chains, n_draws) over increasing ``edges``, with errors from blocks.

    Raises
    ------
    ValueError
        If a value is not finite or outside the edges.
    """
    if not np.isfinite(x).all() or x.min() < edges[0] or x.max() >= edges[-1]:
        raise ValueError(f"values from {x.min():g} to {x.max():g} do not fit the bins {edges[0]:g} to {edges[-1]:g}")
    logs = None if log_weights is None else as_log_weights(log_weights, x.shape)
    weights = np.ones(x.shape) if logs is None else normalized_weights(logs)
    index, n_bins = np.searchsorted(edges, x, side="right") - 1, edges.size - 1
    slow, acov = _slower(x)
    blocks = automatic_blocks(x.shape, acov)
    cells = (blocks.labels() * n_bins + index).ravel()
    sums = np.bincount(cells, weights.ravel(), blocks.n_blocks * n_bins).astype(np.float64).reshape(-1, n_bins)
    probability, stderr = _fractions(sums, blocks.sums(weights), blocks.sizes)
    width = np.diff(edges)
    reason = slow.reason if logs is None else estimate(x, logs).reason
    return Histogram(
        edges=edges,
        centers=0.5 * (edges[1:] + edges[:-1]),
        probability=probability,
        density=probability / width,
        stderr=stderr * math.sqrt(blocks.inflation) / width,
        counts=np.bincount(index.ravel(), minlength=n_bins).astype(np.int64),
        reliable=not reason,
        reason=reason,
    )


def _slower(x: FloatArray) -> tuple[Estimate, Autocovariance | None]:
    """Judge the series and its square, and return the one that decorrelates more slowly.

    That is m itself below T_c, where its sign is slow, and m² above.
    """
    first, second = estimate_chains(x), estimate_chains(x * x)
    return second if second[0].tau_int > first[0].tau_int or math.isnan(first[0].tau_int) else first


def _fractions(sums: FloatArray, weight: FloatArray, sizes: IntArray) -> tuple[FloatArray, FloatArray]:
    full = sums.sum(axis=0) / weight.sum()
    if weight.size < 2:
        return full, np.full(full.shape, math.nan)
    replicas = (sums.sum(axis=0) - sums) / (weight.sum() - weight)[:, None]
    return full, np.sqrt(delete_block(full, replicas, sizes)[1])
