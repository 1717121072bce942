# SPDX-License-Identifier: BSD-3-Clause
"""Draws of several temperatures, reduced to sums at each energy level, in jackknife blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spinodal.analysis.arrays import FloatArray
from spinodal.analysis.autocovariance import usable_autocovariance
from spinodal.analysis.blocks import BLOCK_TAU, Blocks, grid_blocks
from spinodal.analysis.estimates import judge

MOST_LEVELS = 20_000
FEWEST_BLOCKS = 8


@dataclass(frozen=True)
class LevelTable:
    """Sums over the draws at each energy level; a draw at temperature k counts 1/(2 τ_k).

    Attributes
    ----------
    energy : float64 array, shape (n_levels,)
    counts : float64 array, shape (n_blocks, n_levels)
    sums : dict of float64 arrays, shape (n_blocks, n_levels)
        Σ O at each level, by name.
    n : float64 array, shape (n_blocks, n_temperatures)
        Weighted number of draws.
    mean_energy : float64 array, shape (n_temperatures,)
    n_draws : int
    reason : str
        What is wrong with the series; empty if nothing.
    """

    energy: FloatArray
    counts: FloatArray
    sums: dict[str, FloatArray]
    n: FloatArray
    mean_energy: FloatArray
    n_draws: int
    reason: str


def level_table(
    energies: Sequence[FloatArray],
    temperatures: FloatArray,
    observables: Mapping[str, Sequence[FloatArray]],
    n_blocks: int,
    effective: bool,
) -> LevelTable:
    """Reduce energies and observables, each (n_chains, n_draws) for every temperature, to sums at levels.

    Parameters
    ----------
    n_blocks : int
        Block j of every temperature is left out together with block j of the others, so that chains that exchange
        replicas may be correlated across temperatures.
    effective : bool
        Count a draw 1/(2 τ), else 1.
    """
    covariances = [usable_autocovariance(e) for e in energies]
    times = [0.5 if a is None else a.tau for a in covariances]
    grids = _blocks(energies, times, n_blocks)
    levels, width = find_levels(energies)
    counts = np.zeros((grids[0].n_blocks, levels.size))
    sums = {name: np.zeros_like(counts) for name in observables}
    n = np.empty((grids[0].n_blocks, len(energies)))
    for k, (energy, grid, time) in enumerate(zip(energies, grids, times, strict=True)):
        share = 1.0 / max(2.0 * time, 1.0) if effective else 1.0
        cells = (grid.labels() * levels.size + _index(levels, width, energy)).ravel()
        counts += share * np.bincount(cells, minlength=counts.size).reshape(counts.shape)
        for name, series in observables.items():
            sums[name] += share * np.bincount(cells, series[k].ravel(), counts.size).reshape(counts.shape)
        n[:, k] = share * grid.sizes
    reasons = [
        "all energies are equal" if a is None else judge(e, a)[1] for e, a in zip(energies, covariances, strict=True)
    ]
    bad = [f"T = {t:g}: {reason}" for t, reason in zip(temperatures, reasons, strict=True) if reason]
    means = np.array([e.mean() for e in energies])
    return LevelTable(levels, counts, sums, n, means, sum(e.size for e in energies), "; ".join(bad))


def _blocks(energies: Sequence[FloatArray], times: Sequence[float], n_blocks: int) -> list[Blocks]:
    """Return one grid for each temperature, of as many blocks."""
    groups = min(n_blocks, *(e.shape[0] for e in energies))
    independent = [e.shape[1] / (BLOCK_TAU * t) for e, t in zip(energies, times, strict=True)]
    most, least = -(-n_blocks // groups), -(-FEWEST_BLOCKS // groups)
    stretches = max(least, min(most, int(min(independent))))
    stretches = min(stretches, *(e.shape[1] for e in energies))
    return [grid_blocks(e.shape[0], e.shape[1], groups, stretches) for e in energies]


def find_levels(energies: Sequence[FloatArray]) -> tuple[FloatArray, float]:
    """Return the distinct energies, and 0; or, if they are too many, the centres of narrow bins, and their width.

    Reweighting by Δβ across bins of width w errs by (Δβ w)²/24, relatively, in the weights.
    """
    values = np.unique(np.concatenate([np.unique(e) for e in energies]))
    tolerance = 1e-10 * float(np.abs(values).max())
    values = values[np.concatenate([[True], np.diff(values) > tolerance])]
    if values.size <= MOST_LEVELS:
        return values, 0.0
    width = float(values[-1] - values[0]) / MOST_LEVELS
    return values[0] + width * (np.arange(MOST_LEVELS) + 0.5), width


def _index(levels: FloatArray, width: float, energy: FloatArray) -> npt.NDArray[np.intp]:
    if width == 0.0:
        found: npt.NDArray[np.intp] = np.searchsorted(levels, energy, side="right") - 1
        return found
    index: npt.NDArray[np.intp] = ((energy - (levels[0] - 0.5 * width)) / width).astype(np.intp)
    return np.clip(index, 0, levels.size - 1)
