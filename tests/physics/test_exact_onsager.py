# SPDX-License-Identifier: BSD-3-Clause
"""The infinite square lattice against quadrature, SciPy's elliptic integrals and known constants."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from spinodal.exact import critical_temperature, onsager, yang_magnetization

TC = 2.269185314213022
TEMPERATURES = np.array([0.3, 0.5, 0.9, 0.961, 0.963, 1.0, 1.5, 2.0, 2.2, 2.26, 2.28, 2.5, 4.0, 7.9, 8.0, 50.0])


def quadrature(temperature):
    """-βf = log 2 + 1/(8π²) ∫∫ log(cosh² 2K - sinh 2K (cos a + cos b)), the integral over b done by hand.

    The midpoint rule of a periodic analytic function converges exponentially.
    """
    k = 1 / temperature
    a = np.pi * (np.arange(1 << 15) + 0.5) / (1 << 15)
    p, q = np.cosh(2 * k) ** 2 - np.sinh(2 * k) * np.cos(a), np.sinh(2 * k)
    return np.log(2) + np.log((p + np.sqrt((p - q) * (p + q))) / 2).mean() / 2


def elliptic_forms(temperature):
    """Onsager's energy and heat capacity in the textbook form, through SciPy."""
    k = 1 / temperature
    modulus = 2 * np.sinh(2 * k) / np.cosh(2 * k) ** 2
    signed = 2 * np.tanh(2 * k) ** 2 - 1
    first, second = special.ellipkm1(signed**2), special.ellipe(modulus**2)
    coth = 1 / np.tanh(2 * k)
    energy = -coth * (1 + 2 / np.pi * signed * first)
    braces = 2 * first - 2 * second - (1 - signed) * (np.pi / 2 + signed * first)
    return energy, 2 / np.pi * (k * coth) ** 2 * braces


def test_critical_temperature():
    assert critical_temperature() == pytest.approx(TC, rel=1e-15)
    assert critical_temperature(-2.5) == pytest.approx(2.5 * TC, rel=1e-15)
    assert critical_temperature(0.0) == 0.0
    assert np.sinh(2 / critical_temperature()) == pytest.approx(1.0, rel=1e-15)


@pytest.mark.parametrize("temperature", TEMPERATURES)
def test_free_energy_equals_quadrature(temperature):
    assert onsager(temperature).free_energy_per_site == pytest.approx(-temperature * quadrature(temperature), rel=1e-13)


def test_energy_and_heat_capacity_equal_textbook_form():
    t = TEMPERATURES[(TEMPERATURES > 0.8) & (TEMPERATURES < 10)]  # beyond, the textbook form cancels
    energy, heat = elliptic_forms(t)
    np.testing.assert_allclose(onsager(t).energy_per_site, energy, rtol=1e-13)
    np.testing.assert_allclose(onsager(t).heat_capacity_per_site, heat, rtol=1e-11)


def test_series_meets_closed_form():
    """Two methods join near T = 0.9618 and T = 7.958: no step, in value or in slope."""
    for join in (2 / np.log(8), 1 / np.arctanh(0.125)):
        t = join * (1 + 1e-6 * np.array([-3.0, -1.0, 1.0, 3.0]))
        for field in ("energy_per_site", "free_energy_per_site", "heat_capacity_per_site"):
            y = getattr(onsager(t), field)
            assert y[3] - 3 * y[2] + 3 * y[1] - y[0] == pytest.approx(0.0, abs=1e-12 * abs(y[0]))


def test_thermodynamic_derivatives():
    for t in (1.2, 2.1, 2.4, 6.0):
        h = 1e-3
        at = {k: onsager(t + k * h) for k in (-2, -1, 1, 2)}

        def slope(values):
            return (8 * (values[1] - values[-1]) - (values[2] - values[-2])) / (12 * h)  # noqa: B023

        entropy = -slope({k: s.free_energy_per_site for k, s in at.items()})
        here = onsager(t)
        assert here.energy_per_site == pytest.approx(here.free_energy_per_site + t * entropy, rel=1e-9)
        assert here.heat_capacity_per_site == pytest.approx(
            slope({k: s.energy_per_site for k, s in at.items()}), rel=1e-6
        )


def test_critical_point():
    solution = onsager(critical_temperature())
    catalan = 0.915965594177219015
    assert solution.energy_per_site == pytest.approx(-np.sqrt(2), rel=1e-14)
    assert solution.free_energy_per_site == pytest.approx(-TC * (np.log(2) / 2 + 2 * catalan / np.pi), rel=1e-14)
    assert solution.heat_capacity_per_site == np.inf
    scaled = onsager(critical_temperature(-3.7), -3.7)
    assert scaled.energy_per_site == pytest.approx(-3.7 * np.sqrt(2), rel=1e-14)
    assert scaled.heat_capacity_per_site == np.inf


