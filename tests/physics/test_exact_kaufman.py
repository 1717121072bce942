# SPDX-License-Identifier: BSD-3-Clause
"""Kaufman's solution against brute force, transfer matrices, published numbers and itself."""

from __future__ import annotations

from decimal import Decimal, localcontext
from functools import cache

import numpy as np
import pytest

from spinodal.exact import critical_temperature, density_of_states, kaufman, onsager
from spinodal.exact.finite_lattice import log_partition

TEMPERATURES = [0.05, 0.1, 0.3, 0.5, 0.8, 0.96, 0.97, 1.5, 2.0, 2.269, 2.3, 3.0, 7.9, 8.0, 30.0, 1000.0]


@cache
def brute_force_histogram(ly, lx):
    """Bond sums of all 2^N states, from an explicit list of bonds; double bonds at length 2."""
    n = ly * lx
    index = np.arange(1 << n)
    bits = [index >> i & 1 for i in range(n)]
    bonds = [(y * lx + x, y * lx + (x + 1) % lx) for y in range(ly) for x in range(lx)]
    bonds += [(y * lx + x, (y + 1) % ly * lx + x) for y in range(ly) for x in range(lx)]
    total = sum(1 - 2 * (bits[i] ^ bits[j]) for i, j in bonds)
    values, counts = np.unique(total, return_counts=True)
    return {int(v): int(c) for v, c in zip(values, counts, strict=True)}


def decimal_reference(histogram, n_sites, temperature, J):
    """log Z, energy and heat capacity per site in 150 digits: good at any temperature."""
    with localcontext() as context:
        context.prec = 150
        beta = 1 / Decimal(temperature)
        weight = {b: g * (beta * Decimal(J) * b).exp() for b, g in histogram.items()}
        z = sum(weight.values())
        energy = sum(-Decimal(J) * b * w for b, w in weight.items()) / z
        variance = sum((-Decimal(J) * b - energy) ** 2 * w for b, w in weight.items()) / z
        return float(z.ln()), float(energy), float(variance * beta**2 / n_sites)


@pytest.mark.parametrize(
    "shape", [(2, 2), (2, 4), (4, 4), (3, 4), (4, 3), (3, 3), (3, 5), (2, 3), (5, 2), (2, 9), (3, 6)]
)
@pytest.mark.parametrize("J", [1.0, 0.37])
def test_ferromagnet_equals_enumeration(shape, J):
    solution = kaufman(shape, J * np.array(TEMPERATURES), J)
    for i, t in enumerate(TEMPERATURES):
        log_z, energy, heat = decimal_reference(brute_force_histogram(*shape), shape[0] * shape[1], J * t, J)
        assert solution.log_z[i] == pytest.approx(log_z, rel=1e-13)
        assert solution.energy[i] == pytest.approx(energy, rel=1e-13)
        assert solution.heat_capacity_per_site[i] == pytest.approx(heat, rel=1e-12, abs=0)


@pytest.mark.parametrize("shape", [(2, 2), (4, 4), (2, 6), (3, 4), (4, 3), (2, 3), (5, 2), (2, 9), (3, 3), (3, 5)])
def test_antiferromagnet_equals_enumeration(shape):
    solution = kaufman(shape, np.array(TEMPERATURES), -1.0)
    one_odd = sum(length % 2 for length in shape) == 1
    for i, t in enumerate(TEMPERATURES):
        log_z, energy, heat = decimal_reference(brute_force_histogram(*shape), shape[0] * shape[1], t, -1.0)
        assert solution.log_z[i] == pytest.approx(log_z, rel=1e-13)
        assert solution.energy[i] == pytest.approx(energy, rel=1e-12)
        loss = 1e-14 * np.exp(2 / t) if one_odd else 0.0
        assert solution.heat_capacity_per_site[i] == pytest.approx(heat, rel=1e-12 + loss, abs=0)


def test_sign_of_coupling_matters_exactly_when_a_length_is_odd():
    for shape in [(2, 2), (2, 4), (4, 6)]:
        assert kaufman(shape, 2.0, -1.0).log_z == kaufman(shape, 2.0, 1.0).log_z
    for shape in [(2, 3), (3, 4), (3, 3), (5, 8), (7, 7)]:
        assert kaufman(shape, 2.0, -1.0).log_z < kaufman(shape, 2.0, 1.0).log_z - 1e-3


