# SPDX-License-Identifier: BSD-3-Clause
"""Parallel tempering: replicas that trade temperatures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from spinodal import kernels
from spinodal.backends.protocol import Integers, Reals, Spins
from spinodal.kernels.arguments import BackendName, StreamName, check_even
from spinodal.samplers.lattice import SpinSampler, SpinState, Start
from spinodal.samplers.protocol import Array, Info, Key
from spinodal.systems.ising import IsingModel

_TEMPERING_SWAP = 12  # Purpose::tempering_swap of spinodal/stream.hpp
_UP, _DOWN = 1, -1


@dataclass
class TemperingState(SpinState):
    """Replicas, and the rung of the ladder each of them is on.

    ``spins[c]`` stays where it is; ``rung[c]`` moves. ``direction`` is +1 for a replica that
    last visited the coldest rung, −1 for the hottest, 0 for neither yet.
    """

    rung: Integers
    direction: Integers

    @property
    def draws(self) -> Spins:
        """Configurations in the order of the rungs: chain c is at temperature c mod n_rungs."""
        n_rungs = int(self.rung.max()) + 1
        ladders = self.rung.reshape(-1, n_rungs)
        order = np.argsort(ladders, axis=1) + n_rungs * np.arange(len(ladders))[:, None]
        ordered: Spins = self.spins[order.reshape(-1)]
        return ordered

    def arrays(self) -> dict[str, Array]:
        """Return what a resume needs."""
        return {"spins": self.spins, "rung": self.rung, "direction": self.direction}


class ParallelTempering(SpinSampler):
    r"""Replica exchange between checkerboard Metropolis chains on a ladder of temperatures.

    One step is ``swap_every`` sweeps of every replica, then an attempt to exchange the
    temperatures of neighbouring rungs (even and odd pairs in turn), accepted with

    .. math:: P = \min(1, e^{(\beta_i - \beta_j)(E_i - E_j)})

    Chains are counted rung by rung: with n temperatures, chain c is rung c mod n of ladder
    c // n, and ``n_chains`` must be a multiple of n.

    Parameters
    ----------
    model : IsingModel
    temperatures : array of at least two increasing temperatures
        Any spacing.
    swap_every : int
        Sweeps between swap attempts, ≥ 1.
    heat_bath_every, stream, start, backend
        As in :class:`~spinodal.samplers.metropolis.Metropolis`.

    Notes
    -----
    ``info`` has, for each rung, ``swap_attempts`` and ``swap_accepts`` with the next hotter one
    (zero for the hottest), and for each replica ``round_trips``: returns to the coldest rung
    after a visit to the hottest.

    References
    ----------
    Hukushima and Nemoto, J. Phys. Soc. Jpn. 65, 1604 (1996), doi:10.1143/JPSJ.65.1604.
    """

    def __init__(
        self,
        model: IsingModel,
        temperatures: npt.ArrayLike,
        *,
        swap_every: int = 1,
        heat_bath_every: int = 16,
        stream: StreamName = "ars7",
        start: Start = "auto",
        backend: BackendName | None = None,
    ) -> None:
        super().__init__(model, temperatures, stream=stream, start=start, backend=backend)
        check_even(model.shape)
        if self.temperature.ndim != 1 or len(self.temperature) < 2 or (np.diff(self.temperature) <= 0).any():
            raise ValueError(f"temperatures must be at least two increasing numbers; got {self.temperature}")
        if swap_every < 1:
            raise ValueError(f"swap_every must be >= 1; got {swap_every}")
        if heat_bath_every < 0:
            raise ValueError(f"heat_bath_every must be >= 0; got {heat_bath_every}")
        self.swap_every = swap_every
        self.heat_bath_every = heat_bath_every

    @property
    def chain_group(self) -> int:  # type: ignore[override]
        """Length of the ladder: its replicas cannot be separated."""
        return len(self.temperature)

    def chain_temperatures(self, n_chains: int) -> Reals:
        """Return the temperature of each chain: the ladder, repeated."""
        n_rungs = len(self.temperature)
        if n_chains < 1 or n_chains % n_rungs:
            raise ValueError(f"n_chains must be a multiple of the {n_rungs} temperatures; got {n_chains}")
        return np.tile(self.temperature, n_chains // n_rungs)

    def for_chains(self, start: int, stop: int) -> Self:
        """Return the sampler of whole ladders: the ladder does not change."""
        return self

    def describe(self) -> dict[str, Any]:
        """Return what ran, for provenance."""
        return {**super().describe(), "swap_every": self.swap_every, "heat_bath_every": self.heat_bath_every}

    def state_from(self, draws: npt.ArrayLike) -> TemperingState:
        """Return a state whose replicas are on their own rungs (spins are copied)."""
        spins = super().state_from(draws).spins
        self.chain_temperatures(len(spins))
        rung = np.arange(len(spins), dtype=np.int64) % len(self.temperature)
        return TemperingState(spins, rung, self._direction(rung, np.zeros_like(rung)))

    def restore(self, arrays: Mapping[str, Array]) -> TemperingState:
        """Rebuild a state from its arrays."""
        state = self.state_from(arrays["spins"])
        return TemperingState(state.spins, np.array(arrays["rung"]), np.array(arrays["direction"]))

    def step(  # type: ignore[override]
        self, key: Key, state: TemperingState, n_steps: int = 1, *, n_threads: int | None = None
    ) -> tuple[TemperingState, Info]:
        """Advance all ladders by ``n_steps`` rounds of sweeps and swaps."""
        if n_steps < 0:
            raise ValueError(f"n_steps must be >= 0; got {n_steps}")
        n_chains = len(state.spins)
        info = {name: np.zeros(n_chains, dtype=np.int64) for name in ("swap_attempts", "swap_accepts", "round_trips")}
        for step in range(key.step, key.step + n_steps):
            beta: Reals = 1.0 / self.temperature[state.rung]
            self._update(key.at(step * self.swap_every), state.spins, beta, self.swap_every, n_threads)
            self._swap(key.at(step), state, info)
        return state, info

    def _update(self, key: Key, spins: Spins, beta: Reals, n_steps: int, n_threads: int | None) -> Info:
        kernels.metropolis_sweep(
            spins, beta, self.system.J, self.system.h, n_sweeps=n_steps, seed=key.seed, sweep=key.step,
            first_chain=key.first_chain, heat_bath_every=self.heat_bath_every, stream=self.stream,
            ndim=self.system.ndim, n_threads=n_threads, backend=self.backend,
        )  # fmt: skip
        return {}

    def _swap(self, key: Key, state: TemperingState, info: dict[str, Integers]) -> None:
        """Exchange the rungs of accepted pairs (r, r + 1), r of the step's parity, in every ladder."""
        n_rungs = len(self.temperature)
        base = n_rungs * np.arange(len(state.spins) // n_rungs)[:, None]
        replica = np.argsort(state.rung.reshape(-1, n_rungs), axis=1) + base  # by ladder and rung
        lower = np.arange(key.step % 2, n_rungs - 1, 2)
        cold, hot = replica[:, lower], replica[:, lower + 1]
        energy = self.system.energy(state.spins)
        beta = 1.0 / self.temperature
        log_ratio = (beta[lower] - beta[lower + 1]) * (energy[cold] - energy[hot])
        accept = self._uniform(key, base + lower) < np.exp(np.minimum(log_ratio, 0.0))
        info["swap_attempts"][(base + lower).reshape(-1)] += 1
        info["swap_accepts"][(base + lower)[accept]] += 1
        state.rung[cold[accept]] += 1
        state.rung[hot[accept]] -= 1
        before = state.direction
        state.direction = self._direction(state.rung, before)
        info["round_trips"] += (before == _DOWN) & (state.direction == _UP)

    def _direction(self, rung: Integers, before: Integers) -> Integers:
        """Return where each replica came from last: the coldest rung (+1) or the hottest (−1)."""
        return np.where(rung == 0, _UP, np.where(rung == len(self.temperature) - 1, _DOWN, before))

    def _uniform(self, key: Key, chain: Integers) -> Reals:
        """Return one uniform in [0, 1) for each pair, named by its colder rung's global chain."""
        counters = np.empty((chain.size, 4), dtype=np.uint32)
        counters[:, 0] = _TEMPERING_SWAP << 20 | (key.step >> 32) << 24
        counters[:, 1] = 0
        counters[:, 2] = key.step & 0xFFFFFFFF
        counters[:, 3] = key.first_chain + chain.reshape(-1)
        words = kernels.stream_blocks(self.stream, key.seed, counters, backend=self.backend).astype(np.uint64)
        bits = (words[:, 0] | words[:, 1] << np.uint64(32)) >> np.uint64(11)
        fraction: Reals = bits.astype(np.float64) * 2.0**-53
        return fraction.reshape(chain.shape)
