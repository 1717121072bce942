# SPDX-License-Identifier: BSD-3-Clause
"""Timing that survives a busy machine.

Engines take turns (A B C, B C A, …) in many short repetitions, so that each ratio compares
neighbours in time. One-thread work is timed by the process's CPU time, which does not run while
the process waits for a core. Work of several threads is timed by the wall clock.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from peers.protocol import Simulation

MAX_SPREAD = 2.0
"""A reference whose slow repetitions take this many times its best gives no ratio."""

Clock = Callable[[], float]


@dataclass(frozen=True)
class Effort:
    """How long to measure."""

    rounds: int
    seconds: float
    warm_up_updates: int
    warm_up_seconds: float


FULL = Effort(rounds=21, seconds=0.04, warm_up_updates=100, warm_up_seconds=2.0)
QUICK = Effort(rounds=7, seconds=0.02, warm_up_updates=50, warm_up_seconds=0.5)


@dataclass(frozen=True)
class Timing:
    """Repetitions of one simulation: work and updates done, seconds taken, by round."""

    work: npt.NDArray[np.float64]
    updates: npt.NDArray[np.float64]
    seconds: npt.NDArray[np.float64]

    @property
    def rates(self) -> npt.NDArray[np.float64]:
        """Work per second, by round."""
        return np.asarray(self.work / self.seconds)

    @property
    def best(self) -> float:
        return float(self.rates.max())

    @property
    def median(self) -> float:
        return float(np.median(self.rates))

    @property
    def updates_per_second(self) -> float:
        return float(np.median(self.updates / self.seconds))

    @property
    def spread(self) -> float:
        """Best rate over the rate that nine repetitions in ten reach."""
        return self.best / float(np.percentile(self.rates, 10))


@dataclass(frozen=True)
class Ratio:
    """A rate over a reference's, paired by round: median and quartiles; or why there is none."""

    value: float
    low: float = math.nan
    high: float = math.nan
    void: str = ""


def ratio(timing: Timing, reference: Timing) -> Ratio:
    if reference.spread > MAX_SPREAD:
        return Ratio(math.nan, void=f"void: the reference spread {reference.spread:.1f}x")
    low, middle, high = np.percentile(timing.rates / reference.rates, [25, 50, 75])
    return Ratio(float(middle), float(low), float(high))


def warm_up(simulation: Simulation, effort: Effort) -> None:
    """Leave the cold start behind; page in, compile, fill caches."""
    done, start = 0, time.process_time()
    while done < effort.warm_up_updates and time.process_time() - start < effort.warm_up_seconds:
        simulation.advance(1 + done)
        done += 1 + done


def measure(
    simulations: Mapping[str, Simulation], effort: Effort, clock: Clock = time.process_time
) -> dict[str, Timing]:
    """Time simulations against each other, interleaved; they should be warm."""
    n_updates = {name: _calibrate(simulation, effort.seconds, clock) for name, simulation in simulations.items()}
    samples: dict[str, list[tuple[float, float, float]]] = {name: [] for name in simulations}
    names = list(simulations)
    for round_ in range(effort.rounds):
        first = round_ % len(names)
        for name in names[first:] + names[:first]:
            start = clock()
            work = simulations[name].advance(n_updates[name])
            samples[name].append((work, n_updates[name], clock() - start))
    return {name: Timing(*np.array(rows).T) for name, rows in samples.items()}


def _calibrate(simulation: Simulation, seconds: float, clock: Clock) -> int:
    """Return how many updates take about ``seconds``, at least one."""
    n = 1
    while True:
        start = clock()
        simulation.advance(n)
        elapsed = clock() - start
        if elapsed > seconds / 4:
            return max(1, round(n * seconds / elapsed))
        n *= 4
