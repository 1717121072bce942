# SPDX-License-Identifier: BSD-3-Clause
"""One seed, one answer: for any threads, any cutting into calls, and whatever other chains do."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from reference import ising
from spinodal import kernels

THREADS = [2, 3, 5, 8, 64]


def swept(spins, beta=0.44, J=1.0, h=0.0, *, backend, n_threads=1, **options):
    out = spins.copy()
    kernels.metropolis_sweep(out, beta, J, h, layout="bytes", backend=backend, n_threads=n_threads, **options)
    return out


@pytest.mark.parametrize("n_threads", THREADS)
@pytest.mark.parametrize(("shape", "ndim"), [((7, 6, 10), 2), ((3, 4, 4, 6), 3), ((1, 34, 66), 2)], ids=str)
def test_threads_over_chains(engine, shape, ndim, n_threads):
    spins = ising.random_spins(shape, seed=1, ndim=ndim)
    one = swept(spins, backend=engine, n_sweeps=20, ndim=ndim)
    np.testing.assert_array_equal(swept(spins, backend=engine, n_sweeps=20, ndim=ndim, n_threads=n_threads), one)


@pytest.mark.parametrize("n_threads", [2, 3, 5, 8])
@pytest.mark.parametrize(
    ("shape", "ndim"), [((1, 512, 514), 2), ((3, 512, 520), 2), ((1, 64, 64, 66), 3), ((1, 6, 65_536), 2)], ids=str
)
def test_threads_inside_one_lattice(isa, shape, ndim, n_threads):
    """From 2¹⁵ sites a thread on, a team shares the rows of a lattice; some members may have none."""
    spins = kernels.random_spins(shape, seed=1, ndim=ndim)
    one = swept(spins, 0.3, backend="cpp", n_sweeps=4, heat_bath_every=2, ndim=ndim)
    many = swept(spins, 0.3, backend="cpp", n_sweeps=4, heat_bath_every=2, ndim=ndim, n_threads=n_threads)
    np.testing.assert_array_equal(many, one)


@cache
def large_lattice() -> tuple[np.ndarray, np.ndarray]:
    """Before and after, by numba: too large for the reference."""
    start = ising.random_spins((256, 258), seed=1)
    return start, swept(start, 0.3, 1.0, 0.1, backend="numba", n_sweeps=8, heat_bath_every=3)


def test_a_large_lattice_is_the_same_on_every_engine(engine):
    start, want = large_lattice()
    got = swept(start, 0.3, 1.0, 0.1, backend=engine, n_sweeps=8, heat_bath_every=3)
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("n_threads", THREADS)
def test_observables_and_random_spins_on_any_threads(engine, n_threads):
    spins = kernels.random_spins((9, 6, 10), seed=4, backend=engine, n_threads=n_threads)
    np.testing.assert_array_equal(spins, ising.random_spins((9, 6, 10), seed=4))
    options = {"backend": engine, "n_threads": n_threads}
    np.testing.assert_array_equal(kernels.ising_energy(spins, 1.0, 0.5, **options), ising.ising_energy(spins, 1.0, 0.5))
    np.testing.assert_array_equal(kernels.magnetization(spins, **options), ising.magnetization(spins))
    np.testing.assert_array_equal(kernels.local_field(spins, **options), ising.local_field(spins))


@pytest.mark.parametrize("cuts", [[20], [1] * 20, [3, 0, 16, 1], [16, 4]], ids=str)
def test_cutting_into_calls(engine, stream, cuts):
    spins = ising.random_spins((3, 6, 10), seed=1)
    whole = swept(spins, backend=engine, stream=stream, n_sweeps=20, sweep=2**32 - 7)
    parts, done = spins.copy(), 2**32 - 7
    for n_sweeps in cuts:
        parts = swept(parts, backend=engine, stream=stream, n_sweeps=n_sweeps, sweep=done)
        done += n_sweeps
    np.testing.assert_array_equal(parts, whole)


def test_slices_for_signals_do_not_change_the_bits(engine, monkeypatch):
    """The same call in native calls of one sweep each and in one native call."""
    from spinodal.backends import resolve

    spins = ising.random_spins((3, 6, 10), seed=1)
    whole = swept(spins, backend=engine, n_sweeps=33, sweep=5)
    monkeypatch.setattr(type(resolve(engine)), "updates_per_call", 1)
    np.testing.assert_array_equal(swept(spins, backend=engine, n_sweeps=33, sweep=5), whole)


@pytest.mark.parametrize("split", [1, 3, 6])
def test_splitting_the_chains(engine, split):
    """Chains in two calls, told their global index, keep their bits."""
    spins = ising.random_spins((7, 6, 10), seed=1)
    beta = np.linspace(0.2, 0.8, 7)
    whole = swept(spins, beta, backend=engine, n_sweeps=9, first_chain=40)
    first = swept(spins[:split], beta[:split], backend=engine, n_sweeps=9, first_chain=40)
    second = swept(spins[split:], beta[split:], backend=engine, n_sweeps=9, first_chain=40 + split)
    np.testing.assert_array_equal(np.concatenate([first, second]), whole)


def test_a_chain_does_not_feel_the_others(engine):
    spins = ising.random_spins((4, 6, 10), seed=1)
    others = spins.copy()
    others[[0, 1, 3]] *= -1
    hotter = np.array([0.1, 0.2, 0.44, 0.9])
    got = swept(others, hotter, backend=engine, n_sweeps=9)
    np.testing.assert_array_equal(got[2], swept(spins, backend=engine, n_sweeps=9)[2])


def test_seeds_streams_sweeps_and_chains_all_matter(engine):
    spins = ising.random_spins((1, 16, 16), seed=1)
    variants = [{}, {"seed": 1}, {"seed": 2**32}, {"sweep": 1}, {"sweep": 2**32}, {"first_chain": 1}]
    variants += [{"stream": "ars5"}, {"stream": "philox10"}]
    results = {swept(spins, backend=engine, n_sweeps=2, **variant).tobytes() for variant in variants}
    assert len(results) == len(variants)
