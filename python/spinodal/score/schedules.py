# SPDX-License-Identifier: BSD-3-Clause
r"""Noise schedules: how signal turns into noise from t = 0 to t = 1.

    x_t = α(t) x₀ + σ(t) ε,        λ(t) = log α²/σ²                                          (1)

A schedule is one decreasing function λ, the log signal-to-noise ratio, and the way α and σ share it:

    "preserving"    α² = 1/(1 + e^-λ),   σ² = 1 - α²      the variance of unit data stays 1
    "exploding"     α = 1,               σ = e^(-λ/2)     noise is added to data that stay as they are
    "linear"        α = 1/(1 + e^(-λ/2)), σ = 1 - α       straight lines from data to noise

The forward process dx = f x dt + g dw that has (1) as its marginals follows from these alone:

    f = α̇/α,        g² = d(σ²)/dt - 2 f σ² = -σ² λ̇                                          (2)

References
----------
Kingma, Salimans, Poole and Ho (2021), arXiv:2107.00630, section 3 and eq. (17)-(18), for (2).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any, Literal, Self

import torch
from torch import Tensor

Scaling = Literal["preserving", "exploding", "linear"]
SCALINGS = ("preserving", "exploding", "linear")
MAX_LOG_SNR = 9.0
TERMINAL_SIGNAL = 0.01  # N · SNR where noising ends


def terminal_log_snr(n_sites: int, signal: float = TERMINAL_SIGNAL) -> float:
    """Return log(signal/N): the λ at which all N sites together tell next to nothing of their data.

    An ordered lattice has N copies of one sign, which at t = 1 show through the noise with a signal-to-noise ratio of
    N · SNR: it must be ≪ 1 for white noise to be a fair start. The usual β from 0.1 to 20 ends at 0.003 for 64 sites,
    but at 0.044 for 1024 and 0.18 for 4096.

    Parameters
    ----------
    n_sites : int
        Degrees of freedom, ≥ 1.
    signal : float
        N · SNR in the end, in (0, 1).
    """
    if n_sites < 1:
        raise ValueError(f"n_sites must be >= 1; got {n_sites}")
    if not 0 < signal < 1:
        raise ValueError(f"signal, N · SNR in the end, must be in (0, 1); got {signal}")
    return math.log(signal / n_sites)


class Schedule(ABC):
    """λ(t), and through it α, σ, f and g².

    Every function takes t as a tensor or number in [``t_min``, 1] and returns a tensor of its shape.

    Attributes
    ----------
    scaling : {"preserving", "exploding", "linear"}
    t_min : float
        Where sampling ends: λ may be infinite at 0.
    """

    scaling: Scaling = "preserving"
    t_min = 0.0

    @abstractmethod
    def log_snr(self, t: Any) -> Tensor:
        """Return λ(t)."""

    @abstractmethod
    def log_snr_rate(self, t: Any) -> Tensor:
        """Return dλ/dt < 0."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Return kind and parameters, as JSON can hold them."""

    @classmethod
    @abstractmethod
    def for_size(cls, n_sites: int, **options: Any) -> Self:
        """Return the schedule that ends at N · SNR = 0.01; see :func:`terminal_log_snr`."""

    def alpha(self, t: Any) -> Tensor:
        """Return the signal's scale α(t)."""
        log_snr = self.log_snr(t)
        if self.scaling == "exploding":
            return torch.ones_like(log_snr)
        return torch.sigmoid(log_snr).sqrt() if self.scaling == "preserving" else torch.sigmoid(log_snr / 2)

    def sigma(self, t: Any) -> Tensor:
        """Return the noise's scale σ(t)."""
        log_snr = self.log_snr(t)
        if self.scaling == "exploding":
            return torch.exp(-log_snr / 2)
        return torch.sigmoid(-log_snr).sqrt() if self.scaling == "preserving" else torch.sigmoid(-log_snr / 2)

    def noise_level(self, t: Any) -> Tensor:
        """Return σ/α = e^(-λ/2), the noise on data of their own scale."""
        return torch.exp(-self.log_snr(t) / 2)

    def drift(self, t: Any) -> Tensor:
        """Return f = d log α/dt of (2)."""
        if self.scaling == "exploding":
            return torch.zeros_like(self.log_snr(t))
        log_snr, rate = self.log_snr(t), self.log_snr_rate(t)
        share = torch.sigmoid(-log_snr) if self.scaling == "preserving" else torch.sigmoid(-log_snr / 2)
        return 0.5 * rate * share

    def diffusion_squared(self, t: Any) -> Tensor:
        """Return g² = -σ² λ̇ of (2)."""
        return -self.log_snr_rate(t) * self.sigma(t) ** 2

    def times(self, n_steps: int, spacing: Literal["time", "log_snr"] = "log_snr") -> Tensor:
        """Return n_steps + 1 decreasing times from 1 to ``t_min``, float64, even in t or in λ."""
        if n_steps < 1:
            raise ValueError(f"n_steps must be >= 1; got {n_steps}")
        if spacing not in ("time", "log_snr"):
            raise ValueError(f"spacing={spacing!r} is unknown; choose one of: time, log_snr")
        even = torch.linspace(0, 1, n_steps + 1, dtype=torch.float64)
        low, high = self.log_snr(1.0), self.log_snr(self.t_min)
        times = 1 + (self.t_min - 1) * even if spacing == "time" else self.time_of(low + (high - low) * even)
        times[0], times[-1] = 1.0, self.t_min
        return times

    def time_of(self, log_snr: Any) -> Tensor:
        """Return the t at which λ(t) is given, by bisection: exact to rounding; clamped to [t_min, 1]."""
        wanted = _as_time(log_snr)
        low, high = torch.full_like(wanted, self.t_min), torch.ones_like(wanted)
        for _ in range(60):  # 2^-60 of the interval: below the rounding of float64
            middle = (low + high) / 2
            above = self.log_snr(middle) > wanted
            low, high = torch.where(above, middle, low), torch.where(above, high, middle)
        return (low + high) / 2


