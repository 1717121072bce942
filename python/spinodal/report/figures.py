# SPDX-License-Identifier: BSD-3-Clause
"""The report's pictures, each a self-contained SVG with its alternative text and caption."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from spinodal import plots
from spinodal.analysis.arrays import configurations
from spinodal.plots.scan import Scan
from spinodal.plots.style import dress, new_figure
from spinodal.report.results import CriticalPoint
from spinodal.report.sentences import lattice_names

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LINE = "Points: measured, with one-sigma error bars. "
_PULLS = (
    "Below: distance from the exact value in units of the error bar; two thirds of the points should lie within the "
    "inner band. Crosses are estimates that are not to be trusted."
)


@dataclass(frozen=True)
class Picture:
    """A figure of the report.

    Attributes
    ----------
    name : str
        Of its section.
    svg : str
    alt, caption : str
        Plain text.
    wide : bool
        Whether it takes the whole width of the page.
    """

    name: str
    svg: str
    alt: str
    caption: str
    wide: bool = False


def to_svg(figure: Figure) -> str:
    """Return a figure as SVG text, the same each time."""
    import matplotlib

    buffer = io.StringIO()
    # The salt makes element names, random by default, a function of the picture.
    with matplotlib.rc_context({"svg.hashsalt": "spinodal", "svg.fonttype": "path"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def pictures(scans: Sequence[Scan], critical: CriticalPoint | None) -> Iterator[Picture]:
    """Yield the pictures that these scans allow, in the order of the report."""
    ferromagnet = scans[0].model.J > 0
    several = any(scan.temperature.size > 1 for scan in scans)
    if several:
        yield _energy(scans)
        yield _heat_capacity(scans)
    if several and ferromagnet:
        yield _magnetization(scans)
        yield _susceptibility(scans)
        yield _binder(scans, critical)
    if configurations(scans[-1].samples) is not None:
        yield _correlation(scans[-1])
    if ferromagnet:
        yield _histogram(scans[-1])
    if configurations(scans[-1].samples) is not None:
        yield _snapshots(scans[-1])


def three_temperatures(scan: Scan) -> list[float]:
    """Return the sampled temperatures at about 0.88, 1 and 1.1 Tc: an ordered, a critical and a disordered state."""
    wanted = (scan.nearest(factor * scan.model.critical_temperature) for factor in (0.88, 1.0, 1.1))
    return list(dict.fromkeys(wanted))


def _with_pulls(scans: Sequence[Scan], name: str, draw: Callable[..., Axes]) -> Figure:
    """Return a plot over its deviations from the exact values, where they are known."""
    if all(scan.exact(name) is None for scan in scans):
        figure = new_figure()
        draw(scans, ax=figure.add_subplot())
        return figure
    figure = new_figure(height=5.3)
    upper, lower = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": [3.1, 1]})
    draw(scans, ax=upper)
    dress(lower)
    plots.plot_deviations(scans, name, ax=lower)
    lower.set_ylabel("deviation / σ")
    upper.set_xlabel("")
    return figure


def _energy(scans: Sequence[Scan]) -> Picture:
    figure = _with_pulls(scans, "energy_per_site", plots.plot_energy)
    return Picture(
        "energy", to_svg(figure), f"Energy per site against temperature, {lattice_names(scans)}, with the exact curves",
        _LINE + _curves(scans) + _PULLS,
    )  # fmt: skip


def _heat_capacity(scans: Sequence[Scan]) -> Picture:
    figure = _with_pulls(scans, "heat_capacity", plots.plot_heat_capacity)
    return Picture(
        "heat-capacity", to_svg(figure),
        f"Heat capacity per site against temperature, {lattice_names(scans)}, with the exact curves",
        _LINE + _curves(scans) + _PULLS,
    )  # fmt: skip


def _curves(scans: Sequence[Scan]) -> str:
    if scans[0].exact("energy_per_site") is None:
        return "No exact solution is known for this system. "
    return "Solid: Kaufman’s exact solution of each finite lattice; dotted: Onsager’s, of the infinite one. "


def _magnetization(scans: Sequence[Scan]) -> Picture:
    ax = plots.plot_magnetization(scans)
    return Picture(
        "magnetization", to_svg(_figure(ax)),
        f"Mean absolute magnetisation against temperature, {lattice_names(scans)}",
        _LINE + "The line is Yang’s spontaneous magnetisation of the infinite lattice; finite ones round it off."
        if scans[0].model.ndim == 2 and scans[0].model.h == 0 else _LINE,
    )  # fmt: skip


def _susceptibility(scans: Sequence[Scan]) -> Picture:
    ax = plots.plot_susceptibility(scans)
    return Picture(
        "susceptibility", to_svg(_figure(ax)),
        f"Susceptibility against temperature, {lattice_names(scans)}, logarithmic",
        _LINE + "χ = β N (⟨m²⟩ − ⟨|m|⟩²); its peak grows as L to the power 7/4 in two dimensions.",
    )  # fmt: skip


def _binder(scans: Sequence[Scan], critical: CriticalPoint | None) -> Picture:
    if critical is None:
        ax = plots.plot_binder(scans)
        return Picture(
            "binder", to_svg(_figure(ax)), f"Binder cumulant against temperature, {lattice_names(scans)}",
            _LINE + "Two or more lattices, with temperatures on both sides of Tc, would locate Tc by their crossing.",
        )  # fmt: skip
    figure = new_figure(10.4, 4.3)
    left, right = (dress(ax) for ax in figure.subplots(1, 2))
    low, high = _zoom(critical)
    plots.plot_binder(scans, ax=left, curves=critical.curves)
    plots.plot_binder(scans, ax=right, window=(low, high), curves=critical.curves, crossing=critical.crossing)
    _fit_height(right, critical, low, high)
    return Picture(
        "binder", to_svg(figure), f"Binder cumulants of {lattice_names(scans)} crossing at the critical temperature",
        _LINE + "Bands: all temperatures near Tc combined by multi-histogram reweighting, with jackknife errors. "
        "Right: around the crossing of the two largest lattices (star).", wide=True,
    )  # fmt: skip


def _zoom(critical: CriticalPoint) -> tuple[float, float]:
    found = critical.crossing.critical_temperature
    reach = max(0.006, 6 * found.stderr, 2.5 * abs(found.mean - critical.expected))
    first = max(float(c.temperatures[0]) for c in critical.curves.values())
    last = min(float(c.temperatures[-1]) for c in critical.curves.values())
    return max(critical.expected - reach, first), min(critical.expected + reach, last)


def _fit_height(ax: Axes, critical: CriticalPoint, low: float, high: float) -> None:
    t = np.linspace(low, high, 41)
    curves = [c.binder_cumulant(t) for c in critical.curves.values()]
    bottom = min(float((c.mean - c.stderr).min()) for c in curves)
    top = max(float((c.mean + c.stderr).max()) for c in curves)
    margin = 0.06 * (top - bottom)
    ax.set_ylim(bottom - margin, top + margin)


def _correlation(scan: Scan) -> Picture:
    ax = plots.plot_correlation(scan, three_temperatures(scan))
    solved = scan.model.ndim == 2 and scan.model.h == 0 and scan.model.J > 0
    guides = "Dashed: the decay in the infinite lattice by exact theory, with no free parameter." if solved else ""
    return Picture(
        "correlation", to_svg(_figure(ax)), f"Correlation function against distance, {scan.label}, logarithmic",
        f"{scan.label}, along the axes; ⟨|m|⟩² is subtracted below Tc. {_LINE}{guides}",
    )  # fmt: skip


def _histogram(scan: Scan) -> Picture:
    ax = plots.plot_histogram(scan, three_temperatures(scan))
    return Picture(
        "histogram", to_svg(_figure(ax)), f"Distribution of the absolute magnetisation, {scan.label}",
        f"{scan.label}. Bands: one-sigma errors from blocks.",
    )  # fmt: skip


def _snapshots(scan: Scan) -> Picture:
    chosen = three_temperatures(scan)
    figure = new_figure(3.5 * len(chosen), 3.8)
    axes: Any = figure.subplots(1, len(chosen), squeeze=False)
    for ax, t in zip(axes[0], chosen, strict=True):
        plots.plot_snapshot(scan, t, ax=ax)
        ax.set_title(f"{_phase(scan, t)}, T = {t:.4g}", size=10.5)
    return Picture(
        "snapshots", to_svg(figure), f"Spin configurations of {scan.label} below, at and above Tc",
        f"{scan.label}: the last draw of the first chain; dark is +1, light is −1.", wide=True,
    )  # fmt: skip


def _phase(scan: Scan, temperature: float) -> str:
    ratio = temperature / scan.model.critical_temperature
    if abs(ratio - 1) < 0.02:
        return "at $T_c$"
    return "below $T_c$" if ratio < 1 else "above $T_c$"


def _figure(ax: Axes) -> Figure:
    figure: Any = ax.figure
    return figure  # type: ignore[no-any-return]
