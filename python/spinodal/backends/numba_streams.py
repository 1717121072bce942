# SPDX-License-Identifier: BSD-3-Clause
"""The counter streams in Numba: the same 128 bits as the compiled ones, AES by tables.

ARS-5, ARS-7 and Philox4x32-10 of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
SC'11. ``stream_block(stream_id, seed, c0, c1, c2, c3)`` returns the block's two 64-bit halves.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

STREAM_IDS = {"ars7": 0, "ars5": 1, "philox10": 2}

_U32, _U64 = np.uint32, np.uint64
WEYL_LO, WEYL_HI = _U64(0x9E3779B97F4A7C15), _U64(0xBB67AE8584CAA73B)


def _gf_double(x: int) -> int:
    return (x << 1 ^ 0x1B) & 0xFF if x & 0x80 else x << 1


def _sbox() -> npt.NDArray[np.uint32]:
    """The AES S-box: the inverse in GF(2⁸) by powers of the generator 3, then the affine map."""
    power = [1]
    while len(power) < 255:
        power.append(power[-1] ^ _gf_double(power[-1]))
    box = np.full(256, 0x63, dtype=_U32)
    for exponent, x in enumerate(power):
        inverse = power[-exponent % 255]
        rotations = [(inverse << k | inverse >> (8 - k)) & 0xFF for k in range(5)]
        box[x] = np.bitwise_xor.reduce(rotations) ^ 0x63
    return box


def _round_table(box: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """SubBytes and MixColumns of one byte, as a little-endian word (2S, S, S, 3S)."""
    return np.array([_gf_double(int(s)) | s << 8 | s << 16 | (_gf_double(int(s)) ^ s) << 24 for s in box], dtype=_U32)


SBOX = _sbox()
ROUND = _round_table(SBOX)


@numba.njit(cache=True, inline="always")
def _byte(word: np.uint32, index: int) -> int:
    return numba.int64((word >> _U32(8 * index)) & _U32(0xFF))


@numba.njit(cache=True, inline="always")
def _rotate(word: np.uint32, bits: int) -> np.uint32:
    return _U32((word << _U32(bits)) | (word >> _U32(32 - bits)))


@numba.njit(cache=True)
def _mix(a: np.uint32, b: np.uint32, c: np.uint32, d: np.uint32) -> np.uint32:
    return _U32(
        ROUND[_byte(a, 0)]
        ^ _rotate(ROUND[_byte(b, 1)], 8)
        ^ _rotate(ROUND[_byte(c, 2)], 16)
        ^ _rotate(ROUND[_byte(d, 3)], 24)
    )


@numba.njit(cache=True)
def _substitute(a: np.uint32, b: np.uint32, c: np.uint32, d: np.uint32) -> np.uint32:
    return _U32(
        SBOX[_byte(a, 0)] | SBOX[_byte(b, 1)] << _U32(8) | SBOX[_byte(c, 2)] << _U32(16) | SBOX[_byte(d, 3)] << _U32(24)
    )


@numba.njit(cache=True)
def _ars(n_rounds: int, seed: np.uint64, c0: np.uint32, c1: np.uint32, c2: np.uint32, c3: np.uint32):
    lo, hi = seed, _U64(0)
    x0, x1 = _U32(c0 ^ _U32(lo)), _U32(c1 ^ _U32(lo >> _U64(32)))
    x2, x3 = c2, c3
    for _ in range(n_rounds - 1):
        lo, hi = lo + WEYL_LO, hi + WEYL_HI
        x0, x1, x2, x3 = (
            _U32(_mix(x0, x1, x2, x3) ^ _U32(lo)),
            _U32(_mix(x1, x2, x3, x0) ^ _U32(lo >> _U64(32))),
            _U32(_mix(x2, x3, x0, x1) ^ _U32(hi)),
            _U32(_mix(x3, x0, x1, x2) ^ _U32(hi >> _U64(32))),
        )
    lo, hi = lo + WEYL_LO, hi + WEYL_HI
    out_lo = _U64(_substitute(x0, x1, x2, x3)) | _U64(_substitute(x1, x2, x3, x0)) << _U64(32)
    out_hi = _U64(_substitute(x2, x3, x0, x1)) | _U64(_substitute(x3, x0, x1, x2)) << _U64(32)
    return out_lo ^ lo, out_hi ^ hi


@numba.njit(cache=True)
def _philox10(seed: np.uint64, c0: np.uint32, c1: np.uint32, c2: np.uint32, c3: np.uint32):
    k0, k1 = _U32(seed), _U32(seed >> _U64(32))
    for _ in range(10):
        p0, p1 = _U64(0xD2511F53) * _U64(c0), _U64(0xCD9E8D57) * _U64(c2)
        c0, c1, c2, c3 = (
            _U32(_U32(p1 >> _U64(32)) ^ c1 ^ k0),
            _U32(p1),
            _U32(_U32(p0 >> _U64(32)) ^ c3 ^ k1),
            _U32(p0),
        )
        k0, k1 = _U32(k0 + _U32(0x9E3779B9)), _U32(k1 + _U32(0xBB67AE85))
    return _U64(c0) | _U64(c1) << _U64(32), _U64(c2) | _U64(c3) << _U64(32)


@numba.njit(cache=True)
def stream_block(stream_id: int, seed: np.uint64, c0: np.uint32, c1: np.uint32, c2: np.uint32, c3: np.uint32):
    """Return the low and high 64 bits of a stream's block."""
    if stream_id == 2:
        return _philox10(seed, c0, c1, c2, c3)
    return _ars(7 if stream_id == 0 else 5, seed, c0, c1, c2, c3)


@numba.njit(cache=True)
def counter_word(purpose: int, block: int, sweep: int) -> np.uint32:
    """Return c0 = block | purpose << 20 | (sweep >> 32) << 24."""
    return _U32(block | purpose << 20 | (sweep >> 32) << 24)


@numba.njit(cache=True, nogil=True)
def stream_blocks(stream_id: int, seed: np.uint64, counters: npt.NDArray[np.uint32], out: npt.NDArray[np.uint32]):
    """Write a stream's blocks (n, 4) at counters (n, 4)."""
    for i in range(counters.shape[0]):
        c = counters[i]
        lo, hi = stream_block(stream_id, seed, c[0], c[1], c[2], c[3])
        out[i, 0], out[i, 1] = _U32(lo), _U32(lo >> _U64(32))
        out[i, 2], out[i, 3] = _U32(hi), _U32(hi >> _U64(32))
