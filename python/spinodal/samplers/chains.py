# SPDX-License-Identifier: BSD-3-Clause
"""Chains that do not see each other, all at one temperature or each at its own."""

from __future__ import annotations

import copy
from typing import Self

import numpy as np
import numpy.typing as npt

from spinodal.backends.protocol import Reals


def check_temperature(temperature: npt.ArrayLike) -> Reals:
    """Return a scalar or 1-D array of positive finite temperatures as float64."""
    values = np.asarray(temperature, dtype=np.float64)
    if values.ndim > 1:
        raise ValueError(f"temperature must be a number or one a chain; got shape {values.shape}")
    wrong = ~(np.isfinite(values) & (values > 0))
    if wrong.any():
        raise ValueError(f"temperature must be finite and > 0; got {values[wrong].flat[0]}")
    return values


class Chains:
    """What samplers of such chains share: temperatures, and how chains are divided among workers.

    Parameters
    ----------
    temperature : float or array of shape (n_chains,)
        Finite and > 0.
    """

    chain_group = 1

    def __init__(self, temperature: npt.ArrayLike) -> None:
        self.temperature = check_temperature(temperature)

    def chain_temperatures(self, n_chains: int) -> Reals:
        """Return the temperature of each chain."""
        if n_chains < 1:
            raise ValueError(f"n_chains must be >= 1; got {n_chains}")
        if self.temperature.ndim == 1 and len(self.temperature) != n_chains:
            raise ValueError(f"{len(self.temperature)} temperatures were given for n_chains={n_chains}")
        return np.array(np.broadcast_to(self.temperature, (n_chains,)))

    def for_chains(self, start: int, stop: int) -> Self:
        """Return the sampler of chains ``start:stop`` alone."""
        part = copy.copy(self)
        if self.temperature.ndim == 1:
            part.temperature = self.temperature[start:stop]
        return part

    def settled(self, n_chains: int, first_chain: int = 0) -> Self:
        """Return the sampler with all that depends on the number of chains chosen, before they are divided."""
        return self
