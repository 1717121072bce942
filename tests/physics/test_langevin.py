# SPDX-License-Identifier: BSD-3-Clause
"""Molecular dynamics: conserved energy, and canonical averages against quadrature and one another."""

from __future__ import annotations

import numpy as np
import pytest

import spinodal as sp
from reference.lennard_jones import pair_energy


def mean_and_error(x, axis=0):
    """Of independent chains' means."""
    return x.mean(axis=axis), x.std(axis=axis, ddof=1) / np.sqrt(x.shape[axis])


def total_energies(n, box, timestep, n_calls, steps_a_call, precision="double"):
    system = sp.LennardJonesSystem(n, box=box, shift="force")
    x = system.lattice()
    v = sp.kernels.maxwell_velocities(x.shape, 0.1, seed=4)
    v -= v.mean(axis=0)
    listed, energies = x.copy(), []
    options = {"listed": listed, "friction": 0.0, "shift": "force", "timestep": timestep, "precision": precision}
    sp.kernels.langevin_steps(x, v, box, n_steps=500, **options)  # melt
    for _ in range(n_calls):
        sp.kernels.langevin_steps(x, v, box, n_steps=steps_a_call, **options)
        energies.append((system.energy(x) + 0.5 * (v**2).sum()) / n)
    np.testing.assert_allclose(v.sum(axis=0), 0, atol=1e-10 if precision == "double" else 1e-2)
    return np.array(energies)


@pytest.mark.parametrize(
    ("n", "box", "precision"), [(256, 6.72, "double"), (256, 6.72, "mixed"), (100, 5.2, "double")], ids=str
)  # by a list, and in lanes
def test_constant_energy(n, box, precision):
    """No drift beyond the error of the means, which fluctuate with the timestep's error."""
    energies = total_energies(n, box, 0.004, n_calls=400, steps_a_call=25, precision=precision)
    early, late = energies[:200], energies[200:]
    assert np.abs(energies - energies.mean()).max() < 4e-3
    blocks = np.stack([early, late]).reshape(2, 10, 20).mean(axis=2)
    drift, error = blocks[1].mean() - blocks[0].mean(), np.sqrt((blocks.var(axis=1, ddof=1) / 10).sum())
    assert abs(drift) < max(4 * error, 1e-6)
    assert error < 5e-5


def test_the_energy_error_is_of_second_order():
    """Halved timestep, a quarter of the fluctuation."""
    coarse = total_energies(256, 6.72, 0.004, n_calls=100, steps_a_call=5).std()
    fine = total_energies(256, 6.72, 0.002, n_calls=100, steps_a_call=10).std()
    assert coarse / fine == pytest.approx(4, rel=0.5)


def dimer_averages(temperature, confinement, function):
    """⟨function(r)⟩ of two particles: p(r) ∝ r² exp(−(u(r) + k r²/4)/T)."""
    r = np.linspace(0.6, 12, 200_001)
    exponent = -(pair_energy(r) + confinement * r**2 / 4) / temperature
    weight = r**2 * np.exp(exponent - exponent.max())
    return np.trapezoid(weight * function(r), r) / np.trapezoid(weight, r)


def test_two_particles_against_quadrature():
    """Energy and distance, within 4σ of 512 chains; the splitting's own error is below it at this timestep."""
    system = sp.LennardJonesSystem(2, periodic=False, confinement=1.0)
    sampler = sp.Langevin(system, 0.8, timestep=0.005, friction=2.0)
    samples = sp.run(sampler, n_chains=512, n_steps=20_000, burn_in=2000, thin=100, seed=3)
    distance = system.pairwise_distances(samples.draws)[..., 0]
    potential = samples.energy - 0.25 * distance**2
    for values, function in ((potential, pair_energy), (distance, lambda r: r), (distance**2, np.square)):
        mean, error = mean_and_error(values.mean(axis=1))
        exact = dimer_averages(0.8, 1.0, function)
        assert abs(mean - exact) < 4 * error + 1e-3 * abs(exact), function
        assert error < 0.02 * abs(exact)


