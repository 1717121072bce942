# SPDX-License-Identifier: BSD-3-Clause
"""A configuration as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from spinodal.analysis.arrays import SamplesLike, configurations
from spinodal.plots.scan import Scan
from spinodal.plots.style import GUIDE, INK, SPIN_COLORS, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_snapshot(
    samples: SamplesLike | Scan | npt.ArrayLike,
    temperature: float | None = None,
    *,
    chain: int = 0,
    draw: int = -1,
    ax: Axes | None = None,
) -> Axes:
    """Draw a lattice of spins, +1 dark and -1 light; of a cubic lattice its middle layer.

    Parameters
    ----------
    samples : Samples, Scan, or array of ±1 of shape (Ly, Lx) or (Lz, Ly, Lx)
    temperature : float, optional
        The nearest sampled one is taken; default the lowest.
    chain, draw : int
        Which of the chains at that temperature, and which of its draws.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        If the samples have no draws.
    """
    title = ""
    if hasattr(samples, "energy") or isinstance(samples, Scan):
        scan = Scan.of(samples)  # type: ignore[arg-type]
        t = scan.nearest(scan.temperature[0] if temperature is None else temperature)
        spins = _configuration(scan.at(t), chain, draw)
        title = f"T = {t:.4g}"
    else:
        spins = np.asarray(samples)
    if ax is None:
        ax = new_figure(3.2, 3.4).add_subplot()
    layer = spins if spins.ndim == 2 else spins[len(spins) // 2]
    _show(ax, layer)
    ax.set_title(title, size=10, color=INK)
    return ax


def _configuration(chains: SamplesLike, chain: int, draw: int) -> npt.NDArray[Any]:
    draws = configurations(chains)
    if draws is None:
        raise ValueError("samples have no draws: run with keep_draws=True or 'last'")
    return np.asarray(draws[chain, draw])


def _show(ax: Axes, layer: npt.NDArray[Any]) -> None:
    from matplotlib.colors import ListedColormap

    ax.imshow(layer > 0, cmap=ListedColormap(SPIN_COLORS), vmin=0, vmax=1, interpolation="nearest", origin="lower")
    ax.set(xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set_color(GUIDE)
