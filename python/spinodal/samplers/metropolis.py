# SPDX-License-Identifier: BSD-3-Clause
"""Single-spin-flip samplers on a checkerboard."""

from __future__ import annotations

import copy
from typing import Any, Literal, Self

import numpy.typing as npt

from spinodal import kernels
from spinodal.backends.protocol import Reals, Spins
from spinodal.kernels.arguments import BackendName, StreamName
from spinodal.kernels.layouts import Layout, check_layout
from spinodal.samplers.lattice import ChainSampler, Start
from spinodal.samplers.protocol import Info, Key
from spinodal.systems.ising import IsingModel


class Metropolis(ChainSampler):
    """Checkerboard Metropolis; one step is one sweep.

    Every ``heat_bath_every``-th sweep is a heat bath, because the pure rule on a checkerboard is
    reducible (:func:`spinodal.kernels.metropolis_sweep`); 0 turns that off. Even lengths only, unless
    ``layout`` is "replicas" or "lanes"; "auto" is settled once for all chains of a run.
    Other parameters are those of :class:`~spinodal.samplers.lattice.SpinSampler`.
    """

    def __init__(
        self,
        model: IsingModel,
        temperature: float | npt.ArrayLike,
        *,
        heat_bath_every: int = 16,
        stream: StreamName = "ars7",
        layout: Layout | Literal["auto"] = "auto",
        start: Start = "auto",
        backend: BackendName | None = None,
    ) -> None:
        super().__init__(model, temperature, stream=stream, start=start, backend=backend)
        check_layout(layout, model.shape, model.h)
        if heat_bath_every < 0:
            raise ValueError(f"heat_bath_every must be >= 0; got {heat_bath_every}")
        self.heat_bath_every = heat_bath_every
        self.layout = layout

    def settled(self, n_chains: int, first_chain: int = 0) -> Self:
        """Return the sampler with its layout chosen for these chains, however they are divided later."""
        part = copy.copy(self)
        if self.layout == "auto":
            beta = 1.0 / self.chain_temperatures(n_chains)
            part.layout = kernels.choose_layout(self.system.shape, self.system.h, beta, first_chain)
        return part

    def describe(self) -> dict[str, Any]:
        """Return what ran, for provenance."""
        return {**super().describe(), "heat_bath_every": self.heat_bath_every, "layout": self.layout}

    def _update(self, key: Key, spins: Spins, beta: Reals, n_steps: int, n_threads: int | None) -> Info:
        kernels.metropolis_sweep(
            spins, beta, self.system.J, self.system.h, n_sweeps=n_steps, seed=key.seed, sweep=key.step,
            first_chain=key.first_chain, heat_bath_every=self.heat_bath_every, stream=self.stream,
            layout=self.layout, ndim=self.system.ndim, n_threads=n_threads, backend=self.backend,
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
        layout: Layout | Literal["auto"] = "auto",
        start: Start = "auto",
        backend: BackendName | None = None,
    ) -> None:
        super().__init__(
            model, temperature, heat_bath_every=1, stream=stream, layout=layout, start=start, backend=backend
        )


MetropolisHastings = Metropolis
