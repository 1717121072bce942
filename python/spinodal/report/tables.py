# SPDX-License-Identifier: BSD-3-Clause
"""Rows of numbers for the terminal and for the report: value(error), exact value, distance in σ."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from spinodal.analysis import Estimate
from spinodal.plots.scan import Scan
from spinodal.report.results import MAGNETIC, OBSERVABLES

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

    label: str
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
    labels = temperature_labels(scan)
    for index in range(scan.temperature.size):
        cells: list[Cell] = []
        reasons: dict[str, list[str]] = {}
        for name in _names(scan):
            estimate = scan.estimates(name)[index]
            cells.append(Cell(minus(str(estimate)) + ("" if estimate.reliable else " ?")))
            cells += _beside_exact(scan, name, index, estimate)
            if not estimate.reliable:
                reasons.setdefault(estimate.reason, []).append(TITLES[name])
        cells += quality_cells(scan.estimates("energy_per_site")[index])
        doubt = "; ".join(f"{', '.join(names)}: {reason}" for reason, names in reasons.items())
        yield Row(labels[index], tuple(cells), doubt)


def temperature_labels(scan: Scan) -> list[str]:
    """Return the temperatures with as many decimals as they all need, up to six."""
    values = scan.temperature.tolist()
    decimals = next((d for d in range(1, 6) if all(abs(round(t, d) - t) < 1e-9 for t in values)), 6)
    return [f"{t:.{decimals}f}" for t in values]


def minus(text: str) -> str:
    """Return a number with a minus sign in place of the hyphen."""
    return text.replace("-", "−", 1) if text.startswith("-") else text


def signed(z: float) -> str:
    """Return a deviation in σ with its sign, a dash if it is unknown."""
    if not math.isfinite(z):
        return "–"
    return minus(f"{z:+.1f}") if abs(z) >= 0.05 else "0.0"


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
    return [Cell(minus(f"{exact[index]:.{digits}f}")), Cell(signed(distance), abs(distance) > FAR)]


def quality_cells(estimate: Estimate) -> list[Cell]:
    """Return autocorrelation time, effective number of draws and R̂."""
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
