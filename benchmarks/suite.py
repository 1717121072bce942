# SPDX-License-Identifier: BSD-3-Clause
"""Rows of the table: answers first, then rates."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

import answers
import spinodal as sp
from cases import NEAR_CRITICAL, THREADS, YARDSTICK, Case
from peers import EXPERT_NUMBA, TUNED_NUMBA, Engine, Simulation, engines_for
from timing import Effort, Ratio, Timing, measure, ratio, warm_up

NOMINAL_BAR = 1.12e9
"""Flips per second of the tuned Numba bar at L = 512 on a quiet 3.2 GHz Zen 3 core."""

_BARS = (TUNED_NUMBA, EXPERT_NUMBA)
_SCALE, _AT_ZERO = "yardstick", " (h=0)"


@dataclass(frozen=True)
class Row:
    """One engine at one case. Figures are in ``unit``; ``ratios`` say how many times faster than a peer."""

    case: str
    engine: str
    version: str
    unit: str
    best: float
    median: float
    spread: float
    scaled: float
    ratios: dict[str, Ratio] = field(default_factory=dict)
    answers: list[answers.Answer] = field(default_factory=list)
    note: str = ""


def time_case(case: Case, effort: Effort, names: str | None = None) -> list[Row]:
    """Check every engine that can run a case, then time them all against each other."""
    engines = engines_for(case, names)
    checked = {engine.name: answers.check(engine, case) for engine in engines}
    simulations: dict[str, Simulation] = {engine.name: engine.start(case, seed=1) for engine in engines}
    bars = {bar.name + _AT_ZERO: bar for bar in _BARS if bar.name not in simulations and _has_bar(case)}
    simulations |= {label: bar.start(_bar_case(case), seed=1) for label, bar in bars.items()}
    simulations[_SCALE] = TUNED_NUMBA.start(YARDSTICK, seed=1)
    for simulation in simulations.values():
        warm_up(simulation, effort)
    timings = measure(simulations, effort)
    if case.is_cluster:
        for engine in engines:
            checked[engine.name].append(answers.check_timed(engine, case, simulations[engine.name]))
    scale = NOMINAL_BAR / timings.pop(_SCALE).best
    references = {
        name.removesuffix(_AT_ZERO): timing
        for name, timing in timings.items()
        if name.startswith("numba-") or name == "mcising"
    }
    rows = []
    for engine in engines:
        ratios = {name: ratio(timings[engine.name], peer) for name, peer in references.items() if name != engine.name}
        rows.append(_row(case, engine, timings[engine.name], scale, ratios, checked[engine.name]))
    for label, bar in bars.items():
        shown = answers.check(bar, _bar_case(case))
        rows.append(_row(case.at(algorithm="metropolis"), bar, timings[label], scale, {}, shown, label=label))
    return rows


def _row(
    case: Case, engine: Engine, timing: Timing, scale: float, ratios: dict[str, Ratio], checked: list[answers.Answer],
    *, label: str | None = None, note: str = "",
) -> Row:  # fmt: skip
    best = case.figure(timing.best)
    scaled = best / scale if case.is_cluster else best * scale
    return Row(
        case.name, label or engine.name, engine.version(), case.unit, best, case.figure(timing.median), timing.spread,
        scaled, ratios, checked, note,
    )  # fmt: skip


def _has_bar(case: Case) -> bool:
    return len(case.shape) == 2 and not case.is_cluster


def _bar_case(case: Case) -> Case:
    """What the Numba bars do where a case asks for more than they can."""
    return case.at(algorithm="metropolis", field=0.0, temperature=NEAR_CRITICAL, ours_only=False)


def time_threads(effort: Effort, names: str | None = None) -> list[Row]:
    """One lattice by one and by two threads, by the wall clock; identical bits are required of ours."""
    one, two = THREADS, THREADS.at(n_threads=2)
    effort = replace(effort, seconds=5 * effort.seconds)  # the wall clock sees other work as well
    rows = []
    for engine in [engine for engine in engines_for(two, names) if engine.ours or engine in _BARS]:
        note = _identical_bits(one, two) if engine.ours else ""
        checked = answers.check(engine, one) + answers.check(engine, two)
        simulations = {"1": engine.start(one, seed=1), "2": engine.start(two, seed=1)}
        for simulation in simulations.values():
            warm_up(simulation, effort)
        wall = measure(simulations, effort, clock=time.perf_counter)
        for case, timing in zip((one, two), wall.values(), strict=True):
            speed_up = {"1 thread": ratio(timing, wall["1"])} if case is two else {}
            label = f"{engine.name}, {case.n_threads} thread{'s' * (case is two)}"
            rows.append(_row(case, engine, timing, math.nan, speed_up, checked, label=label, note=note))
    return rows


def _identical_bits(*cases: Case) -> str:
    """Return the hash that all cases' spins share after the same sweeps; raise if they differ."""
    hashes = set()
    for case in cases:
        spins = np.ones(case.shape, dtype=np.int8)
        sp.kernels.metropolis_sweep(spins, 1.0 / case.temperature, n_sweeps=20, seed=7, n_threads=case.n_threads)
        hashes.add(hashlib.sha256(spins.tobytes()).hexdigest()[:16])
    if len(hashes) != 1:
        raise answers.AnswerError(f"spinodal: the bits depend on the number of threads: {sorted(hashes)}")
    return f"spins after 20 sweeps {hashes.pop()}"


