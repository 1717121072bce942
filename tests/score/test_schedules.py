# SPDX-License-Identifier: BSD-3-Clause
"""Schedules: drift and diffusion are the derivatives they are said to be, and noise ends where the size asks."""

from __future__ import annotations

import math

import pytest
import torch

from spinodal.score import schedules
from spinodal.score.schedules import (
    EDM,
    SCALINGS,
    SCHEDULES,
    Cosine,
    Interpolation,
    LinearBeta,
    LogLinear,
    Sigmoid,
    schedule_from,
    terminal_log_snr,
)

CASES = [
    LinearBeta(),
    EDM(),
    *(kind(scaling=scaling) for kind in (LogLinear, Cosine, Interpolation, Sigmoid) for scaling in SCALINGS),
]
schedule_cases = pytest.mark.parametrize("schedule", CASES, ids=lambda case: f"{type(case).__name__} {case.scaling}")


def interior(schedule, n=41):
    return torch.linspace(schedule.t_min + 0.01, 0.99, n, dtype=torch.float64)


def central_difference(function, t, h=1e-5):
    """Fourth order."""
    return (8 * (function(t + h) - function(t - h)) - (function(t + 2 * h) - function(t - 2 * h))) / (12 * h)


@schedule_cases
def test_drift_and_diffusion_are_derivatives(schedule):
    t = interior(schedule)
    torch.testing.assert_close(schedule.log_snr_rate(t), central_difference(schedule.log_snr, t), rtol=1e-7, atol=1e-7)
    f = central_difference(schedule.alpha, t) / schedule.alpha(t)
    torch.testing.assert_close(schedule.drift(t), f, rtol=1e-6, atol=1e-8)
    variance = lambda t: schedule.sigma(t) ** 2  # noqa: E731
    g2 = central_difference(variance, t) - 2 * f * variance(t)
    torch.testing.assert_close(schedule.diffusion_squared(t), g2, rtol=1e-6, atol=1e-8)


@schedule_cases
def test_signal_and_noise_share_the_snr(schedule):
    t = torch.linspace(schedule.t_min, 1, 33, dtype=torch.float64)
    alpha, sigma = schedule.alpha(t), schedule.sigma(t)
    torch.testing.assert_close(2 * torch.log(alpha / sigma), schedule.log_snr(t))
    torch.testing.assert_close(schedule.noise_level(t), sigma / alpha)
    assert (schedule.log_snr(t).diff() < 0).all()
    whole = {"preserving": alpha**2 + sigma**2, "exploding": alpha, "linear": alpha + sigma}[schedule.scaling]
    torch.testing.assert_close(whole, torch.ones_like(t))


@schedule_cases
def test_times(schedule):
    for spacing in ("time", "log_snr"):
        times = schedule.times(10, spacing)
        assert len(times) == 11 and times[0] == 1 and times[-1] == schedule.t_min and (times.diff() < 0).all()
        even = times if spacing == "time" else schedule.log_snr(times)
        torch.testing.assert_close(even.diff(), even.diff().mean().expand(10), rtol=1e-7, atol=0)
    t = interior(schedule)
    torch.testing.assert_close(schedule.time_of(schedule.log_snr(t)), t, rtol=1e-9, atol=1e-9)


@schedule_cases
def test_a_schedule_is_what_it_describes(schedule):
    t = interior(schedule)
    again = schedule_from(schedule.describe())
    assert again.scaling == schedule.scaling and torch.equal(again.log_snr(t), schedule.log_snr(t))


@pytest.mark.parametrize("kind", SCHEDULES.values(), ids=SCHEDULES)
@pytest.mark.parametrize("n_sites", [16, 1024, 128**2])
def test_terminal_noise_drowns_the_whole_lattice(kind, n_sites):
    snr = torch.exp(kind.for_size(n_sites).log_snr(1.0))
    assert float(n_sites * snr) == pytest.approx(schedules.TERMINAL_SIGNAL, rel=1e-9)


def test_the_usual_linear_beta_ends_too_early_for_large_lattices():
    assert 4096 * math.exp(LinearBeta().log_snr(1.0)) > 0.1


def test_straight_lines():
    """α = 1 - t, σ = t: f = -1/(1 - t), g² = 2t/(1 - t)."""
    line = Interpolation(min_log_snr=-80, max_log_snr=80)
    t = interior(line)
    torch.testing.assert_close(line.alpha(t), 1 - t)
    torch.testing.assert_close(line.drift(t), -1 / (1 - t))
    torch.testing.assert_close(line.diffusion_squared(t), 2 * t / (1 - t))


MISTAKES = {
    "order": (lambda: LogLinear(2.0, -2.0), r"min_log_snr < max_log_snr, finite; got 2\.0 and -2\.0"),
    "scaling": (lambda: Cosine(scaling="half"), "scaling='half' is unknown; choose one of: preserving"),
    "beta": (lambda: LinearBeta(2.0, 1.0), "got 2.0 and 1.0"),
    "t_min": (lambda: LinearBeta(t_min=0.0), "t_min must be in"),
    "sigma": (lambda: EDM(sigma_min=0.0), "0 < sigma_min"),
    "rho": (lambda: EDM(rho=-1.0), "rho must be finite and > 0; got -1.0"),
    "sites": (lambda: terminal_log_snr(0), "n_sites must be >= 1; got 0"),
    "signal": (lambda: terminal_log_snr(4, 2.0), r"in \(0, 1\); got 2.0"),
    "steps": (lambda: LogLinear().times(0), "n_steps must be >= 1; got 0"),
    "spacing": (lambda: LogLinear().times(3, "even"), "spacing='even' is unknown"),
    "kind": (lambda: schedule_from({"kind": "Square"}), "schedule 'Square' is unknown"),
    "temperature": (lambda: Sigmoid(temperature=0.0), "temperature must be finite and > 0; got 0.0"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_named(mistake):
    make, message = MISTAKES[mistake]
    with pytest.raises(ValueError, match=message):
        make()
