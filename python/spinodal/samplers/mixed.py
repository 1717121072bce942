# SPDX-License-Identifier: BSD-3-Clause
"""One run, several methods: each temperature is sampled by what decorrelates fastest there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from spinodal.backends.protocol import Spins
from spinodal.samplers.auto import sampler
from spinodal.samplers.lattice import ChainSampler, SpinState
from spinodal.samplers.metropolis import Metropolis
from spinodal.samplers.protocol import Array, Info, Key

LOCAL_SWEEPS_PER_STEP = 16  # packed local sweeps are that much cheaper than cluster sweeps, and more


@dataclass(frozen=True)
class Part:
    """Consecutive chains ``start:stop`` that one sampler moves, ``updates_per_step`` updates a step."""

    sampler: ChainSampler
    start: int
    stop: int
    updates_per_step: int

    def clip(self, start: int, stop: int) -> Part | None:
        """Return what is left of the part in the chains ``start:stop``, counted from ``start``."""
        low, high = max(self.start, start), min(self.stop, stop)
        if low >= high:
            return None
        inner = self.sampler.for_chains(low - self.start, high - self.start)
        return Part(inner, low - start, high - start, self.updates_per_step)


class MixedSampler:
    """A sampler whose chains are moved by different samplers of one system.

    The chains do not interact, so each part is exact by itself. Diagnostics are those of the one method, if it is one.

    Parameters
    ----------
    parts : sequence of Part
        Without gaps, from chain 0 on; samplers with one temperature a chain.

    Raises
    ------
    ValueError
        If there is no part, or the parts leave gaps.
    """

    chain_group = 1

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = tuple(parts)
        bounds = [0, *(part.stop for part in self.parts)]
        if not self.parts or [part.start for part in self.parts] != bounds[:-1]:
            raise ValueError(f"parts must cover the chains from 0 on without gaps; got {bounds}")
        self.system = self.parts[0].sampler.system
        self.n_chains = bounds[-1]
        self._one_method = len({type(part.sampler) for part in self.parts}) == 1

    @classmethod
    def by_temperature(cls, model: Any, temperature: npt.ArrayLike, **options: Any) -> Self:
        """Choose a method for each of the chains' temperatures, as ``spinodal.sampler(…, method="auto")`` does.

        Parameters
        ----------
        model : IsingModel
        temperature : array, shape (n_chains,)
            Equal methods on consecutive chains become one part.
        **options
            Passed to the samplers: ``stream``, ``backend``.
        """
        chains = np.asarray(temperature, dtype=np.float64)
        kinds = {float(t): type(sampler(model, float(t), **options)) for t in np.unique(chains)}
        parts, start = [], 0
        for kind, group in groupby(kinds[float(t)] for t in chains):
            stop = start + sum(1 for _ in group)
            updates = LOCAL_SWEEPS_PER_STEP if issubclass(kind, Metropolis) else 1
            parts.append(Part(kind(model, chains[start:stop], **options), start, stop, updates))
            start = stop
        return cls(parts)

    def chain_temperatures(self, n_chains: int) -> npt.NDArray[np.float64]:
        """Return the temperature of each chain."""
        if n_chains != self.n_chains:
            raise ValueError(f"the parts have {self.n_chains} chains; n_chains={n_chains} were asked for")
        return np.concatenate([part.sampler.chain_temperatures(part.stop - part.start) for part in self.parts])

    def for_chains(self, start: int, stop: int) -> MixedSampler:
        """Return the sampler of chains ``start:stop`` alone."""
        some = MixedSampler([part for whole in self.parts if (part := whole.clip(start, stop)) is not None])
        some._one_method = self._one_method  # a worker tells what the run records, and no more
        return some

    def settled(self, n_chains: int, first_chain: int = 0) -> MixedSampler:
        """Return the sampler with each part's layout chosen."""
        self.chain_temperatures(n_chains)
        settled = [
            replace(part, sampler=part.sampler.settled(part.stop - part.start, first_chain + part.start))
            for part in self.parts
        ]
        return MixedSampler(settled)

    def describe(self) -> dict[str, Any]:
        """Return what ran, for provenance."""
        described = [part.sampler.describe() for part in self.parts]
        shared = {key: value for key, value in described[0].items() if all(d.get(key) == value for d in described)}
        parts = [
            {"chains": [part.start, part.stop], "updates_per_step": part.updates_per_step}
            | {key: value for key, value in own.items() if key not in shared}
            for part, own in zip(self.parts, described, strict=True)
        ]
        return {"method": "MixedSampler", **shared, "parts": parts} if len(parts) > 1 else {**shared, **parts[0]}

    def init(self, key: Key, n_chains: int) -> SpinState:
        """Return the start of every part's sampler."""
        self.chain_temperatures(n_chains)
        starts = [part.sampler.init(_key_of(key, part), part.stop - part.start) for part in self.parts]
        return SpinState(np.concatenate([start.spins for start in starts]))

    def state_from(self, draws: npt.ArrayLike) -> SpinState:
        """Return the state of chains that start from given configurations (copied)."""
        return self.parts[0].sampler.state_from(draws)

    def restore(self, arrays: Mapping[str, Array]) -> SpinState:
        """Rebuild a state from its arrays."""
        return self.parts[0].sampler.restore(arrays)

    def step(
        self, key: Key, state: SpinState, n_steps: int = 1, *, n_threads: int | None = None
    ) -> tuple[SpinState, Info]:
        """Advance all chains by ``n_steps`` steps, in place."""
        infos: list[Info] = []
        views: list[SpinState] = []
        for part in self.parts:
            own = _key_of(key, part).at(key.step * part.updates_per_step)
            view = SpinState(state.spins[part.start : part.stop])
            infos.append(part.sampler.step(own, view, n_steps * part.updates_per_step, n_threads=n_threads)[1])
            views.append(view)
        state.measured = self._measured(views, n_threads)
        if not self._one_method:
            return state, {}
        return state, {name: np.concatenate([info[name] for info in infos]) for name in infos[0]}

    def _measured(self, views: Sequence[SpinState], n_threads: int | None) -> Mapping[str, Array] | None:
        """Join what the parts' kernels have measured; the rest is measured here, if there is any such part."""
        if all(view.measured is None for view in views):
            return None
        found = [self._measure(view.spins, n_threads) if view.measured is None else view.measured for view in views]
        return {name: np.concatenate([part[name] for part in found]) for name in ("energy", "magnetization")}

    def _measure(self, spins: Spins, n_threads: int | None) -> Mapping[str, Array]:
        system = self.system
        return {
            "energy": system.energy(spins, n_threads=n_threads),
            "magnetization": system.magnetization(spins, n_threads=n_threads),
        }


def _key_of(key: Key, part: Part) -> Key:
    return Key(key.seed, key.step, key.first_chain + part.start)
