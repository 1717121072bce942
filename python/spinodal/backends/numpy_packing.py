# SPDX-License-Identifier: BSD-3-Clause
"""Spins as bits in NumPy: for the Numba backend, and for reading files where there is no backend at all."""

from __future__ import annotations

import numpy as np

from spinodal.backends.protocol import Bits, Integers, Spins

_BLOCK_SPINS = 1 << 19  # a block of spins and its work space stay in the second-level cache; a multiple of 8
_NOT_A_SPIN = ~np.uint64(0x0202020202020202)
# The eight int8 of each byte, as one word.
_EIGHT_SPINS = (2 * np.unpackbits(np.arange(256, dtype=np.uint8)).view(np.int8) - 1).astype(np.int8).view(np.uint64)


def pack_spins(spins: Spins, out: Bits) -> bool:
    """Pack rows (n_rows, n_sites); False, and ``out`` is of no use, if a value is not ±1."""
    values = spins.view(np.uint8)
    if values.size == 0:
        return True
    # Rows of whole bytes need no padding: together they are one long row, whatever their length.
    if values.shape[1] % 8 == 0:
        return _pack_long_row(values.reshape(-1), out.reshape(-1))
    return _pack_rows(values, out)


def _pack_long_row(row: Bits, out: Bits) -> bool:
    space = np.zeros(min(_BLOCK_SPINS, 8 * len(out)), np.uint8)
    for start in range(0, len(row), _BLOCK_SPINS):
        shifted = _shift(row[start : start + _BLOCK_SPINS], space)
        if shifted is None:
            return False
        out[start // 8 : (start + _BLOCK_SPINS) // 8] = np.packbits(shifted)
    return True


def _pack_rows(rows: Bits, out: Bits) -> bool:
    n_rows, n_sites = rows.shape
    n_block = min(n_rows, max(1, _BLOCK_SPINS // n_sites))
    space = np.zeros((n_block * n_sites + 7) // 8 * 8, np.uint8)
    for start in range(0, n_rows, n_block):
        shifted = _shift(rows[start : start + n_block].reshape(-1), space)
        if shifted is None:
            return False
        out[start : start + n_block] = np.packbits(shifted.reshape(-1, n_sites), axis=-1)
    return True


def _shift(spins: Bits, space: Bits) -> Bits | None:
    """Map −1 to 0 and +1 to 2 in ``space``; None if there is another value."""
    shifted = np.add(spins, np.uint8(1), out=space[: spins.size])
    # ``space`` is whole words, and past this block only zeros and twos: eight spins are checked at once.
    return None if np.bitwise_or.reduce(space.view(np.uint64)) & _NOT_A_SPIN else shifted


def unpack_spins(bits: Bits, out: Spins) -> None:
    """Undo :func:`pack_spins`."""
    n_rows, n_sites = out.shape
    if n_sites % 8 == 0:
        np.take(_EIGHT_SPINS, bits.reshape(-1), out=out.reshape(-1).view(np.uint64), mode="clip")  # "raise" would copy
        return
    n_block = max(1, _BLOCK_SPINS // n_sites)
    for start in range(0, n_rows, n_block):
        rows = bits[start : start + n_block]
        eights = _EIGHT_SPINS[rows].view(np.int8).reshape(len(rows), -1)
        out[start : start + n_block] = eights[:, :n_sites]


def correlate_bits(bits: Bits, n_before: int, length: int, n_after: int, out: Integers) -> None:
    """Write Σ_x s(x) s(x + r) along one axis of each row (n_before, length, n_after), r = 0 … length // 2."""
    n_sites = n_before * length * n_after
    n_block = max(1, _BLOCK_SPINS // n_sites)
    for start in range(0, len(bits), n_block):
        rows = np.unpackbits(bits[start : start + n_block], axis=-1, count=n_sites)
        up = rows.reshape(len(rows), n_before, length, n_after)
        for r in range(length // 2 + 1):
            unlike = np.count_nonzero(up[:, :, r:] ^ up[:, :, : length - r], axis=(1, 2, 3))
            unlike += np.count_nonzero(up[:, :, :r] ^ up[:, :, length - r :], axis=(1, 2, 3))
            out[start : start + n_block, r] = n_sites - 2 * unlike
