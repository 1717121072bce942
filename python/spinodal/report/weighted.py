# SPDX-License-Identifier: BSD-3-Clause
"""Weighted samples: raw values beside corrected and exact ones, and whether the weights can be trusted."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from spinodal import analysis, exact
from spinodal.analysis import Estimate, LogPartition, WeightDiagnostics
from spinodal.plots.scan import lattice_label
from spinodal.plots.style import color, draw_legend, draw_points, dress, new_figure
from spinodal.report import html
from spinodal.report.figures import Picture, to_svg
from spinodal.report.tables import FAR, Cell, Row, minus, signed
from spinodal.samples import Samples
from spinodal.systems.ising import IsingModel

_SHOWN = 6  # temperatures in a picture


@dataclass(frozen=True)
class WeightedResult:
    """Independent samples of one temperature with weights exp(−E/T)/q.

    Attributes
    ----------
    system : IsingModel
    samples : Samples
    seconds : float
        CPU seconds of the sampling.
    """

    system: IsingModel
    samples: Samples
    seconds: float

    @property
    def temperature(self) -> float:
        """Temperature."""
        return float(self.samples.temperature[0])

    @property
    def label(self) -> str:
        """The lattice."""
        return lattice_label(self.system.shape)

    @cached_property
    def log_weights(self) -> Any:
        """All log weights, shape (n,)."""
        return np.ravel(np.asarray(self.samples.log_weights))

    @cached_property
    def log_partition(self) -> LogPartition:
        """ln Z, and what the weights are worth."""
        return analysis.log_partition(self.samples)

    @property
    def weights(self) -> WeightDiagnostics:
        """What the weights are worth."""
        return self.log_partition.weights

    @property
    def log_z_per_site(self) -> Estimate:
        """ln Z / N."""
        found = self.log_partition
        return Estimate(*found.per_site, n=found.weights.n).failing(found.reason)

    @cached_property
    def exact(self) -> Any:
        """Kaufman's solution, or None in a field."""
        return None if self.system.h else exact.kaufman(self.system.shape, self.temperature, J=self.system.J)

    def deviations(self) -> Iterator[tuple[str, float]]:
        """Yield the distance of corrected values from the exact ones, in σ, where there are exact ones."""
        if self.exact is None:
            return
        energy, log_z = self.estimate("energy_per_site"), self.log_z_per_site
        yield "energy", (energy.mean - float(self.exact.energy_per_site)) / energy.stderr
        yield "ln Z", (log_z.mean - float(self.exact.log_z) / self.system.n_sites) / log_z.stderr

    def estimate(self, name: str) -> Estimate:
        """Return the corrected mean of an observable; every draw is a chain of its own, for they are independent."""
        values = np.reshape(self.samples.observable(name), (-1, 1))
        return analysis.estimate(values, self.log_weights[:, None])

    def raw(self, name: str) -> float:
        """Return the mean of an observable over the samples as they were drawn."""
        return float(self.samples.observable(name).mean())


def weighted_titles(results: Sequence[WeightedResult]) -> list[str]:
    """Return the titles of the columns after the temperature's."""
    known = ["exact", "σ"] if results[0].exact is not None else []
    return ["E/N", *known, "raw", "ln Z/N", *known, "|m|", "raw", "ESS/M", "largest", "Pareto k"]


def weighted_rows(results: Sequence[WeightedResult]) -> Iterator[Row]:
    """Yield the row of each temperature."""
    for result in results:
        energy = result.estimate("energy_per_site")
        order = result.estimate("abs_magnetization")
        solved, log_z = result.exact, result.log_z_per_site
        cells = [Cell(minus(str(energy)))]
        cells += [] if solved is None else _beside(energy, float(solved.energy_per_site))
        cells += [Cell(minus(f"{result.raw('energy_per_site'):.4f}")), Cell(str(log_z))]
        cells += [] if solved is None else _beside(log_z, float(solved.log_z) / result.system.n_sites)
        cells += [Cell(str(order)), Cell(f"{result.raw('abs_magnetization'):.4f}")]
        quality = result.weights
        cells += [
            Cell(f"{quality.ess / quality.n:.3f}"),
            Cell(f"{quality.max_share:.1e}"),
            Cell(_number(quality.pareto_k)),
        ]
        yield Row(
            f"{result.temperature:g}",
            tuple(cells),
            "; ".join(dict.fromkeys(filter(None, [energy.reason, log_z.reason, quality.reason]))),
        )


def _beside(estimate: Estimate, value: float) -> list[Cell]:
    z = (estimate.mean - value) / estimate.stderr if estimate.stderr > 0 else math.nan
    return [Cell(minus(f"{value:.6f}")), Cell(signed(z), abs(z) > FAR)]


def _number(k: float) -> str:
    return minus(f"{k:.2f}") if math.isfinite(k) else "–"


