# SPDX-License-Identifier: BSD-3-Clause
"""What the samplers of particles share: temperatures, starts, and the random numbers that accept or refuse."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from spinodal import kernels
from spinodal.backends import resolve
from spinodal.backends.protocol import Integers, Reals
from spinodal.kernels.arguments import BackendName, StreamName, check_stream
from spinodal.samplers.chains import Chains
from spinodal.samplers.protocol import Array, Info, Key

# Purposes and blocks of the counters, as in spinodal/stream.hpp and spinodal/molecular_dynamics.hpp.
_PARTICLES, _TEMPERING_SWAP = 11, 12
_ACCEPTANCE_BLOCK = 8
_GRID = 2.0**20


class ParticleSampler(Chains, ABC):
    """A sampler of particles whose chains do not see each other; a subclass adds states and ``step``.

    Parameters
    ----------
    system : LennardJonesSystem or DoubleWell
        Or any other with ``shape``, ``energy``, ``forces`` and ``lattice``.
    temperature : float or array of shape (n_chains,)
        In units of energy, > 0.
    stream : {"ars7", "ars5", "philox10"}
    backend : {"cpp", "numba"}, optional
    """

    canonical = True  # whether its law is that of a temperature

    def __init__(
        self,
        system: Any,
        temperature: float | npt.ArrayLike,
        *,
        stream: StreamName = "ars7",
        backend: BackendName | None = None,
    ) -> None:
        super().__init__(temperature)
        check_stream(stream)
        self.system = system
        self.stream: StreamName = stream
        self.backend: BackendName | None = backend

    @property
    def periodic(self) -> bool:
        """Whether particles are in a periodic box; the centre of mass of free ones rests."""
        return bool(getattr(self.system, "periodic", False))

    @property
    def n_freedoms(self) -> int:
        """Number of independent velocities."""
        n_particles, dim = self.system.shape
        return int(dim * (n_particles - (0 if self.periodic else 1)))

    def describe(self) -> dict[str, Any]:
        """Return what ran, for provenance."""
        engine = resolve(self.backend)
        return {
            "method": type(self).__name__,
            "stream": self.stream,
            "backend": engine.name,
            "instruction_set": engine.isa,
        }

    def init(self, key: Key, n_chains: int) -> Any:
        """Return chains at the system's lattice."""
        self.chain_temperatures(n_chains)
        return self.state_from(np.broadcast_to(self.system.lattice(), (n_chains, *self.system.shape)))

    @abstractmethod
    def state_from(self, draws: npt.ArrayLike) -> Any:
        """Return the state of chains that start from given configurations (copied)."""

    @abstractmethod
    def restore(self, arrays: Mapping[str, Array]) -> Any:
        """Rebuild a state from its arrays."""

    @abstractmethod
    def step(self, key: Key, state: Any, n_steps: int = 1, *, n_threads: int | None = None) -> tuple[Any, Info]:
        """Advance all chains by ``n_steps`` steps, in place."""

    @abstractmethod
    def potential_energy(self, state: Any, n_threads: int | None = None) -> Reals:
        """Return the energy of each chain, shape (n_chains,)."""

    @abstractmethod
    def exchange(self, state: Any, first: Integers, second: Integers) -> None:
        """Exchange the configurations of some pairs of chains, in place, each taking on the other's temperature."""

    def start_positions(self, draws: npt.ArrayLike) -> Reals:
        """Return a checked copy of configurations, wrapped into the box where there is one."""
        positions = np.array(draws, dtype=np.float64, order="C")
        if positions.ndim != 3 or positions.shape[1:] != self.system.shape:
            raise ValueError(f"configurations must have shape (n_chains, {self.system.shape}); got {positions.shape}")
        if not np.isfinite(positions).all():
            raise ValueError("configurations must be finite")
        return np.ascontiguousarray(self.system.wrap(positions)) if self.periodic else positions

    def normals(self, key: Key, n_chains: int, n_threads: int | None) -> Reals:
        """Return normal numbers (n_chains, n_particles, dim) of step ``key.step``, their mean removed for free ones."""
        return kernels.maxwell_velocities(
            (n_chains, *self.system.shape), 1.0, periodic=self.periodic, seed=key.seed, step=key.step,
            first_chain=key.first_chain, stream=self.stream, n_threads=n_threads, backend=self.backend,
        )  # fmt: skip

    def uniforms(self, key: Key, n_chains: int, *, of_swaps: bool = False) -> Reals:
        """Return two numbers in (0, 1) a chain for step ``key.step``, shape (2, n_chains)."""
        counters = np.zeros((n_chains, 4), dtype=np.uint32)
        named = _TEMPERING_SWAP << 20 if of_swaps else _ACCEPTANCE_BLOCK | _PARTICLES << 20
        counters[:, 0] = named | (key.step >> 32) << 24
        counters[:, 2] = key.step & 0xFFFFFFFF
        counters[:, 3] = np.arange(key.first_chain, key.first_chain + n_chains)
        words = kernels.stream_blocks(self.stream, key.seed, counters, backend=self.backend).astype(np.uint64)
        bits = words[:, ::2] | words[:, 1::2] << np.uint64(32)
        uniform: Reals = ((bits >> np.uint64(11)).astype(np.float64) + 0.5).T * 2.0**-53
        return uniform


def on_grid(values: Reals) -> Reals:
    """Round to multiples of 2⁻²⁰, whose sums are exact in any order."""
    rounded: Reals = np.rint(values * _GRID) / _GRID
    return rounded
