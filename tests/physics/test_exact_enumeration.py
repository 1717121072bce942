# SPDX-License-Identifier: BSD-3-Clause
"""Exact counts and ensembles against brute force over every state."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys

import numpy as np
import pytest

from spinodal.exact import all_states, boltzmann, density_of_states, enumerate_ising, kaufman

SMALL = [
    (2, 2),
    (2, 3),
    (3, 2),
    (3, 3),
    (2, 5),
    (3, 4),
    (4, 4),
    (3, 5),
    (2, 2, 2),
    (2, 2, 3),
    (2, 3, 2),
    (2, 2, 4),
    (2, 3, 3),
]


def brute_force(shape):
    """Bond sum and spin sum of every state, from an explicit list of bonds."""
    sites = list(itertools.product(*map(range, shape)))
    number = {site: i for i, site in enumerate(sites)}
    index = np.arange(1 << len(sites))
    spins = [2 * (index >> i & 1) - 1 for i in range(len(sites))]
    bond_sum = np.zeros_like(index)
    for site in sites:
        for axis, length in enumerate(shape):
            neighbour = (*site[:axis], (site[axis] + 1) % length, *site[axis + 1 :])
            bond_sum += spins[number[site]] * spins[number[neighbour]]
    return bond_sum, sum(spins)


@pytest.mark.parametrize("shape", SMALL)
def test_joint_counts_equal_brute_force(shape):
    cells, counts = np.unique(np.stack(brute_force(shape), axis=1), axis=0, return_counts=True)
    ensemble = enumerate_ising(shape)
    order = np.lexsort((ensemble.spin_sum, ensemble.bond_sum))
    np.testing.assert_array_equal(np.stack([ensemble.bond_sum, ensemble.spin_sum], axis=1)[order], cells)
    np.testing.assert_array_equal(ensemble.counts[order], counts)


@pytest.mark.parametrize("shape", [(5, 5), (4, 7), (6, 6), (2, 16), (2, 2, 5)])
def test_two_methods_count_alike(shape):
    """A transfer matrix in integers, and Kaufman's products in fixed point (in 2-D)."""
    ensemble = enumerate_ising(shape)
    marginal = {}
    for b, count in zip(ensemble.bond_sum.tolist(), ensemble.counts.tolist(), strict=True):
        marginal[b] = marginal.get(b, 0) + count
    levels = density_of_states(shape)
    assert marginal == dict(zip(levels.bond_sum.tolist(), levels.counts, strict=True))
    assert sum(levels.counts) == 2 ** math.prod(shape)
    n = math.prod(shape)
    for m in range(-n, n + 1, 2):
        assert ensemble.counts[ensemble.spin_sum == m].sum() == math.comb(n, (n + m) // 2)


@pytest.mark.parametrize("shape", [(3, 3, 3), (4, 5), (3, 7)])
def test_moments_over_all_states(shape):
    """At T = ∞ spins are independent: ⟨B²⟩, ⟨BM²⟩ count bonds, ⟨B³⟩ triangles, the rings of length 3."""
    ensemble, n = enumerate_ising(shape), math.prod(shape)
    bonds, triangles = n * len(shape), sum(n // 3 for length in shape if length == 3)
    cells = list(zip(ensemble.counts.tolist(), ensemble.bond_sum.tolist(), ensemble.spin_sum.tolist(), strict=True))
    assert sum(g for g, _, _ in cells) == 2**n
    assert sum(g * b for g, b, _ in cells) == 0
    assert sum(g * b**2 for g, b, _ in cells) == bonds * 2**n
    assert sum(g * b**3 for g, b, _ in cells) == 6 * triangles * 2**n
    assert sum(g * m**2 for g, _, m in cells) == n * 2**n
    assert sum(g * b * m**2 for g, b, m in cells) == 2 * bonds * 2**n
    assert sum(g for g, b, _ in cells if b == bonds) == 2


def test_published_density_of_states_4x4():
    levels = density_of_states(4)
    table = dict(zip(levels.energies.tolist(), levels.counts, strict=True))
    half = {-32: 2, -24: 32, -20: 64, -16: 424, -12: 1728, -8: 6688, -4: 13568, 0: 20524}
    assert table == half | {-energy: count for energy, count in half.items()}


def test_low_levels_of_16x16_are_counted_by_hand():
    """Domain walls of length 4, 6, 8: one flip; two neighbours; two apart, three or four in a cluster."""
    n = 256
    levels = density_of_states(16)
    assert levels.counts[:4] == (2, 2 * n, 4 * n, n * (n - 5) + 12 * n + 2 * n)
    np.testing.assert_array_equal(levels.energies[:4], [-512, -504, -500, -496])
    assert sum(levels.counts) == 2**n
    assert levels.counts == levels.counts[::-1]  # bipartite


def test_odd_lattice_is_frustrated():
    levels = density_of_states((3, 5), -1.0)
    assert levels.energies.min() == -30 + 2 * (3 + 5)
    assert density_of_states((3, 5)).energies.min() == -30


@pytest.mark.parametrize("shape", [(3, 3), (4, 4), (2, 5), (2, 2, 3)])
@pytest.mark.parametrize(("J", "h"), [(1.0, 0.0), (1.0, 0.3), (-0.7, 0.2), (0.0, -1.0)])
def test_ensemble_averages_equal_brute_force(shape, J, h):
    bond_sum, spin_sum = brute_force(shape)
    energy, m, n = -J * bond_sum - h * spin_sum, spin_sum / math.prod(shape), math.prod(shape)
    ensemble = enumerate_ising(shape, J, h)
    for t in (0.7, 2.269, 9.0):
        weight = np.exp(-(energy - energy.min()) / t)
        p = weight / weight.sum()
        expected = {
            "log_z": np.log(weight.sum()) - energy.min() / t,
            "energy": p @ energy,
            "energy_per_site": p @ energy / n,
            "free_energy_per_site": -t * (np.log(weight.sum()) - energy.min() / t) / n,
            "heat_capacity": p @ (energy - p @ energy) ** 2 / (n * t**2),
            "magnetization": p @ m,
            "abs_magnetization": p @ np.abs(m),
            "m2": p @ m**2,
            "m4": p @ m**4,
            "binder_cumulant": 1 - p @ m**4 / (3 * (p @ m**2) ** 2),
            "susceptibility": n / t * (p @ (np.abs(m) - p @ np.abs(m)) ** 2),
            "susceptibility_m2": n / t * (p @ m**2),
        }
        for name, value in expected.items():
            assert getattr(ensemble, name)(t) == pytest.approx(value, rel=1e-11, abs=1e-13), name


def test_field_derivatives():
    """⟨M⟩ = T ∂ log Z/∂h, ⟨E⟩ = -∂ log Z/∂β at fixed J, h."""
    t, h, step = 2.5, 0.15, 1e-4
    z = {k: enumerate_ising(4, 1.0, h + k * step).log_z(t) for k in (-1, 1)}
    here = enumerate_ising(4, 1.0, h)
    assert 16 * here.magnetization(t) == pytest.approx(t * (z[1] - z[-1]) / (2 * step), rel=1e-7)
    slope = (here.log_z(1 / (1 / t + step)) - here.log_z(1 / (1 / t - step))) / (2 * step)
    assert here.energy(t) == pytest.approx(-slope, rel=1e-6)


def test_field_reversal_and_independent_spins():
    plus, minus = enumerate_ising((3, 4), 1.0, 0.4), enumerate_ising((3, 4), 1.0, -0.4)
    assert plus.magnetization(2.0) == pytest.approx(-minus.magnetization(2.0), rel=1e-13)
    assert plus.energy(2.0) == pytest.approx(minus.energy(2.0), rel=1e-13)
    assert enumerate_ising((3, 4)).magnetization(1.0) == pytest.approx(0.0, abs=1e-14)
    free = enumerate_ising((3, 4), 0.0, 0.4)
    assert free.magnetization(2.0) == pytest.approx(np.tanh(0.2), rel=1e-13)
    assert free.log_z(2.0) == pytest.approx(12 * np.log(2 * np.cosh(0.2)), rel=1e-13)


def test_temperature_limits():
    ensemble = enumerate_ising(5)
    assert ensemble.energy(0.05) == -50.0
    assert ensemble.heat_capacity(0.05) == pytest.approx(64 * 400 * np.exp(-160.0), rel=1e-12)
    assert ensemble.binder_cumulant(0.05) == pytest.approx(2 / 3, rel=1e-14)
    assert ensemble.log_z(1e6) == pytest.approx(25 * np.log(2), rel=1e-10)
    assert ensemble.m2(1e9) == pytest.approx(1 / 25, rel=1e-7)
    assert ensemble.abs_magnetization(0.05) == 1.0
    assert enumerate_ising(4, 1.0, 1e-3).magnetization(1e-3) == pytest.approx(1.0, abs=1e-13)  # a field breaks the tie


def test_agrees_with_kaufman_at_6x6():
    t = np.array([1.0, 2.269, 5.0])
    ensemble, solution = enumerate_ising(6), kaufman(6, t)
    np.testing.assert_allclose(ensemble.log_z(t), solution.log_z, rtol=1e-13)
    np.testing.assert_allclose(ensemble.energy(t), solution.energy, rtol=1e-13)
    np.testing.assert_allclose(ensemble.heat_capacity(t), solution.heat_capacity_per_site, rtol=1e-12)


def test_shapes_types_and_probabilities():
    ensemble = enumerate_ising((3, 4), 1.0, 0.1)
    grid = np.array([[1.0, 2.0, 3.0]])
    assert ensemble.energy(grid).shape == (1, 3)
    assert isinstance(ensemble.energy(2.0), float)
    assert ensemble.energy(grid)[0, 1] == pytest.approx(ensemble.energy(2.0), rel=1e-15)
    p = ensemble.probabilities(grid)
    assert p.shape == (1, 3, ensemble.energies.size)
    np.testing.assert_allclose(p.sum(axis=-1), 1.0, rtol=1e-14)
    assert ensemble.shape == (3, 4)
    assert ensemble.counts.sum() == 2**12


def test_all_states_order():
    states = all_states((2, 3))
    assert states.shape == (64, 2, 3)
    assert states.dtype == np.int8
    assert states.flags.c_contiguous
    for k in (0, 1, 2, 8, 37, 63):
        bits = [1 if k >> i & 1 else -1 for i in range(6)]
        np.testing.assert_array_equal(states[k], np.reshape(bits, (2, 3)))
    up = all_states(4).reshape(-1, 16) > 0
    np.testing.assert_array_equal(up @ (1 << np.arange(16)), np.arange(2**16))


@pytest.mark.parametrize("shape", [(2, 3), (4, 4), (2, 2, 3)])
def test_boltzmann_equals_brute_force(shape):
    bond_sum, spin_sum = brute_force(shape)
    for t, J, h in [(2.0, 1.0, 0.0), (0.5, -1.0, 0.3), (1.0, 0.0, 0.5), (0.01, 1.0, 0.0)]:
        energy = -J * bond_sum - h * spin_sum
        weight = np.exp(-(energy - energy.min()) / t)
        p = boltzmann(shape, t, J, h)
        np.testing.assert_allclose(p, weight / weight.sum(), rtol=1e-11, atol=1e-300)
        assert p.sum() == pytest.approx(1.0, rel=1e-13)
        assert p @ energy == pytest.approx(enumerate_ising(shape, J, h).energy(t), rel=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: enumerate_ising((8, 9)), r"at most 64 sites, got 72 for shape \(8, 9\)"),
        (lambda: enumerate_ising((4, 4, 4)), "layers of at most 9 sites, got 16"),
        (lambda: enumerate_ising((1, 4)), "lengths must be >= 2, got 1"),
        (lambda: enumerate_ising((4,)), "must have 2 or 3 lengths, got 1"),
        (lambda: enumerate_ising(4, np.inf), "J must be finite, got inf"),
        (lambda: enumerate_ising(4, 1.0, np.nan), "h must be finite, got nan"),
        (lambda: enumerate_ising(4).energy(0.0), r"temperature must be finite and > 0, got 0\.0"),
        (lambda: density_of_states(33), r"<= 1024, got 1089 for shape \(33, 33\)"),
        (lambda: density_of_states((3, 3), np.nan), "J must be finite"),
        (lambda: all_states((3, 7)), r"at most 20 sites can be listed, got 21 for shape \(3, 7\)"),
        (lambda: boltzmann(3, -2.0), r"temperature must be finite and > 0, got -2\.0"),
        (lambda: boltzmann(3, np.array([1.0, 2.0])), "temperature must be one number"),
        (lambda: all_states("ab"), "lattice lengths must be integers, got 'a'"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_needs_numpy_alone():
    code = (
        "import sys, spinodal.exact as e; e.kaufman(4, 2.0); e.onsager(2.0); e.enumerate_ising(3).energy(2.0);"
        "e.denoiser([[0.1, 0.2], [0.3, 0.4]], 1.0, 1.0, 2, 2.0);"
        "print([m for m in ('scipy', 'mpmath', 'sympy', 'numba', 'torch') if m in sys.modules])"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "[]"
