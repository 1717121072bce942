# SPDX-License-Identifier: BSD-3-Clause
"""Langevin dynamics of Lennard-Jones particles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spinodal import kernels
from spinodal.backends.protocol import Integers, Reals
from spinodal.kernels.arguments import BackendName, StreamName
from spinodal.kernels.particles import Precision, check_precision
from spinodal.samplers.divergence import DivergedError
from spinodal.samplers.particles import ParticleSampler
from spinodal.samplers.protocol import Array, Info, Key
from spinodal.systems.lennard_jones import LennardJonesSystem


@dataclass
class ParticleState:
    """Positions and velocities of all chains.

    ``listed`` holds the positions when each chain's neighbour list was last built, which the order of sums follows;
    ``velocities`` is None until the first step draws them.
    """

    positions: Reals
    listed: Reals
    velocities: Reals | None = None
    measured: Mapping[str, Array] | None = None

    @property
    def draws(self) -> Reals:
        """Configurations, float64 (n_chains, n_particles, dim)."""
        return self.positions

    def arrays(self) -> dict[str, Array]:
        """Return what a resume needs."""
        arrays: dict[str, Array] = {"positions": self.positions, "listed": self.listed}
        if self.velocities is not None:
            arrays["velocities"] = self.velocities
        return arrays


class Langevin(ParticleSampler):
    r"""BAOAB Langevin dynamics; one step is one timestep of every particle.

    Averages over positions have an error of order dt², small for this splitting: halve ``timestep`` to see it.
    ``info`` has ``kinetic_energy``, ½ m v² summed over the steps: a step's mean must be half the temperature for every
    degree of freedom, of which there are ``n_freedoms``. Free particles keep their centre of mass.

    Parameters
    ----------
    system : LennardJonesSystem
        Without tail corrections or with: forces are the same.
    temperature : float or array of shape (n_chains,)
        In units of energy, > 0.
    timestep : float
        In units of σ (m/ε)^½.
    friction : float
        Rate γ > 0 at which velocities forget.
    mass : float
    precision : {"double", "mixed"}
        "mixed" computes the pairs of large systems in single precision; positions, velocities and recorded energies
        are in double precision always.
    stream : {"ars7", "ars5", "philox10"}
    backend : {"cpp", "numba"}, optional

    Notes
    -----
    Chains start from the system's lattice with random velocities; a melting crystal needs burn-in.

    References
    ----------
    Leimkuhler and Matthews, Appl. Math. Res. Express 2013, 34, doi:10.1093/amrx/abs010.
    """

    def __init__(
        self,
        system: LennardJonesSystem,
        temperature: float | npt.ArrayLike,
        *,
        timestep: float = 0.004,
        friction: float = 1.0,
        mass: float = 1.0,
        precision: Precision = "double",
        stream: StreamName = "ars7",
        backend: BackendName | None = None,
    ) -> None:
        super().__init__(system, temperature, stream=stream, backend=backend)
        for name, value in (("timestep", timestep), ("friction", friction), ("mass", mass)):
            if not (np.isfinite(value) and value > 0):
                raise ValueError(f"{name} must be finite and > 0; got {value}")
        check_precision(precision)
        self.timestep, self.friction, self.mass = float(timestep), float(friction), float(mass)
        self.precision: Precision = precision

    def describe(self) -> dict[str, Any]:
        """Return what ran, for provenance."""
        return {
            **super().describe(),
            "timestep": self.timestep,
            "friction": self.friction,
            "mass": self.mass,
            "precision": self.precision,
        }

    def state_from(self, draws: npt.ArrayLike) -> ParticleState:
        """Return the state of chains that start from given configurations (copied, wrapped into the box)."""
        positions = self.start_positions(draws)
        return ParticleState(positions, positions.copy())

    def restore(self, arrays: Mapping[str, Array]) -> ParticleState:
        """Rebuild a state from its arrays."""
        velocities = arrays.get("velocities")
        return ParticleState(
            np.array(arrays["positions"]),
            np.array(arrays["listed"]),
            None if velocities is None else np.array(velocities),
        )

    def potential_energy(self, state: ParticleState, n_threads: int | None = None) -> Reals:
        """Return the energy of each chain."""
        return np.asarray(self.system.energy(state.positions, n_threads=n_threads))

    def exchange(self, state: ParticleState, first: Integers, second: Integers) -> None:
        """Exchange configurations; velocities are rescaled to the temperature they come to."""
        arrays = [state.positions, state.listed, *([] if state.velocities is None else [state.velocities])]
        for array in arrays:
            array[first], array[second] = array[second], array[first]
        if state.velocities is not None:
            temperature = self.chain_temperatures(len(state.positions))
            hotter = np.sqrt(temperature[second] / temperature[first])[:, None, None]
            state.velocities[first] /= hotter
            state.velocities[second] *= hotter

    def step(
        self, key: Key, state: ParticleState, n_steps: int = 1, *, n_threads: int | None = None
    ) -> tuple[ParticleState, Info]:
        """Advance all chains by ``n_steps`` timesteps, in place."""
        system, velocities = self.system, self._velocities(key, state, n_threads)
        temperature = self.chain_temperatures(len(state.positions))
        whole = state.positions.copy()
        try:
            kinetic_energy = kernels.langevin_steps(
                state.positions, velocities, system.box, temperature, timestep=self.timestep,
                friction=self.friction, mass=self.mass, n_steps=n_steps, listed=state.listed, cutoff=system.cutoff,
                shift=system.shift, epsilon=system.epsilon, sigma=system.sigma, softening=system.softening,
                precision=self.precision, confinement=system.confinement, periodic=system.periodic, seed=key.seed,
                step=key.step, first_chain=key.first_chain, stream=self.stream, n_threads=n_threads,
                backend=self.backend,
            )  # fmt: skip
        except RuntimeError as error:
            box = system.box if system.periodic else None
            raise DivergedError(str(error), key.step, whole, box) from error
        return state, {"kinetic_energy": kinetic_energy}

    def _velocities(self, key: Key, state: ParticleState, n_threads: int | None) -> Reals:
        """Return the state's velocities, which are drawn by the first to ask for them."""
        if state.velocities is None:
            has_drift = self.n_freedoms == self.system.shape[0] * self.system.shape[1]
            state.velocities = kernels.maxwell_velocities(
                state.positions.shape, self.chain_temperatures(len(state.positions)), mass=self.mass,
                periodic=has_drift, seed=key.seed, step=key.step, first_chain=key.first_chain, stream=self.stream,
                n_threads=n_threads, backend=self.backend,
            )  # fmt: skip
        return state.velocities
