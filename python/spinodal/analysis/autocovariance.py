# SPDX-License-Identifier: BSD-3-Clause
"""The autocovariance of many chains, and the variance of their mean that follows from it.

For C independent stationary chains of n draws, N = C n, the grand mean has variance ::

    Var(mean) = D(n) / N,    D(k) = γ(0) + 2 Σ_{t=1}^{k-1} (1 - t/k) γ(t)            (1)

``γ`` is estimated about the *grand* mean, so that differences between the chains appear in it, and the sum
stops at a window W. With W = n - 1 equation (1) is exactly the spread of the chain means; a window that closes
earlier only removes noise. One estimator thus serves one long chain and very many short ones.

References
----------
U. Wolff, Comput. Phys. Commun. 156, 143 (2004); A. D. Sokal, Monte Carlo methods in
statistical mechanics (1996), section 3; C. J. Geyer, Statist. Sci. 7, 473 (1992), section 3.3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from spinodal.analysis.arrays import FloatArray, is_constant

Method = Literal["window", "geyer"]
CHUNK = 1 << 22  # elements transformed at once: 32 MB of float64


def fast_length(n: int) -> int:
    """Return the smallest 2^a 3^b 5^c ≥ n, a length at which the FFT is fast."""
    best = 1 << max(n - 1, 0).bit_length()
    five = 1
    while five < best:
        three = five
        while three < best:
            two = three << max(-(-n // three) - 1, 0).bit_length()
            best = min(best, two)
            three *= 3
        five *= 5
    return best


def autocovariance(x: FloatArray) -> FloatArray:
    """Return γ(t) = Σ_c Σ_i δ_{c,i} δ_{c,i+t} / (C (n - t)), δ = x - grand mean, for t < n.

    Parameters
    ----------
    x : float64 array, shape (n_chains, n_draws)

    Returns
    -------
    float64 array, shape (n_draws,)
    """
    n_chains, n_draws = x.shape
    length = fast_length(2 * n_draws)
    mean = x.mean()
    power = np.zeros(length // 2 + 1)
    rows = max(1, CHUNK // length)
    for start in range(0, n_chains, rows):
        f = np.fft.rfft(x[start : start + rows] - mean, length, axis=1)
        power += (f.real**2 + f.imag**2).sum(axis=0)
    products = np.fft.irfft(power, length)[:n_draws]
    result: FloatArray = products / (n_chains * np.arange(n_draws, 0, -1))
    return result


@dataclass(frozen=True, slots=True)
class Autocovariance:
    """γ(0..window), corrected for the estimated mean, and where it was cut.

    ``closed`` is False when the chains ended before the window did: γ then runs to the end of the chains, and the
    variance is that of their means (for one chain, γ runs to its largest partial sum, and the variance is rough).
    """

    gamma: FloatArray
    window: int
    closed: bool
    n_chains: int
    n_draws: int

    @property
    def n(self) -> int:
        """Total number of draws N."""
        return self.n_chains * self.n_draws

    @property
    def variance(self) -> float:
        """Variance of one draw, γ(0)."""
        return float(self.gamma[0])

    @property
    def tau(self) -> float:
        """τ_int = 1/2 + Σ_{t=1}^{W} γ(t)/γ(0)."""
        return max(0.5 + float(self.gamma[1:].sum()) / self.variance, self._least_tau)

    @property
    def _least_tau(self) -> float:
        # Noise can drive the sum for anticorrelated chains to zero or below.
        return 0.5 / max(math.log10(self.n), 1.0)

    def spread(self, length: int) -> float:
        """Return D(length) of eq. (1): ``length`` × the variance of the mean of that many successive draws."""
        t = np.arange(1, min(self.window, length - 1) + 1)
        total = self.gamma[0] + 2.0 * float(((1.0 - t / length) * self.gamma[1 : t.size + 1]).sum())
        return float(max(total, 2.0 * self._least_tau * self.gamma[0]))

    @property
    def variance_of_mean(self) -> float:
        """Variance of the mean over all chains and draws."""
        return self.spread(self.n_draws) / self.n

    @property
    def relative_error(self) -> float:
        """Relative standard error of τ and of the variance of the mean, sqrt((4 W + 2)/N)."""
        return math.sqrt((4 * self.window + 2) / self.n)


def sokal_window(rho: FloatArray, c: float) -> tuple[int, bool]:
    """Return the smallest W ≥ c τ(W), and whether there is one within the chain."""
    # Alternating correlations make τ(W) small from the start: judge their decay by |ρ|.
    terms = np.abs(rho) if rho.size > 1 and rho[1] < 0.0 else rho
    tau = np.cumsum(terms) - 0.5
    inside = np.flatnonzero(np.arange(rho.size) >= c * tau)
    return (int(inside[0]), True) if inside.size else (rho.size - 1, False)


def geyer_sequence(gamma: FloatArray) -> tuple[FloatArray, bool]:
    """Return γ cut and made monotone in pairs γ(2k)+γ(2k+1) > 0, and whether the pairs turned negative."""
    n_pairs = gamma.size // 2
    pairs = gamma[: 2 * n_pairs].reshape(n_pairs, 2).sum(axis=1)
    negative = np.flatnonzero(pairs <= 0.0)
    end = int(negative[0]) if negative.size else n_pairs
    monotone = np.minimum.accumulate(pairs[:end])
    cut = gamma[: 2 * end].copy()
    cut[1::2] = monotone - cut[0::2]
    return (cut, bool(negative.size)) if end else (gamma[:1].copy(), bool(negative.size))


def pooled_autocovariance(x: FloatArray, method: Method = "geyer", c: float = 5.0) -> Autocovariance:
    """Estimate γ of stationary chains, not all constant, cut where Geyer's sequence ends or at Sokal's window.

    Geyer's is the default: near an Ising critical point, where slow modes of small amplitude follow fast ones,
    the window at c = 5 misses a fifth of τ of the energy and half of that of its square; Geyer's sequence is
    within a few per cent of the spread of independent chains, and not noisier.

    Parameters
    ----------
    x : float64 array, shape (n_chains, n_draws)
        Finite; var(x) > 0.
    method : {"geyer", "window"}
    c : float
        Sokal's constant; for "geyer", chains longer than c τ are long enough.
    """
    n_chains, n_draws = x.shape
    raw = autocovariance(x)
    window, closed = 0, True
    if n_draws > 1 and method == "geyer":
        raw, closed = geyer_sequence(raw)
        window = raw.size - 1
        # Short chains may end before noise makes a pair negative, yet after their correlations.
        closed = closed or bool(n_draws > c * (raw.sum() / raw[0] - 0.5))
    elif n_draws > 1:
        window, closed = sokal_window(raw / raw[0], c)
    if not closed and n_chains == 1:
        # The full sum about the chain's own mean is zero by construction.
        window = int(np.argmax(np.cumsum(raw[: max(n_draws // 3, 1)])))
    return Autocovariance(_unbiased(raw[: window + 1], n_draws, n_chains * n_draws), window, closed, n_chains, n_draws)


def usable_autocovariance(x: FloatArray) -> Autocovariance | None:
    """Return :func:`pooled_autocovariance`, or None for one draw, constant draws or draws that are not finite."""
    if x.size == 1 or not np.isfinite(x).all() or is_constant(x):
        return None
    return pooled_autocovariance(x)


def within_autocovariance(x: FloatArray) -> Autocovariance | None:
    """Estimate γ about each chain's own mean, which a disagreement of the chains does not enter.

    None when the chains are too short for it: the correction for their means would be more than half of it.
    """
    n_chains, n_draws = x.shape
    raw = autocovariance(x - x.mean(axis=1, keepdims=True))
    if raw[0] <= 1e-24 * max(float(np.square(x).max()), 1e-300):
        return None
    gamma, closed = geyer_sequence(raw)
    if not closed or 4 * gamma.size > n_draws:
        return None
    return Autocovariance(_unbiased(gamma, n_draws, n_draws), gamma.size - 1, closed, n_chains, n_draws)


def _unbiased(gamma: FloatArray, n_draws: int, n_per_mean: int) -> FloatArray:
    """Add back the variance of the mean of ``n_per_mean`` draws, by which subtracting it lowers every γ(t)."""
    taper = 1.0 - np.arange(gamma.size) / n_draws
    taper[1:] *= 2.0
    effective = n_per_mean - float(taper.sum())
    if effective <= 0.0:  # a single draw, or one chain summed to its end
        return gamma
    return gamma + max(float((taper * gamma).sum()), 0.0) / effective
