# SPDX-License-Identifier: BSD-3-Clause
"""Alias tables of the packed masks by exact rational arithmetic where the kernel uses 62-bit fixed point.

The law P of a nibble (or byte) is (1 − δ)·cells/4096 + δ·R: ``cells`` is what a column and a byte sample, R what
Poisson overwrites draw.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

ONE = 1 << 62
MAX_OVERWRITES = 127
MAX_BYTE_DELTA = 3 * ONE // 64


@dataclass
class Overwrites:
    mean: float
    count_limit: list[int]
    cut: list[int]
    alias: list[int]


@dataclass
class MaskTable:
    by_bytes: bool
    cells: list[int]  # of the column's own value
    value: list[int]  # by bytes: the column's value; by nibbles: the value above the cells
    kept: int  # 1 − δ
    overwrites: Overwrites


def fixed(p: float) -> int:
    return int(math.ldexp(p, 62))


def value_probabilities(p: int, n_bits: int) -> list[int]:
    """Of a value of n_bits independent bits, by its number of ones; products rounded down, the rest to zero ones."""
    by_ones = [0] * (n_bits + 1)
    for ones in range(1, n_bits + 1):
        by_ones[ones] = ONE
        for bit in range(n_bits):
            by_ones[ones] = by_ones[ones] * (p if bit < ones else ONE - p) >> 62
    by_ones[0] = ONE - sum(math.comb(n_bits, ones) * by_ones[ones] for ones in range(1, n_bits + 1))
    return by_ones


def share_cells(probability: list[int], max_cells: list[int]) -> tuple[list[int], int]:
    """Cells, and 1 − δ = min P·4096/cells: floors, then one by one to where that ratio stays highest."""
    cells = [p * 4096 // ONE for p in probability]
    for _ in range(4096 - sum(cells)):
        free = [o for o in range(len(cells)) if cells[o] < max_cells[o]]
        best = free[0]
        for o in free[1:]:
            if probability[o] * (cells[best] + 1) > probability[best] * (cells[o] + 1):
                best = o
        cells[best] += 1
    ratios = [(p << 12) // n for p, n in zip(probability, cells, strict=True) if n > 0]
    return cells, min(*ratios, ONE)


def fill_columns(count: list[int], size: int) -> tuple[list[int], list[int]]:
    """(cut, alias) of columns of ``size`` cells: i below cut[i], alias[i] above."""
    left = list(count)
    cut, alias = [0] * len(left), list(range(len(left)))
    small = [i for i, n in enumerate(left) if n < size]
    large = [i for i, n in enumerate(left) if n >= size]
    while small and large:
        poor, rich = small.pop(), large[-1]
        cut[poor], alias[poor] = left[poor], rich
        left[rich] -= size - left[poor]
        if left[rich] < size:
            small.append(large.pop())
    return cut, alias


def threshold(p: float) -> int:
    return min(max(math.ceil(math.ldexp(p, 64)), 1), 2**64) - 1


def count_limits(mean: float) -> list[int]:
    probability = total = math.exp(-mean)
    limits = []
    for k in range(MAX_OVERWRITES):
        limits.append(threshold(total))
        probability = probability * mean / (k + 1)
        total += probability
    return [*limits, 2**64 - 1]


def overwrites(probability: list[int], cells: list[int], kept: int, log_vectors: int) -> Overwrites:
    n_bits = (len(probability) - 1).bit_length()
    log_cells = 53 if n_bits == 4 else 54
    weight = [(p << 12) - kept * n for p, n in zip(probability, cells, strict=True)]
    total = (ONE - kept) << 12
    count = [(w << log_cells) // total if total else 0 for w in weight]
    count[count.index(max(count))] += (1 << log_cells) - sum(count)
    cut, alias = fill_columns(count, 1 << (log_cells - n_bits))
    delta = math.ldexp(float(ONE - kept), -62)
    mean = ((64 if n_bits == 4 else 32) << log_vectors) * -math.log1p(-delta)
    return Overwrites(mean, count_limits(mean), [c << (64 - log_cells + n_bits) for c in cut], alias)


def nibble_table(p: int, log_vectors: int) -> MaskTable:
    by_ones = value_probabilities(p, 4)
    probability = [by_ones[o.bit_count()] for o in range(16)]
    cells, kept = share_cells(probability, [4096] * 16)
    cut, alias = fill_columns(cells, 256)
    return MaskTable(False, cut, alias, kept, overwrites(probability, cells, kept, log_vectors))


def byte_table(p: int, log_vectors: int) -> MaskTable | None:
    by_ones = value_probabilities(p, 8)
    if ONE - by_ones[0] - 8 * by_ones[1] > 2 * MAX_BYTE_DELTA:
        return None
    value = [1 << c for c in range(8)] + [1 << c | 1 << (c + 3) % 8 for c in range(8)]
    shared, kept = share_cells([by_ones[0]] + [by_ones[1]] * 8 + [by_ones[2]] * 8, [4096] + [255] * 16)
    if ONE - kept > MAX_BYTE_DELTA:
        return None
    probability = [by_ones[o.bit_count()] for o in range(256)]
    cells = [0] * 256
    for v, n in zip([0, *value], shared, strict=True):
        cells[v] = n
    return MaskTable(True, shared[1:], value, kept, overwrites(probability, cells, kept, log_vectors))


def mask_table(p: float, may_use_bytes: bool, log_vectors: int) -> MaskTable:
    table = byte_table(fixed(p), log_vectors) if may_use_bytes else None
    return table or nibble_table(fixed(p), log_vectors)


def expit_minus(x: float) -> float:
    """1 / (1 + e^x)."""
    return 1 / (1 + math.exp(x)) if x < 709.78 else 0.0


def chain_tables(exponent: float, log_vectors: int, *, cubic: bool = False) -> dict[str, MaskTable]:
    """The masks at exponent = β|J|."""
    tables = {
        "x4": mask_table(expit_minus(4 * exponent), False, log_vectors),
        "metropolis": mask_table(math.exp((-16 if cubic else -8) * exponent), True, log_vectors),
        "heat_bath": mask_table(expit_minus((12 if cubic else 8) * exponent), True, log_vectors),
    }
    if cubic:
        tables["x8"] = mask_table(expit_minus(8 * exponent), False, log_vectors)
    return tables
