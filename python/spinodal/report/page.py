# SPDX-License-Identifier: BSD-3-Clause
"""The report: one HTML file with everything in it, for a colleague who was not there."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from html import escape
from os import PathLike
from pathlib import Path

from spinodal.plots.scan import Scan
from spinodal.report import figures, html, sentences, tables
from spinodal.report.results import Agreement, CriticalPoint, Result, agreement, critical_point, doubts


def write_report(path: str | PathLike[str], results: Sequence[Result], *, command: str = "") -> None:
    """Write the report of one or several lattices to an HTML file.

    Parameters
    ----------
    path : path-like
    results : sequence of Result
        One of each lattice.
    command : str
        The command line that reproduces them.
    """
    Path(path).write_text(render_report(results, command=command), encoding="utf-8")


def render_report(results: Sequence[Result], *, command: str = "") -> str:
    """Return the report as HTML; parameters as :func:`write_report`.

    Raises
    ------
    ValueError
        If there is no result.
    """
    if not results:
        raise ValueError("a report needs at least one result")
    ordered = sorted(results, key=lambda result: result.scan.model.n_sites)
    scans = [result.scan for result in ordered]
    critical = critical_point(scans)
    checks = [a for name in ("energy_per_site", "heat_capacity") if (a := agreement(scans, name)) is not None]
    body = [_head(ordered, scans, critical, checks), *_sections(scans, critical), _provenance(ordered, command)]
    footer = f"Made by spinodal {sentences.version(ordered)}. {sentences.CONVENTIONS}"
    return html.document(sentences.title(scans), [*body, f"<footer>{escape(footer)}</footer>"])


def _head(
    results: Sequence[Result], scans: Sequence[Scan], critical: CriticalPoint | None, checks: Sequence[Agreement]
) -> str:
    css, short, numbers = sentences.verdict(checks)
    if critical is not None:
        numbers += " " + sentences.crossing(critical)
    return "\n".join(
        [
            "<header>",
            f"<h1>{escape(sentences.title(scans))}</h1>",
            html.paragraph(sentences.what_ran(results), "lead"),
            f'<p class="verdict {css}"><strong>{escape(short)}</strong> {escape(numbers)}</p>',
            html.tiles(sentences.key_numbers(results, critical, checks)),
            "</header>",
        ]
    )


def _sections(scans: Sequence[Scan], critical: CriticalPoint | None) -> Iterator[str]:
    made = {item.name: item for item in figures.pictures(scans, critical)}

    def show(*names: str) -> str:
        return html.pictures(made[name] for name in names if name in made)

    yield html.section("thermodynamics", "Energy and heat capacity", show("energy", "heat-capacity"))
    yield html.section("order", "Magnetisation and susceptibility", show("magnetization", "susceptibility"))
    yield html.section("critical-point", "Critical temperature", _crossings(critical, scans), show("binder"))
    structure = show("correlation", "histogram"), show("snapshots")
    yield html.section("structure", "Correlations and fluctuations", *structure)
    yield html.section("numbers", "All values", _doubt_note(scans), *(_numbers(scan, scans[-1]) for scan in scans))


def _crossings(critical: CriticalPoint | None, scans: Sequence[Scan]) -> str:
    if critical is None:
        needed = "No crossing: it takes two or more lattices, h = 0, and temperatures on both sides of Tc."
        return html.paragraph(needed)
    labels = {scan.model.n_sites: scan.label for scan in scans}
    rows = []
    for pair in critical.crossing.pairs:
        z = (pair.temperature.mean - critical.expected) / pair.temperature.stderr
        lattices = " and ".join(labels[n] for n in pair.n_sites)
        rows.append([lattices, str(pair.temperature), tables.signed(z), str(pair.cumulant), pair.temperature.reason])
    text = sentences.crossing(critical)
    if math.isfinite(critical.crossing.drift):
        text += " " + sentences.drift(critical)
    titles = ["lattices", "T* of the crossing", "σ from known", "U4 there", "not to be trusted"]
    return html.paragraph(text) + html.plain_table("Crossings of successive sizes", titles, rows)


def _doubt_note(scans: Sequence[Scan]) -> str:
    n = len(doubts(scans))
    if not n:
        return ""
    text = (
        f"{n} estimate{'s are' if n > 1 else ' is'} marked “?”: the error bar, or the value, is not to be trusted, for "
        "the reason in the last column. The comparison with the exact solution leaves such estimates out."
    )
    return html.paragraph(text, "note")


def _numbers(scan: Scan, largest: Scan) -> str:
    table = html.numbers_table(f"{scan.label}, N = {scan.model.n_sites:,}", tables.header(scan), tables.rows(scan))
    return html.details(f"{scan.label}: {scan.temperature.size} temperatures", table, is_open=scan is largest)


def _provenance(results: Sequence[Result], command: str) -> str:
    parts = ["<h3>To reproduce</h3>", html.code(command)] if command else []
    for result in results:
        parts += [f"<h3>{escape(result.scan.label)}</h3>", html.definitions(sentences.facts(result))]
        text = json.dumps(result.samples.provenance, indent=1, ensure_ascii=False, sort_keys=True)
        parts.append(html.details("everything recorded", html.code(text)))
    return html.section("provenance", "How it was made", *parts)
