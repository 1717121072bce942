# SPDX-License-Identifier: BSD-3-Clause
"""Dynamics whose energy has grown beyond all bounds: what it was like just before is kept in a file."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from spinodal.backends.protocol import Reals
from spinodal.files.trajectories import Trajectory, write_trajectory


class DivergedError(RuntimeError):
    """The energy of a chain grew beyond all bounds.

    Attributes
    ----------
    step : int
        The last step, burn-in included, at which every chain was still whole.
    positions : float64 array, shape (n_chains, n_particles, dim)
        All chains of the call at that step.
    path : Path or None
        The file they were written to by ``run``, a frame for each chain.
    samples : Samples or None
        The draws before.
    """

    def __init__(self, reason: str, step: int, positions: Reals, box: Reals | None) -> None:
        super().__init__(reason, step, positions, box)
        self.reason, self.step, self.positions, self.box = reason, step, positions, box
        self.path: Path | None = None
        self.samples: Any = None

    def __str__(self) -> str:
        kept = "" if self.path is None else f"; the last whole states, at step {self.step}, are in {self.path}"
        return f"{self.reason}{kept}. Relax the start (system.relax) or shorten the timestep"

    def save(self, folder: Path) -> None:
        """Write the last whole states to a new file of the folder, and remember where."""
        path = folder / f"spinodal-last-whole-states-{secrets.token_hex(4)}.xyz"
        write_trajectory(path, Trajectory(self.positions, self.box))
        self.path = path
