# SPDX-License-Identifier: BSD-3-Clause
"""One step, several methods: every chain is moved by each of some samplers in turn."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from spinodal.samplers.lattice import SpinState
from spinodal.samplers.protocol import Array, Info, Key


class AlternatingSampler:
    """A sampler whose step is so many updates of each of some samplers, one after the other, on the same chains.

    Each leaves the Boltzmann distribution as it is, and so does the whole: neural moves that are accepted rarely, but
    go far, and cheap local ones between them. Diagnostics have their sampler's number before the name: "0/n_accepted".

    Parameters
    ----------
    samplers : sequence of samplers
        Of spins, of one system, at the same temperatures. The first one gives the start.
    updates : sequence of int, optional
        Updates of each in a step, ≥ 1; by default one of each.

    Raises
    ------
    ValueError
        If there is none, or they differ in system or temperature.
    """

    chain_group = 1

    def __init__(self, samplers: Sequence[Any], updates: Sequence[int] | None = None) -> None:
        self.samplers = tuple(samplers)
        self.updates = (1,) * len(self.samplers) if updates is None else tuple(updates)
        if not self.samplers or len(self.updates) != len(self.samplers):
            raise ValueError(
                f"as many updates as samplers, at least one: got {len(self.updates)}, {len(self.samplers)}"
            )
        if min(self.updates) < 1:
            raise ValueError(f"updates must be >= 1; got {min(self.updates)}")
        self.system = self.samplers[0].system
        for other in self.samplers[1:]:
            if other.system != self.system:
                raise ValueError(f"the samplers' systems differ: {self.system} and {other.system}")
            if not np.array_equal(other.temperature, self.samplers[0].temperature):
                raise ValueError("the samplers' temperatures differ")

    def chain_temperatures(self, n_chains: int) -> npt.NDArray[np.float64]:
        """Return the temperature of each chain."""
        temperatures: npt.NDArray[np.float64] = self.samplers[0].chain_temperatures(n_chains)
        return temperatures

    def for_chains(self, start: int, stop: int) -> Self:
        """Return the sampler of chains ``start:stop`` alone."""
        return self._with([sampler.for_chains(start, stop) for sampler in self.samplers])

    def settled(self, n_chains: int, first_chain: int = 0) -> Self:
        """Return the sampler with each one's layout chosen."""
        return self._with([sampler.settled(n_chains, first_chain) for sampler in self.samplers])

    def _with(self, samplers: Sequence[Any]) -> Self:
        other = copy.copy(self)
        other.samplers = tuple(samplers)
        return other

    def describe(self) -> dict[str, Any]:
        """Return what ran, for provenance."""
        described = zip(self.updates, self.samplers, strict=True)
        return {
            "method": "AlternatingSampler",
            "samplers": [{"updates": count, **sampler.describe()} for count, sampler in described],
        }

    def init(self, key: Key, n_chains: int) -> SpinState:
        """Return the start of the first sampler."""
        start: SpinState = self.samplers[0].init(key, n_chains)
        return start

    def state_from(self, draws: npt.ArrayLike) -> SpinState:
        """Return the state of chains that start from given configurations (copied)."""
        start: SpinState = self.samplers[0].state_from(draws)
        return start

    def restore(self, arrays: Mapping[str, Array]) -> SpinState:
        """Rebuild a state from its arrays."""
        return self.state_from(arrays["spins"])

    def step(
        self, key: Key, state: SpinState, n_steps: int = 1, *, n_threads: int | None = None
    ) -> tuple[SpinState, Info]:
        """Advance all chains by ``n_steps`` rounds, in place."""
        if n_steps < 0:
            raise ValueError(f"n_steps must be >= 0; got {n_steps}")
        info: dict[str, Array] = {}
        for i in range(n_steps):
            # No two updates of a round have the same step: samplers of one kind must not share random numbers.
            step = (key.step + i) * sum(self.updates)
            for number, (sampler, count) in enumerate(zip(self.samplers, self.updates, strict=True)):
                state, own = sampler.step(key.at(step), state, count, n_threads=n_threads)
                step += count
                for name, sums in own.items():
                    whole = f"{number}/{name}"
                    info[whole] = info[whole] + sums if whole in info else sums
        return state, info
