# SPDX-License-Identifier: BSD-3-Clause
"""metropolis_sweep and heat_bath_sweep give the bits of the reference, whatever computes them."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference import ising
from spinodal import kernels

SHAPES = [
    (2, 2), (2, 6), (6, 2), (4, 4), (6, 10), (2, 64), (2, 66), (34, 66), (64, 64), (4, 128), (8, 130), (6, 252),
    (2, 2, 2), (4, 6, 34), (2, 4, 70), (6, 2, 4),
]  # fmt: skip


def both(shape, leading, beta, J=1.0, h=0.0, *, backend, start_seed=1, **options):
    """Spins after the kernel, and after the reference, from one random start."""
    ndim = len(shape)
    start = ising.random_spins((*leading, *shape), seed=start_seed, ndim=ndim)
    got, want = start.copy(), start.copy()
    assert kernels.metropolis_sweep(got, beta, J, h, ndim=ndim, layout="bytes", backend=backend, **options) is None
    ising.metropolis_sweep(want, beta, J, h, ndim=ndim, **options)
    return got, want


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_shape(engine, shape):
    got, want = both(shape, (2,), 0.44, 1.0, 0.05, backend=engine, n_sweeps=3, heat_bath_every=3, seed=7)
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("shape", [(6, 10), (2, 4, 34)], ids=str)
def test_every_stream(engine, stream, shape):
    got, want = both(shape, (2,), 0.3, backend=engine, n_sweeps=4, heat_bath_every=2, stream=stream, seed=2**63 + 5)
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("leading", [(), (1,), (5,), (2, 3), (1, 2, 1)], ids=str)
def test_every_leading_shape_with_a_temperature_a_chain(engine, leading):
    beta = np.linspace(0.0, 1.2, int(np.prod(leading))).reshape(leading)
    got, want = both((4, 6), leading, beta, backend=engine, n_sweeps=5, heat_bath_every=4)
    np.testing.assert_array_equal(got, want)


def test_beta_broadcasts_along_leading_axes(engine):
    beta = np.array([[0.1], [0.9]])
    got, want = both((4, 4), (2, 3), beta, backend=engine, n_sweeps=4)
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize(("J", "h"), [(1, 0.0), (-1.0, 0.0), (-0.7, 0.4), (0.0, -1.3), (2.5, -0.1), (0, 0)])
@pytest.mark.parametrize("shape", [(6, 6), (4, 2, 6)], ids=str)
def test_every_sign_of_coupling_and_field(engine, shape, J, h):
    got, want = both(shape, (2,), 0.4, J, h, backend=engine, n_sweeps=4, heat_bath_every=2)
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("beta", [0.0, 1e-3, 3.0, 40.0, 1e4])
def test_extreme_temperatures(engine, beta):
    got, want = both((6, 10), (3,), beta, 1.0, 0.01, backend=engine, n_sweeps=6, heat_bath_every=2)
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("every", [0, 1, 2, 3, 16, 1000])
@pytest.mark.parametrize("sweep", [0, 13, 2**32 - 2, 2**40 - 5])
def test_heat_bath_period_and_sweep_index(engine, every, sweep):
    got, want = both((4, 6), (2,), 0.44, backend=engine, n_sweeps=5, heat_bath_every=every, sweep=sweep)
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("first_chain", [1, 77, 2**31, 2**32 - 3])
def test_first_chain(engine, first_chain):
    got, want = both((4, 6), (3,), 0.44, backend=engine, n_sweeps=3, first_chain=first_chain)
    np.testing.assert_array_equal(got, want)


def test_heat_bath_sweep_is_heat_bath_every_1(engine):
    start = ising.random_spins((3, 6, 6), seed=4)
    got, want = start.copy(), start.copy()
    kernels.heat_bath_sweep(
        got, 0.5, 1.0, 0.1, n_sweeps=3, seed=8, sweep=5, first_chain=9, layout="bytes", backend=engine
    )
    ising.heat_bath_sweep(want, 0.5, 1.0, 0.1, n_sweeps=3, seed=8, sweep=5, first_chain=9)
    np.testing.assert_array_equal(got, want)


@cache
def long_rows() -> tuple[np.ndarray, np.ndarray]:
    """Before and after: 256 vectors of 32 sites fill half the compiled kernel's queue of undecided sites."""
    start = ising.random_spins((2, 2 * (2 * 256 * 32 + 40)), seed=1)
    want = start.copy()
    ising.metropolis_sweep(want, 0.44, n_sweeps=1)
    return start, want


def test_rows_longer_than_the_queue_of_undecided_sites(engine):
    start, want = long_rows()
    got = start.copy()
    kernels.metropolis_sweep(got, 0.44, layout="bytes", backend=engine)
    np.testing.assert_array_equal(got, want)


def test_no_sweeps_change_nothing(engine):
    got, want = both((4, 4), (2,), 0.44, backend=engine, n_sweeps=0)
    np.testing.assert_array_equal(got, want)


@cache
def cold_sweep() -> np.ndarray:
    """From the ground state at exp(−8β) = 0.0017: the first byte of the threshold is 0, the tail decides."""
    want = np.ones((12, 64, 64), dtype=np.int8)
    ising.metropolis_sweep(want, 0.8, seed=3, heat_bath_every=0)
    assert (want == -1).sum() > 30
    return want


def test_undecided_first_bytes_take_the_tail(engine):
    got = np.ones((12, 64, 64), dtype=np.int8)
    kernels.metropolis_sweep(got, 0.8, seed=3, layout="bytes", backend=engine, heat_bath_every=0)
    np.testing.assert_array_equal(got, cold_sweep())


PROPERTIES = st.fixed_dictionaries(
    {
        "half": st.one_of(
            st.tuples(st.integers(1, 9), st.integers(1, 40)), st.tuples(*[st.integers(1, n) for n in (3, 4, 18)])
        ),
        "beta": st.lists(st.floats(0, 3), min_size=1, max_size=3),
        "J": st.floats(-2, 2),
        "h": st.floats(-3, 3),
        "seed": st.integers(0, 2**64 - 1),
        "sweep": st.integers(0, 2**40 - 4),
        "first_chain": st.integers(0, 2**32 - 3),
        "heat_bath_every": st.integers(0, 4),
        "stream": st.sampled_from(kernels.STREAMS),
        "n_sweeps": st.integers(0, 3),
        "n_threads": st.integers(1, 4),
    }
)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(PROPERTIES)
def test_any_arguments_give_the_bits_of_the_reference(arguments):
    shape = tuple(2 * n for n in arguments.pop("half"))
    beta, J, h = (arguments.pop(name) for name in ("beta", "J", "h"))
    n_threads = arguments.pop("n_threads")
    start = ising.random_spins((len(beta), *shape), seed=1, ndim=len(shape))
    want = start.copy()
    ising.metropolis_sweep(want, beta, J, h, ndim=len(shape), **arguments)
    for backend in ("cpp", "numba"):
        got = start.copy()
        kernels.metropolis_sweep(
            got, beta, J, h, ndim=len(shape), layout="bytes", backend=backend, n_threads=n_threads, **arguments
        )
        np.testing.assert_array_equal(got, want)
