# SPDX-License-Identifier: BSD-3-Clause
"""The process's operators against dense float64 answers, its identities, its laws, and its traps."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

import spinodal as sp
from physics.graph_cases import NAMES, graph, methods
from reference import graph as reference

GAMMA, LAM, Q = 1.3, 0.07, 0.8
RNG = np.random.default_rng


def dense(process, tau, power=1.0):
    """Σ^power, dense."""
    sigma = reference.covariance(process.laplacian.dense(), tau, process.gamma, process.lam, process.q)
    values, vectors = np.linalg.eigh(sigma)
    return (vectors * values**power) @ vectors.T


def phi(process, tau):
    return reference.transition(process.laplacian.dense(), tau, process.gamma, process.lam)


def made(name, method="auto", **options):
    options = {"gamma": GAMMA, "lam": LAM, "q": Q, **options}
    return sp.GraphProcess(graph(name), method=method, **options)


def close(got, want, tolerance):
    assert np.linalg.norm(got - want) <= tolerance * np.linalg.norm(want)


# Times for which τ λ_max runs over ten decades, on a schedule of constant rate.
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("x_max", [1e-6, 1e-2, 1.0, 30.0, 1e3, 1e4])
def test_operators_are_those_of_dense_algebra(name, x_max):
    laplacian = graph(name)
    tau = x_max / (GAMMA * laplacian.lmax)
    rate = {"schedule": lambda t: np.full_like(t, tau)}
    v = RNG(1).normal(size=(laplacian.n_nodes, 4))
    for method in methods(laplacian):
        process = made(name, method, tol=1e-9, **rate)
        for operator, want in [
            (process.transition, phi(process, tau)),
            (process.covariance, dense(process, tau)),
            (process.sqrt_covariance, dense(process, tau, 0.5)),
            (process.whiten, dense(process, tau, -0.5)),
            (process.precision, dense(process, tau, -1.0)),
        ]:
            got, info = operator(1.0, v, info=True)
            assert info.method == method
            want_v = want @ v
            error = np.linalg.norm(got - want_v) / (np.linalg.norm(want) / math.sqrt(len(v)) * np.linalg.norm(v))
            # The dense answer itself is good to some units of its largest value.
            worst = np.linalg.norm(want, 2) / (np.linalg.norm(want) / math.sqrt(len(v)))
            assert error <= 1.1e-9 + 1e-12 * worst, (method, operator.__name__, error)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("method", ["auto", "chebyshev"])
def test_single_precision_keeps_its_bound(name, method):
    process = made(name, method)
    v = RNG(2).normal(size=(5, process.laplacian.n_nodes, 3)).astype(np.float32)
    for t in (0.01, 0.3, 1.0):
        tau = process.tau(t)
        for operator, want in [
            (process.transition, phi(process, tau)),
            (process.sqrt_covariance, dense(process, tau, 0.5)),
            (process.whiten, dense(process, tau, -0.5)),
        ]:
            got, info = operator(t, v, info=True)
            assert got.dtype == np.float32
            exact = want @ v.astype(float)
            error = np.linalg.norm(got - exact) / np.linalg.norm(exact)
            assert error < max(4 * info.error_bound, 3e-7), (operator.__name__, t, info, error)


@pytest.mark.parametrize("method", ["chebyshev", "grid", "fft", "dense"])
def test_a_time_for_each_field_and_each_column(method):
    process = made("grid", method, tol=1e-10)
    t = np.array([0.02, 0.5, 0.9])
    v = RNG(3).normal(size=(3, 108, 2))
    for operator, at in [
        (process.transition, phi),
        (process.sqrt_covariance, lambda p, tau: dense(p, tau, 0.5)),
    ]:
        want = np.stack([at(process, process.tau(s)) @ f for s, f in zip(t, v, strict=True)])
        close(operator(t, v), want, 1e-9)
        columns = np.ascontiguousarray(v[:, :, 0].T)
        close(operator(t, columns), np.ascontiguousarray(want[:, :, 0].T), 1e-9)
    eps = RNG(4).normal(size=v.shape)
    close(process.marginal_sample(t, v, eps), process.transition(t, v) + process.sqrt_covariance(t, eps), 1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_identities(name):
    process = made(name, tol=1e-10)
    v = RNG(5).normal(size=(process.laplacian.n_nodes, 3))
    s, t = 0.2, 0.6
    close(process.sqrt_covariance(t, process.sqrt_covariance(t, v)), process.covariance(t, v), 1e-8)
    close(process.transition(t, process.transition(s, v), s), process.transition(t, v), 1e-8)
    close(process.whiten(t, process.sqrt_covariance(t, v)), v, 1e-8)
    close(process.precision(t, process.covariance(t, v)), v, 1e-8)
    # Σ_t = Φ_{t|s} Σ_s Φ_{t|s} + Σ_{t|s}.
    inside = process.transition(t, process.covariance(s, process.transition(t, v, s)), s)
    close(inside + process.covariance(t, v, s), process.covariance(t, v), 1e-8)
    # Lyapunov: Σ A + A Σ = q (1 − Φ²), Σ and A commuting.
    a_v = process.gamma * (process.laplacian @ v) + process.lam * v
    right = process.q * (v - process.transition(t, process.transition(t, v)))
    close(2 * process.covariance(t, a_v), right, 1e-8)


def test_whitened_score_posterior_and_step():
    process = made("random", tol=1e-11)
    n, s, t = 90, 0.15, 0.4
    S0, eps, S = (RNG(i).normal(size=(n, 2)) for i in (6, 7, 8))
    St = process.marginal_sample(t, S0, eps)
    close(process.score(t, St, S0), process.score_from_eps(t, eps), 1e-7)
    close(process.score(t, S, S0), -dense(process, process.tau(t), -1) @ (S - phi(process, process.tau(t)) @ S0), 1e-8)
    # The joint law of (S_s, S_t) given S₀, conditioned.
    tau_s, tau_t = process.tau(s), process.tau(t)
    sigma_s, sigma_t, step = dense(process, tau_s), dense(process, tau_t), phi(process, tau_t - tau_s)
    gain = sigma_s @ step @ np.linalg.inv(sigma_t)
    mean = phi(process, tau_s) @ S0 + gain @ (S - phi(process, tau_t) @ S0)
    covariance = sigma_s - gain @ step @ sigma_s
    posterior = process.posterior(s, t, S, S0, eps)
    close(posterior.mean, mean, 1e-8)
    close(process.posterior_covariance(s, t, S), covariance @ S, 1e-7)
    noise = posterior.sample - posterior.mean
    values, vectors = np.linalg.eigh(covariance)
    close(noise, (vectors * np.sqrt(values)) @ (vectors.T @ eps), 1e-7)
    # Zero steps, and the step that keeps ε.
    close(process.deterministic_step(s, t, St, S0), process.marginal_sample(s, S0, eps), 1e-7)
    assert process.posterior(s, t, S, S0).sample is None
    start = process.posterior(0.0, t, S, S0)
    close(start.mean, S0, 1e-8)


@pytest.mark.parametrize("name", ["grid", "molecules", "weighted_disconnected"])
def test_log_determinants_of_known_spectra(name):
    process = made(name)
    for t in (1e-4, 0.3, 1.0):
        value, stderr = process.logdet_covariance(t)
        assert stderr == 0
        assert value == pytest.approx(np.linalg.slogdet(dense(process, process.tau(t)))[1], rel=1e-9)


def test_log_determinants_by_quadrature_have_a_standard_error():
    matrix = reference.random_laplacian(900, 8.0, 9, False)
    process = sp.GraphProcess(sp.graph_laplacian(np.diag(np.diag(matrix)) - matrix))
    for t in (0.1, 0.5, 1.0):
        value, stderr = process.logdet_covariance(t)
        exact = np.linalg.slogdet(dense(process, process.tau(t)))[1]
        assert 0 < stderr < 0.02 * abs(exact)
        assert abs(value - exact) < 5 * stderr


def chi_squares(process, t, S, S0):
    """(n,) Σ_i z_i² of each field's residual, whitened by dense algebra: χ² with N degrees if the law is right."""
    residual = S - phi(process, process.tau(t)) @ S0
    z = dense(process, process.tau(t), -0.5) @ residual
    return (z**2).sum(axis=0)