def _as_time(t: Any) -> Tensor:
    return t if isinstance(t, torch.Tensor) else torch.as_tensor(t, dtype=torch.float64)


def _check_log_snr(low: float, high: float) -> None:
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"log SNR must fall: min_log_snr < max_log_snr, finite; got {low} and {high}")


def _check_scaling(scaling: str) -> None:
    if scaling not in SCALINGS:
        raise ValueError(f"scaling={scaling!r} is unknown; choose one of: {', '.join(SCALINGS)}")


class LinearBeta(Schedule):
    r"""α = e^(-B/2), B(t) = β_min t + (β_max - β_min) t²/2: the DDPM's linear β.

    Ho, Jain and Abbeel (2020), arXiv:2006.11239; Song et al. (2021), arXiv:2011.13456, eq. (32)-(33).
    """

    def __init__(self, beta_min: float = 0.1, beta_max: float = 20.0, t_min: float = 1e-3) -> None:
        if not (0 < beta_min <= beta_max < math.inf):
            raise ValueError(f"0 < beta_min <= beta_max is needed; got {beta_min} and {beta_max}")
        if not 0 < t_min < 1:
            raise ValueError(f"t_min must be in (0, 1): the SNR is infinite at 0; got {t_min}")
        self.beta_min, self.beta_max, self.t_min = float(beta_min), float(beta_max), float(t_min)

    @classmethod
    def for_size(cls, n_sites: int, **options: Any) -> Self:
        """Return the schedule whose β_max ends it at N · SNR = 0.01."""
        beta_min = float(options.get("beta_min", 0.1))
        integral = math.log1p(math.exp(-terminal_log_snr(n_sites)))  # SNR = 1/(e^B - 1)
        return cls(**{**options, "beta_max": max(2 * integral - beta_min, beta_min)})

    def _integral(self, t: Tensor) -> Tensor:
        return self.beta_min * t + (self.beta_max - self.beta_min) * t**2 / 2

    def log_snr(self, t: Any) -> Tensor:
        """Return λ = -log(e^B - 1)."""
        return -torch.log(torch.expm1(self._integral(_as_time(t))))

    def log_snr_rate(self, t: Any) -> Tensor:
        """Return dλ/dt = -β/(1 - e^-B)."""
        time = _as_time(t)
        beta = self.beta_min + (self.beta_max - self.beta_min) * time
        return beta / torch.expm1(-self._integral(time))

    def describe(self) -> dict[str, Any]:
        """Return kind and parameters."""
        return {"kind": "LinearBeta", "beta_min": self.beta_min, "beta_max": self.beta_max, "t_min": self.t_min}


