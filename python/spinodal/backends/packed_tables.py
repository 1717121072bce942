# SPDX-License-Identifier: BSD-3-Clause
"""Alias tables of the packed masks, for backends without compiled code.

A mask is drawn nibble by nibble, or, where its bits are rare, byte by byte, from a law of integer cells out of 4096;
Poisson overwrites, drawn from what the wanted law has left, make it exact. All of it in fixed point with 62 bits, as
the compiled kernels have it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

_ONE = 1 << 62
_CELLS, _COLUMN = 4096, 256
_MAX_OVERWRITES = 127
_MAX_BYTE_DELTA = 3 * _ONE // 64

Bytes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint64]


class MaskTable(NamedTuple):
    """One mask: ``value[column << 8 | u]``, and its overwrites."""

    by_bytes: bool
    value: Bytes
    count_limit: Words
    cut: Words
    alias: Bytes


class Rule(NamedTuple):
    """Both masks of a rule at one temperature."""

    heat_bath: bool
    x4: MaskTable
    r8: MaskTable


def rules(exponent: float, log_vectors: int) -> tuple[Rule, Rule]:
    """Return Metropolis and heat bath at β|J|, for blocks of ``2**log_vectors`` vectors."""
    x4 = _nibble_table(_fixed(_expit_minus(4 * exponent)), log_vectors)
    metropolis = _table(_fixed(math.exp(-8 * exponent)), log_vectors)
    heat_bath = _table(_fixed(_expit_minus(8 * exponent)), log_vectors)
    return Rule(False, x4, metropolis), Rule(True, x4, heat_bath)


def cubic_rules(exponent: float, log_vectors: int) -> tuple[Rule, Rule, MaskTable]:
    """Return Metropolis, heat bath and the mask X8 of both, in three dimensions."""
    x4 = _nibble_table(_fixed(_expit_minus(4 * exponent)), log_vectors)
    x8 = _nibble_table(_fixed(_expit_minus(8 * exponent)), log_vectors)
    metropolis = _table(_fixed(math.exp(-16 * exponent)), log_vectors)
    heat_bath = _table(_fixed(_expit_minus(12 * exponent)), log_vectors)
    return Rule(False, x4, metropolis), Rule(True, x4, heat_bath), x8


def _fixed(p: float) -> int:
    return int(math.ldexp(p, 62))


def _expit_minus(x: float) -> float:
    """Return 1 / (1 + e^x)."""
    return 1 / (1 + math.exp(x)) if x < 709.78 else 0.0


def _value_probabilities(p: int, n_bits: int) -> list[int]:
    """Of one value of ``n_bits`` bits, by its number of ones; what rounding leaves goes to none."""
    by_ones = [0] * (n_bits + 1)
    for ones in range(1, n_bits + 1):
        by_ones[ones] = _ONE
        for bit in range(n_bits):
            by_ones[ones] = by_ones[ones] * (p if bit < ones else _ONE - p) >> 62
    by_ones[0] = _ONE - sum(math.comb(n_bits, ones) * by_ones[ones] for ones in range(1, n_bits + 1))
    return by_ones


def _share_cells(probability: list[int], max_cells: list[int]) -> tuple[list[int], int]:
    """Share 4096 cells so that 1 − δ = min P·4096/cells is greatest; return both."""
    cells = [p >> 50 for p in probability]
    for _ in range(_CELLS - sum(cells)):
        best = -1
        for o, p in enumerate(probability):
            if cells[o] < max_cells[o] and (best < 0 or p * (cells[best] + 1) > probability[best] * (cells[o] + 1)):
                best = o
        cells[best] += 1
    ratios = [(p << 12) // n for p, n in zip(probability, cells, strict=True) if n]
    return cells, min(*ratios, _ONE)


def _fill_columns(count: list[int], size: int) -> tuple[list[int], list[int]]:
    """Share values into columns of ``size`` cells: column i is i below cut[i], alias[i] above."""
    count = list(count)
    cut, alias = [0] * len(count), list(range(len(count)))
    small = [i for i, n in enumerate(count) if n < size]
    large = [i for i, n in enumerate(count) if n >= size]
    while small and large:
        poor, rich = small.pop(), large[-1]
        cut[poor], alias[poor] = count[poor], rich
        count[rich] -= size - count[poor]
        if count[rich] < size:
            small.append(large.pop())
    return cut, alias


def count_limits(mean: float) -> Words:
    """Return the limits by which a uniform U gives the number of overwrites #{k : U > limit[k]}."""
    probability = total = math.exp(-mean)
    limits = []
    for k in range(_MAX_OVERWRITES):
        limits.append(min(max(math.ceil(math.ldexp(total, 64)), 1), 2**64) - 1)
        probability = probability * mean / (k + 1)
        total += probability
    return np.array([*limits, 2**64 - 1], dtype=np.uint64)


