# SPDX-License-Identifier: BSD-3-Clause
"""Numba twin of the sweeps of one bit-packed lattice: 64-bit words, the same random numbers, the same bits.

``cpp/include/spinodal/packed.hpp`` defines the counters, masks and overwrites. Here a row of a sublattice is whole
words of its own; only the masks know that the compiled kernels lay several bands of rows side by side.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from spinodal.backends.numba_streams import ROUND, SBOX, WEYL_HI, WEYL_LO, stream_block

_U32, _U64 = np.uint32, np.uint64
_MASK, _OVERWRITE = 13, 14
_BLOCK = 32
_N_WORDS = 448
_PHILOX = 2
_ROUND_1 = (ROUND << _U32(8)) | (ROUND >> _U32(24))
_ROUND_2 = (ROUND << _U32(16)) | (ROUND >> _U32(16))
_ROUND_3 = (ROUND << _U32(24)) | (ROUND >> _U32(8))


class Layout(NamedTuple):
    """Where a row's sites stand in the vectors that masks are drawn for."""

    ly: int
    width: int
    n_bands: int
    rows: int
    n_vectors: int
    log_vectors: int


def layout_of(ly: int, lx: int) -> Layout:
    """Return the layout of even lengths, lx ≥ 64."""
    width = lx // 2
    n_bands = next((b for b in (8, 4, 2) if b * width <= 256 and ly % b == 0), 1)
    rows = ly // n_bands
    n_vectors = 1 if n_bands > 1 else -(-width // 256)
    n_numbers = 2 * ((rows + 1) // 2) * n_vectors
    return Layout(ly, width, n_bands, rows, n_vectors, min(5, max(1, (n_numbers - 1).bit_length())))


class Stream(NamedTuple):
    """A stream's seed, its round keys, and what each word's counter adds to the state after two rounds."""

    id: int
    n_rounds: int
    seed: np.uint64
    keys: np.ndarray
    added: np.ndarray


@numba.njit(cache=True, inline="always")
def _mixed(a, b, c, d, key):
    return _U32(
        ROUND[a & _U32(0xFF)]
        ^ _ROUND_1[(b >> _U32(8)) & _U32(0xFF)]
        ^ _ROUND_2[(c >> _U32(16)) & _U32(0xFF)]
        ^ _ROUND_3[d >> _U32(24)]
        ^ key
    )


@numba.njit(cache=True, inline="always")
def _substituted(a, b, c, d, key):
    return _U32(
        SBOX[a & _U32(0xFF)]
        ^ (SBOX[(b >> _U32(8)) & _U32(0xFF)] << _U32(8))
        ^ (SBOX[(c >> _U32(16)) & _U32(0xFF)] << _U32(16))
        ^ (SBOX[d >> _U32(24)] << _U32(24))
        ^ key
    )


@numba.njit(cache=True)
def _two_rounds(keys, c0, c1, c2, c3):
    a, b, c, d = c0 ^ keys[0, 0], c1 ^ keys[0, 1], c2 ^ keys[0, 2], c3 ^ keys[0, 3]
    for r in (1, 2):
        a, b, c, d = (
            _mixed(a, b, c, d, keys[r, 0]),
            _mixed(b, c, d, a, keys[r, 1]),
            _mixed(c, d, a, b, keys[r, 2]),
            _mixed(d, a, b, c, keys[r, 3]),
        )
    return a, b, c, d


@numba.njit(cache=True)
def _counter(n, purpose, place, sweep, chain):
    """Return the counter of a block's 128-bit word n, place = 2·block + color."""
    c0 = (n & 0xFF) | (place & 0xFF) << 8 | place >> 16 << 16 | purpose << 20 | sweep >> 32 << 24
    c1 = (place >> 8 & 0xFF) | n >> 8 << 8 | sweep << 16
    return _U32(c0), _U32(c1), _U32(sweep >> 16 & 0xFFFF | chain << 24), _U32(chain >> 8)


def stream_of(stream_id: int, seed: int) -> Stream:
    """Return a stream's constants: AES moves the index through two rounds on its own, so they are done once."""
    n_rounds = {0: 7, 1: 5}.get(stream_id, 0)
    keys = np.zeros((n_rounds + 1, 4), dtype=_U32)
    for r in range(n_rounds + 1):
        low = (seed + r * int(WEYL_LO)) % 2**64
        high = r * int(WEYL_HI) % 2**64
        keys[r] = low & 0xFFFFFFFF, low >> 32, high & 0xFFFFFFFF, high >> 32
    added = np.zeros((_N_WORDS, 4), dtype=_U32)
    if n_rounds:
        _fill_added(keys, added)
    return Stream(stream_id, n_rounds, _U64(seed), keys, added)


@numba.njit(cache=True)
def _fill_added(keys, added):
    origin = _two_rounds(keys, _U32(0), _U32(0), _U32(0), _U32(0))
    for n in range(added.shape[0]):
        c0, c1, c2, c3 = _counter(n, 0, 0, 0, 0)
        a, b, c, d = _two_rounds(keys, c0, c1, c2, c3)
        added[n, 0], added[n, 1] = a ^ origin[0], b ^ origin[1]
        added[n, 2], added[n, 3] = c ^ origin[2], d ^ origin[3]


@numba.njit(cache=True)
def draw(stream, first, n, purpose, place, sweep, chain, out):
    """Write the 128-bit words first … first + n − 1 of a block as pairs of 64-bit words."""
    if stream.id == _PHILOX:
        for i in range(n):
            c0, c1, c2, c3 = _counter(first + i, purpose, place, sweep, chain)
            out[2 * i], out[2 * i + 1] = stream_block(_PHILOX, stream.seed, c0, c1, c2, c3)
        return
    keys, added, last = stream.keys, stream.added, stream.n_rounds
    c0, c1, c2, c3 = _counter(0, purpose, place, sweep, chain)
    base = _two_rounds(keys, c0, c1, c2, c3)
    for i in range(n):
        a, b = base[0] ^ added[first + i, 0], base[1] ^ added[first + i, 1]
        c, d = base[2] ^ added[first + i, 2], base[3] ^ added[first + i, 3]
        for r in range(3, last):
            a, b, c, d = (
                _mixed(a, b, c, d, keys[r, 0]),
                _mixed(b, c, d, a, keys[r, 1]),
                _mixed(c, d, a, b, keys[r, 2]),
                _mixed(d, a, b, c, keys[r, 3]),
            )
        out[2 * i] = _U64(_substituted(a, b, c, d, keys[last, 0])) | _U64(
            _substituted(b, c, d, a, keys[last, 1])
        ) << _U64(32)
        out[2 * i + 1] = _U64(_substituted(c, d, a, b, keys[last, 2])) | _U64(
            _substituted(d, a, b, c, keys[last, 3])
        ) << _U64(32)


@numba.njit(cache=True)
def _nibbles(words, at, value, out):
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
def _overwrite(table, n, hits, log_vectors, mask):
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
        _nibbles(words, 12 * v, rule.x4.value, masks[0, v])
    if rule.r8.by_bytes:
        draw(stream, 192, 3 * n_vectors, purposes[0], place, sweep, chain, words)
        for v in range(0, n_vectors, 2):
            _bytes(words, 6 * v, rule.r8.value, masks[1, v], masks[1, v + 1])
    else:
        draw(stream, 192, 6 * n_vectors, purposes[0], place, sweep, chain, words)
        for v in range(n_vectors):
            _nibbles(words, 12 * v, rule.r8.value, masks[1, v])
    if rule.heat_bath:
        draw(stream, 384, 2 * n_vectors, purposes[0], place, sweep, chain, masks[2].reshape(-1))
    draw(stream, 0, 1, purposes[1], place, sweep, chains[1], words)
    u4, u8 = words[0], words[1]
    for mask, table, u, first in ((masks[0], rule.x4, u4, 2), (masks[1], rule.r8, u8, 66)):
        n = np.searchsorted(table.count_limit, u)
        draw(stream, first, (n + 1) // 2, purposes[1], place, sweep, chains[1], words)
        _overwrite(table, n, words, log_vectors, mask)


@numba.njit(cache=True, inline="always")
def _side(row, i, width, to_left):
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
    for v in range(_BLOCK):
        number = _BLOCK * block + v
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
                    plane[y, i], other[y, i], _side(other[y], i, layout.width, to_left), above[i], below[i],
                    masks[0, v, q] >> s, masks[1, v, q] >> s, masks[2, v, q] >> s, heat_bath,
                )  # fmt: skip
                plane[y, i] = new if i < n_words - 1 else new & last_sites


@numba.njit(cache=True)
def _pack(spins, planes, reverse):
    """Bits of the two sublattices, 1 = up; color 1 reversed if asked for."""
    planes[:] = _U64(0)
    for y in range(spins.shape[0]):
        for x in range(spins.shape[1]):
            color = (x + y) % 2
            up = (spins[y, x] > 0) != (reverse and color == 1)
            planes[color, y, x // 2 // 64] |= _U64(up) << _U64(x // 2 % 64)


@numba.njit(cache=True)
def _unpack(planes, spins, reverse):
    for y in range(spins.shape[0]):
        for x in range(spins.shape[1]):
            color = (x + y) % 2
            bit = planes[color, y, x // 2 // 64] >> _U64(x // 2 % 64) & _U64(1)
            up = (bit == _U64(1)) != (reverse and color == 1)
            spins[y, x] = 1 if up else -1


@numba.njit(cache=True, nogil=True)
def rows_sweeps(spins, layout, metropolis, heat_bath, heat_bath_every, reverse, n_sweeps, stream, sweep, chain):
    """Packed sweeps of one chain (ly, lx), in place."""
    planes = np.zeros((2, layout.ly, (layout.width + 63) // 64), dtype=_U64)
    masks = np.zeros((3, _BLOCK, 4), dtype=_U64)
    words = np.zeros(12 * _BLOCK, dtype=_U64)
    n_numbers = 2 * ((layout.rows + 1) // 2) * layout.n_vectors
    _pack(spins, planes, reverse)
    for t in range(sweep, sweep + n_sweeps):
        rule = heat_bath if heat_bath_every > 0 and t % heat_bath_every == heat_bath_every - 1 else metropolis
        for color in range(2):
            for block in range((n_numbers + _BLOCK - 1) // _BLOCK):
                n = min(_BLOCK, n_numbers - _BLOCK * block)
                draw_block(
                    stream, rule, (_MASK, _OVERWRITE), block, n, color, t, (chain, chain), layout.log_vectors, words,
                    masks,
                )  # fmt: skip
                _update_block(planes, layout, block, color, masks, rule.heat_bath)
    _unpack(planes, spins, reverse)
