# SPDX-License-Identifier: BSD-3-Clause
"""The table as Markdown and as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from suite import NOMINAL_BAR, Independent, Row
from timing import MAX_SPREAD, Ratio

_RATIOS = ("numba-tuned", "numba-expert", "mcising")


@dataclass
class Report:
    """All that a run measured."""

    machine: dict[str, Any]
    settings: dict[str, Any]
    rows: list[Row] = field(default_factory=list)
    threads: list[Row] = field(default_factory=list)
    independent: list[Independent] = field(default_factory=list)

    def to_json(self) -> str:
        return json.dumps(_finite(asdict(self)), indent=1, ensure_ascii=False) + "\n"

    def to_markdown(self) -> str:
        parts = [self._heading()]
        if self.rows:
            ratios = [f"× {name}" for name in _RATIOS]
            header = ["case", "engine", "best", "median", "unit", "spread", "at nominal speed", *ratios, "answer"]
            parts.append(_table(header, map(_cells, self.rows)))
        if self.threads:
            header = ["case", "engine", "best", "median", "unit", "spread", "× 1 thread", "bits"]
            parts += ["## One lattice, two threads (wall clock)", _table(header, map(_thread_cells, self.threads))]
        if self.independent:
            header = ["case", "engine", "τ(M²), updates", "updates/s", "samples/s", "× best peer"]
            parts += ["## Independent samples of M² at Tc, L = 64 (one core)"]
            parts += [_table(header, map(_independent_cells, self.independent))]
        return "\n\n".join(parts) + "\n"

    def _heading(self) -> str:
        m = self.machine
        packages = ", ".join(f"{name} {version}" for name, version in m["packages"].items())
        return (
            f"`{self.settings['command']}` on {m['cpu']}, {m['cores']} cores, {m['mhz']} MHz nominal, "
            f"load {m['load_average'] and m['load_average'][0]:.1f}; {m['system']}, Python {m['python']}; "
            f"spinodal {m['spinodal']} ({m['backend']}, {m['isa']}, {m['compiler']}, `{m['flags']}`), "
            f"commit {m['commit']}, {m['date']}; {packages}.\n\n"
            f"One thread unless said. Rates are attempted flips by CPU time over {self.settings['rounds']} interleaved "
            "repetitions: the best, the median, and how many times slower than the best one repetition in ten was "
            "(spread). Every engine first reproduced exact energies within 5σ (answer: the farthest). Ratios are "
            "medians of ratios of neighbouring repetitions; a reference that spread more than "
            f"{MAX_SPREAD:g}× gives none. “At nominal speed” multiplies the best figure by what the tuned Numba bar at "
            f"L = 512 lacked in that run of {NOMINAL_BAR / 1e9:g} flips/ns, its figure on a quiet 3.2 GHz Zen 3 core."
        )


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    columns = list(header)
    lines = ["| " + " | ".join(columns) + " |", "|" + "|".join("---" for _ in columns) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def _cells(row: Row) -> list[str]:
    ratios = [_ratio(row.ratios[name]) if name in row.ratios else "" for name in _RATIOS]
    return [*_figures(row), _number(row.scaled), *ratios, _farthest(row)]


def _thread_cells(row: Row) -> list[str]:
    return [*_figures(row), "".join(map(_ratio, row.ratios.values())), row.note]


def _figures(row: Row) -> list[str]:
    return [row.case, row.engine, _number(row.best), _number(row.median), row.unit, f"{row.spread:.2f}×"]


def _independent_cells(row: Independent) -> list[str]:
    doubt = "" if row.reliable else " (short)"
    return [
        row.case, row.engine, f"{row.tau:.3g} ± {row.tau_stderr:.1g}{doubt}", f"{row.updates_per_second:.3g}",
        f"{row.samples_per_second:.3g}", "".join(map(_ratio, row.ratios.values())),
    ]  # fmt: skip


def _ratio(ratio: Ratio) -> str:
    if ratio.void:
        return ratio.void
    quartiles = "" if math.isnan(ratio.low) else f" ({_number(ratio.low)}–{_number(ratio.high)})"
    return f"**{_number(ratio.value)}**{quartiles}"


def _farthest(row: Row) -> str:
    if not row.answers:
        return ""
    farthest = max(row.answers, key=lambda answer: abs(answer.sigmas))
    return f"{farthest.sigmas:+.1f}σ of {len(row.answers)}"


def _number(value: float) -> str:
    if math.isnan(value):
        return ""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _finite(value: Any) -> Any:
    """JSON has no NaN."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write(report: Report, markdown: Path | None, json_path: Path | None) -> None:
    """Write the files that were asked for."""
    if markdown is not None:
        markdown.write_text(report.to_markdown(), encoding="utf-8")
    if json_path is not None:
        json_path.write_text(report.to_json(), encoding="utf-8")
