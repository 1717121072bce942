# SPDX-License-Identifier: BSD-3-Clause
"""Binder cumulants of several sizes, and where they cross."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spinodal.analysis import BinderCrossing, MultiHistogram
from spinodal.analysis.arrays import FloatArray, at_temperature
from spinodal.plots.scan import Scan, scans_of
from spinodal.plots.style import INK, axes_or_new, color, draw_band, draw_legend, draw_points
from spinodal.plots.thermal import Given, mark_critical

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_binder(
    samples: Given,
    *,
    ax: Axes | None = None,
    window: tuple[float, float] | None = None,
    curves: dict[int, MultiHistogram] | None = None,
    crossing: BinderCrossing | None = None,
) -> Axes:
    """Draw Binder's cumulant U4 against temperature for several sizes; they cross at the critical temperature.

    Parameters
    ----------
    samples : Samples, Scan, or several of them
        One of each size.
    ax : matplotlib Axes, optional
    window : (float, float), optional
        Temperatures to show; default all.
    curves : mapping of number of sites to MultiHistogram, optional
        Reweighted curves, drawn with their error bands between the points.
    crossing : BinderCrossing, optional
        Drawn as a point with its error bars.

    Returns
    -------
    matplotlib Axes
    """
    ax = axes_or_new(ax)
    scans = scans_of(samples)
    low, high = window or (min(s.temperature[0] for s in scans), max(s.temperature[-1] for s in scans))
    for index, scan in enumerate(scans):
        inside = [i for i, t in enumerate(scan.temperature) if low <= t <= high]
        curve = scan.curve("binder_cumulant")
        draw_points(
            ax, curve.temperature[inside], curve.mean[inside], curve.stderr[inside],
            index=index, label=scan.label, reliable=curve.reliable[inside],
        )  # fmt: skip
        histogram = (curves or {}).get(scan.model.n_sites)
        if histogram is not None:
            _band(ax, histogram, low, high, index)
    mark_critical(ax, scans)
    if crossing is not None:
        _mark_crossing(ax, crossing)
    ax.set(xlabel="temperature  T/J", ylabel="Binder cumulant  $U_4$")
    if window is not None:
        ax.set_xlim(low, high)
    draw_legend(ax)
    return ax


def combine_near(scan: Scan, center: float, reach: float) -> MultiHistogram | None:
    """Return a scan's temperatures within ``reach`` of a centre as one multi-histogram; None for fewer than two."""
    near = scan.temperature[np.abs(scan.temperature - center) <= reach * (1 + 1e-9)]
    if near.size < 2:
        return None
    return MultiHistogram.from_samples([at_temperature(scan.samples, float(t)) for t in near])


def _band(ax: Axes, histogram: MultiHistogram, low: float, high: float, index: int) -> None:
    first, last = float(histogram.temperatures[0]), float(histogram.temperatures[-1])
    t: FloatArray = np.linspace(max(low, first), min(high, last), 121)
    curve = histogram.binder_cumulant(t)
    draw_band(ax, t, curve.mean, curve.stderr, index=index)


def _mark_crossing(ax: Axes, crossing: BinderCrossing) -> None:
    pair = crossing.pairs[-1]
    ax.errorbar(
        [pair.temperature.mean], [pair.cumulant.mean], [pair.cumulant.stderr], [pair.temperature.stderr],
        color=INK, marker="*", markersize=11, markerfacecolor=color(4), elinewidth=1.2, capsize=2.5, linestyle="none",
        label=f"crossing {pair.temperature}", zorder=4,
    )  # fmt: skip
