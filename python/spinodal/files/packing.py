# SPDX-License-Identifier: BSD-3-Clause
"""Spins ±1 as bits: the sign of eight int8 in one byte, first spin in the highest bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Bits = npt.NDArray[np.uint8]
_BLOCK_SPINS = 1 << 19  # a block of spins and its work space stay in the second-level cache; a multiple of 8
_NOT_A_SPIN = ~np.uint64(0x0202020202020202)
# The eight int8 of each byte, as one word.
_EIGHT_SPINS = (2 * np.unpackbits(np.arange(256, dtype=np.uint8)).view(np.int8) - 1).astype(np.int8).view(np.uint64)


def n_packed_bytes(n_spins: int) -> int:
    """Return the bytes that ``n_spins`` spins take."""
    return (n_spins + 7) // 8


def pack_spins(spins: npt.NDArray[Any]) -> Bits | None:
    """Pack the last axis of an array of spins; each row starts a new byte.

    Parameters
    ----------
    spins : array, shape (..., n_spins)

    Returns
    -------
    uint8 array, shape (..., ceil(n_spins / 8)), or None
        None if the array is not int8, is empty, or holds anything but ±1: such an array has no packed form.
    """
    if spins.dtype != np.int8 or spins.size == 0:
        return None
    n_spins = spins.shape[-1]
    values = np.ascontiguousarray(spins).view(np.uint8)
    # Rows of whole bytes need no padding: together they are one long row, whatever their length.
    rows = values.reshape(1, -1) if n_spins % 8 == 0 else values.reshape(-1, n_spins)
    bits = np.empty((len(rows), n_packed_bytes(rows.shape[1])), np.uint8)
    packed = _pack_long_row(rows[0], bits[0]) if len(rows) == 1 else _pack_rows(rows, bits)
    return bits.reshape(*spins.shape[:-1], -1) if packed else None


def _pack_long_row(row: Bits, bits: Bits) -> bool:
    space = np.zeros(min(_BLOCK_SPINS, 8 * len(bits)), np.uint8)
    for start in range(0, len(row), _BLOCK_SPINS):
        shifted = _shift(row[start : start + _BLOCK_SPINS], space)
        if shifted is None:
            return False
        bits[start // 8 : (start + _BLOCK_SPINS) // 8] = np.packbits(shifted)
    return True


def _pack_rows(rows: Bits, bits: Bits) -> bool:
    n_rows, n_spins = rows.shape
    n_block = min(n_rows, max(1, _BLOCK_SPINS // n_spins))
    space = np.zeros(8 * n_packed_bytes(n_block * n_spins), np.uint8)
    for start in range(0, n_rows, n_block):
        shifted = _shift(rows[start : start + n_block].reshape(-1), space)
        if shifted is None:
            return False
        bits[start : start + n_block] = np.packbits(shifted.reshape(-1, n_spins), axis=-1)
    return True


def _shift(spins: Bits, space: Bits) -> Bits | None:
    """Map −1 to 0 and +1 to 2 in ``space``; None if there is another value."""
    shifted = np.add(spins, np.uint8(1), out=space[: spins.size])
    # ``space`` is whole words, and past this block only zeros and twos: eight spins are checked at once.
    return None if np.bitwise_or.reduce(space.view(np.uint64)) & _NOT_A_SPIN else shifted


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
    flat = np.ascontiguousarray(bits).reshape(-1)
    eights = np.empty(flat.size, np.uint64)
    for start in range(0, flat.size, _BLOCK_SPINS):
        eights[start : start + _BLOCK_SPINS] = _EIGHT_SPINS[flat[start : start + _BLOCK_SPINS]]
    spins = eights.view(np.int8).reshape(*bits.shape[:-1], 8 * bits.shape[-1])
    return spins if spins.shape[-1] == n_spins else spins[..., :n_spins].copy()
