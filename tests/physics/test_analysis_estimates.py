# SPDX-License-Identifier: BSD-3-Clause
"""Error bars against autoregressive chains whose autocorrelation is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from physics.analysis_truth import ar1, ar1_tau
from spinodal.analysis import (
    Estimate,
    autocorrelation,
    blocking,
    classic_r_hat,
    ess,
    estimate,
    jackknife,
    pareto_k,
    r_hat,
    tau_int,
    weight_diagnostics,
)

REGIMES = {
    "one long chain": (0.9, 1, 20_000),
    "four chains": (0.9, 4, 2_000),
    "256 short chains": (0.5, 256, 20),
    "256 chains as long as their correlations": (0.95, 256, 20),
    "a draw a chain": (0.0, 1_000, 1),
    "alternating": (-0.5, 4, 500),
}
N_REPLICAS = 150


def replicas(seed: int, rho: float, shape: tuple[int, int], n_replicas: int) -> np.ndarray:
    chains = ar1(np.random.default_rng(seed), rho, (n_replicas * shape[0], shape[1]))
    return chains.reshape(n_replicas, *shape)


def z_variance(error_of, rho, shape, n_replicas=N_REPLICAS) -> float:
    z = [x.mean() / error_of(x) for x in replicas(20, rho, shape, n_replicas)]
    return float(np.mean(np.square(z)))


def naive_error(x: np.ndarray) -> float:
    return float(x.std() / np.sqrt(x.size))


def assert_unit_variance(value: float, n_replicas: int = N_REPLICAS) -> None:
    # z² has mean 1 and variance 2; a finite chain's error bar is itself uncertain, hence the further 10 %.
    assert abs(value - 1.0) < 4.0 * math.sqrt(2.0 / n_replicas) + 0.1


@pytest.mark.parametrize("regime", REGIMES)
def test_errors_cover_the_truth(regime):
    rho, *shape = REGIMES[regime]
    assert_unit_variance(z_variance(lambda x: estimate(x).stderr, rho, tuple(shape)))


@pytest.mark.parametrize("regime", ["one long chain", "256 short chains", "256 chains as long as their correlations"])
def test_an_error_bar_that_ignores_autocorrelation_fails_the_same_test(regime):
    rho, *shape = REGIMES[regime]
    with pytest.raises(AssertionError):
        assert_unit_variance(z_variance(naive_error, rho, tuple(shape)))


@pytest.mark.parametrize("error_of", [lambda x: blocking(x).estimate.stderr, lambda x: jackknife(float, x).stderr])
@pytest.mark.parametrize("regime", ["four chains", "256 short chains"])
def test_blocking_and_jackknife_cover_the_truth(regime, error_of):
    rho, *shape = REGIMES[regime]
    assert_unit_variance(z_variance(error_of, rho, tuple(shape), 100), 100)


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9, 0.97])
@pytest.mark.parametrize("method", ["window", "geyer"])
def test_tau_of_autoregressive_chains(rho, method):
    found = tau_int(ar1(np.random.default_rng(1), rho, (8, 20_000)), method=method)
    assert found.reliable, found.reason
    assert float(found) == pytest.approx(ar1_tau(rho), abs=5.0 * found.stderr + 0.01)
    assert found.ess == pytest.approx(found.n / (2.0 * found.tau))
    assert found.stderr < 0.1 * found.tau


def test_tau_in_alternating_chains_is_below_one_half():
    found = tau_int(ar1(np.random.default_rng(2), -0.5, (8, 5_000)))
    assert found.tau == pytest.approx(ar1_tau(-0.5), rel=0.1)
    assert ess(ar1(np.random.default_rng(2), -0.5, (8, 5_000))) > 2 * found.n


def test_autocorrelation_is_the_direct_sum():
    x = np.random.default_rng(3).standard_normal((3, 57)).cumsum(axis=1)
    d = x - x.mean()
    direct = np.array([(d[:, : 57 - t] * d[:, t:]).mean() for t in range(57)])
    np.testing.assert_allclose(autocorrelation(x), direct / direct[0], atol=1e-12)


def test_autocorrelation_decays_as_it_should():
    rho = autocorrelation(ar1(np.random.default_rng(4), 0.8, (64, 4_000)))
    np.testing.assert_allclose(rho[:20], 0.8 ** np.arange(20), atol=0.03)


def test_an_estimate_is_consistent_with_itself():
    e = estimate(ar1(np.random.default_rng(5), 0.9, (16, 4_000)) + 3.0)
    assert e.reliable and e.reason == "" and e.n == 64_000
    assert e.ess == pytest.approx(e.n / (2.0 * e.tau_int), rel=0.02)
    assert e.stderr == pytest.approx(math.sqrt(2.0 * ar1_tau(0.9) / e.n), rel=0.15)
    assert 1.0 <= e.r_hat < 1.01
    assert float(e) == e.mean
    assert f"{e:.3f}" == f"{e.mean:.3f}"


def test_one_dimension_is_one_chain():
    x = ar1(np.random.default_rng(6), 0.5, (1, 2_000))
    assert estimate(x[0]) == estimate(x)


@pytest.mark.parametrize("shape", [(1, 4_000), (256, 20), (8, 500)])
def test_healthy_chains_are_not_flagged(shape):
    assert sum(not estimate(x).reliable for x in replicas(7, 0.5, shape, 100)) <= 1


def drifting(rng):
    return ar1(rng, 0.5, (16, 500)) + 3.0 * np.exp(-np.arange(500) / 30.0)


def stuck_apart(rng):
    return ar1(rng, 0.5, (4, 1_000)) + np.array([[0.0], [0.0], [0.0], [2.0]])


FLAWED = {
    "constant": (lambda rng: np.full((4, 100), 0.1), "equal"),
    "one draw": (lambda rng: np.ones((1, 1)), "one draw"),
    "not a number": (lambda rng: np.where(np.arange(100) == 50, np.nan, rng.standard_normal(100)), "1 of 100"),
    "infinite": (lambda rng: np.where(np.arange(100) == 50, np.inf, rng.standard_normal(100)), "1 of 100"),
    "short": (lambda rng: ar1(rng, 0.95, (1, 400)), "short"),
    "random walk": (lambda rng: rng.standard_normal((2, 1_000)).cumsum(axis=1), ""),
    "every chain frozen": (lambda rng: np.repeat(rng.standard_normal((8, 1)), 100, axis=1), "outlast"),
    "drifting": (drifting, "not stationary"),
    "one chain stuck apart": (stuck_apart, "disagree"),
    "a step in one chain": (lambda rng: rng.standard_normal(2_000) + (np.arange(2_000) > 1_000), ""),
}


@pytest.mark.parametrize("flaw", FLAWED)
def test_flawed_chains_are_flagged_and_say_why(flaw):
    make, why = FLAWED[flaw]
    found = estimate(make(np.random.default_rng(8)))
    assert not found.reliable
    assert found.reason and why in found.reason


@pytest.mark.parametrize("flaw", [f for f in FLAWED if f != "one draw"])
def test_tau_is_flagged_with_the_estimate(flaw):
    found = tau_int(FLAWED[flaw][0](np.random.default_rng(8)))
    assert not found.reliable and found.reason


def test_constant_and_broken_chains_have_no_error_bar():
    assert math.isnan(estimate(np.ones((4, 100))).stderr)
    assert estimate(np.ones((4, 100))).mean == 1.0
    assert math.isnan(estimate([1.0, np.nan, 2.0]).mean)
    assert np.isnan(autocorrelation(np.ones(10))).all()


def test_chains_that_disagree_get_the_error_of_their_disagreement():
    x = stuck_apart(np.random.default_rng(9))
    assert estimate(x).stderr >= 0.99 * x.mean(axis=1).std(ddof=1) / 2.0


@pytest.mark.parametrize("shape", [(), (2, 3, 4), (0, 5)])
def test_wrong_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="n_chains, n_draws"):
        estimate(np.zeros(shape))


def test_tau_refuses_unknown_methods():
    with pytest.raises(ValueError, match="geyer"):
        tau_int(np.arange(10.0), method="other")


def test_r_hat_against_its_definition():
    x = np.random.default_rng(10).standard_normal((4, 100)) + np.array([[0.0], [0.1], [0.2], [0.3]])
    within, between = x.var(axis=1, ddof=1).mean(), 100.0 * x.mean(axis=1).var(ddof=1)
    assert classic_r_hat(x) == pytest.approx(math.sqrt((99.0 / 100.0 * within + between / 100.0) / within))
    stats = pytest.importorskip("scipy.stats")
    halves = x.reshape(8, 50)
    bulk, folded = (
        stats.norm.ppf((stats.rankdata(v).reshape(8, 50) - 0.375) / 400.25)
        for v in (halves, np.abs(halves - np.median(x)))
    )
    assert r_hat(x) == pytest.approx(max(classic_r_hat(bulk), classic_r_hat(folded)), abs=1e-5)
    assert r_hat(np.rint(3.0 * x)) > 1.0  # ties


def test_r_hat_sees_stuck_chains_other_widths_and_drift():
    rng = np.random.default_rng(11)
    healthy = rng.standard_normal((4, 1_000))
    assert r_hat(healthy) < 1.01
    assert r_hat(healthy + np.array([[0], [0], [0], [2]])) > 1.1
    assert r_hat(healthy * np.array([[1], [1], [1], [4]])) > 1.1
    assert classic_r_hat(healthy * np.array([[1], [1], [1], [4]])) < 1.01
    assert r_hat(healthy + np.linspace(0, 3, 1_000)) > 1.1
    assert r_hat(healthy[0] + np.linspace(0, 3, 1_000)) > 1.1
    assert r_hat(np.repeat([[0.0], [1.0]], 10, axis=1)) == math.inf
    assert math.isnan(r_hat(np.ones((2, 10)))) and math.isnan(r_hat(np.ones((5, 3))))


def test_blocking_levels_off():
    found = blocking(ar1(np.random.default_rng(12), 0.9, (4, 16_384)))
    assert found.plateau is not None and found.estimate.reliable
    rising = found.stderr[: found.plateau + 1]
    assert rising[0] < 0.3 * rising[-1]
    assert rising[-1] == pytest.approx(math.sqrt(2.0 * ar1_tau(0.9) / 65_536), rel=0.2)
    assert found.lengths[:3].tolist() == [1, 2, 4] and found.lengths[-1] == 16_384


def test_blocking_says_when_it_does_not():
    found = blocking(np.random.default_rng(13).standard_normal(200).cumsum())
    assert found.plateau is None and not found.estimate.reliable and "plateau" in found.estimate.reason


@pytest.mark.parametrize("shape", [(1, 8_000), (256, 40)])
def test_jackknife_of_a_ratio_covers_the_truth(shape):
    z = []
    for x in replicas(14, 0.6, shape, 100):
        # <x²>/<(x+2)²> = 1/5
        e = jackknife(lambda a, b: a / b, x**2, (x + 2.0) ** 2)
        z.append((e.mean - 0.2) / e.stderr)
        assert e.reliable
    assert_unit_variance(float(np.var(z)), 100)
    assert abs(np.mean(z)) < 0.4


def test_jackknife_removes_the_bias_of_a_square():
    rng = np.random.default_rng(15)
    found = [jackknife(lambda a: a * a, rng.standard_normal(64), block=1) for _ in range(300)]
    assert np.mean([f.mean for f in found]) == pytest.approx(0.0, abs=4.0 * np.std([f.mean for f in found]) / 17.0)


def test_jackknife_takes_blocks_of_any_length_and_refuses_unequal_series():
    x = ar1(np.random.default_rng(16), 0.5, (3, 1_001))
    errors = [jackknife(float, x, block=b).stderr for b in (10, 33, 100)]
    np.testing.assert_allclose(errors, estimate(x).stderr, rtol=0.25)
    with pytest.raises(ValueError, match="one shape"):
        jackknife(lambda a, b: a * b, x, x[:, 1:])
    with pytest.raises(ValueError, match="at least one"):
        jackknife(float, x, block=0)
    assert not jackknife(lambda a: a / 0.0 if a > 1e9 else math.nan, x).reliable


def gaussian_weights(rng, shape, shift):
    """Draws of N(0,1) with log weights to N(shift,1)."""
    x = rng.standard_normal(shape)
    return x, shift * x - 0.5 * shift**2


@pytest.mark.parametrize("shape", [(1, 4_000), (200, 20)])
def test_weighted_estimates_hit_the_truth(shape):
    rng, z = np.random.default_rng(17), []
    for _ in range(150):
        x, logs = gaussian_weights(rng, shape, 0.5)
        e = estimate(x, logs + 1e4)
        assert e.reliable and e.weights is not None
        assert e.weights.ess / 4_000 == pytest.approx(math.exp(-0.25), rel=0.1)
        z.append((e.mean - 0.5) / e.stderr)
    assert_unit_variance(float(np.mean(np.square(z))))


def test_weighted_jackknife_hits_the_truth():
    rng, z = np.random.default_rng(18), []
    for _ in range(100):
        x, logs = gaussian_weights(rng, (4, 1_000), 0.5)
        e = jackknife(lambda a, b: b - a * a, x, x * x, log_weights=logs)
        z.append((e.mean - 1.0) / e.stderr)
    assert_unit_variance(float(np.mean(np.square(z))), 100)


def test_weights_of_autocorrelated_draws():
    z = []
    for x in replicas(19, 0.8, (4, 2_000), 100):
        e = estimate(x, 0.5 * x)
        z.append((e.mean - 0.5) / e.stderr)
    assert_unit_variance(float(np.mean(np.square(z))), 100)


def test_equal_weights_change_nothing():
    x = ar1(np.random.default_rng(20), 0.5, (4, 500))
    plain, weighted = estimate(x), estimate(x, np.full(x.shape, -3.0))
    assert weighted.mean == pytest.approx(plain.mean) and weighted.stderr == pytest.approx(plain.stderr)
    assert weighted.weights is not None and weighted.weights.ess == pytest.approx(x.size)


def test_bad_weights_are_flagged():
    x, logs = gaussian_weights(np.random.default_rng(21), (4, 500), 4.0)
    e = estimate(x, logs)
    assert not e.reliable and "weight" in e.reason
    assert not weight_diagnostics(logs).reliable
    assert not weight_diagnostics([0.0, np.nan]).reliable
    assert not estimate(x, np.full(x.shape, np.nan)).reliable
    assert not estimate(np.ones(100), np.zeros(100)).reliable
    with pytest.raises(ValueError, match="log_weights have shape"):
        estimate(x, logs[:, 1:])


@pytest.mark.parametrize("k", [0.2, 0.5, 0.9])
def test_pareto_k_of_pareto_weights(k):
    rng = np.random.default_rng(22)
    found = [pareto_k(-k * np.log(rng.random(5_000))) for _ in range(20)]
    assert np.mean(found) == pytest.approx(k, abs=0.08)


def test_pareto_k_of_tails_without_spread():
    assert pareto_k(np.zeros(100)) == -math.inf
    assert math.isnan(pareto_k(np.zeros(10)))
    assert weight_diagnostics(np.zeros(100)).reliable


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (-1.45271, 0.00031, "-1.4527(3)"),
        (1.45271, 0.0013, "1.4527(13)"),
        (1.45271, 0.00096, "1.4527(10)"),
        (1.5, 0.2, "1.5(2)"),
        (12.34, 1.23, "12.3(1.2)"),
        (12.34, 5.6, "12(6)"),
        (1234.5, 56.7, "1234(57)"),
        (0.0, 0.1, "0.00(10)"),
        (6.02e23, 1e21, "6.020(10)e+23"),
        (3.2e-9, 1.1e-10, "3.20(11)e-09"),
        (2.0, math.nan, "2(?)"),
        (math.nan, 0.1, "nan"),
    ],
)
def test_estimates_print_as_physicists_write(value, error, text):
    assert str(Estimate(value, error)) == text


def test_slow_modes_of_small_amplitude_are_not_missed():
    # ρ(t) = 0.9·0.5^t + 0.1·0.98^t: τ = 6.3, of which Sokal's window at c = 5 sees little more than half.
    fast, slow = (replicas(23 + i, rho, (64, 2_000), 12) for i, rho in enumerate((0.5, 0.98)))
    x = np.sqrt(0.9) * fast + np.sqrt(0.1) * slow
    exact = 0.9 * ar1_tau(0.5) + 0.1 * ar1_tau(0.98)
    geyer, window = (np.mean([tau_int(chains, method=m).tau for chains in x]) for m in ("geyer", "window"))
    assert geyer == pytest.approx(exact, rel=0.1)
    assert window < 0.85 * exact


def test_slow_modes_are_in_the_error_of_many_chains():
    # Each chain has an offset too small to be seen in its correlations.
    z = []
    for i, x in enumerate(replicas(25, 0.3, (128, 400), 60)):
        offset = 0.06 * np.random.default_rng(i).standard_normal((128, 1))
        e = estimate(x + offset)
        z.append(e.mean / e.stderr)
    assert 0.6 < np.mean(np.square(z)) < 1.9
