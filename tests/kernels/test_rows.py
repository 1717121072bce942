# SPDX-License-Identifier: BSD-3-Clause
"""metropolis_sweep_rows gives the bits of its definition, whatever computes them."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from reference import ising, packed
from spinodal.backends import resolve
from spinodal.backends.protocol import Backend
from spinodal.kernels.layouts import rows_supports

# Eight, four and two bands, and one; an even and an odd number of rows in each; rows that fill their lanes or end in
# the middle of a word; one row that fills a vector, and many vectors.
SHAPES = [
    (64, 64), (24, 64), (8, 64), (6, 64), (2, 66), (4, 130), (12, 128), (12, 200), (10, 128), (4, 256), (6, 256),
    (6, 258), (14, 250), (4, 510), (6, 512), (34, 514), (70, 512), (36, 1024), (6, 1098),
]  # fmt: skip
# The same with whole planes in a band: an even and an odd number of them, and of pairs of rows.
CUBES = [
    (64, 4, 64), (16, 6, 64), (8, 8, 64), (2, 2, 64), (4, 2, 66), (6, 4, 128), (8, 4, 128), (4, 4, 130), (12, 2, 200),
    (4, 6, 256), (6, 2, 256), (2, 6, 250), (6, 2, 258), (4, 4, 512), (2, 4, 514), (4, 2, 1098),
]  # fmt: skip
SHORT = [(8, 64), (6, 258), (6, 512), (8, 4, 64), (2, 4, 514)]


def swept(spins, beta, J=1.0, *, engine, n_threads=1, energy=None, magnetization=None, **options):
    """A copy after packed sweeps."""
    out = spins.copy()
    backend: Backend = resolve(engine)
    arguments = {"n_sweeps": 3, "seed": 7, "sweep": 13, "first_chain": 0, "heat_bath_every": 2, "stream": "ars7"}
    backend.metropolis_sweep_rows(
        out, np.broadcast_to(np.asarray(beta, dtype=np.float64), len(out)).copy(), J, n_threads=n_threads,
        energy=energy, magnetization=magnetization, **{**arguments, **options},
    )  # fmt: skip
    return out


@cache
def wanted(shape, beta, J=1.0, n_chains=2, **options):
    """Spins before, and after by definition."""
    start = ising.random_spins((n_chains, *shape), seed=1)
    want = start.copy()
    arguments = {"n_sweeps": 3, "seed": 7, "sweep": 13, "first_chain": 0, "heat_bath_every": 2, "stream": "ars7"}
    packed.metropolis_sweep(want, beta, J, **{**arguments, **options})
    assert (start != want).any() or options.get("n_sweeps") == 0
    return start, want


@pytest.mark.parametrize("shape", SHAPES + CUBES, ids=str)
def test_every_shape(engine, shape):
    start, want = wanted(shape, 0.44)
    np.testing.assert_array_equal(swept(start, 0.44, engine=engine), want)


@pytest.mark.parametrize("shape", SHORT, ids=str)
@pytest.mark.parametrize("beta", [1.0, 0.3])
def test_every_stream(engine, stream, shape, beta):
    options = {"stream": stream, "seed": 2**63 + 5, "sweep": 2**40 - 3, "first_chain": 2**32 - 2}
    start, want = wanted(shape, beta, **options)
    np.testing.assert_array_equal(swept(start, beta, engine=engine, **options), want)


@pytest.mark.parametrize("J", [-1.0, -0.7, 0.0, 2.5])
@pytest.mark.parametrize("shape", SHORT, ids=str)
def test_every_coupling(engine, shape, J):
    start, want = wanted(shape, 0.44, J)
    np.testing.assert_array_equal(swept(start, 0.44, J, engine=engine), want)


@pytest.mark.parametrize("shape", [(8, 64), (2, 4, 64)], ids=str)
@pytest.mark.parametrize("beta", [0.0, 1e-3, 0.15, 0.25, 0.37, 3.0, 40.0, 1e4])
def test_every_temperature(engine, shape, beta):
    """Rare bits are drawn byte by byte, common ones nibble by nibble, the rarest by overwrites alone."""
    start, want = wanted(shape, beta)
    np.testing.assert_array_equal(swept(start, beta, engine=engine), want)


def test_a_temperature_a_chain(engine):
    beta = (0.2, 0.44, 0.9)
    start, want = wanted((6, 66), beta, n_chains=3)
    np.testing.assert_array_equal(swept(start, beta, engine=engine), want)


@pytest.mark.parametrize("shape", [(8, 64), (8, 4, 64)], ids=str)
@pytest.mark.parametrize("every", [0, 1, 16])
def test_heat_bath_period(engine, shape, every):
    options = {"heat_bath_every": every, "n_sweeps": 4}
    start, want = wanted(shape, 0.44, **options)
    np.testing.assert_array_equal(swept(start, 0.44, engine=engine, **options), want)


@cache
def large_lattice(shape, heat_bath_every):
    """Many blocks of random numbers, and rows of several vectors."""
    return wanted(shape, 0.4, n_chains=1, n_sweeps=2, heat_bath_every=heat_bath_every)


@pytest.mark.parametrize("shape", [(130, 1048), (10, 14, 1048), (40, 34, 66)], ids=str)
@pytest.mark.parametrize("every", [0, 1])
def test_a_large_lattice(engine, shape, every):
    start, want = large_lattice(shape, every)
    np.testing.assert_array_equal(swept(start, 0.4, engine=engine, n_sweeps=2, heat_bath_every=every), want)


@pytest.mark.parametrize("n_threads", [2, 3, 8])
@pytest.mark.parametrize(
    "shape", [(1, 1024, 1026), (3, 1024, 512), (20, 128, 66), (1, 64, 64, 130), (1, 12, 86, 514)], ids=str
)
def test_any_number_of_threads(isa, shape, n_threads):
    """From 2¹⁷ sites a thread on, a team shares a lattice; more chains are shared out; work is enough for a team."""
    start = ising.random_spins(shape, seed=1)
    n_sweeps = 200 if shape[0] == 20 and isa != "baseline" else 40
    one = swept(start, 0.4, engine="cpp", n_sweeps=n_sweeps)
    np.testing.assert_array_equal(swept(start, 0.4, engine="cpp", n_sweeps=n_sweeps, n_threads=n_threads), one)


@pytest.mark.parametrize("shape", [(2, 6, 66), (2, 4, 2, 66)], ids=str)
@pytest.mark.parametrize("cuts", [[1] * 20, [3, 0, 16, 1]], ids=str)
def test_cutting_into_calls(engine, stream, shape, cuts):
    start = ising.random_spins(shape, seed=1)
    whole = swept(start, 0.44, engine=engine, stream=stream, n_sweeps=20, sweep=2**32 - 7, heat_bath_every=16)
    parts, done = start, 2**32 - 7
    for n_sweeps in cuts:
        options = {"stream": stream, "n_sweeps": n_sweeps, "sweep": done, "heat_bath_every": 16}
        parts = swept(parts, 0.44, engine=engine, **options)
        done += n_sweeps
    np.testing.assert_array_equal(parts, whole)


@pytest.mark.parametrize("J", [1.0, -0.7])
@pytest.mark.parametrize(
    "shape",
    [
        (2, 8, 64), (3, 12, 200), (1, 6, 258), (2, 34, 512), (1, 1024, 1026), (2, 24, 6, 64), (2, 2, 2, 66),
        (1, 64, 64, 130),
    ],
    ids=str,
)  # fmt: skip
def test_observables_on_the_packed_lattice(engine, shape, J):
    n_chains = shape[0]
    energy, total = np.empty(n_chains), np.empty(n_chains, dtype=np.int64)
    spins = ising.random_spins(shape, seed=1)
    for n_threads in (1, 2):
        out = swept(spins, 0.3, J, engine=engine, energy=energy, magnetization=total, n_threads=n_threads)
        np.testing.assert_array_equal(energy, ising.ising_energy(out, J, ndim=len(shape) - 1))
        np.testing.assert_array_equal(total, ising.magnetization(out, ndim=len(shape) - 1))


def test_isas_alternate_in_one_process():
    """Each instruction set keeps the words of a seed in an order of its own."""
    from spinodal.backends.isas import available_isas, using_isa

    start, want = wanted((6, 258), 0.44)
    for _ in range(2):
        for name in available_isas():
            with using_isa(name):
                np.testing.assert_array_equal(swept(start, 0.44, engine="cpp"), want)


@pytest.mark.parametrize(("shape", "beta"), [((64, 64), 0.44), ((8, 8, 64), 0.22)], ids=str)
def test_chains_and_sweeps_have_random_numbers_of_their_own(engine, shape, beta):
    """Chains that share random numbers coalesce within a thousand sweeps."""
    start = np.repeat(ising.random_spins((1, *shape), seed=1), 4, axis=0)
    out = swept(start, beta, engine=engine, n_sweeps=40)
    overlap = (out.reshape(4, -1).astype(int) @ out.reshape(4, -1).T.astype(int))[np.triu_indices(4, 1)]
    assert (np.abs(overlap) < 0.7 * 64 * 64).all()
    variants = [{}, {"seed": 1}, {"seed": 2**32}, {"sweep": 1}, {"sweep": 2**32}, {"first_chain": 1}]
    variants += [{"stream": "ars5"}, {"stream": "philox10"}]
    assert len({swept(start[:1], beta, engine=engine, **v).tobytes() for v in variants}) == len(variants)


def test_heat_bath_sweeps_leave_closed_orbits(engine):
    """Width-2 diagonal stripes: every site has ΔE = 0, so that pure Metropolis turns them over for ever."""
    y, x = np.indices((64, 64))
    stripes = np.where((x + y) // 2 % 2, 1, -1).astype(np.int8)[None]
    options = {"n_sweeps": 64, "sweep": 0}
    frozen = swept(stripes, 0.44, engine=engine, heat_bath_every=0, **options)
    assert ising.ising_energy(frozen)[0] == ising.ising_energy(stripes)[0] == 0
    assert ising.ising_energy(swept(stripes, 0.44, engine=engine, heat_bath_every=16, **options))[0] < -2000


@pytest.mark.parametrize(
    ("shape", "fits"),
    [
        ((64, 64), True), ((2, 64), True), ((64, 62), False), ((63, 64), False), ((64, 65), False), ((64, 66), True),
        ((2, 2**20), True), ((2**18, 2**15), True), ((2**19, 2**15), False), ((64,), False),
        ((64, 64, 64), True), ((2, 2, 64), True), ((2, 64, 62), False), ((3, 64, 64), False), ((2, 63, 64), False),
        ((2**9, 2**9, 2**15), True), ((2**10, 2**9, 2**15), False),
    ],
    ids=str,
)  # fmt: skip
def test_supported_shapes(shape, fits):
    assert rows_supports(shape) == fits
    from spinodal import _native

    assert _native.rows_supports(shape) == fits


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((1, 63, 64), {}, "63"),
        ((1, 64, 62), {}, "64 x 62"),
        ((1, 64, 64), {"heat_bath_every": -1}, "heat_bath_every must be >= 0; got -1"),
        ((1, 64, 64), {"n_sweeps": -1}, "n_sweeps must be >= 0; got -1"),
        ((1, 64, 64), {"sweep": 2**40}, "2\\^40"),
        ((1, 64, 64), {"n_threads": 0}, "n_threads must be >= 1; got 0"),
        ((1, 64, 64), {"stream": "mt19937"}, "mt19937"),
    ],
)
def test_refusals(shape, options, message):
    with pytest.raises(ValueError, match=message):
        swept(np.ones(shape, dtype=np.int8), 0.44, engine="cpp", **options)


def test_spins_are_checked(engine):
    spins = np.ones((2, 64, 64), dtype=np.int8)
    spins[1, 3, 5] = 0
    with pytest.raises(ValueError, match=f"flat index {4096 + 3 * 64 + 5} holds 0"):
        swept(spins, 0.44, engine=engine)


@pytest.mark.parametrize("beta", [-1.0, np.inf, np.nan])
def test_temperatures_are_checked(beta):
    with pytest.raises(ValueError, match="beta must be finite and >= 0; chain 1"):
        swept(np.ones((2, 64, 64), dtype=np.int8), [0.4, beta], engine="cpp")
