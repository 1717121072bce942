# SPDX-License-Identifier: BSD-3-Clause
"""The exact transition matrix of a checkerboard sweep, as an operator on distributions.

A distribution is an array (2^(n/2), 2^(n/2)) over the configurations of the even and of the odd
sublattice. While one sublattice is updated the other is fixed and its sites are independent, so
a half sweep is, for each configuration of the fixed one, a tensor product of 2 × 2 matrices.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse import csgraph

from reference import enumeration, ising

Array = npt.NDArray[Any]
FlipProbability = Callable[[int, int], float]
"""p(flip) by spin and sum of its neighbours."""


@dataclass(frozen=True)
class Checkerboard:
    """A lattice's states, addressed by sublattice."""

    shape: tuple[int, ...]

    @property
    def n_half(self) -> int:
        return int(np.prod(self.shape)) // 2

    def sites(self, color: int) -> Array:
        """Flat indices of a sublattice's sites."""
        return np.flatnonzero(ising.color_mask(self.shape, color))

    def to_halves(self, of_states: Array) -> Array:
        """Reorder an array over state numbers into (even, odd)."""
        half = np.arange(2**self.n_half)
        number = sum((half[None, :] >> k & 1) << site for k, site in enumerate(self.sites(1)))
        number = number + sum((half[:, None] >> k & 1) << site for k, site in enumerate(self.sites(0)))
        return of_states[number]

    def neighbor_sums(self, color: int) -> Array:
        """Sums over the neighbours, (configurations of the other sublattice, sites of this one)."""
        half = np.arange(2**self.n_half)
        flat = np.zeros((len(half), int(np.prod(self.shape))), dtype=np.int64)
        for k, site in enumerate(self.sites(1 - color)):
            flat[:, site] = 2 * (half >> k & 1) - 1
        sums = ising.neighbor_sum(flat.reshape(-1, *self.shape), len(self.shape))
        return sums.reshape(len(half), -1)[:, self.sites(color)]

    def half_sweep(self, distribution: Array, color: int, flip: FlipProbability) -> Array:
        """πP of one sublattice's update."""
        result = distribution if color == 0 else distribution.T
        for k, matrix in enumerate(site_matrices(self, color, flip)):
            down, up = np.moveaxis(result.reshape(2 ** (self.n_half - 1 - k), 2, 2**k, -1), 1, 0)
            pair = [down * matrix[:, 0, s] + up * matrix[:, 1, s] for s in (0, 1)]
            result = np.stack(pair, axis=1).reshape(result.shape)
        return result if color == 0 else result.T

    def sweep(self, distribution: Array, flip: FlipProbability) -> Array:
        """πP of a whole sweep: even, then odd."""
        return self.half_sweep(self.half_sweep(distribution, 0, flip), 1, flip)

    def communicating_classes(self, flip: FlipProbability) -> Array:
        """Label of the communicating class of every state (even, odd) under whole sweeps.

        States before a sweep and states after its first half are the two layers of one graph:
        its strong components, seen in the first layer, are the classes.
        """
        n = 4**self.n_half
        number = np.arange(n).reshape(2**self.n_half, -1)
        rows, columns = [], []
        for color in (0, 1):
            layer = number if color == 0 else number.T
            other, before, after = self._possible_moves(color, flip)
            rows.append(layer[before, other] + color * n)
            columns.append(layer[after, other] + (1 - color) * n)
        row, column = np.concatenate(rows), np.concatenate(columns)
        graph = sparse.csr_array((np.ones(len(row), dtype=np.int8), (row, column)), shape=(2 * n, 2 * n))
        return csgraph.connected_components(graph, connection="strong")[1][:n].reshape(number.shape)

    def _possible_moves(self, color: int, flip: FlipProbability) -> tuple[Array, Array, Array]:
        """Moves of non-zero probability: (other sublattice, configuration before, after)."""
        possible = np.ones((2**self.n_half, 1, 1), dtype=bool)
        for matrix in site_matrices(self, color, flip) > 0:
            size = possible.shape[1]
            possible = (matrix[:, :, None, :, None] & possible[:, None, :, None, :]).reshape(-1, 2 * size, 2 * size)
        return np.nonzero(possible)


@cache
def site_matrices(lattice: Checkerboard, color: int, flip: FlipProbability) -> Array:
    """W[site, configuration of the other sublattice, s, s'], s = 0 for down and 1 for up."""
    sums = lattice.neighbor_sums(color).T
    limit = 2 * len(lattice.shape)
    table = np.array([[flip(spin, total) for spin in (-1, 1)] for total in range(-limit, limit + 1, 2)])
    p = table[(sums + limit) // 2]
    matrices = np.empty((*sums.shape, 2, 2))
    matrices[..., 0, 1], matrices[..., 1, 0] = p[..., 0], p[..., 1]
    matrices[..., 0, 0], matrices[..., 1, 1] = 1 - p[..., 0], 1 - p[..., 1]
    return matrices


@cache
def flip_probability(rule: str, beta: float, J: float, h: float, ndim: int) -> FlipProbability:
    """From the 64-bit thresholds the kernels compare with."""
    thresholds = ising.thresholds(rule, beta, J, h, ndim)
    return lambda spin, total: (thresholds[spin, total] + 1) / 2**64


def boltzmann(lattice: Checkerboard, beta: float, J: float, h: float) -> Array:
    """Distribution (even, odd) that every sweep must leave alone."""
    return lattice.to_halves(enumeration.boltzmann(lattice.shape, beta, J, h))
