# SPDX-License-Identifier: BSD-3-Clause
"""torch on compact int8 colour planes: what whole-array code reaches."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from cases import Case
from peers.protocol import Reals, Simulation, missing_module, version_of


class _Planes:
    """Plane c holds the sites x = 2k + (y + c) % 2 of row y, shape (n_chains, L, L/2)."""

    def __init__(self, case: Case, seed: int) -> None:
        import torch

        self._torch = torch
        torch.set_num_threads(case.n_threads)
        shape = (case.n_chains, case.shape[0], case.shape[1] // 2)
        self._planes = [torch.ones(shape, dtype=torch.int8) for _ in range(2)]
        self._uniform = torch.empty(shape)
        self._generator = torch.Generator().manual_seed(seed)
        self._accept = [math.exp(-4.0 / case.temperature), math.exp(-8.0 / case.temperature)]

    def _neighbor_sum(self, color: int) -> Any:
        torch, other = self._torch, self._planes[1 - color]
        total = other + other.roll(1, 1)
        total += other.roll(-1, 1)
        for parity in range(2):  # rows whose sites of this color are at even x look left, the others right
            rows = other[:, parity::2]
            total[:, parity::2] += torch.roll(rows, 1 if parity == color else -1, 2)
        return total

    def advance(self, n_updates: int) -> float:
        torch = self._torch
        for _ in range(n_updates):
            for color, spins in enumerate(self._planes):
                aligned = self._neighbor_sum(color).mul_(spins)
                uniform = self._uniform.uniform_(generator=self._generator)
                flip = aligned <= 0
                flip |= (aligned == 2) & (uniform < self._accept[0])
                flip |= (aligned == 4) & (uniform < self._accept[1])
                spins.copy_(torch.where(flip, -spins, spins))
        return 2.0 * n_updates * self._uniform.numel()

    def energy_per_site(self) -> Reals:
        bonds = (self._planes[0] * self._neighbor_sum(0)).sum((1, 2), dtype=self._torch.int64)
        return np.asarray(-bonds.numpy() / (2.0 * self._planes[0][0].numel()))

    def m2(self) -> Reals:
        m = sum(plane.double().mean((1, 2)) for plane in self._planes) / 2.0
        return np.asarray((m * m).numpy())


class TorchPlanes:
    name = "torch"
    ours = False

    def version(self) -> str:
        return version_of("torch")

    def why_missing(self) -> str | None:
        return missing_module("torch")

    def supports(self, case: Case) -> bool:
        square = case.algorithm == "metropolis" and len(case.shape) == 2 and case.field == 0.0
        return square and case.n_threads == 1 and not case.ours_only

    def start(self, case: Case, seed: int) -> Simulation:
        return _Planes(case, seed)
