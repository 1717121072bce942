# SPDX-License-Identifier: BSD-3-Clause
"""Single-spin-flip samplers on a checkerboard."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from spinodal import kernels
from spinodal.backends.protocol import Reals, Spins
from spinodal.kernels.arguments import BackendName, StreamName, check_even
from spinodal.samplers.lattice import ChainSampler, Start
from spinodal.samplers.protocol import Info, Key
from spinodal.systems.ising import IsingModel


class Metropolis(ChainSampler):
    """Checkerboard Metropolis; one step is one sweep.

    Every ``heat_bath_every``-th sweep is a heat bath, because the pure rule on a checkerboard is
    reducible (:func:`spinodal.kernels.metropolis_sweep`); 0 turns that off. Even lengths only.
    Other parameters are those of :class:`~spinodal.samplers.lattice.SpinSampler`.
    """

    def __init__(
        self,
        model: IsingModel,
        temperature: float | npt.ArrayLike,
        *,
        heat_bath_every: int = 16,
        stream: StreamName = "ars7",
        start: Start = "auto",
        backend: BackendName | None = None,
    ) -> None:
        super().__init__(model, temperature, stream=stream, start=start, backend=backend)
        check_even(model.shape)
        if heat_bath_every < 0:
            raise ValueError(f"heat_bath_every must be >= 0; got {heat_bath_every}")
        self.heat_bath_every = heat_bath_every

    def describe(self) -> dict[str, Any]:
        """Return what ran, for provenance."""
        return {**super().describe(), "heat_bath_every": self.heat_bath_every}

    def _update(self, key: Key, spins: Spins, beta: Reals, n_steps: int, n_threads: int | None) -> Info:
        kernels.metropolis_sweep(
            spins, beta, self.system.J, self.system.h, n_sweeps=n_steps, seed=key.seed, sweep=key.step,
            first_chain=key.first_chain, heat_bath_every=self.heat_bath_every, stream=self.stream,
            ndim=self.system.ndim, n_threads=n_threads, backend=self.backend,
        )  # fmt: skip
        return {}


class HeatBath(Metropolis):
    """Checkerboard heat bath (Glauber); one step is one sweep. Even lengths only."""

    def __init__(
        self,
        model: IsingModel,
        temperature: float | npt.ArrayLike,
        *,
        stream: StreamName = "ars7",
        start: Start = "auto",
        backend: BackendName | None = None,
    ) -> None:
        super().__init__(model, temperature, heat_bath_every=1, stream=stream, start=start, backend=backend)


MetropolisHastings = Metropolis
