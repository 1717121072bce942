# SPDX-License-Identifier: BSD-3-Clause
"""Local moves: canonical averages against quadrature, dynamics, and NIST's equation of state."""

from __future__ import annotations

import numpy as np
import pytest

import spinodal as sp
from reference.lennard_jones import pair_energy


def z_score(values, exact, uncertainty=0.0):
    """Deviation of the mean over chains in units of its error."""
    means = values.mean(axis=1)
    return (means.mean() - exact) / np.hypot(means.std(ddof=1) / np.sqrt(len(means)), uncertainty)


def trimer_averages(temperature, confinement):
    """⟨U⟩ and the mean side of three particles in the plane, over r₁₂, r₁₃ and the angle between them."""
    r, angle = np.linspace(0.6, 7.0, 240), (np.arange(120) + 0.5) / 120 * np.pi
    a, b, c = np.meshgrid(r, r, np.cos(angle), indexing="ij")
    third = np.sqrt(np.maximum(a**2 + b**2 - 2 * a * b * c, 1e-12))
    sides = (a, b, third)
    energy = sum(pair_energy(np.maximum(side, 0.5)) for side in sides)
    energy = energy + confinement / 6 * sum(side**2 for side in sides)
    weight = a * b * np.exp(-(energy - energy.min()) / temperature)
    return (weight * energy).sum() / weight.sum(), (weight * sum(sides)).sum() / (3 * weight.sum())


def test_three_particles_against_quadrature():
    system = sp.LennardJonesSystem(3, dim=2, periodic=False, confinement=1.0)
    sampler = sp.LocalMoves(system, 0.7, step=0.3)
    samples = sp.run(sampler, n_chains=256, n_steps=3000, burn_in=300, thin=20, seed=3)
    energy, side = trimer_averages(0.7, 1.0)
    assert abs(z_score(samples.energy, energy, 1e-3)) < 4
    assert abs(z_score(system.pairwise_distances(samples.draws).mean(axis=2), side, 1e-3)) < 4
    assert samples.energy.mean(axis=1).std() / 16 < 0.03
    np.testing.assert_allclose(samples.draws.mean(axis=2) - system.lattice().mean(axis=0), 0, atol=1e-12)


def test_double_wells_against_hybrid_monte_carlo():
    system = sp.DoubleWell()
    local = sp.run(sp.LocalMoves(system, 2.0, step=0.5), n_chains=128, n_steps=400, burn_in=120, thin=4, seed=1)
    hybrid = sp.run(sp.HMC(system, 2.0), n_chains=128, n_steps=400, burn_in=120, thin=4, seed=1)
    means = hybrid.energy.mean(axis=1)
    assert abs(z_score(local.energy, means.mean(), means.std(ddof=1) / np.sqrt(128))) < 4
    assert abs(local.info["accepted"].mean() / 16 - 0.4) < 0.03


@pytest.mark.parametrize(("n", "box", "dim"), [(150, 5.8, 3), (60, 9.0, 2)])
def test_the_fluid_of_langevin(n, box, dim):
    system = sp.LennardJonesSystem(n, box=box, dim=dim, shift="force")
    local = sp.run(sp.LocalMoves(system, 1.3), n_chains=8, n_steps=1000, burn_in=300, thin=5, seed=1)
    dynamics = sp.Langevin(system, 1.3, timestep=0.003, friction=2.0)
    langevin = sp.run(dynamics, n_chains=8, n_steps=4000, burn_in=1000, thin=40, seed=1)
    for name in ("energy", "virial"):
        ours, theirs = (samples.energy if name == "energy" else samples.info[name] for samples in (local, langevin))
        means = theirs.mean(axis=1)
        assert abs(z_score(ours, means.mean(), means.std(ddof=1) / np.sqrt(8))) < 4, name


# Energy and pressure of the truncated fluid with tails, cutoff 3: NIST Standard Reference Simulation Website.
@pytest.mark.parametrize(
    ("n", "temperature", "density", "energy", "pressure", "n_steps"),
    [(400, 0.85, 0.776, -5.5121, 6.7714e-3, 1200), (200, 0.85, 0.009, -0.093973, 7.1641e-3, 1000)],
)
def test_equation_of_state(n, temperature, density, energy, pressure, n_steps):
    system = sp.LennardJonesSystem(n, box=(n / density) ** (1 / 3), cutoff=3.0, tail=True)
    samples = sp.run(sp.LocalMoves(system, temperature), n_chains=6, n_steps=n_steps, burn_in=400, thin=10, seed=5)
    assert abs(z_score(samples.energy / n, energy, 2e-3 * abs(energy))) < 4
    found = (n * temperature + samples.info["virial"] / 3) / system.volume
    assert abs(z_score(found, pressure, 2e-5)) < 4
    assert samples.energy.mean(axis=1).std() / n / np.sqrt(6) < 0.02 * abs(energy)


def test_steps_find_their_acceptance():
    """Each chain at its own temperature finds its own step; half the box is the longest."""
    system = sp.LennardJonesSystem(150, box=6.0)
    samples = sp.run(sp.LocalMoves(system, [0.8, 1.5, 3.0]), n_chains=3, n_steps=60, burn_in=200, seed=2)
    assert (np.abs(samples.info["accepted"].mean(axis=1) / 150 - 0.4) < 0.04).all()
    steps = samples.info["step_size"]
    assert (steps == steps[:, :1]).all() and (np.diff(steps[:, 0]) > 0).all()
    gas = sp.run(sp.LocalMoves(sp.LennardJonesSystem(10, box=30.0), 2.0), n_chains=2, n_steps=2, burn_in=60, seed=2)
    assert (gas.info["step_size"] == 15.0).all()
