# SPDX-License-Identifier: BSD-3-Clause
"""Fast Boltzmann sampling kernels, with exact error bars.

Everything public is here or in the modules ``kernels``, ``exact``, ``analysis``, ``plots``, ``score`` and
``interop``; names are loaded when they are first used, so that importing costs NumPy alone.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_MODULES = ("analysis", "exact", "interop", "kernels", "plots", "score")

_HOMES = {
    "DoubleWell": "systems.double_well",
    "HMC": "samplers.hamiltonian",
    "GaussianField": "systems.gaussian_fields",
    "GaussianSampler": "samplers.gaussian",
    "GraphProcess": "systems.graph_process",
    "HeatBath": "samplers.metropolis",
    "IsingModel": "systems.ising",
    "Langevin": "samplers.langevin",
    "Laplacian": "systems.laplacians",
    "LennardJonesSystem": "systems.lennard_jones",
    "LocalMoves": "samplers.local_moves",
    "MALA": "samplers.hamiltonian",
    "Metropolis": "samplers.metropolis",
    "MetropolisHastings": "samplers.metropolis",
    "ParallelTempering": "samplers.tempering",
    "Samples": "samples",
    "SwendsenWang": "samplers.cluster",
    "VelocityVerlet": "samplers.verlet",
    "Wolff": "samplers.cluster",
    "apply_Phi_node_batch": "systems.graph_original",
    "build_A_node": "systems.graph_original",
    "forward_noising_batch": "systems.graph_original",
    "graph_laplacian": "systems.graphs",
    "grid_laplacian": "systems.graphs",
    "load": "samples",
    "molecular_laplacian": "systems.graphs",
    "precompute_phi_sigma_explicit": "systems.graph_original",
    "reconstruct_from_noise": "systems.graph_original",
    "run": "samplers.run",
    "sampler": "samplers.auto",
}

__all__ = [
    "HMC",
    "MALA",
    "DoubleWell",
    "GaussianField",
    "GaussianSampler",
    "GraphProcess",
    "HeatBath",
    "IsingModel",
    "Langevin",
    "Laplacian",
    "LennardJonesSystem",
    "LocalMoves",
    "Metropolis",
    "MetropolisHastings",
    "ParallelTempering",
    "Samples",
    "SwendsenWang",
    "VelocityVerlet",
    "Wolff",
    "analysis",
    "apply_Phi_node_batch",
    "build_A_node",
    "exact",
    "forward_noising_batch",
    "graph_laplacian",
    "grid_laplacian",
    "interop",
    "kernels",
    "load",
    "molecular_laplacian",
    "plots",
    "precompute_phi_sigma_explicit",
    "reconstruct_from_noise",
    "run",
    "sampler",
    "score",
]

if TYPE_CHECKING:
    from spinodal import analysis, exact, interop, kernels, plots, score
    from spinodal.samplers.auto import sampler
    from spinodal.samplers.cluster import SwendsenWang, Wolff
    from spinodal.samplers.gaussian import GaussianSampler
    from spinodal.samplers.hamiltonian import HMC, MALA
    from spinodal.samplers.langevin import Langevin
    from spinodal.samplers.local_moves import LocalMoves
    from spinodal.samplers.metropolis import HeatBath, Metropolis, MetropolisHastings
    from spinodal.samplers.run import run
    from spinodal.samplers.tempering import ParallelTempering
    from spinodal.samplers.verlet import VelocityVerlet
    from spinodal.samples import Samples, load
    from spinodal.systems.double_well import DoubleWell
    from spinodal.systems.gaussian_fields import GaussianField
    from spinodal.systems.graph_original import (
        apply_Phi_node_batch,
        build_A_node,
        forward_noising_batch,
        precompute_phi_sigma_explicit,
        reconstruct_from_noise,
    )
    from spinodal.systems.graph_process import GraphProcess
    from spinodal.systems.graphs import graph_laplacian, grid_laplacian, molecular_laplacian
    from spinodal.systems.ising import IsingModel
    from spinodal.systems.laplacians import Laplacian
    from spinodal.systems.lennard_jones import LennardJonesSystem


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"spinodal.{name}")
    if name in _HOMES:
        value = getattr(importlib.import_module(f"spinodal.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'spinodal' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
