# SPDX-License-Identifier: BSD-3-Clause
"""Correlation functions against distance, with the exact decay of the infinite lattice beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from spinodal.analysis import Profile, correlation
from spinodal.analysis.arrays import Draws, FloatArray, SamplesLike, configurations
from spinodal.files.packing import PackedSpins
from spinodal.plots.decay import correlation_decay, correlation_length
from spinodal.plots.scan import Scan
from spinodal.plots.style import axes_or_new, color, draw_legend, draw_points

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CRITICAL_WINDOW = 0.003  # so near to Tc, relatively, the lattice is critical


def plot_correlation(
    samples: SamplesLike | Scan, temperatures: Sequence[float] | None = None, *, ax: Axes | None = None
) -> Axes:
    """Draw C(r) along the axes of the lattice, on a logarithmic scale, for one or several temperatures.

    Below Tc, and in a field, ⟨|m|⟩² is subtracted. Dashed lines are :func:`correlation_decay` of the infinite lattice:
    no parameter is fitted.

    Parameters
    ----------
    samples : Samples or Scan
        With draws.
    temperatures : sequence of float, optional
        Default all.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        If the samples have no draws.
    """
    scan = Scan.of(samples)
    ax = axes_or_new(ax)
    ax.set_yscale("log")
    wanted = scan.temperature if temperatures is None else [scan.nearest(t) for t in temperatures]
    for index, t in enumerate(dict.fromkeys(float(t) for t in wanted)):
        profile = _profile(scan, t)
        known = profile.mean > 2.0 * profile.stderr  # the rest is noise about zero, which has no logarithm
        known &= np.minimum.accumulate(known)
        draw_points(
            ax, profile.x[known], profile.mean[known], profile.stderr[known],
            index=index, label=_label(scan, t), reliable=profile.reliable,
        )  # fmt: skip
        if _solved(scan):
            ax.plot(
                *_decay(scan, t, float(profile.x[known][-1])),
                color=color(index),
                linewidth=1.1,
                linestyle=(0, (4, 2.5)),
                zorder=2,
            )
    ax.set(xlabel="distance  r", ylabel="correlation  C(r)")
    draw_legend(ax)
    return ax


def _profile(scan: Scan, temperature: float) -> Profile:
    chains = scan.at(temperature)
    draws = configurations(chains)
    if draws is None:
        raise ValueError("samples have no draws: run with keep_draws=True or 'last'")
    ordered = scan.model.J > 0 and temperature < scan.model.critical_temperature * (1 - _CRITICAL_WINDOW)
    if scan.model.J < 0:
        draws = _staggered(draws)
    return correlation(draws, connected="abs" if ordered or scan.model.h != 0 else False)


def _staggered(draws: Draws) -> Draws:
    """Return the spins with those of the odd sublattice turned over."""
    signs = np.asarray(1 - 2 * (np.indices(draws.shape[2:]).sum(axis=0) % 2), dtype=np.int8)
    turned = PackedSpins.pack(-signs, 0)
    if isinstance(draws, PackedSpins) and turned is not None:
        return PackedSpins(draws.bits ^ turned.bits, draws.lattice)
    return np.asarray(draws) * signs


def _solved(scan: Scan) -> bool:
    return scan.model.ndim == 2 and scan.model.h == 0 and scan.model.J > 0


def _critical(scan: Scan, temperature: float) -> bool:
    return abs(temperature / scan.model.critical_temperature - 1) < _CRITICAL_WINDOW


def _label(scan: Scan, temperature: float) -> str:
    if not _solved(scan) or _critical(scan, temperature):
        return f"T = {temperature:.4g}"
    return f"T = {temperature:.4g}  (exact ξ = {correlation_length(temperature, scan.model.J):.2f})"


def _decay(scan: Scan, temperature: float, reach: float) -> tuple[FloatArray, FloatArray]:
    """Return distances and the infinite lattice's C(r), the critical one where the lattice is critical."""
    r = np.linspace(1.0, max(reach, 2.0), 120)
    t = scan.model.critical_temperature if _critical(scan, temperature) else temperature
    return r, correlation_decay(r, t, scan.model.J)
