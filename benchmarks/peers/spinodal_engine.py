# SPDX-License-Identifier: BSD-3-Clause
"""spinodal through its public functions."""

from __future__ import annotations

from typing import Any

import numpy as np

import spinodal as sp
from cases import LADDER, Case
from peers.protocol import Reals, Simulation, missing_module
from spinodal.samplers.protocol import Key

_SWEEPS = {"metropolis": sp.kernels.metropolis_sweep, "heat_bath": sp.kernels.heat_bath_sweep}


class _Measured:
    """Observables of int8 spins."""

    spins: Any
    case: Case

    def energy_per_site(self) -> Reals:
        energy = sp.kernels.ising_energy(self.spins, 1.0, self.case.field, ndim=len(self.case.shape), n_threads=1)
        return np.asarray(energy / self.case.n_sites)

    def m2(self) -> Reals:
        m = sp.kernels.magnetization(self.spins, ndim=len(self.case.shape), n_threads=1) / self.case.n_sites
        return np.asarray(m * m)


class _Kernels(_Measured):
    def __init__(self, case: Case, seed: int) -> None:
        self.case = case
        self.spins = np.ones((case.n_chains, *case.shape), dtype=np.int8)
        self._done = 0
        self._options = {
            "seed": seed, "stream": case.stream, "ndim": len(case.shape), "n_threads": case.n_threads
        }  # fmt: skip

    def advance(self, n_updates: int) -> float:
        case, first = self.case, self._done
        model = (self.spins, 1.0 / case.temperature, 1.0, case.field)
        self._done += n_updates
        if case.algorithm == "wolff":
            flipped, _ = sp.kernels.wolff_step(*model, n_steps=n_updates, step=first, **self._options)
            return float(flipped.sum())
        if case.algorithm == "swendsen_wang":
            sp.kernels.swendsen_wang_sweep(*model, n_sweeps=n_updates, sweep=first, **self._options)
        else:
            _SWEEPS[case.algorithm](*model, n_sweeps=n_updates, sweep=first, layout=case.layout, **self._options)
        return float(n_updates) * self.spins.size


class _Tempering(_Measured):
    """Energies are in the order of the rungs."""

    def __init__(self, case: Case, seed: int) -> None:
        self.case = case
        self._key = Key(seed)
        self._sampler = sp.ParallelTempering(sp.IsingModel(case.shape, 1.0, case.field), LADDER)
        self._state = self._sampler.init(self._key, case.n_chains)

    @property
    def spins(self) -> Any:  # type: ignore[override]
        return self._state.draws

    def advance(self, n_updates: int) -> float:
        self._state, _ = self._sampler.step(self._key, self._state, n_updates, n_threads=self.case.n_threads)
        self._key = self._key.at(self._key.step + n_updates)
        return float(n_updates) * self.case.n_chains * self.case.n_sites


class SpinodalKernels:
    name = "spinodal"
    ours = True

    def version(self) -> str:
        return sp.__version__

    def why_missing(self) -> str | None:
        return None

    def supports(self, case: Case) -> bool:
        return True

    def start(self, case: Case, seed: int) -> Simulation:
        return _Tempering(case, seed) if case.algorithm == "parallel_tempering" else _Kernels(case, seed)


class _Run(_Measured):
    def __init__(self, case: Case, seed: int) -> None:
        self.case = case
        self.spins = np.ones((case.n_chains, *case.shape), dtype=np.int8)
        self._seed = seed
        model = sp.IsingModel(case.shape, 1.0, case.field)
        self._sampler = sp.Metropolis(model, temperature=case.temperature, stream=case.stream, layout=case.layout)

    def advance(self, n_updates: int) -> float:
        self._seed += 1
        samples = sp.run(
            self._sampler, n_chains=self.case.n_chains, n_steps=n_updates, thin=n_updates, seed=self._seed,
            init=self.spins, n_threads=self.case.n_threads, progress=False,
        )  # fmt: skip
        self.spins = samples.draws[:, -1]
        return float(n_updates) * self.spins.size


class SpinodalRun:
    """The same kernels under ``run``, with its measuring and bookkeeping."""

    name = "spinodal run()"
    ours = True

    def version(self) -> str:
        return sp.__version__

    def why_missing(self) -> str | None:
        return missing_module("spinodal.samplers.run")

    def supports(self, case: Case) -> bool:
        return case.name == "metropolis-512"

    def start(self, case: Case, seed: int) -> Simulation:
        return _Run(case, seed)
