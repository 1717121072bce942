# SPDX-License-Identifier: BSD-3-Clause
r"""Independence Metropolis–Hastings: a neural proposal, corrected by acceptance instead of by weights."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from spinodal.samplers.lattice import ChainSampler, SpinState
from spinodal.samplers.protocol import Array, Info, Key, State
from spinodal.score.masked.sampler import WeightedSpins


class Proposal(Protocol):
    """A sampler of independent draws with exact weights."""

    @property
    def system(self) -> Any:
        """The system."""
        ...

    def propose(self, key: Key, n_chains: int, n_threads: int | None = None) -> WeightedSpins:
        """Return new draws, with their weights."""
        ...

    def log_weights(self, spins: Array, *, n_threads: int | None = None) -> Array:
        """Return the weights of given configurations."""
        ...

    def chain_temperatures(self, n_chains: int) -> npt.NDArray[np.float64]:
        """Return the temperature of each chain."""
        ...

    def for_chains(self, start: int, stop: int) -> Self:
        """Return the sampler of some chains."""
        ...

    def describe(self) -> dict[str, Any]:
        """Return what ran."""
        ...


class _Chain(SpinState):
    """A configuration with the logarithm of its weight: kept here, as the draws themselves have equal weights."""

    def __init__(self, spins: Array, proposal_weights: Array) -> None:
        super().__init__(spins)
        self.proposal_weights = proposal_weights

    def arrays(self) -> dict[str, Array]:
        return {"spins": self.spins, "proposal_weights": self.proposal_weights}


class IndependenceMetropolis:
    r"""Metropolis–Hastings over independent proposals, exact for any network.

    .. math:: P(s \to s') = \min\left(1, \frac{w(s')}{w(s)}\right), \qquad w(s) = e^{-E(s)/T} / q(s)

    One step is one proposal, followed by ``n_moves`` updates of a compiled sampler if there is one: each of the two
    leaves the Boltzmann law as it is, so does one after the other, and the moves free a chain that the proposal
    holds fast. ``info`` has ``accepted``, and, with moves, ``move_updates``, summed over the steps.

    Parameters
    ----------
    proposal : MaskedSampler
        Or another sampler of independent weighted draws.
    moves : ChainSampler, optional
        `Wolff`, `SwendsenWang`, `Metropolis` or `HeatBath` of the same system, at the same temperatures.
    n_moves : int
        Its updates a step.

    Raises
    ------
    ValueError
        If the two samplers disagree.

    References
    ----------
    W. K. Hastings, Biometrika 57, 97 (1970); L. Tierney, Ann. Statist. 22, 1701 (1994), section 2.3.
    """

    chain_group = 1

    def __init__(self, proposal: Proposal, *, moves: ChainSampler | None = None, n_moves: int = 1) -> None:
        if n_moves < 1:
            raise ValueError(f"n_moves must be >= 1; got {n_moves}")
        self.proposal, self.moves, self.n_moves, self.system = proposal, moves, n_moves, proposal.system
        if moves is not None and moves.system.describe() != self.system.describe():
            raise ValueError(f"moves are of {moves.system}, the proposal is of {self.system}")

    def chain_temperatures(self, n_chains: int) -> npt.NDArray[np.float64]:
        """Return the temperature of each chain."""
        found = self.proposal.chain_temperatures(n_chains)
        if self.moves is not None and not np.array_equal(found, self.moves.chain_temperatures(n_chains)):
            raise ValueError("moves and proposal have different temperatures")
        return found

    def settled(self, n_chains: int, first_chain: int = 0) -> Self:
        """Return the sampler with all that depends on the number of chains chosen."""
        part = copy.copy(self)
        part.moves = None if self.moves is None else self.moves.settled(n_chains, first_chain)
        return part

    def for_chains(self, start: int, stop: int) -> Self:
        """Return the sampler of chains ``start:stop`` alone."""
        part = copy.copy(self)
        part.proposal = self.proposal.for_chains(start, stop)
        part.moves = None if self.moves is None else self.moves.for_chains(start, stop)
        return part

    def describe(self) -> dict[str, Any]:
        """Return what ran, for provenance."""
        moves = {} if self.moves is None else {"moves": self.moves.describe(), "n_moves": self.n_moves}
        return {"method": "IndependenceMetropolis", "proposal": self.proposal.describe(), **moves}

    def init(self, key: Key, n_chains: int) -> _Chain:
        """Return a first proposal, accepted: one of a number no step uses."""
        self.chain_temperatures(n_chains)
        start = self.proposal.propose(key.at(_START), n_chains)
        return _Chain(start.spins, start.log_weights)

    def state_from(self, draws: npt.ArrayLike) -> _Chain:
        """Return the state of chains that start from given configurations (copied)."""
        spins = np.array(draws, dtype=np.int8, order="C")
        if spins.shape[1:] != self.system.shape or (np.abs(spins) != 1).any():
            raise ValueError(f"configurations must be ±1 of shape (n_chains, *{self.system.shape}); got {spins.shape}")
        return _Chain(spins, self.proposal.log_weights(spins))

    def restore(self, arrays: Mapping[str, Array]) -> _Chain:
        """Rebuild a state from its arrays."""
        return _Chain(np.array(arrays["spins"], np.int8), np.array(arrays["proposal_weights"], np.float64))

    def step(self, key: Key, state: _Chain, n_steps: int = 1, *, n_threads: int | None = None) -> tuple[State, Info]:
        """Advance all chains by ``n_steps`` proposals."""
        n_chains = len(state.spins)
        accepted = np.zeros(n_chains, dtype=np.int64)
        for step in range(key.step, key.step + n_steps):
            accepted += self._propose(key.at(step), state, n_threads)
            self._move(key.at(step * self.n_moves), state, n_threads)
        info = {"accepted": accepted}
        return state, info if self.moves is None else info | {"move_updates": np.full(n_chains, n_steps * self.n_moves)}

    def _propose(self, key: Key, state: _Chain, n_threads: int | None) -> Array:
        new = self.proposal.propose(key, len(state.spins), n_threads)
        chains = range(key.first_chain, key.first_chain + len(state.spins))
        uniform = np.array([np.random.default_rng([_ACCEPT, key.seed, key.step, chain]).random() for chain in chains])
        accepted: Array = np.log1p(-uniform) < new.log_weights - state.proposal_weights
        state.spins[accepted] = new.spins[accepted]
        state.proposal_weights[accepted] = new.log_weights[accepted]
        return accepted

    def _move(self, key: Key, state: _Chain, n_threads: int | None) -> None:
        if self.moves is not None:
            self.moves.step(key, state, self.n_moves, n_threads=n_threads)
            state.measured = None
            state.proposal_weights = self.proposal.log_weights(state.spins, n_threads=n_threads)


_START = (1 << 40) - 1  # the last step a key may name
_ACCEPT = 0x1C  # acceptance has random numbers of its own
