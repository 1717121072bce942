# SPDX-License-Identifier: BSD-3-Clause
"""The masked sampler as a sampler of the package: independent draws with exact weights."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from spinodal import kernels
from spinodal.samplers.chains import Chains
from spinodal.samplers.protocol import Array, Info, Key
from spinodal.score.masked.model import MaskedIsing
from spinodal.score.threads import inference
from spinodal.systems.ising import IsingModel

_SITES_A_BLOCK, _LARGEST_BLOCK = 1 << 15, 128  # what is quick to evaluate at once


@dataclass
class WeightedSpins:
    """Spins of all chains, int8 (n_chains, L, L), and log[exp(−E/T)/q(s)] of each."""

    spins: Array
    log_weights: Array

    @property
    def draws(self) -> Array:
        """Configurations."""
        return self.spins

    def arrays(self) -> dict[str, Array]:
        """Return what a resume needs."""
        return {"spins": self.spins, "log_weights": self.log_weights}


class MaskedSampler(Chains):
    """Independent draws from a masked model, with importance weights exp(−E/T)/q(s), whose mean is Z.

    A step replaces every configuration by a new, independent one. Random numbers are those of a ``torch.Generator``
    for each block of chains, named by seed, step and block; blocks are evaluated whole, so that no bit depends on
    how chains are divided.

    Parameters
    ----------
    model : MaskedIsing
    system : IsingModel
        L × L with L a multiple of 4; J < 0 by the staggered spins, at h = 0 only.
    temperature : float or array of shape (n_chains,)
        In the unit of J. Outside the range the model was trained for, a warning; the weights stay exact.

    Raises
    ------
    ValueError
        If the model cannot take the lattice.
    """

    draws_independently = True

    def __init__(self, model: MaskedIsing, system: IsingModel, temperature: float | npt.ArrayLike) -> None:
        if len(set(system.shape)) != 1 or system.ndim != 2:
            raise ValueError(f"the masked sampler takes square lattices, L × L; got {system.shape}")
        if system.J < 0 and system.h != 0:
            raise ValueError(f"an antiferromagnet in a field has no masked sampler; got J = {system.J}, h = {system.h}")
        model.order(system.shape[0])
        super().__init__(temperature)
        self.model, self.system = model, system
        self._warn_outside()

    def _warn_outside(self) -> None:
        low, high = self.model.config.lowest_temperature, self.model.config.highest_temperature
        ratio = self.temperature / abs(self.system.J) if self.system.J else np.array(np.inf)
        outside = np.atleast_1d(ratio)[np.atleast_1d((ratio < low) | (ratio > high))]
        if self.system.J and outside.size:
            warnings.warn(
                f"T/J = {outside[0]:g} is outside {low:g} … {high:g}, where the model was trained: the weights are "
                "exact, but they may be uneven; look at their ESS",
                stacklevel=3,
            )

    @property
    def block(self) -> int:
        """Chains evaluated together."""
        return min(_LARGEST_BLOCK, max(4, _SITES_A_BLOCK // self.system.n_sites))

    def describe(self) -> dict[str, Any]:
        """Return what ran, for provenance."""
        return {
            "method": "MaskedSampler", "network": self.model.describe(), "weights": self.model.fingerprint(),
            "device": str(self.model.device), "torch": torch.__version__, "block": self.block,
        }  # fmt: skip

    def init(self, key: Key, n_chains: int) -> WeightedSpins:
        """Return fair spins with their weights, 2^N exp(−E/T): a proposal without a network."""
        temperature = self.chain_temperatures(n_chains)
        shape = (n_chains, *self.system.shape)
        spins = kernels.random_spins(shape, seed=key.seed, first_chain=key.first_chain, ndim=2)
        log_weights = self.system.n_sites * np.log(2.0) - self.system.energy(spins) / temperature
        return WeightedSpins(spins, log_weights)

    def restore(self, arrays: Mapping[str, Array]) -> WeightedSpins:
        """Rebuild a state from its arrays."""
        return WeightedSpins(np.array(arrays["spins"], np.int8), np.array(arrays["log_weights"], np.float64))

    def step(
        self, key: Key, state: WeightedSpins, n_steps: int = 1, *, n_threads: int | None = None
    ) -> tuple[WeightedSpins, Info]:
        """Replace all configurations: by those of the last of the ``n_steps`` steps, as none depends on another."""
        if n_steps < 1:
            return state, {}
        return self.propose(key.at(key.step + n_steps - 1), len(state.spins), n_threads), {}

    def propose(self, key: Key, n_chains: int, n_threads: int | None = None) -> WeightedSpins:
        """Return new draws of the chains ``key.first_chain …``."""
        temperature = self.chain_temperatures(n_chains)
        spins = np.empty((n_chains, *self.system.shape), dtype=np.int8)
        log_weights = np.empty(n_chains)
        first, last = key.first_chain, key.first_chain + n_chains
        with inference(n_threads):
            for number in range(first // self.block, -(-last // self.block)):
                start = number * self.block
                chains = np.arange(start, start + self.block)
                own = temperature[np.clip(chains - first, 0, n_chains - 1)]
                drawn, logs = self._block(key, number, own)
                inside = (chains >= first) & (chains < last)
                spins[chains[inside] - first] = drawn[inside]
                log_weights[chains[inside] - first] = logs[inside]
        return WeightedSpins(spins, log_weights)

    def log_weights(self, spins: Array, *, n_threads: int | None = None) -> Array:
        """Return log[exp(−E/T)/q(s)] of given configurations, by teacher forcing.

        Parameters
        ----------
        spins : int8 array, shape (n_chains, L, L)

        Returns
        -------
        float64 array, shape (n_chains,)
        """
        temperature = self.chain_temperatures(len(spins))
        flat = np.ascontiguousarray(spins * self._signs).reshape(len(spins), -1)
        logs = np.empty(len(spins))
        with inference(n_threads):
            for start in range(0, len(spins), self.block):
                some = np.clip(np.arange(start, start + self.block), 0, len(spins) - 1)
                coupling, field = self._reduced(temperature[some])
                given = torch.from_numpy(flat[some]).to(self.model.device).float()
                found = self.model.log_weights(given, coupling, field).cpu().numpy()
                logs[start : start + self.block] = found[: len(spins) - start]
        return logs

    def _block(self, key: Key, number: int, temperature: Array) -> tuple[Array, Array]:
        seed = np.random.SeedSequence([key.seed, key.step, number]).generate_state(1, np.uint64)[0] >> np.uint64(1)
        generator = torch.Generator().manual_seed(int(seed))
        uniform = torch.rand(self.block, self.system.n_sites, dtype=torch.float64, generator=generator)
        coupling, field = self._reduced(temperature)
        spins, logs = self.model.sample(uniform.to(self.model.device), coupling, field)
        drawn: Array = spins.cpu().numpy().astype(np.int8).reshape(-1, *self.system.shape)
        return drawn * self._signs, logs.cpu().numpy()

    def _reduced(self, temperature: Array) -> tuple[Any, Any]:
        """Return |J|/T and h/T, of shape (1,) if all are the same: the networks then see one condition."""
        if (temperature == temperature[0]).all():
            temperature = temperature[:1]
        on = torch.as_tensor(temperature, dtype=torch.float64, device=self.model.device)
        return abs(self.system.J) / on, self.system.h / on

    @property
    def _signs(self) -> Array:
        """What turns the draws of a ferromagnet into those of this system."""
        if self.system.J >= 0:
            return np.ones(self.system.shape, dtype=np.int8)
        staggered: Array = 1 - 2 * (np.indices(self.system.shape).sum(axis=0) % 2)
        return staggered.astype(np.int8)
