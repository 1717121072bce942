# SPDX-License-Identifier: BSD-3-Clause
"""Configurations of spins ±1 as bits: one a site, in memory as in files."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spinodal.backends import resolve_packing

Bits = npt.NDArray[np.uint8]
Array = npt.NDArray[Any]


def n_packed_bytes(n_spins: int) -> int:
    """Return the bytes that ``n_spins`` spins take."""
    return (n_spins + 7) // 8


def pack_spins(spins: Array) -> Bits | None:
    """Pack the last axis of an array of spins; each row starts a new byte.

    Parameters
    ----------
    spins : array, shape (..., n_spins)

    Returns
    -------
    uint8 array, shape (..., ceil(n_spins / 8)), or None
        Eight spins a byte, 1 for up, the first in the highest bit; the bits past a row's last spin are 0.
        None if the array is not int8 or holds anything but ±1: such an array has no packed form.
    """
    if spins.dtype != np.int8:
        return None
    leading, n_spins = spins.shape[:-1], spins.shape[-1]
    rows = np.ascontiguousarray(spins).reshape(math.prod(leading), n_spins)
    bits = np.empty((len(rows), n_packed_bytes(n_spins)), np.uint8)
    return bits.reshape(*leading, bits.shape[1]) if resolve_packing().pack_spins(rows, bits) else None


def unpack_spins(bits: Bits, n_spins: int) -> npt.NDArray[np.int8]:
    """Undo :func:`pack_spins`.

    Parameters
    ----------
    bits : uint8 array, shape (..., ceil(n_spins / 8))
    n_spins : int

    Returns
    -------
    int8 array, shape (..., n_spins)
    """
    leading = bits.shape[:-1]
    spins = np.empty((math.prod(leading), n_spins), np.int8)
    rows = np.ascontiguousarray(bits).reshape(len(spins), n_packed_bytes(n_spins))
    resolve_packing().unpack_spins(rows, spins)
    return spins.reshape(*leading, n_spins)


def axis_correlations(bits: Bits, lattice: tuple[int, ...], axis: int) -> npt.NDArray[np.int64]:
    """Return Σ_x s(x) s(x + r e) of packed configurations along one axis, without unpacking.

    Parameters
    ----------
    bits : uint8 array, shape (n_configurations, ceil(n_sites / 8))
    lattice : tuple of int
        No length is 0.
    axis : int
        ≥ 0.

    Returns
    -------
    int64 array, shape (n_configurations, lattice[axis] // 2 + 1)
    """
    sums = np.empty((len(bits), lattice[axis] // 2 + 1), np.int64)
    around = math.prod(lattice[:axis]), lattice[axis], math.prod(lattice[axis + 1 :])
    resolve_packing().correlate_bits(np.ascontiguousarray(bits), *around, sums)
    return sums


@dataclass(frozen=True, eq=False)
class PackedSpins:
    """Configurations of spins ±1, a bit a site; the array they stand for has the shape (…, *lattice).

    An index selects among the leading axes, as NumPy's does, and gives packed spins again: views
    where NumPy gives views. ``np.asarray`` unpacks. Equal are spins of one shape with the same bits.

    Parameters
    ----------
    bits : uint8 array, shape (…, ceil(n_sites / 8))
        1 for up, the first site of a byte in its highest bit; the bits past the last site must be 0.
    lattice : tuple of int
        Shape of one configuration.

    Raises
    ------
    ValueError
        If the bits are not uint8, or not as many as the lattice needs.
    """

    bits: Bits
    lattice: tuple[int, ...]

    dtype = np.dtype(np.int8)  # of the spins

    def __post_init__(self) -> None:
        n_bytes = n_packed_bytes(self.n_sites)
        if self.bits.dtype != np.uint8 or self.bits.shape[-1:] != (n_bytes,):
            needed = f"a lattice of shape {self.lattice} needs uint8 bits of shape (…, {n_bytes})"
            raise ValueError(f"{needed}; got {self.bits.dtype} {self.bits.shape}")

    @staticmethod
    def pack(spins: Array, n_leading: int) -> PackedSpins | None:
        """Pack an array whose axes from ``n_leading`` on are the lattice; None if it is not int8 ±1."""
        lattice = spins.shape[n_leading:]
        bits = pack_spins(spins.reshape(*spins.shape[:n_leading], math.prod(lattice)))
        return None if bits is None else PackedSpins(bits, lattice)

    @staticmethod
    def concatenate(parts: Sequence[PackedSpins]) -> PackedSpins:
        """Join along the first axis; the lattices must be one."""
        return PackedSpins(np.concatenate([part.bits for part in parts]), parts[0].lattice)

    @property
    def n_sites(self) -> int:
        """Sites of one configuration."""
        return math.prod(self.lattice)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the unpacked array."""
        return (*self.bits.shape[:-1], *self.lattice)

    @property
    def ndim(self) -> int:
        """Number of axes of the unpacked array."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of spins."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes that the bits take."""
        return self.bits.nbytes

    def unpack(self) -> npt.NDArray[np.int8]:
        """Return a new int8 array of shape (…, *lattice), values ±1."""
        return unpack_spins(self.bits, self.n_sites).reshape(self.shape)

    def flattened(self) -> PackedSpins:
        """Return the configurations along one leading axis."""
        n_bytes = self.bits.shape[-1]
        return PackedSpins(self.bits.reshape(math.prod(self.bits.shape[:-1]), n_bytes), self.lattice)

    def read_only(self) -> PackedSpins:
        """Return a view of the bits that cannot be written to."""
        bits = self.bits.view()
        bits.flags.writeable = False
        return PackedSpins(bits, self.lattice)

    def __len__(self) -> int:
        return len(self.bits)

    def __getitem__(self, index: Any) -> PackedSpins:
        entries = index if isinstance(index, tuple) else (index,)
        n_leading = self.bits.ndim - 1
        if sum(getattr(entry, "ndim", 1) if _is_mask(entry) else entry is not None for entry in entries) > n_leading:
            raise IndexError(f"too many indices: {n_leading} axes before the lattice can be indexed; unpack() the rest")
        # Behind the ellipsis, which may not be given twice, the bytes of a configuration stay together.
        return PackedSpins(self.bits[(*entries, ...)], self.lattice)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PackedSpins):
            return NotImplemented
        return self.lattice == other.lattice and np.array_equal(self.bits, other.bits)

    __hash__ = None  # type: ignore[assignment]

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> Array:
        if copy is False:
            raise ValueError("packed spins cannot be an array without a copy")
        return self.unpack() if dtype is None else self.unpack().astype(dtype, copy=False)


def _is_mask(entry: object) -> bool:
    return isinstance(entry, np.ndarray) and entry.dtype == np.bool_


Stored = Array | PackedSpins


def packed_if_spins(array: Stored, n_leading: int) -> Stored:
    """Return configurations in the form they are stored in: packed if they are lattices of int8 ±1, else as they are.

    Parameters
    ----------
    array : array or PackedSpins
    n_leading : int
        Axes before those of the lattice.
    """
    if isinstance(array, PackedSpins) or array.ndim <= n_leading:
        return array
    packed = PackedSpins.pack(array, n_leading)
    return array if packed is None else packed
