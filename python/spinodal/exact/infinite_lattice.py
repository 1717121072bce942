# SPDX-License-Identifier: BSD-3-Clause
r"""Exact results for the infinite square lattice: Onsager's solution and Yang's magnetisation.

Elliptic integrals come from the arithmetic-geometric mean (AGM), in terms of the complementary
modulus κ' = |1 - S²|/(1 + S²), S = sinh 2K, which keeps its digits at the critical point:

    K₁ = π/(2 agm(1, κ')),   E₁ = K₁ (1 - Σ_n 2^(n-1) c_n²)

References
----------
Onsager (1944), doi:10.1103/PhysRev.65.117.
Yang (1952), doi:10.1103/PhysRev.85.808.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic

import numpy as np

from . import _polygons
from ._duality import CRITICAL_COUPLING, DualVariable
from ._jets import Jet
from ._validation import FloatArray, Value, finite, like, reduced_coupling, temperatures


@dataclass(frozen=True, slots=True)
class OnsagerSolution(Generic[Value]):
    """Averages per site of the infinite square lattice; floats, or arrays of the temperature's shape.

    Attributes
    ----------
    temperature : float or float64 array
        Units of J; k_B = 1.
    energy_per_site, free_energy_per_site : float or float64 array
    heat_capacity_per_site : float or float64 array
        Infinite at ``critical_temperature(J)``; near it -(2/π) log²(1 + √2) log|1 - T/Tc| + O(1).
    """

    temperature: Value
    energy_per_site: Value
    free_energy_per_site: Value
    heat_capacity_per_site: Value


def critical_temperature(J: float = 1.0) -> float:
    """Return Tc = 2|J|/log(1 + √2) of the square lattice (the Néel temperature for J < 0).

    Raises
    ------
    ValueError
        For a non-finite J.

    References
    ----------
    Kramers and Wannier (1941), doi:10.1103/PhysRev.60.252.
    """
    return abs(finite("J", J)) / CRITICAL_COUPLING


def onsager(temperature: Value, J: float = 1.0) -> OnsagerSolution[Value]:
    """Solve the infinite square lattice without a field.

    Parameters
    ----------
    temperature : float or float64 array
        Any shape, each finite and > 0.
    J : float
        Either sign: the lattice is bipartite, only |J| matters.

    Returns
    -------
    OnsagerSolution
        Relative accuracy 1e-12 or better of every field, as far as the temperature itself
        resolves |T - Tc|.

    Raises
    ------
    ValueError
        For a temperature ≤ 0 or a non-finite J.

    References
    ----------
    Onsager (1944), doi:10.1103/PhysRev.65.117.
    """
    coupling_energy = finite("J", J)
    t = temperatures(temperature)
    coupling = reduced_coupling(coupling_energy, t)
    dual = DualVariable.of(coupling)
    log_w = _polygons.mean_log_mode(dual.v, _polygons.bulk_coefficients()).scaled(0.5)
    series = dual.log_partition(log_w, 1)
    closed = _closed_form(np.clip(coupling, 0.1, 1.5))  # outside, the series is used
    at_tc = t == critical_temperature(coupling_energy)
    closed = Jet(closed.value, closed.first, np.where(at_tc, np.inf, closed.second))
    small = dual.v <= _polygons.SMALL
    log_z, first, second = (
        np.where(small, getattr(series, name), getattr(closed, name)) for name in ("value", "first", "second")
    )
    fields = (t, 0.0 - abs(coupling_energy) * first, -t * log_z, coupling**2 * second)
    return OnsagerSolution(*(like(temperature, field) for field in fields))


def yang_magnetization(temperature: Value, J: float = 1.0) -> Value:
    """Return the spontaneous magnetisation per site, (1 - sinh⁻⁴ 2K)^(1/8), and 0 for T ≥ Tc.

    Parameters
    ----------
    temperature : float or float64 array
        Any shape, each finite and > 0.
    J : float
        ≥ 0.

    Raises
    ------
    ValueError
        For a temperature ≤ 0, a non-finite J, or J < 0, whose order parameter is the staggered
        magnetisation, equal to ``yang_magnetization(temperature, abs(J))``.

    References
    ----------
    Yang (1952), doi:10.1103/PhysRev.85.808.
    """
    coupling_energy = finite("J", J)
    if coupling_energy < 0:
        raise ValueError(
            f"J must be >= 0, got {coupling_energy}: an antiferromagnet orders in the staggered "
            "magnetization, which is yang_magnetization(temperature, abs(J))"
        )
    t = temperatures(temperature)
    coupling = reduced_coupling(coupling_energy, t)
    ordered = t < critical_temperature(coupling_energy)
    k = np.where(ordered, coupling, 1.0)
    log_sinh = 2 * k + np.log1p(-np.exp(-4 * k)) - np.log(2.0)
    return like(temperature, np.where(ordered, np.maximum(-np.expm1(-4 * log_sinh), 0.0) ** 0.125, 0.0))


def _closed_form(k: FloatArray) -> Jet:
    """Return log Z per site and its derivatives by K, Onsager's integrals, for moderate K."""
    s = np.sinh(2 * k)
    coth = np.sqrt(1 + s**-2.0)
    signed = (s - 1) * (s + 1) / (1 + s**2)  # 2 tanh² 2K - 1
    complement = np.abs(signed)
    safe = np.maximum(complement, 1e-300)
    k1, e1 = _elliptic(safe)
    k1_share = signed * np.where(complement > 0, k1, 0.0)  # κ' K₁ → 0 at Tc
    first = coth * (1 + 2 / np.pi * k1_share)
    second = 2 / np.pi * coth**2 * (2 * k1 - 2 * e1 - (1 - signed) * (np.pi / 2 + k1_share))
    return Jet(_log_partition(k, complement), first, second)


def _elliptic(complement: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the complete elliptic integrals K and E, given κ' in (0, 1]."""
    a, b = np.ones_like(complement), complement
    power = 0.5
    deficit = power * (1 - complement) * (1 + complement)
    for _ in range(12):  # quadratic convergence, from κ' = 1e-300 on
        a, b, c = (a + b) / 2, np.sqrt(a * b), (a - b) / 2
        power *= 2
        deficit = deficit + power * c**2
    first = np.pi / (2 * a)
    return first, first * (1 - deficit)


def _log_partition(k: FloatArray, complement: FloatArray) -> FloatArray:
    """Return log √2 cosh 2K + (1/π) ∫_0^{π/2} log(1 + √(sin²φ + κ'² cos²φ)) dφ."""
    sin2, weight = _NODES
    root = np.sqrt(sin2 + complement[..., None] ** 2 * (1 - sin2))
    return np.asarray(0.5 * np.log(2.0) + np.log(np.cosh(2 * k)) + np.log1p(root) @ weight / np.pi)


def _tanh_sinh(n: int, step: float) -> tuple[FloatArray, FloatArray]:
    """Return sin²φ and weights of 2n + 1 tanh-sinh nodes on (0, π/2).

    The nodes crowd at φ = 0, where the integrand has a kink of width κ' that closes at Tc.
    """
    t = step * np.arange(-n, n + 1)
    fraction = 1 / (1 + np.exp(-np.pi * np.sinh(t)))
    weight = np.pi / 2 * step * np.pi * np.cosh(t) * fraction / (1 + np.exp(np.pi * np.sinh(t)))
    return np.sin(np.pi / 2 * fraction) ** 2, weight


_NODES = _tanh_sinh(112, 1 / 32)
