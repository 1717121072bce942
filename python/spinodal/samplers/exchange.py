# SPDX-License-Identifier: BSD-3-Clause
"""Parallel tempering over any sampler of particles."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from spinodal.backends.protocol import Integers, Reals
from spinodal.kernels.arguments import check_integer
from spinodal.samplers.particles import ParticleSampler
from spinodal.samplers.protocol import Array, Info, Key
from spinodal.samplers.tuning import Tunable


@dataclass
class ExchangeState:
    """The chains of the sampler below, rung by rung, and which replica is on each rung.

    ``replica[c]`` is the replica at chain c; ``direction`` is +1 for one that last visited the coldest rung, −1 for
    the hottest, 0 for neither yet.
    """

    below: Any
    replica: Integers
    direction: Integers

    @property
    def draws(self) -> Reals:
        """Configurations in the order of the rungs: chain c is at temperature c mod n_rungs."""
        draws: Reals = self.below.draws
        return draws

    @property
    def measured(self) -> Mapping[str, Array] | None:
        """What the sampler below has measured."""
        found: Mapping[str, Array] | None = getattr(self.below, "measured", None)
        return found

    def arrays(self) -> dict[str, Array]:
        """Return what a resume needs."""
        return {**self.below.arrays(), "replica": self.replica, "direction": self.direction}


class ReplicaExchange:
    """Chains of a sampler that trade their configurations; see ``ParallelTempering.over``."""

    def __init__(self, sampler: ParticleSampler, *, swap_every: int = 1) -> None:
        if not sampler.canonical:
            raise ValueError(f"{type(sampler).__name__} keeps the energy, not a temperature: it has none to exchange")
        ladder = sampler.temperature
        if ladder.ndim != 1 or len(ladder) < 2 or (np.diff(ladder) <= 0).any():
            raise ValueError(f"temperatures must be at least two increasing numbers; got {ladder}")
        check_integer("swap_every", swap_every)
        if swap_every < 1:
            raise ValueError(f"swap_every must be >= 1; got {swap_every}")
        self.below = sampler
        self.swap_every = int(swap_every)

    @property
    def system(self) -> Any:
        """The system that is sampled."""
        return self.below.system

    @property
    def chain_group(self) -> int:
        """Length of the ladder: its replicas cannot be separated."""
        return len(self.below.temperature)

    def chain_temperatures(self, n_chains: int) -> Reals:
        """Return the temperature of each chain: the ladder, repeated."""
        n_rungs = self.chain_group
        if n_chains < 1 or n_chains % n_rungs:
            raise ValueError(f"n_chains must be a multiple of the {n_rungs} temperatures; got {n_chains}")
        return np.tile(self.below.temperature, n_chains // n_rungs)

    def settled(self, n_chains: int, first_chain: int = 0) -> Self:
        """Return itself: nothing is left to choose."""
        return self

    def for_chains(self, start: int, stop: int) -> Self:
        """Return the sampler of whole ladders: the ladder does not change."""
        return self

    def tuned_in(self, start: int, stop: int) -> Self:
        """Return the sampler whose steps below are adapted in these rounds and no others."""
        part = copy.copy(self)
        if isinstance(self.below, Tunable):
            part.below = self.below.tuned_in(start * self.swap_every, stop * self.swap_every)
        return part

    def describe(self) -> dict[str, Any]:
        """Return what ran, for provenance."""
        below = self.below.describe()
        return {**below, "method": "ParallelTempering", "over": below["method"], "swap_every": self.swap_every}

    def init(self, key: Key, n_chains: int) -> ExchangeState:
        """Return the start of the sampler below."""
        return self._fresh(self._ladders(n_chains).init(key, n_chains))

    def state_from(self, draws: npt.ArrayLike) -> ExchangeState:
        """Return replicas that start from given configurations, each on its own rung."""
        return self._fresh(self._ladders(len(np.asarray(draws))).state_from(draws))

    def restore(self, arrays: Mapping[str, Array]) -> ExchangeState:
        """Rebuild a state from its arrays."""
        own = ("replica", "direction")
        below = self.below.restore({name: array for name, array in arrays.items() if name not in own})
        return ExchangeState(below, *(np.array(arrays[name]) for name in own))

    def step(
        self, key: Key, state: ExchangeState, n_steps: int = 1, *, n_threads: int | None = None
    ) -> tuple[ExchangeState, Info]:
        """Advance all ladders by ``n_steps`` rounds of ``swap_every`` steps and an exchange."""
        if n_steps < 0:
            raise ValueError(f"n_steps must be >= 0; got {n_steps}")
        below = self._ladders(len(state.replica))
        counts = np.zeros((3, len(state.replica)), dtype=np.int64)
        sums: dict[str, Array] = {}
        for t in range(key.step, key.step + n_steps):
            state.below, info = below.step(
                key.at(t * self.swap_every), state.below, self.swap_every, n_threads=n_threads
            )
            sums = {name: values + sums.get(name, 0) for name, values in info.items()}
            self._swap(key.at(t), state, below, counts, n_threads)
        return state, {**sums, **dict(zip(("swap_attempts", "swap_accepts", "round_trips"), counts, strict=True))}

    def _swap(
        self, key: Key, state: ExchangeState, below: ParticleSampler, counts: Integers, n_threads: int | None
    ) -> None:
        """Try to exchange the even pairs of neighbouring rungs, or the odd ones, in turn."""
        n_chains, n_rungs = len(state.replica), self.chain_group
        cold = np.flatnonzero(np.arange(n_chains) % n_rungs < n_rungs - 1)
        cold = cold[(cold % n_rungs) % 2 == key.step % 2]
        beta, energy = 1.0 / self.chain_temperatures(n_chains), below.potential_energy(state.below, n_threads)
        gain = (beta[cold] - beta[cold + 1]) * (energy[cold] - energy[cold + 1])
        uniform = below.uniforms(key, n_chains, of_swaps=True)[0]
        first = cold[uniform[cold] < np.exp(np.minimum(gain, 0.0))]
        below.exchange(state.below, first, first + 1)
        for array in (state.replica, state.direction):
            array[first], array[first + 1] = array[first + 1], array[first]
        counts[0, cold] += 1
        counts[1, first] += 1
        self._turn(state, counts[2])

    def _turn(self, state: ExchangeState, round_trips: Integers) -> None:
        """Note which replicas are at an end of their ladder, and which of them have come back."""
        rung = np.arange(len(state.replica)) % self.chain_group
        returned = (rung == 0) & (state.direction == -1)
        round_trips[state.replica[returned]] += 1
        state.direction[rung == 0] = 1
        state.direction[rung == self.chain_group - 1] = -1

    def _ladders(self, n_chains: int) -> ParticleSampler:
        """Return the sampler below with a temperature for each chain of all ladders."""
        part = copy.copy(self.below)
        part.temperature = self.chain_temperatures(n_chains)
        return part

    def _fresh(self, below: Any) -> ExchangeState:
        n_chains = len(below.draws)
        rung = np.arange(n_chains, dtype=np.int64) % self.chain_group
        direction = np.where(rung == 0, 1, np.where(rung == self.chain_group - 1, -1, 0))
        return ExchangeState(below, np.arange(n_chains, dtype=np.int64), direction)
