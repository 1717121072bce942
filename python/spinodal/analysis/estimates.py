# SPDX-License-Identifier: BSD-3-Clause
"""Means with error bars that know about autocorrelation, many chains and importance weights."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from spinodal.analysis import convergence
from spinodal.analysis.arrays import FloatArray, as_chains, as_log_weights, is_constant
from spinodal.analysis.autocovariance import Autocovariance, usable_autocovariance
from spinodal.analysis.weights import FEWEST_EFFECTIVE, WeightDiagnostics, normalized_weights, weight_diagnostics

ENOUGH_TAU = 50.0  # fewer autocorrelation times than this do not fix the autocorrelation time itself
MANY_CHAINS = 32  # the spread of their means is known to 13 %
SMALL_EXCESS = 2.0


@dataclass(frozen=True)
class Estimate:
    """A number with its error bar and what the error bar rests on.

    Attributes
    ----------
    mean, stderr : float
        Value and one-sigma statistical error; ``stderr`` is ``nan`` where the data do not determine it.
    tau_int : float
        Integrated autocorrelation time in draws, τ = 1/2 + Σ_{t≥1} ρ(t): 0.5 for independent draws.
    ess : float
        Independent draws with the same error, variance/stderr²; n/(2 τ) for chains much longer than τ.
        With importance weights, Kish's effective number over 2 τ.
    r_hat : float
        Rank-normalised split R̂.
    n : int
        Number of draws, over all chains.
    reliable : bool
        Whether value and error bar passed every check.
    reason : str
        What failed; empty when reliable.
    weights : WeightDiagnostics or None
        Diagnostics of the importance weights, if there were any.
    """

    mean: float
    stderr: float
    tau_int: float = math.nan
    ess: float = math.nan
    r_hat: float = math.nan
    n: int = 0
    reliable: bool = True
    reason: str = ""
    weights: WeightDiagnostics | None = None

    def __float__(self) -> float:
        return self.mean

    def __str__(self) -> str:
        return format_uncertain(self.mean, self.stderr)

    def __format__(self, spec: str) -> str:
        """Format as ``str`` does; with a ``spec``, format the mean by it."""
        return format(self.mean, spec) if spec else str(self)

    def failing(self, *reasons: str) -> Estimate:
        """Return this estimate marked unreliable for the non-empty ``reasons`` too."""
        found = [r for r in (self.reason, *reasons) if r]
        return replace(self, reliable=not found, reason="; ".join(found))


def estimate(x: npt.ArrayLike, log_weights: npt.ArrayLike | None = None) -> Estimate:
    """Estimate the mean of a series from all chains.

    Without weights the error is that of :mod:`spinodal.analysis.autocovariance`, right for one long chain as for
    many short ones. With weights, μ = Σ w x / Σ w, and the error is that of the mean of the linearised series
    w (x - μ) / mean(w) (the delta method), treated in the same way.

    Parameters
    ----------
    x : array_like, shape (n_chains, n_draws) or (n_draws,)
        Chains are taken to be independent of one another.
    log_weights : array_like of the shape of ``x``, optional
        Log importance weights, up to one additive constant.

    Returns
    -------
    Estimate
        Never raises for bad data (NaN, constant, short, non-stationary chains): it is flagged instead.

    References
    ----------
    Wolff (2004), doi:10.1016/S0010-4655(03)00467-3; A. B. Owen, Monte Carlo theory, methods and examples,
    section 9.2 (weights).
    """
    chains = as_chains(x)
    if log_weights is None:
        return estimate_chains(chains)[0]
    logs = as_log_weights(log_weights, chains.shape)
    weights = normalized_weights(logs)
    quality = weight_diagnostics(logs)
    if not np.isfinite(chains).all() or not np.isfinite(weights).all():
        bad = _not_finite(chains if not np.isfinite(chains).all() else weights)
        return replace(bad, weights=quality)
    if is_constant(chains):
        return replace(_constant(chains), weights=quality)
    mean = float((weights * chains).mean())
    linear, _ = estimate_chains(weights * (chains - mean))
    ess = quality.ess / (2.0 * linear.tau_int)
    result = replace(linear, mean=mean, ess=ess, weights=quality)
    few = f"weights leave {ess:.3g} independent draws" if ess < FEWEST_EFFECTIVE else ""
    return result.failing(quality.reason or few)


def estimate_chains(x: FloatArray) -> tuple[Estimate, Autocovariance | None]:
    """Return the unweighted estimate, and the autocovariance behind it (None where there is none)."""
    acov = usable_autocovariance(x)
    if acov is None:
        return (_constant(x) if np.isfinite(x).all() else _not_finite(x)), None
    variance, reason = judge(x, acov)
    result = Estimate(
        mean=float(x.mean()),
        stderr=math.sqrt(variance),
        tau_int=acov.tau,
        ess=acov.variance / variance,
        r_hat=convergence.r_hat(x),
        n=x.size,
    )
    return result.failing(reason), acov


def judge(x: FloatArray, acov: Autocovariance) -> tuple[float, str]:
    """Return the variance of the mean of all chains, and what is wrong with them ("" if nothing).

    Where the chains differ by more than their correlations explain, the variance is that of the chains' means. With
    many chains and a small excess this is no fault: slow modes, too weak to see in γ, enter the means all the same.
    """
    variance = acov.variance_of_mean
    ratio, conflict = convergence.disagreement(x, acov)
    if conflict and x.shape[0] > 1:
        variance = max(variance, float(x.mean(axis=1).var(ddof=1)) / x.shape[0])
    if x.shape[0] >= MANY_CHAINS and ratio < SMALL_EXCESS:
        conflict = ""
    found = [too_short(acov), conflict, convergence.drift(x, acov)]
    return variance, "; ".join(f for f in found if f)


def _constant(x: FloatArray) -> Estimate:
    reason = f"all {x.size} draws are equal: the error is unknown" if x.size > 1 else "one draw has no error bar"
    return Estimate(float(x.flat[0]), math.nan, n=x.size).failing(reason)


def _not_finite(x: FloatArray) -> Estimate:
    bad = int(np.count_nonzero(~np.isfinite(x)))
    return Estimate(math.nan, math.nan, n=x.size).failing(f"{bad} of {x.size} draws are not finite")


def too_short(acov: Autocovariance) -> str:
    """Return why the chains are too short to know their autocorrelation time; "" if they are not."""
    if not acov.closed:
        source = "spread of the chain means" if acov.n_chains > 1 else "draws there are"
        return f"correlations outlast the chains of {acov.n_draws} draws: the error comes from the {source}"
    if acov.n < ENOUGH_TAU * acov.tau:
        return f"short: {acov.n} draws are fewer than {ENOUGH_TAU:g} tau_int, tau_int = {acov.tau:.3g}"
    return ""


def format_uncertain(value: float, error: float) -> str:
    """Write value(error in units of the last digit), with two digits of an error that begins with 1.

    >>> format_uncertain(-1.45271, 0.00031)
    '-1.4527(3)'
    >>> format_uncertain(1.45271, 0.0013)
    '1.4527(13)'
    """
    if not math.isfinite(value):
        return str(value)
    if not math.isfinite(error) or error <= 0.0:
        return f"{value:.6g}({'0' if error == 0.0 else '?'})"
    exponent = math.floor(math.log10(max(abs(value), error)))
    if exponent < -4 or exponent > 8:
        return f"{_fixed(value / 10.0**exponent, error / 10.0**exponent)}e{exponent:+03d}"
    return _fixed(value, error)


def _fixed(value: float, error: float) -> str:
    exponent = math.floor(math.log10(error))
    decimals = int(error < 1.95 * 10.0**exponent) - exponent
    if decimals <= 0:
        return f"{value:.0f}({error:.0f})"
    if error >= 0.95:
        return f"{value:.{decimals}f}({error:.{decimals}f})"
    return f"{value:.{decimals}f}({round(error * 10.0**decimals)})"
