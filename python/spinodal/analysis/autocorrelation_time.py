# SPDX-License-Identifier: BSD-3-Clause
"""Autocorrelation function and integrated autocorrelation time.

Convention: τ_int = 1/2 + Σ_{t≥1} ρ(t), so that independent draws have τ = 1/2 and N draws are worth N/(2 τ).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spinodal.analysis import convergence
from spinodal.analysis.arrays import FloatArray, as_chains, is_constant
from spinodal.analysis.autocovariance import Method, autocovariance, pooled_autocovariance
from spinodal.analysis.estimates import too_short


@dataclass(frozen=True)
class AutocorrelationTime:
    """An integrated autocorrelation time in draws, and whether the chains were long enough to know it.

    Attributes
    ----------
    tau, stderr : float
        τ_int = 1/2 + Σ ρ and its error τ sqrt((4 W + 2)/N).
    window : int
        Lag W at which the sum was cut.
    ess : float
        N/(2 τ).
    n : int
        Number of draws N, over all chains.
    reliable : bool
    reason : str
        Why not, empty when reliable.
    """

    tau: float
    stderr: float
    window: int
    ess: float
    n: int
    reliable: bool
    reason: str

    def __float__(self) -> float:
        return self.tau


def autocorrelation(x: npt.ArrayLike) -> FloatArray:
    """Return ρ(t) = γ(t)/γ(0), averaged over chains, for t = 0 … n_draws - 1.

    Deviations are from the mean over all chains: ρ of chains that are stuck apart does not decay.

    Parameters
    ----------
    x : array_like, shape (n_chains, n_draws) or (n_draws,)

    Returns
    -------
    float64 array, shape (n_draws,)
        All ``nan`` for constant or non-finite chains.
    """
    chains = as_chains(x)
    if not np.isfinite(chains).all() or is_constant(chains):
        return np.full(chains.shape[1], math.nan)
    gamma = autocovariance(chains)
    result: FloatArray = gamma / gamma[0]
    return result


def tau_int(x: npt.ArrayLike, c: float = 5.0, method: Method = "geyer") -> AutocorrelationTime:
    """Return the integrated autocorrelation time τ = 1/2 + Σ_{t=1}^{W} ρ(t), in draws.

    Parameters
    ----------
    x : array_like, shape (n_chains, n_draws) or (n_draws,)
    c : float
        Sokal's constant: 4 to 6 for purely exponential decay, 10 or more otherwise. For "geyer", chains longer than
        c τ are long enough.
    method : {"geyer", "window"}
        "geyer" sums the initial positive, monotone sequence of ρ(2k) + ρ(2k+1), and finds slow modes of small
        amplitude; "window" is Sokal's, the smallest W ≥ c τ(W).

    Returns
    -------
    AutocorrelationTime
        Flagged, with a reason, for N < 50 τ, for correlations that outlast the chains, and for constant,
        non-finite, drifting or disagreeing chains.

    References
    ----------
    Sokal (1996), section 3; Geyer (1992), doi:10.1214/ss/1177011137; Wolff (2004).
    """
    if c <= 0.0 or method not in ("window", "geyer"):
        raise ValueError(f'c must be positive and method "window" or "geyer"; got c={c}, method={method!r}')
    chains = as_chains(x)
    n = chains.size
    if not np.isfinite(chains).all():
        return _undefined(n, "draws are not all finite")
    if n == 1 or is_constant(chains):
        return _undefined(n, f"all {n} draws are equal")
    acov = pooled_autocovariance(chains, method, c)
    found = [too_short(acov), convergence.disagreement(chains, acov)[1], convergence.drift(chains, acov)]
    reason = "; ".join(f for f in found if f)
    error = acov.tau * acov.relative_error
    return AutocorrelationTime(acov.tau, error, acov.window, n / (2.0 * acov.tau), n, not reason, reason)


def _undefined(n: int, reason: str) -> AutocorrelationTime:
    return AutocorrelationTime(math.nan, math.nan, 0, math.nan, n, False, reason)


def ess(x: npt.ArrayLike, c: float = 5.0, method: Method = "geyer") -> float:
    """Return the effective number of independent draws N/(2 τ_int) of all chains together."""
    return tau_int(x, c, method).ess
