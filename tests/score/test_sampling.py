# SPDX-License-Identifier: BSD-3-Clause
"""Reverse diffusion through ``run``: with an exact denoiser the draws follow the exact law."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from scipy import stats

import spinodal as sp
from score.exact_laws import GaussianField, chi_square, conditional
from spinodal.samplers.protocol import Key
from spinodal.score.denoisers import ExactIsingDenoiser, GaussianDenoiser
from spinodal.score.sampling import DiffusionSampler
from spinodal.score.schedules import LogLinear

MODEL = sp.IsingModel((3, 3), h=0.1)
EXACT = ExactIsingDenoiser(MODEL)
TEMPERATURE = 2.6
N_CHAINS = 2000
N_STEPS = {"mixture": 48, "ancestral": 128, "euler_maruyama": 160, "predictor_corrector": 64, "ddim": 128,
           "heun": 64, "dpm_solver_2m": 64, "adaptive": 1}  # fmt: skip


def draws_of(sampler, n_chains=N_CHAINS, **options):
    return sp.run(sampler, n_chains=n_chains, n_steps=1, progress=False, n_threads=1, **{"seed": 11, **options}).draws[
        :, 0
    ]


@pytest.mark.parametrize("method", N_STEPS)
def test_every_method_draws_from_the_boltzmann_law(method):
    sampler = DiffusionSampler(MODEL, EXACT, TEMPERATURE, method=method, n_steps=N_STEPS[method], batch_size=N_CHAINS)
    p = chi_square(draws_of(sampler), sp.exact.boltzmann((3, 3), TEMPERATURE, 1.0, 0.1))
    assert p > 1e-3


def test_the_law_on_4x4():
    model = sp.IsingModel(4)
    sampler = DiffusionSampler(model, ExactIsingDenoiser(model), 2.3, n_steps=32, batch_size=600)
    assert chi_square(draws_of(sampler, 600), sp.exact.boltzmann(4, 2.3)) > 1e-3


def test_temperature_changes_the_law():
    temperatures = np.repeat([1.6, 4.0], 300)
    samples = sp.run(
        DiffusionSampler(MODEL, EXACT, temperatures, n_steps=24), n_chains=600, n_steps=1, progress=False, n_threads=1
    )
    for t in (1.6, 4.0):
        chosen = samples.select(temperature=t)
        mean = sp.exact.enumerate_ising((3, 3), h=0.1).energy(t)
        error = chosen.energy.std() / np.sqrt(chosen.n_chains)
        assert abs(chosen.energy.mean() - mean) < 5 * error
    assert abs(samples.energy[:300].mean() - samples.energy[300:].mean()) > 20 * error


def test_known_spins_leave_the_conditional_law():
    known = np.zeros((3, 3), bool)
    known[0, 0], known[1, 2] = True, True
    values = np.where(np.arange(9).reshape(3, 3) % 2, 1, -1)
    sampler = DiffusionSampler(MODEL, EXACT, TEMPERATURE, n_steps=48, known=known, values=values, batch_size=N_CHAINS)
    draws = draws_of(sampler)
    assert (draws[:, known] == values[known]).all()
    exact = conditional(MODEL, TEMPERATURE, known, values)
    assert chi_square(draws, exact) > 1e-3
    free = draws_of(DiffusionSampler(MODEL, EXACT, TEMPERATURE, n_steps=12), 200)
    assert chi_square(free, exact) == 0


def test_known_components_of_a_gaussian():
    """Means and covariances of the others are those of the conditional Gaussian, at its temperature."""
    field = GaussianField()
    known = np.array([[True, False, False], [False, False, True]])
    values = np.array([[2.0, 0, 0], [0, 0, -1.0]])
    temperature, n = 1.7, 8000
    denoiser = GaussianDenoiser(field.mean, field.covariance)
    sampler = DiffusionSampler(
        field, denoiser, temperature, n_steps=200, method="ancestral", known=known, values=values, batch_size=n
    )
    draws = draws_of(sampler, n)
    np.testing.assert_array_equal(draws[:, known], np.broadcast_to(values[known], (n, 2)))
    k, c = known.ravel(), temperature * field.covariance
    gain = c[~k][:, k] @ np.linalg.inv(c[k][:, k])
    mean = field.mean[~known] + gain @ (values - field.mean)[known]
    covariance = c[~k][:, ~k] - gain @ c[k][:, ~k]
    free = draws[:, ~known]
    spread = np.sqrt(np.diag(covariance))
    assert (np.abs(free.mean(0) - mean) < 5 * spread / np.sqrt(n) + 0.01 * spread).all()
    tolerance = 5 * np.sqrt(2 / n) + 0.02
    np.testing.assert_allclose(
        np.cov(free.T) / np.outer(spread, spread), covariance / np.outer(spread, spread), atol=tolerance
    )


def test_a_gaussian_field_and_its_temperatures():
    field, n = GaussianField(), 4000
    denoiser = GaussianDenoiser(field.mean, field.covariance)
    for temperature in (0.5, 3.0):
        sampler = DiffusionSampler(field, denoiser, temperature, method="dpm_solver_2m", n_steps=80, batch_size=n)
        samples = sp.run(sampler, n_chains=n, n_steps=1, seed=3, progress=False, n_threads=1)
        twice = 2 * samples.energy[:, 0] / temperature
        assert stats.kstest(twice, stats.chi2(6).cdf).pvalue > 1e-3  # E is the sum of six squares


def test_a_sampler_keeps_the_protocol():
    temperature = np.linspace(2.0, 3.0, 10)
    sampler = DiffusionSampler(MODEL, EXACT, temperature, n_steps=6, batch_size=4)
    key = Key(5, 3, 2)
    state = sampler.init(key, 10)
    assert state.draws.dtype == np.int8 and set(np.unique(state.draws)) == {-1, 1}
    once, _ = sampler.step(key, state, 3, n_threads=1)
    again = state
    for i in range(3):
        again, _ = sampler.step(key.at(key.step + i), sampler.restore(again.arrays()), 1, n_threads=1)
    np.testing.assert_array_equal(once.draws, again.draws)
    parts = []
    for a, b in ((0, 3), (3, 10)):
        part, own = sampler.for_chains(a, b), Key(5, 5, 2 + a)
        parts.append(part.step(own, part.init(own, b - a), 1, n_threads=1)[0].draws)
    np.testing.assert_array_equal(np.concatenate(parts), once.draws)
    assert sampler.step(key, once, 0)[0] is once
    described = sampler.describe()
    assert json.loads(json.dumps(described)) == described
    assert described["evaluations_per_draw"] == 7 and described["integrator"] == "mixture"


def test_a_trajectory_ends_in_the_draws_of_the_run():
    sampler = DiffusionSampler(MODEL, EXACT, TEMPERATURE, n_steps=8)
    frames = list(sampler.trajectory(5, seed=4))
    assert [frame.t for frame in frames[:-1]] == sampler.times.tolist() and len(frames) == 10
    assert frames[0].noise_level > 20 and all(frame.x.shape == (5, 3, 3) for frame in frames)
    np.testing.assert_array_equal(frames[-1].x, draws_of(sampler, 5, seed=4))
    assert not np.array_equal(np.abs(frames[-2].x), np.ones((5, 3, 3)))
    with pytest.raises(ValueError, match="at most batch_size=256 chains; got 300"):
        next(sampler.trajectory(300))


def test_spins_are_drawn_not_thresholded():
    """Noise that ends early leaves the mean far from ±1: a threshold would have nearly all spins up."""
    model = sp.IsingModel((3, 3), J=0.0, h=1.0)
    schedule = LogLinear(-9.0, -3.0)
    sampler = DiffusionSampler(model, ExactIsingDenoiser(model), 2.0, n_steps=2, schedule=schedule)
    up = (draws_of(sampler, 2000) > 0).mean()
    exact = (1 + np.tanh(0.5)) / 2
    assert abs(up - exact) < 5 * np.sqrt(exact * (1 - exact) / 18000)


def test_global_generators_are_left_alone():
    before = torch.get_rng_state()
    draws_of(DiffusionSampler(MODEL, EXACT, TEMPERATURE, n_steps=2), 3)
    assert torch.equal(before, torch.get_rng_state())


known, values = np.eye(3, dtype=bool), np.ones((3, 3))
FIELD = GaussianField()
MISTAKES = {
    "method": ({"method": "magic"}, ValueError, "method='magic' is unknown; choose one of: ancestral, mixture"),
    "option": ({"method": "ddim", "options": {"eta": 2}}, ValueError, r"eta must be in \[0, 1\]; got 2"),
    "steps": ({"n_steps": 0}, ValueError, "n_steps must be >= 1; got 0"),
    "batch": ({"batch_size": 0}, ValueError, "batch_size must be >= 1; got 0"),
    "half": ({"known": known}, ValueError, "known, a mask, and values"),
    "mask": ({"known": known[:2], "values": values}, ValueError, r"boolean mask of shape \(3, 3\); got .*\(2, 3\)"),
    "values": ({"known": known, "values": values[:2]}, ValueError, r"mask's shape \(3, 3\); got \(2, 3\)"),
    "spin": ({"known": known, "values": 2 * values}, ValueError, r"must be -1 or \+1; one is 2"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_named(mistake):
    arguments, kind, message = MISTAKES[mistake]
    with pytest.raises(kind, match=message):
        DiffusionSampler(MODEL, EXACT, TEMPERATURE, **arguments).n_evaluations  # noqa: B018


def test_other_mistakes_are_named():
    with pytest.raises(ValueError, match="temperature must be finite and > 0; got -1"):
        DiffusionSampler(MODEL, EXACT, -1.0)
    with pytest.raises(ValueError, match="'mixture' is of spins"):
        DiffusionSampler(FIELD, GaussianDenoiser(FIELD.mean, FIELD.covariance), 1.0, method="mixture")
    with pytest.raises(ValueError, match="3 temperatures were given for n_chains=2"):
        draws_of(DiffusionSampler(MODEL, EXACT, [1.0, 2.0, 3.0]), 2)
    with pytest.raises(ValueError, match="n_steps must be >= 0; got -1"):
        DiffusionSampler(MODEL, EXACT, 2.0).step(Key(0), DiffusionSampler(MODEL, EXACT, 2.0).init(Key(0), 1), -1)
