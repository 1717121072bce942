# SPDX-License-Identifier: BSD-3-Clause
"""What parallel tempering reports of its ladders, against exact rates and a plain count."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

import spinodal as sp
from reference import enumeration
from samplers.cases import advance
from samplers.exact_start import exact_states
from spinodal.samplers.protocol import Key

RUNGS = [1.9, 2.3, 2.45, 3.6]
N_RUNGS = len(RUNGS)
KEY = Key(seed=4, first_chain=8)


def levels(model: sp.IsingModel, temperature: float) -> tuple[np.ndarray, np.ndarray]:
    """Energies, and their probabilities."""
    probability = enumeration.boltzmann(model.shape, 1 / temperature, model.J, model.h)
    energy = np.round(enumeration.energies(model.shape, model.J, model.h), 9)
    values, which = np.unique(energy, return_inverse=True)
    return values, np.bincount(which, weights=probability)


def exact_acceptance(model: sp.IsingModel, cold: float, hot: float) -> float:
    """Σ p_cold(E) p_hot(E') min(1, exp((1/T_cold − 1/T_hot)(E − E')))."""
    (energy, p), (_, q) = levels(model, cold), levels(model, hot)
    gain = (1 / cold - 1 / hot) * np.subtract.outer(energy, energy)
    return float(p @ np.exp(np.minimum(gain, 0)) @ q)


@pytest.mark.parametrize(("J", "h"), [(1.0, 0.0), (-1.0, 0.0), (1.0, 0.3), (-1.0, 0.6)])
@pytest.mark.parametrize("swap_every", [1, 3])
def test_swap_rates(J, h, swap_every):
    """From the exact law, every attempt is accepted with the expected probability, the first as the last."""
    model, n_ladders, n_steps = sp.IsingModel((4, 4), J, h), 4000, 12
    sampler = sp.ParallelTempering(model, RUNGS, swap_every=swap_every)
    states = exact_states(model, np.tile(RUNGS, n_ladders), np.random.default_rng(1))
    _, info = advance(sampler, KEY, sampler.state_from(states), n_steps)
    attempts, accepts = (info[name].reshape(n_ladders, N_RUNGS) for name in ("swap_attempts", "swap_accepts"))
    assert (attempts == [n_steps / 2] * (N_RUNGS - 1) + [0]).all()
    assert (accepts[:, -1] == 0).all()
    rates = accepts[:, :-1] / attempts[:, :-1]
    exact = [exact_acceptance(model, cold, hot) for cold, hot in itertools.pairwise(RUNGS)]
    deviation = (rates.mean(axis=0) - exact) / (rates.std(axis=0, ddof=1) / np.sqrt(n_ladders))
    assert np.abs(deviation).max() < stats.t.isf(1e-6 / 48, n_ladders - 1)
    wrong = [exact_acceptance(model, cold, 1.01 * hot) for cold, hot in itertools.pairwise(RUNGS)]
    deviation = (rates.mean(axis=0) - wrong) / (rates.std(axis=0, ddof=1) / np.sqrt(n_ladders))
    assert np.abs(deviation).max() > 6


def test_attempts_take_turns():
    sampler = sp.ParallelTempering(sp.IsingModel(4), RUNGS)
    for step, expected in ((0, [1, 0, 1, 0]), (1, [0, 1, 0, 0]), (2, [1, 0, 1, 0])):
        _, info = sampler.step(KEY.at(step), sampler.init(KEY, 8))
        assert info["swap_attempts"].tolist() == 2 * expected


def test_ladders_stay_ladders():
    """Rungs are exchanged within a ladder, draws are in their order, and configurations stay with their replica."""
    model = sp.IsingModel(4)
    sampler = sp.ParallelTempering(model, RUNGS)
    state = sampler.init(KEY, 5 * N_RUNGS)
    moved = 0
    for step in range(40):
        before = state.rung.copy()
        state, info = sampler.step(KEY.at(step), state)
        ladders = state.rung.reshape(5, N_RUNGS)
        np.testing.assert_array_equal(np.sort(ladders, axis=1), np.tile(np.arange(N_RUNGS), (5, 1)))
        for ladder, rungs in enumerate(ladders):
            first = ladder * N_RUNGS
            for replica, rung in enumerate(rungs):
                np.testing.assert_array_equal(state.draws[first + rung], state.spins[first + replica])
        assert (state.rung != before).sum() == 2 * info["swap_accepts"].sum()
        moved += (state.rung != before).sum()
    assert moved > 40


def count_round_trips(history: np.ndarray, top: int) -> int:
    """Arrivals at the coldest rung of a replica that has been to the hottest since it last left it."""
    trips, from_the_top = 0, False
    for rung in history:
        trips += rung == 0 and from_the_top
        from_the_top = rung == top or (from_the_top and rung != 0)
    return trips


@pytest.mark.parametrize("rungs", [[2.0, 2.2], [2.0, 2.4, 3.0], RUNGS], ids=len)
def test_round_trips_are_counted(rungs):
    n_ladders, n_steps = 6, 200
    sampler = sp.ParallelTempering(sp.IsingModel(4), rungs)
    state = sampler.init(KEY, n_ladders * len(rungs))
    history, total = [state.rung.copy()], np.zeros(len(state.rung), dtype=np.int64)
    for step in range(n_steps):
        state, info = sampler.step(KEY.at(step), state)
        history.append(state.rung.copy())
        total += info["round_trips"]
    expected = [count_round_trips(rung, len(rungs) - 1) for rung in np.array(history).T]
    assert total.tolist() == expected
    assert min(expected) > 0


def test_ladders_are_independent():
    """Equal ladders that start alike part at once: their swaps and sweeps have numbers of their own."""
    sampler = sp.ParallelTempering(sp.IsingModel(4), RUNGS, start="cold")
    state, _ = advance(sampler, KEY, sampler.init(KEY, 50 * N_RUNGS), 30)
    assert len(np.unique(state.rung.reshape(50, -1), axis=0)) > 10
    assert len(np.unique(state.draws.reshape(50, -1), axis=0)) == 50


def test_samples_report_the_ladder():
    sampler = sp.ParallelTempering(sp.IsingModel(4), RUNGS)
    samples = sp.run(sampler, n_chains=2 * N_RUNGS, n_steps=40, thin=4)
    assert (samples.info["swap_attempts"].sum(axis=1) == np.tile([20, 20, 20, 0], 2)).all()
    assert samples.temperature.tolist() == RUNGS * 2
    np.testing.assert_array_equal(samples.energy, sampler.system.energy(samples.draws))