@pytest.mark.parametrize("name", ["torus", "molecules", "weighted"])
def test_samples_have_the_covariance(name):
    process = made(name, schedule="cosine")
    n, n_fields, t = process.laplacian.n_nodes, 600, 0.45
    S0, eps = (RNG(i).normal(size=(n, n_fields)) for i in (10, 11))
    S = process.marginal_sample(t, S0, eps)

    def p_value(samples):
        total = chi_squares(process, t, samples, S0).sum()
        return 2 * min(scipy.stats.chi2.cdf(total, n * n_fields), scipy.stats.chi2.sf(total, n * n_fields))

    assert p_value(S) > 1e-6
    # The canary: noise three per cent too strong.
    assert p_value(S + 0.03 * process.sqrt_covariance(t, eps)) < 1e-6


def test_stationary_fields():
    process = made("random")
    field = process.stationary()
    a = GAMMA * process.laplacian.dense() + LAM * np.eye(90)
    x = RNG(12).normal(size=(3, 90))
    np.testing.assert_allclose(field.energy(x), np.einsum("bi,ij,bj->b", x, a, x) / Q, rtol=1e-10)
    np.testing.assert_allclose(field.score(x), -2 * x @ a / Q, rtol=1e-9, atol=1e-9)
    close(field.covariance(x.T), Q / 2 * np.linalg.solve(a, x.T), 1e-6)
    draws = field.sample(500, seed=1)
    energy = field.energy(draws)  # of N/2 on average, variance N/2
    assert abs(energy.mean() - 45) < 5 * math.sqrt(45 / 500)
    # What the process tends to.
    close(
        process.covariance(1.0, x.T),
        Q / 2 * (np.eye(90) - phi(process, 2 * process.tau(1.0))) @ np.linalg.solve(a, x.T),
        1e-5,
    )


