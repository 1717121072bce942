# SPDX-License-Identifier: BSD-3-Clause
r"""Steps of reverse diffusion, x_t → x_s for s < t: one family, in the symbols of the papers.

α_t|s = α_t/α_s and σ²_t|s = σ_t² - α²_t|s σ_s² are the scale and the noise that the forward process adds from s to t.
By Bayes, for known data x₀,

    q(x_s | x_t, x₀) = N(a x_t + b x₀, β),
    a = α_t|s σ_s²/σ_t²,   b = α_s σ²_t|s/σ_t²,   β = σ_s² σ²_t|s/σ_t²                       (1)

A stepper belongs to one trajectory: it draws its noise, counts evaluations of the denoiser, and may remember.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from spinodal.score.denoisers import per_chain
from spinodal.score.noise import ChainNoise
from spinodal.score.process import DiffusionProcess
from spinodal.score.schedules import Schedule


class Bridge:
    """The coefficients a, b and β of (1), between two times.

    Ratios are taken in λ, where 1 - SNR_t/SNR_s does not cancel: σ²_t|s = σ_t² (1 - e^(λ_t - λ_s)).
    """

    def __init__(self, schedule: Schedule, t: Any, s: Any, like: Tensor) -> None:
        alpha_t, sigma_t = per_chain(schedule.alpha(t), like), per_chain(schedule.sigma(t), like)
        alpha_s, sigma_s = per_chain(schedule.alpha(s), like), per_chain(schedule.sigma(s), like)
        gained = per_chain(-torch.expm1(schedule.log_snr(t) - schedule.log_snr(s)), like)
        self.a = alpha_t / alpha_s * (sigma_s / sigma_t) ** 2
        self.b = alpha_s * gained
        self.beta = sigma_s**2 * gained


class Stepper(ABC):
    """One way to step back in time.

    Parameters
    ----------
    process : DiffusionProcess
    noise : ChainNoise
        Where the trajectory's random numbers come from.
    """

    n_evaluations_per_step = 1

    def __init__(self, process: DiffusionProcess, noise: ChainNoise) -> None:
        self.process, self.noise = process, noise
        self.n_evaluations = 0

    def denoise(self, x_t: Tensor, t: Any) -> Tensor:
        """Return D(x_t), and count it."""
        self.n_evaluations += 1
        return self.process.denoise(x_t, t)

    @abstractmethod
    def step(self, x_t: Tensor, t: Any, s: Any) -> Tensor:
        """Return x_s."""


class Ancestral(Stepper):
    r"""DDPM's sampling: x_s from (1) with D in the place of x₀.

    Ho, Jain and Abbeel (2020), arXiv:2006.11239, eq. (7) and algorithm 2, with σ_t² = β̃_t.
    """

    def step(self, x_t: Tensor, t: Any, s: Any) -> Tensor:
        """Return x_s = a x_t + b D + √β ε."""
        bridge = Bridge(self.process.schedule, t, s, x_t)
        return bridge.a * x_t + bridge.b * self.denoise(x_t, t) + bridge.beta.sqrt() * self.noise()


class SpinMixture(Stepper):
    r"""Ancestral steps of spins: x₀ in (1) is drawn, site by site, from its probability given x_t.

    A mixture of two Gaussians a site; exact for sites that do not interact, whatever the step.
    """

    def step(self, x_t: Tensor, t: Any, s: Any) -> Tensor:
        """Return x_s = a x_t + b ŝ + √β ε with ŝ ~ P(s | x_t)."""
        bridge = Bridge(self.process.schedule, t, s, x_t)
        spins = bernoulli_spins(self.denoise(x_t, t), self.noise)
        return bridge.a * x_t + bridge.b * spins + bridge.beta.sqrt() * self.noise()


class EulerMaruyama(Stepper):
    """The reverse SDE, eq. (3) of `process`, by the Euler-Maruyama method: strong order 1/2, weak order 1."""

    def step(self, x_t: Tensor, t: Any, s: Any) -> Tensor:
        """Return x_s = x_t + [f x - g² score] (s - t) + g √(t - s) ε."""
        process, schedule = self.process, self.process.schedule
        alpha_t, sigma_t = process.scales(t, x_t)
        f, g2 = per_chain(schedule.drift(t), x_t), per_chain(schedule.diffusion_squared(t), x_t)
        score = (alpha_t * self.denoise(x_t, t) - x_t) / sigma_t**2
        dt = per_chain(t - s, x_t)
        return x_t - (f * x_t - g2 * score) * dt + (g2 * dt).sqrt() * self.noise()


class PredictorCorrector(Stepper):
    """An ancestral step, then Langevin steps at the new time.

    Song et al. (2021), arXiv:2011.13456, algorithm 1; the step is a part of the noise's variance rather than of the
    batch's norms, so that chains do not see each other.

    Parameters
    ----------
    n_corrections : int
    snr : float
        Langevin step δ = snr σ_s², in (0, 1).
    """

    def __init__(
        self, process: DiffusionProcess, noise: ChainNoise, *, n_corrections: int = 1, snr: float = 0.1
    ) -> None:
        super().__init__(process, noise)
        if n_corrections < 0:
            raise ValueError(f"n_corrections must be >= 0; got {n_corrections}")
        if not 0 < snr < 1:
            raise ValueError(f"snr must be in (0, 1); got {snr}")
        self.n_corrections, self.snr = n_corrections, snr
        self._predictor = Ancestral(process, noise)

    def step(self, x_t: Tensor, t: Any, s: Any) -> Tensor:
        """Return x_s: predicted, then x_s + δ score + √2δ ε so many times."""
        x_s = self._predictor.step(x_t, t, s)
        self.n_evaluations += 1
        alpha_s, sigma_s = self.process.scales(s, x_s)
        for _ in range(self.n_corrections):
            pull = alpha_s * self.denoise(x_s, s) - x_s
            x_s = x_s + self.snr * pull + (2 * self.snr) ** 0.5 * sigma_s * self.noise()
        return x_s


class DDIM(Stepper):
    r"""Deterministic for η = 0, ancestral for η = 1.

    Song, Meng and Ermon (2021), arXiv:2010.02502, eq. (12) and (16).
    """

    def __init__(self, process: DiffusionProcess, noise: ChainNoise, *, eta: float = 0.0) -> None:
        super().__init__(process, noise)
        if not 0 <= eta <= 1:
            raise ValueError(f"eta must be in [0, 1]; got {eta}")
        self.eta = eta

    def step(self, x_t: Tensor, t: Any, s: Any) -> Tensor:
        """Return x_s = α_s D + √(σ_s² - η²β) ε̂ + η √β ε, with ε̂ = (x_t - α_t D)/σ_t."""
        alpha_t, sigma_t = self.process.scales(t, x_t)
        alpha_s, sigma_s = self.process.scales(s, x_t)
        denoised = self.denoise(x_t, t)
        epsilon = (x_t - alpha_t * denoised) / sigma_t
        if not self.eta:
            return alpha_s * denoised + sigma_s * epsilon
        fresh = self.eta**2 * Bridge(self.process.schedule, t, s, x_t).beta
        return alpha_s * denoised + (sigma_s**2 - fresh).sqrt() * epsilon + fresh.sqrt() * self.noise()


class Heun(Stepper):
    """The flow ODE for y = x/α and the noise level σ̃ = σ/α, dy/dσ̃ = (y - D)/σ̃, by Heun's method; order 2.

    Karras et al. (2022), arXiv:2206.00364, algorithm 2: ``churn`` is γ, the part by which each step first raises the
    noise, never beyond the schedule's.
    """

    n_evaluations_per_step = 2

    def __init__(self, process: DiffusionProcess, noise: ChainNoise, *, churn: float = 0.0) -> None:
        super().__init__(process, noise)
        if not 0 <= churn < 1:
            raise ValueError(f"churn must be in [0, 1); got {churn}")
        self.churn = churn

    def step(self, x_t: Tensor, t: Any, s: Any) -> Tensor:
        """Return x_s."""
        if self.churn:
            x_t, t = self._raise_noise(x_t, t)
        alpha_t, alpha_s = self.process.scales(t, x_t)[0], self.process.scales(s, x_t)[0]
        level = self.process.schedule.noise_level
        high, low = per_chain(level(t), x_t), per_chain(level(s), x_t)
        y = x_t / alpha_t
        slope = (y - self.denoise(x_t, t)) / high
        guess = y + (low - high) * slope
        corrected = (guess - self.denoise(alpha_s * guess, s)) / low
        return alpha_s * (y + (low - high) * (slope + corrected) / 2)

    def _raise_noise(self, x_t: Tensor, t: Any) -> tuple[Tensor, Tensor]:
        schedule = self.process.schedule
        raised = schedule.time_of(schedule.log_snr(t) - 2 * torch.log1p(torch.as_tensor(self.churn)))
        before, after = per_chain(schedule.noise_level(t), x_t), per_chain(schedule.noise_level(raised), x_t)
        alpha_t, alpha_raised = self.process.scales(t, x_t)[0], self.process.scales(raised, x_t)[0]
        extra = (after**2 - before**2).clamp(min=0).sqrt()
        return alpha_raised * (x_t / alpha_t + extra * self.noise()), raised


class DPMSolver2M(Stepper):
    r"""DPM-Solver++(2M): exponential integrator in λ/2 with D from the last two; order 2, one evaluation a step.

    Lu et al. (2022), arXiv:2211.01095, algorithm 2. The first step is DDIM's.
    """

    def __init__(self, process: DiffusionProcess, noise: ChainNoise) -> None:
        super().__init__(process, noise)
        self._last: tuple[Tensor, Tensor] | None = None  # D and the step h that it was followed by

    def step(self, x_t: Tensor, t: Any, s: Any) -> Tensor:
        """Return x_s = (σ_s/σ_t) x_t - α_s (e^-h - 1) D̂, with h = (λ_s - λ_t)/2."""
        schedule = self.process.schedule
        sigma_t = self.process.scales(t, x_t)[1]
        alpha_s, sigma_s = self.process.scales(s, x_t)
        h = per_chain((schedule.log_snr(s) - schedule.log_snr(t)) / 2, x_t)
        denoised = self.denoise(x_t, t)
        combined = denoised
        if self._last is not None:
            before, h_before = self._last
            combined = denoised + h / (2 * h_before) * (denoised - before)
        self._last = (denoised, h)
        return sigma_s / sigma_t * x_t - alpha_s * torch.expm1(-h) * combined


class AdaptiveHeun(Stepper):
    """The flow ODE in τ = log σ̃, dy/dτ = y - D, by Heun steps whose size each chain chooses for itself.

    The difference from Euler's step, over ``atol + rtol |y|`` and root mean squared over a chain's components, is kept
    below 1: Hairer, Nørsett and Wanner, Solving Ordinary Differential Equations I, eq. II.4.11-13.

    Parameters
    ----------
    rtol, atol : float
        In units of the data's scale.
    max_steps : int
        So many trials of any one chain from t to s at most.
    """

    n_evaluations_per_step = 0  # as many as it takes

    def __init__(
        self, process: DiffusionProcess, noise: ChainNoise, *, rtol: float = 1e-2, atol: float = 1e-2,
        max_steps: int = 1000,
    ) -> None:  # fmt: skip
        super().__init__(process, noise)
        if not (rtol >= 0 and atol > 0):
            raise ValueError(f"rtol >= 0 and atol > 0 are needed; got {rtol} and {atol}")
        self.rtol, self.atol, self.max_steps = rtol, atol, max_steps

    def step(self, x_t: Tensor, t: Any, s: Any) -> Tensor:
        """Return x_s, in as many steps as the tolerance asks for."""
        schedule = self.process.schedule
        n = len(x_t)
        tau = (-schedule.log_snr(t) / 2).to(x_t).expand(n).clone()
        end = (-schedule.log_snr(s) / 2).to(x_t).expand(n)
        y = x_t / self.process.scales(t, x_t)[0]
        size = (end - tau) / 10
        slope = self._slope(y, tau)
        for _ in range(self.max_steps):
            size = torch.maximum(size, end - tau)  # both negative: not beyond the end
            guess = y + per_chain(size, y) * slope
            slope_there = self._slope(guess, tau + size)
            better = y + per_chain(size, y) * (slope + slope_there) / 2
            error = self._error(better - guess, torch.maximum(y.abs(), better.abs()))
            accepted = error <= 1
            y = torch.where(per_chain(accepted, y).bool(), better, y)
            tau = torch.where(accepted, tau + size, tau)
            if bool((tau <= end).all()):
                return self.process.scales(s, x_t)[0] * y
            size = size * (0.9 / error.sqrt().clamp(min=1e-3)).clamp(0.2, 5.0)
            slope = self._slope(y, tau)
        raise RuntimeError(f"no end after {self.max_steps} steps: rtol={self.rtol} and atol={self.atol} ask for more")

    def _slope(self, y: Tensor, tau: Tensor) -> Tensor:
        self.n_evaluations += 1
        return y - self.process.denoiser(y, tau.exp())

    def _error(self, difference: Tensor, scale: Tensor) -> Tensor:
        weighted = difference / (self.atol + self.rtol * scale)
        return weighted.reshape(len(weighted), -1).square().mean(dim=1).sqrt()


def bernoulli_spins(mean: Tensor, noise: ChainNoise) -> Tensor:
    """Return spins ±1 of given means, drawn, never thresholded."""
    return torch.where(noise.uniform() < (1 + mean) / 2, 1.0, -1.0).to(mean.dtype)


STEPPERS: dict[str, Callable[..., Stepper]] = {
    "ancestral": Ancestral,
    "mixture": SpinMixture,
    "euler_maruyama": EulerMaruyama,
    "predictor_corrector": PredictorCorrector,
    "ddim": DDIM,
    "heun": Heun,
    "dpm_solver_2m": DPMSolver2M,
    "adaptive": AdaptiveHeun,
}
"""The methods by name."""
