# SPDX-License-Identifier: BSD-3-Clause
"""What every sampler is, classical or neural: a Markov kernel with named randomness."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Info = Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class Key:
    """Names the random numbers of one step; it holds no state.

    The numbers a chain sees depend on ``(seed, first_chain + chain, step)`` alone, so a run
    may be cut into calls, chunks of chains and threads in any way and keeps its bits, once the sampler is settled.

    Parameters
    ----------
    seed : int
        0 ≤ seed < 2⁶⁴.
    step : int
        Index of the first elementary step (a sweep, a cluster update), 0 ≤ step < 2⁴⁰.
    first_chain : int
        Global index of the state's first chain.
    """

    seed: int
    step: int = 0
    first_chain: int = 0

    def at(self, step: int) -> Key:
        """Return the key of another step of the same chains."""
        return replace(self, step=step)


@runtime_checkable
class State(Protocol):
    """The state of all chains of a sampler; what a checkpoint stores.

    A state may offer more, each of it valid for the current configurations; None is as good as nothing.

    ``packed_draws`` : PackedSpins of shape (n_chains, *lattice)
        The spins as bits, where the kernel has them so: ``run`` then records these.
    ``measured`` : mapping of str to array of shape (n_chains,)
        "energy" and "magnetization" (total), or "virial", as the kernel has summed them: ``run`` then does not measure
        again.
    ``log_weights`` : float64 array, shape (n_chains,)
        Importance weights.

    With the first two, ``run`` never asks for ``draws``, so that a state may make that array on demand.
    """

    @property
    def draws(self) -> Array:
        """Current configurations, shape (n_chains, …)."""
        ...

    def arrays(self) -> dict[str, Array]:
        """Return every array a bit-exact resume needs, by name."""
        ...


class Sampler(Protocol):
    """A Markov kernel over the states of a system.

    ``step`` may reuse the buffers of the state it is given: the old state is consumed.
    ``step(key, state, n_steps=a + b)`` gives the bits of ``step(key, state, n_steps=a)``
    followed by ``step(key.at(key.step + a), …, n_steps=b)``.

    A sampler that adapts itself offers ``tuned_in(start, stop)``, see `spinodal.samplers.tuning.Tunable`: it adapts in
    the steps that ``run`` gives it, the first three quarters of the burn-in, and in no others.
    """

    @property
    def system(self) -> Any:
        """The system that is sampled: it has ``energy(draws)``."""
        ...

    @property
    def chain_group(self) -> int:
        """Chains that cannot be separated (the ladder length of parallel tempering), else 1."""
        ...

    def chain_temperatures(self, n_chains: int) -> npt.NDArray[np.float64]:
        """Return the temperature of each chain, shape (n_chains,); validates ``n_chains``."""
        ...

    def settled(self, n_chains: int, first_chain: int = 0) -> Sampler:
        """Return the sampler with all that depends on the number of chains chosen, before they are divided."""
        ...

    def for_chains(self, start: int, stop: int) -> Sampler:
        """Return the sampler of chains ``start:stop`` alone, for the workers of an executor."""
        ...

    def describe(self) -> dict[str, Any]:
        """Return method, parameters, backend, instruction set and stream, for provenance."""
        ...

    def init(self, key: Key, n_chains: int) -> State:
        """Return the initial state of ``n_chains`` chains."""
        ...

    def restore(self, arrays: Mapping[str, Array]) -> State:
        """Rebuild a state from :meth:`State.arrays`."""
        ...

    def step(self, key: Key, state: State, n_steps: int = 1, *, n_threads: int | None = None) -> tuple[State, Info]:
        """Advance all chains by ``n_steps`` elementary steps, in one native call.

        Returns
        -------
        state : State
        info : mapping of str to array of shape (n_chains,)
            Per-chain diagnostics of this call: sums over its steps, so that calls add up.
        """
        ...
