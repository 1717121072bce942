# SPDX-License-Identifier: BSD-3-Clause
"""What single chains do: histograms, autocorrelation, traces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from spinodal import analysis
from spinodal.analysis.arrays import FloatArray, SamplesLike, as_chains
from spinodal.analysis.histograms import Histogram, histogram, level_edges
from spinodal.plots.scan import Scan
from spinodal.plots.style import INK, axes_or_new, color, draw_legend, draw_points

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_histogram(
    samples: SamplesLike | Scan,
    temperatures: Sequence[float] | None = None,
    *,
    bins: int = 100,
    ax: Axes | None = None,
) -> Axes:
    """Draw the distribution of |m| = |M|/N, with error bands, for one or several temperatures.

    Parameters
    ----------
    samples : Samples or Scan
    temperatures : sequence of float, optional
        The nearest sampled ones are taken; default all.
    bins : int
        At most; a bin holds whole values of |M|.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes
    """
    scan = Scan.of(samples)
    ax = axes_or_new(ax)
    wanted = scan.temperature if temperatures is None else [scan.nearest(t) for t in temperatures]
    for index, t in enumerate(dict.fromkeys(float(t) for t in wanted)):
        found = _absolute_histogram(scan, t, bins)
        ax.stairs(found.density, found.edges, color=color(index), linewidth=1.3, label=f"T = {t:.4g}")
        low, high = np.maximum(found.density - found.stderr, 0.0), found.density + found.stderr
        low, high = (np.append(band, band[-1]) for band in (low, high))
        ax.fill_between(found.edges, low, high, step="post", color=color(index), alpha=0.28, linewidth=0)
    ax.set(xlabel="|m| = |M|/N", ylabel="probability density", xlim=(0.0, 1.0))
    ax.set_ylim(bottom=0.0)
    draw_legend(ax)
    return ax


def _absolute_histogram(scan: Scan, temperature: float, bins: int) -> Histogram:
    """Return the histogram of |m|; M and −M share a bin, and M = 0 is a level of half the width."""
    chains, sites = scan.at(temperature), scan.model.n_sites
    odd = sites % 2
    n_levels = (sites + 1) // 2 if odd else sites // 2 + 1
    edges = level_edges(odd / sites, 2.0 / sites, n_levels, min(bins, n_levels))
    edges[0] = 0.0
    return histogram(np.abs(analysis.observable(chains, "magnetization_per_site")), edges, chains.log_weights)


def plot_autocorrelation(
    samples: SamplesLike | Scan | npt.ArrayLike,
    names: Sequence[str] = ("energy", "m2"),
    *,
    temperature: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the autocorrelation function ρ(t) with Bartlett's error bars, and τ_int of each observable.

    Parameters
    ----------
    samples : Samples, Scan, or array of shape (n_chains, n_draws)
    names : sequence of str
        Observables; not used for an array.
    temperature : float, optional
        The nearest sampled one is taken; needed when there are several.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes
    """
    ax = axes_or_new(ax)
    longest = 1
    for index, (name, series) in enumerate(_series(samples, names, temperature).items()):
        tau = analysis.tau_int(series)
        lags = int(min(series.shape[1] - 1, max(10, 2 * tau.window)))
        rho = analysis.autocorrelation(series)
        error = _bartlett(rho, series.size, max(tau.window, 1))
        shown = np.arange(0, lags + 1, max(1, lags // 40))
        label = f"{name}: τ = {analysis.Estimate(tau.tau, tau.stderr)} draws"
        draw_points(ax, shown, rho[shown], error[shown], index=index, label=label, reliable=tau.reliable)
        longest = max(longest, lags)
    ax.axhline(0.0, color=INK, linewidth=0.8)
    ax.set(xlabel="lag  t  (draws)", ylabel="autocorrelation  ρ(t)", xlim=(-0.02 * longest, 1.02 * longest))
    draw_legend(ax)
    return ax


def _bartlett(rho: FloatArray, n: int, window: int) -> FloatArray:
    r"""Return the error of ρ(t), σ² = (1/n) Σ_{k≥1} [ρ(k+t) + ρ(k−t) − 2 ρ(k) ρ(t)]², the sum cut at t + window.

    References
    ----------
    Lüscher, Comput. Phys. Commun. 165, 199 (2005), appendix E.
    """
    padded = np.concatenate([rho, np.zeros(rho.size + window + 1)])
    error = np.zeros(rho.size)
    for t in range(1, rho.size):
        k = np.arange(1, t + window + 1)
        error[t] = np.sqrt(((padded[k + t] + padded[np.abs(k - t)] - 2 * padded[k] * rho[t]) ** 2).sum() / n)
    return error


def plot_trace(
    samples: SamplesLike | Scan | npt.ArrayLike,
    name: str = "energy_per_site",
    *,
    temperature: float | None = None,
    chains: int = 4,
    ax: Axes | None = None,
) -> Axes:
    """Draw an observable of the first chains, draw by draw, with the mean of all chains and its error band.

    Parameters
    ----------
    samples : Samples, Scan, or array of shape (n_chains, n_draws)
    name : str
        The observable; not used for an array.
    temperature : float, optional
        The nearest sampled one is taken; needed when there are several.
    chains : int
        How many to draw.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes
    """
    ax = axes_or_new(ax)
    label, series = next(iter(_series(samples, (name,), temperature).items()))
    for index, row in enumerate(series[:chains]):
        ax.plot(row, color=color(index), linewidth=0.8, alpha=0.85, label=f"chain {index}")
    mean = analysis.estimate(series)
    ax.axhline(mean.mean, color=INK, linewidth=1.1, label=f"mean of all {len(series)}: {mean}")
    if np.isfinite(mean.stderr):
        ax.axhspan(mean.mean - mean.stderr, mean.mean + mean.stderr, color=INK, alpha=0.18, linewidth=0)
    ax.set(xlabel="draw", ylabel=label.replace("_", " "))
    draw_legend(ax, ncols=2)
    return ax


def _series(samples: Any, names: Sequence[str], temperature: float | None) -> dict[str, FloatArray]:
    if not hasattr(samples, "energy") and not isinstance(samples, Scan):
        return {"value": as_chains(samples)}
    chains = samples.samples if isinstance(samples, Scan) else samples
    if temperature is not None:
        scan = Scan.of(samples)
        chains = scan.at(scan.nearest(temperature))
    return {name: analysis.observable(chains, name) for name in names}
