# SPDX-License-Identifier: BSD-3-Clause
"""What an engine is to the suite."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
from typing import Protocol

import numpy as np
import numpy.typing as npt

from cases import Case

Reals = npt.NDArray[np.float64]


class Simulation(Protocol):
    """Chains in the making. Only ``advance`` is timed."""

    def advance(self, n_updates: int) -> float:
        """Run sweeps (steps for Wolff) of every chain; return the work done (see ``Case``)."""
        ...

    def energy_per_site(self) -> Reals:
        """Return e of each chain: now, or averaged over the last ``advance``."""
        ...

    def m2(self) -> Reals:
        """Return the squared magnetisation per site of each chain, likewise."""
        ...


class Engine(Protocol):
    """One way to sample the Ising model."""

    name: str
    ours: bool

    def version(self) -> str: ...

    def why_missing(self) -> str | None:
        """Return None when the engine can run."""
        ...

    def supports(self, case: Case) -> bool: ...

    def start(self, case: Case, seed: int) -> Simulation:
        """Return chains at the case's temperature, cold where the engine lets one choose."""
        ...


def missing_module(module: str) -> str | None:
    """Return why a module cannot be imported, or None."""
    try:
        importlib.import_module(module)
    except ImportError as error:
        return str(error)
    return None


def version_of(distribution: str) -> str:
    return importlib.metadata.version(distribution)


def one_rayon_thread() -> None:
    """Rust's thread pool is sized when it is first used."""
    os.environ.setdefault("RAYON_NUM_THREADS", "1")
