# SPDX-License-Identifier: BSD-3-Clause
"""Numba twin of the sweeps of one bit-packed lattice in three dimensions: those of rows, with two neighbours more."""

from __future__ import annotations

import numba
import numpy as np

from spinodal.backends.numba_packed_words import draw
from spinodal.backends.numba_rows import BLOCK, MASK, OVERWRITE, draw_block, nibbles, overwrite, pack, side, unpack

_U64 = np.uint64


@numba.njit(cache=True)
def _draw_x8(stream, table, block, n_vectors, color, sweep, chain, log_vectors, words, mask):
    """Draw X8 of a block into a mask (32, 4)."""
    place = 2 * block + color
    draw(stream, 448, 6 * n_vectors, MASK, place, sweep, chain, words)
    for v in range(n_vectors):
        nibbles(words, 12 * v, table.value, mask[v])
    draw(stream, 1, 1, OVERWRITE, place, sweep, chain, words)
    n = np.searchsorted(table.count_limit, words[0])
    draw(stream, 130, (n + 1) // 2, OVERWRITE, place, sweep, chain, words)
    overwrite(table, n, words, log_vectors, mask)


@numba.njit(cache=True, inline="always")
def _updated(spin, a, b, c, d, e, f, x4, r8, tie, x8, heat_bath):
    """Return 64 spins after an update, their neighbours a … f."""
    sum1, sum2 = a ^ b ^ c, d ^ e ^ f
    carry1, carry2 = (a & b) | ((a ^ b) & c), (d & e) | ((d ^ e) & f)
    t = _U64(0) if heat_bath else spin ^ x4
    odd, carry3 = sum1 ^ sum2 ^ t, (sum1 & sum2) | ((sum1 ^ sum2) & t)
    twos = carry1 ^ carry2 ^ carry3
    fours = (carry1 & carry2) | ((carry1 ^ carry2) & carry3)
    if heat_bath:
        up = fours | (odd & twos & tie)
        even = ((twos ^ fours) & x4) | (~(twos ^ fours) & r8)
        return up ^ ((odd & ~twos & x8) | (~odd & even))
    # An up spin stays up if n + t + 2·t' ≥ 7, a down spin turns up if ≥ 3, n of the neighbours up, t' = spin ^ x8.
    u = spin ^ x8
    carry4 = (twos & odd) | ((twos ^ odd) & u)
    certain = (fours ^ carry4) | r8
    return (certain & ~spin) | (~certain & fours)


@numba.njit(cache=True)
def _update_block(planes, layout, block, color, masks, heat_bath):
    """Update the rows whose masks are a block's."""
    plane, other = planes[color], planes[1 - color]
    n_words, n_rows, ly = plane.shape[1], layout.n_rows, layout.ly
    lane = 256 // layout.n_bands
    last_sites = ~_U64(0) >> _U64(63 - (layout.width - 1) % 64)
    for v in range(BLOCK):
        number = BLOCK * block + v
        r, j = 2 * (number // 2 // layout.n_vectors) + number % 2, number // 2 % layout.n_vectors
        if r >= layout.rows:
            continue
        for band in range(layout.n_bands):
            row = r + band * layout.rows
            y = row % ly
            north, south = other[row - 1 if y > 0 else row + ly - 1], other[row + 1 if y < ly - 1 else row - y]
            below, above = other[(row - ly) % n_rows], other[(row + ly) % n_rows]
            to_left = (y + row // ly + color) % 2 == 0
            for i in range(4 * j, min(n_words, 4 * j + 4)):
                bit = lane * band + 64 * (i - 4 * j)
                q, s = bit // 64, _U64(bit % 64)
                new = _updated(
                    plane[row, i], other[row, i], side(other[row], i, layout.width, to_left), north[i], south[i],
                    below[i], above[i], masks[0, v, q] >> s, masks[1, v, q] >> s, masks[2, v, q] >> s,
                    masks[3, v, q] >> s, heat_bath,
                )  # fmt: skip
                plane[row, i] = new if i < n_words - 1 else new & last_sites


@numba.njit(cache=True, nogil=True)
def cube_sweeps(spins, layout, metropolis, heat_bath, x8, heat_bath_every, reverse, n_sweeps, stream, sweep, chain):
    """Packed sweeps of one chain, its rows (n_rows, lx), in place."""
    planes = pack(spins, layout, reverse)
    masks = np.zeros((4, BLOCK, 4), dtype=_U64)
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
                _draw_x8(stream, x8, block, n, color, t, chain, layout.log_vectors, words, masks[3])
                _update_block(planes, layout, block, color, masks, rule.heat_bath)
    unpack(planes, layout, reverse, spins)
