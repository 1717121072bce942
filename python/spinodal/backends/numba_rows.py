# SPDX-License-Identifier: BSD-3-Clause
"""Numba twin of the sweeps of one bit-packed lattice: 64-bit words, the same random numbers, the same bits.

``cpp/include/spinodal/packed.hpp`` defines the counters, masks and overwrites. Here a row of a sublattice is whole
words of its own; only the masks know that the compiled kernels lay several bands of rows side by side.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numba
import numpy as np

from spinodal.backends.numba_packed_words import draw

_U64 = np.uint64
MASK, OVERWRITE = 13, 14
BLOCK = 32


class Layout(NamedTuple):
    """Where the sites of row z·ly + y stand in the vectors that masks are drawn for."""

    n_rows: int
    ly: int
    width: int
    n_bands: int
    rows: int
    n_vectors: int
    n_numbers: int
    log_vectors: int


def layout_of(shape: tuple[int, ...]) -> Layout:
    """Return the layout of two or three even lengths, the last ≥ 64."""
    n_rows, width = math.prod(shape[:-1]), shape[-1] // 2
    n_bands = next((b for b in (8, 4, 2) if b * width <= 256 and shape[0] % b == 0), 1)
    rows = n_rows // n_bands
    n_vectors = 1 if n_bands > 1 else -(-width // 256)
    n_numbers = 2 * ((rows + 1) // 2) * n_vectors
    log_vectors = min(5, max(1, (n_numbers - 1).bit_length()))
    return Layout(n_rows, shape[-2], width, n_bands, rows, n_vectors, n_numbers, log_vectors)


@numba.njit(cache=True)
def nibbles(words, at, value, out):
    """One vector from its columns, and the bytes that decide the low and the high nibbles."""
    for q in range(4):
        columns, low, high = words[at + q], words[at + 4 + q], words[at + 8 + q]
        mask = _U64(0)
        for shift in range(0, 64, 8):
            s = _U64(shift)
            c = columns >> s
            below = value[((c & _U64(15)) << _U64(8)) | ((low >> s) & _U64(255))]
            above = value[((c & _U64(240)) << _U64(4)) | ((high >> s) & _U64(255))]
            mask |= (_U64(below) | (_U64(above) << _U64(4))) << s
        out[q] = mask


@numba.njit(cache=True)
def _bytes(words, at, value, even, odd):
    """Two vectors from their shared columns, and a byte for each byte."""
    for q in range(4):
        columns, low, high = words[at + q], words[at + 4 + q], words[at + 8 + q]
        even_mask, odd_mask = _U64(0), _U64(0)
        for shift in range(0, 64, 8):
            s = _U64(shift)
            c = columns >> s
            even_mask |= _U64(value[((c & _U64(15)) << _U64(8)) | ((low >> s) & _U64(255))]) << s
            odd_mask |= _U64(value[((c & _U64(240)) << _U64(4)) | ((high >> s) & _U64(255))]) << s
        even[q], odd[q] = even_mask, odd_mask


@numba.njit(cache=True)
def overwrite(table, n, hits, log_vectors, mask):
    """Make n overwrites of a mask (32, 4)."""
    flat = mask.reshape(-1)
    for k in range(n):
        hit = hits[k]
        column = hit & _U64(255 if table.by_bytes else 15)
        value = column if hit < table.cut[column] else _U64(table.alias[column])
        if table.by_bytes:
            place = (hit >> _U64(8)) & _U64((32 << log_vectors) - 1)
            at, shift, kept = place >> _U64(3), (place & _U64(7)) << _U64(3), _U64(255)
        else:
            place = (hit >> _U64(4)) & _U64((64 << log_vectors) - 1)
            at, shift, kept = place >> _U64(4), (place & _U64(15)) << _U64(2), _U64(15)
        flat[at] = (flat[at] & ~(kept << shift)) | (value << shift)


@numba.njit(cache=True)
def draw_block(stream, rule, purposes, block, n_vectors, color, sweep, chains, log_vectors, words, masks):
    """Draw X4, r8 and tie of a block into masks (3, 32, 4): purposes and chains of their counters, of overwrites'."""
    place, chain = 2 * block + color, chains[0]
    draw(stream, 0, 6 * n_vectors, purposes[0], place, sweep, chain, words)
    for v in range(n_vectors):
        nibbles(words, 12 * v, rule.x4.value, masks[0, v])
    if rule.r8.by_bytes:
        draw(stream, 192, 3 * n_vectors, purposes[0], place, sweep, chain, words)
        for v in range(0, n_vectors, 2):
            _bytes(words, 6 * v, rule.r8.value, masks[1, v], masks[1, v + 1])
    else:
        draw(stream, 192, 6 * n_vectors, purposes[0], place, sweep, chain, words)
        for v in range(n_vectors):
            nibbles(words, 12 * v, rule.r8.value, masks[1, v])
    if rule.heat_bath:
        draw(stream, 384, 2 * n_vectors, purposes[0], place, sweep, chain, masks[2].reshape(-1))
    draw(stream, 0, 1, purposes[1], place, sweep, chains[1], words)
    u4, u8 = words[0], words[1]
    for mask, table, u, first in ((masks[0], rule.x4, u4, 2), (masks[1], rule.r8, u8, 66)):
        n = np.searchsorted(table.count_limit, u)
        draw(stream, first, (n + 1) // 2, purposes[1], place, sweep, chains[1], words)
        overwrite(table, n, words, log_vectors, mask)


@numba.njit(cache=True, inline="always")
def side(row, i, width, to_left):
    """Word i of a row shifted by one site along the ring."""
    last, end = row.shape[0] - 1, _U64((width - 1) & 63)
    if to_left:
        before = row[i - 1] >> _U64(63) if i > 0 else row[last] >> end & _U64(1)
        return row[i] << _U64(1) | before
    after = row[i + 1] << _U64(63) if i < last else (row[0] & _U64(1)) << end
    return row[i] >> _U64(1) | after


@numba.njit(cache=True, inline="always")
def updated(spin, a, b, c, d, x4, r8, tie, heat_bath):
    """Return 64 spins after an update, their neighbours a, b, c, d."""
    sum_ab, both_ab, sum_cd, both_cd = a ^ b, a & b, c ^ d, c & d
    odd = sum_ab ^ sum_cd
    two = both_ab ^ both_cd ^ (sum_ab & sum_cd)
    four = both_ab & both_cd
    if heat_bath:
        three_up = (odd & two) | four
        up = three_up | (two & ~odd & tie)
        return up ^ ((odd & x4) | (~odd & r8))
    # Neighbours unlike the spin: none when all are like it, one when three are.
    three, one, none_up = odd & two, odd & ~two, ~(odd | two | four)
    aligned = (spin & four) | (~spin & none_up)
    one_unlike = (spin & three) | (~spin & one)
    return spin ^ (~(aligned | one_unlike) | r8 | (one_unlike & x4))


@numba.njit(cache=True)
def _update_block(planes, layout, block, color, masks, heat_bath):
    """Update the rows whose masks are a block's."""
    plane, other = planes[color], planes[1 - color]
    n_words = plane.shape[1]
    lane = 256 // layout.n_bands
    last_sites = ~_U64(0) >> _U64(63 - (layout.width - 1) % 64)
    for v in range(BLOCK):
        number = BLOCK * block + v
        r, j = 2 * (number // 2 // layout.n_vectors) + number % 2, number // 2 % layout.n_vectors
        if r >= layout.rows:
            continue
        for band in range(layout.n_bands):
            y = r + band * layout.rows
            above, below = other[y - 1 if y > 0 else layout.ly - 1], other[y + 1 if y < layout.ly - 1 else 0]
            to_left = (y + color) % 2 == 0
            for i in range(4 * j, min(n_words, 4 * j + 4)):
                bit = lane * band + 64 * (i - 4 * j)
                q, s = bit // 64, _U64(bit % 64)
                new = updated(
                    plane[y, i], other[y, i], side(other[y], i, layout.width, to_left), above[i], below[i],
                    masks[0, v, q] >> s, masks[1, v, q] >> s, masks[2, v, q] >> s, heat_bath,
                )  # fmt: skip
                plane[y, i] = new if i < n_words - 1 else new & last_sites


@numba.njit(cache=True)
def pack(spins, layout, reverse):
    """Return the bits of the two sublattices (2, n_rows, n_words), 1 = up; color 1 reversed if asked for."""
    planes = np.zeros((2, layout.n_rows, (layout.width + 63) // 64), dtype=_U64)
    for row in range(spins.shape[0]):
        for x in range(spins.shape[1]):
            color = (x + row + row // layout.ly) % 2
            up = (spins[row, x] > 0) != (reverse and color == 1)
            planes[color, row, x // 2 // 64] |= _U64(up) << _U64(x // 2 % 64)
    return planes


@numba.njit(cache=True)
def unpack(planes, layout, reverse, spins):
    """Undo ``pack``."""
    for row in range(spins.shape[0]):
        for x in range(spins.shape[1]):
            color = (x + row + row // layout.ly) % 2
            bit = planes[color, row, x // 2 // 64] >> _U64(x // 2 % 64) & _U64(1)
            up = (bit == _U64(1)) != (reverse and color == 1)
            spins[row, x] = 1 if up else -1


@numba.njit(cache=True, nogil=True)
def rows_sweeps(spins, layout, metropolis, heat_bath, heat_bath_every, reverse, n_sweeps, stream, sweep, chain):
    """Packed sweeps of one chain (ly, lx), in place."""
    planes = pack(spins, layout, reverse)
    masks = np.zeros((3, BLOCK, 4), dtype=_U64)
    words = np.zeros(12 * BLOCK, dtype=_U64)
    for t in range(sweep, sweep + n_sweeps):
        rule = heat_bath if heat_bath_every > 0 and t % heat_bath_every == heat_bath_every - 1 else metropolis
        for color in range(2):
            for block in range((layout.n_numbers + BLOCK - 1) // BLOCK):
                n = min(BLOCK, layout.n_numbers - BLOCK * block)
                draw_block(
                    stream, rule, (MASK, OVERWRITE), block, n, color, t, (chain, chain), layout.log_vectors, words,
                    masks,
                )  # fmt: skip
                _update_block(planes, layout, block, color, masks, rule.heat_bath)
    unpack(planes, layout, reverse, spins)
