# SPDX-License-Identifier: BSD-3-Clause
"""Hamiltonian Monte Carlo and its one-step case, the Metropolis-adjusted Langevin algorithm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spinodal.backends.protocol import Integers, Reals
from spinodal.kernels.arguments import BackendName, StreamName, check_integer
from spinodal.samplers.mechanics import Measured, Mechanics
from spinodal.samplers.particles import on_grid
from spinodal.samplers.protocol import Array, Info, Key
from spinodal.samplers.tuned import TunedSampler
from spinodal.samplers.tuning import StepSizes

# Of σ, by a particle of thermal speed in a timestep that tuning chose. In a dilute gas longer ones are nearly always
# accepted, because they jump over the wells of other particles, which would then be found seldom, and left seldom.
_LONGEST_MOVE = 0.2


@dataclass
class HamiltonianState:
    """Positions of all chains, what was measured on them, and the step sizes."""

    positions: Reals
    steps: StepSizes
    at: Measured

    @property
    def draws(self) -> Reals:
        """Configurations, float64 (n_chains, n_particles, dim)."""
        return self.positions

    @property
    def measured(self) -> Mapping[str, Array]:
        """What ``run`` need not measure again."""
        virial = {} if self.at.virial is None else {"virial": self.at.virial}
        return {"energy": self.at.energy, **virial}

    def arrays(self) -> dict[str, Array]:
        """Return what a resume needs; energies and forces follow from the positions."""
        return {"positions": self.positions, "step_size": self.steps.current, "tuning": self.steps.gathered}


class HMC(TunedSampler):
    r"""Hamiltonian Monte Carlo; one step is one trajectory, accepted or refused.

    Velocities are drawn at the temperature, ``n_leapfrog`` steps of velocity Verlet are taken, and the end is accepted
    with

    .. math:: P = \min(1, e^{-\Delta H/T}), \qquad H = U(x) + \tfrac{1}{2} m v^2

    on the exact energy in double precision: averages have no error of the timestep. Free particles keep their centre
    of mass.

    Parameters
    ----------
    system : LennardJonesSystem or DoubleWell
        Or any system of particles with ``shape``, ``energy``, ``forces`` and ``lattice``.
    temperature : float or array of shape (n_chains,)
        In units of energy, > 0.
    step_size : float or array of shape (n_chains,)
        Timestep, in units of σ (m/ε)^½, > 0: where the tuning begins, and what is used without a burn-in. Of an
        earlier run it is ``samples.info["step_size"][:, -1] / thin``.
    n_leapfrog : int
        Timesteps of a trajectory.
    mass : float
    jitter : float
        Each trajectory's timestep is drawn within this fraction of ``step_size``, so that no oscillation of the
        system can have the trajectories' period; 0 ≤ jitter < 1.
    target_acceptance : float or None
        What the step size is tuned to, chain by chain, in the first three quarters of the burn-in of ``run`` and never
        after them; None keeps ``step_size``.
    stream : {"ars7", "ars5", "philox10"}
    backend : {"cpp", "numba"}, optional

    Notes
    -----
    ``info`` has, summed over the steps, ``accepted``, ``acceptance`` (the probability, rounded to 2⁻²⁰) and
    ``step_size``. A chain's bits depend on (seed, chain, step) alone. Chains start from the system's lattice.

    References
    ----------
    Duane et al., Phys. Lett. B 195, 216 (1987), doi:10.1016/0370-2693(87)91197-X; Neal, Handbook of Markov Chain Monte
    Carlo (2011), ch. 5.
    """

    def __init__(
        self,
        system: Any,
        temperature: float | npt.ArrayLike,
        *,
        step_size: float | npt.ArrayLike = 0.01,
        n_leapfrog: int = 10,
        mass: float = 1.0,
        jitter: float = 0.1,
        target_acceptance: float | None = 0.8,
        stream: StreamName = "ars7",
        backend: BackendName | None = None,
    ) -> None:
        super().__init__(system, temperature, step_size, target_acceptance, stream=stream, backend=backend)
        check_integer("n_leapfrog", n_leapfrog)
        if n_leapfrog < 1:
            raise ValueError(f"n_leapfrog must be >= 1; got {n_leapfrog}")
        if not (np.isfinite(mass) and mass > 0):
            raise ValueError(f"mass must be finite and > 0; got {mass}")
        if not 0 <= jitter < 1:
            raise ValueError(f"jitter must be >= 0 and < 1; got {jitter}")
        self.n_leapfrog, self.mass, self.jitter = int(n_leapfrog), float(mass), float(jitter)
        self._longest_move = _LONGEST_MOVE * getattr(system, "sigma", np.inf)

    def describe(self) -> dict[str, Any]:
        """Return what ran, for provenance."""
        return {
            **super().describe(),
            "step_size": self.step_size.tolist(),
            "n_leapfrog": self.n_leapfrog,
            "mass": self.mass,
            "jitter": self.jitter,
            "target_acceptance": self.target_acceptance,
        }

    def state_from(self, draws: npt.ArrayLike) -> HamiltonianState:
        """Return the state of chains that start from given configurations (copied, wrapped into the box)."""
        positions = self.start_positions(draws)
        return self._state(positions, self._fresh_steps(len(positions)))

    def restore(self, arrays: Mapping[str, Array]) -> HamiltonianState:
        """Rebuild a state from its arrays."""
        steps = StepSizes(np.array(arrays["step_size"]), np.array(arrays["tuning"]))
        return self._state(np.array(arrays["positions"]), steps)

    def potential_energy(self, state: HamiltonianState, n_threads: int | None = None) -> Reals:
        """Return the energy of each chain, which the state has."""
        return state.at.energy

    def exchange(self, state: HamiltonianState, first: Integers, second: Integers) -> None:
        """Exchange configurations; step sizes stay with the temperatures."""
        swapped = [state.positions, state.at.energy, state.at.forces]
        for array in swapped if state.at.virial is None else [*swapped, state.at.virial]:
            array[first], array[second] = array[second], array[first]

    def step(
        self, key: Key, state: HamiltonianState, n_steps: int = 1, *, n_threads: int | None = None
    ) -> tuple[HamiltonianState, Info]:
        """Advance all chains by ``n_steps`` trajectories, in place."""
        if n_steps < 0:
            raise ValueError(f"n_steps must be >= 0; got {n_steps}")
        n_chains = len(state.positions)
        temperature = self.chain_temperatures(n_chains)
        longest = self._longest_step(np.sqrt(temperature / self.mass))
        mechanics = Mechanics(self.system, self.mass, n_threads, self.backend)
        accepted, sums = np.zeros(n_chains, dtype=np.int64), np.zeros((2, n_chains))
        for t in range(key.step, key.step + n_steps):
            acceptance, taken = self._update(key.at(t), state, temperature, mechanics)
            accepted += taken
            sums += np.array([acceptance, state.steps.current])
            if t in self._tuning:
                self._learn(state.steps, acceptance, longest, t)
        return state, {"accepted": accepted, "acceptance": sums[0], "step_size": sums[1]}

    def _update(self, key: Key, state: HamiltonianState, temperature: Reals, mechanics: Mechanics) -> tuple[Reals, Any]:
        """Take one trajectory; return acceptance probabilities, and which chains moved."""
        n_chains = len(temperature)
        uniform, spread = self.uniforms(key, n_chains)
        speed = np.sqrt(temperature / mechanics.mass)
        v = speed[:, None, None] * self.normals(key, n_chains, mechanics.n_threads)
        x, before = state.positions.copy(), kinetic_energy(v, mechanics.mass)
        timestep = self._timestep(state.steps.current, speed) * (1.0 + self.jitter * (2.0 * spread - 1.0))
        measured, diverged = mechanics.trajectory(x, v, state.at.forces.copy(), timestep, self.n_leapfrog)
        with np.errstate(over="ignore", invalid="ignore"):
            gain = kinetic_energy(v, mechanics.mass) - before + (measured.energy - state.at.energy)
            gain[diverged | np.isnan(gain)] = np.inf
            probability = np.exp(np.minimum(-gain / temperature, 0.0))
        taken = uniform < probability
        state.positions[taken] = x[taken]
        state.at.take(taken, measured)
        return on_grid(probability), taken

    def _state(self, positions: Reals, steps: StepSizes) -> HamiltonianState:
        return HamiltonianState(positions, steps, Mechanics(self.system, 1.0, backend=self.backend).measure(positions))

    def _timestep(self, step_size: Reals, speed: Reals) -> Reals:
        """Return each chain's timestep."""
        return step_size

    def _longest_step(self, speed: Reals) -> Reals:
        """Return the longest step sizes that the tuning may choose."""
        return self._longest_move / speed


