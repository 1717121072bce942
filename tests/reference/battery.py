# SPDX-License-Identifier: BSD-3-Clause
"""Statistical tests of a counter stream, on counters as the kernels count them.

A stream is a function of counters (n, 4) and a seed to blocks (n, 4). The kernels read low-entropy
counters: few blocks a row, consecutive rows, sweeps and chains, two colours. Every test returns
two-sided p-values by name: as unlikely to be too regular as too irregular.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from reference.streams import Words, counter

Array = npt.NDArray[Any]
Stream = Callable[[Words, int], Words]
PValues = dict[str, float]
SEED = 2026

# Axes of a counter: the step from one number to its neighbour in the lattice or in time.
AXES = {
    "block": (0, 1), "colour": (0, 1 << 20), "tail": (0, 2 << 20), "row": (1, 1), "sweep": (2, 1), "chain": (3, 1),
}  # fmt: skip


def two_sided(upper: float) -> float:
    """From the upper tail's probability."""
    return float(2 * min(upper, 1 - upper, 0.5))


def z_to_p(z: npt.ArrayLike) -> float:
    """The largest of many |z|, with Bonferroni's factor."""
    values = np.abs(np.atleast_1d(z))
    return float(min(1.0, 2 * stats.norm.sf(values.max()) * values.size))


def chi2_p(counts: Array, expected: npt.ArrayLike) -> float:
    wanted = np.broadcast_to(expected, counts.shape)
    return two_sided(stats.chi2.sf(((counts - wanted) ** 2 / wanted).sum(), counts.size - 1))


def lattice_counters(n_chains: int, n_sweeps: int, n_rows: int, n_blocks: int) -> Iterator[Words]:
    """The counters of both colours of a run of small lattices, chain by chain."""
    block, row, sweep = np.meshgrid(range(n_blocks), range(n_rows), range(n_sweeps))
    for chain in range(n_chains):
        for purpose in ("local_even", "local_odd"):
            yield counter(purpose, block.ravel(), row.ravel(), sweep.ravel(), chain)


def shifted(counters: Words, axis: str) -> Words:
    word, step = AXES[axis]
    result = counters.copy()
    result[:, word] += np.uint32(step)
    return result


def to_bytes(blocks: Words) -> npt.NDArray[np.uint8]:
    return np.ascontiguousarray(blocks).astype("<u4", copy=False).view(np.uint8)


def counts_of_bytes(draw: Stream, counters: Iterator[Words]) -> PValues:
    """Bytes, bits and pairs of bits within a byte, at each of the sixteen places of a block."""
    counts = np.zeros((16, 256), dtype=np.int64)
    for part in counters:
        octets = to_bytes(draw(part, SEED))
        for place in range(16):
            counts[place] += np.bincount(octets[:, place], minlength=256)
    n = counts[0].sum()
    bit = np.arange(256)[:, None] >> np.arange(8) & 1
    ones = (counts @ bit - n / 2) / np.sqrt(n / 4)
    pair = (bit[:, :, None] ^ bit[:, None, :])[:, *np.triu_indices(8, 1)]
    unequal = (counts @ pair - n / 2) / np.sqrt(n / 4)
    by_place = [chi2_p(counts[place], n / 256) for place in range(16)]
    return {
        "bytes": chi2_p(counts.sum(axis=0), n / 16),
        "bytes by place": min(1.0, 16 * min(by_place)),
        "bits": z_to_p(ones),
        "all bits": z_to_p(ones.sum() / np.sqrt(ones.size)),
        "pairs of bits": z_to_p(unequal),
    }


def correlations(draw: Stream, counters: Words) -> PValues:
    """All 128 × 128 products of bits of blocks that are neighbours along each axis."""
    result = {}
    here = signs(draw(counters, SEED))
    n = np.float64(len(counters))
    inside = (here.T @ here / np.sqrt(n))[np.triu_indices(128, 1)].astype(np.float64)
    result["within a block"] = max_and_sum_p(inside)
    for axis in AXES:
        between = here.T @ signs(draw(shifted(counters, axis), SEED)) / np.sqrt(n)
        result[f"neighbours along {axis}"] = max_and_sum_p(between.astype(np.float64).ravel())
    return result


def signs(blocks: Words) -> npt.NDArray[np.float32]:
    return 1 - 2 * np.unpackbits(to_bytes(blocks), axis=1).astype(np.float32)


def max_and_sum_p(z: Array) -> float:
    """The worse of the largest |z| and of Σ z² against χ²."""
    return min(1.0, 2 * min(z_to_p(z), two_sided(stats.chi2.sf((z**2).sum(), z.size))))


def distances(draw: Stream, counters: Words) -> PValues:
    """Bytes of x ⊕ y of neighbours along each axis, and their distances in bits."""
    result = {}
    here = draw(counters, SEED)
    binomial = stats.binom.pmf(range(129), 128, 0.5)
    for axis in AXES:
        difference = to_bytes(here ^ draw(shifted(counters, axis), SEED))
        counts = np.bincount(difference.ravel(), minlength=256)
        result[f"differences along {axis}"] = chi2_p(counts, difference.size / 256)
        weight = np.bincount(np.bitwise_count(difference).sum(axis=1, dtype=np.int64), minlength=129)
        expected = binomial * len(counters)
        common = expected > 10
        result[f"distances along {axis}"] = chi2_p(
            np.append(weight[common], weight[~common].sum()), np.append(expected[common], expected[~common].sum())
        )
    return result


