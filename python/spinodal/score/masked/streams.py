# SPDX-License-Identifier: BSD-3-Clause
"""Fresh configurations while training: Swendsen–Wang chains at many temperatures, never at rest.

Coarse levels see few sites of a configuration, so that large lattices are shown several times, each time moved by a
random translation: their coarse sites are others then.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from spinodal import kernels
from spinodal.score.masked.networks import CRITICAL_K

BURN_IN = 50
SWEEPS_BETWEEN = 2
_SITES_A_VIEW = 512
_CRITICAL_T = 1 / CRITICAL_K
_WIDTH = 0.12  # of the logistic law of the temperatures near the critical one


def spread_temperatures(n: int, lowest: float, highest: float) -> npt.NDArray[np.float64]:
    """Return n temperatures: every second one uniform in the range, the others logistic around the critical one."""
    index = np.arange(n)
    u = (0.5 + index * (math.sqrt(5) - 1) / 2) % 1  # the golden ratio's multiples are spread evenly at any n
    low, high = (1 / (1 + math.exp(-(t - _CRITICAL_T) / _WIDTH)) for t in (lowest, highest))
    v = low + u * (high - low)
    near = _CRITICAL_T + _WIDTH * np.log(v / (1 - v))
    return np.where(index % 2, near, lowest + u * (highest - lowest))


class ChainStream:
    """Equilibrium configurations of L × L lattices, J = 1, each chain at a temperature of its own.

    Parameters
    ----------
    length, n_chains : int
    seed : int
    temperatures : (float, float)
        The range.
    """

    def __init__(self, length: int, n_chains: int, *, seed: int, temperatures: tuple[float, float]) -> None:
        self.length, self.seed, self.sweep, self.view = length, seed, 0, 0
        self.n_views = max(1, length**2 // _SITES_A_VIEW)
        self.beta = 1 / spread_temperatures(n_chains, *temperatures)
        # Low temperatures start from the ground state: from a random one they would keep domain walls.
        cold = self.beta[:, None, None] > CRITICAL_K
        self.spins = np.where(cold, np.int8(1), kernels.random_spins((n_chains, length, length), seed=seed))
        self._order = np.arange(0)
        self._advance(BURN_IN)

    def next(self, n: int) -> tuple[Any, Any]:
        """Return spins, float32 (n, L²), and K, float32 (n,); each chain is used once in each view."""
        spins, beta = [], []
        while n > 0:
            if self._order.size == 0:
                self._next_view()
            chosen, self._order = self._order[:n], self._order[n:]
            spins.append(self.spins[chosen].reshape(len(chosen), -1))
            beta.append(self.beta[chosen])
            n -= len(chosen)
        return torch.from_numpy(np.concatenate(spins)).float(), torch.from_numpy(np.concatenate(beta)).float()

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return what a resume needs."""
        return {"spins": self.spins, "counts": np.array([self.sweep, self.view]), "order": self._order}

    def restore(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        """Go back to where `arrays` was called."""
        self.spins, self._order = arrays["spins"].copy(), arrays["order"].copy()
        self.sweep, self.view = arrays["counts"].tolist()

    def _next_view(self) -> None:
        if self.view % self.n_views == 0:
            self._advance(SWEEPS_BETWEEN)
        rng = np.random.default_rng([self.seed, self.view])
        self.spins = np.roll(self.spins, rng.integers(0, self.length, size=2), axis=(1, 2))
        self._order = rng.permutation(len(self.spins))
        self.view += 1

    def _advance(self, n_sweeps: int) -> None:
        kernels.swendsen_wang_sweep(
            self.spins, self.beta, 1.0, 0.0, n_sweeps=n_sweeps, seed=self.seed, sweep=self.sweep, n_threads=1
        )
        self.sweep += n_sweeps
