# SPDX-License-Identifier: BSD-3-Clause
"""Parallel tempering: bits against the definition, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from reference import ising, tempering
from spinodal import kernels

LADDER = 1.0 / np.array([1.6, 2.1, 2.4, 3.5])


def start(shape=(6, 10), n_chains=8):
    spins = ising.random_spins((n_chains, *shape), seed=3, ndim=len(shape))
    rung = np.concatenate([[2, 0, 3, 1], np.arange(n_chains - 4) % 4]).astype(np.int64)
    return spins, rung, np.where(rung == 0, 1, np.where(rung == 3, -1, 0))


def advanced(advance, state, *args, **options):
    state = tuple(array.copy() for array in state)
    return (*state, *advance(*state, LADDER, *args, **options))


def assert_same(got, want):
    for name, a, b in zip(("spins", "rung", "direction", "attempts", "accepts", "trips"), got, want, strict=True):
        np.testing.assert_array_equal(a, b, err_msg=name)


@pytest.mark.parametrize(
    ("layout", "shape", "J", "h"),
    [
        ("bytes", (6, 10), 1.0, 0.0), ("bytes", (4, 6), -0.7, 0.3), ("bytes", (2, 4, 6), 0.5, 0.0),
        ("rows", (4, 66), -1.0, 0.0),
        ("lanes", (6, 10), -1.0, 0.0), ("lanes", (4, 6), -0.7, 0.3), ("lanes", (3, 4, 5), 0.5, 0.0),
    ],
    ids=str,
)  # fmt: skip
def test_definition(engine, stream, layout, shape, J, h):
    options = {"n_rounds": 8, "swap_every": 2, "heat_bath_every": 3, "seed": 9, "first_chain": 252, "stream": stream}
    state, options = start(shape), options | {"ndim": len(shape), "round": 2**33 + 5, "layout": layout}
    got = advanced(kernels.parallel_tempering, state, J, h, backend=engine, n_threads=2, **options)
    assert_same(got, advanced(tempering.parallel_tempering, state, J, h, **options))
    assert got[4].sum() >= 2


def test_round_trips_are_seen(engine):
    got = advanced(kernels.parallel_tempering, start((4, 4)), n_rounds=300, seed=1, backend=engine)
    assert got[5].sum() > 10
    np.testing.assert_array_equal(got[3].reshape(2, 4)[:, :3], 150)


@pytest.mark.parametrize("layout", ["bytes", "lanes"])
def test_cut_into_calls_and_threads(engine, layout):
    options = {"seed": 5, "swap_every": 3, "layout": layout, "backend": engine}
    whole = advanced(kernels.parallel_tempering, start(), n_rounds=7, n_threads=1, **options)
    spins, rung, direction = (array.copy() for array in start())
    counted = np.zeros((3, 8), dtype=np.int64)
    for index, n_rounds in ((0, 2), (2, 1), (3, 4)):
        counted += kernels.parallel_tempering(
            spins, rung, direction, LADDER, n_rounds=n_rounds, round=index, n_threads=2, **options
        )
    assert_same((spins, rung, direction, *counted), whole)


@pytest.mark.parametrize("layout", ["bytes", "lanes"])
def test_a_team_shares_the_replicas(isa, layout):
    state = start((32, 32), n_chains=520)
    options = {"n_rounds": 2, "swap_every": 32 if layout == "lanes" else 2, "seed": 5, "layout": layout}
    one, many = (advanced(kernels.parallel_tempering, state, n_threads=n, **options) for n in (1, 3))
    assert_same(many, one)


@pytest.mark.parametrize("layout", ["bytes", "lanes"])
def test_ladders_are_apart(engine, layout):
    """The second ladder alone, named by its first chain, does what it does beside the first."""
    options = {"n_rounds": 9, "seed": 2, "layout": layout, "backend": engine}
    both = advanced(kernels.parallel_tempering, start(), **options)
    second = tuple(array[4:] for array in start())
    alone = advanced(kernels.parallel_tempering, second, first_chain=4, **options)
    assert_same(alone, tuple(array[4:] for array in both))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ladder": [0.4]}, r"at least two inverse temperatures; got shape \(1,\)"),
        ({"ladder": [0.4, 0.3, 0.2]}, "multiple of the 3 rungs; got 8"),
        ({"ladder": [0.4, np.nan, 0.3, 0.2]}, "finite and >= 0; chain 1 has nan"),
        ({"rung": np.array([0, 1, 2, 2, 0, 1, 2, 3])}, "permutation of 0 … 3 in every ladder; ladder 0 is not"),
        ({"rung": np.arange(4)}, r"rung must have shape \(8,\); got \(4,\)"),
        ({"layout": "replicas"}, "one temperature for all; parallel tempering takes 'lanes'"),
        ({"layout": "rows"}, "even lengths, the last >= 64"),
        ({"swap_every": 0}, "swap_every must be >= 1; got 0"),
        ({"heat_bath_every": -1}, "heat_bath_every must be >= 0; got -1"),
        ({"n_rounds": -2}, "n_rounds must be >= 0; got -2"),
        ({"round": 2**39, "swap_every": 3}, r"sweep \+ n_sweeps <= 2\*\*40"),
    ],
    ids=str,
)
def test_bad_input(backend, changes, message):
    spins, rung, direction = start()
    arguments = {"rung": rung, "direction": direction, "ladder": LADDER} | changes
    with pytest.raises(ValueError, match=message):
        kernels.parallel_tempering(spins, backend=backend, **arguments)
    np.testing.assert_array_equal(spins, start()[0])


def test_what_cannot_be_changed_in_place_is_refused(backend):
    spins, rung, direction = start()
    with pytest.raises(TypeError, match="rung must be a C-contiguous int64 array"):
        kernels.parallel_tempering(spins, rung.astype(np.int32), direction, LADDER, backend=backend)
    with pytest.raises(ValueError, match="even lengths; got 5"):
        kernels.parallel_tempering(np.ones((4, 5, 4), np.int8), rung[:4], direction[:4], LADDER, backend=backend)
