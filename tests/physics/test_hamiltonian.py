# SPDX-License-Identifier: BSD-3-Clause
"""HMC, MALA and their ladders: exact laws by quadrature, reversible trajectories, agreement with one another."""

from __future__ import annotations

import numpy as np
import pytest

import spinodal as sp
from reference.lennard_jones import pair_energy
from spinodal.samplers import hamiltonian
from spinodal.samplers.mechanics import Mechanics
from spinodal.samplers.protocol import Key


def deviation(values, exact):
    """Of independent chains' means from a value, in standard errors."""
    return (values.mean() - exact) / (values.std(ddof=1) / np.sqrt(len(values)))


def two_particles(temperature, confinement, function):
    """⟨function(r)⟩: p(r) ∝ r² exp(−(u(r) + k r²/4)/T)."""
    r = np.linspace(0.6, 12, 200_001)
    exponent = -(pair_energy(r) + confinement * r**2 / 4) / temperature
    weight = r**2 * np.exp(exponent - exponent.max())
    return np.trapezoid(weight * function(r), r) / np.trapezoid(weight, r)


def three_particles(temperature, confinement):
    """⟨U⟩ of three in space: p ∝ a² b² exp(−U/T) over two distances and the cosine of the angle between them."""
    r = np.linspace(0.75, 8, 300)
    cosine, weights = np.polynomial.legendre.leggauss(200)
    b2 = r[:, None] ** 2 + r**2
    total = norm = 0.0
    for c, weight in zip(cosine, weights, strict=True):
        third = np.sqrt(np.maximum(b2 - 2 * r[:, None] * r * c, 0.2))
        energy = pair_energy(r)[:, None] + pair_energy(r) + pair_energy(third)
        energy += confinement / 6 * (b2 + third**2)
        boltzmann = weight * r[:, None] ** 2 * r**2 * np.exp(-(energy + 3) / temperature)
        total, norm = total + (boltzmann * energy).sum(), norm + boltzmann.sum()
    return total / norm


SAMPLERS = {
    "mala": lambda system, t: sp.MALA(system, t, step_size=0.16, target_acceptance=None),
    "hmc": lambda system, t: sp.HMC(system, t, step_size=0.05, n_leapfrog=8, mass=2.0),
}


@pytest.mark.parametrize("name", SAMPLERS)
def test_two_particles_against_quadrature(name):
    """Within 4.5σ at an error of a percent or two."""
    system = sp.LennardJonesSystem(2, periodic=False, confinement=1.0)
    samples = sp.run(SAMPLERS[name](system, 0.8), n_chains=512, n_steps=1000, burn_in=300, thin=5, seed=3)
    distance = system.pairwise_distances(samples.draws)[..., 0]
    potential = samples.energy - 0.25 * distance**2
    for values, function in ((potential, pair_energy), (distance, lambda r: r), (distance**2, np.square)):
        exact = two_particles(0.8, 1.0, function)
        assert abs(deviation(values.mean(axis=1), exact)) < 4.5
        assert values.mean(axis=1).std() / np.sqrt(512) < 0.02 * abs(exact)
    np.testing.assert_allclose(samples.draws.mean(axis=2), 0, atol=1e-12)


def test_three_particles_against_quadrature():
    system = sp.LennardJonesSystem(3, periodic=False, confinement=1.0)
    exact = three_particles(0.6, 1.0)
    samples = sp.run(SAMPLERS["hmc"](system, 0.6), n_chains=512, n_steps=500, burn_in=200, thin=5, seed=4)
    means = samples.energy.mean(axis=1)
    assert abs(deviation(means, exact)) < 4.5
    assert abs(deviation(means, three_particles(0.6 * 1.04, 1.0))) > 6  # what would be seen


