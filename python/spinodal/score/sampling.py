# SPDX-License-Identifier: BSD-3-Clause
"""Reverse diffusion as a sampler of the package: independent draws, through ``run``, at any temperature."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from spinodal import kernels
from spinodal.samplers.chains import Chains
from spinodal.samplers.protocol import Array, Info, Key
from spinodal.score.denoisers import ConditionalDenoiser, Denoiser, as_known, known_spins
from spinodal.score.noise import ChainNoise
from spinodal.score.process import DiffusionProcess
from spinodal.score.schedules import LogLinear, Schedule
from spinodal.score.steppers import STEPPERS, Stepper, bernoulli_spins
from spinodal.score.threads import inference
from spinodal.systems.ising import IsingModel


@dataclass
class NeuralState:
    """The last draws of all chains, and their importance weights, if the sampler has any."""

    draws: Array
    log_weights: npt.NDArray[np.float64] | None = None

    def arrays(self) -> dict[str, Array]:
        """Return what a resume needs."""
        weights = {} if self.log_weights is None else {"log_weights": self.log_weights}
        return {"draws": self.draws, **weights}


@dataclass(frozen=True)
class Frame:
    """One moment of a trajectory, for animation.

    Attributes
    ----------
    t : float
        From 1, noise, to the schedule's ``t_min``.
    noise_level : float
        σ/α.
    x : float64 array, shape (n_chains, *shape)
        The noised configurations x_t; in the last frame the draws.
    """

    t: float
    noise_level: float
    x: Array


class NeuralSampler(Chains):
    """What samplers with a denoiser share: temperatures, batches of chains, states.

    Parameters
    ----------
    system : object
        With ``shape`` and ``energy(draws)``.
    denoiser : ConditionalDenoiser
    temperature : float or array of shape (n_chains,)
    schedule : Schedule, optional
        By default log-linear, ending at N · SNR = 0.01.
    n_steps : int
    spacing : {"log_snr", "time"}
        In what the steps are even.
    batch_size : int
        Chains that the denoiser sees at once.
    """

    def __init__(
        self,
        system: Any,
        denoiser: ConditionalDenoiser,
        temperature: npt.ArrayLike,
        *,
        schedule: Schedule | None = None,
        n_steps: int = 64,
        spacing: Literal["log_snr", "time"] = "log_snr",
        batch_size: int = 256,
    ) -> None:
        if batch_size < 1:
            raise ValueError(f"batch_size must be >= 1; got {batch_size}")
        super().__init__(temperature)
        self.system, self.denoiser = system, denoiser
        self.shape: tuple[int, ...] = tuple(system.shape)
        self.schedule = LogLinear.for_size(math.prod(self.shape)) if schedule is None else schedule
        self.times = self.schedule.times(n_steps, spacing)
        self.spacing, self.batch_size = spacing, batch_size
        self.device = getattr(denoiser, "device", torch.device("cpu"))

    @property
    def spins(self) -> bool:
        """Whether draws are spins ±1."""
        return isinstance(self.system, IsingModel)

    @property
    def n_steps(self) -> int:
        """Steps from noise to a draw."""
        return len(self.times) - 1

    def describe(self) -> dict[str, Any]:
        """Return what ran, for provenance."""
        return {
            "method": type(self).__name__,
            "denoiser": self.denoiser.describe(),
            "schedule": self.schedule.describe(),
            "n_steps": self.n_steps,
            "spacing": self.spacing,
            "stream": "ars7",
            "device": str(self.device),
        }

    def init(self, key: Key, n_chains: int) -> NeuralState:
        """Return random spins, or zeros."""
        self.chain_temperatures(n_chains)
        shape = (n_chains, *self.shape)
        if not self.spins:
            return NeuralState(np.zeros(shape))
        ndim = len(self.shape)
        return NeuralState(kernels.random_spins(shape, seed=key.seed, first_chain=key.first_chain, ndim=ndim))

    def restore(self, arrays: Mapping[str, Array]) -> NeuralState:
        """Rebuild a state from its arrays."""
        return NeuralState(arrays["draws"], arrays.get("log_weights"))

    def _batches(self, key: Key, n_chains: int) -> Iterator[tuple[slice, ChainNoise, npt.NDArray[np.float64]]]:
        """Yield the chains of each batch, their noise and their temperatures."""
        temperatures = self.chain_temperatures(n_chains)
        for start in range(0, n_chains, self.batch_size):
            index = slice(start, min(start + self.batch_size, n_chains))
            shape = (index.stop - start, *self.shape)
            own = Key(key.seed, key.step, key.first_chain + start)
            yield index, ChainNoise(own, shape, self.device), temperatures[index]

    def _as_draws(self, x: Tensor) -> Array:
        array = x.cpu().numpy()
        return array.astype(np.int8) if self.spins else array


def check_n_steps(n_steps: int) -> int:
    """Return a number of elementary steps, checked."""
    if n_steps < 0:
        raise ValueError(f"n_steps must be >= 0; got {n_steps}")
    return n_steps


class DiffusionSampler(NeuralSampler):
    """Draws by reverse diffusion: raw, as good as denoiser and steps are; `spinodal.score.paths` has exact ones.

    Every elementary step is a new draw, independent of the last, so steps between draws cost nothing. Noise belongs to
    the chain and the step: cutting a run changes draws only as far as the network's rounding depends on the batch.
    Spins end with a Bernoulli draw from their probabilities at ``t_min``; other systems with the mean there.

    Parameters
    ----------
    system : object
        With ``shape`` and ``energy(draws)``.
    denoiser : ConditionalDenoiser
        Of this system: a trained network, or an exact one.
    temperature : float or array of shape (n_chains,)
    method : str
        "mixture" (of spins), "ancestral", "euler_maruyama", "predictor_corrector", "ddim", "heun", "dpm_solver_2m" or
        "adaptive"; the steppers of `spinodal.score.steppers`.
    options : mapping, optional
        The stepper's: ``{"eta": 0.5}``.
    known, values : array of bool, array of numbers, shape (*shape), optional
        Sites whose values are given: the others are drawn from the law given these. Needs a denoiser that can.
    **common
        ``schedule``, ``n_steps``, ``spacing``, ``batch_size`` of :class:`NeuralSampler`.
    """

    def __init__(
        self,
        system: Any,
        denoiser: ConditionalDenoiser,
        temperature: npt.ArrayLike,
        *,
        method: str | None = None,
        options: Mapping[str, Any] | None = None,
        known: npt.ArrayLike | None = None,
        values: npt.ArrayLike | None = None,
        **common: Any,
    ) -> None:
        super().__init__(system, denoiser, temperature, **common)
        self.method = ("mixture" if self.spins else "ancestral") if method is None else method
        if self.method not in STEPPERS:
            raise ValueError(f"method={method!r} is unknown; choose one of: {', '.join(STEPPERS)}")
        if self.method == "mixture" and not self.spins:
            raise ValueError("method='mixture' is of spins ±1; take 'ancestral' for this system")
        self.options = dict(options or {})
        if (known is None) != (values is None):
            raise ValueError("known sites need both: known, a mask, and values")
        self.known = None if known is None else _checked_known(self, known, values)
        self._bound(self.chain_temperatures(max(1, self.temperature.size)))  # a mistake is told now, not in the run

    def describe(self) -> dict[str, Any]:
        """Return what ran, for provenance."""
        known = {} if self.known is None else {"n_known": int(self.known[0].sum())}
        per_draw = {"evaluations_per_draw": self.n_evaluations} if self.n_evaluations else {}
        return {**super().describe(), "integrator": self.method, "options": self.options, **per_draw, **known}

    @property
    def n_evaluations(self) -> int:
        """The denoiser's evaluations for a draw; 0 if that depends on the draw."""
        stepper = self._stepper(DiffusionProcess(self.schedule, _nothing), ChainNoise(Key(0), (1, 1)))
        return stepper.n_evaluations_per_step * self.n_steps + (stepper.n_evaluations_per_step > 0)

    def step(
        self, key: Key, state: NeuralState, n_steps: int = 1, *, n_threads: int | None = None
    ) -> tuple[NeuralState, Info]:
        """Draw every chain anew: the draw of the last of ``n_steps`` steps."""
        if not check_n_steps(n_steps):
            return state, {}
        n_chains = len(state.draws)
        draws = np.empty((n_chains, *self.shape), np.int8 if self.spins else np.float64)
        with inference(n_threads):
            for index, noise, temperature in self._batches(key.at(key.step + n_steps - 1), n_chains):
                *_, last = self._frames(noise, temperature)
                draws[index] = self._as_draws(last[1])
        return NeuralState(draws), {}

    def trajectory(self, n_chains: int = 1, *, seed: int = 0, step: int = 0) -> Iterator[Frame]:
        """Yield x_t from noise to the draws that a run of this seed has at this step, one frame a step and the draws.

        Parameters
        ----------
        n_chains : int
            At most ``batch_size``.
        seed, step : int
        """
        if n_chains > self.batch_size:
            raise ValueError(f"a trajectory has at most batch_size={self.batch_size} chains; got {n_chains}")
        (_, noise, temperature), *_ = self._batches(Key(seed, step), n_chains)
        frames = self._frames(noise, temperature)
        while True:
            with inference(None):
                frame = next(frames, None)
            if frame is None:
                return
            t, x = frame
            yield Frame(float(t), float(self.schedule.noise_level(t)), x.cpu().numpy())

    def _frames(self, noise: ChainNoise, temperature: npt.NDArray[np.float64]) -> Iterator[tuple[Tensor, Tensor]]:
        process = DiffusionProcess(self.schedule, self._bound(temperature))
        stepper = self._stepper(process, noise)
        x = process.start(noise())
        yield self.times[0], x
        for t, s in pairwise(self.times):
            x = stepper.step(x, t, s)
            yield s, x
        mean = process.denoise(x, s)
        yield s, self._with_known(bernoulli_spins(mean, noise) if self.spins else mean)

    def _stepper(self, process: DiffusionProcess, noise: ChainNoise) -> Stepper:
        return STEPPERS[self.method](process, noise, **self.options)

    def _bound(self, temperature: npt.NDArray[np.float64]) -> Denoiser:
        denoiser = self.denoiser.at(temperature)
        if self.known is None:
            return denoiser
        if not hasattr(denoiser, "given"):
            raise TypeError(f"{type(self.denoiser).__name__} cannot take known sites: it has no given()")
        return denoiser.given(*self.known)

    def _with_known(self, x: Tensor) -> Tensor:
        return x if self.known is None else torch.where(self.known[0].to(x.device), self.known[1].to(x), x)


def _checked_known(sampler: NeuralSampler, known: Any, values: Any) -> tuple[Tensor, Tensor]:
    return (known_spins if sampler.spins else as_known)(np.asarray(known), np.asarray(values), sampler.shape)


def _nothing(y: Tensor, sigma: Tensor) -> Tensor:
    return y
