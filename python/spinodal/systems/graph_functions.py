# SPDX-License-Identifier: BSD-3-Clause
"""The process's functions of a Laplacian's eigenvalues, in forms that lose no digits.

With φ(x) = (1 − e^{−x})/x, entire and positive, Σ = q τ φ(2τA): √τ is outside, and the series of √φ converges as
that of Φ does, where √(1 − e^{−x}) would not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from spinodal.backends.protocol import Reals

Function = Callable[[Reals], Reals]
NULL = 1e-11
"""Eigenvalues below this part of the largest are those of null modes."""


def phi(x: Any) -> Reals:
    """Return (1 − e^{−x})/x for x >= 0, 1 at 0."""
    values = np.asarray(x, dtype=np.float64)
    small = values < 1e-5
    safe = np.where(small, 1.0, values)
    return np.where(small, 1 - values / 2 + values**2 / 6, -np.expm1(-safe) / safe)


def log_phi(x: Any) -> Reals:
    """Return log φ(x)."""
    return np.asarray(np.log(phi(x)))


class Transition:
    """e^{−τ(γλ + λ₀)} of eigenvalues λ; one column a time."""

    exponential = True

    def __init__(self, tau: Any, gamma: float, lam: float) -> None:
        self.tau, self.gamma, self.lam = np.asarray(tau, dtype=np.float64), gamma, lam

    def __repr__(self) -> str:
        return f"exp(-{self.tau.tolist()!r} ({self.gamma!r} l + {self.lam!r}))"

    def __call__(self, eigenvalues: Reals) -> Reals:
        """Return the values at eigenvalues of L."""
        a = self.gamma * np.asarray(eigenvalues) + self.lam
        return np.asarray(np.exp(-(a * self.tau if self.tau.ndim == 0 else np.multiply.outer(a, self.tau))))


class Covariance:
    """Σ^p = (q τ φ(2τ(γλ + λ₀)))^p."""

    def __init__(self, tau: Any, gamma: float, lam: float, q: float, power: float) -> None:
        self.tau, self.gamma, self.lam = np.asarray(tau, dtype=np.float64), gamma, lam
        self.q, self.power = q, power

    def __repr__(self) -> str:
        return f"sigma({self.tau.tolist()!r}, {self.gamma!r}, {self.lam!r}, {self.q!r})^{self.power}"

    def __call__(self, eigenvalues: Reals) -> Reals:
        """Return the values at eigenvalues of L."""
        a = self.gamma * np.asarray(eigenvalues) + self.lam
        x = a * self.tau if self.tau.ndim == 0 else np.multiply.outer(a, self.tau)
        return np.asarray((self.q * self.tau * phi(2 * x)) ** self.power)


class Stationary:
    """(q / 2A)^p, and 0 at the null modes of A where there are any."""

    def __init__(self, gamma: float, lam: float, q: float, power: float) -> None:
        self.gamma, self.lam, self.q, self.power = gamma, lam, q, power

    def __repr__(self) -> str:
        return f"stationary({self.gamma!r}, {self.lam!r}, {self.q!r})^{self.power}"

    def __call__(self, eigenvalues: Reals) -> Reals:
        """Return the values at eigenvalues of L."""
        a = self.gamma * np.asarray(eigenvalues) + self.lam
        null = a <= NULL * max(float(np.max(a)), 1e-300)
        return np.asarray(np.where(null, 0.0, (self.q / (2 * np.where(null, 1.0, a))) ** self.power))


class Ratio:
    """± Π_i f_i^{p_i}."""

    def __init__(self, factors: Sequence[tuple[Function, float]], sign: float = 1.0) -> None:
        self.factors, self.sign = list(factors), sign

    def __repr__(self) -> str:
        return f"{self.sign:+} " + " ".join(f"({f!r})^{p}" for f, p in self.factors)

    def __call__(self, eigenvalues: Reals) -> Reals:
        """Return the values at eigenvalues of L."""
        values = [np.asarray(f(eigenvalues)) ** p for f, p in self.factors]
        columns = max(v.ndim for v in values)
        result: Any = self.sign
        for v in values:
            result = result * (v[..., None] if v.ndim < columns else v)
        return np.asarray(result)