class _Bounded(Schedule):
    """A schedule between two values of λ."""

    def __init__(
        self,
        min_log_snr: float = -11.5,
        max_log_snr: float = MAX_LOG_SNR,
        scaling: Scaling = "preserving",
    ) -> None:
        _check_log_snr(min_log_snr, max_log_snr)
        _check_scaling(scaling)
        self.min_log_snr, self.max_log_snr = float(min_log_snr), float(max_log_snr)
        self.scaling: Scaling = scaling

    @classmethod
    def for_size(cls, n_sites: int, **options: Any) -> Self:
        """Return the schedule that ends at N · SNR = 0.01."""
        return cls(**{**options, "min_log_snr": terminal_log_snr(n_sites)})

    def describe(self) -> dict[str, Any]:
        """Return kind and parameters."""
        bounds = {"min_log_snr": self.min_log_snr, "max_log_snr": self.max_log_snr}
        return {"kind": type(self).__name__, **bounds, "scaling": self.scaling}


class LogLinear(_Bounded):
    """λ falls linearly: log-SNR uniform in time, σ/α geometric."""

    def log_snr(self, t: Any) -> Tensor:
        """Return λ = λ_max + (λ_min - λ_max) t."""
        return self.max_log_snr + (self.min_log_snr - self.max_log_snr) * _as_time(t)

    def log_snr_rate(self, t: Any) -> Tensor:
        """Return dλ/dt, a constant."""
        return torch.full_like(_as_time(t), self.min_log_snr - self.max_log_snr)


class _Angle(_Bounded):
    """θ(t) linear between the angles with tan θ = e^(-λ/2) at both ends."""

    def _angle(self, t: Any) -> tuple[Tensor, float]:
        start, end = math.atan(math.exp(-self.max_log_snr / 2)), math.atan(math.exp(-self.min_log_snr / 2))
        return start + (end - start) * _as_time(t), end - start


class Cosine(_Angle):
    """α = cos θ, σ = sin θ, θ linear in t, cut to the bounds of λ.

    Nichol and Dhariwal (2021), arXiv:2102.09672, eq. (17); cut as by Hoogeboom et al. (2023), arXiv:2301.11093.
    """

    def log_snr(self, t: Any) -> Tensor:
        """Return λ = -2 log tan θ."""
        return -2 * torch.log(torch.tan(self._angle(t)[0]))

    def log_snr_rate(self, t: Any) -> Tensor:
        """Return dλ/dt = -4 θ̇/sin 2θ."""
        angle, rate = self._angle(t)
        return -4 * rate / torch.sin(2 * angle)


class Interpolation(_Bounded):
    """α = 1 - u, σ = u, u linear in t, cut to the bounds of λ: f = -u̇/(1 - u), g² = 2 u u̇/(1 - u).

    Lipman et al. (2023), arXiv:2210.02747, eq. (20) with σ_min = 0.
    """

    def __init__(
        self, min_log_snr: float = -11.5, max_log_snr: float = MAX_LOG_SNR, scaling: Scaling = "linear"
    ) -> None:
        super().__init__(min_log_snr, max_log_snr, scaling)

    def _share(self, t: Any) -> tuple[Tensor, float]:
        start, end = 1 / (1 + math.exp(self.max_log_snr / 2)), 1 / (1 + math.exp(self.min_log_snr / 2))
        return start + (end - start) * _as_time(t), end - start

    def log_snr(self, t: Any) -> Tensor:
        """Return λ = 2 log((1 - u)/u)."""
        return -2 * torch.logit(self._share(t)[0])

    def log_snr_rate(self, t: Any) -> Tensor:
        """Return dλ/dt = -2 u̇/(u (1 - u))."""
        u, rate = self._share(t)
        return -2 * rate / (u * (1 - u))


