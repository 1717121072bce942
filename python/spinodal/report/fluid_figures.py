# SPDX-License-Identifier: BSD-3-Clause
"""The pictures of a fluid's report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from spinodal import plots
from spinodal.backends.protocol import NDArray
from spinodal.plots.style import GUIDE, draw_legend, draw_points, new_figure
from spinodal.report.figures import Picture, to_svg
from spinodal.report.fluid import TITLES, FluidResult
from spinodal.report.nist import NAME

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_AXES = {"U/N": "energy  U/N", "p": "pressure  p"}
_MOST_PARTICLES = 20_000  # S(k) of more takes longer than the reader waits
_LINE = "Points: measured, with one-sigma error bars. "


def pictures(result: FluidResult) -> Iterator[Picture]:
    """Yield the pictures that the samples allow, in the order of the report."""
    for name in result.names[:2]:
        if len(result.estimates) > 1:
            yield _against_temperature(result, name)
    for name in result.names[:2]:
        yield _trace(result, name)
    yield _autocorrelation(result)
    if result.samples.draws is not None:
        yield _pairs(result)
        if result.system["n_particles"] <= _MOST_PARTICLES:
            yield _structure(result)
        yield _particles(result)


def _against_temperature(result: FluidResult, name: str) -> Picture:
    ax = plots.style.axes_or_new(None)
    t = np.array([*result.estimates])
    found = [result.estimates[at][name] for at in result.estimates]
    draw_points(
        ax, t, [e.mean for e in found], [e.stderr for e in found], label="measured",
        reliable=[e.reliable for e in found],
    )  # fmt: skip
    known = {at: result.reference(at)[name].value for at in result.estimates if name in result.reference(at)}
    if known:
        ax.plot([*known], [*known.values()], "+", color="black", markersize=11, label=NAME, zorder=4)
    title = TITLES[name]
    ax.set(xlabel="temperature  T", ylabel=_AXES[title])
    draw_legend(ax)
    caption = f"{_LINE}{'Crosses: NIST’s values.' if known else ''}"
    return Picture(f"{name}-temperature", _svg(ax), f"{_AXES[title]} against temperature, {result.label}", caption)


def _trace(result: FluidResult, name: str) -> Picture:
    t = min(result.estimates)
    chains = result.at(t)
    ax = plots.plot_trace(chains.observable(name), chains=4)
    label = _AXES[TITLES[name]]
    ax.set(ylabel=label)
    known = result.reference(t).get(name)
    if known is not None:
        ax.axhline(known.value, color=GUIDE, linestyle=(0, (4, 3)), linewidth=1.2, label=f"{NAME}: {known.value:g}")
        draw_legend(ax, ncols=2)
    caption = f"T = {t:g}: up to four chains, draw by draw; the band is the mean of all with its error."
    return Picture(f"{name}-trace", _svg(ax), f"{label} draw by draw, {result.label}, T = {t:g}", caption)


def _autocorrelation(result: FluidResult) -> Picture:
    t = min(result.estimates)
    ax = plots.plot_autocorrelation(result.at(t).observable(result.names[0]))
    caption = f"T = {t:g}: how soon the energy forgets; the error bars rest on it."
    return Picture("autocorrelation", _svg(ax), f"Autocorrelation of the energy, {result.label}, T = {t:g}", caption)


def _kept(result: FluidResult, t: float) -> NDArray:
    """Return the draws at a temperature that are kept; there are none unless the samples have draws."""
    draws = result.at(t).draws
    if draws is None:
        raise ValueError(f"no draws of T = {t:g} were kept")
    return draws


def _pairs(result: FluidResult) -> Picture:
    ax = plots.style.axes_or_new(None)
    box = result.system["box"]
    reach = min(5.0 * result.system["sigma"], 0.5 * min(box))
    for index, t in enumerate(_some_temperatures(result)):
        draws = _kept(result, t)
        plots.plot_radial_distribution(draws, box, r_max=reach, index=index, label=f"T = {t:g}", ax=ax)
    draw_legend(ax)
    caption = "Radial distribution function of the draws that are kept; bands are one-sigma errors from blocks of them."
    return Picture("radial-distribution", _svg(ax), f"Radial distribution function, {result.label}", caption)


def _structure(result: FluidResult) -> Picture:
    ax = plots.style.axes_or_new(None)
    for index, t in enumerate(_some_temperatures(result)):
        draws = _kept(result, t)
        plots.plot_structure_factor(draws[:, -4:], result.system["box"], index=index, label=f"T = {t:g}", ax=ax)
    draw_legend(ax)
    caption = (
        "Static structure factor in shells of wave vectors of the box, of the last draws of each chain that are kept."
    )
    return Picture("structure-factor", _svg(ax), f"Static structure factor, {result.label}", caption)


def _particles(result: FluidResult) -> Picture:
    chosen = _some_temperatures(result)
    figure = new_figure(4.4 * len(chosen), 4.6)
    axes: Any = figure.subplots(1, len(chosen), squeeze=False)
    for ax, t in zip(axes[0], chosen, strict=True):
        draws = _kept(result, t)
        plots.plot_particles(draws[0, -1], result.system["box"], sigma=result.system["sigma"], ax=ax)
        ax.set_title(f"T = {t:g}", size=10.5)
    where = (
        "a slab of 3 σ in front; the nearer, the darker" if result.system["shape"][1] == 3 else "disks of diameter σ"
    )
    caption = f"The last draw of the first chain: {where}."
    return Picture("particles", to_svg(figure), f"The particles, {result.label}", caption, wide=len(chosen) > 1)


def _some_temperatures(result: FluidResult) -> list[float]:
    """Return the lowest, a middle and the highest temperature."""
    t = [*result.estimates]
    return list(dict.fromkeys((t[0], t[len(t) // 2], t[-1])))


def _svg(ax: Axes) -> str:
    figure: Any = ax.figure
    drawn: Figure = figure
    return to_svg(drawn)
