# SPDX-License-Identifier: BSD-3-Clause
"""Correlation functions against distance, with the exact decay of the infinite lattice beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from spinodal.analysis import Profile, correlation
from spinodal.analysis.arrays import FloatArray, SamplesLike
from spinodal.plots.scan import Scan, correlation_length
from spinodal.plots.style import axes_or_new, color, draw_legend, draw_points

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# C(r) → A r^(-1/4) at Tc; Wu, Phys. Rev. 149, 380 (1966).
_CRITICAL_AMPLITUDE = 0.70338
_CRITICAL_WINDOW = 0.003


def plot_correlation(
    samples: SamplesLike | Scan, temperatures: Sequence[float] | None = None, *, ax: Axes | None = None
) -> Axes:
    """Draw C(r) along the axes of the lattice, on a logarithmic scale, for one or several temperatures.

    Where |T − Tc| is large, C(r) is connected (⟨|m|⟩² is subtracted below Tc); dashed lines have the slope of
    the exact correlation length ξ of the infinite lattice, C ∝ e^(−r/ξ)/√r above Tc and e^(−r/ξ)/r² below, and the
    exact r^(−1/4) at Tc.

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
        guide = _guide(scan, t, profile.x[known], profile.mean[known])
        if guide is not None:
            ax.plot(*guide, color=color(index), linewidth=1.1, linestyle=(0, (4, 2.5)), zorder=2)
    ax.set(xlabel="distance  r", ylabel="correlation  C(r)")
    draw_legend(ax)
    return ax


def _profile(scan: Scan, temperature: float) -> Profile:
    chains = scan.at(temperature)
    if chains.draws is None:
        raise ValueError("samples have no draws: run with keep_draws=True or 'last'")
    ordered = scan.model.J > 0 and temperature < scan.model.critical_temperature * (1 - _CRITICAL_WINDOW)
    draws = chains.draws if scan.model.J >= 0 else chains.draws * _staggered(scan.model.shape)
    return correlation(draws, connected="abs" if ordered or scan.model.h != 0 else False)


def _staggered(shape: tuple[int, ...]) -> npt.NDArray[np.int8]:
    return np.asarray(1 - 2 * (np.indices(shape).sum(axis=0) % 2), dtype=np.int8)


def _solved(scan: Scan) -> bool:
    return scan.model.ndim == 2 and scan.model.h == 0 and scan.model.J > 0


def _critical(scan: Scan, temperature: float) -> bool:
    return abs(temperature / scan.model.critical_temperature - 1) < _CRITICAL_WINDOW


def _label(scan: Scan, temperature: float) -> str:
    if not _solved(scan):
        return f"T = {temperature:.4g}"
    if _critical(scan, temperature):
        return f"T = {temperature:.4g}, dashed: {_CRITICAL_AMPLITUDE:.3f} $r^{{-1/4}}$"
    return f"T = {temperature:.4g}, dashed: exact ξ = {correlation_length(temperature, scan.model.J):.2f}"


def _guide(scan: Scan, temperature: float, r: FloatArray, c: FloatArray) -> tuple[FloatArray, FloatArray] | None:
    """Return the exact asymptotic decay: with its exact amplitude at Tc, else through one of the points."""
    if not _solved(scan) or r.size < 3:
        return None
    at_tc = _critical(scan, temperature)
    # Periodic images bend C(r) from about a third of the length on.
    x = np.linspace(1.0, min(r[-1], min(scan.model.shape) / (2 if at_tc else 3)), 100)
    if at_tc:
        return x, _CRITICAL_AMPLITUDE * x**-0.25
    xi = correlation_length(temperature, scan.model.J)
    power = -0.5 if temperature > scan.model.critical_temperature else -2.0
    anchor = int(np.argmin(np.abs(r - min(max(2.0, xi), x[-1]))))
    shape = x**power * np.exp(-x / xi)
    return x, shape * c[anchor] / (r[anchor] ** power * np.exp(-r[anchor] / xi))
