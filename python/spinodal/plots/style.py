# SPDX-License-Identifier: BSD-3-Clause
"""One look for every plot: colours that the colour-blind can tell apart, axes, markers, marks of unreliable points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from spinodal.analysis.arrays import FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#1f2933"
GUIDE = "#8a94a0"
GRID = "#e6e9ed"
#: Okabe and Ito's palette, in an order whose neighbours differ in lightness too.
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
MARKERS = ("o", "s", "D", "^", "v", "P")
SPIN_COLORS = ("#f3efe6", "#22456b")  # down, up


def new_figure(width: float = 6.6, height: float = 4.1) -> Figure:
    """Return an empty figure in inches, with no part in pyplot's state.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure as NewFigure
    except ImportError as error:
        raise ImportError("plots need matplotlib: pip install 'spinodal[plots]'") from error
    return NewFigure(figsize=(width, height), layout="constrained", facecolor="white")


def axes_or_new(ax: Axes | None, width: float = 6.6, height: float = 4.1) -> Axes:
    """Return the axes given, or those of a new figure, dressed."""
    return dress(new_figure(width, height).add_subplot() if ax is None else ax)


def dress(ax: Axes) -> Axes:
    """Give axes the common look."""
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(GUIDE)
    ax.tick_params(colors=INK, which="both", direction="out", labelsize=9.5)
    ax.xaxis.label.set(color=INK, size=10.5)
    ax.yaxis.label.set(color=INK, size=10.5)
    ax.grid(color=GRID, linewidth=0.7)
    ax.set_axisbelow(True)
    return ax


def color(index: int) -> str:
    """Return the colour of the series with this number."""
    return COLORS[index % len(COLORS)]


def draw_points(
    ax: Axes, x: Any, mean: Any, stderr: Any, *, index: int = 0, label: str = "", reliable: Any = True
) -> None:
    """Draw points with error bars; those that are not to be trusted are crosses."""
    x, mean, stderr = (np.asarray(a, dtype=np.float64) for a in (x, mean, stderr))
    trusted = np.broadcast_to(np.asarray(reliable, dtype=bool), x.shape)
    bars = np.where(np.isfinite(stderr), stderr, 0.0)
    look: dict[str, Any] = {"color": color(index), "elinewidth": 1.1, "capsize": 2.2, "linestyle": "none", "zorder": 3}
    marker = MARKERS[index % len(MARKERS)]
    ax.errorbar(x[trusted], mean[trusted], bars[trusted], marker=marker, markersize=4.6, label=label, **look)
    if not trusted.all():
        doubtful = ~trusted
        look |= {"marker": "x", "markersize": 6.0, "markeredgewidth": 1.4}
        ax.errorbar(x[doubtful], mean[doubtful], bars[doubtful], **look)


def draw_band(ax: Axes, x: FloatArray, mean: FloatArray, stderr: FloatArray, *, index: int = 0) -> None:
    """Draw a curve with its one-sigma band."""
    ax.plot(x, mean, color=color(index), linewidth=1.4, zorder=2.5)
    ax.fill_between(x, mean - stderr, mean + stderr, color=color(index), alpha=0.22, linewidth=0, zorder=2)


def mark_temperature(ax: Axes, temperature: float, label: str) -> None:
    """Draw a labelled vertical line at a temperature."""
    ax.axvline(temperature, color=GUIDE, linewidth=1.0, linestyle=(0, (4, 3)), label=label, zorder=1)


def draw_legend(ax: Axes, **options: Any) -> None:
    """Draw the legend, if anything has a label."""
    if ax.get_legend_handles_labels()[1]:
        ax.legend(**{"frameon": False, "fontsize": 9.0, "labelcolor": INK, "handlelength": 1.8, **options})
