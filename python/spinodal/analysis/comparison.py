# SPDX-License-Identifier: BSD-3-Clause
"""Do two sets of draws come from the same law? Means in sigma, and whole distributions with honest p-values.

For draws a and b with distribution functions F_a, F_b of an observable: ::

    KS = max |F_a - F_b|,    energy distance = 2 E|A-B| - E|A-A'| - E|B-B'| = 2 ∫ (F_a - F_b)² dx          (1)

The law of either statistic when a and b agree follows from the blocks' own fluctuations of F, multiplied by
normal variates (the multiplier bootstrap): it allows for autocorrelation, unequal lengths and weights.

References
----------
G. J. Székely, M. L. Rizzo, J. Stat. Plan. Inference 143, 1249 (2013); P. Bühlmann, The blockwise bootstrap in
time series and empirical processes, PhD thesis, ETH Zürich (1993).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spinodal.analysis.arrays import FloatArray, SamplesLike, as_chains, as_log_weights, at_temperature
from spinodal.analysis.autocovariance import usable_autocovariance
from spinodal.analysis.blocks import automatic_blocks
from spinodal.analysis.estimates import Estimate, estimate
from spinodal.analysis.observables import OBSERVABLES, DerivedObservable, estimate_observable, observable
from spinodal.analysis.weights import normalized_weights

MOST_THRESHOLDS = 256
N_BOOTSTRAP = 2000
BLOCKS = 128
DEFAULT = ("energy_per_site", "abs_magnetization", "m2", "binder_cumulant", "heat_capacity")


@dataclass(frozen=True)
class DistributionTest:
    """Distance of two distributions, and the chance of a greater one if they were the same.

    Attributes
    ----------
    ks, ks_p : float
        Kolmogorov-Smirnov distance and its p-value.
    energy_distance, energy_p : float
        Energy distance, in the unit of the observable, and its p-value.
    """

    ks: float
    ks_p: float
    energy_distance: float
    energy_p: float


@dataclass(frozen=True)
class Comparison:
    """One observable in two sets of draws.

    Attributes
    ----------
    a, b : Estimate
    sigma : float
        (a - b) / sqrt(stderr_a² + stderr_b²).
    distribution : DistributionTest or None
        None where only estimates are known, and for functions of means.
    """

    a: Estimate
    b: Estimate
    sigma: float
    distribution: DistributionTest | None = None

    def __str__(self) -> str:
        text = f"{self.a} vs {self.b}: {self.sigma:+.2f} sigma"
        if self.distribution is None:
            return text
        d = self.distribution
        return (
            f"{text}, KS {d.ks:.3g} (p = {d.ks_p:.2g}), energy distance {d.energy_distance:.3g} (p = {d.energy_p:.2g})"
        )


def compare_exact(estimate: Estimate, exact: float) -> float:
    """Return (estimate - exact)/stderr, in sigma; nan if the error is unknown."""
    if estimate.stderr == 0.0:
        return 0.0 if estimate.mean == exact else math.copysign(math.inf, estimate.mean - exact)
    return (estimate.mean - exact) / estimate.stderr


def compare(
    a: SamplesLike | Mapping[str, Estimate] | Estimate,
    b: SamplesLike | Mapping[str, Estimate] | Estimate,
    names: Sequence[str] | None = None,
    temperature: float | None = None,
    seed: int = 0,
) -> dict[str, Comparison]:
    """Compare two runs, or two sets of estimates, observable by observable.

    Parameters
    ----------
    a, b : Samples, mapping of str to Estimate, or Estimate
        Samples may differ in method, number of chains and draws, and weights. A single estimate is named "".
    names : sequence of str, optional
        Default for samples: energy, |m|, m², U4 and heat capacity; for estimates: those in both.
    temperature : float, optional
        Selects chains of samples that hold several temperatures.
    seed : int
        Of the bootstrap behind the p-values.

    Returns
    -------
    dict of str to Comparison
    """
    if _holds_estimates(a) or _holds_estimates(b):
        left, right = (_estimates(x, names, temperature) for x in (a, b))
        shared = [name for name in left if name in right] if names is None else names
        return {name: _means(left[name], right[name]) for name in shared}
    first, second = (_select(x, temperature) for x in (a, b))
    return {name: _compare_samples(first, second, name, seed) for name in (DEFAULT if names is None else names)}


def compare_series(
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    log_weights_a: npt.ArrayLike | None = None,
    log_weights_b: npt.ArrayLike | None = None,
    seed: int = 0,
) -> Comparison:
    """Compare two series, each (n_chains, n_draws): means, Kolmogorov-Smirnov and energy distance."""
    means = _means(estimate(a, log_weights_a), estimate(b, log_weights_b))
    test = distribution_test(a, b, log_weights_a, log_weights_b, seed)
    return Comparison(means.a, means.b, means.sigma, test)


def distribution_test(
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    log_weights_a: npt.ArrayLike | None = None,
    log_weights_b: npt.ArrayLike | None = None,
    seed: int = 0,
) -> DistributionTest:
    """Test whether two series (n_chains, n_draws) have one distribution; p-values are multiples of 1/2001.

    Distribution functions are compared at all distinct values, or at 256 quantiles of both together.
    """
    x, y = as_chains(a, "a"), as_chains(b, "b")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        return DistributionTest(math.nan, math.nan, math.nan, math.nan)
    thresholds = _thresholds(x, y)
    f, noise_f = _distribution(x, log_weights_a, thresholds)
    g, noise_g = _distribution(y, log_weights_b, thresholds)
    rng = np.random.default_rng(seed)
    null = rng.standard_normal((N_BOOTSTRAP, len(noise_f))) @ noise_f
    null -= rng.standard_normal((N_BOOTSTRAP, len(noise_g))) @ noise_g
    width = np.diff(thresholds, append=thresholds[-1])

    def statistics(difference: FloatArray) -> tuple[FloatArray, FloatArray]:
        return np.abs(difference).max(axis=-1), 2.0 * (difference**2 @ width)

    (ks, distance), (null_ks, null_distance) = statistics(f - g), statistics(null)
    return DistributionTest(float(ks), _p_value(null_ks, ks), float(distance), _p_value(null_distance, distance))


def _p_value(null: FloatArray, observed: FloatArray) -> float:
    # The smallest margin keeps identical data (0 against 0) from depending on rounding.
    return (1.0 + float(np.count_nonzero(null >= observed * (1.0 - 1e-12)))) / (1.0 + null.size)


def _thresholds(x: FloatArray, y: FloatArray) -> FloatArray:
    values = np.unique(np.concatenate([np.unique(x), np.unique(y)]))
    if values.size <= MOST_THRESHOLDS:
        return values
    probabilities = np.linspace(0.0, 1.0, MOST_THRESHOLDS)
    return np.unique(np.concatenate([np.quantile(s, probabilities[i::2]) for i, s in enumerate((x, y))]))


def _distribution(
    x: FloatArray, log_weights: npt.ArrayLike | None, thresholds: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return F at the thresholds, and each block's contribution to its error, (n_blocks, n_thresholds)."""
    weights = np.ones(x.shape) if log_weights is None else normalized_weights(as_log_weights(log_weights, x.shape))
    acov = usable_autocovariance(weights * (x - (weights * x).mean()))
    blocks = automatic_blocks(x.shape, acov, BLOCKS)
    cells = thresholds.size + 1
    index = blocks.labels() * cells + np.searchsorted(thresholds, x, side="left")
    sums = np.bincount(index.ravel(), weights.ravel(), blocks.n_blocks * cells).reshape(-1, cells)
    below = np.cumsum(sums[:, :-1], axis=1)
    total = blocks.sums(weights)
    f = below.sum(axis=0) / total.sum()
    n = max(blocks.n_blocks, 2)
    scale = math.sqrt(blocks.inflation * n / (n - 1)) / total.sum()
    return f, scale * (below - total[:, None] * f)


