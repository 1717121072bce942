# SPDX-License-Identifier: BSD-3-Clause
"""No rate without a right answer: every engine against an exact energy, within 5σ.

Square lattices meet Kaufman's solution twice: 64 chains of 32² near the transition, where errors
of the probabilities show most, and the timed shape at T = 3, where a chain decorrelates in a few
sweeps and the lattice is large enough for four digits. Fields meet the enumeration of 4², cubic
lattices the high-temperature series, tempering Kaufman's solution on every rung.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from functools import cache

import numpy as np

import spinodal as sp
from cases import LADDER, Case
from peers import Engine, Simulation

MAX_SIGMAS = 5.0
WARM = 3.0
_SECONDS = 4.0  # CPU time a check of a large lattice may take; a slower engine gets a smaller one
_SWEEPS_BEFORE, _SWEEPS_BETWEEN, _FEWEST_DRAWS, _MOST_DRAWS = 100, 10, 8, 4000

# ln Z / N = ln(2 cosh³K) + Σ a_n tanh(K)^n of the simple cubic lattice.
# Guttmann and Enting, J. Phys. A 26, 807 (1993), doi:10.1088/0305-4470/26/4/010.
_CUBIC_SERIES = {4: 3.0, 6: 22.0, 8: 187.5, 10: 1980.0, 12: 24044.0, 14: 319170.0}


class AnswerError(AssertionError):
    """An engine computed something else than the Ising model: it gets no rate."""


@dataclass(frozen=True)
class Answer:
    """An energy per site beside the exact one."""

    what: str
    exact: float
    measured: float
    stderr: float

    @property
    def sigmas(self) -> float:
        return (self.measured - self.exact) / self.stderr

    def check(self, engine: str) -> Answer:
        if not abs(self.sigmas) <= MAX_SIGMAS:
            raise AnswerError(
                f"{engine}, {self.what}: e = {self.measured:.6f} ± {self.stderr:.6f} is {self.sigmas:+.1f}σ "
                f"from the exact {self.exact:.6f}"
            )
        return self


def check(engine: Engine, case: Case) -> list[Answer]:
    """Return the answers of an engine to the kind of work a case is; raise if one is wrong."""
    plain = case.at(name="probe", ours_only=False)
    if case.algorithm == "parallel_tempering":
        found = _rungs(engine, plain.at(n_chains=len(LADDER)))
    elif len(case.shape) == 3:
        found = (_cubic(engine, plain.at(shape=(32, 32, 32), n_chains=8, temperature=7.0)),)
    elif case.field != 0.0:
        found = (_small_with_field(engine, plain.at(shape=(4, 4), n_chains=512)),)
    else:
        found = (_near_critical(engine, plain.at(shape=(32, 32), n_chains=64)),)
        if case.n_sites > 32 * 32:
            found += (_large(engine, plain.at(n_chains=1, temperature=WARM)),)
    return [answer.check(engine.name) for answer in found]


def _by_chains(engine: Engine, probe: Case, exact: float, *, burn_in: int, n_draws: int, between: int) -> Answer:
    """Independent chains: the error is their spread, whatever the autocorrelation.

    A fast engine takes more than ``n_draws``, and so a sharper test.
    """
    simulation = engine.start(probe, seed=101)
    simulation.advance(burn_in)
    total, n, start = np.zeros(probe.n_chains), 0, time.process_time()
    while n < n_draws or (n < _MOST_DRAWS and time.process_time() - start < _SECONDS / 4):
        simulation.advance(between)
        total += simulation.energy_per_site()
        n += 1
    means = total / n
    return Answer(_describe(probe), exact, float(means.mean()), float(means.std(ddof=1)) / math.sqrt(len(means)))


def _describe(probe: Case) -> str:
    lattice = "x".join(map(str, probe.shape))
    return f"{lattice}, T={probe.temperature:.4g}" + (f", h={probe.field}" if probe.field else "")


@cache
def _near_critical(engine: Engine, probe: Case) -> Answer:
    exact = float(sp.exact.kaufman(probe.shape, probe.temperature).energy_per_site)
    if probe.is_cluster:  # decorrelates in a few updates, a cold start too
        return _by_chains(engine, probe, exact, burn_in=50, n_draws=50, between=3)
    return _by_chains(engine, probe, exact, burn_in=400, n_draws=150, between=8)


@cache
def _small_with_field(engine: Engine, probe: Case) -> Answer:
    exact = float(sp.exact.enumerate_ising(probe.shape, 1.0, probe.field).energy_per_site(probe.temperature))
    return _by_chains(engine, probe, exact, burn_in=100, n_draws=100, between=5)


@cache
def _cubic(engine: Engine, probe: Case) -> Answer:
    return _by_chains(engine, probe, cubic_energy(probe.temperature), burn_in=60, n_draws=20, between=4)


def cubic_energy(temperature: float) -> float:
    """Energy per site of the infinite simple cubic lattice; good to 1e-6 for T ≥ 7."""
    t = math.tanh(1.0 / temperature)
    series = sum(n * a * t ** (n - 1) for n, a in _CUBIC_SERIES.items())
    return -(3.0 * t + series * (1.0 - t * t))


@cache
def _large(engine: Engine, probe: Case) -> Answer:
    """The shape itself, or a smaller one if the engine would take long; the error from the exact heat capacity."""
    work_of_an_update, seconds = _cost(engine, probe.at(shape=(128, 128)))
    sites = max(64 * 64, int(_SECONDS / (_SWEEPS_BEFORE + _FEWEST_DRAWS * _SWEEPS_BETWEEN) / seconds))
    if probe.algorithm == "wolff":  # small clusters are not what it is for: millions for a sweep
        sites = 128 * 128
    while probe.n_sites > sites:
        probe = probe.at(shape=tuple(length // 2 for length in probe.shape))
    updates = max(1, round(probe.n_sites / work_of_an_update)) if probe.algorithm == "wolff" else 1
    simulation = engine.start(probe, seed=202)
    simulation.advance(updates * _SWEEPS_BEFORE)
    start, draws = time.process_time(), []
    while len(draws) < _FEWEST_DRAWS or (len(draws) < _MOST_DRAWS and time.process_time() - start < _SECONDS / 4):
        simulation.advance(updates * _SWEEPS_BETWEEN)
        draws.append(simulation.energy_per_site()[0])
    exact = sp.exact.kaufman(probe.shape, WARM)
    one_draw = math.sqrt(float(exact.heat_capacity_per_site) / probe.n_sites) * WARM
    stderr = one_draw / math.sqrt(len(draws))
    return Answer(_describe(probe), float(exact.energy_per_site), float(np.mean(draws)), stderr)


def check_timed(engine: Engine, case: Case, simulation: Simulation) -> Answer:
    """Return the energy of a timed, equilibrated lattice; raise if it is 5 standard deviations of one draw off."""
    exact = sp.exact.kaufman(case.shape, case.temperature)
    one_draw = math.sqrt(float(exact.heat_capacity_per_site) / case.n_sites) * case.temperature
    measured = float(simulation.energy_per_site().mean())
    return Answer(_describe(case), float(exact.energy_per_site), measured, one_draw).check(engine.name)


def _cost(engine: Engine, probe: Case) -> tuple[float, float]:
    """Return the mean work of an update, and the CPU time of a unit of work."""
    simulation = engine.start(probe, seed=202)
    n = 500 if probe.algorithm == "wolff" else 20
    simulation.advance(n)
    start = time.process_time()
    work = simulation.advance(n)
    return work / n, (time.process_time() - start) / work


@cache
def _rungs(engine: Engine, probe: Case) -> tuple[Answer, ...]:
    """Every rung, by blocks in time."""
    ladders = probe.at(n_chains=16 * len(LADDER))
    simulation = engine.start(ladders if engine.supports(ladders) else probe, seed=303)
    simulation.advance(1500)
    blocks = []
    for _ in range(24):
        simulation.advance(1500)
        blocks.append(simulation.energy_per_site().reshape(-1, len(LADDER)).mean(axis=0))
    mean, stderr = np.mean(blocks, axis=0), np.std(blocks, axis=0, ddof=1) / math.sqrt(len(blocks))
    exact = sp.exact.kaufman(probe.shape, np.array(LADDER)).energy_per_site
    return tuple(
        Answer(_describe(probe.at(temperature=temperature)), *map(float, numbers))
        for temperature, *numbers in zip(LADDER, exact, mean, stderr, strict=True)
    )
