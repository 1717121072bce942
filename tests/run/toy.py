# SPDX-License-Identifier: BSD-3-Clause
"""Small samplers in pure NumPy that obey the protocol to the letter: every number is named by seed, chain, step."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from spinodal.samplers.protocol import Array, Key

_START, _SWAP = 1 << 62, 1 << 61  # counters no step reaches


def generator(seed: int, chain: int, counter: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=np.array([seed, chain], np.uint64), counter=[0, 0, counter, 0]))


@dataclass(frozen=True)
class ToyIsing:
    """A periodic Ising model."""

    shape: tuple[int, ...] = (4, 6)
    J: float = 1.0
    h: float = 0.1

    def energy(self, draws: Array) -> Array:
        spins = draws.astype(np.int64)
        axes = range(-len(self.shape), 0)
        bonds = sum(spins * np.roll(spins, 1, axis) for axis in axes)
        return -self.J * np.sum(bonds, axis=tuple(axes)) - self.h * self.magnetization(draws)

    def magnetization(self, draws: Array) -> Array:
        return draws.sum(axis=tuple(range(-len(self.shape), 0)), dtype=np.int64)

    def describe(self) -> dict[str, Any]:
        return {"kind": "ising", "shape": self.shape, "J": self.J, "h": self.h}


@dataclass(frozen=True)
class BrokenIsing(ToyIsing):
    """Its energies become NaN in chain 1 after some calls."""

    good_calls: int = 5

    def energy(self, draws: Array) -> Array:
        energy = super().energy(draws)
        object.__setattr__(self, "good_calls", self.good_calls - 1)
        if self.good_calls < 0:
            energy[1] = np.nan
        return energy


@dataclass
class ToyState:
    spins: Array
    steps: Array  # something beyond the configurations that a resume needs

    @property
    def draws(self) -> Array:
        return self.spins

    def arrays(self) -> dict[str, Array]:
        return {"spins": self.spins, "steps": self.steps}


@dataclass(frozen=True)
class ToyHeatBath:
    """Heat-bath sweeps of a checkerboard."""

    system: ToyIsing
    temperature: float | Array = 2.5
    seconds_per_step: float = 0.0  # a native call that takes this long

    chain_group = 1

    def chain_temperatures(self, n_chains: int) -> Array:
        temperature = np.asarray(self.temperature, np.float64)
        if temperature.ndim and len(temperature) != n_chains:
            raise ValueError(f"{len(temperature)} temperatures for {n_chains} chains")
        return np.broadcast_to(temperature, (n_chains,)).copy()

    def settled(self, n_chains: int, first_chain: int = 0) -> ToyHeatBath:
        return self

    def for_chains(self, start: int, stop: int) -> ToyHeatBath:
        return self if np.ndim(self.temperature) == 0 else replace(self, temperature=self.temperature[start:stop])

    def describe(self) -> dict[str, Any]:
        return {"method": type(self).__name__, "temperature": self.temperature, "n_threads": 1}

    def init(self, key: Key, n_chains: int) -> ToyState:
        rows = [generator(key.seed, key.first_chain + c, _START).random(self.system.shape) for c in range(n_chains)]
        return self.state_from(np.where(np.array(rows) < 0.5, -1, 1))

    def state_from(self, draws: Array) -> ToyState:
        return ToyState(np.array(draws, np.int8), np.zeros(len(draws), np.int64))

    def restore(self, arrays: Mapping[str, Array]) -> ToyState:
        return ToyState(arrays["spins"], arrays["steps"])

    def step(
        self, key: Key, state: ToyState, n_steps: int = 1, *, n_threads: int | None = None
    ) -> tuple[ToyState, dict[str, Array]]:
        assert n_threads is None or n_threads >= 1
        flipped = np.zeros(len(state.spins), np.int64)
        for step in range(key.step, key.step + n_steps):
            flipped += self._sweep(key.at(step), state)
        time.sleep(self.seconds_per_step * n_steps)
        return state, {"flipped": flipped, "n_sweeps": np.full(len(flipped), n_steps)}

    def _sweep(self, key: Key, state: ToyState) -> Array:
        spins = state.spins
        before = spins.copy()
        shape = self.system.shape
        color = np.indices(shape).sum(axis=0) % 2
        beta = 1 / self.chain_temperatures(len(spins)).reshape(-1, *(1,) * len(shape))
        chains = range(key.first_chain, key.first_chain + len(spins))
        uniform = np.array([generator(key.seed, chain, key.step).random(shape) for chain in chains])
        for parity in (0, 1):
            axes = range(-len(shape), 0)
            field = sum(np.roll(spins, 1, axis).astype(float) + np.roll(spins, -1, axis) for axis in axes)
            up = 1 / (1 + np.exp(-2 * beta * (self.system.J * field + self.system.h)))
            np.copyto(spins, np.where(uniform < up, 1, -1).astype(np.int8), where=color == parity)
        state.steps += 1
        return (spins != before).reshape(len(spins), -1).sum(axis=1)


@dataclass(frozen=True)
class ToyTempering(ToyHeatBath):
    """Heat-bath sweeps with swaps inside ladders of two temperatures."""

    temperature: float | Array = 2.0
    chain_group = 2

    def chain_temperatures(self, n_chains: int) -> Array:
        if n_chains % 2:
            raise ValueError(f"n_chains must be a multiple of 2; got {n_chains}")
        return self.temperature + np.tile([0.0, 1.0], n_chains // 2)

    def _sweep(self, key: Key, state: ToyState) -> Array:
        flipped = super()._sweep(key, state)
        energy = self.system.energy(state.spins)
        beta = 1 / self.chain_temperatures(len(energy))
        for low in range(0, len(energy), 2):
            gain = (beta[low] - beta[low + 1]) * (energy[low] - energy[low + 1])
            if np.log(generator(key.seed, key.first_chain + low, _SWAP + key.step).random()) < gain:
                state.spins[[low, low + 1]] = state.spins[[low + 1, low]]
                state.steps[low] += 1000
        return flipped
