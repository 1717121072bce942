# SPDX-License-Identifier: BSD-3-Clause
r"""The diffusion process of a schedule: noising, the marginal score, and the two ways back.

    forward      dx = f x dt + g dw,                    x_t = α x₀ + σ ε                     (1)
    score        ∇ log p_t(x) = (α D(x/α; σ/α) - x)/σ²                                       (2)
    reverse SDE  dx = [f x - g² ∇ log p_t(x)] dt + g dw̄                                      (3)
    flow ODE     dx = [f x - ½ g² ∇ log p_t(x)] dt                                           (4)

(3) and (4) run from t = 1 down and have the marginals of (1).

References
----------
Anderson (1982), doi:10.1016/0304-4149(82)90051-5; Song et al. (2021), arXiv:2011.13456, eq. (6) and (13).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from spinodal.score.denoisers import Denoiser, per_chain
from spinodal.score.schedules import Schedule


class DiffusionProcess:
    """A schedule, and the denoiser of the data that it noises.

    Times are numbers, or tensors of one a chain. Configurations are batches (n_chains, …).

    Parameters
    ----------
    schedule : Schedule
    denoiser : Denoiser
    """

    def __init__(self, schedule: Schedule, denoiser: Denoiser) -> None:
        self.schedule, self.denoiser = schedule, denoiser

    def scales(self, t: Any, like: Tensor) -> tuple[Tensor, Tensor]:
        """Return α and σ, so that they multiply a batch."""
        return per_chain(self.schedule.alpha(t), like), per_chain(self.schedule.sigma(t), like)

    def noise(self, x_0: Tensor, t: Any, epsilon: Tensor) -> Tensor:
        """Return x_t = α x₀ + σ ε."""
        alpha_t, sigma_t = self.scales(t, x_0)
        return alpha_t * x_0 + sigma_t * epsilon

    def denoise(self, x_t: Tensor, t: Any) -> Tensor:
        """Return D = E[x₀ | x_t]."""
        alpha_t, _ = self.scales(t, x_t)
        return self.denoiser(x_t / alpha_t, self.schedule.noise_level(t).to(x_t))

    def epsilon(self, x_t: Tensor, t: Any) -> Tensor:
        """Return the noise in x_t that the denoiser sees, (x_t - α D)/σ."""
        alpha_t, sigma_t = self.scales(t, x_t)
        return (x_t - alpha_t * self.denoise(x_t, t)) / sigma_t

    def score(self, x_t: Tensor, t: Any) -> Tensor:
        """Return ∇ log p_t(x_t) by (2)."""
        return -self.epsilon(x_t, t) / per_chain(self.schedule.sigma(t), x_t)

    def reverse_drift(self, x_t: Tensor, t: Any) -> Tensor:
        """Return the drift of the reverse SDE (3), in the direction of growing t."""
        g2 = per_chain(self.schedule.diffusion_squared(t), x_t)
        return per_chain(self.schedule.drift(t), x_t) * x_t - g2 * self.score(x_t, t)

    def flow(self, x_t: Tensor, t: Any) -> Tensor:
        """Return dx/dt of the probability-flow ODE (4)."""
        g2 = per_chain(self.schedule.diffusion_squared(t), x_t)
        return per_chain(self.schedule.drift(t), x_t) * x_t - g2 / 2 * self.score(x_t, t)

    def start(self, epsilon: Tensor) -> Tensor:
        """Return x_1 from white noise, as if the data had mean 0 and variance 1: N(0, α² + σ²)."""
        alpha_1, sigma_1 = self.scales(1.0, epsilon)
        return torch.hypot(alpha_1, sigma_1) * epsilon
