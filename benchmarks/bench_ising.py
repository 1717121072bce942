# SPDX-License-Identifier: BSD-3-Clause
"""The cases under pytest-benchmark: pytest benchmarks/bench_ising.py [-k NAME] [--benchmark-json=F].

Each asserts its answer before it is timed. Nothing asserts a speed; ``run.py`` compares.
"""

from __future__ import annotations

import time
from typing import Any

import pytest

import answers
import machine
from cases import CASES, INDEPENDENT, THREADS, Case
from peers import Engine, engines_for
from timing import QUICK, warm_up

_ALL = [*CASES, THREADS, THREADS.at(name="threads-4096-two", n_threads=2), *INDEPENDENT]
_PAIRS = [(case, engine) for case in _ALL for engine in engines_for(case)]


@pytest.mark.parametrize(("case", "engine"), _PAIRS, ids=[f"{case.name}/{engine.name}" for case, engine in _PAIRS])
def test_rate(benchmark: Any, case: Case, engine: Engine) -> None:
    checked = answers.check(engine, case)
    simulation = engine.start(case, seed=1)
    warm_up(simulation, QUICK)
    start, work = time.process_time(), simulation.advance(1)
    n_updates = max(1, round(QUICK.seconds / max(time.process_time() - start, 1e-7)))
    done: list[float] = []
    benchmark.pedantic(lambda: done.append(simulation.advance(n_updates)), rounds=QUICK.rounds, warmup_rounds=1)
    work = sum(done) / len(done)
    benchmark.group = case.name
    benchmark.extra_info.update(
        {
            case.unit: case.figure(work / benchmark.stats.stats.min),
            "work": work,
            "sigmas": [answer.sigmas for answer in checked],
            "machine": machine.describe(),
        }
    )
