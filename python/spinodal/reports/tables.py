# SPDX-License-Identifier: BSD-3-Clause
"""Rows of numbers for the terminal and for the report: value(error), exact value, distance in σ."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from spinodal.analysis import Estimate
from spinodal.plots.scan import Scan
from spinodal.reports.results import MAGNETIC, OBSERVABLES

FAR = 3.0  # deviations beyond this many σ are marked


@dataclass(frozen=True)
class Cell:
    """One number of a table.

    Attributes
    ----------
    text : str
    far : bool
        A deviation of more than ``FAR`` σ.
    """

    text: str
    far: bool = False


@dataclass(frozen=True)
class Row:
    """One temperature's numbers, and why some are not to be trusted."""

    temperature: float
    cells: tuple[Cell, ...]
    doubt: str


def header(scan: Scan) -> list[str]:
    """Return the titles of the columns after the temperature's."""
    titles: list[str] = []
    for name in _names(scan):
        titles.append(TITLES[name])
        if scan.exact(name) is not None:
            titles += ["exact", "σ"]
    return [*titles, "τ_int E", "ESS", "R̂"]


def rows(scan: Scan) -> Iterator[Row]:
    """Yield the row of each temperature."""
    for index, temperature in enumerate(scan.temperature):
        cells: list[Cell] = []
        reasons: dict[str, list[str]] = {}
        for name in _names(scan):
            estimate = scan.estimates(name)[index]
            cells.append(Cell(str(estimate) + ("" if estimate.reliable else " ?")))
            cells += _beside_exact(scan, name, index, estimate)
            if not estimate.reliable:
                reasons.setdefault(estimate.reason, []).append(TITLES[name])
        cells += _quality(scan.estimates("energy_per_site")[index])
        doubt = "; ".join(f"{', '.join(names)}: {reason}" for reason, names in reasons.items())
        yield Row(float(temperature), tuple(cells), doubt)


def _names(scan: Scan) -> tuple[str, ...]:
    if scan.model.J > 0:
        return OBSERVABLES
    return tuple(name for name in OBSERVABLES if name not in MAGNETIC)


def _beside_exact(scan: Scan, name: str, index: int, estimate: Estimate) -> list[Cell]:
    exact, z = scan.exact(name), scan.deviations(name)
    if exact is None or z is None:
        return []
    digits = max(4, min(10, 1 - math.floor(math.log10(estimate.stderr)))) if estimate.stderr > 0 else 6
    distance = float(z[index])
    text = f"{distance:+.1f}" if math.isfinite(distance) else "–"
    return [Cell(f"{exact[index]:.{digits}f}"), Cell(text, abs(distance) > FAR)]


def _quality(estimate: Estimate) -> list[Cell]:
    known = math.isfinite(estimate.tau_int)
    return [
        Cell(f"{estimate.tau_int:.2f}" if known else "–"),
        Cell(f"{estimate.ess:,.0f}" if known else "–"),
        Cell(f"{estimate.r_hat:.3f}" if math.isfinite(estimate.r_hat) else "–"),
    ]


TITLES = {
    "energy_per_site": "E/N",
    "heat_capacity": "C/N",
    "abs_magnetization": "|m|",
    "susceptibility": "χ",
    "binder_cumulant": "U4",
}
