# SPDX-License-Identifier: BSD-3-Clause
"""The report of a fluid: one HTML file with everything in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from os import PathLike
from pathlib import Path

from spinodal.report import fluid_figures, html
from spinodal.report.fluid import TITLES, FluidResult, agreement, header, rows
from spinodal.report.nist import NAME
from spinodal.report.results import Agreement
from spinodal.report.tables import minus, signed

_SOURCE = "NIST Standard Reference Simulation Website (SRSW): Monte Carlo with a cutoff of 3 σ and tail corrections"
CONVENTIONS = (
    "Units of ε and σ, k_B = 1. p = (N T + W/d)/V with the virial W = Σ r·F; energy and pressure of a truncated "
    "potential have the corrections of a uniform fluid beyond the cutoff. c_V is that of a particle, the kinetic part "
    "with it. Errors are one standard deviation, from the autocorrelation of the chains; −5.512(3) means −5.512 ± "
    "0.003. τ_int = 1/2 + Σ ρ(t), in draws."
)


def write_fluid_report(path: str | PathLike[str], result: FluidResult, *, command: str = "") -> None:
    """Write the report of a fluid to an HTML file; ``command`` is the command line that reproduces it."""
    Path(path).write_text(render_fluid_report(result, command=command), encoding="utf-8")


def render_fluid_report(result: FluidResult, *, command: str = "") -> str:
    """Return the report as HTML."""
    version = result.samples.provenance.get("version", "?")
    footer = f"<footer>{escape(f'Made by spinodal {version}. {CONVENTIONS}')}</footer>"
    return html.document(_title(result), [_head(result), *_sections(result), _provenance(result, command), footer])


def _title(result: FluidResult) -> str:
    kind = "fluid" if result.system["shape"][1] == 3 else "disks"
    return f"Lennard-Jones {kind}, {result.label}"


def _head(result: FluidResult) -> str:
    css, short, numbers = verdict(result)
    samples, t = result.samples, [*result.estimates]
    span = f"T = {t[0]:g}" if len(t) == 1 else f"{len(t)} temperatures from {t[0]:g} to {t[-1]:g}"
    lead = f"{span}; {samples.n_chains} chains, {samples.energy.size:,} draws in all."
    return "\n".join(
        [
            "<header>",
            f"<h1>{escape(_title(result))}</h1>",
            html.paragraph(lead, "lead"),
            f'<p class="verdict {css}"><strong>{escape(short)}</strong> {escape(numbers)}</p>',
            html.tiles(_key_numbers(result)),
            "</header>",
        ]
    )


def verdict(result: FluidResult) -> tuple[str, str, str]:
    """Return what the comparison with NIST says: "good", "bad" or "open", in short, and the numbers."""
    checks = agreement(result)
    if not checks and any(map(result.reference, result.estimates)):
        return "open", "Too short a run", f"to compare with {NAME}’s values: no estimate beside them can be trusted."
    if not checks:
        return "open", "No reference values", f"of {NAME} are known for these states: the errors are statistical."
    good = all(check.passes() for check in checks)
    short = f"{'Agrees' if good else 'Does not agree'} with {NAME}’s values."
    return "good" if good else "bad", short, f"{'; '.join(map(statistic, checks))}. {_SOURCE}."


def statistic(check: Agreement) -> str:
    """Return χ² and the farthest value of one observable."""
    overall = f"χ²/dof = {check.chi2 / check.n:.2f} over {check.n} (p = {check.p_value:.2g})"
    return f"{TITLES[check.name]}: {overall}, farthest {signed(check.worst)}σ at T = {check.worst_at:g}"


def _key_numbers(result: FluidResult) -> Iterator[tuple[str, str]]:
    t = min(result.estimates)
    for name, found in result.estimates[t].items():
        yield f"{TITLES[name]} at T = {t:g}", minus(str(found))
    steps = result.samples.provenance.get("n_steps", 0) + result.samples.provenance.get("burn_in", 0)
    if result.seconds:
        rate = steps * result.samples.n_chains * result.system["n_particles"] / result.seconds
        yield "particle steps a second, measurements included", f"{rate / 1e6:,.2f} million"


def _sections(result: FluidResult) -> Iterator[str]:
    made = {item.name: item for item in fluid_figures.pictures(result)}
    structure = [made.pop(name) for name in ("radial-distribution", "structure-factor", "particles") if name in made]
    yield html.section("thermodynamics", "Energy and pressure", html.pictures(made.values()))
    if structure:
        yield html.section("structure", "Structure", html.pictures(structure))
    table = html.numbers_table(f"{result.label}. {_conditions(result)}", header(result), rows(result))
    yield html.section("numbers", "All values", table)


def _conditions(result: FluidResult) -> str:
    conventions = result.samples.provenance.get("conventions", {})
    said = [str(conventions[name]) for name in ("hamiltonian", "boundary") if name in conventions]
    if "energy_with_tail" in result.names:
        said.append("tails are added to U/N and p")
    return "; ".join(said) + "."


def _provenance(result: FluidResult, command: str) -> str:
    made = result.samples.provenance
    names = ("method", "over", "timestep", "step_size", "friction", "n_leapfrog", "mass", "stream", "backend")
    facts = {name.replace("_", " "): str(result.sampler[name]) for name in names if name in result.sampler}
    facts |= {
        "chains × draws": f"{result.samples.n_chains:,} × {result.samples.n_draws:,}",
        "steps": f"{made.get('burn_in')} burn-in, {made.get('n_steps')} recorded, a draw each {made.get('thin')}",
        "seed": str(made.get("seed")),
        "complete": "yes" if made.get("complete", True) else "no: interrupted",
    }
    text = json.dumps(made, indent=1, ensure_ascii=False, sort_keys=True)
    parts = ["<h3>To reproduce</h3>", html.code(command)] if command else []
    parts += [html.definitions(facts), html.details("everything recorded", html.code(text))]
    return html.section("provenance", "How it was made", *parts)
