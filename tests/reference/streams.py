# SPDX-License-Identifier: BSD-3-Clause
"""The counter streams by definition: AES from the arithmetic of GF(2⁸), Philox from its paper.

FIPS 197 defines the AES round. ARS-R and Philox4x32-10 are those of Salmon et al., "Parallel random
numbers: as easy as 1, 2, 3", SC'11. Blocks are uint32 (n, 4); word 0 is the low one.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint32]
Bytes = npt.NDArray[np.uint8]

N_ROUNDS = {"ars7": 7, "ars5": 5}
PURPOSES = (
    "local_even", "local_odd", "local_even_tail", "local_odd_tail", "wolff_seed", "wolff_bond", "wolff_tail",
    "cluster_bond", "cluster_tail", "cluster_flip", "cluster_field", "initial_spins", "tempering_swap",
)  # fmt: skip

# Salmon et al., section 4: round keys grow by the golden ratio and √3 − 1.
WEYL_LO, WEYL_HI = 0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B


def multiply(a: int, b: int) -> int:
    """Product in GF(2⁸) modulo x⁸ + x⁴ + x³ + x + 1."""
    product = 0
    for bit in range(8):
        if b >> bit & 1:
            product ^= a << bit
    for bit in range(14, 7, -1):
        if product >> bit & 1:
            product ^= 0x11B << (bit - 8)
    return product


def substitute(x: int) -> int:
    """The AES S-box: the inverse, then b_i ⊕ b_{i+4} ⊕ b_{i+5} ⊕ b_{i+6} ⊕ b_{i+7} ⊕ c_i."""
    inverse = next((y for y in range(256) if multiply(x, y) == 1), 0)
    bit = [inverse >> i & 1 for i in range(8)]
    mixed = [bit[i] ^ bit[(i + 4) % 8] ^ bit[(i + 5) % 8] ^ bit[(i + 6) % 8] ^ bit[(i + 7) % 8] for i in range(8)]
    return sum(b << i for i, b in enumerate(mixed)) ^ 0x63


SBOX = np.array([substitute(x) for x in range(256)], dtype=np.uint8)
DOUBLE = np.array([multiply(x, 2) for x in range(256)], dtype=np.uint8)


def shift_rows(state: Bytes) -> Bytes:
    """State (n, column, row), 4 × 4: row r moves left by r columns."""
    return np.stack([np.roll(state[:, :, row], -row, axis=1) for row in range(4)], axis=2)


def mix_columns(state: Bytes) -> Bytes:
    """Each byte becomes 2·own ⊕ 3·next ⊕ the other two of its column."""
    following = np.roll(state, -1, axis=2)
    third, fourth = np.roll(state, -2, axis=2), np.roll(state, -3, axis=2)
    return DOUBLE[state] ^ DOUBLE[following] ^ following ^ third ^ fourth


def round_key(key: int, r: int) -> Bytes:
    low = (key + r * WEYL_LO) % 2**64
    high = ((key >> 64) + r * WEYL_HI) % 2**64
    return np.frombuffer((low | high << 64).to_bytes(16, "little"), dtype=np.uint8).reshape(4, 4)


def ars(counters: npt.ArrayLike, key: int, n_rounds: int) -> Words:
    """ARS-R: AES rounds, the last without MixColumns, under Weyl round keys of a 128-bit key."""
    words = np.ascontiguousarray(counters, dtype="<u4")
    state = words.view(np.uint8).reshape(-1, 4, 4) ^ round_key(key % 2**128, 0)
    for r in range(1, n_rounds + 1):
        state = shift_rows(SBOX[state])
        if r < n_rounds:
            state = mix_columns(state)
        state = state ^ round_key(key, r)
    return np.ascontiguousarray(state).reshape(-1, 16).view("<u4").astype(np.uint32)


def philox4x32(counters: npt.ArrayLike, key: int, n_rounds: int = 10) -> Words:
    """Philox4x32-R under a 64-bit key."""
    c = np.asarray(counters, dtype=np.uint64).T
    low_half, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    for r in range(n_rounds):
        k0, k1 = np.uint64((key + r * 0x9E3779B9) % 2**32), np.uint64(((key >> 32) + r * 0xBB67AE85) % 2**32)
        p0, p1 = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        c = np.stack([p1 >> half ^ c[1] ^ k0, p1 & low_half, p0 >> half ^ c[3] ^ k1, p0 & low_half])
    return np.ascontiguousarray(c.T).astype(np.uint32)


def stream_blocks(stream: str, seed: int, counters: npt.ArrayLike) -> Words:
    """Blocks (n, 4) of a named stream at counters (n, 4)."""
    if stream == "philox10":
        return philox4x32(counters, seed)
    return ars(counters, seed, N_ROUNDS[stream])


def counter(
    purpose: str, block: npt.ArrayLike = 0, row: npt.ArrayLike = 0, sweep: npt.ArrayLike = 0, chain: npt.ArrayLike = 0
) -> Words:
    """Counters (n, 4): block < 2²⁰ | purpose | high byte of a 40-bit sweep; row; low sweep; chain."""
    block, row, sweep, chain = np.broadcast_arrays(
        *(np.asarray(v, dtype=np.uint64) for v in (block, row, sweep, chain))
    )
    head = block | np.uint64(PURPOSES.index(purpose) << 20) | sweep >> np.uint64(32) << np.uint64(24)
    words = np.stack([head, row, sweep & np.uint64(0xFFFFFFFF), chain], axis=-1)
    return words.reshape(-1, 4).astype(np.uint32)
