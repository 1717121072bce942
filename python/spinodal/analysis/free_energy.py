# SPDX-License-Identifier: BSD-3-Clause
"""ln Z and the free energy from importance weights exp(−E/T)/q."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from spinodal.analysis.arrays import SamplesLike
from spinodal.analysis.weights import WeightDiagnostics, weight_diagnostics


@dataclass(frozen=True)
class LogPartition:
    """An estimate of ln Z.

    Attributes
    ----------
    mean, stderr : float
        ln of the mean weight, and its error by the delta method; ``nan`` if all weights are equal, as where each draw
        is the same up to a flip: others may never have been proposed.
    temperature : float
    n_sites : int
    weights : WeightDiagnostics
        Whether the weights can be trusted.
    forward_kl : float
        KL(p‖q) in nats, Σ w log w / Σ w − ln mean w: self-normalised.
    reverse_kl : float
        KL(q‖p) in nats, ln mean w − mean log w.
    """

    mean: float
    stderr: float
    temperature: float
    n_sites: int
    weights: WeightDiagnostics
    forward_kl: float
    reverse_kl: float

    @property
    def reason(self) -> str:
        """Why not to rely on it; empty if nothing speaks against it."""
        if math.isnan(self.stderr):
            return f"all {self.weights.n} weights are equal: the error of ln Z is unknown"
        return self.weights.reason

    @property
    def per_site(self) -> tuple[float, float]:
        """(ln Z / N, its error)."""
        return self.mean / self.n_sites, self.stderr / self.n_sites

    @property
    def free_energy_per_site(self) -> tuple[float, float]:
        """(F/N = −T ln Z / N, its error)."""
        return -self.temperature * self.mean / self.n_sites, self.temperature * self.stderr / self.n_sites


def log_partition(samples: SamplesLike) -> LogPartition:
    """Estimate ln Z from independent weighted samples at one temperature.

    Parameters
    ----------
    samples : Samples
        With ``log_weights`` of unnormalised weights exp(−E/T)/q, all draws independent.

    Raises
    ------
    ValueError
        If there are no weights, or several temperatures.
    """
    if samples.log_weights is None:
        raise ValueError("ln Z needs importance weights exp(-E/T)/q: these samples have no log_weights")
    temperatures = np.unique(samples.temperature)
    if temperatures.size != 1:
        raise ValueError(f"ln Z is of one temperature; there are {temperatures.tolist()}: select one")
    logs = np.ravel(samples.log_weights)
    top = float(logs.max())
    weights = np.exp(logs - top)
    mean = float(weights.mean())
    log_mean = top + math.log(mean)
    error = float(weights.std(ddof=1)) / mean / math.sqrt(logs.size) if np.ptp(weights) > 0 else math.nan
    forward = float((weights * logs).sum() / weights.sum()) - log_mean
    shape = samples.provenance.get("system", {}).get("shape")
    if shape is None:
        raise ValueError("the samples' provenance does not say how many sites there are")
    return LogPartition(
        mean=log_mean, stderr=error, temperature=float(temperatures[0]), n_sites=math.prod(shape),
        weights=weight_diagnostics(logs), forward_kl=forward, reverse_kl=log_mean - float(logs.mean()),
    )  # fmt: skip
