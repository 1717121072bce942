# SPDX-License-Identifier: BSD-3-Clause
"""A statistical battery for the named streams, used as the kernels use them; weaker ciphers fail it."""

from __future__ import annotations

import numpy as np
import pytest

from reference import battery, streams
from spinodal import kernels

# Some hundred p-values a stream: each below this once in 10⁸ runs.
ALARM = 1e-8


def compiled(name: str) -> battery.Stream:
    return lambda counters, seed: kernels.stream_blocks(name, seed, counters)


def weak_ars(n_rounds: int) -> battery.Stream:
    return lambda counters, seed: streams.ars(counters, seed, n_rounds)


def some_counters(log2: int) -> streams.Words:
    """Neighbours in every field, few values of each."""
    return np.concatenate(list(battery.lattice_counters(4, 1 << (log2 - 9), 16, 4)))


TESTS = {
    "correlations": lambda draw: battery.correlations(draw, some_counters(17)),
    "distances": lambda draw: battery.distances(draw, some_counters(18)),
    "values": lambda draw: battery.coverage(draw, 1000),
    "gaps": lambda draw: battery.gaps(draw, 256, 4096),
    "triples": lambda draw: battery.serial(draw, 256, 4096),
    "avalanche": lambda draw: battery.avalanche(draw, 2048),
    "seeds": lambda draw: battery.seeds(draw, some_counters(16)),
    "collisions": lambda draw: battery.collisions(draw, some_counters(19)),
}


def failures(p_values: battery.PValues) -> battery.PValues:
    return {name: p for name, p in p_values.items() if not p > ALARM}


@pytest.mark.parametrize("test", TESTS)
def test_stream(stream, test):
    assert failures(TESTS[test](compiled(stream))) == {}


@pytest.mark.slow
def test_counts_of_a_billion_bits(stream):
    counters = battery.lattice_counters(n_chains=64, n_sweeps=64, n_rows=64, n_blocks=16)
    assert failures(battery.counts_of_bytes(compiled(stream), counters)) == {}


@pytest.mark.parametrize("n_rounds", [2, 3])
def test_canary(n_rounds):
    """ARS of two or three rounds fails: its bytes run through all values along every field of the counter."""
    found = failures(battery.coverage(weak_ars(n_rounds), 50))
    assert set(found) == {f"values along {axis}" for axis in ("block", "row", "sweep", "chain")}


@pytest.mark.parametrize("test", ["correlations", "distances", "avalanche", "seeds"])
def test_canary_of_two_rounds(test):
    draw = weak_ars(2)
    found = {
        "correlations": lambda: battery.correlations(draw, some_counters(12)),
        "distances": lambda: battery.distances(draw, some_counters(12)),
        "avalanche": lambda: battery.avalanche(draw, 256),
        "seeds": lambda: battery.seeds(draw, some_counters(12)),
    }[test]()
    assert failures(found) != {}


def test_canary_of_a_biased_threshold():
    """A bias of 0.25 % of one bit fails the counts."""

    def biased(counters: streams.Words, seed: int) -> streams.Words:
        blocks = kernels.stream_blocks("ars7", seed, counters)
        fix = kernels.stream_blocks("philox10", seed, counters)[:, 0] < np.uint32(2**32 // 200)
        blocks[fix, 2] |= np.uint32(1 << 9)
        return blocks

    counters = battery.lattice_counters(n_chains=32, n_sweeps=64, n_rows=64, n_blocks=16)
    assert failures(battery.counts_of_bytes(biased, counters)) != {}