@pytest.mark.parametrize(("n", "m"), [(15, 16), (7, 24), (16, 16)])
@pytest.mark.parametrize("J", [1.0, -1.0])
def test_larger_lattices_equal_exact_density_of_states(n, m, J):
    levels = density_of_states((n, m))
    histogram = dict(zip(levels.bond_sum.tolist(), levels.counts, strict=True))
    for t in (0.5, 1.0, 2.269, 4.0):
        log_z, energy, heat = decimal_reference(histogram, n * m, t, J)
        solution = kaufman((m, n), t, J)
        assert solution.log_z == pytest.approx(log_z, rel=1e-13)
        assert solution.energy == pytest.approx(energy, rel=1e-13)
        assert solution.heat_capacity_per_site == pytest.approx(heat, rel=1e-12)


@pytest.mark.parametrize(("n", "m", "J"), [(8, 50, 1.0), (7, 31, 1.0), (7, 50, -1.0), (8, 40, -1.0)])
@pytest.mark.parametrize("temperature", [1.0, 2.269, 5.0])
def test_equals_transfer_matrix(n, m, J, temperature):
    """Z = Tr V^m with the symmetric 2^n × 2^n transfer matrix of a ring of n spins."""
    k = J / temperature
    spins = 1.0 - 2.0 * (np.arange(1 << n)[:, None] >> np.arange(n) & 1)
    inside = (spins * np.roll(spins, 1, axis=1)).sum(axis=1)
    matrix = np.exp(k * (spins @ spins.T + (inside[:, None] + inside) / 2) - 2 * abs(k) * n)
    eigenvalues = np.linalg.eigvalsh(matrix)
    top = np.abs(eigenvalues).max()
    log_z = m * (np.log(top) + 2 * abs(k) * n) + np.log(np.sum((eigenvalues / top) ** m))
    assert kaufman((m, n), temperature, J).log_z == pytest.approx(log_z, rel=1e-12)


@pytest.mark.parametrize(("n", "m"), [(2, 4096), (3, 50), (64, 65), (24, 1000), (4096, 512)])
def test_either_axis_can_carry_the_modes(n, m):
    """The two forms share no term, yet Z is symmetric."""
    k = 1 / np.array([0.05, 0.5, 1.0, 2.0, 2.25, 2.3, 3.0, 10.0, 1000.0])
    one, other = log_partition(n, m, k), log_partition(m, n, k)
    np.testing.assert_allclose(one.value, other.value, rtol=1e-13)
    np.testing.assert_allclose(one.first, other.first, rtol=1e-13)
    np.testing.assert_allclose(one.second, other.second, rtol=2e-12)


def test_published_values_at_24():
    solution = kaufman(24, 1 / 0.4407)
    assert solution.free_energy_per_site == pytest.approx(-2.11215, abs=5e-6)
    assert solution.energy_per_site == pytest.approx(-1.44025, abs=5e-6)


def test_large_lattice_equals_onsager_away_from_tc():
    t = np.array([1.0, 1.8, 2.1, 2.5, 3.5, 20.0])
    finite, infinite = kaufman(1024, t), onsager(t)
    np.testing.assert_allclose(finite.energy_per_site, infinite.energy_per_site, rtol=1e-13)
    np.testing.assert_allclose(finite.heat_capacity_per_site, infinite.heat_capacity_per_site, rtol=1e-12)
    # Below Tc both signs of the magnetisation count: log 2 in log Z.
    np.testing.assert_allclose(
        finite.log_z - np.log(2.0) * (t < critical_temperature()),
        -infinite.free_energy_per_site / t * 1024**2,
        rtol=1e-13,
    )


def test_finite_size_scaling_at_tc():
    """U_L = -√2 (1 + a/L), heat capacity ~ 0.4945 log L (Ferdinand and Fisher 1969)."""
    tc = critical_temperature()
    small, large = kaufman(64, tc), kaufman(128, tc)
    assert (small.energy_per_site + np.sqrt(2)) / (large.energy_per_site + np.sqrt(2)) == pytest.approx(2.0, rel=2e-3)
    growth = large.heat_capacity_per_site - small.heat_capacity_per_site
    assert growth == pytest.approx(2 / np.pi * np.log(1 + np.sqrt(2)) ** 2 * np.log(2), rel=5e-3)


