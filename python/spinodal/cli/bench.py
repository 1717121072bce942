# SPDX-License-Identifier: BSD-3-Clause
"""``spinodal bench``: the kernels' speed on this machine, their answers checked first.

A checkout has the whole table beside the peers: ``./dev bench``.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import spinodal as sp
from spinodal import selftest
from spinodal.backends import resolve

_SECONDS = 0.6  # for each case
_T = 2.269
Step = Callable[..., Any]


@dataclass(frozen=True)
class Case:
    """Something to time: ``step(n, t)`` takes n steps from step t and returns the spins it updated."""

    name: str
    unit: str
    step: Callable[[int, int], float]


def run(arguments: argparse.Namespace) -> int:
    """Run the command; 1 if a kernel's answer is wrong."""
    threads = arguments.threads or 1
    engine = resolve()
    print(f"spinodal {sp.__version__}, {engine.name} {engine.isa or ''}, {threads} thread{'s' if threads > 1 else ''}")
    wrong = [check for check in selftest.check_all(["cpp" if engine.name == "cpp" else "numba"]) if not check.passed]
    for check in wrong:
        print(f"WRONG  {check.engine}: {check.name}: {check.detail}")
    if wrong:
        return 1
    print("answers checked: every kernel gives the exact mean energy of a small lattice, within 5σ")
    for case in cases(threads):
        rate = best_rate(case.step)
        print(f"{case.name:<40} {rate if case.unit == 'flips/ns' else 1 / rate:8.2f} {case.unit}", flush=True)
    return 0


def cases(n_threads: int) -> Iterator[Case]:
    """Yield what is timed."""
    local = sp.kernels.metropolis_sweep
    for name, shape, ndim, temperature, field in (
        ("Metropolis, 512 × 512", (512, 512), 2, _T, 0.0),
        ("Metropolis, 512 × 512, h = 0.1", (512, 512), 2, _T, 0.1),
        ("Metropolis, 4096 × 4096", (4096, 4096), 2, _T, 0.0),
        ("Metropolis, 1024 chains of 32 × 32", (1024, 32, 32), 2, _T, 0.0),
        ("Metropolis, 64 × 64 × 64", (64, 64, 64), 3, 4.5, 0.0),
    ):
        spins = sp.kernels.random_spins(shape, ndim=ndim)
        yield Case(name, "flips/ns", _sweeps(local, spins, 1 / temperature, field, ndim, n_threads))
    spins = sp.kernels.random_spins((512, 512))
    sp.kernels.swendsen_wang_sweep(spins, 1 / _T, n_sweeps=50, seed=1)
    yield Case("Wolff, 512 × 512", "ns a flipped spin", _wolff(spins.copy(), n_threads))
    yield Case(
        "Swendsen–Wang, 512 × 512",
        "ns a spin",
        _sweeps(sp.kernels.swendsen_wang_sweep, spins, 1 / _T, 0.0, 2, n_threads),
    )


def _sweeps(
    kernel: Step, spins: Any, beta: float, field: float, ndim: int, n_threads: int
) -> Callable[[int, int], float]:
    def step(n: int, t: int) -> float:
        kernel(spins, beta, 1.0, field, n_sweeps=n, seed=1, sweep=t, ndim=ndim, n_threads=n_threads)
        return float(n * spins.size)

    return step


def _wolff(spins: Any, n_threads: int) -> Callable[[int, int], float]:
    def step(n: int, t: int) -> float:
        flipped, _ = sp.kernels.wolff_step(spins, 1 / _T, n_steps=n, seed=1, step=t, n_threads=n_threads)
        return float(flipped.sum())

    return step


def best_rate(step: Callable[[int, int], float], seconds: float = _SECONDS) -> float:
    """Return spins a nanosecond: the best of many short runs."""
    best, n, t, end = 0.0, 1, 0, time.perf_counter() + seconds
    step(1, 0)
    while time.perf_counter() < end:
        begin = time.perf_counter_ns()
        done = step(n, t)
        elapsed = max(time.perf_counter_ns() - begin, 1)
        best, t = max(best, done / elapsed), t + n
        n = max(1, min(4 * n, int(n * 2e7 / elapsed)))  # runs of some 20 ms
    return best
