# SPDX-License-Identifier: BSD-3-Clause
"""All 2^N states of a small periodic lattice, counted exactly by energy and magnetisation.

The joint histogram g(b, u) of broken bonds b and up spins u is built by a transfer matrix whose
entries are polynomials: spins are added one at a time along the longest axis, and for each state
of the newest layer an integer array holds g. The first layer is fixed, once per class of layers
that translations, reflections and the exchange of equal axes map onto each other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from ._validation import FloatArray, IntArray, Size, Value, finite, lattice_shape, like, temperatures
from .canonical import Canonical

MAX_SITES = 64  # C(64, 32) < 2^63: every count fits an int64
MAX_LAYER = 9


@dataclass(frozen=True)
class ExactEnsemble(Canonical):
    """The exact canonical ensemble of a small Ising lattice in a field.

    A *cell* is a set of states with one bond sum and one magnetisation; ``energies`` and
    ``probabilities`` refer to cells. Averages take a temperature (float, or float64 array of any
    shape) and return a float, or an array of that shape. ``m`` is the magnetisation per site.

    Attributes
    ----------
    shape : tuple of int
    J, h : float
        E = -J Σ_i Σ_axis s_i s_{i+e} - h Σ_i s_i.
    bond_sum, spin_sum : int64 arrays, shape (n_cells,)
        Σ_i Σ_axis s_i s_{i+e} and Σ_i s_i of each cell.
    counts : int64 array, shape (n_cells,)
        Number of states, exact, > 0; their sum is 2^N.
    """

    shape: tuple[int, ...]
    J: float
    h: float
    bond_sum: IntArray
    spin_sum: IntArray
    counts: IntArray

    @property
    def n_sites(self) -> int:
        """Number of spins N."""
        return math.prod(self.shape)

    @cached_property
    def energies(self) -> FloatArray:
        """Energy of each cell, shape (n_cells,)."""
        return -self.J * self.bond_sum.astype(np.float64) - self.h * self.spin_sum.astype(np.float64)

    @cached_property
    def log_multiplicities(self) -> FloatArray:
        """Natural logarithm of ``counts``, shape (n_cells,)."""
        return np.asarray(np.log(self.counts.astype(np.float64)))

    def magnetization(self, temperature: Value) -> Value:
        """Return ⟨m⟩: zero at h = 0, where both signs weigh the same."""
        return like(temperature, self._moment(temperature, self._m))

    def abs_magnetization(self, temperature: Value) -> Value:
        """Return ⟨|m|⟩."""
        return like(temperature, self._moment(temperature, np.abs(self._m)))

    def m2(self, temperature: Value) -> Value:
        """Return ⟨m²⟩."""
        return like(temperature, self._moment(temperature, self._m**2))

    def m4(self, temperature: Value) -> Value:
        """Return ⟨m⁴⟩."""
        return like(temperature, self._moment(temperature, self._m**4))

    def binder_cumulant(self, temperature: Value) -> Value:
        """Return U₄ = 1 - ⟨m⁴⟩/(3⟨m²⟩²)."""
        m2, m4 = self._moment(temperature, self._m**2), self._moment(temperature, self._m**4)
        return like(temperature, 1 - m4 / (3 * m2**2))

    def susceptibility(self, temperature: Value) -> Value:
        """Return N(⟨m²⟩ - ⟨|m|⟩²)/T, the connected susceptibility of |m|."""
        size = np.abs(self._m)
        spread = size - np.asarray(self._moment(temperature, size))[..., None]
        variance = (self.probabilities(temperature) * spread**2).sum(axis=-1)
        return like(temperature, self.n_sites * variance / temperatures(temperature))

    def susceptibility_m2(self, temperature: Value) -> Value:
        """Return N⟨m²⟩/T, the susceptibility of the symmetric phase."""
        return like(temperature, self.n_sites * self._moment(temperature, self._m**2) / temperatures(temperature))

    @cached_property
    def _m(self) -> FloatArray:
        return self.spin_sum / self.n_sites

    def _moment(self, temperature: float | FloatArray, observable: FloatArray) -> FloatArray:
        return np.asarray(self.probabilities(temperature) @ observable)


def enumerate_ising(shape: Size, J: float = 1.0, h: float = 0.0) -> ExactEnsemble:
    """Count every state of a small periodic lattice by bond sum and magnetisation, exactly.

    Parameters
    ----------
    shape : int or tuple of int
        Two or three lengths, each ≥ 2 (a length of 2 has double bonds), with at most 64 sites, of
        which at most 9 in a layer across the longest axis: up to 8 × 8, 3 × 3 × 7, 2 × 4 × 8.
        4 × 4 takes milliseconds, 6 × 6 under a second, 8 × 8 several seconds; histograms are kept.
    J, h : float
        Coupling and field; they only name the energies.

    Returns
    -------
    ExactEnsemble
        With averages at any temperature.

    Raises
    ------
    ValueError
        For a lattice too large, a length < 2, or a non-finite J or h.
    """
    lengths = lattice_shape(shape)
    coupling, field = finite("J", J), finite("h", h)
    table = joint_counts(lengths)
    broken, up = np.nonzero(table)
    bond_sum = table.shape[0] - 1 - 2 * broken.astype(np.int64)
    spin_sum = 2 * up.astype(np.int64) - math.prod(lengths)
    return ExactEnsemble(lengths, coupling, field, bond_sum, spin_sum, table[broken, up])


def joint_counts(lengths: tuple[int, ...]) -> IntArray:
    """Return g(broken bonds, up spins), shape (n_bonds + 1, N + 1), read-only."""
    n_sites, layer = math.prod(lengths), math.prod(sorted(lengths)[:-1])
    if n_sites > MAX_SITES:
        raise ValueError(f"enumeration needs at most {MAX_SITES} sites, got {n_sites} for shape {lengths}")
    if layer > MAX_LAYER:
        raise ValueError(f"enumeration needs layers of at most {MAX_LAYER} sites, got {layer} for shape {lengths}")
    return _joint_counts(tuple(sorted(lengths)))


@lru_cache(maxsize=32)
def _joint_counts(lengths: tuple[int, ...]) -> IntArray:
    *layer_shape, n_layers = lengths
    layer = _Layer.of(tuple(layer_shape))
    n_sites = layer.n_sites * n_layers
    counts = np.zeros((len(lengths) * n_sites + 1, n_sites + 1), dtype=np.int64)
    for first, weight in zip(*layer.classes(), strict=True):
        counts += weight * layer.close(layer.grow(int(first), n_layers), int(first), counts.shape)
    counts.setflags(write=False)
    return counts


@dataclass(frozen=True)
class _Layer:
    """A periodic layer across the transfer direction; spin i of a state is bit i, 1 is up."""

    shape: tuple[int, ...]
    broken: IntArray  # bonds broken within the layer, per state
    up: IntArray  # up spins, per state

    @classmethod
    def of(cls, shape: tuple[int, ...]) -> _Layer:
        bits = _bits(math.prod(shape)).reshape(-1, *shape)
        axes = range(1, bits.ndim)
        broken = sum((bits != np.roll(bits, -1, axis)).sum(axis=tuple(axes)) for axis in axes)
        return cls(shape, np.asarray(broken, dtype=np.int64), bits.sum(axis=tuple(axes), dtype=np.int64))

    @property
    def n_sites(self) -> int:
        return math.prod(self.shape)

    def classes(self) -> tuple[IntArray, IntArray]:
        """Return one layer state of each symmetry class, and the size of the class."""
        label = np.arange(1 << self.n_sites)
        settled = False
        while not settled:  # each pass takes the smaller label along every generator
            before = label
            for image in self._generators():
                label = np.minimum(label, label[image])
            label = label[label]
            settled = bool(np.array_equal(before, label))
        first, size = np.unique(label, return_counts=True)
        return first.astype(np.int64), size.astype(np.int64)

    def _generators(self) -> list[IntArray]:
        """Return how translations, reflections and axis exchanges permute the layer states."""
        sites = np.arange(self.n_sites).reshape(self.shape)
        moves = [np.roll(sites, 1, axis) for axis in range(sites.ndim)]
        moves += [np.flip(sites, axis) for axis in range(sites.ndim)]
        if sites.ndim == 2 and sites.shape[0] == sites.shape[1]:
            moves.append(sites.T)
        bits = _bits(self.n_sites).astype(np.int64)
        place = 1 << np.arange(self.n_sites)
        return [bits[:, move.ravel()] @ place for move in moves]

    def grow(self, first: int, n_layers: int) -> IntArray:
        """Return g(state of the last layer, broken bonds, up spins) over the first to the last layer."""
        g = np.zeros((1 << self.n_sites, 1, 1), dtype=np.int64)
        g[first] = 1
        g = self._count_layer_bonds(_widen(g, self.up[first]))
        for _ in range(n_layers - 1):
            for site in range(self.n_sites):
                g = _add_spin(g, site)
            g = self._count_layer_bonds(g)
        return g

    def close(self, g: IntArray, first: int, shape: tuple[int, ...]) -> IntArray:
        """Add the bonds between the last layer and the first, and sum over the last layer."""
        states = np.arange(1 << self.n_sites)
        between = self.up[states ^ first]
        total = np.zeros(shape, dtype=np.int64)
        for extra in np.unique(between):
            # g reserves room for more broken bonds than a periodic lattice has: those rows are zero.
            rows = g[between == extra].sum(axis=0)[: shape[0] - extra]
            total[extra : extra + rows.shape[0], : rows.shape[1]] += rows
        return total

    def _count_layer_bonds(self, g: IntArray) -> IntArray:
        wider = np.zeros((g.shape[0], g.shape[1] + int(self.broken.max()), g.shape[2]), dtype=np.int64)
        for extra in np.unique(self.broken):
            same = self.broken == extra
            wider[same, extra : extra + g.shape[1]] = g[same]
        return wider


def _bits(n_sites: int) -> npt.NDArray[np.int8]:
    """Return bit i of each state, shape (2^n, n)."""
    return (np.arange(1 << n_sites)[:, None] >> np.arange(n_sites) & 1).astype(np.int8)


def _widen(g: IntArray, up: int) -> IntArray:
    """Count the up spins of the first layer."""
    return np.pad(g, ((0, 0), (0, 0), (int(up), 0)))


def _add_spin(g: IntArray, site: int) -> IntArray:
    """Replace spin ``site`` of the layer by a new one behind it, bonded to it."""
    n_states, n_broken, n_up = g.shape
    old = g.reshape(-1, 2, 1 << site, n_broken, n_up)
    new = np.zeros((old.shape[0], 2, 1 << site, n_broken + 1, n_up + 1), dtype=np.int64)
    down, up = old[:, 0], old[:, 1]
    new[:, 0, :, :-1, :-1] = down
    new[:, 0, :, 1:, :-1] += up
    new[:, 1, :, :-1, 1:] = up
    new[:, 1, :, 1:, 1:] += down
    return new.reshape(n_states, n_broken + 1, n_up + 1)
