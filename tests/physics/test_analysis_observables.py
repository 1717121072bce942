# SPDX-License-Identifier: BSD-3-Clause
"""Observables and histograms of the 4×4 lattice against its enumeration."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from physics.analysis_truth import FakeSamples, exact_ising, repeated
from spinodal.analysis import (
    OBSERVABLES,
    DerivedObservable,
    compare_exact,
    energy_histogram,
    estimate_observable,
    magnetization_histogram,
    observable,
    reweight_samples,
)

T = 2.269
ISING = exact_ising(4, 4)
OF_PARTICLES = {"pressure", "pressure_with_tail", "energy_with_tail", "isochoric_heat_capacity"}
OF_SPINS = [name for name in OBSERVABLES if name not in OF_PARTICLES]


@pytest.fixture(scope="module")
def samples() -> FakeSamples:
    rng = np.random.default_rng(1)
    return ISING.samples(ISING.draw(rng, T, (64, 1_000)), T, keep_draws=True)


def test_enumeration_knows_the_ground_state():
    assert ISING.energy.min() == -32 and np.count_nonzero(ISING.energy == -32) == 2
    assert np.count_nonzero(ISING.energy == -24) == 32  # one spin flipped
    assert exact_ising(2, 2).energy.min() == -8  # double bonds count twice


@pytest.mark.parametrize("name", OF_SPINS)
def test_observables_agree_with_enumeration(samples, name):
    e = estimate_observable(samples, name)
    assert e.reliable, e.reason
    assert abs(compare_exact(e, ISING.observables(T)[name])) < 4.0
    assert name.startswith("magnetization") or e.stderr < 0.02 * abs(e.mean)


@pytest.mark.parametrize("shape", [(1, 4_000), (200, 20)])
@pytest.mark.parametrize("rho", [0.0, 0.6])
def test_errors_of_derived_observables_cover_the_truth(shape, rho):
    derived = [n for n in OF_SPINS if isinstance(OBSERVABLES[n], DerivedObservable)]
    truth, rng = ISING.observables(T), np.random.default_rng(2)
    z = []
    for _ in range(40):
        run = ISING.samples(repeated(rng, ISING.draw(rng, T, shape), rho), T)
        z.append([compare_exact(estimate_observable(run, n), truth[n]) for n in derived])
    variance = np.mean(np.square(z), axis=0)
    assert (np.abs(variance - 1.0) < 0.95).all(), dict(zip(derived, variance, strict=True))
    assert (np.abs(np.mean(z, axis=0)) < 0.65).all()


def test_draws_and_info_give_the_same_magnetization(samples):
    from_draws = dataclasses.replace(samples, info={})
    for name in ("magnetization", "magnetization_per_site", "abs_magnetization", "m2", "m4"):
        np.testing.assert_array_equal(observable(samples, name), observable(from_draws, name))
    assert estimate_observable(samples, "binder_cumulant") == estimate_observable(from_draws, "binder_cumulant")


def test_without_draws_the_lattice_comes_from_the_provenance(samples):
    bare = dataclasses.replace(samples, draws=None)
    assert estimate_observable(bare, "susceptibility") == estimate_observable(samples, "susceptibility")
    with pytest.raises(ValueError, match="provenance"):
        observable(dataclasses.replace(bare, provenance={}), "energy_per_site")
    with pytest.raises(ValueError, match="magnetization"):
        observable(dataclasses.replace(bare, info={}), "m2")
    with pytest.raises(ValueError, match="do not cover"):
        observable(dataclasses.replace(samples, info={}, draws=samples.draws[:, -1:]), "m2")


def test_info_arrays_are_observables_too(samples):
    more = dataclasses.replace(samples, info={**samples.info, "flipped": np.ones((64, 1_000))})
    assert observable(more, "flipped").sum() == 64_000


def test_unknown_and_derived_names_are_explained(samples):
    with pytest.raises(ValueError, match="unknown observable 'nonsense'; known: energy"):
        observable(samples, "nonsense")
    with pytest.raises(ValueError, match="estimate_observable"):
        observable(samples, "heat_capacity")


@pytest.mark.parametrize("layout", ["blocks", "ladders"])
def test_one_temperature_must_be_selected(layout):
    temperatures = [2.0, 2.5, 3.0]
    run = ISING.run(np.random.default_rng(3), temperatures, (4, 2_000))
    if layout == "ladders":
        order = np.arange(12).reshape(3, 4).T.ravel()
        info = {"magnetization": run.info["magnetization"][order]}
        run = dataclasses.replace(run, energy=run.energy[order], temperature=run.temperature[order], info=info)
    with pytest.raises(ValueError, match="3 temperatures"):
        estimate_observable(run, "energy")
    for t in temperatures:
        e = estimate_observable(run, "heat_capacity", temperature=t)
        assert e.n == 8_000
        assert abs(compare_exact(e, ISING.observables(t)["heat_capacity"])) < 4.0
    with pytest.raises(ValueError, match=r"no chain at temperature 2\.2"):
        estimate_observable(run, "energy", temperature=2.2)


def test_heat_capacity_of_a_large_energy_does_not_cancel():
    rng = np.random.default_rng(4)
    energy = -2e9 + 10.0 * rng.standard_normal((4, 2_000))
    run = FakeSamples(energy, np.ones(4), provenance={"system": {"shape": [10]}})
    e = estimate_observable(run, "heat_capacity")
    assert abs(compare_exact(e, 10.0)) < 4.0


def test_weighted_observables_are_those_of_the_target():
    run = ISING.samples(ISING.draw(np.random.default_rng(5), 2.5, (8, 4_000)), 2.5)
    target = reweight_samples(run, 2.2)
    for name, exact in ISING.observables(2.2).items():
        e = estimate_observable(target, name)
        assert e.reliable and e.weights is not None, e.reason
        assert abs(compare_exact(e, exact)) < 4.0, name


def exact_histogram(values, edges, temperature=T):
    return np.histogram(values, edges, weights=ISING.probability(temperature))[0]


@pytest.mark.parametrize("bins", [None, 17, 5, 1])
def test_magnetization_histogram(samples, bins):
    h = magnetization_histogram(samples, bins)
    assert h.centers.size == (bins or 17) and h.reliable
    assert h.counts.sum() == 64_000 and h.probability.sum() == pytest.approx(1.0)
    assert (h.density * np.diff(h.edges)).sum() == pytest.approx(1.0)
    # Every bin holds whole values of M, which are 2 apart.
    levels = h.edges * 16.0
    np.testing.assert_allclose(np.mod(levels - 1.0, 2.0), 0.0, atol=1e-9)
    exact = exact_histogram(ISING.magnetization / 16.0, h.edges)
    error = np.maximum(h.stderr * np.diff(h.edges), 1e-6)
    assert (np.abs(h.probability - exact) < 4.5 * error).all()


def test_magnetization_histogram_refuses_more_bins_than_values(samples):
    with pytest.raises(ValueError, match="between 1 and 17"):
        magnetization_histogram(samples, 18)


def test_weighted_histogram():
    run = ISING.samples(ISING.draw(np.random.default_rng(6), 2.5, (8, 4_000)), 2.5)
    h = magnetization_histogram(reweight_samples(run, 2.2))
    exact = exact_histogram(ISING.magnetization / 16.0, h.edges, 2.2)
    assert (np.abs(h.probability - exact) < 4.5 * h.stderr * np.diff(h.edges) + 1e-6).all()


@pytest.mark.parametrize("bins", [None, 4])
def test_energy_histogram_finds_the_levels(samples, bins):
    h = energy_histogram(samples, bins)
    if bins is None:
        np.testing.assert_allclose(np.diff(h.edges), 4.0 / 16.0)
    exact = exact_histogram(ISING.energy / 16.0, h.edges)
    assert (np.abs(h.probability - exact) < 4.5 * h.stderr * np.diff(h.edges) + 1e-4).all()


def test_energy_histogram_of_continuous_energies():
    energy = np.random.default_rng(7).standard_normal((4, 1_000))
    run = FakeSamples(energy, np.ones(4), provenance={"system": {"shape": [1]}})
    h = energy_histogram(run, 10)
    assert h.counts.sum() == 4_000 and h.centers.size == 10
    with pytest.raises(ValueError, match="finite"):
        energy_histogram(dataclasses.replace(run, energy=energy * np.nan))


def test_histogram_errors_know_of_autocorrelation():
    rng, fractions, errors = np.random.default_rng(8), [], []
    for _ in range(80):
        run = ISING.samples(repeated(rng, ISING.draw(rng, T, (4, 1_000)), 0.8), T)
        h = magnetization_histogram(run, 3)
        fractions.append(h.density)
        errors.append(h.stderr)
    np.testing.assert_allclose(np.mean(errors, axis=0), np.std(fractions, axis=0), rtol=0.3)
