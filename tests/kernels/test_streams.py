# SPDX-License-Identifier: BSD-3-Clause
"""The named streams: the reference against published answers, the kernels against the reference."""

from __future__ import annotations

import numpy as np
import pytest

from reference import streams
from spinodal import kernels

PI = ((0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), 0x299F31D0A4093822, 0xEC4E6C89082EFA98)
ONES = ((0xFFFFFFFF,) * 4, 2**64 - 1, 0)
ZERO = ((0,) * 4, 0, 0)

# Known answers distributed with Random123 (kat_vectors), 10 rounds.
ARS10 = {
    ZERO: "8d73ee19 506401ef 13c2dbe4 0cbe9c0d",
    ONES: "bb3743b1 9f635551 ecbc87fc a19478a9",
    PI: "a516e7d6 8357ad74 5b59b3ec 8763fff3",
}
PHILOX10 = {
    ZERO: "6627e8d5 e169c58d bc57ac4c 9b00dbd8",
    ONES: "408f276d 41c83b0e a20bc7c6 6d5451fd",
    PI: "d16cfe09 94fdcceb 5001e420 24126ea1",
}


def words(text: str) -> list[int]:
    return [int(word, 16) for word in text.split()]


@pytest.mark.parametrize("case", ARS10)
def test_ars_reference_gives_the_published_answers(case):
    counter, low, high = case
    assert streams.ars([counter], low | high << 64, 10)[0].tolist() == words(ARS10[case])


@pytest.mark.parametrize("case", PHILOX10)
def test_philox_gives_the_published_answers(case, engine):
    counter, key, _ = case
    assert streams.philox4x32([counter], key)[0].tolist() == words(PHILOX10[case])
    assert kernels.stream_blocks("philox10", key, [counter], backend=engine)[0].tolist() == words(PHILOX10[case])


def test_s_box_is_that_of_the_standard():
    # FIPS 197, figure 7: the corners of the table and the example of section 5.1.1.
    assert [int(streams.SBOX[x]) for x in (0x00, 0x01, 0x53, 0x0F, 0xF0, 0xFF)] == [0x63, 0x7C, 0xED, 0x76, 0x8C, 0x16]
    assert sorted(streams.SBOX) == list(range(256))


def test_mix_columns_is_that_of_the_standard():
    # FIPS 197, appendix B, round 1: the state after ShiftRows and after MixColumns, column by column.
    before = np.frombuffer(bytes.fromhex("d4bf5d30e0b452aeb84111f11e2798e5"), dtype=np.uint8).reshape(1, 4, 4)
    assert streams.mix_columns(before).tobytes().hex() == "046681e5e0cb199a48f8d37a2806264c"


def random_counters(n: int) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 2**32, size=(n, 4), dtype=np.uint32)


@pytest.mark.parametrize("seed", [0, 1, 2**32, 2**63 + 12345, 2**64 - 1])
def test_blocks_are_those_of_the_reference(engine, stream, seed):
    counters = random_counters(300)
    got = kernels.stream_blocks(stream, seed, counters, backend=engine)
    assert got.dtype == np.uint32
    np.testing.assert_array_equal(got, streams.stream_blocks(stream, seed, counters))


def test_streams_differ_from_each_other():
    counters = random_counters(100)
    blocks = {name: kernels.stream_blocks(name, 3, counters).tobytes() for name in kernels.STREAMS}
    assert len(set(blocks.values())) == len(kernels.STREAMS) == 3


def test_counter_is_injective_over_its_documented_ranges():
    """Each field owns its bits: setting any one bit of any field changes exactly one bit of the counter."""
    widths = {"block": 20, "row": 32, "sweep": 40, "chain": 32}
    owned = []
    for name, width in widths.items():
        for bit in range(width):
            words_of_bit = streams.counter("local_even", **{name: 1 << bit})[0]
            owned.append(int.from_bytes(words_of_bit.astype("<u4").tobytes(), "little"))
    for number, purpose in enumerate(streams.PURPOSES):
        words_of_purpose = streams.counter(purpose)[0]
        value = int.from_bytes(words_of_purpose.astype("<u4").tobytes(), "little")
        assert value == number << 20
    owned += [1 << bit for bit in range(20, 24)]
    assert len(streams.PURPOSES) <= 16
    assert sorted(owned) == [1 << bit for bit in range(128)]


def test_no_two_purposes_or_places_share_a_counter():
    """Every counter of a small run of every kernel, listed: no collision."""
    block, row, sweep, chain = (a.reshape(-1) for a in np.meshgrid(range(5), range(7), [0, 1, 2**32], range(4)))
    seen = np.concatenate([streams.counter(purpose, block, row, sweep, chain) for purpose in streams.PURPOSES])
    assert len(np.unique(seen, axis=0)) == len(seen)


def test_the_compiled_counter_is_the_documented_one(engine, stream):
    """random_spins at the last chain and metropolis_sweep at the last sweep, decoded by the reference."""
    first_chain = 2**32 - 2
    spins = kernels.random_spins((2, 4, 4), seed=9, first_chain=first_chain, stream=stream, backend=engine)
    chains = np.arange(first_chain, first_chain + 2)
    blocks = streams.stream_blocks(stream, 9, streams.counter("initial_spins", chain=chains))
    up = blocks[:, 0, None] >> np.arange(16, dtype=np.uint32) & 1
    np.testing.assert_array_equal(spins.reshape(2, 16) == 1, up.astype(bool))


@pytest.mark.parametrize(
    ("seed", "message"), [(-1, r"seed must be in \[0, 2\*\*64\); got -1"), (2**64, "got 18446744073709551616")]
)
def test_seed_out_of_bounds_is_refused(seed, message):
    with pytest.raises(ValueError, match=message):
        kernels.stream_blocks("ars7", seed, [[0, 0, 0, 0]])


def test_unknown_stream_is_refused():
    with pytest.raises(ValueError, match="stream='mt19937' is unknown; choose one of: ars7, ars5, philox10"):
        kernels.stream_blocks("mt19937", 0, [[0, 0, 0, 0]])


@pytest.mark.parametrize("shape", [(4,), (1, 3), (2, 2, 4)])
def test_counters_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"counters must have shape \(n, 4\); got "):
        kernels.stream_blocks("ars7", 0, np.zeros(shape, dtype=np.uint32))
