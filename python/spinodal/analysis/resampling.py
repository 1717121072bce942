# SPDX-License-Identifier: BSD-3-Clause
"""Errors and bias of functions of means (ratios, cumulants, logarithms), by the block jackknife."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from spinodal.analysis.arrays import FloatArray, IntArray, as_chains, as_log_weights, is_constant
from spinodal.analysis.blocks import Blocks, automatic_blocks, blocks_of_length
from spinodal.analysis.estimates import Estimate, estimate_chains
from spinodal.analysis.weights import normalized_weights, weight_diagnostics


def jackknife(
    function: Callable[..., float],
    *series: npt.ArrayLike,
    block: int | None = None,
    log_weights: npt.ArrayLike | None = None,
) -> Estimate:
    """Estimate f(<A>, <B>, …) from the draws of A, B, …, with the jackknife's error and bias correction.

    Blocks come from all chains. Their length follows from the autocorrelation of the linearised series
    Σ_a (∂f/∂a) (A_a - <A_a>), which also supplies ``tau_int``, ``ess``, ``r_hat`` and the checks.

    Parameters
    ----------
    function : callable
        Takes one float per series, the means, and returns a float; called once per block.
    *series : array_like, shape (n_chains, n_draws) or (n_draws,)
        All of one shape, draw by draw.
    block : int, optional
        Block length in draws; a chain shorter than it is one block.
    log_weights : array_like of the same shape, optional
        Log importance weights; the means are Σ w A / Σ w.

    Returns
    -------
    Estimate

    References
    ----------
    B. Efron, The Jackknife, the Bootstrap and Other Resampling Plans (1982); Busing, Meijer, van der Leeden,
    Stat. Comput. 9, 3 (1999), for blocks of unequal size; Wolff (2004), for the linearised series.
    """
    chains = [as_chains(s, "series") for s in series]
    if not chains or any(c.shape != chains[0].shape for c in chains):
        raise ValueError(f"series must be one or more arrays of one shape; got {[c.shape for c in chains]}")
    shape = chains[0].shape
    logs = None if log_weights is None else as_log_weights(log_weights, shape)
    weights = np.ones(shape) if logs is None else normalized_weights(logs)
    if not all(np.isfinite(c).all() for c in [*chains, weights]):
        return Estimate(math.nan, math.nan, n=chains[0].size).failing("draws are not all finite")
    means = [float((weights * c).mean()) for c in chains]
    linear = _linearised(function, means, chains, weights)
    base, acov = estimate_chains(linear)
    blocks = automatic_blocks(shape, acov) if block is None else blocks_of_length(shape[0], shape[1], block)
    value, error = _leave_blocks_out(function, means, chains, weights, blocks)
    result = replace(base, mean=value, stderr=error if math.isfinite(base.stderr) else math.nan)
    if logs is not None:
        quality = weight_diagnostics(logs)
        ess = quality.ess / (2.0 * base.tau_int)
        result = replace(result, ess=ess, weights=quality).failing(quality.reason)
    return result if math.isfinite(value) else result.failing("the function of the means is not finite")


def _linearised(
    function: Callable[..., float], means: list[float], chains: list[FloatArray], weights: FloatArray
) -> FloatArray:
    """Return the series whose mean has, to first order, the fluctuations of f."""
    linear = np.zeros(weights.shape)
    for a, chain in enumerate(chains):
        if is_constant(chain):
            continue
        step = float(chain.std()) / math.sqrt(chain.size)
        shifted = [function(*(m + sign * step * (b == a) for b, m in enumerate(means))) for sign in (1.0, -1.0)]
        linear += (shifted[0] - shifted[1]) / (2.0 * step) * weights * (chain - means[a])
    return linear


def _leave_blocks_out(
    function: Callable[..., float], means: list[float], chains: list[FloatArray], weights: FloatArray, blocks: Blocks
) -> tuple[float, float]:
    full = float(function(*means))
    if blocks.n_blocks < 2:
        return full, math.nan
    weight = blocks.sums(weights)
    rest = weight.sum() - weight
    left_out = [(blocks.sums(weights * c).sum() - blocks.sums(weights * c)) / rest for c in chains]
    replicas = np.array([function(*(float(m) for m in row)) for row in zip(*left_out, strict=True)])
    value, variance = delete_block(np.asarray(full), replicas, blocks.sizes)
    return float(value), math.sqrt(float(variance) * blocks.inflation)


def delete_block(full: FloatArray, replicas: FloatArray, sizes: FloatArray | IntArray) -> tuple[FloatArray, FloatArray]:
    """Combine leave-one-block-out replicas into bias-corrected values and their variances.

    With N = Σ m_j and h_j = N/m_j, the pseudo-values θ_j = h_j θ - (h_j - 1) θ_(-j) have weighted mean
    θ_J = Σ θ_j/h_j, and Var = 1/B Σ (θ_j - θ_J)²/(h_j - 1).

    Parameters
    ----------
    full : float64 array, shape (...)
        The statistic θ of all the data.
    replicas : float64 array, shape (n_blocks, ...)
        θ_(-j), without block j.
    sizes : array, shape (n_blocks,)
        Block sizes m_j, numbers of draws or their effective numbers.

    References
    ----------
    Busing, Meijer, van der Leeden (1999), doi:10.1023/A:1008800423698.
    """
    h = (sizes.sum() / sizes).reshape(-1, *(1,) * full.ndim)
    pseudo = h * full - (h - 1.0) * replicas
    center = (pseudo / h).sum(axis=0)
    variance = ((pseudo - center) ** 2 / (h - 1.0)).mean(axis=0)
    return center, variance