def test_conditioned_fields_are_those_of_dense_algebra():
    process = made("grid")
    field = process.stationary()
    n, rng = 108, RNG(13)
    mask = rng.random(n) < 0.3
    values = rng.normal(size=(int(mask.sum()), 2))
    conditioned = process.condition(mask, values)
    covariance = Q / 2 * np.linalg.inv(GAMMA * process.laplacian.dense() + LAM * np.eye(n))
    gain = covariance[:, mask] @ np.linalg.inv(covariance[np.ix_(mask, mask)])
    close(conditioned.mean, gain @ values, 1e-8)
    rest = covariance - gain @ covariance[mask]
    draws = conditioned.sample(800, seed=2)
    np.testing.assert_array_equal(draws[:, mask], np.broadcast_to(values, (800, *values.shape)))
    unknown = rest[np.ix_(~mask, ~mask)]
    residual = (draws - conditioned.mean)[:, ~mask].transpose(1, 0, 2).reshape(len(unknown), -1)
    total = (residual * np.linalg.solve(unknown, residual)).sum()
    assert 1e-6 < scipy.stats.chi2.cdf(total, residual.size) < 1 - 1e-6
    assert field.condition(mask, values[:, 0]).sample(2, seed=0).shape == (2, n)


def test_schedules():
    linear, cosine = sp.GraphProcess(graph("path")), sp.GraphProcess(graph("path"), schedule="cosine")
    assert linear.tau(1.0) == pytest.approx(10.05)
    assert cosine.tau(1.0) == pytest.approx(19.84, abs=5e-3)
    assert cosine.tau(0.0) == linear.tau(0.0) == 0.0
    assert np.shape(linear.tau(np.linspace(0, 1, 7))) == (7,)
    for process in (linear, cosine, sp.GraphProcess(graph("path"), schedule=lambda t: 3 + np.sin(9 * t))):
        for t in (0.013, 0.4, 0.9995):
            middles = t * (np.arange(200_000) + 0.5) / 200_000
            assert process.tau(t) == pytest.approx(t * process.schedule.beta(middles).mean(), rel=1e-3)
    with pytest.raises(ValueError, match="finite and >= 0"):
        sp.GraphProcess(graph("path"), schedule=lambda t: 1 - 3 * t)


