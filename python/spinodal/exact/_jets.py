# SPDX-License-Identifier: BSD-3-Clause
"""Second-order jets: a quantity with its first and second derivative, all exact.

The partition function is built from a handful of smooth functions; carrying (f, f', f'') through
them gives energy and heat capacity without finite differences and without pages of chain rules.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ._validation import FloatArray

#: Below it log tanh and log atanh are power series: their closed forms lose the second derivative.
_SERIES = 3e-3


@dataclass(frozen=True, slots=True)
class Jet:
    """A function of one variable: its value and two derivatives, elementwise."""

    value: FloatArray
    first: FloatArray
    second: FloatArray

    def __add__(self, other: Jet) -> Jet:
        return Jet(self.value + other.value, self.first + other.first, self.second + other.second)

    def __sub__(self, other: Jet) -> Jet:
        return self + other.scaled(-1.0)

    def scaled(self, factor: float) -> Jet:
        """Return factor × self."""
        return Jet(factor * self.value, factor * self.first, factor * self.second)

    def through(self, f: FloatArray, f1: FloatArray, f2: FloatArray) -> Jet:
        """Return f(self), given f and its two derivatives at ``self.value``."""
        return Jet(f, f1 * self.first, f1 * self.second + f2 * self.first**2)

    def total(self, weights: FloatArray) -> Jet:
        """Return the weighted sum over the first axis."""
        return Jet(weights @ self.value, weights @ self.first, weights @ self.second)

    def log_total(self, weights: FloatArray) -> Jet:
        """Return log Σ w exp(self) over the first axis, safe where every term underflows."""
        top = self.value.max(axis=0)
        terms = weights[:, None] * np.exp(self.value - top)
        norm = terms.sum(axis=0)
        share = terms / norm
        first = (share * self.first).sum(axis=0)
        spread = (share * (self.first - first) ** 2).sum(axis=0)
        return Jet(top + np.log(norm), first, (share * self.second).sum(axis=0) + spread)


def where(condition: npt.NDArray[np.bool_], yes: Jet, no: Jet) -> Jet:
    """Choose elementwise between two jets."""
    return Jet(
        np.where(condition, yes.value, no.value),
        np.where(condition, yes.first, no.first),
        np.where(condition, yes.second, no.second),
    )


def softplus(jet: Jet) -> Jet:
    """Return log(1 + exp(jet))."""
    p = np.exp(-np.logaddexp(0.0, -jet.value))
    return jet.through(np.logaddexp(0.0, jet.value), p, p * np.exp(-np.logaddexp(0.0, jet.value)))


def log_add(a: Jet, b: Jet) -> Jet:
    """Return log(exp(a) + exp(b))."""
    return a + softplus(b - a)


def log_cosh_exp(y: Jet) -> Jet:
    """Return log cosh Y for Y = exp(y)."""
    big = np.exp(y.value)
    slope = big * np.tanh(big)
    sech2 = 4 * np.exp(-2 * big) / (1 + np.exp(-2 * big)) ** 2
    return y.through(_log_cosh(big), slope, slope + big**2 * sech2)


def _log_cosh(x: FloatArray) -> FloatArray:
    # log1p(2 sinh²(x/2)) keeps the x²/2 that x + log1p(e^-2x) - log 2 would round away.
    near = np.log1p(2 * np.sinh(np.minimum(x, 1.0) / 2) ** 2)
    return np.asarray(np.where(x < 1.0, near, x + np.log1p(np.exp(-2 * x)) - np.log(2.0)))


def log_tanh_exp(y: Jet) -> Jet:
    """Return log tanh Y for Y = exp(y), also where Y itself underflows."""
    big = np.exp(y.value)
    small = big < _SERIES
    q = np.where(small, big, 0.0) ** 2
    z = 4 * q
    slope_series = 1 - z / 6 + 7 * z**2 / 360 - 31 * z**3 / 15120  # 2Y / sinh 2Y
    curve_series = -z / 3 + z**2 / 45 - 2 * z**3 / 945  # 1 - 2Y coth 2Y
    safe = np.where(small, 1.0, big)
    decay = -np.expm1(-4 * safe)
    slope = np.where(small, slope_series, 4 * safe * np.exp(-2 * safe) / decay)
    curve = np.where(small, curve_series, 1 - 2 * safe * (2 - decay) / decay)
    value = np.where(small, y.value - q / 3 + 7 * q**2 / 90 - 62 * q**3 / 2835, np.log(np.tanh(safe)))
    return y.through(value, slope, slope * curve)


def log_atanh_exp(x: Jet) -> Jet:
    """Return log atanh X for X = exp(x) < 1."""
    big = np.exp(x.value)
    small = big < _SERIES
    q = np.where(small, big, 0.0) ** 2
    series = 1 + q / 3 + q**2 / 5 + q**3 / 7  # atanh X / X
    lift = (2 * q / 3 + 4 * q**2 / 5 + 6 * q**3 / 7) / series
    bend = (4 * q / 3 + 16 * q**2 / 5 + 36 * q**3 / 7) / series - lift**2
    safe = np.where(small, 0.5, big)
    log_safe = np.where(small, np.log(0.5), x.value)
    gap = -np.expm1(2 * log_safe)
    ratio = 0.5 * np.log1p(2 * safe / -np.expm1(log_safe)) / safe
    slope = 1 / (gap * ratio)
    return x.through(
        x.value + np.log(np.where(small, series, ratio)),
        np.where(small, 1 + lift, slope),
        np.where(small, bend, (1 + safe**2) / (gap**2 * ratio) - slope**2),
    )


def half_log_one_minus_square(x: Jet) -> Jet:
    """Return ½ log(1 - X²) for X = exp(x) < 1."""
    square = np.exp(2 * x.value)
    gap = -np.expm1(2 * x.value)
    value = np.where(square < 0.5, np.log1p(-np.minimum(square, 0.5)), np.log(gap))
    return x.through(0.5 * value, -square / gap, -2 * square / gap**2)
