# SPDX-License-Identifier: BSD-3-Clause
"""Parallel tempering of spins: replicas that trade temperatures; of particles, by ``ParallelTempering.over``."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from spinodal import kernels
from spinodal.backends.protocol import Integers, Reals, Spins
from spinodal.kernels.arguments import BackendName, StreamName
from spinodal.kernels.layouts import TemperingLayout, check_tempering_layout, choose_tempering_layout
from spinodal.samplers.exchange import ReplicaExchange
from spinodal.samplers.lattice import SpinSampler, SpinState, Start
from spinodal.samplers.particles import ParticleSampler
from spinodal.samplers.protocol import Array, Info, Key
from spinodal.systems.ising import IsingModel


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
    heat_bath_every, stream, layout, start, backend
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
        layout: TemperingLayout = "auto",
        start: Start = "auto",
        backend: BackendName | None = None,
    ) -> None:
        super().__init__(model, temperatures, stream=stream, start=start, backend=backend)
        check_tempering_layout(layout, model.shape, model.h)
        if self.temperature.ndim != 1 or len(self.temperature) < 2 or (np.diff(self.temperature) <= 0).any():
            raise ValueError(f"temperatures must be at least two increasing numbers; got {self.temperature}")
        if swap_every < 1:
            raise ValueError(f"swap_every must be >= 1; got {swap_every}")
        if heat_bath_every < 0:
            raise ValueError(f"heat_bath_every must be >= 0; got {heat_bath_every}")
        self.swap_every = swap_every
        self.heat_bath_every = heat_bath_every
        self.layout = layout

    @staticmethod
    def over(sampler: ParticleSampler, *, swap_every: int = 1) -> ReplicaExchange:
        """Return parallel tempering over a sampler of particles: `HMC`, `MALA`, `Langevin`.

        Parameters
        ----------
        sampler : ParticleSampler
            Its temperatures are the ladder: at least two, increasing. One step of the result is ``swap_every`` steps
            of every replica, then an attempt to exchange neighbouring configurations. Velocities are rescaled with
            the temperature; tuned step sizes stay with it.
        swap_every : int
        """
        return ReplicaExchange(sampler, swap_every=swap_every)

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

    def settled(self, n_chains: int, first_chain: int = 0) -> Self:
        """Return the sampler with its layout chosen for these replicas, however the ladders are divided later."""
        part = copy.copy(self)
        if self.layout == "auto":
            part.layout = choose_tempering_layout(self.system.shape, self.system.h, n_chains, first_chain)
        return part

    def for_chains(self, start: int, stop: int) -> Self:
        """Return the sampler of whole ladders: the ladder does not change."""
        return self

    def describe(self) -> dict[str, Any]:
        """Return what ran, for provenance."""
        return {
            **super().describe(),
            "swap_every": self.swap_every,
            "heat_bath_every": self.heat_bath_every,
            "layout": self.layout,
        }

    def state_from(self, draws: npt.ArrayLike) -> TemperingState:
        """Return a state whose replicas are on their own rungs (spins are copied)."""
        spins = super().state_from(draws).spins
        self.chain_temperatures(len(spins))
        rung = np.arange(len(spins), dtype=np.int64) % len(self.temperature)
        direction = np.where(rung == 0, 1, np.where(rung == len(self.temperature) - 1, -1, 0))
        return TemperingState(spins, rung, direction)

    def restore(self, arrays: Mapping[str, Array]) -> TemperingState:
        """Rebuild a state from its arrays."""
        state = self.state_from(arrays["spins"])
        return TemperingState(state.spins, np.array(arrays["rung"]), np.array(arrays["direction"]))

    def step(
        self, key: Key, state: TemperingState, n_steps: int = 1, *, n_threads: int | None = None
    ) -> tuple[TemperingState, Info]:
        """Advance all ladders by ``n_steps`` rounds of sweeps and swaps."""
        if n_steps < 0:
            raise ValueError(f"n_steps must be >= 0; got {n_steps}")
        counted = kernels.parallel_tempering(
            state.spins, state.rung, state.direction, 1.0 / self.temperature, self.system.J, self.system.h,
            n_rounds=n_steps, swap_every=self.swap_every, heat_bath_every=self.heat_bath_every, seed=key.seed,
            round=key.step, first_chain=key.first_chain, stream=self.stream, layout=self.layout,
            ndim=self.system.ndim, n_threads=n_threads, backend=self.backend,
        )  # fmt: skip
        return state, dict(zip(("swap_attempts", "swap_accepts", "round_trips"), counted, strict=True))
