# SPDX-License-Identifier: BSD-3-Clause
"""The arrays of a run while they fill; spins as bits."""

from __future__ import annotations

import math
import mmap
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from spinodal.files.encoding import Arrays, check_dtype
from spinodal.files.packing import PackedSpins, Stored, n_packed_bytes, packed_if_spins

_MANY_BYTES = 1 << 22


def _empty(shape: tuple[int, ...], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Return an array whose memory is taken up page by page as it fills.

    NumPy asks for huge pages: the first draw, a little of every chain, would take up, and wait for, the memory
    of all draws.
    """
    n_bytes = math.prod(shape) * dtype.itemsize
    if n_bytes < _MANY_BYTES or not hasattr(mmap, "MADV_NOHUGEPAGE"):
        return np.empty(shape, dtype)
    memory = mmap.mmap(-1, n_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.madvise(mmap.MADV_NOHUGEPAGE)
    return np.frombuffer(memory, dtype).reshape(shape)


class Recording:
    """Per-draw arrays of shape (n_chains, n_draws, …), by name, filled group of chains by group of chains.

    Memory is reserved for all draws at once; the operating system hands it out as it fills. Lattices of
    int8 ±1 are packed; should other values come later, they are unpacked again.

    Parameters
    ----------
    n_chains, n_draws : int
        The whole run's.

    Attributes
    ----------
    arrays : dict of str to array or PackedSpins
    done : int64 array, shape (n_chains,)
        Draws that each chain has, from the first on.
    stored_bytes : int
        Size of what was stored so far.
    last : array or PackedSpins, shape (n_chains, …), or None
        Configurations at the last draw, where only these are kept.
    last_at : int64 array, shape (n_chains,)
        Number of draws when ``last`` was taken.
    """

    def __init__(self, n_chains: int, n_draws: int) -> None:
        self.n_chains = n_chains
        self.n_draws = n_draws
        self.arrays: Arrays = {}
        self.done = np.zeros(n_chains, np.int64)
        self.stored_bytes = 0
        self.last: Stored | None = None
        self.last_at = np.zeros(n_chains, np.int64)

    @property
    def complete(self) -> bool:
        """Whether every chain has all its draws."""
        return bool((self.done == self.n_draws).all())

    def reserve(self, values: Mapping[str, Stored]) -> None:
        """Make room for values of shape (any number of chains, …).

        Raises
        ------
        MemoryError
            If there is not enough, and how to need less.
        """
        for name, value in values.items():
            check_dtype(name, value)
            self.arrays[name] = self._room(name, packed_if_spins(value, 1))

    def _room(self, name: str, value: Stored) -> Stored:
        shape = (self.n_chains, self.n_draws, *value.shape[1:])
        try:
            if not isinstance(value, PackedSpins):
                return _empty(shape, value.dtype)
            bits = _empty((*shape[:2], n_packed_bytes(value.n_sites)), np.dtype(np.uint8))
            return PackedSpins(bits, value.lattice)
        except (MemoryError, OSError, OverflowError) as error:
            advice = "take fewer draws (a larger thin), or keep_draws='last' or False"
            raise MemoryError(f"{name} of shape {shape} does not fit into memory: {advice}") from error

    def put(self, chains: slice, draw: int, values: Mapping[str, Stored]) -> None:
        """Store one draw of some chains.

        Raises
        ------
        ValueError
            If the names or types of the values are not those of the draws before, or draws are missing before it.
        """
        self._check_next(chains, draw)
        if values.keys() != self.arrays.keys():
            if self.done.any():
                raise ValueError(f"draw {draw} has {sorted(values)}, the draws before had {sorted(self.arrays)}")
            self.reserve({name: value for name, value in values.items() if name not in self.arrays})
        for name, value in values.items():
            if value.dtype != self.arrays[name].dtype:
                types = f"type {value.dtype}, the draws before {self.arrays[name].dtype}"
                raise ValueError(f"draw {draw} has {name} of {types}")
            self._store(name, (chains, draw), value)
        self.done[chains] = draw + 1

    def _store(self, name: str, where: tuple[Any, ...], value: Stored) -> None:
        array = self.arrays[name]
        if isinstance(array, PackedSpins):
            value = packed_if_spins(value, value.ndim - len(array.lattice))
            if not isinstance(value, PackedSpins):
                array = self.arrays[name] = self._unpacked(name, array)
        _assign(array, where, value)
        self.stored_bytes += value.nbytes

    def _unpacked(self, name: str, packed: PackedSpins) -> Stored:
        n_filled = int(self.done.max())
        array = self._room(name, np.empty((0, *packed.lattice), np.int8))
        _assign(array, (slice(None), slice(n_filled)), packed[:, :n_filled])
        return array

    def _check_next(self, chains: slice, draw: int) -> None:
        if draw > self.done[chains].min():
            raise ValueError(f"draw {draw} does not follow the {self.done[chains].min()} draws before")

    def put_last(self, chains: slice, n_draws: int, draws: Stored) -> None:
        """Store the configurations of some chains at their newest draw, the ``n_draws``-th."""
        stored = packed_if_spins(draws, 1)
        if self.last is None and isinstance(stored, PackedSpins):
            self.last = PackedSpins(np.zeros((self.n_chains, *stored.bits.shape[1:]), np.uint8), stored.lattice)
        elif self.last is None:
            self.last = np.zeros((self.n_chains, *stored.shape[1:]), stored.dtype)
        elif not isinstance(stored, PackedSpins):
            self.last = np.asarray(self.last)
        _assign(self.last, chains, stored)
        self.last_at[chains] = n_draws

    def put_block(self, chains: slice, first: int, block: Mapping[str, Stored]) -> None:
        """Store several draws of some chains, from draw ``first`` on; a draw already there is the same."""
        if not self.arrays:
            self.reserve({name: array[:, 0] for name, array in block.items()})
        self._check_next(chains, first)
        stop = first
        for name, array in block.items():
            stop = first + array.shape[1]
            self._store(name, (chains, slice(first, stop)), array)
        self.done[chains] = np.maximum(self.done[chains], stop)

    def block(self, chains: slice, first: int, stop: int) -> Arrays:
        """Return views of some draws of some chains."""
        return {name: array[chains, first:stop] for name, array in self.arrays.items()}


def _assign(target: Stored, where: Any, value: Stored) -> None:
    """Write an array, or packed spins of the same lattice, into a part of another."""
    if not isinstance(target, PackedSpins):
        target[where] = np.asarray(value)
    elif isinstance(value, PackedSpins) and value.lattice == target.lattice:
        target.bits[where] = value.bits
    else:
        raise ValueError(f"draws of shape {value.shape} do not belong to a lattice of shape {target.lattice}")