def _means(a: Estimate, b: Estimate) -> Comparison:
    combined = Estimate(a.mean - b.mean, math.hypot(a.stderr, b.stderr))
    return Comparison(a, b, compare_exact(combined, 0.0))


def _compare_samples(a: SamplesLike, b: SamplesLike, name: str, seed: int) -> Comparison:
    means = _means(estimate_observable(a, name), estimate_observable(b, name))
    if isinstance(OBSERVABLES.get(name), DerivedObservable):
        return means
    test = distribution_test(observable(a, name), observable(b, name), a.log_weights, b.log_weights, seed)
    return Comparison(means.a, means.b, means.sigma, test)


def _holds_estimates(x: SamplesLike | Mapping[str, Estimate] | Estimate) -> bool:
    return isinstance(x, (Estimate, Mapping))


def _select(x: SamplesLike | Mapping[str, Estimate] | Estimate, temperature: float | None) -> SamplesLike:
    if isinstance(x, (Estimate, Mapping)):
        raise TypeError(f"expected samples, got {type(x).__name__}")
    return x if temperature is None else at_temperature(x, temperature)


def _estimates(
    x: SamplesLike | Mapping[str, Estimate] | Estimate, names: Sequence[str] | None, temperature: float | None
) -> Mapping[str, Estimate]:
    if isinstance(x, Estimate):
        return {"": x}
    if isinstance(x, Mapping):
        return x
    return {name: estimate_observable(x, name, temperature) for name in (DEFAULT if names is None else names)}