@pytest.mark.parametrize("size", [2, (3, 7), (8, 8), (4096, 4096)])
@pytest.mark.parametrize("J", [1.0, -1.0])
def test_derivatives_are_those_of_log_z(size, J):
    """Richardson-extrapolated differences of log Z by β, at both phases and near Tc."""
    if J < 0 and size == (3, 7):
        size = (7, 4)
    for t in (1.5, 2.2, 2.35, 4.0):
        beta, step = 1 / t, 2e-4
        z = {k: kaufman(size, 1 / (beta + k * step), J).log_z for k in (-2, -1, 0, 1, 2)}
        slope = (8 * (z[1] - z[-1]) - (z[2] - z[-2])) / (12 * step)
        assert kaufman(size, t, J).energy == pytest.approx(-slope, rel=1e-7)
        e = {k: kaufman(size, 1 / (beta + k * step), J).energy_per_site for k in (-2, -1, 1, 2)}
        curve = (8 * (e[1] - e[-1]) - (e[2] - e[-2])) / (12 * step)
        assert kaufman(size, t, J).heat_capacity_per_site == pytest.approx(-(beta**2) * curve, rel=1e-6)


@pytest.mark.parametrize("size", [2, (3, 5), (2, 4096), 4096, (4096, 4095)])
@pytest.mark.parametrize("J", [1.0, -1.0])
def test_limits_and_stability(size, J):
    if J < 0 and size == (3, 5):
        size = (5, 6)
    t = np.concatenate([np.geomspace(0.05, 1000, 60), [critical_temperature()]])
    solution = kaufman(size, t, J)
    n = np.prod(solution.shape)
    for field in (solution.log_z, solution.energy, solution.heat_capacity_per_site):
        assert np.isfinite(field).all()
    assert (solution.heat_capacity_per_site >= 0).all() or J < 0  # an odd antiferromagnet rounds to ±1e-30 at T → 0
    assert (np.diff(solution.energy[:60]) >= 0).all()
    entropy = solution.log_z + solution.energy / t
    assert (np.diff(entropy[:60]) >= -1e-12 * n).all()
    assert entropy[59] == pytest.approx(n * np.log(2), rel=1e-5)
    coordination = sum(2 if length == 2 else 1 for length in solution.shape)  # ⟨(double bond)²⟩ = 4
    assert solution.energy_per_site[59] == pytest.approx(-coordination * 1e-3, rel=3e-3)
    assert solution.heat_capacity_per_site[59] == pytest.approx(coordination * 1e-6, rel=3e-3)
    odd_wall = min((m for length, m in [solution.shape, solution.shape[::-1]] if length % 2), default=0) if J < 0 else 0
    assert solution.energy[0] == pytest.approx(-2 * n + 2 * odd_wall, rel=1e-13)


def test_energy_beyond_the_stated_range():
    t = np.array([1e-90, 1e-3, 1e6, 1e60, 1e200])
    for size, J in [(8, 1.0), ((3, 4), -1.0)]:
        solution = kaufman(size, t, J)
        assert np.isfinite(solution.log_z).all()
        np.testing.assert_allclose(solution.energy_per_site[2:], -2 / t[2:], rtol=1e-5)
        np.testing.assert_array_equal(solution.heat_capacity_per_site[:2], 0.0)


def test_zero_coupling_is_free_spins():
    solution = kaufman((3, 4), 2.0, 0.0)
    assert solution.log_z == pytest.approx(12 * np.log(2), rel=1e-15)
    assert (solution.energy, solution.heat_capacity_per_site) == (0.0, 0.0)


def test_scalars_arrays_and_axes():
    scalar = kaufman(4, 2.0)
    assert isinstance(scalar.energy, float)
    grid = kaufman((4, 4), np.array([[2.0, 3.0, 4.0]]))
    assert grid.energy.shape == (1, 3)
    assert grid.energy[0, 0] == scalar.energy
    assert kaufman(4, np.zeros((0,))).log_z.shape == (0,)
    assert kaufman((6, 4), 2.0).log_z == kaufman((4, 6), 2.0).log_z
    assert scalar.energy_per_site * 16 == scalar.energy
    assert scalar.free_energy_per_site == pytest.approx(-2.0 * scalar.log_z / 16, rel=1e-15)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1, 2.0), "lengths must be >= 2, got 1"),
        (((4, 4, 4), 2.0), "must have 2 lengths, got 3"),
        (((4, 2.5), 2.0), r"integers, got 2\.5"),
        ((4, 0.0), r"temperature must be finite and > 0, got 0\.0"),
        ((4, np.array([1.0, -1.0])), r"temperature must be finite and > 0, got -1\.0"),
        ((4, np.inf), "temperature must be finite"),
        ((4, 2.0, np.nan), "J must be finite, got nan"),
        ((4, 1e-99, 1e10), "must be <= 1e100"),
        (((33, 33), 2.0, -1.0), r"<= 1024, got 1089 for shape \(33, 33\)"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        kaufman(*arguments)
