# SPDX-License-Identifier: BSD-3-Clause
"""Reweighting in temperature, and the Binder crossing, against enumeration and pymbar."""

from __future__ import annotations

import dataclasses
import logging

import numpy as np
import pytest

from physics.analysis_truth import exact_ising
from spinodal.analysis import MultiHistogram, binder_crossing, compare_exact, reweight, reweight_samples
from spinodal.analysis.binder import crossing
from spinodal.analysis.mbar import solve_mbar

ISING = exact_ising(4, 4)
LADDER = [1.8, 2.1, 2.4, 2.8, 3.3]
TARGETS = np.array([1.9, 2.0, 2.269, 2.6, 3.0, 3.3, 4.0])


@pytest.fixture(scope="module")
def ladder():
    return ISING.run(np.random.default_rng(1), LADDER, (8, 1_000), rho=0.4)


@pytest.fixture(scope="module")
def combined(ladder):
    return MultiHistogram.from_samples(ladder)


@pytest.mark.parametrize("target", [2.0, 2.269, 2.6])
def test_single_histogram_hits_the_truth(target):
    states = ISING.draw(np.random.default_rng(2), 2.3, (16, 2_000))
    m2 = (ISING.magnetization[states] / 16.0) ** 2
    e = reweight(ISING.energy[states], m2, 2.3, target)
    assert e.reliable and abs(compare_exact(e, ISING.observables(target)["m2"])) < 4.0


def test_single_histogram_flags_a_temperature_out_of_reach():
    states = ISING.draw(np.random.default_rng(3), 5.0, (4, 500))
    e = reweight(ISING.energy[states], ISING.energy[states], 5.0, 1.2)
    assert not e.reliable and "weight" in e.reason


def test_reweighting_there_and_back_is_no_change():
    run = ISING.samples(ISING.draw(np.random.default_rng(4), 2.3, (4, 500)), 2.3)
    back = reweight_samples(reweight_samples(run, 2.5), 2.3)
    assert type(back) is type(run) and back.draws is run.draws
    np.testing.assert_allclose(back.log_weights, 0.0, atol=1e-12)
    assert back.provenance["reweighted_from"] == 2.5


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_impossible_temperatures_are_refused(bad, combined):
    with pytest.raises(ValueError, match="positive and finite"):
        reweight(np.zeros(3), np.zeros(3), 1.0, bad)
    with pytest.raises(ValueError, match="positive and finite"):
        combined.energy(bad)


@pytest.mark.parametrize("name", ["energy", "heat_capacity", "binder_cumulant", "susceptibility", "m2"])
def test_multi_histogram_hits_the_truth_everywhere(combined, name):
    curve = combined.mean("m2", TARGETS) if name == "m2" else getattr(combined, name)(TARGETS)
    exact = np.array([ISING.observables(t)[name] for t in TARGETS])
    assert curve.reliable.all(), curve.reasons
    assert (np.abs(curve.mean - exact) < 4.0 * curve.stderr).all()
    assert (curve.stderr[:-1] < 0.02 * np.abs(exact[:-1])).all()


def test_multi_histogram_free_energy(combined):
    found = combined.log_z(TARGETS)
    exact = np.array([ISING.log_z(t) - ISING.log_z(1.8) for t in TARGETS])
    assert (np.abs(found.mean - exact) < 4.0 * found.stderr).all()
    assert combined.log_z(2.0, reference=2.0)[0].mean == pytest.approx(0.0, abs=1e-12)
    np.testing.assert_allclose(combined.free_energies[-1], ISING.log_z(1.8) - ISING.log_z(3.3), atol=0.06)


