# SPDX-License-Identifier: BSD-3-Clause
"""Every engine that takes part, ours among them, behind one protocol."""

from __future__ import annotations

from cases import Case
from peers.protocol import Engine, Simulation
from peers.rust_mcising import McIsing
from peers.rust_peapods import Peapods
from peers.spinodal_engine import SpinodalKernels, SpinodalRun
from peers.torch_planes import TorchPlanes
from peers.tuned_numba import EXPERT_NUMBA, TUNED_NUMBA

__all__ = ["ENGINES", "EXPERT_NUMBA", "TUNED_NUMBA", "Engine", "Simulation", "engines_for"]

ENGINES: tuple[Engine, ...] = (
    SpinodalKernels(), SpinodalRun(), TUNED_NUMBA, EXPERT_NUMBA, McIsing(), Peapods(), TorchPlanes()
)  # fmt: skip


def engines_for(case: Case, names: str | None = None) -> list[Engine]:
    """Return the installed engines that can run a case, ours first; ``names`` is a comma-separated choice."""
    wanted = None if names is None else {name.strip() for name in names.split(",")}
    return [
        engine
        for engine in ENGINES
        if engine.why_missing() is None and engine.supports(case) and (wanted is None or engine.name in wanted)
    ]
