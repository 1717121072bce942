# SPDX-License-Identifier: BSD-3-Clause
"""Noised density, score and denoiser against naive sums, finite differences and closed forms."""

from __future__ import annotations

import itertools
import math
import tracemalloc

import numpy as np
import pytest
from scipy.special import logsumexp

from spinodal.exact import all_states, boltzmann, denoiser, enumerate_ising, noised_log_density, noised_score


def naive(x, alpha, sigma, shape, temperature, J, h):
    """Return log p(x) and E[s | x] of one configuration by the definition, one term a state."""
    states = all_states(shape).reshape(-1, x.size).astype(float)
    axes = tuple(range(1, 1 + len(shape)))
    lattice = states.reshape(-1, *shape)
    bonds = sum((lattice * np.roll(lattice, 1, axis)).sum(axis=axes) for axis in axes)
    log_prior = (J * bonds + h * states.sum(axis=1)) / temperature
    log_prior -= logsumexp(log_prior)
    distance = ((x.ravel() - alpha * states) ** 2).sum(axis=1)
    terms = log_prior - distance / (2 * sigma**2) - x.size / 2 * np.log(2 * np.pi * sigma**2)
    posterior = np.exp(terms - logsumexp(terms))
    return logsumexp(terms), (posterior @ states).reshape(x.shape)


CASES = [(1.0, 0.5, 2.269, 1.0, 0.0), (0.6, 0.8, 1.5, 1.0, 0.2), (-0.9, 0.4, 3.0, -1.0, 0.5), (0.0, 1.3, 2.0, 1.0, 0.1)]