def write_weighted_report(path: str | PathLike[str], results: Sequence[WeightedResult], *, command: str = "") -> None:
    """Write the report of weighted samples, one lattice at some temperatures, to an HTML file.

    Parameters
    ----------
    path : path-like
    results : sequence of WeightedResult
    command : str
        The command line that reproduces them.

    Raises
    ------
    ValueError
        If there is no result.
    """
    if not results:
        raise ValueError("a report needs at least one result")
    title = f"Neural samples of the Ising model, {results[0].label}, corrected to exact averages"
    n = results[0].samples.energy.size
    lead = (
        f"{n:,} independent samples at each of {len(results)} temperatures. Raw values are those of the network; "
        "corrected ones are weighted by exp(−E/T)/q and exact within their errors."
    )
    body = [
        f"<header><h1>{escape(title)}</h1>{html.paragraph(lead, 'lead')}{html.tiles(_key_numbers(results))}</header>",
        html.section(
            "numbers",
            "All values",
            html.numbers_table(results[0].label, weighted_titles(results), weighted_rows(results)),
        ),
        html.section("weights", "Weights", html.pictures(_weight_pictures(results))),
        html.section("structure", "Magnetisation and correlations", html.pictures(_structure_pictures(results))),
        html.section("provenance", "How it was made", *_provenance(results, command)),
    ]
    Path(path).write_text(html.document(title, body), encoding="utf-8")


def _key_numbers(results: Sequence[WeightedResult]) -> Iterator[tuple[str, str]]:
    yield "smallest ESS/M", f"{min(result.weights.ess / result.weights.n for result in results):.3f}"
    yield "largest share of one sample", f"{max(result.weights.max_share for result in results):.1e}"
    rate = sum(result.samples.energy.size for result in results) / max(sum(r.seconds for r in results), 1e-9)
    yield "samples a CPU second", f"{rate:,.0f}"


def _weight_pictures(results: Sequence[WeightedResult]) -> Iterator[Picture]:
    figure = new_figure()
    ax = dress(figure.add_subplot())
    for index, result in enumerate(results[:_SHOWN]):
        logs = result.log_weights - result.log_z_per_site.mean * result.system.n_sites
        ax.hist(logs, bins=60, density=True, histtype="step", color=color(index), label=f"T = {result.temperature:g}")
    ax.set(xlabel="log weight  ln w − ln Z", ylabel="density")
    draw_legend(ax)
    yield Picture("weights-histogram", to_svg(figure), "Histogram of the logarithms of the weights",
                  "Logarithms of the weights less ln Z: a perfect network has all of them at zero.")  # fmt: skip
    if len(results) > 1:
        figure = new_figure()
        ax = dress(figure.add_subplot())
        ax.plot([r.temperature for r in results], [r.weights.ess / r.weights.n for r in results], "o-", color=color(0))
        ax.set(xlabel="temperature  T", ylabel="ESS / M", ylim=(0, 1.03))
        yield Picture("ess", to_svg(figure), "Effective sample size against temperature",
                      "Share of the samples that the weights leave: Kish's effective number over M.")  # fmt: skip


def _structure_pictures(results: Sequence[WeightedResult]) -> Iterator[Picture]:
    figure = new_figure()
    ax = dress(figure.add_subplot())
    edges = np.linspace(0, 1, min(results[0].system.n_sites // 2, 32) + 1).tolist()
    for index, result in enumerate(results[:_SHOWN]):
        m = np.abs(result.samples.observable("magnetization_per_site")).ravel()
        weights = np.exp(result.log_weights - result.log_weights.max())
        ax.hist(
            m,
            edges,
            weights=weights,
            density=True,
            histtype="step",
            color=color(index),
            label=f"T = {result.temperature:g}",
        )
        ax.hist(m, edges, density=True, histtype="step", color=color(index), linestyle=":")
    ax.set(xlabel="|m|", ylabel="density")
    draw_legend(ax)
    yield Picture("magnetization-histogram", to_svg(figure), "Histogram of the magnetisation",
                  "Full lines: corrected by the weights. Dotted lines: raw.")  # fmt: skip
    figure = new_figure()
    ax = dress(figure.add_subplot())
    for index, result in enumerate(results[:_SHOWN]):
        draws = result.samples.packed_draws
        if draws is None:
            continue
        profile = analysis.correlation(draws, log_weights=result.samples.log_weights)
        draw_points(ax, profile.x, profile.mean, profile.stderr, index=index, label=f"T = {result.temperature:g}")
    ax.set(xlabel="distance  r", ylabel="correlation  C(r)")
    draw_legend(ax)
    yield Picture("correlation", to_svg(figure), "Correlation function against distance",
                  "Correlation along the axes, corrected, with one-sigma error bars.")  # fmt: skip


def _provenance(results: Sequence[WeightedResult], command: str) -> list[str]:
    parts = ["<h3>To reproduce</h3>", html.code(command)] if command else []
    text = json.dumps(results[0].samples.provenance, indent=1, ensure_ascii=False, sort_keys=True)
    return [*parts, html.details("everything recorded", html.code(text))]
