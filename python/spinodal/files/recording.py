# SPDX-License-Identifier: BSD-3-Clause
"""The arrays of a run while they fill."""

from __future__ import annotations

import math
import mmap
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from spinodal.files.encoding import Arrays, check_dtype

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

    Memory is reserved for all draws at once; the operating system hands it out as it fills.

    Parameters
    ----------
    n_chains, n_draws : int
        The whole run's.

    Attributes
    ----------
    arrays : dict of str to array
    done : int64 array, shape (n_chains,)
        Draws that each chain has, from the first on.
    stored_bytes : int
        Size of what was stored so far.
    last : array, shape (n_chains, …), or None
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
        self.last: npt.NDArray[Any] | None = None
        self.last_at = np.zeros(n_chains, np.int64)

    @property
    def complete(self) -> bool:
        """Whether every chain has all its draws."""
        return bool((self.done == self.n_draws).all())

    def reserve(self, values: Mapping[str, npt.NDArray[Any]]) -> None:
        """Make room for values of shape (any number of chains, …).

        Raises
        ------
        MemoryError
            If there is not enough, and how to need less.
        """
        for name, value in values.items():
            check_dtype(name, value)
            shape = (self.n_chains, self.n_draws, *value.shape[1:])
            try:
                self.arrays[name] = _empty(shape, value.dtype)
            except (MemoryError, OSError, OverflowError) as error:
                advice = "take fewer draws (a larger thin), or keep_draws='last' or False"
                raise MemoryError(f"{name} of shape {shape} does not fit into memory: {advice}") from error

    def put(self, chains: slice, draw: int, values: Mapping[str, npt.NDArray[Any]]) -> None:
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
            array = self.arrays[name]
            if value.dtype != array.dtype:
                raise ValueError(f"draw {draw} has {name} of type {value.dtype}, the draws before {array.dtype}")
            array[chains, draw] = value
            self.stored_bytes += value.nbytes
        self.done[chains] = draw + 1

    def _check_next(self, chains: slice, draw: int) -> None:
        if draw > self.done[chains].min():
            raise ValueError(f"draw {draw} does not follow the {self.done[chains].min()} draws before")

    def put_last(self, chains: slice, n_draws: int, draws: npt.NDArray[Any]) -> None:
        """Store the configurations of some chains at their newest draw, the ``n_draws``-th."""
        if self.last is None:
            self.last = np.empty((self.n_chains, *draws.shape[1:]), draws.dtype)
        self.last[chains] = draws
        self.last_at[chains] = n_draws

    def put_block(self, chains: slice, first: int, block: Mapping[str, npt.NDArray[Any]]) -> None:
        """Store several draws of some chains, from draw ``first`` on; a draw already there is the same."""
        if not self.arrays:
            self.reserve({name: array[:, 0] for name, array in block.items()})
        self._check_next(chains, first)
        stop = first
        for name, array in block.items():
            stop = first + array.shape[1]
            self.arrays[name][chains, first:stop] = array
            self.stored_bytes += array.nbytes
        self.done[chains] = np.maximum(self.done[chains], stop)

    def block(self, chains: slice, first: int, stop: int) -> Arrays:
        """Return views of some draws of some chains."""
        return {name: array[chains, first:stop] for name, array in self.arrays.items()}
