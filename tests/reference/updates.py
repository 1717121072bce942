# SPDX-License-Identifier: BSD-3-Clause
"""Every update of Ising spins by name, and averages over many independent chains of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from reference.enumeration import OBSERVABLES
from spinodal import kernels
from spinodal.backends import resolve

Array = npt.NDArray[Any]

LOCAL = {
    "metropolis": kernels.metropolis_sweep,
    "pure_metropolis": partial(kernels.metropolis_sweep, heat_bath_every=0),
    "heat_bath": kernels.heat_bath_sweep,
}
CLUSTER = {"wolff": kernels.wolff_step, "swendsen_wang": kernels.swendsen_wang_sweep}
UPDATES = {**LOCAL, **CLUSTER}

# A mean of independent chains further than this from its expectation: 2e-9 each, so that
# five hundred comparisons raise a false alarm once in a million runs.
SIGMAS = 6.0


def offered(update: str, backend: str) -> bool:
    """Whether a backend has the kernel of an update."""
    kernel = "metropolis_sweep" if update in LOCAL else UPDATES[update].__name__
    return hasattr(resolve(backend), kernel)


@dataclass(frozen=True)
class Chains:
    """Many independent chains of one update at one inverse temperature."""

    update: str
    beta: float
    J: float = 1.0
    h: float = 0.0
    ndim: int = 2
    stream: str = "ars7"
    layout: str = "bytes"
    backend: str = "cpp"
    seed: int = 1

    def advance(self, spins: Array, first: int, n_steps: int) -> None:
        """Steps ``first`` to ``first + n_steps``, in place, on one thread."""
        unit = "step" if self.update == "wolff" else "sweep"
        layout = {"layout": self.layout} if self.update in LOCAL else {}
        UPDATES[self.update](
            spins, self.beta, self.J, self.h, seed=self.seed, stream=self.stream, ndim=self.ndim, n_threads=1,
            backend=self.backend, **layout, **{unit: first, f"n_{unit}s": n_steps},
        )  # fmt: skip

    def chain_means(self, spins: Array, *, burn_in: int, n_draws: int, thin: int) -> dict[str, Array]:
        """Time average of every observable of each chain; ``spins`` is the start, and ends as the last draw."""
        n_sites = int(np.prod(spins.shape[-self.ndim :]))
        sums = {name: np.zeros(len(spins)) for name in OBSERVABLES}
        self.advance(spins, 0, burn_in)
        for draw in range(n_draws):
            self.advance(spins, burn_in + draw * thin, thin)
            energy = kernels.ising_energy(spins, self.J, self.h, ndim=self.ndim, n_threads=1) / n_sites
            magnetization = kernels.magnetization(spins, ndim=self.ndim, n_threads=1) / n_sites
            for name, observable in OBSERVABLES.items():
                sums[name] += observable(energy, magnetization)
        return {name: total / n_draws for name, total in sums.items()}


def deviations(means: dict[str, Array], exact: dict[str, float]) -> dict[str, float]:
    """How many standard errors the mean over chains is from its exact value, for each observable."""
    result = {}
    for name, values in means.items():
        stderr = values.std(ddof=1) / np.sqrt(len(values))
        result[name] = float((values.mean() - exact[name]) / max(stderr, 1e-12))
    return result
