# SPDX-License-Identifier: BSD-3-Clause
"""peapods (Rust): sequential-scan Metropolis and heat bath, cluster updates on top of those."""

from __future__ import annotations

import numpy as np

from cases import LADDER, Case
from peers.protocol import Reals, Simulation, missing_module, one_rayon_thread, version_of


class _Replicas:
    """``n_chains`` temperatures are its ensembles. It measures at every sweep, and starts hot."""

    def __init__(self, case: Case, seed: int) -> None:
        from peapods import Ising

        tempering = case.algorithm == "parallel_tempering"
        temperatures = np.array(LADDER) if tempering else np.full(case.n_chains, case.temperature)
        self._case = case
        self._model = Ising(case.shape, temperatures=temperatures)
        self._model._sim.reset(seed=seed)  # no public call takes a seed
        self._options = {
            "sweep_mode": "gibbs" if case.algorithm == "heat_bath" else "metropolis",
            "pt_interval": 1 if tempering else None,
            "cluster_update_interval": 1 if case.is_cluster else None,
            "warmup_ratio": 0.0,
            "sequential": case.n_threads == 1,
        }

    def advance(self, n_updates: int) -> float:
        self._model.sample(n_updates, **self._options)
        return float(n_updates) * self._case.n_chains * self._case.n_sites

    def energy_per_site(self) -> Reals:
        return -np.asarray(self._model.energies_avg, dtype=np.float64)

    def m2(self) -> Reals:
        return np.asarray(self._model.mags2, dtype=np.float64)


class Peapods:
    """Its Swendsen–Wang figure contains the Metropolis sweep that goes with every cluster update."""

    name = "peapods"
    ours = False

    def version(self) -> str:
        return version_of("peapods")

    def why_missing(self) -> str | None:
        return missing_module("peapods")

    def supports(self, case: Case) -> bool:
        one_ladder = case.algorithm != "parallel_tempering" or case.n_chains == len(LADDER)
        # Its Wolff does not say how many spins it flipped; it has no field.
        return one_ladder and case.algorithm != "wolff" and case.field == 0.0 and not case.ours_only

    def start(self, case: Case, seed: int) -> Simulation:
        one_rayon_thread()
        return _Replicas(case, seed)
