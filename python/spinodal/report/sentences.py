# SPDX-License-Identifier: BSD-3-Clause
"""What a report says in words: title, verdict, key numbers, how it was made. Plain text, to be escaped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from spinodal.plots.scan import Scan
from spinodal.report.results import Agreement, CriticalPoint, Result, doubts
from spinodal.report.tables import minus, signed

CONVENTIONS = (
    "E = −J Σ s s′ over neighbours − h Σ s on a periodic lattice; k_B = 1, temperatures in units of J; per site unless "
    "said otherwise. C/N = (⟨E²⟩ − ⟨E⟩²)/(N T²); χ = N (⟨m²⟩ − ⟨|m|⟩²)/T; U4 = 1 − ⟨m⁴⟩/(3⟨m²⟩²). Errors are one "
    "standard deviation, from the autocorrelation of the chains; −1.4527(3) means −1.4527 ± 0.0003. "
    "τ_int = 1/2 + Σ ρ(t), in draws."
)
_NAMES = {"energy_per_site": "energy", "heat_capacity": "heat capacity"}


def lattice_names(scans: Sequence[Scan]) -> str:
    """Return the lattices, as in "L = 16, 32, 64"."""
    labels = [scan.label for scan in scans]
    return ", ".join([labels[0], *(label.removeprefix("L = ") for label in labels[1:])])


def title(scans: Sequence[Scan]) -> str:
    """Return the report's title."""
    model = scans[0].model
    flat = "square" if len(set(model.shape)) == 1 else "rectangular"
    field = f", h = {model.h:g}" if model.h else ""
    return f"Ising model on {'cubic' if model.ndim == 3 else flat} lattices, {lattice_names(scans)}{field}"


def what_ran(results: Sequence[Result]) -> str:
    """Return how much was sampled."""
    t = results[0].scan.temperature
    span = f"T = {t[0]:g}" if t.size == 1 else f"{t.size} temperatures from {t[0]:g} to {t[-1]:g}"
    draws = sum(result.samples.energy.size for result in results)
    chains = sum(result.samples.n_chains for result in results)
    coupling = results[0].scan.model.J
    return f"{span}{'' if coupling == 1 else f', J = {coupling:g}'}; {chains:,} chains, {draws:,} draws in all."


def verdict(checks: Sequence[Agreement]) -> tuple[str, str, str]:
    """Return what the comparison with the exact solution says: "good", "bad" or "open", in short, and the numbers."""
    if not checks:
        return "open", "No exact solution", "is known for this system: the errors are statistical."
    if all(check.passes() for check in checks):
        return "good", "Agrees with the exact solution.", statistics(checks)
    return "bad", "Does not agree with the exact solution.", statistics(checks)


def statistics(checks: Sequence[Agreement]) -> str:
    """Return χ² and the farthest value of each observable."""
    text = "; ".join(_statistic(check) for check in checks) + "."
    return text[0].upper() + text[1:]


def _statistic(check: Agreement) -> str:
    if check.n == 0:
        return f"{_NAMES[check.name]}: no reliable estimate"
    return (
        f"{_NAMES[check.name]}: χ²/dof = {check.chi2 / check.n:.2f} over {check.n} values (p = {check.p_value:.2g}), "
        f"farthest {signed(check.worst)}σ at T = {check.worst_at:g}, {check.worst_of}"
    )


def crossing(critical: CriticalPoint) -> str:
    """Return where the Binder cumulants cross."""
    found = critical.crossing.critical_temperature
    doubt = "" if found.reliable else f" Not to be trusted: {found.reason}."
    where = f"{signed(critical.deviation)}σ from {critical.expected:.6f}"
    return f"The Binder cumulants cross at Tc = {found}, {where}.{doubt}"


def drift(critical: CriticalPoint) -> str:
    """Return how far the crossing moved with the last size."""
    moved = minus(f"{critical.crossing.drift:+.4f}")
    return f"From the pair of lattices before, it moved by {moved}: the scale of what finite size leaves."


def key_numbers(
    results: Sequence[Result], critical: CriticalPoint | None, checks: Sequence[Agreement]
) -> Iterator[tuple[str, str]]:
    """Yield names and values for the head of the report."""
    if critical is not None:
        yield f"critical temperature (known: {critical.expected:.6f})", str(critical.crossing.critical_temperature)
    for check in checks:
        value = f"{check.chi2 / max(check.n, 1):.2f}"
        yield f"{_NAMES[check.name]}: χ² per degree of freedom, {check.n} values", value
    if checks:
        yield "largest distance from an exact value", f"{max(abs(check.worst) for check in checks):.1f} σ"
    yield "estimates marked as not to be trusted", str(len(doubts([result.scan for result in results])))
    timed = [(r.updates, r.seconds) for r in results if r.seconds and r.updates]
    if timed:
        rate = sum(u or 0 for u, _ in timed) / sum(s or 0.0 for _, s in timed)
        yield "spin updates a second, measurements included", f"{rate / 1e6:,.0f} million"


def facts(result: Result) -> dict[str, str]:
    """Return how one lattice was sampled, by name."""
    made = result.samples.provenance
    sampler: dict[str, Any] = made.get("sampler", {})
    methods = [part.get("method", sampler.get("method")) for part in sampler.get("parts", [sampler])]
    found = {
        "method": " and ".join(dict.fromkeys(str(m) for m in methods)),
        "chains × draws": f"{result.samples.n_chains:,} × {result.samples.n_draws:,}",
        "steps": f"{_get(made, 'burn_in')} burn-in, {_get(made, 'n_steps')} recorded, a draw each {_get(made, 'thin')}",
        "seed, stream": f"{_get(made, 'seed')}, {_get(sampler, 'stream')}",
        "backend": f"{_get(sampler, 'backend')}, {_get(sampler, 'instruction_set')}",
        "threads": str(made.get("n_threads") or "as many as the process may use"),
        "complete": "yes" if made.get("complete", True) else "no: interrupted",
    }
    if result.seconds is not None:
        found["sampling time"] = f"{result.seconds:.1f} s"
    return found


def _get(record: Mapping[str, Any], key: str) -> str:
    return str(record.get(key, "?"))


def version(results: Sequence[Result]) -> str:
    """Return the version that sampled."""
    return str(results[0].samples.provenance.get("version", "?"))
