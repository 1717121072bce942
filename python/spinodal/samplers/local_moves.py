# SPDX-License-Identifier: BSD-3-Clause
"""Metropolis moves of one particle at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spinodal import kernels
from spinodal.backends.protocol import Integers, Reals
from spinodal.kernels.arguments import BackendName, StreamName
from spinodal.samplers.protocol import Array, Info, Key
from spinodal.samplers.tuned import TunedSampler
from spinodal.samplers.tuning import StepSizes
from spinodal.systems.lennard_jones import LennardJonesSystem

_PARTICLES, _LOCAL_MOVE = 11, 3  # purpose and block of the counters, as in spinodal/local_moves.hpp


@dataclass
class LocalMovesState:
    """Positions of all chains, their energies (tail corrections apart), and the step sizes."""

    positions: Reals
    energy: Reals
    steps: StepSizes

    @property
    def draws(self) -> Reals:
        """Configurations, float64 (n_chains, n_particles, dim)."""
        return self.positions

    def arrays(self) -> dict[str, Array]:
        """Return what a resume needs."""
        return {
            "positions": self.positions,
            "energy": self.energy,
            "step_size": self.steps.current,
            "tuning": self.steps.gathered,
        }


class LocalMoves(TunedSampler):
    r"""Metropolis moves of one particle at a time; one step is a sweep, a move proposed to every particle in turn.

    .. math:: x' = x + \text{step} \cdot \xi, \quad \xi \text{ uniform in } (-1, 1)^d, \qquad
        P = \min(1, e^{-(U(x') - U(x))/T})

    Averages have no error of a timestep. Free particles keep their centre of mass.

    Parameters
    ----------
    system : LennardJonesSystem or DoubleWell
        A box must be at least twice the cutoff long. Lennard-Jones particles are moved by the compiled kernel, any
        other system by its ``energy`` of whole configurations.
    temperature : float or array of shape (n_chains,)
        In units of energy, > 0.
    step : float or array of shape (n_chains,)
        Largest move along an axis, > 0: where the tuning begins, and what is used without a burn-in. Of an earlier run
        it is ``samples.info["step_size"][:, -1] / thin``.
    target_acceptance : float or None
        What the step is tuned to, chain by chain, in the first three quarters of the burn-in of ``run`` and never after
        them; None keeps ``step``. No step becomes longer than half the shortest box length, whatever is accepted.
    stream : {"ars7", "ars5", "philox10"}
    backend : {"cpp", "numba"}, optional

    Notes
    -----
    ``info`` has, summed over the steps, ``accepted`` (moves, of n_particles a step) and ``step_size``. A chain's bits
    depend on (seed, chain, step) alone. Chains start from the system's lattice. The energy is followed from move to
    move, summed anew every 256 sweeps, and compared.

    References
    ----------
    Metropolis et al., J. Chem. Phys. 21, 1087 (1953), doi:10.1063/1.1699114.
    """

    _step_name, _step_names = "step", "steps"

    def __init__(
        self,
        system: Any,
        temperature: float | npt.ArrayLike,
        *,
        step: float | npt.ArrayLike = 0.1,
        target_acceptance: float | None = 0.4,
        stream: StreamName = "ars7",
        backend: BackendName | None = None,
    ) -> None:
        super().__init__(system, temperature, step, target_acceptance, stream=stream, backend=backend)
        self.longest_step = float(system.box.min()) / 2 if self.periodic else np.inf
        if self.step_size.max() > self.longest_step:
            raise ValueError(
                f"step must be at most half the shortest box length, {self.longest_step}; got {self.step_size.max()}"
            )
        if self.periodic and system.box.min() < 2 * system.cutoff:
            raise ValueError(
                f"local moves need a box of at least twice the cutoff; got a length of {system.box.min()} and a "
                f"cutoff of {system.cutoff}"
            )

    def describe(self) -> dict[str, Any]:
        """Return what ran, for provenance."""
        return {
            **super().describe(),
            "step": self.step_size.tolist(),
            "target_acceptance": self.target_acceptance,
        }

    def state_from(self, draws: npt.ArrayLike) -> LocalMovesState:
        """Return the state of chains that start from given configurations (copied, wrapped into the box)."""
        positions = self.start_positions(draws)
        return LocalMovesState(positions, self._energy(positions), self._fresh_steps(len(positions)))

    def restore(self, arrays: Mapping[str, Array]) -> LocalMovesState:
        """Rebuild a state from its arrays."""
        steps = StepSizes(np.array(arrays["step_size"]), np.array(arrays["tuning"]))
        return LocalMovesState(np.array(arrays["positions"]), np.array(arrays["energy"]), steps)

    def potential_energy(self, state: LocalMovesState, n_threads: int | None = None) -> Reals:
        """Return the energy of each chain, which the state has."""
        return state.energy + self._tail_energy

    def exchange(self, state: LocalMovesState, first: Integers, second: Integers) -> None:
        """Exchange configurations; steps stay with the temperatures."""
        for array in (state.positions, state.energy):
            array[first], array[second] = array[second], array[first]

    def step(
        self, key: Key, state: LocalMovesState, n_steps: int = 1, *, n_threads: int | None = None
    ) -> tuple[LocalMovesState, Info]:
        """Advance all chains by ``n_steps`` sweeps, in place."""
        if n_steps < 0:
            raise ValueError(f"n_steps must be >= 0; got {n_steps}")
        n_chains, n_particles = state.positions.shape[:2]
        accepted, step_sizes = np.zeros(n_chains, dtype=np.int64), np.zeros(n_chains)
        done, end = key.step, key.step + n_steps
        while done < end:
            tuned = done in self._tuning
            n = 1 if tuned else min(end, self._tuning.start if done < self._tuning.start else end) - done
            taken = self._sweeps(key.at(done), state, n, n_threads)
            accepted += taken
            step_sizes += n * state.steps.current
            if tuned:
                self._learn(state.steps, taken / n_particles, self.longest_step, done)
            done += n
        return state, {"accepted": accepted, "step_size": step_sizes}

    def _sweeps(self, key: Key, state: LocalMovesState, n_sweeps: int, n_threads: int | None) -> Integers:
        system, temperature = self.system, self.chain_temperatures(len(state.positions))
        if not isinstance(system, LennardJonesSystem):
            return self._sweeps_of_any(key, state, n_sweeps, temperature)
        return kernels.local_moves(
            state.positions, system.box, temperature, step=state.steps.current, n_sweeps=n_sweeps, energy=state.energy,
            cutoff=system.cutoff, shift=system.shift, epsilon=system.epsilon, sigma=system.sigma,
            softening=system.softening, confinement=system.confinement, periodic=system.periodic, seed=key.seed,
            sweep=key.step, first_chain=key.first_chain, stream=self.stream, n_threads=n_threads, backend=self.backend,
        )[1]  # fmt: skip

    def _sweeps_of_any(self, key: Key, state: LocalMovesState, n_sweeps: int, temperature: Reals) -> Integers:
        """Move the particles of all chains side by side, by the same random numbers as the kernel's."""
        x, accepted = state.positions, np.zeros(len(temperature), dtype=np.int64)
        for sweep in range(key.step, key.step + n_sweeps):
            center = x.mean(axis=1, keepdims=True)
            for particle in range(x.shape[1]):
                unit, threshold = self._proposals(key.at(sweep), particle, len(x))
                moved = x.copy()
                moved[:, particle] += state.steps.current[:, None] * unit[:, : x.shape[2]]
                energy = np.asarray(self.system.energy(moved))
                taken = energy - state.energy <= threshold * temperature
                x[taken], state.energy[taken] = moved[taken], energy[taken]
                accepted += taken
            x += center - x.mean(axis=1, keepdims=True)
        return accepted

    def _proposals(self, key: Key, particle: int, n_chains: int) -> tuple[Reals, Reals]:
        """Return moves in units of the step, (n_chains, 3), and −ln u."""
        counters = np.zeros((n_chains, 4), dtype=np.uint32)
        counters[:, 0] = _LOCAL_MOVE | _PARTICLES << 20 | (key.step >> 32) << 24
        counters[:, 1], counters[:, 2] = particle, key.step & 0xFFFFFFFF
        counters[:, 3] = np.arange(key.first_chain, key.first_chain + n_chains)
        words = kernels.stream_blocks(self.stream, key.seed, counters, backend=self.backend).astype(np.uint64)
        low, high = (words[:, ::2] | words[:, 1::2] << np.uint64(32)).T
        grid = low[:, None] >> np.array([0, 21, 42], dtype=np.uint64) & np.uint64(0x1FFFFF)
        uniform = ((high >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52
        return (grid.astype(np.float64) + 0.5) * 2.0**-20 - 1.0, -np.log(uniform)

    def _energy(self, positions: Reals) -> Reals:
        return np.asarray(self.system.energy(positions), dtype=np.float64) - self._tail_energy

    @property
    def _tail_energy(self) -> float:
        return self.system.tail_energy if getattr(self.system, "tail", False) else 0.0
