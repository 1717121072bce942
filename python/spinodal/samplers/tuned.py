# SPDX-License-Identifier: BSD-3-Clause
"""What the samplers of particles share whose steps are tuned to their acceptance."""

from __future__ import annotations

import copy
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from spinodal.backends.protocol import Reals
from spinodal.kernels.arguments import BackendName, StreamName
from spinodal.samplers.particles import ParticleSampler
from spinodal.samplers.tuning import StepSizes


class TunedSampler(ParticleSampler):
    """A sampler of particles with a step size a chain, tuned in the steps that ``run`` gives it and in no others.

    Parameters
    ----------
    system, temperature, stream, backend
        Of `ParticleSampler`.
    step_size : float or array of shape (n_chains,)
        Finite and > 0.
    target_acceptance : float or None
        In (0, 1); None keeps ``step_size``.
    """

    _step_name, _step_names = "step_size", "step sizes"

    def __init__(
        self,
        system: Any,
        temperature: float | npt.ArrayLike,
        step_size: float | npt.ArrayLike,
        target_acceptance: float | None,
        *,
        stream: StreamName,
        backend: BackendName | None,
    ) -> None:
        super().__init__(system, temperature, stream=stream, backend=backend)
        if target_acceptance is not None and not 0 < target_acceptance < 1:
            raise ValueError(f"target_acceptance must be > 0 and < 1, or None; got {target_acceptance}")
        self.step_size = _check_step_size(step_size, self._step_name)
        self.target_acceptance = target_acceptance
        self._tuning = range(0)

    def tuned_in(self, start: int, stop: int) -> Self:
        """Return the sampler that adapts its step sizes in the steps ``start`` ≤ step < ``stop`` and no others."""
        part = copy.copy(self)
        part._tuning = range(0) if self.target_acceptance is None else range(start, stop)
        return part

    def for_chains(self, start: int, stop: int) -> Self:
        """Return the sampler of chains ``start:stop`` alone."""
        part = super().for_chains(start, stop)
        if self.step_size.ndim == 1:
            part.step_size = self.step_size[start:stop]
        return part

    def _fresh_steps(self, n_chains: int) -> StepSizes:
        return StepSizes.starting_at(self._initial_step_sizes(n_chains))

    def _learn(self, steps: StepSizes, acceptance: Reals, longest: Reals | float, step: int) -> None:
        """Take in the acceptance probabilities of a step that is one of the tuning."""
        wanted = 1.0 if self.target_acceptance is None else self.target_acceptance
        steps.learn(
            acceptance, wanted, self._initial_step_sizes(len(acceptance)), longest, step - self._tuning.start + 1,
            is_last=step == self._tuning.stop - 1,
        )  # fmt: skip

    def _initial_step_sizes(self, n_chains: int) -> Reals:
        if self.step_size.ndim == 1 and len(self.step_size) != n_chains:
            raise ValueError(f"{len(self.step_size)} {self._step_names} were given for n_chains={n_chains}")
        return np.array(np.broadcast_to(self.step_size, (n_chains,)))


def _check_step_size(step_size: float | npt.ArrayLike, name: str) -> Reals:
    values = np.asarray(step_size, dtype=np.float64)
    if values.ndim > 1 or values.size == 0:
        raise ValueError(f"{name} must be a number or one a chain; got shape {values.shape}")
    wrong = values[~(np.isfinite(values) & (values > 0))]
    if wrong.size:
        raise ValueError(f"{name} must be finite and > 0; got {wrong.flat[0]}")
    return values
