# SPDX-License-Identifier: BSD-3-Clause
"""metropolis_sweep_replicas and metropolis_sweep_lanes give the bits of their reference, whatever computes them."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference import ising, replicas
from spinodal.backends import resolve

EVEN = [(2, 2), (2, 6), (6, 2), (4, 4), (6, 10), (20, 16), (2, 66)]
CUBIC = [(2, 2, 2), (2, 6, 4), (4, 4, 6)]
ODD = [(3, 3), (2, 5), (7, 4), (3, 2, 5), (4, 5, 4)]
COUPLINGS = [(1.0, 0.0), (-0.7, 0.0), (0.0, -1.3), (1.0, 0.3), (-0.7, 0.4), (1.0, -2.0), (0.5, 9.0)]
BETAS = [0.0, 0.1, 0.44, 1.0, 30.0]
DEFAULTS = {"n_sweeps": 3, "seed": 5, "sweep": 14, "first_chain": 3, "heat_bath_every": 16, "stream": "ars7"}


def start_of(n_chains: int, shape: tuple[int, ...]) -> np.ndarray:
    return ising.random_spins((n_chains, *shape), seed=1, ndim=len(shape))


def swept(layout, spins, beta, J=1.0, h=0.0, *, backend, n_threads=1, **options):
    out = spins.copy()
    betas = np.broadcast_to(np.asarray(beta, dtype=float), len(spins)).copy()
    sweep = getattr(resolve(backend), f"metropolis_sweep_{layout}")
    sweep(out, betas, J, h, n_threads=n_threads, **(DEFAULTS | options))
    return out


@cache
def expected(layout, shape, n_chains, beta, J, h, options) -> np.ndarray:
    want = start_of(n_chains, shape)
    sweep = getattr(replicas, f"metropolis_sweep_{layout}")
    sweep(want, np.array(beta), J, h, **(DEFAULTS | dict(options)))
    return want


def check(engine, layout, shape, n_chains, beta, J=1.0, h=0.0, **options):
    betas = tuple(np.broadcast_to(beta, n_chains).tolist())
    want = expected(layout, shape, n_chains, betas, J, h, tuple(options.items()))
    got = swept(layout, start_of(n_chains, shape), betas, J, h, backend=engine, **options)
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("J", [1.0, -0.7])
@pytest.mark.parametrize("shape", EVEN, ids=str)
def test_one_temperature(engine, shape, J):
    check(engine, "replicas", shape, 5, 0.44, J)


@pytest.mark.parametrize("shape", [(4, 6), (3, 4), (2, 4, 4)], ids=str)
def test_one_temperature_by_thresholds(engine, shape):
    """A field, an odd length or a third dimension: one temperature is a temperature for every chain."""
    h = 0.2 if shape == (4, 6) else 0.0
    check(engine, "replicas", shape, 4, 0.44, 1.0, h)
    got, want = (swept(layout, start_of(4, shape), 0.44, 1.0, h, backend=engine) for layout in ("replicas", "lanes"))
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize(("J", "h"), COUPLINGS)
@pytest.mark.parametrize("shape", [*EVEN[:5], *CUBIC, *ODD], ids=str)
def test_a_temperature_for_every_chain(engine, shape, J, h):
    check(engine, "lanes", shape, 5, BETAS, J, h, n_sweeps=2, sweep=15)


@pytest.mark.parametrize("beta", [0.0, 0.01, 0.2, 0.35, 1.0, 3.0, 1e4])
def test_extreme_temperatures(engine, beta):
    """The masks of one temperature change their scheme with it."""
    check(engine, "replicas", (8, 10), 5, beta)


def test_every_stream(engine, stream):
    check(engine, "replicas", (6, 10), 4, 0.44, stream=stream, seed=2**63 + 5)
    check(engine, "lanes", (5, 6), 5, BETAS, stream=stream, seed=2**63 + 5)


@pytest.mark.parametrize("every", [0, 1, 3])
@pytest.mark.parametrize("sweep", [0, 2**32 - 2, 2**40 - 3])
def test_heat_bath_period_and_sweep_index(engine, every, sweep):
    check(engine, "replicas", (4, 6), 3, 0.44, heat_bath_every=every, sweep=sweep)
    check(engine, "lanes", (4, 6), 3, BETAS[1:4], heat_bath_every=every, sweep=sweep)


def test_several_groups(engine):
    """The first and the last of three groups are part-filled."""
    check(engine, "replicas", (4, 4), 513, 0.44, first_chain=2**32 - 700)
    check(engine, "lanes", (4, 4), 513, np.linspace(0, 1, 513), first_chain=255)


def test_several_blocks(engine):
    """Blocks of 32 vectors of masks, and of 16 of thresholds; the last one part-filled."""
    check(engine, "replicas", (10, 14), 2, 0.44)
    check(engine, "lanes", (9, 11), 2, [0.3, 0.5], 1.0, 0.1)


def test_groups_of_different_temperatures(engine):
    beta = np.repeat([0.2, 0.6], [200, 300])
    check(engine, "replicas", (4, 4), 500, beta, first_chain=56)


@pytest.mark.parametrize("layout", ["replicas", "lanes"])
@pytest.mark.parametrize("n_threads", [2, 3, 8])
def test_threads(engine, layout, n_threads):
    spins = start_of(1100, (16, 16))
    one, many = (swept(layout, spins, 0.44, backend=engine, n_threads=n, n_sweeps=4) for n in (1, n_threads))
    np.testing.assert_array_equal(many, one)


@pytest.mark.parametrize("layout", ["replicas", "lanes"])
@pytest.mark.parametrize("cuts", [[20], [1] * 20, [3, 0, 16, 1]], ids=str)
def test_cutting_into_calls(engine, layout, cuts):
    spins = start_of(3, (6, 10))
    whole = swept(layout, spins, 0.44, backend=engine, n_sweeps=20, sweep=2**32 - 7)
    parts, done = spins, 2**32 - 7
    for n_sweeps in cuts:
        parts = swept(layout, parts, 0.44, backend=engine, n_sweeps=n_sweeps, sweep=done)
        done += n_sweeps
    np.testing.assert_array_equal(parts, whole)


@pytest.mark.parametrize("split", [1, 255, 256, 300])
def test_cutting_the_chains(engine, split):
    spins, beta = start_of(400, (4, 6)), np.linspace(0.1, 0.9, 400)
    for layout, betas in (("replicas", np.full(400, 0.44)), ("lanes", beta)):
        whole = swept(layout, spins, betas, backend=engine, first_chain=100)
        first = swept(layout, spins[:split], betas[:split], backend=engine, first_chain=100)
        second = swept(layout, spins[split:], betas[split:], backend=engine, first_chain=100 + split)
        np.testing.assert_array_equal(np.concatenate([first, second]), whole)


@pytest.mark.parametrize("h", [0.0, 0.3])
def test_a_lane_does_not_feel_the_others(engine, h):
    spins, beta = start_of(256, (6, 10)), np.linspace(0.0, 1.0, 256)
    others, betas = -spins, beta[::-1].copy()
    others[77], betas[77] = spins[77], beta[77]
    one = swept("lanes", spins, beta, 1.0, h, backend=engine, n_sweeps=20)
    np.testing.assert_array_equal(swept("lanes", others, betas, 1.0, h, backend=engine, n_sweeps=20)[77], one[77])


@pytest.mark.parametrize(("J", "h"), [(1.0, 0.0), (-0.7, 0.4), (0.3, -1.1)])
@pytest.mark.parametrize("shape", [(2, 2), (6, 34), (3, 5), (4, 6, 2)], ids=str)
def test_observables_after_the_last_sweep(engine, shape, J, h):
    spins = start_of(300, shape)
    energy, magnetization = np.empty(300), np.empty(300, dtype=np.int64)
    options = DEFAULTS | {"first_chain": 100, "n_threads": 2, "energy": energy, "magnetization": magnetization}
    resolve(engine).metropolis_sweep_lanes(spins, np.full(300, 0.4), J, h, **options)
    np.testing.assert_array_equal(magnetization, ising.magnetization(spins, len(shape)))
    np.testing.assert_allclose(energy, ising.ising_energy(spins, J, h, len(shape)), rtol=0, atol=1e-9)


def test_seeds_streams_sweeps_and_chains_all_matter(engine):
    spins = start_of(1, (16, 16))
    variants = [
        {},
        {"seed": 1},
        {"seed": 2**32},
        {"sweep": 1},
        {"sweep": 2**32},
        {"first_chain": 1},
        {"first_chain": 256},
    ]
    variants += [{"stream": "ars5"}, {"stream": "philox10"}]
    for layout in ("replicas", "lanes"):
        results = {swept(layout, spins, 0.44, backend=engine, **variant).tobytes() for variant in variants}
        assert len(results) == len(variants)


def test_no_chains(engine):
    none = np.ones((0, 4, 4), dtype=np.int8)
    assert swept("replicas", none, 0.44, backend=engine).shape == (0, 4, 4)


def test_refusals(engine):
    spins = start_of(3, (4, 4))
    with pytest.raises(ValueError, match=r"one beta; chains 1 and 2 have 0\.1.* and 0\.2"):
        swept("replicas", spins, [0.1, 0.1, 0.2], backend=engine)
    swept("replicas", spins, [0.1, 0.1, 0.2], backend=engine, first_chain=254)
    with pytest.raises(ValueError, match="flat index 4 holds 0"):
        swept("lanes", np.where(np.arange(48).reshape(3, 4, 4) == 4, 0, spins).astype(np.int8), 0.1, backend=engine)
    with pytest.raises(ValueError, match="at most 8388608 sites; got 8392704"):
        swept("lanes", np.ones((1, 4098, 2048), dtype=np.int8), 0.1, backend=engine, n_sweeps=0)


PROPERTIES = st.fixed_dictionaries(
    {
        "shape": st.one_of(
            st.tuples(st.integers(2, 9), st.integers(2, 12)), st.tuples(*[st.integers(2, n) for n in (3, 4, 6)])
        ),
        "beta": st.lists(st.floats(0, 3), min_size=1, max_size=4),
        "J": st.floats(-2, 2),
        "h": st.one_of(st.just(0.0), st.floats(-3, 3)),
        "seed": st.integers(0, 2**64 - 1),
        "sweep": st.integers(0, 2**40 - 4),
        "first_chain": st.integers(0, 2**32 - 4),
        "heat_bath_every": st.integers(0, 4),
        "stream": st.sampled_from(["ars7", "ars5", "philox10"]),
        "n_sweeps": st.integers(0, 2),
        "layout": st.sampled_from(["replicas", "lanes"]),
    }
)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(PROPERTIES)
def test_any_arguments_give_the_bits_of_the_reference(arguments):
    layout, shape, beta, J, h = (arguments.pop(name) for name in ("layout", "shape", "beta", "J", "h"))
    if layout == "replicas":
        beta = beta[:1] * len(beta)
    start = start_of(len(beta), shape)
    want = start.copy()
    getattr(replicas, f"metropolis_sweep_{layout}")(want, np.array(beta), J, h, **arguments)
    for backend in ("cpp", "numba"):
        np.testing.assert_array_equal(swept(layout, start, beta, J, h, backend=backend, **arguments), want)
