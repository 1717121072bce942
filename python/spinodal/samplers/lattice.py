# SPDX-License-Identifier: BSD-3-Clause
"""What the classical samplers of lattice spins share: temperatures, states, starts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from spinodal import kernels
from spinodal.backends import resolve
from spinodal.backends.protocol import Reals, Spins
from spinodal.kernels.arguments import BackendName, StreamName, check_stream
from spinodal.samplers.chains import Chains
from spinodal.samplers.protocol import Array, Info, Key
from spinodal.systems.ising import IsingModel

Start = Literal["auto", "hot", "cold"]
_STARTS = ("auto", "hot", "cold")


@dataclass
class SpinState:
    """Spins of all chains, and what the kernel that moved them last has measured on them."""

    spins: Spins
    measured: Mapping[str, Array] | None = field(default=None, kw_only=True)

    @property
    def draws(self) -> Spins:
        """Configurations, int8 (n_chains, *lattice)."""
        return self.spins

    def arrays(self) -> dict[str, Array]:
        """Return what a resume needs."""
        return {"spins": self.spins}


class SpinSampler(Chains):
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
        super().__init__(temperature)
        self.system = model
        self.stream: StreamName = stream
        self.start = start
        self.backend: BackendName | None = backend

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
        state.measured = None
        return state, self._update(key, state, beta, n_steps, n_threads)

    @abstractmethod
    def _update(self, key: Key, state: SpinState, beta: Reals, n_steps: int, n_threads: int | None) -> Info: ...
