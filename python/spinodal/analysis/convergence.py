# SPDX-License-Identifier: BSD-3-Clause
"""Do the chains agree with one another, and with their own past?

References
----------
A. Vehtari, A. Gelman, D. Simpson, B. Carpenter, P.-C. Bürkner, Bayesian Anal. 16, 667 (2021);
A. Gelman, D. B. Rubin, Statist. Sci. 7, 457 (1992); J. Geweke, in Bayesian Statistics 4 (1992).
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from spinodal.analysis.arrays import FloatArray, as_chains
from spinodal.analysis.autocovariance import Autocovariance, within_autocovariance

FALSE_ALARM_SIGMA = 4.0  # each test raises a false alarm in about 1 of 16,000 healthy series


def r_hat(x: npt.ArrayLike) -> float:
    """Return the rank-normalised split R̂, the larger of its bulk and folded values.

    Chains are split in halves, their draws replaced by normal scores of their ranks, and
    R̂ = sqrt(((n-1)/n W + B/n) / W) formed; then again for |x - median|, which sees chains of different width.

    Parameters
    ----------
    x : array_like, shape (n_chains, n_draws) or (n_draws,)

    Returns
    -------
    float
        1 for chains that agree; at most 1.01 is the usual demand. ``nan`` with fewer than four draws a chain,
        for constant or non-finite draws; ``inf`` if every chain is stuck at a value of its own.

    References
    ----------
    Vehtari et al. (2021), doi:10.1214/20-BA1221.
    """
    halves = split_chains(as_chains(x))
    if halves.shape[1] < 2 or not np.isfinite(halves).all():
        return float("nan")
    folded = np.abs(halves - np.median(halves))
    values = [_potential_scale_reduction(normal_scores(v)) for v in (halves, folded)]
    return float(np.nanmax(values)) if not np.isnan(values).all() else float("nan")


def classic_r_hat(x: npt.ArrayLike, *, split: bool = False) -> float:
    """Return Gelman and Rubin's R̂ = sqrt(((n-1)/n W + B/n) / W) of the raw values.

    Parameters
    ----------
    x : array_like, shape (n_chains, n_draws)
    split : bool
        Compare halves of chains, which also sees drift, and works for one chain.

    Returns
    -------
    float
        ``nan`` if there is one chain only, fewer than two draws, or no variance at all.
    """
    chains = as_chains(x)
    if split:
        chains = split_chains(chains)
    if min(chains.shape) < 2 or not np.isfinite(chains).all():
        return float("nan")
    return _potential_scale_reduction(chains)


def split_chains(x: FloatArray) -> FloatArray:
    """Return first and last halves of the chains as chains; the middle draw of an odd number is left out."""
    half = x.shape[1] // 2
    return np.concatenate([x[:, :half], x[:, x.shape[1] - half :]])


def normal_scores(x: FloatArray) -> FloatArray:
    """Return Φ⁻¹((rank - 3/8) / (size + 1/4)) of every value, with average ranks for ties."""
    flat = x.ravel()
    order = np.argsort(flat)
    in_order = flat[order]
    first = np.flatnonzero(np.concatenate([[True], in_order[1:] != in_order[:-1]]))
    counts = np.diff(first, append=flat.size)
    ranks = first + 0.5 * (counts + 1)
    probability, quantile = _normal_quantiles()
    scores = np.empty(flat.size)
    scores[order] = np.repeat(np.interp((ranks - 0.375) / (flat.size + 0.25), probability, quantile), counts)
    return scores.reshape(x.shape)


@cache
def _normal_quantiles() -> tuple[FloatArray, FloatArray]:
    """Return Φ(z) and z on a grid fine enough to invert Φ by interpolation to 1e-5."""
    from statistics import NormalDist

    z = np.linspace(-7.0, 7.0, 3501)
    return np.array([NormalDist().cdf(v) for v in z.tolist()]), z


def _potential_scale_reduction(chains: FloatArray) -> float:
    n_draws = chains.shape[1]
    within = float(chains.var(axis=1, ddof=1).mean())
    between = float(chains.mean(axis=1).var(ddof=1))
    if within <= 1e-24 * between or within == 0.0:  # chains that are constant but for rounding
        return float("nan") if between == 0.0 else float("inf")
    return float(np.sqrt((n_draws - 1) / n_draws + between / within))


def disagreement(x: FloatArray, acov: Autocovariance) -> tuple[float, str]:
    """Say whether the chains, or the halves of one, sample the same law.

    The variance of the half-chain means is compared with what autocorrelation explains, so that many short chains
    of healthy samplers pass although their R̂ is far above 1. Autocorrelation is first that of ``acov``; if the
    variance is suspicious, that within the halves, which stuck chains do not inflate.

    Returns
    -------
    ratio : float
        Observed over explained variance.
    reason : str
        Empty unless the ratio is too large for chance.
    """
    halves = split_chains(x)
    if halves.shape[1] < 2:
        return 1.0, ""
    ratio, limit = _variance_ratio(halves, acov, FALSE_ALARM_SIGMA)
    if not acov.closed or ratio > _variance_ratio(halves, acov, 1.0)[1]:
        within = within_autocovariance(halves)
        ratio, limit = (ratio, limit) if within is None else _variance_ratio(halves, within, FALSE_ALARM_SIGMA)
    if ratio <= limit:
        return ratio, ""
    between = "chains" if x.shape[0] > 1 else "halves of the chain"
    reason = f"{between} disagree: the variance of their means is {ratio:.3g} times what their correlations explain"
    return ratio, reason


def _variance_ratio(halves: FloatArray, acov: Autocovariance, sigma: float) -> tuple[float, float]:
    """Return observed over expected variance of the means, and the quantile of it at ``sigma``."""
    n_draws = halves.shape[1]
    means = halves.mean(axis=1)
    expected = acov.spread(n_draws) / n_draws
    slack = 1.0 + _excess_kurtosis(halves) * expected / acov.variance / 2.0
    limit = _upper_variance_ratio((means.size - 1) / slack, sigma) * (1.0 + 2.0 * acov.relative_error)
    return float(means.var(ddof=1)) / expected, limit


def drift(x: FloatArray, acov: Autocovariance) -> str:
    """Return why the chains are not stationary, by Geweke's test over all of them; "" if they seem to be.

    z = (mean of the first tenth - mean of the last half) / σ, with σ from the autocovariance.
    """
    n_chains, n_draws = x.shape
    first, last = n_draws // 10, n_draws // 2
    if first < 1:
        return ""
    variance = (acov.spread(first) / first + acov.spread(last) / last) / n_chains
    # A handful of rare events in the first tenth is no normal variate, and says nothing.
    if _excess_kurtosis(x) * acov.spread(first) > 0.5 * acov.variance * first * n_chains:
        return ""
    z = float(x[:, :first].mean() - x[:, -last:].mean()) / np.sqrt(variance)
    if abs(z) <= FALSE_ALARM_SIGMA * (1.0 + acov.relative_error):
        return ""
    return f"not stationary: the first tenth is {z:+.1f} sigma from the last half (burn in longer)"


def _excess_kurtosis(x: FloatArray) -> float:
    deviations = x - x.mean()
    square = deviations * deviations
    return max(float(np.mean(square * square) / np.mean(square) ** 2) - 3.0, 0.0)


def _upper_variance_ratio(dof: float, sigma: float) -> float:
    """Return the upper quantile of χ²_dof/dof at ``sigma`` (Wilson and Hilferty 1931)."""
    spread = 2.0 / (9.0 * dof)
    return float((1.0 - spread + sigma * np.sqrt(spread)) ** 3)
