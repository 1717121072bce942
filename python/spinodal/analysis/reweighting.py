# SPDX-License-Identifier: BSD-3-Clause
"""Single-histogram reweighting: samples at one temperature give averages at another close by.

Draws at T0 serve at T with the importance weights ln w = -(1/T - 1/T0) E.

References
----------
A. M. Ferrenberg, R. H. Swendsen, Phys. Rev. Lett. 61, 2635 (1988).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt

from spinodal.analysis.arrays import (
    FloatArray,
    SamplesLike,
    as_chains,
    as_log_weights,
    one_temperature,
)
from spinodal.analysis.estimates import Estimate, estimate

S = TypeVar("S", bound=SamplesLike)


def log_reweighting(energy: npt.ArrayLike, source: float, target: float) -> FloatArray:
    """Return ln w = -(1/target - 1/source) E of draws at temperature ``source``, shape (n_chains, n_draws)."""
    for name, value in (("source", source), ("target", target)):
        if not value > 0.0 or not np.isfinite(value):
            raise ValueError(f"{name} temperature must be positive and finite; got {value}")
    result: FloatArray = -(1.0 / target - 1.0 / source) * as_chains(energy, "energy")
    return result


def reweight(
    energy: npt.ArrayLike,
    observable: npt.ArrayLike,
    source: float,
    target: float,
    log_weights: npt.ArrayLike | None = None,
) -> Estimate:
    """Estimate <O> at another temperature, <O>_T = Σ O w / Σ w.

    Parameters
    ----------
    energy : array_like, shape (n_chains, n_draws)
        Total energies of draws at temperature ``source``.
    observable : array_like of the same shape
    source, target : float
        Temperatures of the draws and of the average.
    log_weights : array_like of the same shape, optional
        Importance weights that the draws already have.

    Returns
    -------
    Estimate
        Flagged where too few draws overlap with the target (Kish's number, largest share, Pareto k).
    """
    logs = log_reweighting(energy, source, target)
    if log_weights is not None:
        logs = logs + as_log_weights(log_weights, logs.shape)
    return estimate(observable, logs)


def reweight_samples(samples: S, target: float) -> S:
    """Return the samples as weighted samples at another temperature.

    Every estimate of the result, of cumulants and correlations too, is one at ``target``, with the weights'
    diagnostics. Draws and energies are shared, not copied.

    Parameters
    ----------
    samples : Samples
        At one temperature.
    target : float
    """
    source = one_temperature(samples)
    logs = log_reweighting(samples.energy, source, target)
    if samples.log_weights is not None:
        logs = logs + as_log_weights(samples.log_weights, logs.shape)
    changes: dict[str, Any] = {
        "temperature": np.full(logs.shape[0], float(target)),
        "log_weights": logs,
        "provenance": {**samples.provenance, "reweighted_from": source},
    }
    return cast(S, replace(cast(Any, samples), **changes))
