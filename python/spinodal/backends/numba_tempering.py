# SPDX-License-Identifier: BSD-3-Clause
"""Exchanges of parallel tempering; definitions in spinodal/tempering.hpp."""

from __future__ import annotations

import numpy as np

from spinodal.backends.protocol import Integers, Reals, Words

_TEMPERING_SWAP = 12  # Purpose::tempering_swap of spinodal/stream.hpp
_UP, _DOWN = 1, -1


class Exchange:
    """Rungs of replicas, moved in place, and what has been counted of them."""

    def __init__(self, rung: Integers, direction: Integers, ladder: Reals) -> None:
        self._rung, self._direction, self._ladder = rung, direction, ladder
        n_chains = len(rung)
        self._first = len(ladder) * np.arange(n_chains // len(ladder))[:, None]
        self.attempts, self.accepts, self.round_trips = (np.zeros(n_chains, dtype=np.int64) for _ in range(3))

    def _lower(self, index: int) -> Integers:
        """Colder rungs of the pairs of a round's parity."""
        return np.arange(index % 2, len(self._ladder) - 1, 2)

    def counters(self, index: int, first_chain: int) -> Words:
        """Return the counters of a round's uniforms, ladder by ladder."""
        places = (self._first + self._lower(index)).reshape(-1)
        counters = np.empty((places.size, 4), dtype=np.uint32)
        counters[:, 0] = _TEMPERING_SWAP << 20 | (index >> 32) << 24
        counters[:, 1] = 0
        counters[:, 2] = index & 0xFFFFFFFF
        counters[:, 3] = first_chain + places
        return counters

    def attempt(self, index: int, energy: Reals, blocks: Words) -> None:
        """Exchange the accepted pairs of a round."""
        lower = self._lower(index)
        places = self._first + lower
        replica = np.argsort(self._rung.reshape(-1, len(self._ladder)), axis=1) + self._first
        cold, hot = replica[:, lower], replica[:, lower + 1]
        log_ratio = (self._ladder[lower] - self._ladder[lower + 1]) * (energy[cold] - energy[hot])
        bits = (blocks[:, 0].astype(np.uint64) | blocks[:, 1].astype(np.uint64) << np.uint64(32)) >> np.uint64(11)
        uniform = bits.astype(np.float64).reshape(places.shape) * 2.0**-53
        accept = uniform < np.exp(np.minimum(log_ratio, 0.0))
        self.attempts[places.reshape(-1)] += 1
        self.accepts[places[accept]] += 1
        self._rung[cold[accept]] += 1
        self._rung[hot[accept]] -= 1
        self._note_direction()

    def _note_direction(self) -> None:
        at_cold, at_hot = self._rung == 0, self._rung == len(self._ladder) - 1
        self.round_trips += at_cold & (self._direction == _DOWN)
        self._direction[at_cold] = _UP
        self._direction[at_hot] = _DOWN
