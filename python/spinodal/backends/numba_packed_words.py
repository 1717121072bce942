# SPDX-License-Identifier: BSD-3-Clause
"""Random words of the bit-packed kernels: a stream's blocks at the counters of ``cpp/include/spinodal/packed.hpp``."""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from spinodal.backends.numba_streams import ROUND, SBOX, WEYL_HI, WEYL_LO, stream_block

_U32, _U64 = np.uint32, np.uint64
_N_WORDS = 640
_PHILOX = 2
_ROUND_1 = (ROUND << _U32(8)) | (ROUND >> _U32(24))
_ROUND_2 = (ROUND << _U32(16)) | (ROUND >> _U32(16))
_ROUND_3 = (ROUND << _U32(24)) | (ROUND >> _U32(8))


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
