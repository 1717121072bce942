# SPDX-License-Identifier: BSD-3-Clause
"""The fluid against NIST's equation of state, and the energy that velocity Verlet keeps."""

from __future__ import annotations

import numpy as np
import pytest

import spinodal as sp

# T, ρ, U/N, p: NIST Standard Reference Simulation Website (SRSW), Lennard-Jones fluid, Monte Carlo, r_c = 3 with tails.
# The last two are what their own errors are taken to be at most.
STATES = [
    (0.85, 0.009, -0.093973, 7.1641e-3, 3e-4, 1e-5),
    (0.85, 0.776, -5.5121, 6.7714e-3, 5e-4, 2e-3),
    (0.85, 0.820, -5.7947, 0.55355, 5e-4, 2e-3),
    (0.90, 0.820, -5.7456, 0.82386, 5e-4, 2e-3),
]


@pytest.mark.parametrize("state", STATES, ids=lambda s: f"T={s[0]} rho={s[1]}")
def test_equation_of_state(state):
    """Within 4σ; the energy of the liquid to 0.3 % or better, its pressure to 0.06 ε/σ³."""
    temperature, density, energy, pressure, energy_error, pressure_error = state
    gas = density < 0.1
    system = sp.LennardJonesSystem(400, box=(400 / density) ** (1 / 3), cutoff=3.0)
    sampler = sp.Langevin(system, temperature, timestep=0.004, friction=0.4 if gas else 1.0)
    n_steps = 12_000 if gas else 6000
    samples = sp.run(sampler, n_chains=2, n_steps=n_steps, burn_in=1500, thin=20, seed=1, keep_draws=False)
    found = samples.estimate("energy_with_tail"), samples.estimate("pressure_with_tail")
    for estimate, value, error in zip(found, (energy, pressure), (energy_error, pressure_error), strict=True):
        assert abs(estimate.mean - value) < 4 * np.hypot(estimate.stderr, error), (estimate, value)
    assert found[0].stderr < (0.1 if gas else 0.003) * abs(energy)
    assert found[1].stderr < (3e-4 if gas else 0.06)
    kinetic = samples.info["kinetic_energy"] / 20 * 2 / sampler.n_freedoms
    assert kinetic.mean() == pytest.approx(temperature, abs=0.02)


def drift(n, n_steps, thin):
    """Change of the total energy a particle over a run by a straight line, and its error."""
    system = sp.LennardJonesSystem(n, box=(n / 0.8442) ** (1 / 3), shift="force")
    warm = sp.run(sp.Langevin(system, 0.72), n_chains=1, n_steps=1500, thin=1500, seed=2)
    sampler = sp.VelocityVerlet(system, 0.72, timestep=0.004)
    samples = sp.run(sampler, n_chains=1, n_steps=n_steps, thin=thin, seed=3, init=warm.draws[:, -1], keep_draws=False)
    energy = samples.info["total_energy"][0] / n
    time = np.linspace(-0.5, 0.5, energy.size)
    slope = time @ energy / (time @ time)
    rest = energy - energy.mean() - slope * time
    return slope, rest.std() / np.sqrt(time @ time), samples


def test_velocity_verlet_keeps_the_energy():
    """A run shorter than the next test's; and the temperature is that of the velocities."""
    slope, error, samples = drift(256, 10_000, 5)
    assert abs(slope) < 5e-5 + 4 * error and error < 2e-5
    kinetic = samples.info["kinetic_energy"][0] / 5 * 2 / (3 * 255)
    assert 0.6 < kinetic.mean() < 0.85
    assert samples.info["total_energy"].std() < 0.05 * samples.energy.std()  # what the one loses, the other gains


@pytest.mark.slow
def test_the_energy_does_not_drift():
    """Less than 1e-5 ε a particle over 100,000 steps of 0.004, of the force-shifted fluid."""
    slope, error, _ = drift(500, 100_000, 20)
    assert error < 5e-6
    assert abs(slope) < 1e-5


def test_a_truncated_potential_wanders():
    """What the test above would see of the plain truncation: its energy steps at every crossing of the cutoff."""
    system = sp.LennardJonesSystem(256, box=(256 / 0.8442) ** (1 / 3))
    warm = sp.run(sp.Langevin(system, 0.72), n_chains=1, n_steps=1500, thin=1500, seed=2)
    samples = sp.run(sp.VelocityVerlet(system, 0.72), n_chains=1, n_steps=5000, thin=5, seed=3, init=warm.draws[:, -1])
    energy = samples.info["total_energy"][0] / 256
    assert np.ptp(energy) > 5e-3
