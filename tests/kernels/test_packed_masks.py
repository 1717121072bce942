# SPDX-License-Identifier: BSD-3-Clause
"""The masks of the packed kernels are independent bits of the stated probabilities."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from spinodal import _native

Masks = npt.NDArray[np.uint8]
N_BITS = 1 << 13  # of a mask of one block
CHUNK = 4096  # blocks at a time
LAGS = (1, 3, 4, 5, 8, 31)


def probabilities(exponent: float, *, heat_bath: bool, cubic: bool) -> list[float]:
    """Of X4, r8 and in three dimensions X8 at β|J|."""
    bath, certain = (12, 16) if cubic else (8, 8)
    p8 = 1 / (1 + math.exp(bath * exponent)) if heat_bath else math.exp(-certain * exponent)
    return [1 / (1 + math.exp(4 * exponent)), p8, 1 / (1 + math.exp(8 * exponent))][: 3 if cubic else 2]


def chunks(n_bits: float, *law: float, stream: str) -> Iterator[Masks]:
    """Masks (n_blocks, 2 or 3, 32, 32) until there are n_bits of each."""
    for first in range(0, int(n_bits / N_BITS), CHUNK):
        yield _native.packed_masks(*law, first, CHUNK, 11, 5, 3, stream)


class Law:
    """Counts of bits, of pairs of ones, and of bytes of one mask."""

    def __init__(self, p: float) -> None:
        self.p, self.n_bits, self.n_ones = p, 0, 0
        self.pairs = {name: np.zeros(2, dtype=np.int64) for name in (*LAGS, "vector", "block", "tile")}
        self.bytes = np.zeros(256, dtype=np.int64)

    def add(self, mask: Masks) -> None:
        """mask (n_blocks, 32, 32)."""
        words = np.ascontiguousarray(mask).view(np.uint64)
        self.n_bits += 8 * mask.size
        self.n_ones += int(np.bitwise_count(words).sum(dtype=np.int64))
        self.bytes += np.bincount(mask.ravel(), minlength=256)
        for lag in LAGS:
            self._add_pairs(lag, words & (words >> np.uint64(lag)), 64 - lag)
        self._add_pairs("vector", words[:, 1:] & words[:, :-1], 64)
        self._add_pairs("tile", words[:, 2:] & words[:, :-2], 64)
        self._add_pairs("block", words[1:] & words[:-1], 64)

    def _add_pairs(self, name: int | str, both: npt.NDArray[np.uint64], bits: int) -> None:
        self.pairs[name] += int(np.bitwise_count(both).sum(dtype=np.int64)), bits * both.size

    def deviations(self) -> dict[str, float]:
        """In standard errors; the bytes' χ² as the normal deviate of the same tail."""
        p = self.p
        result = {"density": (self.n_ones - self.n_bits * p) / math.sqrt(self.n_bits * p * (1 - p))}
        for name, (ones, n) in self.pairs.items():
            if n * p**2 < 5:  # too few for a normal deviate
                continue
            # Two pairs that share a bit have covariance p³ − p⁴.
            variance = p**2 * (1 - p**2) + 2 * (p**3 - p**4)
            result[f"pairs {name}"] = (ones - n * p**2) / math.sqrt(n * variance)
        ones = np.bitwise_count(np.arange(256, dtype=np.uint8)).astype(float)
        expected = self.n_bits / 8 * p**ones * (1 - p) ** (8 - ones)
        common = expected > 10
        observed = np.append(self.bytes[common], self.bytes[~common].sum())
        wanted = np.append(expected[common], expected[~common].sum())
        kept = wanted > 5
        chi2 = ((observed - wanted)[kept] ** 2 / wanted[kept]).sum()
        result["bytes"] = float(stats.norm.isf(max(stats.chi2.sf(chi2, kept.sum() - 1), 1e-300)))
        return result


def laws(n_bits: float, exponent: float, *, heat_bath=False, cubic=False, overwrites=True, stream="ars7") -> list[Law]:
    """X4, r8 and X8, and the products of two against the products of their probabilities."""
    p = probabilities(exponent, heat_bath=heat_bath, cubic=cubic)
    pairs = list(itertools.combinations(range(len(p)), 2))
    result = [*map(Law, p), *(Law(p[a] * p[b]) for a, b in pairs)]
    for masks in chunks(n_bits, exponent, heat_bath, cubic, overwrites, stream=stream):
        parts = [masks[:, i] for i in range(len(p))] + [masks[:, a] & masks[:, b] for a, b in pairs]
        for law, mask in zip(result, parts, strict=True):
            law.add(mask)
    return result


def worst(law: Law) -> tuple[float, str]:
    return max((abs(z), name) for name, z in law.deviations().items())


@pytest.mark.slow
def test_a_billion_bits_at_the_critical_temperature():
    for law in laws(1e9, 1 / 2.269):
        assert law.n_bits >= 1e9
        assert worst(law)[0] < 5.5, law.deviations()


@pytest.mark.parametrize("heat_bath", [False, True])
@pytest.mark.parametrize("temperature", [0.8, 1.5, 2.269, 3.0, 6.0])
def test_every_scheme(temperature, heat_bath):
    """r8 by overwrites alone, by bytes, by nibbles."""
    for law in laws(6e7, 1 / temperature, heat_bath=heat_bath):
        assert worst(law)[0] < 5.5, law.deviations()


@pytest.mark.parametrize("heat_bath", [False, True])
@pytest.mark.parametrize("temperature", [1.5, 4.5, 9.0])
def test_three_dimensions(temperature, heat_bath):
    """X8 beside the others: r8 by overwrites alone, by bytes, by nibbles."""
    for law in laws(3e7, 1 / temperature, heat_bath=heat_bath, cubic=True):
        assert worst(law)[0] < 5.5, law.deviations()


def test_every_stream_and_isa(isa, stream):
    n_bits = 6e7 if isa != "baseline" else 4e6
    for law in laws(n_bits, 1 / 2.269, stream=stream):
        assert worst(law)[0] < 5.5, law.deviations()


@pytest.mark.parametrize("temperature", [1.5, 2.269, 3.0])
def test_without_overwrites_the_law_is_seen_to_be_wrong(temperature):
    """What the tests above would miss if they could not see it."""
    x4, r8, _ = laws(6e7, 1 / temperature, overwrites=False)
    assert worst(x4)[0] > 8
    assert worst(r8)[0] > 8
    x8 = laws(6e7, 1 / temperature, cubic=True, overwrites=False)[2]
    assert worst(x8)[0] > 8


def test_rare_bits_come_from_the_tail():
    """At T = 0.8 a bit of r8 has probability e⁻¹⁰: less than one cell of 4096 a byte holds."""
    r8 = laws(6e7, 1.25)[1]
    assert 8 * r8.p * 4096 < 2
    assert r8.n_ones > 2000