@dataclass(frozen=True)
class Independent:
    """Independent samples of M² per second of CPU time: updates per second over 2τ."""

    case: str
    engine: str
    version: str
    tau: float
    tau_stderr: float
    reliable: bool
    updates_per_second: float
    samples_per_second: float
    ratios: dict[str, Ratio] = field(default_factory=dict)


def time_independent(cases: list[Case], effort: Effort, n_tau: int, names: str | None = None) -> list[Independent]:
    """Measure τ of M² for every engine, then all their speeds in one interleaved run."""
    pairs = [(case, engine) for case in cases for engine in engines_for(case, names) if _competes(engine, case)]
    taus = {(case, engine.name): _tau(engine, case, n_tau) for case, engine in pairs}
    simulations: dict[str, Simulation] = {}
    for case, engine in pairs:
        answers.check(engine, case)
        simulations[f"{case.name} {engine.name}"] = engine.start(case, seed=1)
    for simulation in simulations.values():
        warm_up(simulation, effort)
    timings = measure(simulations, effort)
    rows = []
    for case, engine in pairs:
        tau, stderr, reliable = taus[case, engine.name]
        updates = timings[f"{case.name} {engine.name}"].updates_per_second * case.n_chains
        rows.append(
            Independent(case.name, engine.name, engine.version(), tau, stderr, reliable, updates, updates / (2.0 * tau))
        )
    return list(_beside_best_peer(rows))


def _competes(engine: Engine, case: Case) -> bool:
    """Leave out what is far behind and would take minutes for τ."""
    return engine.name != "torch" and (engine.name != "peapods" or case.is_cluster)


def _tau(engine: Engine, case: Case, n_tau: int) -> tuple[float, float, bool]:
    """Return τ of M² in updates, its error, and whether the chains were long enough."""
    n_chains, guess, thin = (16, 5, 1) if case.is_cluster else (16, 170, 8)
    simulation = engine.start(case.at(n_chains=n_chains), seed=404)
    simulation.advance(20 * guess)
    n_draws = max(n_tau * guess // (n_chains * thin), 4)
    series = np.empty((n_chains, n_draws))
    for draw in range(n_draws):
        simulation.advance(thin)
        series[:, draw] = simulation.m2()
    estimate = sp.analysis.tau_int(series)
    return thin * estimate.tau, thin * estimate.stderr, estimate.reliable


def _beside_best_peer(rows: list[Independent]) -> Iterator[Independent]:
    """Add the ratio to the best engine that is not ours, over all algorithms."""
    peers = [row for row in rows if not row.engine.startswith("spinodal")]
    best = max(peers, key=lambda row: row.samples_per_second, default=None)
    for row in rows:
        if best is None:
            yield row
        else:
            beside = Ratio(row.samples_per_second / best.samples_per_second)
            yield replace(row, ratios={f"{best.engine}, {best.case}": beside})
