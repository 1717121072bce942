# SPDX-License-Identifier: BSD-3-Clause
"""Schedules of a process: the integral τ(t) = ∫₀ᵗ β of its rate, t in [0, 1]."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from spinodal.backends.protocol import Reals

ScheduleName = Literal["linear", "cosine"]
Rate = Callable[[Any], Any]

BETA_MIN, BETA_MAX = 0.1, 20.0
_GAUSS = np.polynomial.legendre.leggauss(6)
N_STEPS = 1000
"""Steps of the discrete cosine schedule, and panels of the integral of a callable one."""


class Schedule:
    r"""The rate β(t) and its integral.

    "linear": β from 0.1 to 20. "cosine": the discrete schedule of Nichol and Dhariwal, ICML (2021), eq. (17), of 1000
    steps, each at the constant rate −1000 log(1 − β_i): the exact transition of a step then is that of the discrete
    process, which Σ β_i would miss (12.44 where it is 19.84). A callable is β itself, vectorized.
    """

    def __init__(self, schedule: ScheduleName | Rate) -> None:
        self.name = schedule if isinstance(schedule, str) else getattr(schedule, "__name__", "callable")
        self._rate: Rate | None = None
        self._table: Reals | None = None
        if callable(schedule):
            self._rate = schedule
            self._table = np.concatenate([[0.0], np.cumsum(_panels(schedule, np.arange(N_STEPS), np.ones(N_STEPS)))])
        elif schedule == "cosine":
            self._table = cosine_table(N_STEPS)
        elif schedule != "linear":
            raise ValueError(f"schedule={schedule!r} is unknown; choose linear, cosine, or pass a function β(t)")

    def beta(self, t: Any) -> Reals:
        """Return the rate at t."""
        times = check_times(t)
        if self._rate is not None:
            return np.asarray(self._rate(times), dtype=np.float64)
        if self._table is not None:
            step = np.minimum((times * N_STEPS).astype(np.int64), N_STEPS - 1)
            return np.asarray(N_STEPS * np.diff(self._table)[step])
        return BETA_MIN + (BETA_MAX - BETA_MIN) * times

    def tau(self, t: Any) -> Reals:
        """Return ∫₀ᵗ β, in the shape of t."""
        times = check_times(t)
        if self._table is None:
            return np.asarray(BETA_MIN * times + 0.5 * (BETA_MAX - BETA_MIN) * times**2)
        step = np.minimum((times * N_STEPS).astype(np.int64), N_STEPS - 1)
        part = times * N_STEPS - step
        if self._rate is None:
            return np.asarray(self._table[step] + part * np.diff(self._table)[step])
        return np.asarray(self._table[step] + _panels(self._rate, step, part))


def cosine_table(n_steps: int) -> Reals:
    """Return τ after 0 … n_steps steps of the cosine schedule: n_steps + 1 entries, the first 0."""
    offset = 0.008
    alpha = np.cos((np.arange(n_steps + 1) / n_steps + offset) / (1 + offset) * math.pi / 2) ** 2
    beta = np.minimum(1 - alpha[1:] / alpha[:-1], 0.999)
    return np.concatenate([[0.0], np.cumsum(-np.log1p(-beta))])


def check_times(t: Any) -> Reals:
    """Return times as float64, after a check that they lie in [0, 1]."""
    times = np.asarray(t, dtype=np.float64)
    if times.ndim > 1:
        raise ValueError(f"t must be one time or one a field; got shape {times.shape}")
    if not ((times >= 0) & (times <= 1)).all():
        raise ValueError(f"t must be in [0, 1]; got {float(times.min())} to {float(times.max())}")
    return times


def _panels(rate: Rate, step: Any, part: Any) -> Reals:
    """Return the integral over the first ``part`` of each panel, by Gauss-Legendre."""
    width = np.asarray(part)[..., None] / N_STEPS
    at = np.asarray(step)[..., None] / N_STEPS + 0.5 * width * (1 + _GAUSS[0])
    rates = np.broadcast_to(np.asarray(rate(at), dtype=np.float64), at.shape)
    if not (np.isfinite(rates).all() and (rates >= 0).all()):
        raise ValueError(f"the schedule's rate must be finite and >= 0 on [0, 1]; it reaches {rates.min()}")
    return np.asarray((0.5 * width * _GAUSS[1] * rates).sum(axis=-1))