class MALA(HMC):
    r"""The Metropolis-adjusted Langevin algorithm; one step is one proposal for all particles.

    .. math::
        x' = x + \tfrac{\epsilon^2}{2 T} F(x) + \epsilon\, \xi, \qquad
        P = \min\left(1, \frac{e^{-U(x')/T}\, q(x|x')}{e^{-U(x)/T}\, q(x'|x)}\right), \qquad
        q(y|x) \propto e^{-|y - x - \epsilon^2 F(x)/2T|^2/2\epsilon^2}

    which is :class:`HMC` of a single leapfrog step, of length ε (m/T)^½. Parameters are those of :class:`HMC`, but
    ``step_size`` is ε, a length, and there is no mass and no jitter.

    References
    ----------
    Roberts and Tweedie, Bernoulli 2, 341 (1996); Roberts and Rosenthal, J. R. Stat. Soc. B 60, 255 (1998), for the
    acceptance 0.574.
    """

    def __init__(
        self,
        system: Any,
        temperature: float | npt.ArrayLike,
        *,
        step_size: float | npt.ArrayLike = 0.01,
        target_acceptance: float | None = 0.574,
        stream: StreamName = "ars7",
        backend: BackendName | None = None,
    ) -> None:
        super().__init__(
            system, temperature, step_size=step_size, n_leapfrog=1, jitter=0.0, target_acceptance=target_acceptance,
            stream=stream, backend=backend,
        )  # fmt: skip

    def describe(self) -> dict[str, Any]:
        """Return what ran, for provenance."""
        trajectory = ("n_leapfrog", "mass", "jitter")
        return {name: value for name, value in super().describe().items() if name not in trajectory}

    def _timestep(self, step_size: Reals, speed: Reals) -> Reals:
        return step_size / speed

    def _longest_step(self, speed: Reals) -> Reals:
        return np.full_like(speed, self._longest_move)


def kinetic_energy(v: Reals, mass: float) -> Reals:
    """Return ½ m v² of each chain."""
    flat = v.reshape(len(v), -1)
    total: Reals = 0.5 * mass * np.einsum("ci,ci->c", flat, flat)
    return total
