# SPDX-License-Identifier: BSD-3-Clause
"""Pictures of particles: where they are, and how their structure scatters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from spinodal.analysis import radial_distribution, static_structure_factor
from spinodal.plots.style import GUIDE, INK, axes_or_new, color, draw_band, draw_points, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SHADES = ("#c7d8e8", "#7fa9cf", "#3a76ad", "#1d4e7e", "#0d2d4d")  # far to near


def plot_particles(
    positions: npt.ArrayLike,
    box: float | npt.ArrayLike | None = None,
    *,
    sigma: float = 1.0,
    depth: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw particles as disks of diameter σ, seen along the last axis; the nearer the darker.

    Parameters
    ----------
    positions : float64 array, shape (n_particles, 2 or 3)
    box : float or one an axis, optional
        Particles are drawn inside it.
    sigma : float
    depth : float, optional
        Of the slab in front that is drawn, of three dimensions; default 3 σ in a box, everything without.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes
    """
    from matplotlib.collections import EllipseCollection
    from matplotlib.colors import LinearSegmentedColormap

    x = np.asarray(positions, dtype=np.float64)
    if x.ndim != 2 or x.shape[1] not in (2, 3):
        raise ValueError(f"positions must have shape (n_particles, 2 or 3); got {x.shape}")
    if box is not None:
        lengths = np.broadcast_to(np.asarray(box, dtype=np.float64), x.shape[1:])
        x = x - lengths * np.floor(x / lengths)
    height = x[:, 2] if x.shape[1] == 3 else np.zeros(len(x))
    if x.shape[1] == 3 and (depth is not None or box is not None):
        near = height >= height.max() - (3.0 * sigma if depth is None else depth)
        x, height = x[near], height[near]
    order = np.argsort(height, kind="stable")
    if ax is None:
        ax = new_figure(4.2, 4.2).add_subplot()
    shades = LinearSegmentedColormap.from_list("depth", _SHADES)
    size = np.full(len(x), sigma)
    disks = EllipseCollection(
        size, size, np.zeros(len(x)), units="xy", offsets=x[order, :2], transOffset=ax.transData, cmap=shades,
        array=height[order] if np.ptp(height) > 0 else np.full(len(x), 0.5), edgecolor=INK, linewidth=0.3,
    )  # fmt: skip
    ax.add_collection(disks)
    low, high = (np.zeros(2), lengths[:2]) if box is not None else (x[:, :2].min(0) - sigma, x[:, :2].max(0) + sigma)
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal", xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set_color(GUIDE)
    return ax


def plot_radial_distribution(
    draws: npt.ArrayLike, box: float | npt.ArrayLike, *, r_max: float | None = None, n_bins: int = 100, index: int = 0,
    label: str = "", ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Draw g(r) of particles with its error band; parameters as in :func:`spinodal.analysis.radial_distribution`.

    Returns
    -------
    matplotlib Axes
    """
    ax = axes_or_new(ax)
    r, g, error = radial_distribution(np.asarray(draws, dtype=np.float64), box, r_max, n_bins)
    draw_band(ax, r, g, np.nan_to_num(error), index=index)
    ax.plot([], [], color=color(index), label=label or None)
    ax.axhline(1.0, color=GUIDE, linewidth=1.0, linestyle=(0, (4, 3)), zorder=1)
    ax.set(xlabel="distance  r / σ", ylabel="radial distribution  g(r)", xlim=(0, None), ylim=(0, None))
    return ax


def plot_structure_factor(
    draws: npt.ArrayLike, box: float | npt.ArrayLike, *, k_max: float = 15.0, index: int = 0, label: str = "",
    ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Draw S(k) of particles with its error bars; parameters as in :func:`spinodal.analysis.static_structure_factor`.

    Returns
    -------
    matplotlib Axes
    """
    ax = axes_or_new(ax)
    found = static_structure_factor(draws, box, k_max=k_max)
    draw_points(ax, found.x, found.mean, found.stderr, index=index, label=label)
    ax.axhline(1.0, color=GUIDE, linewidth=1.0, linestyle=(0, (4, 3)), zorder=1)
    ax.set(xlabel="wave number  k σ", ylabel="structure factor  S(k)", ylim=(0, None))
    return ax