class TestTraps:
    def test_null_modes(self):
        process = made("disconnected", lam=0.0)
        laplacian = process.laplacian
        mode = (laplacian.components == 1).astype(float)
        close(process.transition(0.7, mode), mode, 1e-9)
        close(process.covariance(0.7, mode), Q * process.tau(0.7) * mode, 1e-6)
        with pytest.raises(ValueError, match=f"{laplacian.n_components} null mode"):
            process.stationary()
        field = process.stationary(project=True)
        draws = field.sample(3, seed=0)
        close(laplacian.remove_null(draws.T), draws.T, 1e-10)
        a = GAMMA * laplacian.dense()
        v = RNG(0).normal(size=(90, 2))
        close(field.covariance(v), Q / 2 * np.linalg.pinv(a, rcond=1e-10, hermitian=True) @ v, 1e-8)

    def test_a_bound_too_low_would_diverge(self):
        laplacian = graph("random")
        v = RNG(1).normal(size=90)
        low = sp.kernels.chebyshev_filter(laplacian, v, 0.9 ** np.arange(200), 0.8 * laplacian.lmax)
        assert np.abs(low).max() > 1e6
        assert laplacian.lmax >= laplacian.spectrum[-1]

    def test_explicit_euler(self):
        """The variance's error at τ = 10.05 by the linear schedule of 1000 steps, as the mode λ has it."""
        betas = np.linspace(1e-4, 2e-2, 1000)
        for top, want in [(8.0, 0.087), (24.0, 0.316)]:
            # A pair of nodes of weight w has eigenvalue 2w.
            explicit = sp.precompute_phi_sigma_explicit(sp.graph_laplacian([[0, 1]], [top / 2]), betas, lam=1e-9)
            assert explicit.variance_error == pytest.approx(want, abs=5e-4), top
            assert explicit.transition.shape == (1001, 2, 2)
        for top in (100.0, 150.0):  # wrong by factors of 81 and 1e114
            with pytest.raises(ValueError, match="stable for beta·lmax"):
                sp.precompute_phi_sigma_explicit(sp.graph_laplacian([[0, 1]], [top / 2]), betas)
        fine = sp.precompute_phi_sigma_explicit(graph("path"), np.full(4000, 0.5 / 4000))
        process = sp.GraphProcess(graph("path"), schedule=lambda t: np.full_like(t, 0.5))
        close(fine.covariance[-1], dense(process, 0.5), 2e-3)
        close(fine.transition[-1], phi(process, 0.5), 2e-3)

    def test_no_noise_no_whitening(self):
        process, v = made("grid"), np.ones(108)
        assert not process.covariance(0.0, v).any()
        np.testing.assert_allclose(process.transition(0.0, v), v, rtol=1e-12)
        np.testing.assert_allclose(process.marginal_sample(0.0, v, v), v, rtol=1e-12)
        for name in ("whiten", "precision", "logdet_covariance"):
            with pytest.raises(ValueError, match=f"{name} needs tau > 0"):
                getattr(process, name)(0.0, *([v] if name != "logdet_covariance" else []))
        for call in (lambda: process.score(0.0, v, v), lambda: process.posterior(0.3, 0.3, v, v)):
            with pytest.raises(ValueError, match="tau > 0"):
                call()

    @pytest.mark.parametrize("name", ["torus", "grid"])
    def test_each_boundary_has_its_own_transform(self, name):
        v = RNG(2).normal(size=(graph(name).n_nodes, 2))
        want = phi(made(name), made(name).tau(0.3)) @ v
        for method in ("grid", "fft"):
            close(made(name, method).transition(0.3, v), want, 1e-12)


