# SPDX-License-Identifier: BSD-3-Clause
"""Dynamics of constant energy."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from spinodal.kernels.arguments import BackendName, StreamName
from spinodal.samplers.hamiltonian import kinetic_energy
from spinodal.samplers.langevin import Langevin, ParticleState
from spinodal.samplers.protocol import Info, Key
from spinodal.systems.lennard_jones import LennardJonesSystem


class VelocityVerlet(Langevin):
    """Velocity Verlet without a heat bath; one step is one timestep of every particle.

    The energy of each chain stays what it is at the start, positions there and velocities drawn at ``temperature``
    without a total momentum: averages are those of constant energy, and the temperature is what the mean
    ``kinetic_energy`` says, for :attr:`n_freedoms` degrees of freedom. Start from equilibrated positions, ``init``.

    ``info`` has ``kinetic_energy``, summed over the steps, and ``total_energy`` at the draw. Energy is conserved with
    ``shift="force"``, to order dt² with no drift; a truncated potential's wanders at every crossing of the cutoff.

    Parameters
    ----------
    system : LennardJonesSystem
    temperature : float or array of shape (n_chains,)
        Of the first velocities, > 0.
    timestep : float
        In units of σ (m/ε)^½.
    mass : float
    stream : {"ars7", "ars5", "philox10"}
    backend : {"cpp", "numba"}, optional
    """

    canonical = False

    def __init__(
        self,
        system: LennardJonesSystem,
        temperature: float | npt.ArrayLike,
        *,
        timestep: float = 0.004,
        mass: float = 1.0,
        stream: StreamName = "ars7",
        backend: BackendName | None = None,
    ) -> None:
        super().__init__(system, temperature, timestep=timestep, mass=mass, stream=stream, backend=backend)
        self.friction = 0.0

    @property
    def n_freedoms(self) -> int:
        """Number of independent velocities: the total momentum is 0."""
        n_particles, dim = self.system.shape
        return int(dim * (n_particles - 1))

    def describe(self) -> dict[str, Any]:
        """Return what ran, for provenance."""
        return {name: value for name, value in super().describe().items() if name != "friction"}

    def step(
        self, key: Key, state: ParticleState, n_steps: int = 1, *, n_threads: int | None = None
    ) -> tuple[ParticleState, Info]:
        """Advance all chains by ``n_steps`` timesteps, in place."""
        velocities = self._velocities(key, state, n_threads)
        state, info = super().step(key, state, n_steps, n_threads=n_threads)
        found = self.system.scalars(state.positions, n_threads=n_threads)
        state.measured = {**found, "total_energy": found["energy"] + kinetic_energy(velocities, self.mass)}
        return state, info