def coverage(draw: Stream, n_runs: int) -> PValues:
    """Distinct values of a byte in 256 consecutive numbers along each axis: 162 on average, never all."""
    result = {}
    missed = 256 * (255 / 256) ** 256
    variance = missed + 256 * 255 * (254 / 256) ** 256 - missed**2
    for axis in ("block", "row", "sweep", "chain"):
        base = counter("local_even", 0, np.arange(n_runs) * 7, np.arange(n_runs) % 13, np.arange(n_runs) % 29)
        word, step = AXES[axis]
        runs = np.repeat(base, 256, axis=0)
        runs[:, word] = runs[:, word] // 256 * 256 + np.tile(np.arange(256, dtype=np.uint32) * step, n_runs)
        octets = np.sort(to_bytes(draw(runs, SEED)).reshape(n_runs, 256, 16), axis=1)
        distinct = 1 + (np.diff(octets, axis=1) != 0).sum(axis=1)
        z = (distinct - (256 - missed)).sum() / np.sqrt(variance * distinct.size)
        result[f"values along {axis}"] = z_to_p(z)
    return result


def sequences(draw: Stream, n_runs: int, length: int) -> Iterator[tuple[str, npt.NDArray[np.uint8]]]:
    """The uniforms' first bytes (n_runs, length) as the kernels meet them along x, y and time."""
    run, position = np.arange(n_runs)[:, None], np.arange(length)
    along_x = draw(counter("local_even", position[: length // 16], run % 64, run // 64 % 8, run // 512), SEED)
    yield "x", to_bytes(along_x).reshape(n_runs, length)
    for axis in ("row", "sweep", "chain"):
        first, second = (name for name in ("row", "sweep", "chain") if name != axis)
        fields = {"block": run % 4, first: run // 4 % 16, second: run // 64, axis: position}
        blocks = draw(counter("local_odd", **fields), SEED)
        yield axis, to_bytes(blocks).reshape(n_runs, length, 16)[:, :, 5]


def gaps(draw: Stream, n_runs: int, length: int) -> PValues:
    """Waiting times between uniforms below p: run lengths for p = 1/2, rare flips for p = 1/32."""
    result = {}
    for axis, octets in sequences(draw, n_runs, length):
        for below in (8, 128):
            p = below / 256
            hits = np.flatnonzero(octets.ravel() < below)
            wait = np.diff(hits)
            n_cells = int(np.log(20 / len(wait) / p) / np.log1p(-p))
            expected = len(wait) * p * (1 - p) ** np.arange(n_cells)
            counts = np.bincount(np.minimum(wait - 1, n_cells), minlength=n_cells + 1)
            result[f"gaps along {axis} at {p}"] = chi2_p(counts, np.append(expected, len(wait) - expected.sum()))
    return result


def serial(draw: Stream, n_runs: int, length: int) -> PValues:
    """Triples of the top four bits of successive uniforms, at lags 1 and 2."""
    result = {}
    for axis, octets in sequences(draw, n_runs, length):
        top = (octets >> 4).astype(np.int64)
        for lag in (1, 2):
            cells = top[:, : -2 * lag] << 8 | top[:, lag:-lag] << 4 | top[:, 2 * lag :]
            counts = np.bincount(cells[:, :: 3 * lag].ravel(), minlength=4096)
            result[f"triples along {axis} at lag {lag}"] = chi2_p(counts, counts.sum() / 4096)
    return result


def avalanche(draw: Stream, n_bases: int) -> PValues:
    """One bit of the counter or of the seed changes every bit of the block with probability ½."""
    base = next(lattice_counters(1, n_bases // 16, 4, 4))
    z = []
    for bit in range(192):
        changed, seed = base, SEED
        if bit < 128:
            changed = base[base[:, bit // 32] >> np.uint32(bit % 32) & 1 == 0]  # each pair once
        before = draw(changed, SEED)
        if bit < 128:
            changed = changed.copy()
            changed[:, bit // 32] ^= np.uint32(1 << bit % 32)
        else:
            seed ^= 1 << (bit - 128)
        flips = np.unpackbits(to_bytes(before ^ draw(changed, seed)), axis=1).sum(axis=0, dtype=np.int64)
        z.append((flips - len(changed) / 2) / np.sqrt(len(changed) / 4))
    return {"avalanche": max_and_sum_p(np.concatenate(z))}


def seeds(draw: Stream, counters: Words) -> PValues:
    """Correlations between neighbouring seeds, also at the counters whose first key addition cancels the change."""
    result = {}
    here = signs(draw(counters, SEED))
    for change in (1, 2, 1 << 20, 1 << 32):
        for name, word in (("the same", np.uint64(0)), ("the cancelling", np.uint64(change))):
            partner = counters.copy()
            partner[:, 0] ^= np.uint32(word & np.uint64(0xFFFFFFFF))
            partner[:, 1] ^= np.uint32(word >> np.uint64(32))
            product = here.T @ signs(draw(partner, SEED ^ change)) / np.float32(np.sqrt(len(counters)))
            result[f"seeds {change:#x} apart at {name} counters"] = max_and_sum_p(product.astype(np.float64).ravel())
    return result


def collisions(draw: Stream, counters: Words) -> PValues:
    """Equal 32-bit words at one place of different blocks: a Poisson number of them."""
    blocks = draw(counters, SEED)
    equal = sum(int((np.diff(np.sort(blocks[:, place])) == 0).sum()) for place in range(4))
    mean = 4 * len(blocks) ** 2 / 2 / 2**32
    tail = stats.poisson.sf(equal - 1, mean) if equal > mean else stats.poisson.cdf(equal, mean)
    return {"equal words": float(min(1.0, 2 * tail))}
