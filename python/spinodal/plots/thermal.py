# SPDX-License-Identifier: BSD-3-Clause
"""Averages against temperature, with the exact solution drawn under the points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from spinodal import exact
from spinodal.analysis.arrays import SamplesLike
from spinodal.plots.scan import Scan, scans_of
from spinodal.plots.style import GUIDE, INK, axes_or_new, color, draw_legend, draw_points, mark_temperature

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Given = SamplesLike | Scan | Sequence[SamplesLike | Scan]


def plot_energy(samples: Given, *, ax: Axes | None = None) -> Axes:
    """Draw the energy per site against temperature, over Kaufman's and Onsager's exact curves.

    Parameters
    ----------
    samples : Samples, Scan, or several of them
        One of each size.
    ax : matplotlib Axes, optional
        Where to draw; default a new figure's.

    Returns
    -------
    matplotlib Axes
    """
    ax = axes_or_new(ax)
    scans = scans_of(samples)
    _exact_curves(ax, scans, "energy_per_site")
    _infinite_curve(ax, scans, "energy_per_site")
    return _points(ax, scans, "energy_per_site", "energy per site  ⟨E⟩/N")


def plot_heat_capacity(samples: Given, *, ax: Axes | None = None) -> Axes:
    """Draw the heat capacity per site, as :func:`plot_energy` does."""
    ax = axes_or_new(ax)
    scans = scans_of(samples)
    _exact_curves(ax, scans, "heat_capacity")
    _infinite_curve(ax, scans, "heat_capacity_per_site")
    ax.set_ylim(0.0, 1.12 * _top(scans, "heat_capacity"))  # Onsager's diverges
    return _points(ax, scans, "heat_capacity", "heat capacity per site  C/N")


def plot_magnetization(samples: Given, *, ax: Axes | None = None) -> Axes:
    """Draw ⟨|m|⟩ against temperature, with Yang's spontaneous magnetisation of the infinite lattice."""
    ax = axes_or_new(ax)
    scans = scans_of(samples)
    model = scans[0].model
    if model.ndim == 2 and model.h == 0 and model.J > 0:
        t = np.unique([*scans[0].fine_temperatures(), *model.critical_temperature * (1 - np.geomspace(1e-9, 0.1, 120))])
        t = t[t >= scans[0].temperature[0]]
        ax.plot(t, exact.yang_magnetization(t, model.J), color=GUIDE, linewidth=1.3, label="Yang, infinite lattice")
    return _points(ax, scans, "abs_magnetization", "magnetisation per site  ⟨|m|⟩")


def plot_susceptibility(samples: Given, *, ax: Axes | None = None) -> Axes:
    """Draw the susceptibility β N (⟨m²⟩ − ⟨|m|⟩²) against temperature, on a logarithmic scale."""
    ax = axes_or_new(ax)
    ax.set_yscale("log")
    return _points(ax, scans_of(samples), "susceptibility", "susceptibility per site  χ")


def plot_deviations(samples: Given, name: str = "energy_per_site", *, ax: Axes | None = None) -> Axes:
    """Draw (measured − exact)/σ of an observable whose exact value is known: a fair run fills the ±1 band to 68 %.

    Parameters
    ----------
    samples : Samples, Scan, or several of them
    name : {"energy_per_site", "heat_capacity"}
    ax : matplotlib Axes, optional

    Raises
    ------
    ValueError
        If no exact value is known for any of them.
    """
    ax = axes_or_new(ax, height=1.9)
    found = [(i, s, z) for i, s in enumerate(scans_of(samples)) if (z := s.deviations(name)) is not None]
    if not found:
        raise ValueError(f"no exact value of {name!r} is known for these samples")
    reach = 4.4
    for index, scan, z in found:
        draw_points(ax, scan.temperature, z, np.ones(z.size), index=index, reliable=scan.curve(name).reliable)
        reach = max(reach, 1.2 + float(np.abs(z[np.isfinite(z)]).max(initial=0.0)))
    for sigma, alpha in ((1.0, 0.16), (2.0, 0.10)):
        ax.axhspan(-sigma, sigma, color=GUIDE, alpha=alpha, linewidth=0, zorder=0)
    ax.axhline(0.0, color=INK, linewidth=0.8, zorder=1)
    ax.set_ylim(-reach, reach)
    if reach < 6:
        ax.set_yticks([-4, -2, 0, 2, 4])
    ax.set(xlabel="temperature  T/J", ylabel="(measured − exact)/σ")
    return ax


def _points(ax: Axes, scans: list[Scan], name: str, ylabel: str) -> Axes:
    for index, scan in enumerate(scans):
        curve = scan.curve(name)
        draw_points(
            ax, curve.temperature, curve.mean, curve.stderr, index=index, label=scan.label, reliable=curve.reliable
        )
    mark_critical(ax, scans)
    ax.set(xlabel="temperature  T/J", ylabel=ylabel)
    draw_legend(ax)
    return ax


def mark_critical(ax: Axes, scans: list[Scan]) -> None:
    """Mark the critical temperature of the infinite lattice, where there is one and it is in sight."""
    model = scans[0].model
    critical = model.critical_temperature
    within = any(s.temperature[0] <= critical <= s.temperature[-1] for s in scans)
    if model.h == 0 and model.J != 0 and within:
        mark_temperature(ax, critical, f"$T_c$ = {critical:.4f}")


def _exact_curves(ax: Axes, scans: list[Scan], name: str) -> None:
    for index, scan in enumerate(scans):
        t = scan.fine_temperatures()
        values = scan.exact(name, t)
        if values is not None:
            label = "Kaufman, exact" if index == 0 else ""
            ax.plot(t, values, color=color(index), linewidth=1.1, alpha=0.85, label=label, zorder=2)


def _infinite_curve(ax: Axes, scans: list[Scan], attribute: str) -> None:
    model = scans[0].model
    if model.ndim != 2 or model.h != 0 or model.J == 0:
        return
    steps = np.geomspace(1e-8, 0.2, 80)
    near = model.critical_temperature * np.concatenate([1 - steps, 1 + steps])
    t = np.unique([*scans[0].fine_temperatures(), *near])
    t = t[(t >= scans[0].temperature[0]) & (t <= scans[0].temperature[-1])]
    solution = exact.onsager(t, J=model.J)
    values = getattr(solution, attribute)
    ax.plot(t, values, color=GUIDE, linewidth=1.1, linestyle=(0, (1, 1.4)), label="Onsager, infinite", zorder=1.5)


def _top(scans: list[Scan], name: str) -> float:
    tops = [scan.curve(name).mean for scan in scans]
    tops += [values for scan in scans if (values := scan.exact(name, scan.fine_temperatures())) is not None]
    finite = np.concatenate(tops)
    return float(np.nanmax(finite, initial=0.0)) or 1.0
