# SPDX-License-Identifier: BSD-3-Clause
r"""Exact averages from the diffusion of spins, with any network: weights of paths, and Metropolis moves of paths.

In the space of paths the target is exp(-E(s)/T) q(x_1 … x_K | s), whose marginal is Boltzmann's law. A path drawn by
the network has the weight

    log w = -E(s)/T + log q(x_1 … x_K | s)/p(x_1 … x_K, s),        E[w] = Z                    (1)

and the divergence of paths, log Z - E[log w], says how much is lost. A part of a path makes a Metropolis move: noise s
to level k by q; denoise x_k by p to s'; accept with

    min(1, W'/W),   log W = -E(s)/T + log q(x_k | s) + log q(x_1 … x_k-1 | x_k, s)/p(x_1 … x_k-1, s | x_k)   (2)

which needs the old path's probability too: 2k - 1 evaluations of the network. Bad networks are accepted rarely, not
wrongly.

References
----------
Nicoli et al. (2020), arXiv:1910.13496, for (1). Metropolis moves in the space of diffusion paths: Hastings (1970),
doi:10.1093/biomet/57.1.97, with the path given the spins as an auxiliary variable.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from spinodal.samplers.lattice import SpinSampler, SpinState, Start
from spinodal.samplers.protocol import Array, Info, Key
from spinodal.score.denoisers import ConditionalDenoiser, known_spins, per_chain
from spinodal.score.noise import ChainNoise
from spinodal.score.paths import SpinPaths
from spinodal.score.sampling import NeuralSampler, NeuralState, check_n_steps
from spinodal.score.threads import inference
from spinodal.systems.ising import IsingModel


class WeightedDiffusion(NeuralSampler):
    """Independent draws by reverse diffusion, with the weights (1): their mean is Z, weighted averages are exact.

    Every elementary step is a new draw, so steps between draws cost nothing.

    Parameters
    ----------
    system : IsingModel
    denoiser : ConditionalDenoiser
        Of spins: with ``field``.
    temperature : float or array of shape (n_chains,)
    **common
        ``schedule``, ``n_steps``, ``spacing``, ``batch_size`` of `NeuralSampler`.
    """

    def __init__(
        self, system: IsingModel, denoiser: ConditionalDenoiser, temperature: npt.ArrayLike, **common: Any
    ) -> None:
        super().__init__(system, denoiser, temperature, **common)
        _check_spins(system, denoiser)

    def describe(self) -> dict[str, Any]:
        """Return what ran, for provenance."""
        return {**super().describe(), "evaluations_per_draw": self.n_steps + 1}

    def step(
        self, key: Key, state: NeuralState, n_steps: int = 1, *, n_threads: int | None = None
    ) -> tuple[NeuralState, Info]:
        """Draw every chain anew: the draw of the last of ``n_steps`` steps, and its weight."""
        if not check_n_steps(n_steps):
            return state, {}
        draws, logs = np.empty(state.draws.shape, np.int8), np.empty(len(state.draws))
        with inference(n_threads):
            for index, noise, temperature in self._batches(key.at(key.step + n_steps - 1), len(draws)):
                spins, ratio = self._draw(noise, temperature)
                draws[index] = self._as_draws(spins)
                logs[index] = ratio.cpu().numpy() - self.system.energy(draws[index], n_threads=1) / temperature
        return NeuralState(draws, logs), {}

    def _draw(self, noise: ChainNoise, temperature: npt.NDArray[np.float64]) -> tuple[Tensor, Tensor]:
        paths = SpinPaths(self.schedule, self.denoiser.at(temperature), self.times)  # type: ignore[arg-type]
        free = _free_field(self.system, temperature, noise)
        x, _ = paths.start(free, noise)
        spins, ratio = paths.denoised(x, noise)
        return spins, ratio + paths.log_start_ratio(x, spins, free)


class PartialPathMetropolis(NeuralSampler):
    """Metropolis moves that noise a configuration to some level and denoise it, exact with any network.

    The state is that of the compiled samplers of spins, so that a `MixedSampler` or an `AlternatingSampler` takes it.
    ``info`` has ``n_accepted``, ``n_proposed`` and ``n_evaluations``, of the network.

    Parameters
    ----------
    system : IsingModel
    denoiser : ConditionalDenoiser
        Of spins: with ``field``.
    temperature : float or array of shape (n_chains,)
    n_levels : int, optional
        How many of the ``n_steps + 1`` noise levels a move climbs, all by default: after few it is accepted more often,
        and changes less.
    start : {"auto", "hot", "cold"}
        As that of the compiled samplers.
    known, values : array of bool, array of ±1, shape (*shape), optional
        Spins that are given, and never change: the others follow the law given these.
    **common
        ``schedule``, ``n_steps``, ``spacing``, ``batch_size`` of `NeuralSampler`.
    """

    def __init__(
        self,
        system: IsingModel,
        denoiser: ConditionalDenoiser,
        temperature: npt.ArrayLike,
        *,
        n_levels: int | None = None,
        start: Start = "auto",
        known: npt.ArrayLike | None = None,
        values: npt.ArrayLike | None = None,
        **common: Any,
    ) -> None:
        super().__init__(system, denoiser, temperature, **common)
        _check_spins(system, denoiser)
        self.n_levels = len(self.times) if n_levels is None else n_levels
        if not 1 <= self.n_levels <= len(self.times):
            raise ValueError(f"n_levels must be in 1 … n_steps + 1 = {len(self.times)}; got {n_levels}")
        if (known is None) != (values is None):
            raise ValueError("known sites need both: known, a mask, and values")
        self.known = None if known is None else known_spins(np.asarray(known), np.asarray(values), self.shape)
        self.start = start
        SpinSampler(system, 1.0, start=start)  # a mistake in start is told now

    def describe(self) -> dict[str, Any]:
        """Return what ran, for provenance."""
        n_known = 0 if self.known is None else int(self.known[0].sum())
        return {**super().describe(), "n_levels": self.n_levels, "start": self.start, "n_known": n_known}

    def init(self, key: Key, n_chains: int) -> SpinState:  # type: ignore[override]
        """Return hot or cold chains, after ``start``, with the known spins in place."""
        start = SpinSampler(self.system, self.chain_temperatures(n_chains), start=self.start)
        return self._with_known(start.init(key, n_chains))

    def state_from(self, draws: npt.ArrayLike) -> SpinState:
        """Return the state of chains that start from given configurations (copied), with the known spins in place."""
        return self._with_known(SpinSampler(self.system, 1.0).state_from(draws))

    def restore(self, arrays: Mapping[str, Array]) -> SpinState:  # type: ignore[override]
        """Rebuild a state from its arrays."""
        return self.state_from(arrays["spins"])

    def step(
        self, key: Key, state: SpinState, n_steps: int = 1, *, n_threads: int | None = None
    ) -> tuple[SpinState, Info]:
        """Propose ``n_steps`` moves of every chain, in place."""
        accepted = np.zeros(len(state.spins), np.int64)
        with inference(n_threads):
            for i in range(check_n_steps(n_steps)):
                for index, noise, temperature in self._batches(key.at(key.step + i), len(accepted)):
                    accepted[index] += self._move(state.spins[index], noise, temperature)
        state.measured = None
        proposed = np.full(len(accepted), n_steps, np.int64)
        # One evaluation for each level of the old path and of the new; the noisiest x, and what it costs, they share.
        evaluations = proposed * (2 * self.n_levels - 1)
        return state, {"n_accepted": accepted, "n_proposed": proposed, "n_evaluations": evaluations}

    def _move(self, spins: Array, noise: ChainNoise, temperature: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        """Propose one move of some chains, in place; return which were accepted."""
        known = None if self.known is None else self.known[0].to(self.device)
        denoiser = self.denoiser.at(temperature)
        paths = SpinPaths(self.schedule, denoiser, self.times[-self.n_levels :], known)  # type: ignore[arg-type]
        old = torch.from_numpy(spins.astype(np.float64)).to(self.device)
        path = paths.noised(old, noise)
        first = paths.field(path[0], paths.times[0])
        new, new_ratio = paths.denoised(path[0], noise, old, first)
        change = new_ratio - paths.log_ratio(path, old, first) + self._change_of_start(paths, path[0], new - old)
        drawn = self._as_draws(new)
        energies = (self.system.energy(configuration, n_threads=1) for configuration in (spins, drawn))
        gain = np.subtract(*energies) / temperature + change.cpu().numpy()
        accepted = np.log(noise.uniform().flatten(1)[:, 0].cpu().numpy()) < gain
        spins[accepted] = drawn[accepted]
        return np.asarray(accepted)

    def _change_of_start(self, paths: SpinPaths, x: Tensor, change: Tensor) -> Tensor:
        """Return log q(x_k | s')/q(x_k | s) = Σ α x (s' - s)/σ²."""
        alpha, sigma = (per_chain(f(paths.times[0]), x) for f in (self.schedule.alpha, self.schedule.sigma))
        return (alpha / sigma**2 * x * change).flatten(1).sum(1)

    def _with_known(self, state: SpinState) -> SpinState:
        if self.known is not None:
            mask, values = (tensor.numpy() for tensor in self.known)
            state.spins[:, mask] = values[mask].astype(np.int8)
        return state


def _check_spins(system: Any, denoiser: Any) -> None:
    if not isinstance(system, IsingModel):
        raise TypeError(f"paths of spins need an IsingModel; got {type(system).__name__}")
    if not hasattr(denoiser.at(1.0), "field"):
        raise TypeError(f"{type(denoiser).__name__} is no denoiser of spins: what its at() returns has no field()")


def _free_field(system: IsingModel, temperature: npt.NDArray[np.float64], noise: ChainNoise) -> Tensor:
    """Return h/T at every site."""
    like = torch.zeros(noise.shape, dtype=torch.float64, device=noise.device)
    return like + per_chain(system.h / torch.from_numpy(temperature), like)
