# SPDX-License-Identifier: BSD-3-Clause
"""Blocks: stretches of chains, or groups of whole chains, that are nearly independent of one another."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from spinodal.analysis.arrays import FloatArray, IntArray, as_chains
from spinodal.analysis.autocovariance import Autocovariance
from spinodal.analysis.estimates import Estimate, estimate

MOST_BLOCKS = 512  # the error of an error bar is 1/sqrt(2 B): 3 %
ENOUGH_BLOCKS = 32
BLOCK_TAU, LEAST_BLOCK_TAU = 20.0, 4.0


@dataclass(frozen=True)
class Blocks:
    """A grid of groups of chains × stretches of draws; every draw is in one block.

    Attributes
    ----------
    chain_starts, draw_starts : int64 array
        First chain of each group and first draw of each stretch.
    n_chains, n_draws : int
    inflation : float
        Factor on a variance found between blocks that restores the correlations cut at block edges.
    """

    chain_starts: IntArray
    draw_starts: IntArray
    n_chains: int
    n_draws: int
    inflation: float = 1.0

    @property
    def n_blocks(self) -> int:
        """Number of blocks."""
        return int(self.chain_starts.size * self.draw_starts.size)

    @property
    def sizes(self) -> IntArray:
        """Number of draws in each block, shape (n_blocks,)."""
        chains = np.diff(self.chain_starts, append=self.n_chains)
        draws = np.diff(self.draw_starts, append=self.n_draws)
        return np.outer(chains, draws).ravel()

    def sums(self, x: FloatArray) -> FloatArray:
        """Return the sum of ``x`` (n_chains, n_draws) over each block, shape (n_blocks,)."""
        by_draws = np.add.reduceat(x, self.draw_starts, axis=1)
        result: FloatArray = np.add.reduceat(by_draws, self.chain_starts, axis=0).ravel()
        return result

    def labels(self) -> IntArray:
        """Return the block of every draw, shape (n_chains, n_draws)."""
        group = np.searchsorted(self.chain_starts, np.arange(self.n_chains), side="right") - 1
        stretch = np.searchsorted(self.draw_starts, np.arange(self.n_draws), side="right") - 1
        result: IntArray = group[:, None] * self.draw_starts.size + stretch[None, :]
        return result

    def __iter__(self) -> Iterator[tuple[slice, slice]]:
        """Yield the chains and the draws of each block."""
        for c0, c1 in _bounds(self.chain_starts, self.n_chains):
            for t0, t1 in _bounds(self.draw_starts, self.n_draws):
                yield slice(c0, c1), slice(t0, t1)


def _bounds(starts: IntArray, end: int) -> Iterator[tuple[int, int]]:
    yield from pairwise([*starts.tolist(), end])


def grid_blocks(n_chains: int, n_draws: int, n_groups: int, n_stretches: int, inflation: float = 1.0) -> Blocks:
    """Return blocks of nearly equal size: ``n_groups`` of chains times ``n_stretches`` of draws."""
    return Blocks(_starts(n_chains, n_groups), _starts(n_draws, n_stretches), n_chains, n_draws, inflation)


def _starts(n: int, parts: int) -> IntArray:
    return np.arange(parts, dtype=np.int64) * n // parts


def blocks_of_length(n_chains: int, n_draws: int, length: int) -> Blocks:
    """Return blocks of about ``length`` draws of one chain each; at most a whole chain."""
    if length < 1:
        raise ValueError(f"a block has at least one draw; got block={length}")
    return grid_blocks(n_chains, n_draws, n_chains, max(n_draws // length, 1))


def automatic_blocks(shape: tuple[int, ...], acov: Autocovariance | None, most: int = MOST_BLOCKS) -> Blocks:
    """Return blocks of 20 τ or more, or as short as 4 τ if there would be few.

    ``acov`` is that of a series as slow as anything that will be averaged over the blocks; None if it is constant.
    """
    n_chains, n_draws = shape
    groups = min(n_chains, most)
    if n_draws == 1 or acov is None:
        return grid_blocks(n_chains, n_draws, groups, 1 if n_chains > 1 else min(n_draws, ENOUGH_BLOCKS))
    per_chain = min(_blocks_per_chain(acov), max(most // groups, 1))
    if not acov.closed:
        return grid_blocks(n_chains, n_draws, groups, per_chain)
    inflation = acov.spread(n_draws) / acov.spread(n_draws // per_chain)
    return grid_blocks(n_chains, n_draws, groups, per_chain, inflation)


def _blocks_per_chain(acov: Autocovariance) -> int:
    if not acov.closed and acov.n_chains > 1:
        return 1
    longest = max(int(acov.n_draws / math.ceil(BLOCK_TAU * acov.tau)), 1)
    shortest = max(int(acov.n_draws / math.ceil(LEAST_BLOCK_TAU * acov.tau)), 1)
    wanted = -(-ENOUGH_BLOCKS // acov.n_chains)
    return max(longest, min(shortest, wanted), 2 if acov.n_chains == 1 else 1)


@dataclass(frozen=True)
class Blocking:
    """Error of a mean against the block length, and where it has levelled off.

    Attributes
    ----------
    lengths : int64 array, shape (n_levels,)
        Block lengths 1, 2, 4, … within a chain, and the whole chain if there are several.
    stderr, stderr_error : float64 arrays, shape (n_levels,)
        Standard error from blocks of each length, and its own error, stderr/sqrt(2 (B - 1)).
    plateau : int or None
        Index of the length to trust, None if the chains are too short to show one.
    estimate : Estimate
        Mean, with the error of the plateau (of the longest blocks if there is none; then unreliable).
    """

    lengths: IntArray
    stderr: FloatArray
    stderr_error: FloatArray
    plateau: int | None
    estimate: Estimate


def blocking(x: npt.ArrayLike) -> Blocking:
    """Estimate the error of a mean by repeated pairing of neighbours.

    The plateau is the shortest block length b with b³ > 2 N (stderr_b/stderr_1)⁴, where the bias of the error
    falls below its noise; failing that, whole chains, if there are several.

    Parameters
    ----------
    x : array_like, shape (n_chains, n_draws) or (n_draws,)

    References
    ----------
    H. Flyvbjerg, H. G. Petersen, J. Chem. Phys. 91, 461 (1989); R. M. Lee et al., Phys. Rev. E 83, 066706
    (2011), after Wolff (2004).
    """
    chains = as_chains(x)
    base = estimate(chains)
    if not np.isfinite(base.tau_int):
        empty = np.empty(0)
        return Blocking(np.empty(0, np.int64), empty, empty, None, base)
    levels = list(_pairings(chains - chains.mean()))
    length = np.array([b for b, _ in levels], np.int64)
    counts = np.array([level.size for _, level in levels])
    stderr = np.array([math.sqrt(float((level * level).mean()) / (level.size - 1)) for _, level in levels])
    long_enough = length.astype(float) ** 3 > 2.0 * chains.size * (stderr / stderr[0]) ** 4
    long_enough[-1] |= chains.shape[0] > 1  # whole chains are independent
    plateau = int(np.argmax(long_enough)) if long_enough.any() else None
    return Blocking(length, stderr, stderr / np.sqrt(2.0 * (counts - 1)), plateau, _at_plateau(base, stderr, plateau))


def _pairings(level: FloatArray) -> Iterator[tuple[int, FloatArray]]:
    """Yield block lengths and block means: 1, 2, 4, …, then whole chains."""
    n_draws, length, chain_means = level.shape[1], 1, level.mean(axis=1)
    while level.shape[1] > 1 or (length == 1 and level.size > 1):
        yield length, level
        half = level.shape[1] // 2
        level, length = 0.5 * (level[:, : 2 * half : 2] + level[:, 1 : 2 * half : 2]), 2 * length
    if chain_means.size > 1 and n_draws > 1:
        yield n_draws, chain_means


def _at_plateau(base: Estimate, stderr: FloatArray, plateau: int | None) -> Estimate:
    error = float(stderr[-1 if plateau is None else plateau])
    reason = base.reason
    if plateau is None:
        reason = "; ".join(r for r in (reason, "blocking shows no plateau") if r)
    return Estimate(base.mean, error, base.tau_int, base.ess, base.r_hat, base.n, not reason, reason)