def test_diagonal_mode_says_what_it_leaves_out():
    process = made("grid", covariance="diagonal")
    tau = process.tau(0.5)
    sigma = dense(process, tau)
    np.testing.assert_allclose(process.diagonal(0.5), np.diag(sigma), rtol=1e-9)
    want = np.linalg.norm(sigma - np.diag(np.diag(sigma))) / np.linalg.norm(sigma)
    assert process.diagonal_error(0.5) == pytest.approx(want, rel=1e-6)
    S0, eps = (RNG(i).normal(size=(2, 108, 3)) for i in (1, 2))
    want = phi(process, tau) @ S0 + np.sqrt(np.diag(sigma))[:, None] * eps
    close(process.marginal_sample(0.5, S0, eps), want, 1e-8)


def test_the_original_names():
    process = sp.GraphProcess(graph("grid"), lam=0.2)
    indptr, indices, data = sp.build_A_node(process.laplacian, 1.0, 0.2)
    rows = np.repeat(np.arange(108), np.diff(indptr))
    a = np.zeros((108, 108))
    a[rows, indices] = data
    np.testing.assert_allclose(a, process.laplacian.dense() + 0.2 * np.eye(108))
    S0, eps = (RNG(i).normal(size=(4, 108, 3)) for i in (1, 2))
    t = np.array([0.01, 0.02, 0.05, 0.1])
    S = sp.forward_noising_batch(process, S0, t, eps)
    close(S, process.marginal_sample(t, S0, eps), 1e-12)
    close(sp.apply_Phi_node_batch(process, S0, t), process.transition(t, S0), 1e-12)
    close(sp.reconstruct_from_noise(process, S, t, eps), S0, 1e-3)
    with pytest.raises(ValueError, match="would amplify"):
        sp.reconstruct_from_noise(process, S, 1.0, eps)


def test_stiff_graphs_by_factorization():
    process = made("weighted", "rational", tol=1e-8, schedule=lambda t: np.full_like(t, 300.0))
    v = RNG(3).normal(size=(90, 2))
    for operator, want in [
        (process.transition, phi(process, 300.0)),
        (process.sqrt_covariance, dense(process, 300.0, 0.5)),
    ]:
        got, info = operator(1.0, v, info=True)
        assert (info.method, info.n_terms > 4) == ("rational", True)
        close(got, want @ v, 1e-6)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"gamma": 0.0}, "gamma must be finite and > 0"),
        ({"lam": -0.1}, "lam must be finite and >= 0"),
        ({"q": math.inf}, "q must be finite"),
        ({"schedule": "exponential"}, "schedule='exponential' is unknown"),
        ({"method": "magic"}, "method='magic' is unknown"),
        ({"method": "grid"}, "is for grids"),
        ({"tol": 0.0}, "tol must be"),
        ({"covariance": "none"}, "covariance must be"),
    ],
)
def test_parameters_that_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        sp.GraphProcess(graph("random"), **options)


def test_arguments_that_are_refused():
    process, v = made("grid"), np.ones((2, 108, 3))
    for call, words in [
        (lambda: process.transition(1.1, v), r"t must be in \[0, 1\]"),
        (lambda: process.transition(math.nan, v), r"t must be in"),
        (lambda: process.transition(0.2, v, 0.3), "s must be <= t"),
        (lambda: process.transition(np.array([0.1, 0.2, 0.3]), v), "one time or 2"),
        (lambda: process.transition(0.5, np.ones(107)), "107 nodes; the graph has 108"),
        (lambda: process.marginal_sample(0.5, v, v[:1]), "one shape"),
        (lambda: made("grid", tol=1e-9).transition(0.5, v.astype(np.float32)), "float32 cannot meet"),
        (lambda: process.condition(np.ones(3, dtype=bool), [1.0]), "mask must be bool"),
        (lambda: process.condition(np.arange(108) < 2, [1.0]), "2 nodes are known"),
    ]:
        with pytest.raises(ValueError, match=words):
            call()
    with pytest.raises(TypeError, match="must be a Laplacian"):
        sp.GraphProcess(np.eye(3))
