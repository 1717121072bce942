# SPDX-License-Identifier: BSD-3-Clause
"""What the classical samplers of lattice spins share: temperatures, states, starts."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

from spinodal import kernels
from spinodal.backends import resolve
from spinodal.backends.protocol import Reals, Spins
from spinodal.kernels.arguments import BackendName, StreamName, check_stream
from spinodal.samplers.protocol import Array, Info, Key
from spinodal.systems.ising import IsingModel

Start = Literal["auto", "hot", "cold"]
_STARTS = ("auto", "hot", "cold")


def check_temperature(temperature: npt.ArrayLike) -> Reals:
    """Return a scalar or 1-D array of positive finite temperatures as float64."""
    values = np.asarray(temperature, dtype=np.float64)
    if values.ndim > 1:
        raise ValueError(f"temperature must be a number or one a chain; got shape {values.shape}")
    wrong = ~(np.isfinite(values) & (values > 0))
    if wrong.any():
        raise ValueError(f"temperature must be finite and > 0; got {values[wrong].flat[0]}")
    return values


@dataclass
class SpinState:
    """Spins of all chains."""

    spins: Spins

    @property
    def draws(self) -> Spins:
        """Configurations, int8 (n_chains, *lattice)."""
        return self.spins

    def arrays(self) -> dict[str, Array]:
        """Return what a resume needs."""
        return {"spins": self.spins}


class SpinSampler:
    """What samplers of Ising spins share; a subclass adds ``step``.

    Parameters
    ----------
    model : IsingModel
    temperature : float or array of shape (n_chains,)
        In the unit of J, > 0.
    stream : {"ars7", "ars5", "philox10"}
        Named random stream.
    start : {"auto", "hot", "cold"}
        Random spins, or the ground state; "auto" is cold below the critical temperature, where
        a hot start freezes into stripes, and hot above.
    backend : {"cpp", "numba"}, optional
    """

    chain_group = 1

    def __init__(
        self,
        model: IsingModel,
        temperature: float | npt.ArrayLike,
        *,
        stream: StreamName = "ars7",
        start: Start = "auto",
        backend: BackendName | None = None,
    ) -> None:
        check_stream(stream)
        if start not in _STARTS:
            raise ValueError(f"start={start!r} is unknown; choose one of: {', '.join(_STARTS)}")
        self.system = model
        self.temperature = check_temperature(temperature)
        self.stream: StreamName = stream
        self.start = start
        self.backend: BackendName | None = backend

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

    def describe(self) -> dict[str, Any]:
        """Return what ran, for provenance."""
        engine = resolve(self.backend)
        return {
            "method": type(self).__name__,
            "stream": self.stream,
            "start": self.start,
            "backend": engine.name,
            "instruction_set": engine.isa,
        }

    def init(self, key: Key, n_chains: int) -> SpinState:
        """Return hot or cold chains, after ``start``."""
        temperatures = self.chain_temperatures(n_chains)
        shape = (n_chains, *self.system.shape)
        spins = kernels.random_spins(
            shape, seed=key.seed, first_chain=key.first_chain, stream=self.stream, ndim=self.system.ndim,
            backend=self.backend,
        )  # fmt: skip
        cold = temperatures < self.system.critical_temperature if self.start == "auto" else self.start == "cold"
        spins[np.broadcast_to(cold, (n_chains,))] = self.system.ground_state()
        return self.state_from(spins)

    def state_from(self, draws: npt.ArrayLike) -> SpinState:
        """Return the state of chains that start from given configurations (copied)."""
        spins = np.array(draws, dtype=np.int8, order="C")
        if spins.shape[1:] != self.system.shape:
            shape = ", ".join(map(str, self.system.shape))
            raise ValueError(f"configurations must be ±1 of shape (n_chains, {shape}); got shape {spins.shape}")
        wrong = (spins != draws) | (np.abs(spins) != 1)
        if wrong.any():
            raise ValueError(f"configurations must be ±1; one holds {np.asarray(draws)[wrong].flat[0]}")
        return SpinState(spins)

    def restore(self, arrays: Mapping[str, Array]) -> SpinState:
        """Rebuild a state from its arrays."""
        return self.state_from(arrays["spins"])


class ChainSampler(SpinSampler, ABC):
    """A sampler of Ising spins whose chains do not see each other, one temperature a chain."""

    def step(
        self, key: Key, state: SpinState, n_steps: int = 1, *, n_threads: int | None = None
    ) -> tuple[SpinState, Info]:
        """Advance all chains by ``n_steps`` updates, in place."""
        beta = 1.0 / self.chain_temperatures(len(state.spins))
        return state, self._update(key, state.spins, beta, n_steps, n_threads)

    @abstractmethod
    def _update(self, key: Key, spins: Spins, beta: Reals, n_steps: int, n_threads: int | None) -> Info: ...
