# SPDX-License-Identifier: BSD-3-Clause
"""Comparison of runs: p-values are uniform when the runs agree, and small when they do not."""

from __future__ import annotations

import math

import numpy as np
import pytest

from physics.analysis_truth import ar1, exact_ising, repeated
from spinodal.analysis import (
    Estimate,
    compare,
    compare_exact,
    compare_series,
    distribution_test,
    estimate,
    reweight_samples,
)

ISING = exact_ising(4, 4)


def run(rng, temperature, shape, rho=0.0):
    return ISING.samples(repeated(rng, ISING.draw(rng, temperature, shape), rho), temperature)


def p_values(make, n=60):
    rng = np.random.default_rng(1)
    found = [distribution_test(*make(rng)) for _ in range(n)]
    return np.array([[f.ks_p, f.energy_p] for f in found])


NULLS = {
    "independent": lambda rng: (rng.standard_normal((4, 500)), rng.standard_normal((4, 300))),
    "correlated against independent": lambda rng: (ar1(rng, 0.8, (8, 500)), rng.standard_normal((4, 100))),
    "short chains": lambda rng: (ar1(rng, 0.8, (100, 20)), ar1(rng, 0.5, (4, 500))),
    "few levels": lambda rng: (rng.integers(0, 3, (4, 200)), rng.integers(0, 3, (1, 500))),
}


@pytest.mark.parametrize("null", NULLS)
def test_p_values_are_uniform_when_laws_agree(null):
    p = p_values(NULLS[null])
    assert (np.abs(p.mean(axis=0) - 0.5) < 0.16).all(), p.mean(axis=0)
    assert ((p < 0.1).mean(axis=0) < 0.27).all() and ((p > 0.9).mean(axis=0) < 0.27).all()


def test_ignoring_autocorrelation_would_reject_far_too_often():
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(2)
    runs = [(ar1(rng, 0.8, (8, 500)), ar1(rng, 0.8, (8, 500))) for _ in range(40)]
    naive = np.array([stats.ks_2samp(a.ravel(), b.ravel()).pvalue for a, b in runs])
    assert (naive < 0.1).mean() > 0.5


def test_distances_are_those_of_the_definitions():
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(3)
    a, b = rng.integers(0, 50, 400).astype(float), rng.integers(5, 60, 300).astype(float)
    found = distribution_test(a, b)
    assert found.ks == pytest.approx(stats.ks_2samp(a, b).statistic)
    pairs = [np.abs(x[:, None] - y[None, :]).mean() for x, y in ((a, b), (a, a), (b, b))]
    assert found.energy_distance == pytest.approx(2.0 * pairs[0] - pairs[1] - pairs[2])
    x, y = rng.standard_normal((4, 3_000)), rng.standard_normal((4, 3_000)) * 1.3
    found = distribution_test(x, y)
    assert found.ks == pytest.approx(stats.ks_2samp(x.ravel(), y.ravel()).statistic, abs=0.005)
    assert found.energy_distance == pytest.approx(stats.energy_distance(x.ravel(), y.ravel()) ** 2, rel=0.05)


def test_other_laws_with_the_same_mean_are_told_apart():
    rng = np.random.default_rng(4)
    found = compare_series(rng.standard_normal((4, 1_000)), 1.2 * rng.standard_normal((4, 1_000)))
    assert abs(found.sigma) < 4.0
    assert found.distribution is not None
    assert found.distribution.ks_p < 0.01 and found.distribution.energy_p < 0.01


def test_runs_of_one_law_agree_whatever_made_them():
    rng = np.random.default_rng(5)
    mcmc, exact = run(rng, 2.269, (8, 2_000), rho=0.7), run(rng, 2.269, (500, 10))
    weighted = reweight_samples(run(rng, 2.4, (4, 3_000)), 2.269)
    for other in (exact, weighted):
        found = compare(mcmc, other)
        assert set(found) == {"energy_per_site", "abs_magnetization", "m2", "binder_cumulant", "heat_capacity"}
        for c in found.values():
            assert abs(c.sigma) < 4.0
            assert c.distribution is None or min(c.distribution.ks_p, c.distribution.energy_p) > 1e-3
    assert found["heat_capacity"].distribution is None
    assert "sigma" in str(found["m2"]) and "KS" in str(found["m2"])


def test_a_wrong_temperature_is_seen():
    rng = np.random.default_rng(6)
    found = compare(run(rng, 2.269, (8, 4_000)), run(rng, 2.35, (8, 4_000)), names=["energy_per_site"])
    c = found["energy_per_site"]
    assert c.sigma < -5.0 and c.distribution is not None and c.distribution.energy_p < 1e-3


def test_one_temperature_of_several():
    rng = np.random.default_rng(7)
    ladder = ISING.run(rng, [2.0, 2.5], (4, 1_000))
    assert abs(compare(ladder, run(rng, 2.5, (4, 1_000)), ["m2"], temperature=2.5)["m2"].sigma) < 4.0
    with pytest.raises(ValueError, match="2 temperatures"):
        compare(ladder, ladder)


def test_sets_of_estimates():
    a = {"x": Estimate(1.0, 0.3), "y": Estimate(2.0, 0.1)}
    b = {"x": Estimate(2.0, 0.4), "z": Estimate(0.0, 0.1)}
    found = compare(a, b)
    assert list(found) == ["x"] and found["x"].sigma == pytest.approx(-2.0)
    assert compare(a["x"], b["x"])[""].sigma == pytest.approx(-2.0)
    sample = run(np.random.default_rng(8), 2.269, (4, 1_000))
    exact = {"m2": Estimate(ISING.observables(2.269)["m2"], 0.0)}
    assert abs(compare(sample, exact)["m2"].sigma) < 4.0
    assert str(found["x"]) == "1.0(3) vs 2.0(4): -2.00 sigma"


def test_distance_from_an_exact_value():
    assert compare_exact(Estimate(1.0, 0.5), 2.0) == -2.0
    assert compare_exact(Estimate(1.0, 0.0), 1.0) == 0.0
    assert compare_exact(Estimate(1.0, 0.0), 2.0) == -math.inf
    assert math.isnan(compare_exact(estimate(np.ones(10)), 1.0))


def test_series_that_are_not_finite_have_no_distribution():
    found = compare_series([1.0, np.nan], [1.0, 2.0]).distribution
    assert found is not None and math.isnan(found.ks_p)


def test_the_seed_decides_the_p_value():
    rng = np.random.default_rng(9)
    a, b = rng.standard_normal(100), rng.standard_normal(100)
    assert distribution_test(a, b, seed=1) == distribution_test(a, b, seed=1)
    assert distribution_test(a, a).ks_p == 1.0
