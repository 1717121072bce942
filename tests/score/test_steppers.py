# SPDX-License-Identifier: BSD-3-Clause
"""Steps back in time on laws whose score is exact: orders of convergence, exact moments."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from score.exact_laws import FixedNoise, GaussianField
from spinodal.samplers.protocol import Key
from spinodal.score.denoisers import GaussianDenoiser
from spinodal.score.noise import ChainNoise
from spinodal.score.process import DiffusionProcess
from spinodal.score.schedules import EDM, Cosine, Interpolation, LinearBeta, LogLinear
from spinodal.score.steppers import STEPPERS, AdaptiveHeun, Bridge, Heun, PredictorCorrector

MEAN, VARIANCE = 0.7, 0.4
LAW = GaussianDenoiser([MEAN], [[VARIANCE]])
SCHEDULES = [Cosine(-8, 4), LogLinear(-8, 4, scaling="exploding"), Interpolation(-6, 4), LinearBeta(t_min=0.05)]
schedules = pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda each: f"{type(each).__name__} {each.scaling}")


def marginal(process, t):
    """Mean and variance of x_t."""
    alpha, sigma = float(process.schedule.alpha(t)), float(process.schedule.sigma(t))
    return alpha * MEAN, alpha**2 * VARIANCE + sigma**2


def times_of(schedule, n_steps):
    return schedule.times(n_steps, "time" if isinstance(schedule, LinearBeta) else "log_snr")


def propagate(method, schedule, n_steps, **options):
    """Mean and variance of x at the end, exactly: each step is affine in x and in its noise, x_s = A x_t + b + c ε.

    All steps are taken at once, each as three chains with a time of their own.
    """
    times, noise = times_of(schedule, n_steps), FixedNoise(None)
    t, s = times[:-1].repeat_interleave(3), times[1:].repeat_interleave(3)
    x, noise.values = (
        torch.tensor(v, dtype=torch.float64).repeat(n_steps).reshape(-1, 1) for v in ([0, 1, 0], [0, 0, 1])
    )
    process = DiffusionProcess(schedule, LAW)
    after = STEPPERS[method](process, noise, **options).step(x, t, s).reshape(n_steps, 3).numpy()
    mean, variance = marginal(process, 1.0)
    for at_0, at_1, with_noise in after:
        mean = at_0 + (at_1 - at_0) * mean
        variance = (at_1 - at_0) ** 2 * variance + (with_noise - at_0) ** 2
    return np.array([mean, variance]), np.array(marginal(process, schedule.t_min))


def follow(method, schedule, n_steps):
    """The same of a deterministic method with memory: two trajectories."""
    process = DiffusionProcess(schedule, LAW)
    mean, variance = marginal(process, 1.0)
    stepper, x = STEPPERS[method](process, FixedNoise(None)), torch.tensor([[mean], [mean + 1]], dtype=torch.float64)
    times = times_of(schedule, n_steps)
    for t, s in pairwise(times):
        x = stepper.step(x, t, s)
    mean, other = x[:, 0].tolist()
    return np.array([mean, (other - mean) ** 2 * variance]), np.array(marginal(process, schedule.t_min))


ORDERS = {"ancestral": 1, "euler_maruyama": 1, "ddim": 1, "heun": 2, "dpm_solver_2m": 2}


@schedules
@pytest.mark.parametrize("method", ORDERS)
def test_orders_of_convergence(method, schedule):
    errors = []
    for n_steps in (256, 512):
        found, exact = (follow if method == "dpm_solver_2m" else propagate)(method, schedule, n_steps)
        errors.append(np.abs(found - exact).max())
    assert errors[-1] < 3e-2
    assert abs(np.log2(errors[0] / errors[1]) - ORDERS[method]) < 0.2


def test_ddim_is_ancestral_for_eta_1():
    one, _ = propagate("ddim", SCHEDULES[0], 8, eta=1.0)
    other, _ = propagate("ancestral", SCHEDULES[0], 8)
    np.testing.assert_allclose(one, other, rtol=1e-12)


def test_the_reverse_sde_needs_its_drift():
    """With f x or half the score left out the variance is far off; with both it is not."""
    found, exact = propagate("euler_maruyama", SCHEDULES[0], 1024)
    np.testing.assert_allclose(found, exact, rtol=0.02)
    process = DiffusionProcess(SCHEDULES[0], LAW)
    x, t = torch.tensor([[0.3]], dtype=torch.float64), 0.6
    g2, f = process.schedule.diffusion_squared(t), process.schedule.drift(t)
    torch.testing.assert_close(process.reverse_drift(x, t), f * x - g2 * process.score(x, t))
    torch.testing.assert_close(process.flow(x, t), f * x - g2 * process.score(x, t) / 2)
    torch.testing.assert_close(process.epsilon(x, t), -process.schedule.sigma(t) * process.score(x, t))


@schedules
def test_the_score_is_that_of_the_marginal(schedule):
    process = DiffusionProcess(schedule, LAW)
    x = torch.linspace(-2, 2, 9, dtype=torch.float64).reshape(-1, 1)
    for t in (0.2, 0.5, 0.9):
        mean, variance = marginal(process, t)
        torch.testing.assert_close(process.score(x, t), -(x - mean) / variance)


def test_langevin_corrections_keep_the_marginal():
    """Many corrections at one time, from a wrong start: the stationary variance v/(1 - k/2), k = snr σ²/v."""
    schedule = Cosine(-8, 4)
    t = torch.tensor(0.5, dtype=torch.float64)
    process = DiffusionProcess(schedule, LAW)
    stepper = PredictorCorrector(process, ChainNoise(Key(3), (20000, 1)), n_corrections=30, snr=0.5)
    x = stepper.step(torch.zeros(20000, 1, dtype=torch.float64), t + 1e-3, t)
    mean, variance = marginal(process, t)
    stationary = variance / (1 - 0.5 * float(schedule.sigma(t)) ** 2 / variance / 2)
    assert abs(x.mean() - mean) < 5 * (stationary / 20000) ** 0.5
    assert abs(x.var() / stationary - 1) < 5 * (2 / 20000) ** 0.5
    assert stepper.n_evaluations == 31


@schedules
def test_the_bridge_is_bayes(schedule):
    """q(x_s | x_t, x₀) from the joint Gaussian of x_s and x_t."""
    like = torch.zeros(1, 1, dtype=torch.float64)
    t, s = 0.7, 0.4
    (alpha_t, sigma_t), (alpha_s, sigma_s) = ((float(schedule.alpha(u)), float(schedule.sigma(u))) for u in (t, s))
    ratio = alpha_t / alpha_s
    gain = ratio * sigma_s**2 / sigma_t**2  # cov(x_s, x_t)/var(x_t) at fixed x₀
    bridge = Bridge(schedule, t, s, like)
    np.testing.assert_allclose(bridge.a, gain, rtol=1e-10)
    np.testing.assert_allclose(bridge.b, alpha_s - gain * alpha_t, rtol=1e-8)
    np.testing.assert_allclose(bridge.beta, sigma_s**2 - gain * ratio * sigma_s**2, rtol=1e-8)


@pytest.mark.parametrize("schedule", [Cosine(-8, 4), EDM(sigma_min=0.1)], ids=["Cosine", "EDM"])
def test_adaptive_steps_keep_their_tolerance(schedule):
    """The flow of a Gaussian is known: (y - m) ∝ √(c + σ²), mode by mode."""
    law = GaussianField()
    denoiser = GaussianDenoiser(law.mean, law.covariance)
    process = DiffusionProcess(schedule, denoiser)
    start = ChainNoise(Key(1), (16, *law.shape))() * 2
    variances, modes = np.linalg.eigh(law.covariance)
    alpha, level = (
        np.array([float(f(t)) for t in (1.0, schedule.t_min)]) for f in (schedule.alpha, schedule.noise_level)
    )
    y = (start.numpy() / alpha[0] - law.mean).reshape(16, -1) @ modes
    y = y * np.sqrt((variances + level[1] ** 2) / (variances + level[0] ** 2))
    exact = alpha[1] * (law.mean + (y @ modes.T).reshape(16, *law.shape))
    counts, errors = [], []
    for tolerance in (1e-2, 1e-4):
        stepper = AdaptiveHeun(process, ChainNoise(Key(1), start.shape), rtol=tolerance, atol=tolerance)
        found = stepper.step(start, 1.0, schedule.t_min)
        errors.append(float((found - torch.from_numpy(exact)).abs().max()))
        counts.append(stepper.n_evaluations)
        alone = AdaptiveHeun(process, ChainNoise(Key(1), start.shape), rtol=tolerance, atol=tolerance)
        torch.testing.assert_close(alone.step(start[3:5], 1.0, schedule.t_min), found[3:5], rtol=1e-9, atol=1e-9)
    assert errors[0] < 0.1 and errors[1] < 2e-3 and counts[1] > 2 * counts[0]
    with pytest.raises(RuntimeError, match="no end after 3 steps"):
        AdaptiveHeun(process, stepper.noise, max_steps=3).step(start, 1.0, schedule.t_min)


def test_churn_keeps_the_law():
    schedule, n = Cosine(-8, 4), 20000
    process = DiffusionProcess(schedule, LAW)
    stepper = Heun(process, ChainNoise(Key(2), (n, 1)), churn=0.1)
    mean, variance = marginal(process, 1.0)
    x = mean + variance**0.5 * ChainNoise(Key(9), (n, 1))()
    times = schedule.times(64)
    for t, s in pairwise(times):
        x = stepper.step(x, t, s)
    mean, variance = marginal(process, schedule.t_min)
    assert abs(x.mean() - mean) < 5 * (variance / n) ** 0.5
    assert abs(x.var() / variance - 1) < 5 * (2 / n) ** 0.5 + 2e-3


MISTAKES = {
    "eta": (lambda p: STEPPERS["ddim"](p, None, eta=1.5), r"eta must be in \[0, 1\]; got 1.5"),
    "churn": (lambda p: Heun(p, None, churn=-1), "churn must be in"),
    "corrections": (lambda p: PredictorCorrector(p, None, n_corrections=-1), "n_corrections must be >= 0; got -1"),
    "snr": (lambda p: PredictorCorrector(p, None, snr=0.0), r"snr must be in \(0, 1\); got 0.0"),
    "atol": (lambda p: AdaptiveHeun(p, None, atol=0.0), "atol > 0 are needed"),
    "covariance": (lambda p: GaussianDenoiser([0.0], [[1.0, 0.0]]), r"must have shape \(1, 1\)"),
    "symmetry": (lambda p: GaussianDenoiser([0.0, 0.0], [[1.0, 0.5], [0.0, 1.0]]), "must be symmetric"),
    "negative": (lambda p: GaussianDenoiser([0.0], [[-1.0]]), "eigenvalue -1; all must be >= 0"),
    "step": (lambda p: ChainNoise(Key(0, 2**28), (1, 1)), "step must be < 268435456"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_named(mistake):
    make, message = MISTAKES[mistake]
    with pytest.raises(ValueError, match=message):
        make(DiffusionProcess(Cosine(), LAW))
