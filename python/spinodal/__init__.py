# SPDX-License-Identifier: BSD-3-Clause
"""Fast Boltzmann sampling kernels, with exact error bars.

Everything public is here or in the modules ``kernels``, ``exact``, ``analysis``, ``plots``,
``interop`` and ``score``; names are loaded when they are first used, so that importing costs NumPy alone.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_MODULES = ("analysis", "exact", "interop", "kernels", "plots", "score")

_HOMES = {
    "DoubleWell": "systems.double_well",
    "HeatBath": "samplers.metropolis",
    "IsingModel": "systems.ising",
    "Langevin": "samplers.langevin",
    "LennardJonesSystem": "systems.lennard_jones",
    "Metropolis": "samplers.metropolis",
    "MetropolisHastings": "samplers.metropolis",
    "ParallelTempering": "samplers.tempering",
    "Samples": "samples",
    "SwendsenWang": "samplers.cluster",
    "Wolff": "samplers.cluster",
    "load": "samples",
    "run": "samplers.run",
    "sampler": "samplers.auto",
}

__all__ = [
    "DoubleWell",
    "HeatBath",
    "IsingModel",
    "Langevin",
    "LennardJonesSystem",
    "Metropolis",
    "MetropolisHastings",
    "ParallelTempering",
    "Samples",
    "SwendsenWang",
    "Wolff",
    "analysis",
    "exact",
    "interop",
    "kernels",
    "load",
    "plots",
    "run",
    "sampler",
    "score",
]

if TYPE_CHECKING:
    from spinodal import analysis, exact, interop, kernels, plots, score
    from spinodal.samplers.auto import sampler
    from spinodal.samplers.cluster import SwendsenWang, Wolff
    from spinodal.samplers.langevin import Langevin
    from spinodal.samplers.metropolis import HeatBath, Metropolis, MetropolisHastings
    from spinodal.samplers.run import run
    from spinodal.samplers.tempering import ParallelTempering
    from spinodal.samples import Samples, load
    from spinodal.systems.double_well import DoubleWell
    from spinodal.systems.ising import IsingModel
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
