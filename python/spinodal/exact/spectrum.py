# SPDX-License-Identifier: BSD-3-Clause
r"""The exact density of states g(E) without a field, from Kaufman's products in integers.

In v = exp(-2K), Kaufman's solution is a polynomial whose coefficient of v^b counts the states
with b broken bonds (Beale 1996). With A = (1 + v²)² - 2v(1 - v²) cos θ and b = v(1 - v²)

    Σ_b g_b v^b = ½ (P₁ + P₂ + P₃ + P₄)
    P = Π_θ (V_m(A) ± 2 b^m) · Π_edge (…),      V_{2k} = V_k² - 2 b^{2k},  V_1 = A

over one θ of each pair ±θ; the unpaired modes θ = 0, π give (1 ∓ v)^m ± (v (1 ± v))^m. Only
cos θ is irrational: polynomials are held as integers scaled by 2^bits, with so many bits that
the final rounding is to the nearest integer with certainty; this is checked.

References
----------
Beale (1996), doi:10.1103/PhysRevLett.76.78.
Kaufman (1949), doi:10.1103/PhysRev.76.1232.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from ._fixed_point import Polynomial, cosines
from ._validation import FloatArray, IntArray, Size, finite, lattice_shape
from .canonical import Canonical
from .enumeration import joint_counts

MAX_SITES = 1024


@dataclass(frozen=True)
class DensityOfStates(Canonical):
    """Number of states of each energy of a periodic Ising lattice at h = 0.

    Attributes
    ----------
    shape : tuple of int
    J : float
    bond_sum : int64 array, shape (n_levels,)
        Σ_i Σ_axis s_i s_{i+e}, decreasing; the energy is -J times it.
    counts : tuple of int, length n_levels
        Exact, all > 0; their sum is 2^N.
    """

    shape: tuple[int, ...]
    J: float
    bond_sum: IntArray
    counts: tuple[int, ...]

    @property
    def n_sites(self) -> int:
        """Number of spins N."""
        return math.prod(self.shape)

    @cached_property
    def energies(self) -> FloatArray:
        """Energy -J Σ s s' of each level, shape (n_levels,)."""
        return -self.J * self.bond_sum.astype(np.float64)

    @cached_property
    def log_multiplicities(self) -> FloatArray:
        """Natural logarithm of ``counts``, shape (n_levels,)."""
        return np.array([math.log(count) for count in self.counts])


def density_of_states(shape: Size, J: float = 1.0) -> DensityOfStates:
    """Count the states of every energy, exactly, in integers of any length.

    Parameters
    ----------
    shape : int or tuple of int
        Two lengths with Ly·Lx ≤ 1024 (8 × 8: 30 ms, 16 × 16: a second, 32 × 32: half a minute; results
        are kept), or three within the limits of :func:`enumerate_ising`.
        Each length ≥ 2; a length of 2 has double bonds.
    J : float
        Either sign: it only names the energies.

    Returns
    -------
    DensityOfStates
        With averages at any temperature.

    Raises
    ------
    ValueError
        For a lattice too large, a length < 2, or a non-finite J.

    References
    ----------
    Beale (1996), doi:10.1103/PhysRevLett.76.78.
    """
    lengths = lattice_shape(shape)
    coupling = finite("J", J)
    if len(lengths) == 3:
        counts = tuple(joint_counts(lengths).sum(axis=1, dtype=object))
    else:
        n_sites = math.prod(lengths)
        if n_sites > MAX_SITES:
            raise ValueError(f"density_of_states needs Ly * Lx <= {MAX_SITES}, got {n_sites} for shape {lengths}")
        counts = _broken_bond_counts(min(lengths), max(lengths))
    bond_sum = np.array([len(counts) - 1 - 2 * b for b, g in enumerate(counts) if g], dtype=np.int64)
    return DensityOfStates(lengths, coupling, bond_sum, tuple(int(g) for g in counts if g))


@lru_cache(maxsize=32)
def _broken_bond_counts(n: int, m: int) -> tuple[int, ...]:
    """Return g_b for b = 0 … 2nm broken bonds of the n × m torus."""
    n_sites = n * m
    bits = 8 * n_sites // 5 + 96  # the factors still to come multiply a rounding error by at most 2^(1.55 N)
    total = [0] * (2 * n_sites + 1)
    for odd in (True, False):
        for product in _signed_products(n, m, odd, bits):
            for b, c in enumerate(product.coefficients[: 2 * n_sites + 1]):
                total[b] += c
    half = 1 << bits
    counts = tuple((c + half) >> (bits + 1) for c in total)
    worst = max(abs(c - (g << (bits + 1))) for c, g in zip(total, counts, strict=True))
    if worst >> (bits - 32) or sum(counts) != 1 << n_sites:
        raise ArithmeticError(f"density of states of {n} x {m} failed its own check; please report this")
    return counts


def _signed_products(n: int, m: int, odd: bool, bits: int) -> list[Polynomial]:
    """Return Kaufman's cosh-like and sinh-like product over one set of modes."""
    cosine = cosines(n, bits)
    paired = range(1 if odd else 2, n, 2)
    b_power = Polynomial.integers(_odd_binomial(m), bits)  # (v (1 - v²))^m
    squares = [_lucas(cosine[k], m, bits) for k in paired]
    twice = b_power.scaled(2)
    results = []
    for sign in (1, -1):
        factors = [v + twice.scaled(sign) for v in squares]
        for k in ([0] if not odd else []) + ([n] if n % 2 == (1 if odd else 0) else []):
            factors.append(Polynomial.integers(_edge_mode(m, 1 if k else -1, sign), bits))
        results.append(Polynomial.product(factors))
    return results


def _odd_binomial(m: int) -> list[int]:
    """Return the coefficients of v^m (1 - v²)^m."""
    coefficients = [0] * (3 * m + 1)
    for i in range(m + 1):
        coefficients[m + 2 * i] = (-1) ** i * math.comb(m, i)
    return coefficients


def _edge_mode(m: int, s: int, sign: int) -> list[int]:
    """Return (1 + s v)^m + sign (v (1 - s v))^m."""
    coefficients = [math.comb(m, i) * s**i for i in range(m + 1)] + [0] * m
    for i in range(m + 1):
        coefficients[m + i] += sign * math.comb(m, i) * (-s) ** i
    return coefficients


def _lucas(cosine: int, m: int, bits: int) -> Polynomial:
    """Return V_m(A) = Λ^m + Λ̄^m by doubling: V_2k = V_k² - 2b^2k, V_2k+1 = V_k V_k+1 - b^2k A."""
    one = 1 << bits
    a = Polynomial((one, -2 * cosine, 2 * one, 2 * cosine, one), bits)
    low, high, k = Polynomial((2 * one,), bits), a, 0  # V_k, V_k+1
    for digit in f"{m:b}":
        b_2k = Polynomial.integers(_odd_binomial(2 * k), bits)
        b_2k2 = Polynomial.integers(_odd_binomial(2 * k + 2), bits)
        mixed = low * high + (b_2k * a).scaled(-1)
        low, high, k = (
            (mixed, high * high + b_2k2.scaled(-2), 2 * k + 1)
            if digit == "1"
            else (low * low + b_2k.scaled(-2), mixed, 2 * k)
        )
    return low
