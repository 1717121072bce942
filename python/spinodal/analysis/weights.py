# SPDX-License-Identifier: BSD-3-Clause
"""Can importance weights be trusted? Effective number, largest share, and the tail's Pareto shape."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spinodal.analysis.arrays import FloatArray, as_chains

LARGEST_SHARE = 0.05
FEWEST_EFFECTIVE = 25.0


@dataclass(frozen=True)
class WeightDiagnostics:
    """How evenly the weight is spread over the draws.

    Attributes
    ----------
    ess : float
        Kish's effective number of draws, (Σw)² / Σw².
    max_share : float
        Largest weight over the sum of all.
    pareto_k : float
        Shape of the generalised Pareto law fitted to the largest weights: moments up to 1/k are finite.
        ``-inf`` if the tail has no spread, ``nan`` with fewer than 25 draws.
    n : int
    reliable : bool
    reason : str
    """

    ess: float
    max_share: float
    pareto_k: float
    n: int
    reliable: bool
    reason: str


def weight_diagnostics(log_weights: npt.ArrayLike) -> WeightDiagnostics:
    """Judge importance weights given by their logarithms, up to a constant, of any shape.

    Unreliable when k > min(1 - 1/log10(n), 0.7), when Kish's number is below 25, or when one draw carries more
    than 5 % of the weight.

    References
    ----------
    A. Vehtari, D. Simpson, A. Gelman, Y. Yao, J. Gabry, J. Mach. Learn. Res. 25, 72 (2024);
    L. Kish, Survey Sampling (1965).
    """
    logs = as_chains(np.ravel(np.asarray(log_weights)), "log_weights")[0]
    weights = normalized_weights(logs)
    if not np.isfinite(weights).all():
        return WeightDiagnostics(math.nan, math.nan, math.nan, logs.size, False, "log_weights are not finite")
    total = float(weights.sum())
    ess = total**2 / float((weights * weights).sum())
    share = float(weights.max()) / total
    k = pareto_k(logs)
    reasons = [
        _reason_k(k, logs.size),
        f"effective number of weighted draws is {ess:.3g} of {logs.size}" if ess < FEWEST_EFFECTIVE else "",
        f"one draw carries {100 * share:.3g} % of the weight" if share > LARGEST_SHARE else "",
    ]
    reason = "; ".join(r for r in reasons if r)
    return WeightDiagnostics(ess, share, k, logs.size, not reason, reason)


def normalized_weights(log_weights: FloatArray) -> FloatArray:
    """Return weights of mean 1; all ``nan`` if a log weight is +inf or nan, or all are -inf."""
    top = float(np.max(log_weights))
    if not math.isfinite(top):
        return np.full(log_weights.shape, math.nan)
    weights = np.exp(log_weights - top)
    result: FloatArray = weights / weights.mean()
    return result


def _reason_k(k: float, n: int) -> str:
    limit = min(1.0 - 1.0 / math.log10(n), 0.7) if n > 10 else 0.0
    return f"Pareto k of the weights is {k:.2f}, above {limit:.2f}" if k > limit else ""


def pareto_k(log_weights: npt.ArrayLike) -> float:
    """Return the shape k of the upper tail of exp(log_weights).

    The min(n/5, 3 sqrt(n)) largest weights, less the next one, are fitted by a generalised Pareto law with
    Zhang and Stephens' quasi-Bayesian estimator, drawn to 1/2 by a prior worth 10 draws.

    References
    ----------
    J. Zhang, M. A. Stephens, Technometrics 51, 316 (2009); Vehtari et al. (2024).
    """
    logs = np.sort(np.ravel(np.asarray(log_weights, dtype=np.float64)))
    n_tail = int(min(logs.size / 5.0, 3.0 * math.sqrt(logs.size)))
    if n_tail < 5 or not math.isfinite(logs[-1]):
        return math.nan
    tail = np.exp(logs[-n_tail - 1 :] - logs[-1])
    excess = tail[1:] - tail[0]
    if excess[-1] <= 1e-12 or excess[0] == excess[-1]:
        return -math.inf
    k = _fit_generalized_pareto(excess[excess > 0.0])
    return (n_tail * k + 10.0 * 0.5) / (n_tail + 10.0)


def _fit_generalized_pareto(x: FloatArray) -> float:
    """Return k of the density (1/s) (1 + k x/s)^{-1-1/k}, for sorted positive ``x``."""
    n_grid = 30 + math.isqrt(x.size)
    quartile = x[max(int(x.size / 4 + 0.5) - 1, 0)]
    grid = np.arange(1, n_grid + 1) - 0.5
    b = 1.0 / x[-1] + (1.0 - np.sqrt(n_grid / grid)) / (3.0 * quartile)
    shape = np.array([np.log1p(-value * x).mean() for value in b])
    # The grid starts beyond b = 0, so that no shape is exactly zero.
    likelihood = x.size * (np.log(-b / shape) - shape - 1.0)
    posterior = np.exp(likelihood - likelihood.max())
    best = float((posterior * b).sum() / posterior.sum())
    return float(np.log1p(-best * x).mean())