def test_errors_of_the_multi_histogram_cover_the_truth():
    rng, z = np.random.default_rng(5), []
    for _ in range(30):
        m = MultiHistogram.from_samples(ISING.run(rng, [2.0, 2.4, 2.9], (4, 1_000), rho=0.5), n_blocks=32)
        z.append(
            [
                compare_exact(m.binder_cumulant(2.2)[0], ISING.observables(2.2)["binder_cumulant"]),
                compare_exact(m.heat_capacity(2.6)[0], ISING.observables(2.6)["heat_capacity"]),
                compare_exact(m.log_z(2.9)[0], ISING.log_z(2.9) - ISING.log_z(2.0)),
            ]
        )
    variance = np.mean(np.square(z), axis=0)
    assert (np.abs(variance - 1.0) < 1.0).all(), variance


@pytest.mark.filterwarnings("ignore:Unknown solver options")
def test_multi_histogram_agrees_with_pymbar(ladder):
    logging.getLogger("pymbar").setLevel(logging.ERROR)
    pymbar = pytest.importorskip("pymbar", exc_type=ImportError)
    ours = MultiHistogram.from_samples(ladder, effective=False)
    energy = ladder.energy.ravel()
    n = [int((ladder.temperature == t).sum()) * 1_000 for t in LADDER]
    theirs = pymbar.MBAR(energy / np.array(LADDER)[:, None], n)
    np.testing.assert_allclose(ours.free_energies, theirs.f_k - theirs.f_k[0], atol=1e-7)
    m2 = (ladder.info["magnetization"].ravel() / 16.0) ** 2
    shifted = m2 + 1.0  # it takes logarithms of observables
    mean = theirs.compute_expectations(shifted, u_kn=(energy / 2.269)[None])["mu"][0] - 1.0
    replicas = ours.replicas(lambda _, m: m, ("m2",), np.array([2.269]))
    assert replicas[0, 0] == pytest.approx(mean, abs=1e-9)


def test_multi_histogram_of_arrays_in_any_order(ladder, combined):
    parts = [ladder.energy[ladder.temperature == t] for t in reversed(LADDER)]
    mine = MultiHistogram(parts, LADDER[::-1], n_sites=16)
    np.testing.assert_allclose(mine.energy(TARGETS).mean, combined.energy(TARGETS).mean, rtol=1e-9)
    assert mine.energy_per_site(2.2)[0].mean == pytest.approx(mine.energy(2.2)[0].mean / 16.0)
    with pytest.raises(ValueError, match="no observable 'm2'"):
        mine.binder_cumulant(2.2)


def test_a_curve_is_a_sequence_of_estimates(combined):
    curve = combined.energy(TARGETS)
    assert len(curve) == len(list(curve)) == 7
    assert curve[2].mean == curve.mean[2] and curve[2].reliable and curve[2].n == 40_000


def test_continuous_energies_are_binned_finely(monkeypatch):
    # Harmonic oscillators: E = T χ²_10/2, <E> = 5 T, C = 5.
    rng = np.random.default_rng(6)
    ladder = [1.0, 1.5, 2.2]
    energies = [t * 0.5 * rng.chisquare(10, (8, 1_000)) for t in ladder]
    exact = MultiHistogram(energies, ladder)
    monkeypatch.setattr("spinodal.analysis.levels.MOST_LEVELS", 2_000)
    binned = MultiHistogram(energies, ladder)
    for m in (exact, binned):
        assert abs(compare_exact(m.energy(1.2)[0], 6.0)) < 4.0
        assert abs(compare_exact(m.heat_capacity(1.8)[0], 5.0)) < 4.0
    assert binned.energy(1.2)[0].mean == pytest.approx(exact.energy(1.2)[0].mean, abs=2e-3)


def test_temperatures_that_do_not_overlap_are_flagged():
    run = ISING.run(np.random.default_rng(7), [1.0, 20.0], (4, 500))
    m = MultiHistogram.from_samples(run)
    found = m.log_z(20.0)[0]
    assert not found.reliable and "overlap" in found.reason
    assert not m.energy(0.2)[0].reliable or m.energy(0.2)[0].mean == pytest.approx(-32.0, abs=0.1)


