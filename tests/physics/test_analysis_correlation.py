# SPDX-License-Identifier: BSD-3-Clause
"""Correlations and structure factors against direct sums and against enumeration."""

from __future__ import annotations

import math

import numpy as np
import pytest

from physics.analysis_truth import exact_ising
from spinodal.analysis import (
    correlation,
    correlation_length,
    radial_correlation,
    radial_structure_factor,
    reweight_samples,
    structure_factor,
)
from spinodal.files.packing import PackedSpins

LATTICES = [(7,), (4, 6), (5, 4), (3, 4, 5), (2, 2)]
T = 2.269
ISING = exact_ising(4, 4)


def spins(lattice, shape=(3, 5), seed=0):
    return (2 * np.random.default_rng(seed).integers(0, 2, (*shape, *lattice)) - 1).astype(np.int8)


def direct_correlation(draws, displacement):
    lattice_axes = tuple(range(2, draws.ndim))
    return float((draws * np.roll(draws, displacement, lattice_axes)).mean())


@pytest.fixture(scope="module")
def ising_draws():
    return ISING.spins(ISING.draw(np.random.default_rng(1), T, (16, 500)))


@pytest.mark.parametrize("lattice", LATTICES)
def test_correlation_along_axes_is_the_direct_double_sum(lattice):
    draws = spins(lattice)
    for axis in range(len(lattice)):
        r, c, _ = correlation(draws, axis=axis)
        assert r.tolist() == list(range(lattice[axis] // 2 + 1))
        for distance, value in zip(r, c, strict=True):
            displacement = [0] * len(lattice)
            displacement[axis] = int(distance)
            assert value == pytest.approx(direct_correlation(draws, displacement), abs=1e-12)


@pytest.mark.parametrize("lattice", LATTICES)
def test_correlation_without_axis_is_the_mean_over_axes(lattice):
    draws = spins(lattice)
    reach = min(lattice) // 2 + 1
    each = [correlation(draws, axis=a).mean[:reach] for a in range(len(lattice))]
    np.testing.assert_allclose(correlation(draws).mean, np.mean(each, axis=0), atol=1e-12)
    assert correlation(draws, axis=-1).mean[1] == correlation(draws, axis=len(lattice) - 1).mean[1]


@pytest.mark.parametrize("lattice", LATTICES)
def test_radial_correlation_is_the_direct_double_sum(lattice):
    draws = spins(lattice)
    shells: dict[int, list[tuple[float, float]]] = {}
    for displacement in np.ndindex(*lattice):
        r = math.sqrt(sum(min(d, n - d) ** 2 for d, n in zip(displacement, lattice, strict=True)))
        if r <= min(lattice) / 2 + 1e-9:
            shells.setdefault(int(r + 0.5), []).append((r, direct_correlation(draws, displacement)))
    expected = np.array([np.mean(shells[s], axis=0) for s in sorted(shells)])
    r, c, stderr = radial_correlation(draws)
    np.testing.assert_allclose(np.column_stack([r, c]), expected, atol=1e-12)
    assert c[0] == pytest.approx(1.0) and stderr[0] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("lattice", LATTICES)
def test_structure_factor_is_the_direct_sum(lattice):
    draws = spins(lattice).astype(np.float64)
    s = structure_factor(draws)
    sites = np.array(list(np.ndindex(*lattice)))
    flat = draws.reshape(15, -1)
    for index in np.ndindex(*lattice):
        k = np.array([s.k[a][i] for a, i in enumerate(index)])
        amplitude = flat @ np.exp(-1j * sites @ k)
        assert s.mean[index] == pytest.approx((np.abs(amplitude) ** 2).mean() / len(sites), abs=1e-10)
    assert s.mean.mean() == pytest.approx(1.0)  # Σ_k S(k)/N = <s²>


@pytest.mark.parametrize("lattice", [(7,), (4, 6), (3, 4, 5), (4, 16)])
def test_radial_structure_factor_averages_the_whole_one(lattice):
    draws = spins(lattice)
    whole = structure_factor(draws)
    k_all = np.sqrt(sum(g**2 for g in np.meshgrid(*whole.k, indexing="ij")))
    inside = k_all <= math.pi * (1.0 + 1e-12)
    shell = np.floor(k_all / (2.0 * math.pi / max(lattice)) + 0.5).astype(int)
    k, s, _ = radial_structure_factor(draws)
    used = np.unique(shell[inside])
    np.testing.assert_allclose(k, [k_all[inside & (shell == i)].mean() for i in used], atol=1e-12)
    np.testing.assert_allclose(s, [whole.mean[inside & (shell == i)].mean() for i in used], atol=1e-10)
    assert s[0] == pytest.approx(whole.mean.flat[0])


def test_correlations_agree_with_enumeration(ising_draws):
    p = ISING.probability(T)
    states = ISING.spins(np.arange(p.size)).astype(float)
    for profile in (correlation(ising_draws), correlation(ising_draws, axis=0)):
        exact = [p @ (states * np.roll(states, r, 1)).mean(axis=(1, 2)) for r in range(3)]
        assert profile.reliable, profile.reason
        assert (np.abs(profile.mean - exact) <= 4.0 * profile.stderr + 1e-12).all()
        assert (profile.stderr[1:] < 0.01).all()
    s = structure_factor(ising_draws)
    exact = np.einsum("i,ijk->jk", p, np.abs(np.fft.fft2(states)) ** 2) / 16.0
    assert (np.abs(s.mean - exact) < 4.0 * s.stderr).all()
    xi = correlation_length(ising_draws)
    s_min = 0.5 * (exact[0, 1] + exact[1, 0])
    assert abs(xi.mean - math.sqrt(exact[0, 0] / s_min - 1.0) / (2.0 * math.sin(math.pi / 4))) < 4.0 * xi.stderr
    assert xi.reliable and xi.stderr < 0.02 * xi.mean


def test_weighted_correlations_are_those_of_the_target(ising_draws):
    states = ISING.draw(np.random.default_rng(2), 2.6, (16, 1_000))
    target = reweight_samples(ISING.samples(states, 2.6, keep_draws=True), 2.3)
    p, m2 = ISING.probability(2.3), (ISING.magnetization / 16.0) ** 2
    s = structure_factor(target.draws, log_weights=target.log_weights)
    assert abs(s.mean[0, 0] - 16.0 * (p @ m2)) < 4.0 * s.stderr[0, 0]
    bond = correlation(target.draws, log_weights=target.log_weights)
    assert abs(bond.mean[1] - p @ ISING.energy / -32.0) < 4.0 * bond.stderr[1]
    with pytest.raises(ValueError, match="not finite"):
        correlation(target.draws, log_weights=np.full((16, 1_000), np.nan))


@pytest.mark.parametrize("connected", [True, "abs"])
def test_connected_correlations_subtract_the_order_parameter(ising_draws, connected):
    m = ising_draws.mean(axis=(2, 3))
    order = np.abs(m).mean() if connected == "abs" else m.mean()
    for function in (correlation, radial_correlation):
        plain, less = function(ising_draws), function(ising_draws, connected)
        np.testing.assert_allclose(plain.mean - less.mean, order**2, atol=1e-4)
    plain, less = structure_factor(ising_draws), structure_factor(ising_draws, connected)
    assert plain.mean[0, 0] - less.mean[0, 0] == pytest.approx(16.0 * order**2)
    assert plain.mean[0, 1] == less.mean[0, 1]
    k, s, _ = radial_structure_factor(ising_draws, connected)
    assert k[0] == 0.0 and s[0] == pytest.approx(less.mean[0, 0], abs=1e-2)
    assert connected is True or correlation_length(ising_draws, connected).mean < correlation_length(ising_draws).mean


@pytest.mark.parametrize("connected", [False, "abs"])
@pytest.mark.parametrize("lattice", [*LATTICES, (4, 64), (70,)])
def test_packed_draws_give_the_same_without_a_transform(lattice, connected, monkeypatch):
    draws = spins(lattice, shape=(4, 60))
    log_weights = np.random.default_rng(1).normal(size=(4, 60))
    packed = PackedSpins.pack(draws, 2)
    wanted = [correlation(draws, connected, axis=a, log_weights=log_weights) for a in range(len(lattice))]
    with monkeypatch.context() as patch:
        patch.setattr("spinodal.analysis.correlations.block_power", None)
        found = [correlation(packed, connected, axis=a, log_weights=log_weights) for a in range(len(lattice))]
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one.mean, other.mean, atol=1e-12)
        np.testing.assert_allclose(one.stderr, other.stderr, atol=1e-12)


def test_long_axes_are_transformed(monkeypatch):
    packed = PackedSpins.pack(spins((4, 6)), 2)
    before = correlation(packed)
    monkeypatch.setattr("spinodal.analysis.correlations._LONGEST_COUNTED", 5)
    np.testing.assert_allclose(correlation(packed).mean, before.mean, atol=1e-12)


def test_errors_of_correlations_cover_the_truth():
    rng, z = np.random.default_rng(3), []
    exact = ISING.probability(T) @ ISING.energy / -32.0
    for _ in range(60):
        profile = correlation(ISING.spins(ISING.draw(rng, T, (32, 20))))
        z.append((profile.mean[1] - exact) / profile.stderr[1])
    assert 0.5 < np.mean(np.square(z)) < 1.8


def test_memory_chunks_do_not_change_the_result(ising_draws, monkeypatch):
    before = structure_factor(ising_draws)
    monkeypatch.setattr("spinodal.analysis.fields.CHUNK", 50)
    np.testing.assert_allclose(structure_factor(ising_draws).mean, before.mean, rtol=1e-12)


def test_frozen_and_single_configurations():
    frozen = np.ones((2, 10, 4, 4), np.int8)
    profile = correlation(frozen)
    assert not profile.reliable and profile.mean.tolist() == [1.0, 1.0, 1.0]
    one = correlation(np.ones((1, 1, 4, 4), np.int8))
    assert np.isnan(one.stderr).all() and not one.reliable
    assert np.isnan(structure_factor(np.ones((1, 1, 4, 4), np.int8)).stderr).all()
    assert not correlation_length(frozen).reliable


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda d: correlation(d[0, 0]), "n_chains, n_draws"),
        (lambda d: correlation(d, axis=2), "axis 2"),
        (lambda d: correlation(d, connected="other"), "connected"),
        (lambda d: radial_correlation(d, width=1.5), "width"),
        (correlation_length, "unequal lengths"),
        (lambda d: correlation(d, log_weights=np.zeros((2, 2))), "log_weights have shape"),
    ],
)
def test_wrong_arguments_are_refused(call, why):
    with pytest.raises(ValueError, match=why):
        call(spins((4, 6)))
