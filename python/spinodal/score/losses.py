# SPDX-License-Identifier: BSD-3-Clause
r"""What training minimises: denoising score matching in its weightings, and the cross-entropy of spins.

Data x₀ are noised to y = x₀ + σ ε at a level λ = -2 log σ. Every prediction is a function of the denoiser D(y; σ), so
that its mean square error is that of D times a weight: with SNR = e^λ,

    "x0"       |D - x₀|²                          w = 1                                       (1)
    "epsilon"  |ε̂ - ε|²,   ε̂ = (y - D)/σ           w = SNR
    "v"        |v̂ - v|²,   v = α ε - σ' x₀         w = SNR + 1
    "edm"      unit variance of the target        w = SNR + 1/σ_d²
    "score"    σ'² |∇ log p̂ - ∇ log q|²            w = SNR, with any σ': the same as "epsilon"

(α² + σ'² = 1, the variance-preserving scales of the same SNR). Each is least, pointwise in y, at the posterior mean:
that is D = E[x₀ | y], and (D - y)/σ² is the score. The probability P(s) = exp(φ s)/(2 cosh φ) has the cross-entropy

    "bce"      -log P(s) = log(1 + e^(-2 φ s)),    least at tanh φ = E[s | y]                 (2)

SNR grows without bound as σ → 0, and the loss with it unless the denoiser's error shrinks: those of this package have
c_out ∝ σ for real fields, and spins that saturate. ``max_weight`` bounds it for any other.

References
----------
Vincent (2011), doi:10.1162/NECO_a_00142; Salimans and Ho (2022), arXiv:2202.00512, for v; Karras et al. (2022),
arXiv:2206.00364, table 1; Hang et al. (2023), arXiv:2303.09556, for the bound.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional

from spinodal.score.denoisers import Denoiser, per_chain

Prediction = Literal["x0", "epsilon", "score", "v", "edm"]
Weight = Callable[[Tensor], Tensor]
PREDICTIONS = ("x0", "epsilon", "score", "v", "edm")


class MeanSquare:
    """Denoising score matching (1).

    Parameters
    ----------
    prediction : {"x0", "epsilon", "score", "v", "edm"}
        What the weight makes the error that of.
    data_variance : float
        σ_d² of "edm", > 0.
    max_weight : float, optional
        Bound of the weight.
    weight : callable, optional
        A factor of its own for each level, λ → w ≥ 0: a time weighting.
    """

    def __init__(
        self,
        prediction: Prediction = "epsilon",
        *,
        data_variance: float = 1.0,
        max_weight: float | None = None,
        weight: Weight | None = None,
    ) -> None:
        if prediction not in PREDICTIONS:
            raise ValueError(f"prediction={prediction!r} is unknown; choose one of: {', '.join(PREDICTIONS)}")
        for name, value in (("data_variance", data_variance), ("max_weight", max_weight)):
            if value is not None and not (math.isfinite(value) and value > 0):
                raise ValueError(f"{name} must be finite and > 0; got {value}")
        self.prediction, self.data_variance, self.max_weight = prediction, float(data_variance), max_weight
        self.weight = weight

    def __call__(self, denoiser: Denoiser, x_0: Tensor, log_snr: Tensor, epsilon: Tensor) -> Tensor:
        """Return the loss of each chain, a mean over its components, shape (n_chains,).

        Parameters
        ----------
        denoiser : Denoiser
            Bound to the chains' temperatures.
        x_0, epsilon : tensor, shape (n_chains, …)
        log_snr : tensor, shape (n_chains,)
        """
        sigma = torch.exp(-log_snr / 2)
        error = denoiser(x_0 + per_chain(sigma, x_0) * epsilon, sigma) - x_0
        return self.weight_of(log_snr) * error.square().flatten(1).mean(1)

    def weight_of(self, log_snr: Tensor) -> Tensor:
        """Return the weight of |D - x₀|² at a level."""
        snr = torch.exp(log_snr)
        weight = {"x0": torch.ones_like(snr), "v": snr + 1, "edm": snr + 1 / self.data_variance}.get(
            self.prediction, snr
        )
        if self.max_weight is not None:
            weight = weight.clamp(max=self.max_weight)
        return weight if self.weight is None else weight * self.weight(log_snr)

    def describe(self) -> dict[str, Any]:
        """Return what is minimised, for provenance."""
        own = {"data_variance": self.data_variance} if self.prediction == "edm" else {}
        named = {} if self.weight is None else {"weight": getattr(self.weight, "__name__", "custom")}
        return {"kind": "MeanSquare", "prediction": self.prediction, "max_weight": self.max_weight, **own, **named}


class CrossEntropy:
    """The cross-entropy (2) of spins, less that of free spins in the same noise, which no weight changes.

    What is subtracted makes the loss 0 where nothing is known of the coupling, and negative after some training.

    Parameters
    ----------
    weight : callable, optional
        A factor of its own for each level, λ → w ≥ 0: a time weighting.
    """

    def __init__(self, *, weight: Weight | None = None) -> None:
        self.weight = weight

    def __call__(self, denoiser: Any, x_0: Tensor, log_snr: Tensor, epsilon: Tensor) -> Tensor:
        """Return the loss of each chain, a mean over its spins, shape (n_chains,); arguments as of `MeanSquare`."""
        sigma = torch.exp(-log_snr / 2)
        y = x_0 + per_chain(sigma, x_0) * epsilon
        free = y * per_chain(torch.exp(log_snr), y)
        loss = (_minus_log_p(x_0, denoiser.field(y, sigma)) - _minus_log_p(x_0, free)).flatten(1).mean(1)
        return loss if self.weight is None else loss * self.weight(log_snr)

    def describe(self) -> dict[str, Any]:
        """Return what is minimised, for provenance."""
        named = {} if self.weight is None else {"weight": getattr(self.weight, "__name__", "custom")}
        return {"kind": "CrossEntropy", **named}


def _minus_log_p(spins: Tensor, field: Tensor) -> Tensor:
    return functional.softplus(-2 * field * spins)


class Levels:
    """Which noise levels are trained: λ of each chain, stratified over the batch.

    Parameters
    ----------
    low, high : float
        Bounds of λ.
    quantile : callable, optional
        A custom schedule: (0, 1) → (0, 1), increasing, applied before the bounds. By default λ is uniform.
    """

    def __init__(self, low: float, high: float, quantile: Callable[[Tensor], Tensor] | None = None) -> None:
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ValueError(f"levels need low < high, finite; got {low} and {high}")
        self.low, self.high, self.quantile = float(low), float(high), quantile

    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        """Return n levels in random order, one in each n-th of the distribution, float64."""
        offset = torch.rand((), generator=generator, dtype=torch.float64)
        u = ((torch.randperm(n, generator=generator) + offset) / n) % 1.0
        return self.low + (self.high - self.low) * (u if self.quantile is None else self.quantile(u))

    def describe(self) -> dict[str, Any]:
        """Return the distribution, for provenance."""
        named = {} if self.quantile is None else {"quantile": getattr(self.quantile, "__name__", "custom")}
        return {"low": self.low, "high": self.high, **named}
