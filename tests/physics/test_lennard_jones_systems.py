# SPDX-License-Identifier: BSD-3-Clause
"""Particle systems: known energies and minima, conventions, and what is measured on a configuration."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.optimize import minimize

import spinodal as sp
from reference.lennard_jones import lattice_with_noise, lennard_jones_one, tail_corrections


def test_a_pair_at_its_minimum():
    system = sp.LennardJonesSystem(2, periodic=False, epsilon=0.7, sigma=1.2)
    pair = np.array([[0, 0, 0], [2 ** (1 / 6) * 1.2, 0, 0]])
    assert system.energy(pair) == pytest.approx(-0.7, abs=1e-14)
    np.testing.assert_allclose(system.forces(pair), 0, atol=1e-13)


def icosahedra(n: int) -> np.ndarray:
    """Mackay icosahedra of 13 or 55 sites, at about the spacing of a Lennard-Jones cluster."""
    golden = (1 + 5**0.5) / 2
    corners = np.array([p for a in (-1, 1) for b in (-golden, golden) for p in [(0, a, b), (a, b, 0), (b, 0, a)]])
    shell = [np.zeros((1, 3)), corners * 0.57]
    if n == 55:
        near = np.linalg.norm(corners[:, None] - corners[None], axis=-1) < 2.1
        edges = [(corners[i] + corners[j]) / 2 for i in range(12) for j in range(i) if near[i, j]]
        shell += [corners * 2 * 0.57, np.array(edges) * 2 * 0.57]
    return np.concatenate(shell)


# Global minima: Hoare and Pal (1971); Northby, J. Chem. Phys. 87, 6166 (1987).
@pytest.mark.parametrize(("n", "minimum"), [(13, -44.326801420), (55, -279.248470463)])
def test_cluster_minima(n, minimum):
    system = sp.LennardJonesSystem(n, periodic=False)
    start = icosahedra(n)
    assert len(start) == n

    def energy_and_gradient(flat):
        energy, forces, _ = system.measure(flat.reshape(n, 3))
        return energy, -forces.ravel()

    found = minimize(energy_and_gradient, start.ravel(), jac=True, method="L-BFGS-B", options={"gtol": 1e-9})
    assert found.fun == pytest.approx(minimum, abs=1e-8)


def test_crystal_energies_per_particle():
    """The fcc lattice sum: −8.610 ε at its densest, Kihara and Koba, J. Phys. Soc. Jpn. 7, 348 (1952)."""
    a = 2 ** (2 / 3) * 0.97123  # nearest neighbours at 1.0902 σ
    cell = np.array([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]]) * a / 2
    grid = a * np.stack(np.meshgrid(*[np.arange(6)] * 3, indexing="ij"), axis=-1).reshape(-1, 1, 3)
    system = sp.LennardJonesSystem(864, box=6 * a, cutoff=3 * a, tail=True)
    assert system.energy((grid + cell).reshape(-1, 3)) / 864 == pytest.approx(-8.610, abs=0.005)


@pytest.mark.parametrize(("dim", "box"), [(3, (7.0, 7.5, 8.0)), (2, (9.0, 10.0))])
def test_what_a_fluid_measures(dim, box):
    box = np.array(box)
    n = 80
    system = sp.LennardJonesSystem(n, box=box, cutoff=3.0, tail=True, dim=dim)
    x = lattice_with_noise(n, box, seed=1)
    energy, forces, virial = lennard_jones_one(x, box, cutoff=3.0)
    tail_energy, tail_pressure = tail_corrections(system.density, 3.0, dim=dim)
    assert system.energy(x) == pytest.approx(energy + n * tail_energy, rel=1e-6)
    assert system.tail_energy == pytest.approx(n * tail_energy, rel=1e-6)
    assert system.tail_pressure == pytest.approx(tail_pressure, rel=1e-6)
    np.testing.assert_allclose(system.forces(x), forces, rtol=1e-10, atol=1e-9)
    np.testing.assert_allclose(system.score(x, 0.7), forces / 0.7, rtol=1e-10, atol=1e-9)
    pressure = (n * 1.3 + virial / dim) / box.prod() + tail_pressure
    assert system.pressure(x, 1.3) == pytest.approx(pressure, rel=1e-6)


def test_the_virial_is_the_derivative_by_volume():
    """W = −dim V dU/dV at fixed scaled positions, where no pair crosses the cutoff: with the force shift."""
    box, n = 7.0, 100
    x = lattice_with_noise(n, np.full(3, box), seed=2)

    def energy(scale):
        return sp.LennardJonesSystem(n, box=box * scale, cutoff=3.0, shift="force").energy(x * scale)

    h = 1e-5
    slope = (energy(1 + h) - energy(1 - h)) / (2 * h)
    assert sp.LennardJonesSystem(n, box=box, cutoff=3.0, shift="force").virial(x) == pytest.approx(-slope, rel=1e-7)


def test_confinement_and_the_conventions_of_the_literature():
    x = 1.3 * sp.LennardJonesSystem.cluster(13).lattice() + [3, -2, 5]
    r = np.linalg.norm(x[:, None] - x[None], axis=-1)[np.triu_indices(13, 1)]
    pairs, springs = (r**-12 - 2 * r**-6).sum(), 0.5 * ((x - x.mean(axis=0)) ** 2).sum()
    for counted, factor in (("once", 1), ("twice", 2)):
        system = sp.LennardJonesSystem.cluster(13, pairs_counted=counted)
        assert system.energy(x) == pytest.approx(factor * pairs + springs, rel=1e-12)
        h = 1e-5
        moved = np.stack([x, x])
        moved[:, 4, 1] += [-h, h]
        energy = system.energy(moved)
        assert system.forces(x)[4, 1] == pytest.approx((energy[0] - energy[1]) / (2 * h), rel=1e-7)
        scaled = np.stack([x * (1 - h), x * (1 + h)])
        energy = system.energy(scaled)
        assert system.virial(x) == pytest.approx((energy[0] - energy[1]) / (2 * h), rel=1e-6)


def test_distances_and_images():
    system = sp.LennardJonesSystem(3, box=(5.0, 6.0, 7.0))
    x = np.array([[0.1, 0.1, 0.1], [4.9, 5.9, 6.9], [2.0, 0.1, 0.1]])
    np.testing.assert_allclose(system.pairwise_distances(x)[:2], [0.2 * 3**0.5, 1.9])
    np.testing.assert_allclose(system.minimum_image([3.0, -4.0, 20.0]), [-2.0, 2.0, -1.0])
    np.testing.assert_allclose(system.wrap(x - [5, 12, 70]), x)
    assert (system.wrap(np.full((3, 3), -1e-18)) < system.box).all()
    free = sp.LennardJonesSystem(3, periodic=False)
    np.testing.assert_allclose(free.pairwise_distances(x)[0], np.linalg.norm(x[0] - x[1]))


@pytest.mark.parametrize("n", [1, 2, 7, 100, 864, 1000])
@pytest.mark.parametrize("dim", [2, 3])
def test_lattices_have_finite_energies(n, dim):
    """Dense states to start from, in a box and as a cluster."""
    system = sp.LennardJonesSystem(n, box=np.array([1.0, 1.3, 0.9])[:dim] * (n / 0.9) ** (1 / dim), dim=dim)
    x = system.lattice()
    assert x.shape == system.shape
    assert ((x >= 0) & (x < system.box)).all()
    assert np.isfinite(system.energy(x))
    cluster = sp.LennardJonesSystem(n, periodic=False, dim=dim)
    x = cluster.lattice()
    assert len(np.unique(x.round(6), axis=0)) == n
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-12)
    assert n == 1 or cluster.energy(x) < 0


def test_double_well():
    system = sp.DoubleWell()
    x = np.random.default_rng(1).normal(0, 3, (5, 4, 2))
    want = [
        0.5 * sum(-4 * (d - 4) ** 2 + 0.9 * (d - 4) ** 4 for i in range(4) for j in range(4) if i != j
                  for d in [np.linalg.norm(one[i] - one[j])])
        for one in x
    ]  # fmt: skip
    np.testing.assert_allclose(system.energy(x), want, rtol=1e-12)
    h = 1e-5
    for i, axis in [(0, 0), (3, 1)]:
        up, down = x.copy(), x.copy()
        up[:, i, axis] += h
        down[:, i, axis] -= h
        slope = (system.energy(up) - system.energy(down)) / (2 * h)
        np.testing.assert_allclose(system.forces(x)[:, i, axis], -slope, rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(system.score(x, 2.0), system.forces(x) / 2)
    with pytest.raises(ValueError, match="same place"):
        system.forces(np.zeros((4, 2)))
    assert system.energy(system.lattice()) < 0


@pytest.mark.parametrize(
    "system", [sp.LennardJonesSystem(5, box=9.0), sp.LennardJonesSystem.cluster(13), sp.DoubleWell()]
)
def test_systems_describe_themselves(system):
    described = json.loads(json.dumps({**system.describe(), **system.conventions}))
    assert described["shape"] == list(system.shape)
    assert "nan" not in json.dumps(described).lower()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_particles": 0, "box": 5.0}, "n_particles must be an integer >= 1; got 0"),
        ({"n_particles": 8}, "periodic particles need a box"),
        ({"n_particles": 8, "box": 5.0, "dim": 4}, "dim must be 2 or 3; got 4"),
        ({"n_particles": 8, "box": 5.0, "confinement": 1.0}, "confinement must be .* 0 in a periodic box; got 1.0"),
        ({"n_particles": 8, "periodic": False, "tail": True}, "tail=True corrects a periodic fluid"),
    ],
)
def test_bad_systems(arguments, message):
    with pytest.raises(ValueError, match=message):
        sp.LennardJonesSystem(**arguments)


def test_bad_shapes_and_temperatures():
    system = sp.LennardJonesSystem(8, box=5.0)
    with pytest.raises(ValueError, match=r"positions must have shape \(…, 8, 3\); got \(7, 3\)"):
        system.energy(np.zeros((7, 3)))
    with pytest.raises(ValueError, match="temperature must be finite and > 0; got 0"):
        system.score(system.lattice(), 0.0)
    with pytest.raises(ValueError, match="no volume"):
        sp.LennardJonesSystem(8, periodic=False).pressure(np.zeros((8, 3)), 1.0)
    with pytest.raises(ValueError, match="needs a lower bound"):
        sp.DoubleWell(c=-1.0)