@pytest.mark.parametrize("shape", [(2, 2), (2, 3), (3, 3), (4, 4), (2, 2, 2), (2, 2, 3)])
@pytest.mark.parametrize(("alpha", "sigma", "temperature", "J", "h"), CASES)
def test_equals_naive_sum(shape, alpha, sigma, temperature, J, h):
    x = np.random.default_rng(1).normal(size=(3, *shape))
    arguments = (alpha, sigma, shape, temperature, J, h)
    density, mean, score = noised_log_density(x, *arguments), denoiser(x, *arguments), noised_score(x, *arguments)
    assert density.shape == (3,)
    assert mean.shape == score.shape == x.shape
    for i in range(3):
        log_p, expected = naive(x[i], alpha, sigma, shape, temperature, J, h)
        assert density[i] == pytest.approx(log_p, rel=1e-12)
        np.testing.assert_allclose(mean[i], expected, rtol=0, atol=1e-13)
        np.testing.assert_allclose(score[i], (alpha * expected - x[i]) / sigma**2, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("sigma", [0.02, 0.05])
def test_contradicting_prior_and_noise_do_not_underflow(sigma):
    """At T = 0.05 a checkerboard has prior e^-1280; at small noise it is nevertheless what x says."""
    checkerboard = np.indices((4, 4)).sum(axis=0) % 2 * 2.0 - 1
    x = np.stack([checkerboard + 0.01 * np.arange(16).reshape(4, 4) * sigma, np.full((4, 4), 0.9), checkerboard * 0.02])
    density, mean = (f(x, 1.0, sigma, 4, 0.05) for f in (noised_log_density, denoiser))
    for i in range(3):
        log_p, expected = naive(x[i], 1.0, sigma, (4, 4), 0.05, 1.0, 0.0)
        assert density[i] == pytest.approx(log_p, rel=1e-12)
        np.testing.assert_allclose(mean[i], expected, rtol=0, atol=1e-11)
    np.testing.assert_array_equal(np.sign(mean[0]), checkerboard if sigma == 0.02 else np.sign(mean[0]))


def test_tiny_noise_is_exact():
    spins = np.array([[1.0, -1.0], [1.0, 1.0]])
    epsilon = np.array([[0.3, -0.5], [1.1, 0.2]])
    for sigma in (1e-3, 1e-8, 1e-20):
        x = spins + (sigma * epsilon if sigma > 1e-10 else 0)
        expected = np.log(boltzmann(2, 2.0)[0b1101]) - 4 * np.log(sigma * np.sqrt(2 * np.pi))
        expected -= (((x - spins) / sigma) ** 2).sum() / 2
        assert noised_log_density(x, 1.0, sigma, 2, 2.0) == pytest.approx(expected, rel=1e-13)
        np.testing.assert_array_equal(denoiser(x, 1.0, sigma, 2, 2.0), spins)


@pytest.mark.parametrize(("alpha", "sigma", "temperature", "J", "h"), CASES)
def test_score_is_the_gradient_of_the_log_density(alpha, sigma, temperature, J, h):
    shape, step = (4, 4), 1e-3
    x = np.random.default_rng(2).normal(size=shape)
    shifts = step * np.eye(16).reshape(16, 4, 4)
    at = {k: noised_log_density(x + k * shifts, alpha, sigma, shape, temperature, J, h) for k in (-2, -1, 1, 2)}
    gradient = ((8 * (at[1] - at[-1]) - (at[2] - at[-2])) / (12 * step)).reshape(shape)
    np.testing.assert_allclose(noised_score(x, alpha, sigma, shape, temperature, J, h), gradient, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("h", [0.0, 0.7, -0.2])
def test_without_coupling_spins_are_independent(h):
    x = np.random.default_rng(3).normal(scale=2, size=(2, 5, 4, 4))
    alpha, sigma, temperature = 0.8, 0.6, 1.7
    expected = np.tanh(alpha * x / sigma**2 + h / temperature)
    np.testing.assert_allclose(denoiser(x, alpha, sigma, (4, 4), temperature, 0.0, h), expected, rtol=0, atol=1e-14)
    site = np.logaddexp(
        h / temperature - (x - alpha) ** 2 / (2 * sigma**2), -h / temperature - (x + alpha) ** 2 / (2 * sigma**2)
    ) - np.log(2 * np.cosh(h / temperature) * sigma * np.sqrt(2 * np.pi))
    density = noised_log_density(x, alpha, sigma, (4, 4), temperature, 0.0, h)
    assert density.shape == (2, 5)
    np.testing.assert_allclose(density, site.sum(axis=(-2, -1)), rtol=1e-13)


def test_density_is_normalised():
    """Gauss-Hermite in four dimensions: ∫ p = 1, and the mean of x² per site is α² + σ²."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(20)
    alpha, sigma, width = 0.5, 1.0, 1.2
    x = width * np.array(list(itertools.product(nodes, repeat=4)))
    log_w = np.log(np.array(list(itertools.product(weights, repeat=4)))).sum(axis=1) + (x**2).sum(axis=1) / (
        2 * width**2
    )
    p = np.exp(noised_log_density(x.reshape(-1, 2, 2), alpha, sigma, 2, 2.0) + log_w) * width**4
    assert p.sum() == pytest.approx(1.0, rel=1e-8)
    assert p @ (x[:, 0] ** 2) == pytest.approx(alpha**2 + sigma**2, rel=1e-7)
    bond = (enumerate_ising(2).energy(2.0) / -8) * alpha**2  # ⟨s s'⟩ of neighbours
    assert p @ (x[:, 0] * x[:, 1]) == pytest.approx(bond, rel=1e-7)


def test_symmetries():
    x = np.random.default_rng(4).normal(size=(3, 4))
    arguments = (0.7, 0.9, (3, 4), 2.0)
    score = noised_score(x, *arguments)
    np.testing.assert_allclose(noised_score(-x, *arguments), -score, rtol=0, atol=1e-13)
    shifted = noised_score(np.roll(x, (1, 2), (0, 1)), *arguments)
    np.testing.assert_allclose(shifted, np.roll(score, (1, 2), (0, 1)), rtol=0, atol=1e-13)
    flipped = noised_score(x, -0.7, 0.9, (3, 4), 2.0)
    np.testing.assert_allclose(flipped, score, rtol=0, atol=1e-13)
    with_field = noised_score(-x, *arguments, 1.0, -0.3)
    np.testing.assert_allclose(with_field, -noised_score(x, *arguments, 1.0, 0.3), rtol=0, atol=1e-13)


def test_limits_of_noise_and_temperature():
    x = np.random.default_rng(5).normal(size=(4, 4))
    np.testing.assert_allclose(noised_score(x, 1.0, 1e4, 4, 2.269) * 1e8, -x, atol=1e-6)
    field = enumerate_ising(4, 1.0, 0.3)
    np.testing.assert_allclose(denoiser(x, 1.0, 1e6, 4, 3.0, 1.0, 0.3), field.magnetization(3.0), rtol=1e-9)
    np.testing.assert_allclose(denoiser(x, 1.0, 0.5, 4, 1e9), np.tanh(4 * x), atol=1e-7)
    total = np.tanh(x.sum() / 2.0**2)  # T → 0: all spins as one
    np.testing.assert_allclose(denoiser(x, 1.0, 2.0, 4, 0.05), total, rtol=1e-12)


def test_noise_levels_per_configuration():
    x = np.random.default_rng(6).normal(size=(3, 2, 2, 3))
    alpha, sigma = np.array([0.2, 0.9]), np.array([[1.0], [0.5], [0.1]])
    density, score = (f(x, alpha, sigma, (2, 3), 2.0) for f in (noised_log_density, noised_score))
    for i, j in itertools.product(range(3), range(2)):
        one = (x[i, j], alpha[j], sigma[i, 0], (2, 3), 2.0)
        assert density[i, j] == pytest.approx(float(noised_log_density(*one)), rel=1e-14)
        np.testing.assert_allclose(score[i, j], noised_score(*one), rtol=1e-12)


def test_batches_of_any_size_in_bounded_memory():
    x = np.random.default_rng(7).normal(size=(9000, 4, 4))
    arguments = (0.7, 0.05, 4, 0.05)  # many rows take the logarithmic path
    tracemalloc.start()
    mean = denoiser(x[:150], *arguments)
    score = noised_score(x, 0.7, 0.6, 4, 2.269)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100e6  # 150 configurations × 2^16 states in float64 alone would be 79 MB an array
    np.testing.assert_allclose(mean[137], denoiser(x[137], *arguments), rtol=0, atol=1e-13)
    np.testing.assert_allclose(score[8765], noised_score(x[8765], 0.7, 0.6, 4, 2.269), rtol=1e-10, atol=1e-12)
    assert noised_score(np.zeros((0, 4, 4)), 1.0, 1.0, 4, 2.0).shape == (0, 4, 4)
    assert noised_log_density(np.zeros((5, 4)), 1.0, 1.0, (5, 4), 2.0).shape == ()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros((3, 3)), 1.0, 1.0, (4, 4), 2.0), r"x must have shape \(\.\.\., 4, 4\), got \(3, 3\)"),
        ((np.zeros(4), 1.0, 1.0, 2, 2.0), r"x must have shape \(\.\.\., 2, 2\), got \(4,\)"),
        ((np.zeros((5, 5)), 1.0, 1.0, 5, 2.0), "at most 20 sites"),
        ((np.full((2, 2), np.nan), 1.0, 1.0, 2, 2.0), "x must be finite, got nan"),
        ((np.zeros((2, 2)), 1.0, 0.0, 2, 2.0), r"sigma must be in \[1e-100, 1e\+100\], got 0\.0"),
        ((np.zeros((2, 2)), np.inf, 1.0, 2, 2.0), "alpha must be finite, got inf"),
        ((np.zeros((3, 2, 2)), np.ones(2), 1.0, 2, 2.0), r"alpha of shape \(2,\) does not broadcast"),
        ((np.zeros((2, 2)), 1.0, 1.0, 2, 0.0), "temperature must be finite and > 0"),
        ((np.zeros((2, 2)), 1.0, 1.0, 2, 1.0, np.inf), "J must be finite, got inf"),
        ((np.zeros((2, 2)), 1.0, 1.0, 2, 1.0, 1.0, np.nan), "h must be finite, got nan"),
    ],
)
def test_bad_input(arguments, message):
    for function in (noised_log_density, noised_score, denoiser):
        with pytest.raises(ValueError, match=message):
            function(*arguments)


def test_score_has_zero_mean_and_fisher_identity():
    """E[score] = 0 and E[x · score] = -N over samples of p, within five standard errors."""
    rng = np.random.default_rng(8)
    states, p = all_states(4), boltzmann(4, 2.269)
    n, alpha, sigma = 10000, 0.8, 0.7
    x = alpha * states[rng.choice(len(p), size=n, p=p)] + sigma * rng.normal(size=(n, 4, 4))
    score = noised_score(x, alpha, sigma, 4, 2.269)
    bound = 5 / math.sqrt(n)
    assert np.abs(score.mean(axis=0)).max() < bound * score.std()
    stein = (x * score).sum(axis=(1, 2))
    assert abs(stein.mean() + 16) < bound * stein.std()