def test_heat_capacity_diverges_as_a_logarithm():
    amplitude = 2 / np.pi * np.log(1 + np.sqrt(2)) ** 2  # 0.4945
    for side in (-1, 1):
        far, near = onsager(TC * (1 + side * np.array([1e-5, 1e-8]))).heat_capacity_per_site
        assert (near - far) / np.log(1e3) == pytest.approx(amplitude, rel=1e-4)


def test_low_and_high_temperature_series():
    """log Z/N = 2K + x⁴ + 2x⁶ + 9x⁸/2 + 12x¹⁰ in x = e^(-2K); log 2 + 2 log cosh K + v⁴ + 2v⁶ + 9v⁸/2 + 12v¹⁰."""

    def tail(v):
        return v**4 + 2 * v**6 + 4.5 * v**8 + 12 * v**10

    t = 0.4
    cold = onsager(t)
    assert -cold.free_energy_per_site / t - 2 / t == pytest.approx(tail(np.exp(-2 / t)), rel=1e-7)
    k = 0.02
    hot = -onsager(1 / k).free_energy_per_site * k
    assert hot - np.log(2) - 2 * np.log(np.cosh(k)) == pytest.approx(tail(np.tanh(k)), abs=1e-15)
    # Single flips dominate: C = 64 K² e^(-8K), U + 2 = 8 e^(-8K), down to the smallest temperatures.
    for t in (0.05, 0.1, 0.2):
        assert onsager(t).heat_capacity_per_site == pytest.approx(64 / t**2 * np.exp(-8 / t), rel=1e-3)
    np.testing.assert_allclose(onsager(np.array([1e3, 1e8])).heat_capacity_per_site, [2e-6, 2e-16], rtol=1e-5)
    np.testing.assert_allclose(onsager(np.array([1e3, 1e8])).energy_per_site, [-2e-3, -2e-8], rtol=1e-5)


def test_sign_and_scale_of_coupling():
    t = TEMPERATURES
    one, other, double = onsager(t), onsager(t, -1.0), onsager(2 * t, 2.0)
    np.testing.assert_array_equal(one.energy_per_site, other.energy_per_site)
    np.testing.assert_allclose(double.free_energy_per_site, 2 * one.free_energy_per_site, rtol=1e-15)
    free = onsager(3.0, 0.0)
    assert (free.energy_per_site, free.heat_capacity_per_site) == (0.0, 0.0)
    assert free.free_energy_per_site == pytest.approx(-3 * np.log(2))


def test_yang_magnetization():
    t = np.array([0.1, 1.0, 2.0, 2.25])
    expected = (1 - np.sinh(2 / t) ** -4) ** 0.125
    np.testing.assert_allclose(yang_magnetization(t), expected, rtol=1e-13)
    np.testing.assert_array_equal(yang_magnetization(np.array([critical_temperature(), 2.3, 100.0])), 0.0)
    assert yang_magnetization(0.2) == pytest.approx(1 - 2 * np.exp(-8 / 0.2), rel=1e-15)
    assert yang_magnetization(4.0, 2.0) == yang_magnetization(2.0)
    assert yang_magnetization(2.0, 0.0) == 0.0
    low, high = yang_magnetization(TC * (1 - np.array([1e-6, 1e-4])))
    assert np.log(high / low) / np.log(100) == pytest.approx(1 / 8, rel=1e-4)
    amplitude = (8 * np.sqrt(2) * np.log(1 + np.sqrt(2)) / 2) ** 0.125
    assert low / 1e-6**0.125 == pytest.approx(amplitude, rel=1e-3)


@pytest.mark.parametrize("function", [onsager, yang_magnetization])
def test_bad_input(function):
    with pytest.raises(ValueError, match=r"temperature must be finite and > 0, got -1\.0"):
        function(-1.0)
    with pytest.raises(ValueError, match="J must be finite, got inf"):
        function(1.0, np.inf)
    with pytest.raises(ValueError, match="J must be finite, got nan"):
        critical_temperature(np.nan)


def test_yang_refuses_antiferromagnet():
    with pytest.raises(ValueError, match=r"J must be >= 0, got -1\.0.*staggered"):
        yang_magnetization(2.0, -1.0)


def test_scalars_and_arrays():
    assert isinstance(onsager(2.0).energy_per_site, float)
    assert isinstance(yang_magnetization(2.0), float)
    grid = onsager(np.full((2, 3), 2.0))
    assert grid.heat_capacity_per_site.shape == (2, 3)
    assert grid.heat_capacity_per_site[1, 2] == onsager(2.0).heat_capacity_per_site
