# SPDX-License-Identifier: BSD-3-Clause
"""Where training data come from: a compiled sampler that runs along, or draws that exist already.

A source gives the batch of each step of training, whole, for all processes alike; each takes its share.
"""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from spinodal.samplers.protocol import Array, Key, Sampler, State
from spinodal.samples import Samples, load

Batch = tuple[Array, npt.NDArray[np.float64]]
_HELD_OUT_SEED = 0x5EED  # added to the source's: other chains than those trained on


class Source(Protocol):
    """Configurations (batch_size, …) with their temperatures (batch_size,)."""

    @property
    def batch_size(self) -> int:
        """Configurations in a batch."""
        ...

    def next_batch(self) -> Batch:
        """Return the next batch."""
        ...

    def held_out(self) -> Batch:
        """Return a batch that is not trained on, always the same."""
        ...

    def arrays(self) -> dict[str, Array]:
        """Return what a bit-exact resume needs."""
        ...

    def restore(self, arrays: Mapping[str, Array]) -> None:
        """Go on from these arrays."""
        ...

    def describe(self) -> dict[str, Any]:
        """Return what the data are, for provenance."""
        ...


class SamplerSource:
    """Fresh draws of a sampler's chains, streamed while training: no configuration is seen twice.

    Parameters
    ----------
    sampler : Sampler
        One temperature a chain, or one for all.
    n_chains : int
        The batch.
    burn_in : int
        Steps before the first batch.
    thin : int
        Steps from one batch to the next.
    seed : int
    n_threads : int, optional
    """

    def __init__(
        self,
        sampler: Sampler,
        n_chains: int,
        *,
        burn_in: int = 200,
        thin: int = 1,
        seed: int = 0,
        n_threads: int | None = None,
    ) -> None:
        for name, value, low in (("burn_in", burn_in, 0), ("thin", thin, 1)):
            if value < low:
                raise ValueError(f"{name} must be >= {low}; got {value}")
        self._temperature = sampler.chain_temperatures(n_chains)
        self.sampler = sampler.settled(n_chains)
        self.burn_in, self.thin, self.seed, self.n_threads = burn_in, thin, seed, n_threads
        self._step = 0
        self._state: State | None = None
        self._held_out: Batch | None = None

    @property
    def batch_size(self) -> int:
        """Number of chains."""
        return len(self._temperature)

    def next_batch(self) -> Batch:
        """Return the chains' next configurations."""
        if self._state is None:
            self._state = self._burnt_in(self.seed)
            self._step = self.burn_in
        key = Key(self.seed, self._step)
        self._state, _ = self.sampler.step(key, self._state, self.thin, n_threads=self.n_threads)
        self._step += self.thin
        return self._state.draws.copy(), self._temperature

    def held_out(self) -> Batch:
        """Return configurations of chains with another seed."""
        if self._held_out is None:
            seed = (self.seed + _HELD_OUT_SEED) % 2**64
            self._held_out = self._burnt_in(seed).draws.copy(), self._temperature
        return self._held_out

    def _burnt_in(self, seed: int) -> State:
        state = self.sampler.init(Key(seed), self.batch_size)
        return self.sampler.step(Key(seed), state, self.burn_in, n_threads=self.n_threads)[0]

    def arrays(self) -> dict[str, Array]:
        """Return the chains' state and their step."""
        state = {} if self._state is None else self._state.arrays()
        return {"step": np.array(self._step), **{f"state/{name}": array for name, array in state.items()}}

    def restore(self, arrays: Mapping[str, Array]) -> None:
        """Go on from these arrays."""
        state = {name.removeprefix("state/"): a.copy() for name, a in arrays.items() if name.startswith("state/")}
        self._step = int(arrays["step"])
        self._state = self.sampler.restore(state) if state else None

    def describe(self) -> dict[str, Any]:
        """Return what runs."""
        from spinodal.samplers.running.provenance import describe_system

        return {
            "kind": "SamplerSource",
            "system": describe_system(self.sampler.system),
            "sampler": {k: v for k, v in self.sampler.describe().items() if k != "instruction_set"},
            "temperatures": [float(self._temperature.min()), float(self._temperature.max())],
            **{name: getattr(self, name) for name in ("batch_size", "burn_in", "thin", "seed")},
        }


class DrawsSource:
    """Draws that exist already, in random order without repetition within a pass; a tenth is held out.

    Parameters
    ----------
    samples : Samples or path-like
        With draws; a file of `run`.
    batch_size : int
    seed : int
    """

    def __init__(self, samples: Samples | str | PathLike[str], batch_size: int = 256, *, seed: int = 0) -> None:
        loaded = samples if isinstance(samples, Samples) else load(samples)
        if loaded.draws is None or loaded.n_kept == 0:
            raise ValueError("the samples have no draws to train on: run with keep_draws=True")
        if loaded.log_weights is not None:
            raise ValueError("the samples have weights: draw from them by their weights first")
        self._draws = np.asarray(loaded.draws).reshape(-1, *loaded.draws.shape[2:])
        self._temperature = np.repeat(loaded.temperature, loaded.n_kept)
        self._provenance = {name: loaded.provenance.get(name) for name in ("system", "sampler", "seed", "n_steps")}
        self._n_held_out = max(1, len(self._draws) // 10)
        n_train = len(self._draws) - self._n_held_out
        if not 1 <= batch_size <= n_train:
            raise ValueError(f"batch_size must be in 1 … {n_train}, the draws to train on; got {batch_size}")
        self._size, self.seed, self._n_batches = batch_size, seed, 0
        self._order = np.random.default_rng([seed, 0]).permutation(len(self._draws))

    @property
    def batch_size(self) -> int:
        """Configurations in a batch."""
        return self._size

    def next_batch(self) -> Batch:
        """Return the next batch of this pass; a last, smaller one is left out."""
        train = self._order[self._n_held_out :]
        per_pass = len(train) // self._size
        number, index = divmod(self._n_batches, per_pass)
        order = np.random.default_rng([self.seed, 1, number]).permutation(train)
        self._n_batches += 1
        return self._take(order[index * self._size : (index + 1) * self._size])

    def held_out(self) -> Batch:
        """Return the tenth that is not trained on, at most a batch of it."""
        return self._take(self._order[: min(self._n_held_out, self._size)])

    def _take(self, index: npt.NDArray[np.int64]) -> Batch:
        return self._draws[index], self._temperature[index]

    def arrays(self) -> dict[str, Array]:
        """Return the number of batches given."""
        return {"n_batches": np.array(self._n_batches)}

    def restore(self, arrays: Mapping[str, Array]) -> None:
        """Go on from these arrays."""
        self._n_batches = int(arrays["n_batches"])

    def describe(self) -> dict[str, Any]:
        """Return what the draws are."""
        return {"kind": "DrawsSource", "batch_size": self._size, "seed": self.seed, "samples": self._provenance}
