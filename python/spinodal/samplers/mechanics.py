# SPDX-License-Identifier: BSD-3-Clause
"""Hamiltonian trajectories of many chains; one that diverges is marked, and its neighbours go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spinodal import kernels
from spinodal.backends.protocol import Reals
from spinodal.kernels.arguments import BackendName
from spinodal.kernels.particles import MAX_LENGTH
from spinodal.systems.lennard_jones import LennardJonesSystem

LISTED = 128
"""More Lennard-Jones particles than these have a neighbour list, which a whole trajectory of one chain shares."""
_FEWEST_STEPS_WITH_A_LIST = 3  # the list's kernel computes the forces at both ends once more

Flags = npt.NDArray[np.bool_]


@dataclass
class Measured:
    """Energy, forces and virial of configurations; no virial where the system has none."""

    energy: Reals
    forces: Reals
    virial: Reals | None

    def take(self, chains: Flags, other: Measured) -> None:
        """Take over some chains."""
        self.energy[chains], self.forces[chains] = other.energy[chains], other.forces[chains]
        if self.virial is not None and other.virial is not None:
            self.virial[chains] = other.virial[chains]


@dataclass(frozen=True)
class Mechanics:
    """The motion of a system's particles.

    Parameters
    ----------
    system : object
        With ``energy`` and ``forces``, and perhaps ``measure`` that gives both at once.
    mass : float
    n_threads, backend
        Of the kernels, where the system has any.
    """

    system: Any
    mass: float
    n_threads: int | None = None
    backend: BackendName | None = None

    def measure(self, x: Reals, *, on_the_way: bool = False) -> Measured:
        """Return energy and forces of configurations (n_chains, n_particles, dim); on the way forces may do."""
        if hasattr(self.system, "measure"):
            return Measured(*self.system.measure(x, n_threads=self.n_threads, backend=self.backend))
        energy = np.full(len(x), np.nan) if on_the_way else np.asarray(self.system.energy(x))
        return Measured(energy, self.system.forces(x), None)

    def trajectory(self, x: Reals, v: Reals, forces: Reals, timestep: Reals, n_steps: int) -> tuple[Measured, Flags]:
        """Move positions and velocities in place by velocity Verlet, each chain by its own timestep.

        Returns
        -------
        measured : Measured
            At the end.
        diverged : bool array, shape (n_chains,)
            Chains without a finite energy on the way; their other results mean nothing.
        """
        lj = isinstance(self.system, LennardJonesSystem)
        with np.errstate(over="ignore", invalid="ignore"):
            if lj and self.system.n_particles > LISTED and n_steps >= _FEWEST_STEPS_WITH_A_LIST:
                return self._with_a_list(x, v, timestep, n_steps)
            return self._together(x, v, forces, timestep, n_steps)

    def _together(self, x: Reals, v: Reals, forces: Reals, timestep: Reals, n_steps: int) -> tuple[Measured, Flags]:
        """Move all chains side by side, one call of the forces a step."""
        start, dt = x.copy(), timestep[:, None, None]
        diverged = np.zeros(len(x), dtype=bool)
        measured = Measured(np.empty(0), forces, None)
        v += (0.5 / self.mass) * dt * forces
        for step in range(n_steps):
            x += dt * v
            on_the_way = step < n_steps - 1
            measured = self._measure_or_mark(x, start, diverged, on_the_way=on_the_way)
            v += ((1.0 if on_the_way else 0.5) / self.mass) * dt * measured.forces
        return measured, diverged

    def _measure_or_mark(self, x: Reals, start: Reals, diverged: Flags, *, on_the_way: bool = False) -> Measured:
        """Measure; chains that cannot be are marked, and put back to where they began."""
        diverged |= ~(np.abs(x) <= MAX_LENGTH).all(axis=(1, 2))  # a NaN fails the comparison
        x[diverged] = start[diverged]
        try:
            return self.measure(x, on_the_way=on_the_way)
        except ValueError:  # particles of some chain overlap: rare, so each chain is asked by itself
            for chain in range(len(x)):
                try:
                    self.measure(x[chain : chain + 1])
                except ValueError:
                    diverged[chain] = True
            x[diverged] = start[diverged]
            return self.measure(x, on_the_way=on_the_way)

    def _with_a_list(self, x: Reals, v: Reals, timestep: Reals, n_steps: int) -> tuple[Measured, Flags]:
        """Move chain after chain, each by one call that keeps its neighbour list from step to step."""
        system, start = self.system, x.copy()
        diverged = np.zeros(len(x), dtype=bool)
        for chain, dt in enumerate(timestep):
            try:
                kernels.langevin_steps(
                    x[chain], v[chain], system.box, friction=0.0, timestep=float(dt), mass=self.mass, n_steps=n_steps,
                    cutoff=system.cutoff, shift=system.shift, epsilon=system.epsilon, sigma=system.sigma,
                    softening=system.softening, confinement=system.confinement, periodic=system.periodic,
                    n_threads=self.n_threads, backend=self.backend,
                )  # fmt: skip
            except RuntimeError:  # its energy grew beyond all bounds
                diverged[chain] = True
        return self._measure_or_mark(x, start, diverged), diverged
