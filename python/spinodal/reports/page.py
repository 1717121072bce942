# SPDX-License-Identifier: BSD-3-Clause
"""The report: one HTML file with everything in it, for a colleague who was not there."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from spinodal.plots.scan import Scan
from spinodal.reports import figures, html, tables
from spinodal.reports.results import Agreement, CriticalPoint, Result, agreement, critical_point, doubts

_CONVENTIONS = (
    "E = −J Σ s s′ over neighbours − h Σ s on a periodic lattice; k_B = 1, temperatures in units of J; per site unless "
    "said otherwise. C/N = (⟨E²⟩ − ⟨E⟩²)/(N T²); χ = N (⟨m²⟩ − ⟨|m|⟩²)/T; U4 = 1 − ⟨m⁴⟩/(3⟨m²⟩²). Errors are one "
    "standard deviation, from the autocorrelation of the chains; −1.4527(3) means −1.4527 ± 0.0003. "
    "τ_int = 1/2 + Σ ρ(t), in draws."
)


def write_report(path: str | PathLike[str], results: Sequence[Result], *, command: str = "") -> None:
    """Write the report of one or several lattices to an HTML file.

    Parameters
    ----------
    path : path-like
    results : sequence of Result
    command : str
        The command line that reproduces them.
    """
    Path(path).write_text(report(results, command=command), encoding="utf-8")


def report(results: Sequence[Result], *, command: str = "") -> str:
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
    return html.document(_title(scans), _body(ordered, scans, critical, checks, command))


def _body(
    results: Sequence[Result],
    scans: Sequence[Scan],
    critical: CriticalPoint | None,
    checks: Sequence[Agreement],
    command: str,
) -> Iterator[str]:
    made = {item.name: item for item in figures.pictures(scans, critical)}

    def show(*names: str) -> str:
        return html.pictures(made[name] for name in names if name in made)

    yield f"<header>\n<h1>{html.escape(_title(scans))}</h1>\n{html.paragraph(_what_ran(results), 'lead')}"
    yield _verdict(checks, critical) + html.tiles(_tiles(results, critical, checks)) + "\n</header>"
    yield html.section("thermodynamics", "Energy and heat capacity", show("energy", "heat-capacity"))
    yield html.section("order", "Magnetisation and susceptibility", show("magnetization", "susceptibility"))
    yield html.section("critical-point", "Critical temperature", _crossings(critical), show("binder"))
    yield html.section("structure", "Correlations and fluctuations", show("correlation", "histogram"), show("snapshots"))
    yield html.section("numbers", "All values", _doubt_note(scans), *(_numbers(scan, scans) for scan in scans))
    yield html.section("provenance", "How it was made", _provenance(results, command))
    yield f"<footer>Made by spinodal {html.escape(_version(results))}. {html.escape(_CONVENTIONS)}</footer>"


def _title(scans: Sequence[Scan]) -> str:
    model = scans[0].model
    kind = "square" if len(set(model.shape)) == 1 and model.ndim == 2 else "rectangular" if model.ndim == 2 else "cubic"
    field = f", h = {model.h:g}" if model.h else ""
    return f"Ising model on {kind} lattices, {', '.join(scan.label for scan in scans)}{field}"


def _what_ran(results: Sequence[Result]) -> str:
    temperature = results[0].scan.temperature
    span = f"T = {temperature[0]:g}" if temperature.size == 1 else f"{temperature.size} temperatures from {temperature[0]:g} to {temperature[-1]:g}"
    draws = sum(result.samples.energy.size for result in results)
    chains = sum(result.samples.n_chains for result in results)
    J = results[0].scan.model.J
    coupling = "" if J == 1 else f", J = {J:g}"
    return f"{span}{coupling}; {chains:,} chains, {draws:,} draws in all."


def _verdict(checks: Sequence[Agreement], critical: CriticalPoint | None) -> str:
    if not checks:
        sentence, css = "<strong>No exact solution</strong> is known for this system: errors are statistical.", "open"
    elif all(check.passes() for check in checks):
        sentence, css = f"<strong>Agrees with the exact solution.</strong> {html.escape(_statistics(checks))}", "good"
    else:
        sentence, css = f"<strong>Does not agree with the exact solution.</strong> {html.escape(_statistics(checks))}", "bad"
    if critical is not None:
        sentence += " " + html.escape(_critical_sentence(critical))
    return f'<p class="verdict {css}">{sentence}</p>'


def _statistics(checks: Sequence[Agreement]) -> str:
    parts = []
    for check in checks:
        name = {"energy_per_site": "Energy", "heat_capacity": "heat capacity"}[check.name]
        if check.n == 0:
            parts.append(f"{name}: no reliable estimate")
            continue
        parts.append(
            f"{name}: χ²/dof = {check.chi2 / check.n:.2f} over {check.n} values (p = {check.p_value:.2g}), farthest "
            f"{check.worst:+.1f}σ at T = {check.worst_at:g}, {check.worst_of}"
        )
    return "; ".join(parts) + "."


def _critical_sentence(critical: CriticalPoint) -> str:
    found = critical.crossing.critical_temperature
    doubt = "" if found.reliable else f" Not to be trusted: {found.reason}."
    return (
        f"The Binder cumulants cross at Tc = {found}, {critical.deviation:+.1f}σ from {critical.expected:.6f}.{doubt}"
    )


def _tiles(
    results: Sequence[Result], critical: CriticalPoint | None, checks: Sequence[Agreement]
) -> Iterator[tuple[str, str]]:
    if critical is not None:
        yield f"critical temperature (exact: {critical.expected:.6f})", str(critical.crossing.critical_temperature)
    for check in checks:
        name = {"energy_per_site": "energy", "heat_capacity": "heat capacity"}[check.name]
        yield f"{name}: χ² per degree of freedom, {check.n} values", f"{check.chi2 / max(check.n, 1):.2f}"
    if checks:
        worst = max(checks, key=lambda check: abs(check.worst))
        yield "largest distance from an exact value", f"{abs(worst.worst):.1f} σ"
    scans = [result.scan for result in results]
    yield "estimates marked as not to be trusted", str(len(doubts(scans)))
    speed = _speed(results)
    if speed:
        yield speed


def _speed(results: Sequence[Result]) -> tuple[str, str] | None:
    timed = [(r.updates, r.seconds) for r in results if r.seconds and r.updates]
    if not timed:
        return None
    rate = sum(u for u, _ in timed if u) / sum(s for _, s in timed if s)
    return "spin updates a second, measurements included", f"{rate / 1e6:,.0f} million"


def _crossings(critical: CriticalPoint | None) -> str:
    if critical is None:
        return html.paragraph("No crossing: it takes two or more lattices, h = 0, and temperatures on both sides of Tc.")
    rows = []
    for pair in critical.crossing.pairs:
        small, large = pair.n_sites
        z = (pair.temperature.mean - critical.expected) / pair.temperature.stderr
        rows.append([f"N = {small:,} and {large:,}", str(pair.temperature), f"{z:+.1f}", str(pair.cumulant), pair.temperature.reason])
    text = _critical_sentence(critical)
    if math.isfinite(critical.crossing.drift):
        text += f" From the pair of lattices before, it moved by {critical.crossing.drift:+.1e}: the scale of what finite size leaves."
    titles = ["lattices", "T* of the crossing", "σ from exact", "U4 there", "not to be trusted"]
    return html.paragraph(text) + html.plain_table("Crossings of successive sizes", titles, rows)


def _doubt_note(scans: Sequence[Scan]) -> str:
    found = doubts(scans)
    if not found:
        return ""
    return (
        f'<p class="note">{len(found)} estimates are marked “?”: their error bar, or their value, is not to be trusted, '
        "for the reason in the last column. They are left out of the comparison with the exact solution.</p>"
    )


def _numbers(scan: Scan, scans: Sequence[Scan]) -> str:
    table = html.numbers_table(f"{scan.label}, N = {scan.model.n_sites:,}", tables.header(scan), tables.rows(scan))
    return html.details(f"{scan.label}: {scan.temperature.size} temperatures", table, is_open=scan is scans[-1])


def _provenance(results: Sequence[Result], command: str) -> str:
    parts = []
    if command:
        parts += ["<h3>To reproduce</h3>", html.code(command)]
    for result in results:
        parts += [f"<h3>{html.escape(result.scan.label)}</h3>", html.definitions(_facts(result))]
        text = json.dumps(result.samples.provenance, indent=1, ensure_ascii=False, sort_keys=True)
        parts.append(html.details("everything recorded", html.code(text)))
    return "\n".join(parts)


def _facts(result: Result) -> dict[str, str]:
    made = result.samples.provenance
    sampler: dict[str, Any] = made.get("sampler", {})
    methods = [part.get("method", sampler.get("method")) for part in sampler.get("parts", [sampler])]
    facts = {
        "method": " and ".join(dict.fromkeys(str(m) for m in methods)),
        "chains × draws": f"{result.samples.n_chains:,} × {result.samples.n_draws:,}",
        "steps": f"{made.get('burn_in', '?')} burn-in, {made.get('n_steps', '?')} recorded, one draw each {made.get('thin', '?')}",
        "seed, stream": f"{made.get('seed', '?')}, {sampler.get('stream', '?')}",
        "backend": f"{sampler.get('backend', '?')}, {sampler.get('isa', '?')}",
        "threads": str(made.get("n_threads") or "as many as the process may use"),
        "complete": "yes" if made.get("complete", True) else "no: interrupted",
    }
    if result.seconds is not None:
        facts["sampling time"] = f"{result.seconds:.1f} s"
    return facts


def _version(results: Sequence[Result]) -> str:
    return str(results[0].samples.provenance.get("version", "?"))