class Sigmoid(_Bounded):
    """α² falls as a sigmoid of t between its values at the bounds of λ.

    Jabri, Fleet and Chen (2023), arXiv:2212.11972, with start -3, end 3 and τ = ``temperature``.
    """

    def __init__(
        self,
        min_log_snr: float = -11.5,
        max_log_snr: float = MAX_LOG_SNR,
        scaling: Scaling = "preserving",
        temperature: float = 1.0,
    ) -> None:
        super().__init__(min_log_snr, max_log_snr, scaling)
        if not (math.isfinite(temperature) and temperature > 0):
            raise ValueError(f"temperature must be finite and > 0; got {temperature}")
        self.temperature = float(temperature)

    def _shares(self, t: Any) -> tuple[Tensor, Tensor, Tensor]:
        """Return α², 1 - α² without cancellation, and dα²/dt."""
        slope, edge = 6 / self.temperature, 3 / self.temperature
        rise = torch.sigmoid(slope * _as_time(t) - edge)
        bottom, top = 1 / (1 + math.exp(edge)), 1 / (1 + math.exp(-edge))
        u = (top - rise) / (top - bottom)
        low, high = 1 / (1 + math.exp(-self.min_log_snr)), 1 / (1 + math.exp(-self.max_log_snr))
        rest = 1 / (1 + math.exp(self.max_log_snr)) + (high - low) * (1 - u)
        return low + (high - low) * u, rest, (low - high) * slope * rise * (1 - rise) / (top - bottom)

    def log_snr(self, t: Any) -> Tensor:
        """Return λ = log α²/(1 - α²)."""
        share, rest, _ = self._shares(t)
        return torch.log(share / rest)

    def log_snr_rate(self, t: Any) -> Tensor:
        """Return dλ/dt = (dα²/dt)/(α² (1 - α²))."""
        share, rest, rate = self._shares(t)
        return rate / (share * rest)

    def describe(self) -> dict[str, Any]:
        """Return kind and parameters."""
        return {**super().describe(), "temperature": self.temperature}


class EDM(Schedule):
    """σ^(1/ρ) linear in t, α = 1.

    Karras, Aittala, Aila and Laine (2022), arXiv:2206.00364, eq. (5); ρ → ∞ is :class:`LogLinear`, "exploding".
    """

    scaling: Scaling = "exploding"

    def __init__(self, sigma_min: float = 0.01, sigma_max: float = 316.0, rho: float = 7.0) -> None:
        if not (0 < sigma_min < sigma_max < math.inf):
            raise ValueError(f"0 < sigma_min < sigma_max is needed; got {sigma_min} and {sigma_max}")
        if not (math.isfinite(rho) and rho > 0):
            raise ValueError(f"rho must be finite and > 0; got {rho}")
        self.sigma_min, self.sigma_max, self.rho = float(sigma_min), float(sigma_max), float(rho)

    @classmethod
    def for_size(cls, n_sites: int, **options: Any) -> Self:
        """Return the schedule whose σ_max ends it at N · SNR = 0.01."""
        return cls(**{**options, "sigma_max": math.exp(-terminal_log_snr(n_sites) / 2)})

    def _root(self, t: Any) -> tuple[Tensor, float]:
        start, end = self.sigma_min ** (1 / self.rho), self.sigma_max ** (1 / self.rho)
        return start + (end - start) * _as_time(t), end - start

    def log_snr(self, t: Any) -> Tensor:
        """Return λ = -2 log σ."""
        return -2 * self.rho * torch.log(self._root(t)[0])

    def log_snr_rate(self, t: Any) -> Tensor:
        """Return dλ/dt."""
        root, rate = self._root(t)
        return -2 * self.rho * rate / root

    def describe(self) -> dict[str, Any]:
        """Return kind and parameters."""
        return {"kind": "EDM", "sigma_min": self.sigma_min, "sigma_max": self.sigma_max, "rho": self.rho}


SCHEDULES: dict[str, type[Schedule]] = {
    "LinearBeta": LinearBeta,
    "Cosine": Cosine,
    "LogLinear": LogLinear,
    "Interpolation": Interpolation,
    "Sigmoid": Sigmoid,
    "EDM": EDM,
}


def schedule_from(description: dict[str, Any]) -> Schedule:
    """Return the schedule that ``describe()`` told."""
    arguments = dict(description)
    kind = arguments.pop("kind", None)
    if kind not in SCHEDULES:
        raise ValueError(f"schedule {kind!r} is unknown; choose one of: {', '.join(SCHEDULES)}")
    return SCHEDULES[kind](**arguments)