@pytest.mark.parametrize("kind", [sp.MALA, sp.HMC])
def test_tuning_in_a_dilute_gas(kind):
    """Two particles that seldom meet: steps tuned to their acceptance alone would jump over the wells."""
    length, cutoff, temperature = 4.0, 1.9, 3.0
    r = np.linspace(0.5, cutoff, 200_001)
    slope = -24 / cutoff * (2 * cutoff**-12 - cutoff**-6)
    potential = pair_energy(r) - pair_energy(cutoff) - (r - cutoff) * slope
    shells, boltzmann = 4 * np.pi * r**2, np.exp(-potential / temperature)
    exact = np.trapezoid(shells * potential * boltzmann, r)
    exact /= length**3 + np.trapezoid(shells * (boltzmann - 1), r) - 4 / 3 * np.pi * 0.5**3
    system = sp.LennardJonesSystem(2, box=length, cutoff=cutoff, shift="force")
    samples = sp.run(kind(system, temperature), n_chains=512, n_steps=2000, burn_in=400, thin=10, seed=5)
    move = samples.info["step_size"][:, -1] / 10 * (1.0 if kind is sp.MALA else np.sqrt(temperature))
    assert move.max() <= 0.2 * (1 + 1e-6)
    assert abs(deviation(samples.energy.mean(axis=1), exact)) < 4.5


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_wrong_acceptance_is_seen(name, monkeypatch):
    """Without the kinetic energy of the end, or the proposal's asymmetry, quadrature is missed."""
    monkeypatch.setattr(hamiltonian, "kinetic_energy", lambda v, mass: np.zeros(len(v)))
    system = sp.LennardJonesSystem(2, periodic=False, confinement=1.0)
    samples = sp.run(SAMPLERS[name](system, 0.8), n_chains=256, n_steps=400, burn_in=300, thin=5, seed=3)
    assert abs(deviation(samples.energy.mean(axis=1), two_particles(0.8, 1.0, lambda r: pair_energy(r) + r**2 / 4))) > 8


def test_four_particles_in_double_wells():
    """⟨E⟩ of DW4 at temperature 1 is −22.541(5), half of the pairs are nearer than 4 (0.497)."""
    system = sp.DoubleWell()
    sampler = sp.HMC(system, 1.0, step_size=0.1, n_leapfrog=8)
    start = np.random.default_rng(1).normal(0, 1.7, (256, 4, 2))
    samples = sp.run(sampler, n_chains=256, n_steps=400, burn_in=200, thin=4, seed=2, init=start)
    means = samples.energy.mean(axis=1)
    error = np.hypot(means.std(ddof=1) / 16, 0.005)
    assert abs(means.mean() + 22.541) < 4 * error and error < 0.05
    near = (system.pairwise_distances(samples.draws) < 4).mean(axis=(1, 2))
    assert abs(near.mean() - 0.497) < 4 * near.std(ddof=1) / 16 + 5e-4


@pytest.mark.parametrize("n", [13, 300], ids=["lanes", "list"])
def test_trajectories_are_reversible(n):
    """Back along the velocities of the end; volume is kept because each part of a step is a shear."""
    system = sp.LennardJonesSystem.cluster(n) if n == 13 else sp.LennardJonesSystem(n, box=7.2, shift="force")
    key, sampler = Key(3), sp.HMC(system, 0.5)
    x = sampler.init(key, 2).positions
    v = 0.5 * sampler.normals(key, 2, 1)
    start, mechanics, timestep = x.copy(), Mechanics(system, 1.3), np.array([0.004, 0.006])
    before = mechanics.measure(x)
    end, _ = mechanics.trajectory(x, v, before.forces.copy(), timestep, 20)
    assert np.abs(x - start).max() > 0.05
    total = end.energy + hamiltonian.kinetic_energy(v, 1.3)
    v *= -1
    back, diverged = mechanics.trajectory(x, v, end.forces.copy(), timestep, 20)
    np.testing.assert_allclose(system.minimum_image(x - start), 0, atol=1e-10)
    np.testing.assert_allclose(back.energy, before.energy, rtol=1e-11)
    np.testing.assert_allclose(back.energy + hamiltonian.kinetic_energy(v, 1.3), total, rtol=1e-3)
    assert not diverged.any()


def test_lists_and_lanes_follow_one_path():
    """The trajectory of the list's kernel is that of single force calls."""
    system = sp.LennardJonesSystem(200, box=6.3, shift="force")
    mechanics, v = Mechanics(system, 1.0), sp.kernels.maxwell_velocities((1, 200, 3), 1.0, seed=4)
    results = []
    for move in (mechanics._together, lambda x, v, f, dt, n: mechanics._with_a_list(x, v, dt, n)):
        x, w = system.lattice()[None].copy(), v.copy()
        end, _ = move(x, w, mechanics.measure(x).forces.copy(), np.array([0.004]), 10)
        results.append((system.wrap(x), w, end.energy))
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)