@pytest.mark.parametrize(("n", "box", "dim"), [(108, 5.1, 3), (150, 7.0, 3), (60, 9.0, 2)])
def test_temperatures_of_velocities_and_of_positions(n, box, dim):
    """Equipartition, and the configurational temperature ⟨|∇U|²⟩/⟨∇²U⟩, of a fluid of force-shifted particles."""
    system = sp.LennardJonesSystem(n, box=box, shift="force", dim=dim)
    sampler = sp.Langevin(system, 1.4, timestep=0.003, friction=2.0)
    samples = sp.run(sampler, n_chains=8, n_steps=2000, burn_in=1000, thin=50, seed=2)
    kinetic = samples.info["kinetic_energy"] / 50 * 2 / sampler.n_freedoms
    mean, error = mean_and_error(kinetic.mean(axis=1))
    assert abs(mean - 1.4) < 4 * error + 2e-3
    forces = system.forces(samples.draws)
    h = 1e-4  # the Laplacian by a difference of forces, along random directions (Hutchinson's estimator)
    direction = np.where(np.random.default_rng(1).random(forces.shape) < 0.5, -1.0, 1.0)
    change = system.forces(samples.draws + h * direction) - system.forces(samples.draws - h * direction)
    laplacian = -(change * direction).sum(axis=(-2, -1)) / (2 * h)
    ratio = (forces**2).sum(axis=(-2, -1)).mean(axis=1) / laplacian.mean(axis=1)
    mean, error = mean_and_error(ratio)
    assert abs(mean - 1.4) < 4 * error + 0.01
    assert error < 0.06


def test_a_cluster_keeps_together_and_its_centre():
    system = sp.LennardJonesSystem.cluster(13)
    samples = sp.run(sp.Langevin(system, 0.5), n_chains=8, n_steps=500, thin=50, seed=1)
    np.testing.assert_allclose(samples.draws.mean(axis=2), 0, atol=1e-12)
    assert samples.draws.std() < 3


@pytest.mark.parametrize(
    "system", [sp.LennardJonesSystem(20, box=6.0), sp.LennardJonesSystem(200, box=6.5)], ids=["lanes", "list"]
)
def test_runs_are_reproducible_and_resume(system, tmp_path):
    """The same bits in one go, on workers, stopped and resumed, and at any number of threads."""
    from concurrent.futures import ThreadPoolExecutor

    pytest.importorskip("h5py")
    sampler = sp.Langevin(system, [1.0, 2.0, 3.0])
    arguments = {"n_chains": 3, "n_steps": 160, "burn_in": 40, "thin": 20, "seed": 11}
    whole = sp.run(sampler, n_threads=1, **arguments)
    path = tmp_path / "run.h5"
    stopped = sp.run(sampler, checkpoint=path, checkpoint_every=0, callback=lambda step, *_: step < 100, **arguments)
    assert not stopped.provenance["complete"]
    with ThreadPoolExecutor(2) as pool:
        others = [
            sp.run(sampler, checkpoint=path, resume="must", **arguments),
            sp.run(sampler, executor=pool, **arguments),
            sp.run(sampler, n_threads=3, **arguments),
        ]
    for other in others:
        np.testing.assert_array_equal(other.draws, whole.draws)
        np.testing.assert_array_equal(other.energy, whole.energy)
        np.testing.assert_array_equal(other.info["kinetic_energy"], whole.info["kinetic_energy"])


def test_samples_are_gone_on_from_and_describe_themselves():
    system = sp.LennardJonesSystem(20, box=6.0)
    sampler = sp.Langevin(system, 1.0)
    first = sp.run(sampler, n_chains=2, n_steps=20, thin=10, seed=1)
    second = sp.run(sampler, n_chains=2, n_steps=20, thin=10, seed=1, init=first)
    assert not np.array_equal(first.draws[:, 0], second.draws[:, 0])
    assert second.provenance["sampler"]["method"] == "Langevin"
    assert second.provenance["system"]["kind"] == "lennard_jones"
    assert first.estimate("energy_per_site").mean == pytest.approx(first.energy.mean() / 20)
    assert first.to_xarray()["draws"].dims == ("chain", "draw", "particle", "axis")
    with pytest.raises(ValueError, match="friction must be finite and > 0; got 0"):
        sp.Langevin(system, 1.0, friction=0.0)
    with pytest.raises(ValueError, match="configurations must be finite"):
        sp.run(sampler, n_chains=2, n_steps=1, init=np.full((2, 20, 3), np.nan))
    with pytest.raises(ValueError, match="2 temperatures were given for n_chains=3"):
        sp.run(sp.Langevin(system, [1.0, 2.0]), n_chains=3, n_steps=1)
