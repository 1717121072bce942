# SPDX-License-Identifier: BSD-3-Clause
"""mcising (Rust): sequential-scan Metropolis, Wolff, Swendsen–Wang, tempering."""

from __future__ import annotations

from typing import Any

import numpy as np

from cases import LADDER, Case
from peers.protocol import Reals, Simulation, missing_module, one_rayon_thread, version_of


class _Chains:
    def __init__(self, case: Case, seed: int) -> None:
        from mcising import IsingSimulation

        lattice = "square" if len(case.shape) == 2 else "cubic"
        self._temperature = case.temperature
        self._chains: list[Any] = [
            IsingSimulation(case.shape[0], 1.0, 0.0, 0.0, case.field, seed + chain, case.algorithm, lattice)
            for chain in range(case.n_chains)
        ]
        for chain in self._chains:
            chain.set_spins(np.ones(case.shape, dtype=np.int8))

    def advance(self, n_updates: int) -> float:
        return float(sum(chain.sweep(n_updates, temperature=self._temperature)[1] for chain in self._chains))

    def energy_per_site(self) -> Reals:
        return np.array([chain.energy() for chain in self._chains])

    def m2(self) -> Reals:
        return np.array([chain.magnetization() ** 2 for chain in self._chains])


class _Tempering:
    """The package's own runner, which starts from random spins at every call."""

    def __init__(self, case: Case, seed: int) -> None:
        self._case, self._seed = case, seed
        self._energies: Reals = np.empty(0)
        self._m2: Reals = np.empty(0)

    def advance(self, n_updates: int) -> float:
        from mcising._core import run_parallel_tempering

        case = self._case
        self._seed += len(LADDER)
        burn_in = n_updates // 2
        rungs, _ = run_parallel_tempering(
            case.shape[0], 1.0, 0.0, 0.0, case.field, self._seed, "metropolis", "square", list(LADDER),
            burn_in, n_updates - burn_in, min(16, n_updates - burn_in),
        )  # fmt: skip
        self._energies = np.array([np.mean(rung["energies"]) for rung in rungs])
        self._m2 = np.array([np.mean(np.square(rung["magnetizations"])) for rung in rungs])
        return float(n_updates) * len(LADDER) * case.n_sites

    def energy_per_site(self) -> Reals:
        return self._energies

    def m2(self) -> Reals:
        return self._m2


class McIsing:
    name = "mcising"
    ours = False

    def version(self) -> str:
        return version_of("mcising")

    def why_missing(self) -> str | None:
        return missing_module("mcising")

    def supports(self, case: Case) -> bool:
        one_ladder = case.algorithm == "parallel_tempering" and case.n_chains == len(LADDER)
        known = case.algorithm in ("metropolis", "wolff", "swendsen_wang") or one_ladder
        return known and case.n_threads == 1 and not case.ours_only and len(set(case.shape)) == 1

    def start(self, case: Case, seed: int) -> Simulation:
        one_rayon_thread()
        return _Tempering(case, seed) if case.algorithm == "parallel_tempering" else _Chains(case, seed)