def test_mala_is_the_textbook_rule():
    """The acceptance of one step by the Hastings ratio, written out."""
    system, temperature, epsilon = sp.LennardJonesSystem.cluster(4), np.array([0.5, 2.0]), 0.08
    sampler = sp.MALA(system, temperature, step_size=epsilon)
    key = Key(9, 4)
    state = sampler.init(key, 2)
    x, noise = state.positions.copy(), sampler.normals(key, 2, 1)
    t = temperature[:, None, None]
    epsilon = float(state.steps.current[0])
    proposed = x + epsilon**2 / (2 * t) * system.forces(x) + epsilon * noise
    there = -((proposed - x - epsilon**2 / (2 * t) * system.forces(x)) ** 2).sum(axis=(1, 2)) / (2 * epsilon**2)
    back = -((x - proposed - epsilon**2 / (2 * t) * system.forces(proposed)) ** 2).sum(axis=(1, 2)) / (2 * epsilon**2)
    log_ratio = (system.energy(x) - system.energy(proposed)) / temperature + back - there
    state, info = sampler.step(key, state)
    np.testing.assert_allclose(info["acceptance"], np.minimum(1, np.exp(log_ratio)), atol=2e-6)
    assert (info["acceptance"] < 0.999).all()
    for chain in np.flatnonzero(info["accepted"]):
        np.testing.assert_allclose(state.positions[chain], proposed[chain], rtol=1e-12)


def test_a_fluid_by_five_samplers():
    """Energy, virial and the temperature of the forces agree between MALA, HMC, dynamics, and ladders of both."""
    system = sp.LennardJonesSystem(32, box=3.7, cutoff=1.8, shift="force")
    t = 1.4
    warm = sp.run(sp.Langevin(system, t), n_chains=12, n_steps=1000, thin=1000, seed=9)
    runs = {
        "langevin": (sp.Langevin(system, t, timestep=0.003), 2000, 20, 12),
        "hmc": (sp.HMC(system, t, step_size=0.012), 160, 2, 12),
        "mala": (sp.MALA(system, t, step_size=0.03), 1200, 15, 12),
        "ladder": (sp.ParallelTempering.over(sp.HMC(system, [t, 1.6], step_size=0.012)), 160, 2, 24),
        "dynamic": (
            sp.ParallelTempering.over(sp.Langevin(system, [t, 1.6], timestep=0.003), swap_every=20),
            100,
            1,
            24,
        ),
    }
    found = {}
    for name, (sampler, n_steps, thin, n_chains) in runs.items():
        samples = sp.run(
            sampler, n_chains=n_chains, n_steps=n_steps, burn_in=n_steps // 4, thin=thin, seed=5,
            init=np.resize(warm.draws[:, -1], (n_chains, 32, 3)),
        ).select(temperature=t)  # fmt: skip
        measured = sp.analysis.configurational_temperature(system, samples.draws)
        assert abs(measured.mean - t) < 4.5 * measured.stderr + 0.005, name
        assert measured.stderr < 0.05, name
        if "kinetic_energy" in samples.info:  # also of velocities that have changed temperature
            kinetic = samples.info["kinetic_energy"].mean() / 20 * 2 / 96
            assert kinetic == pytest.approx(t, abs=0.03), name
        found[name] = np.stack([samples.energy.mean(axis=1), samples.info["virial"].mean(axis=1)]) / 32
    for name, values in found.items():
        difference = values.mean(axis=1) - found["langevin"].mean(axis=1)
        error = np.sqrt((values.var(axis=1, ddof=1) + found["langevin"].var(axis=1, ddof=1)) / 12)
        assert (np.abs(difference) < 4.5 * error + [2e-3, 2e-2]).all(), (name, difference, error)
        assert (error < [0.03, 0.4]).all(), (name, error)


def test_swaps_are_accepted_as_they_should():
    """Two confined particles at two temperatures: the rate is a double integral over exact energies."""
    system = sp.LennardJonesSystem(2, periodic=False, confinement=1.0)
    ladder = np.array([0.7, 1.3])
    sampler = sp.ParallelTempering.over(sp.HMC(system, ladder, step_size=0.05, n_leapfrog=8))
    samples = sp.run(sampler, n_chains=512, n_steps=200, burn_in=200, seed=6)
    r = np.linspace(0.75, 9, 2000)
    energy = pair_energy(r) + r**2 / 4
    p, q = (r**2 * np.exp(-(energy + 1) / t) for t in ladder)
    accepted = np.exp(np.minimum(np.subtract.outer(energy, energy) * (1 / ladder[0] - 1 / ladder[1]), 0))
    exact = p @ accepted @ q / (p.sum() * q.sum())
    rates = samples.info["swap_accepts"][::2].sum(axis=1) / samples.info["swap_attempts"][::2].sum(axis=1)
    assert abs(deviation(rates, exact)) < 4.5
    assert samples.info["swap_attempts"][::2].sum(axis=1).tolist() == [100] * 256
    assert samples.info["swap_attempts"][1::2].sum() == 0
    for t in ladder:
        means = samples.select(temperature=t).energy.mean(axis=1)
        assert abs(deviation(means, two_particles(t, 1.0, lambda r: pair_energy(r) + r**2 / 4))) < 4.5
    assert samples.info["round_trips"].sum() > 100