def test_bad_chains_are_named():
    run = ISING.run(np.random.default_rng(8), [2.0, 2.5], (4, 500))
    stuck = np.where(run.temperature[:, None] == 2.5, -32.0, run.energy)
    found = MultiHistogram.from_samples(dataclasses.replace(run, energy=stuck)).energy(2.2)[0]
    assert not found.reliable and "T = 2.5" in found.reason


def test_wrong_input_is_refused(ladder):
    with pytest.raises(ValueError, match="one distinct temperature"):
        MultiHistogram([np.zeros(4), np.zeros(4)], [1.0, 1.0])
    with pytest.raises(ValueError, match="not all finite"):
        MultiHistogram([np.array([1.0, np.nan])], [1.0])
    with pytest.raises(ValueError, match="shapes of the energies"):
        MultiHistogram([np.zeros(4)], [1.0], {"m2": [np.zeros(5)]})
    with pytest.raises(ValueError, match="importance weights"):
        MultiHistogram.from_samples(dataclasses.replace(ladder, log_weights=np.zeros(ladder.energy.shape)))
    with pytest.raises(RuntimeError, match="residual"):
        args = np.array([1.0, 0.5]), np.array([5.0, 5.0]), np.array([0.0, 1.0]), np.array([6.0, 4.0])
        solve_mbar(*args, f=np.array([0.0, 3.0]), max_iterations=1)


def test_solver_recovers_from_a_hopeless_guess(combined):
    t = combined._table
    beta = 1.0 / combined.temperatures
    f = solve_mbar(beta, t.n.sum(axis=0), t.energy, t.counts.sum(axis=0), np.array([0.0, 900.0, -900.0, 5e3, 0.0]))
    np.testing.assert_allclose(f, combined.free_energies, atol=1e-7)


def exact_crossing(a, b, low=1.7, high=2.6):
    for _ in range(60):
        middle = 0.5 * (low + high)
        u, v = (s.observables(middle)["binder_cumulant"] for s in (a, b))
        low, high = (middle, high) if v > u else (low, middle)
    return low


def test_binder_crossing_hits_the_exact_one():
    # 3×3 and 4×4, and 2×3: the curves of finite lattices cross where enumeration says.
    a, b = exact_ising(3, 3), exact_ising(4, 4)
    truth = exact_crossing(a, b)
    rng, temperatures = np.random.default_rng(9), [1.8, 2.1, 2.4]
    z = []
    for _ in range(8):
        found = binder_crossing([s.run(rng, temperatures, (8, 2_000)) for s in (b, a)])
        assert found.pairs[0].n_sites == (9, 16) and np.isnan(found.drift)
        assert found.critical_temperature.reliable
        z.append(compare_exact(found.critical_temperature, truth))
    assert 0.2 < np.mean(np.square(z)) < 2.8
    assert found.pairs[0].cumulant.mean == pytest.approx(a.observables(truth)["binder_cumulant"], abs=0.01)


def test_no_crossing_is_said_and_not_invented():
    rng = np.random.default_rng(11)
    found = binder_crossing([exact_ising(*s).run(rng, [3.0, 3.5], (8, 1_000)) for s in ((3, 3), (4, 4))])
    assert np.isnan(found.critical_temperature.mean) and "do not cross" in found.critical_temperature.reason


def test_crossing_ignores_noise_where_the_curves_are_flat():
    t = np.linspace(0.0, 1.0, 101)
    large = 1.0 - t
    small = large + (t - 0.6) + 1e-3 * np.sin(1_000.0 * t) * (t < 0.3)
    assert crossing(t, small, large)[0] == pytest.approx(0.6)


def test_binder_crossing_refuses_one_size(ladder, combined):
    with pytest.raises(ValueError, match="distinct sizes"):
        binder_crossing([ladder, combined])
    other = exact_ising(3, 3).run(np.random.default_rng(12), [5.0, 6.0], (2, 100))
    with pytest.raises(ValueError, match="range of temperatures"):
        binder_crossing([ladder, other])
