# SPDX-License-Identifier: BSD-3-Clause
"""What is measured on particles, against exact laws and sums written out."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import spinodal as sp
from spinodal.analysis import chemical_potential, mean_squared_displacement, static_structure_factor


@pytest.fixture(scope="module")
def fluid():
    """A small fluid and its samples."""
    system = sp.LennardJonesSystem(64, box=(4.6, 4.8, 5.0), cutoff=2.2)
    return system, sp.run(sp.Langevin(system, [1.1, 1.3]), n_chains=2, n_steps=600, burn_in=300, thin=20, seed=1)


def test_pressure_and_tails(fluid):
    system, samples = fluid
    with_tail = sp.LennardJonesSystem(64, box=system.box, cutoff=2.2, tail=True)
    t = samples.temperature
    for chain in range(2):
        pressure = system.pressure(samples.draws[chain], t[chain])
        np.testing.assert_allclose(samples.observable("pressure")[chain], pressure, rtol=1e-12)
        corrected = with_tail.pressure(samples.draws[chain], t[chain])
        np.testing.assert_allclose(samples.observable("pressure_with_tail")[chain], corrected, rtol=1e-12)
        energy = with_tail.energy(samples.draws[chain]) / 64
        np.testing.assert_allclose(samples.observable("energy_with_tail")[chain], energy, rtol=1e-12)
    one = samples.select(temperature=1.3)
    assert one.estimate("pressure").mean == pytest.approx(one.observable("pressure").mean())
    fluctuation = one.energy.var() / 1.3**2 / 64
    assert one.estimate("heat_capacity").mean == pytest.approx(fluctuation, rel=0.2)
    difference = one.estimate("isochoric_heat_capacity").mean - one.estimate("heat_capacity").mean
    assert difference == pytest.approx(1.5, abs=1e-12)


def test_tails_that_the_system_has_are_not_added_again():
    system = sp.LennardJonesSystem(20, box=5.0, cutoff=2.0, tail=True)
    samples = sp.run(sp.Langevin(system, 1.0), n_chains=1, n_steps=20, thin=10)
    np.testing.assert_array_equal(samples.observable("energy_with_tail"), samples.energy / 20)
    np.testing.assert_array_equal(samples.observable("pressure_with_tail"), samples.observable("pressure"))


@pytest.mark.parametrize(
    ("system", "name", "message"),
    [
        (sp.LennardJonesSystem.cluster(4), "pressure", "particles in a periodic box; the samples are of lennard_jones"),
        (sp.LennardJonesSystem(4, box=5.0, shift="force"), "energy_with_tail", "a tail belongs to shift='truncated'"),
    ],
)
def test_what_has_no_meaning_is_refused(system, name, message):
    samples = sp.run(sp.HMC(system, 1.0), n_chains=1, n_steps=4)
    with pytest.raises(ValueError, match=message):
        samples.estimate(name)
    spins = sp.run(sp.Metropolis(sp.IsingModel(4), 2.0), n_chains=1, n_steps=4)
    for observable in ("pressure", "isochoric_heat_capacity"):
        with pytest.raises(ValueError, match="the samples are of ising"):
            spins.estimate(observable)


def random_walk(n_chains, n_draws, n_particles, dim, diffusion, box):
    rng = np.random.default_rng(dim)
    steps = rng.normal(0, np.sqrt(2 * diffusion), (n_chains, n_draws, n_particles, dim))
    return np.cumsum(steps, axis=1) % box


@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("n_chains", [1, 6])
def test_random_walks(dim, n_chains):
    """MSD = 2 d D t, within 4.5σ at every lag, of walks wrapped into a box."""
    box = np.array([30.0, 35.0, 40.0])[:dim]
    walk = random_walk(n_chains, 400, 96, dim, 0.7, box)
    found = mean_squared_displacement(walk, box, spacing=0.5, max_lag=20)
    assert found.time[3] == 1.5 and found.mean[0] == 0
    expected = 2 * dim * 0.7 * found.time / 0.5
    assert (np.abs(found.mean - expected)[1:] < 5 * found.stderr[1:]).all()
    assert (found.stderr[1:] < 0.05 * found.mean[1:]).all()
    coefficient = found.diffusion_coefficient(1.0, 8.0)
    assert abs(coefficient.mean - 1.4) < 4.5 * coefficient.stderr and coefficient.stderr < 0.1


def test_displacements_written_out():
    rng = np.random.default_rng(5)
    path = np.cumsum(rng.normal(0, 0.3, (12, 5, 3)), axis=0)
    found = mean_squared_displacement(path)
    for lag in range(12):
        written = np.mean([(np.square(path[t + lag] - path[t])).sum(axis=1).mean() for t in range(12 - lag)])
        assert found.mean[lag] == pytest.approx(written, rel=1e-9, abs=1e-12)
    wrapped = mean_squared_displacement(path % 4.0, 4.0)
    np.testing.assert_allclose(wrapped.mean, found.mean, rtol=1e-9)
    still = mean_squared_displacement(path + np.arange(12)[:, None, None], remove_drift=True)
    drifting = mean_squared_displacement(path - path.mean(axis=1, keepdims=True))
    np.testing.assert_allclose(still.mean, drifting.mean, rtol=1e-9, atol=1e-12)


def test_langevin_particles_diffuse_by_einsteins_law():
    """Nearly free particles: D = T/(m γ)."""
    system = sp.LennardJonesSystem(100, box=40.0, epsilon=1e-6, softening=1.0)
    sampler = sp.Langevin(system, 1.5, timestep=0.05, friction=2.0, mass=1.2)
    samples = sp.run(sampler, n_chains=6, n_steps=4000, burn_in=100, thin=10, seed=3)
    found = mean_squared_displacement(samples.draws, system.box, spacing=0.5)
    coefficient = found.diffusion_coefficient(3.0, 20.0)
    assert abs(coefficient.mean - 1.5 / 2.4) < 4.5 * coefficient.stderr
    assert coefficient.stderr < 0.04


def test_mistakes_of_displacements():
    walk = random_walk(1, 10, 4, 3, 9.0, 10.0)
    with pytest.raises(ValueError, match=r"moves by 0\.\d+ box lengths between two draws, more than 0\.4"):
        mean_squared_displacement(walk, 10.0)
    with pytest.raises(ValueError, match=r"draws must have shape"):
        mean_squared_displacement(walk[0, :1])
    with pytest.raises(ValueError, match=r"two times or more are needed from 8 to 8.5; there are 1"):
        mean_squared_displacement(walk).diffusion_coefficient(8, 8.5)


@pytest.mark.parametrize("dim", [2, 3])
def test_structure_factors_written_out(dim):
    rng = np.random.default_rng(dim)
    box = np.array([5.0, 6.0, 7.5])[:dim]
    draws = rng.uniform(-3, 9, (2, 3, 20, dim))
    found = static_structure_factor(draws, box, k_max=4.0, width=0.8)
    totals = {}
    most = range(-6, 7)
    for n in itertools.product(most, repeat=dim):
        k = 2 * np.pi * np.array(n) / box
        length = np.linalg.norm(k)
        if 0 < length <= 4.0:
            value = np.abs(np.exp(-1j * draws @ k).sum(axis=2)) ** 2 / 20
            totals.setdefault(int(length / 0.8 + 0.5), []).append((length, value.mean()))
    written = np.array([np.mean(totals[shell], axis=0) for shell in sorted(totals)])
    np.testing.assert_allclose(found.x, written[:, 0], rtol=1e-12)
    np.testing.assert_allclose(found.mean, written[:, 1], rtol=1e-9)


def test_structure_factors_of_gas_and_crystal():
    gas = np.random.default_rng(2).random((4, 100, 50, 3)) * 6.0
    k, mean, stderr = static_structure_factor(gas, 6.0, k_max=6.0)
    assert (np.abs(mean - 1) < 4.5 * stderr).all() and (stderr < 0.1).all()
    crystal = np.stack(np.meshgrid(*[np.arange(4.0)] * 3, indexing="ij"), axis=-1).reshape(1, 64, 3)
    k, mean, _ = static_structure_factor(crystal, 4.0, k_max=7.0, width=0.02)
    np.testing.assert_allclose(mean[np.isclose(k, 2 * np.pi)], 64)
    np.testing.assert_allclose(mean[k < 6.2], 0, atol=1e-12)
    with pytest.raises(ValueError, match=r"no wave vector of a box of .* is shorter than k_max = 0.1"):
        static_structure_factor(gas, 6.0, k_max=0.1)
    with pytest.raises(ValueError, match="must be > 0; got"):
        static_structure_factor(gas, -6.0)


@pytest.mark.parametrize("shift", ["truncated", "energy", "force"])
@pytest.mark.parametrize("softening", [0.0, 0.4])
def test_pair_energies_are_those_of_the_kernel(shift, softening):
    system = sp.LennardJonesSystem(2, box=20.0, sigma=1.1, epsilon=0.7, shift=shift, softening=softening)
    r = np.linspace(0.7, 3.0, 40)
    pairs = np.zeros((40, 2, 3))
    pairs[:, 1, 0] = r
    np.testing.assert_allclose(system.pair_energy(r), system.energy(pairs), rtol=1e-12, atol=1e-14)
    assert np.isfinite(system.pair_energy(0.0)) == (softening > 0)


@pytest.mark.parametrize("tail", [False, True])
def test_insertion_beside_one_particle(tail):
    """⟨exp(−ΔU/T)⟩ = 1 + ∫ (exp(−u/T) − 1) d³r / V, and what the tail adds for two particles in place of one."""
    system = sp.LennardJonesSystem(1, box=6.0, cutoff=3.0, tail=tail)
    draws = np.random.default_rng(1).random((4, 20, 1, 3)) * 6
    found = chemical_potential(system, draws, 1.3, n_insertions=4000)
    r = np.linspace(1e-6, 3.0, 30_001)
    integral = np.trapezoid((np.exp(-system.pair_energy(r) / 1.3) - 1) * 4 * np.pi * r**2, r)
    exact = -1.3 * np.log(1 + integral / 216) + (3 * system.tail_energy if tail else 0)
    assert abs(found.excess.mean - exact) < 4.5 * found.excess.stderr
    assert found.excess.stderr < 0.01 * abs(exact) + 1e-3
    assert found.ideal == pytest.approx(1.3 * np.log(1 / 216))
    assert found.total == found.ideal + found.excess.mean


def test_insertion_and_the_second_virial_coefficient():
    """A thin gas: μ_ex = 2 T ρ B₂ + O(ρ²)."""
    system = sp.LennardJonesSystem(40, box=20.0, cutoff=4.0)
    samples = sp.run(sp.HMC(system, 2.0, step_size=0.03), n_chains=8, n_steps=200, burn_in=200, thin=10, seed=1)
    found = chemical_potential(system, samples.draws, 2.0, n_insertions=2000).excess
    r = np.linspace(1e-6, 4.0, 30_001)
    b2 = -2 * np.pi * np.trapezoid((np.exp(-system.pair_energy(r) / 2.0) - 1) * r**2, r)
    assert found.mean == pytest.approx(2 * 2.0 * system.density * b2, abs=4.5 * found.stderr + 1e-3)
    assert found.stderr < 0.003


def test_mistakes_of_insertion(fluid):
    system, samples = fluid
    short = sp.LennardJonesSystem(64, box=system.box, cutoff=2.4)
    for wrong, message in ((short, "cutoff=2.4 and lengths"), (sp.LennardJonesSystem.cluster(64), "periodic=False")):
        with pytest.raises(ValueError, match=message):
            chemical_potential(wrong, samples.draws, 1.0)
    with pytest.raises(ValueError, match="draws must have shape"):
        chemical_potential(system, samples.draws[..., :10, :], 1.0)
    with pytest.raises(ValueError, match="n_insertions must be >= 1"):
        chemical_potential(system, samples.draws, 1.0, n_insertions=0)


def test_configurational_temperatures():
    """Of Gaussian draws in springs, where it is known exactly; a wrong temperature is seen; and a chain alone."""
    springs = sp.LennardJonesSystem(20, periodic=False, epsilon=1e-9, softening=1.0, confinement=2.0)
    x = np.random.default_rng(1).normal(0, np.sqrt(0.7 / 2.0), (4, 50, 20, 3))
    x -= x.mean(axis=2, keepdims=True)
    found = sp.analysis.configurational_temperature(springs, x)
    assert abs(found.mean - 0.7) < 4.5 * found.stderr and found.stderr < 0.02
    assert abs(found.mean - 0.8) > 5 * found.stderr
    one = sp.analysis.configurational_temperature(springs, x[0])
    assert abs(one.mean - 0.7) < 4.5 * one.stderr
    with pytest.raises(ValueError, match="draws must have shape"):
        sp.analysis.configurational_temperature(springs, x[..., :2])