def _overwrites(probability: list[int], cells: list[int], kept: int, log_vectors: int) -> tuple[Words, Words, Bytes]:
    """Return the limits of their number, and the columns their values are drawn from: P·4096 − (1 − δ)·cells."""
    n_bits = (len(probability) - 1).bit_length()
    log_cells = 53 if n_bits == 4 else 54
    weight = [(p << 12) - kept * n for p, n in zip(probability, cells, strict=True)]
    total = (_ONE - kept) << 12
    count = [(w << log_cells) // total if total else 0 for w in weight]
    count[count.index(max(count))] += (1 << log_cells) - sum(count)
    cut, alias = _fill_columns(count, 1 << (log_cells - n_bits))
    delta = math.ldexp(float(_ONE - kept), -62)
    limits = count_limits(((64 if n_bits == 4 else 32) << log_vectors) * -math.log1p(-delta))
    shifted = np.array(cut, dtype=np.uint64) << np.uint64(64 - log_cells + n_bits)
    return limits, shifted, np.array(alias, dtype=np.uint8)


def _lookup(cut: list[int], own: list[int], other: list[int]) -> Bytes:
    """Return the value of column c at byte u, read as signed plus 128: own[c] below cut[c], other[c] above."""
    u = np.arange(256) ^ 0x80
    return np.array([np.where(u < cut[c], own[c], other[c]) for c in range(16)], dtype=np.uint8).reshape(-1)


def _nibble_table(p: int, log_vectors: int) -> MaskTable:
    by_ones = _value_probabilities(p, 4)
    probability = [by_ones[o.bit_count()] for o in range(16)]
    cells, kept = _share_cells(probability, [_CELLS] * 16)
    cut, alias = _fill_columns(cells, _COLUMN)
    value = _lookup(cut, list(range(16)), alias)
    return MaskTable(False, value, *_overwrites(probability, cells, kept, log_vectors))


def _table(p: int, log_vectors: int) -> MaskTable:
    """By bytes where that takes few overwrites: the 8 single bits, and 8 of the 28 pairs."""
    by_ones = _value_probabilities(p, 8)
    values = [1 << c for c in range(8)] + [1 << c | 1 << (c + 3) % 8 for c in range(8)]
    if _ONE - by_ones[0] - 8 * by_ones[1] > 2 * _MAX_BYTE_DELTA:
        return _nibble_table(p, log_vectors)
    columns = [by_ones[0]] + [by_ones[1]] * 8 + [by_ones[2]] * 8
    shared, kept = _share_cells(columns, [_CELLS] + [_COLUMN - 1] * 16)
    if _ONE - kept > _MAX_BYTE_DELTA:
        return _nibble_table(p, log_vectors)
    cells = [0] * 256
    for value, n in zip([0, *values], shared, strict=True):
        cells[value] = n
    probability = [by_ones[o.bit_count()] for o in range(256)]
    value_of = _lookup(shared[1:], values, [0] * 16)
    return MaskTable(True, value_of, *_overwrites(probability, cells, kept, log_vectors))
