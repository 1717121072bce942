# SPDX-License-Identifier: BSD-3-Clause
r"""Power series of the average of log Λ(θ), for small v.

Far from Tc the average over θ is O(v⁴) while each mode is O(v): summing modes would lose up to
all digits of the heat capacity. The series does not, because the cancellation is done once, in
integers. With z = exp(iθ), and R as in :mod:`._duality`,

    R = (1 - v²) |q(z)|,    q(z) = 1 - 2 x v z + v² z²,    x = (1 + v²)/(1 - v²)

is the generating function of the Legendre polynomials P_k(x), which gives

    D log Λ = (1 - 3v²)/(1 - v²) - (1 + v²)(1 - 6v² + v⁴)/(1 - v²)² Σ_jk P_j(x) P_k(x) v^(j+k) z^(j-k)
    P_k(x) = (1 - v²)^(-k) Σ_i C(k, i)² v^(2i)

On a ring of n modes the average keeps the powers z^d with n | d, with the sign (±1)^(d/n) for
θ = 2πl/n (+) and θ = (2l + 1)π/n (-).
"""

from __future__ import annotations

from functools import cache
from math import comb

import numpy as np

from ._jets import Jet
from ._validation import FloatArray

#: The series is used for v ≤ SMALL; beyond order ORDER it is below 1e-17 of its first term there.
SMALL = 0.125
ORDER = 44


def mean_log_mode(v: FloatArray, coefficients: FloatArray) -> Jet:
    """Evaluate Σ_k e_k v^k (1/k, 1, k): a mean of log Λ with its derivatives by log v."""
    powers = np.arange(1, ORDER + 1)
    v_small = np.minimum(v, SMALL)
    value, first, second = (_horner(v_small, coefficients[1:] * powers**p) for p in (-1.0, 0.0, 1.0))
    return Jet(value, first, second)


def _horner(v: FloatArray, coefficients: FloatArray) -> FloatArray:
    total: FloatArray = np.zeros_like(v)
    for c in coefficients[::-1]:
        total = (total + c) * v
    return total


def ring_coefficients(n_modes: int, odd: bool) -> FloatArray:
    """Return e_k of the mean of D log Λ over a ring of n modes, k = 0 … ORDER."""
    table = _fourier_table()
    total: FloatArray = table[0].copy()
    for turns, distance in enumerate(range(n_modes, ORDER + 1, n_modes), start=1):
        total += (-2.0 if odd and turns % 2 else 2.0) * table[distance]
    return total


def bulk_coefficients() -> FloatArray:
    """Return e_k of the mean of D log Λ over all θ: the infinite lattice."""
    return np.asarray(_fourier_table()[0])


@cache
def _fourier_table() -> FloatArray:
    """Return the coefficient of z^d v^k in D log Λ, as row d and column k; exact integers inside."""
    half = ORDER // 2
    legendre = [
        _times(
            [comb(k, i) ** 2 for i in range(half + 1)],
            [comb(k + i - 1, i) if k else int(i == 0) for i in range(half + 1)],
        )
        for k in range(ORDER + 1)
    ]
    weight = _times([1, -5, -5, 1], list(range(1, half + 2)))  # (1 + y)(1 - 6y + y²) / (1 - y)²
    table = np.zeros((ORDER + 1, ORDER + 1))
    for d in range(ORDER + 1):
        correlation = [0] * (half + 1)
        for j in range((ORDER - d) // 2 + 1):
            for i, c in enumerate(_times(legendre[j], legendre[j + d])[: half + 1 - j]):
                correlation[i + j] += c
        row = [-c for c in _times(weight, correlation)]
        if d == 0:
            row = [c + (1 if i == 0 else -2) for i, c in enumerate(row)]  # (1 - 3y)/(1 - y)
        for i in range((ORDER - d) // 2 + 1):
            table[d, d + 2 * i] = row[i]
    return table


def _times(a: list[int], b: list[int]) -> list[int]:
    """Multiply two power series in y = v², cut after y^(ORDER/2)."""
    half = ORDER // 2
    product = [0] * (half + 1)
    for i, x in enumerate(a):
        for j, y in enumerate(b[: half + 1 - i]):
            product[i + j] += x * y
    return product
