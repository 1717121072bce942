# SPDX-License-Identifier: BSD-3-Clause
"""Every sampler, through its protocol, against sums over all states of the 4 × 4 lattice.

Ladders of chains (one chain at each temperature) are independent of each other, so the spread of
their time averages is the standard error, whatever the autocorrelation time. A limit is the
quantile of Student's t at which all comparisons of this file together raise a false alarm less
than once in a million runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

import spinodal as sp
from reference import enumeration
from samplers.cases import SAMPLERS
from samplers.exact_start import exact_states, ranks
from spinodal.samplers.protocol import Key

SHAPE = (4, 4)
MODELS = {
    "ferromagnet": sp.IsingModel(SHAPE),
    "antiferromagnet": sp.IsingModel(SHAPE, J=-1.0),
    "field": sp.IsingModel(SHAPE, h=0.2),
    "antiferromagnet in a field": sp.IsingModel(SHAPE, J=-1.0, h=0.5),
}
RUNGS = np.array([2.2, 2.5, 2.9, 3.4])
OBSERVABLES = ("energy", "|m|")
N_EXACT = 20_000  # ladders that start from the exact law
FALSE_ALARM = 1e-6 / (len(SAMPLERS) * len(MODELS) * (len(RUNGS) + 1) * len(OBSERVABLES))

Array = np.ndarray
Build = Callable[..., Any]


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> sp.IsingModel:
    return MODELS[request.param]


def exact_means(model: sp.IsingModel, temperature: Array) -> Array:
    """Energy and |m| a site at each temperature, shape (n_temperatures, 2)."""
    rows = []
    for t in temperature:
        probability = enumeration.boltzmann(SHAPE, 1 / t, model.J, model.h)
        means = enumeration.exact_means(probability, SHAPE, model.J, model.h)
        rows.append([means[name] for name in OBSERVABLES])
    return np.array(rows)


def ladder_means(sampler: Any, model: sp.IsingModel, n_ladders: int, n_draws: int = 56) -> Array:
    """Time averages of energy and |m| a site, shape (n_ladders, n_rungs, 2)."""
    n_chains = n_ladders * len(RUNGS)
    thin = 8 if isinstance(sampler, sp.Wolff) else 4  # about the autocorrelation time: a cluster is part of a sweep
    burn_in = 32 * thin
    key = Key(seed=3)
    state, _ = sampler.step(key, sampler.init(key, n_chains), burn_in, n_threads=1)
    total = np.zeros((n_chains, 2))
    for draw in range(n_draws):
        state, _ = sampler.step(key.at(burn_in + draw * thin), state, thin, n_threads=1)
        draws = state.draws
        total += np.stack([model.energy(draws), np.abs(model.magnetization(draws))], axis=1) / model.n_sites
    return total.reshape(n_ladders, len(RUNGS), 2) / n_draws


def assert_exact(means: Array, exact: Array) -> None:
    n_ladders = len(means)
    deviation = (means.mean(axis=0) - exact) / (means.std(axis=0, ddof=1) / np.sqrt(n_ladders))
    limit = stats.t.isf(FALSE_ALARM / 2, n_ladders - 1)
    assert (np.abs(deviation) < limit).all(), f"standard errors off, by temperature and {OBSERVABLES}:\n{deviation}"


def test_averages_are_exact_at_every_temperature(build: Build, model: sp.IsingModel) -> None:
    """And the same assertion fails against temperatures 1 % higher."""
    n_ladders = 2048
    means = ladder_means(build(model, np.tile(RUNGS, n_ladders)), model, n_ladders)
    assert_exact(means, exact_means(model, RUNGS))
    with pytest.raises(AssertionError, match="standard errors off"):
        assert_exact(means, exact_means(model, 1.01 * RUNGS))


def rank_p_values(build: Build, model: sp.IsingModel, error: float = 0.0) -> dict[str, float]:
    """Uniformity of the ranks of chains that started from the exact law, after some steps.

    With ``error``, the sampler's temperatures are off by this fraction.
    """
    temperature = np.tile(RUNGS, N_EXACT)
    sampler = build(model, temperature * (1 + error))
    states = exact_states(model, temperature, np.random.default_rng(5))
    state, _ = sampler.step(Key(seed=9), sampler.state_from(states), 24, n_threads=1)
    draws = state.draws
    found = {
        "energy": ranks(model, temperature, "energy", model.energy(draws), np.random.default_rng(6)),
        "|m|": ranks(model, temperature, "|m|", np.abs(model.magnetization(draws)), np.random.default_rng(7)),
    }
    return {name: stats.kstest(values, "uniform").pvalue for name, values in found.items()}


@pytest.mark.parametrize("name", ["ferromagnet", "antiferromagnet in a field"])
def test_chains_that_start_from_the_law_stay_on_it(build: Build, name: str) -> None:
    """No burn-in, no autocorrelation: N_EXACT independent draws a temperature, and their whole distribution."""
    found = rank_p_values(build, MODELS[name])
    assert min(found.values()) > FALSE_ALARM, found


def test_ranks_see_a_temperature_one_percent_off(build: Build) -> None:
    found = rank_p_values(build, MODELS["ferromagnet"], error=0.01)
    assert min(found.values()) < FALSE_ALARM, found


def test_ranks_of_exact_draws_are_uniform(model: sp.IsingModel) -> None:
    temperature = np.tile(RUNGS, N_EXACT)
    draws = exact_states(model, temperature, np.random.default_rng(8))
    for name, values in (("energy", model.energy(draws)), ("|m|", np.abs(model.magnetization(draws)))):
        found = ranks(model, temperature, name, values, np.random.default_rng(9))
        assert stats.kstest(found, "uniform").pvalue > 1e-6


@pytest.mark.parametrize("model", [sp.IsingModel((3, 3)), sp.IsingModel((3, 4), J=-1.0, h=0.4)], ids=["3x3", "3x4"])
def test_odd_lengths_have_an_automatic_sampler(model: sp.IsingModel) -> None:
    temperature = np.tile(RUNGS, N_EXACT)
    sampler = sp.sampler(model, temperature)
    states = exact_states(model, temperature, np.random.default_rng(5))
    state, _ = sampler.step(Key(seed=9), sampler.state_from(states), 24, n_threads=1)
    found = ranks(model, temperature, "energy", model.energy(state.draws), np.random.default_rng(6))
    assert stats.kstest(found, "uniform").pvalue > 1e-7
