# SPDX-License-Identifier: BSD-3-Clause
"""Wolff and Swendsen-Wang: the reference's bits on every engine, for any threads and cuts; estimators; refusals."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest

from reference import cluster, enumeration, ising, streams
from spinodal import _native, kernels
from spinodal.backends import numba_cluster, numba_streams

MODELS = [(1.0, 0.0), (-1.0, 0.0), (1.0, 0.1), (1.0, -0.3), (-1.0, 0.2)]
SHAPES = [(2, 2), (3, 5), (4, 4), (6, 10), (7, 7), (2, 2, 2), (3, 4, 5), (2, 4, 6)]
LONG_ROWS = [(3, 63), (2, 64), (3, 65), (2, 127), (2, 128), (3, 129), (2, 3, 66), (2, 2, 200)]
FIRST = 2**33 - 2  # a step whose index carries into the upper word within the test


def beta_of(shape: tuple[int, ...]) -> float:
    return 0.45 if len(shape) == 2 else 0.24


def by_numba(name, spins, beta, J=1.0, h=0.0, *, n, first, seed=0, first_chain=0, stream="ars7", ndim=2):
    """The Numba twin over all chains; what :func:`advanced` returns."""
    ghost = numba_cluster.bond_threshold(beta, h) if name == "swendsen_wang" else 2 * beta * abs(h)
    twin = numba_cluster.swendsen_wang_sweeps if name == "swendsen_wang" else numba_cluster.wolff_steps
    counts = [
        twin(
            chain.reshape(-1, *chain.shape[-2:]), ndim == 2, int(np.sign(J)), numba_cluster.bond_threshold(beta, J),
            ghost, int(np.sign(beta * h)), n, numba_streams.STREAM_IDS[stream], np.uint64(seed), first, first_chain + c,
        )
        for c, chain in enumerate(spins)
    ]  # fmt: skip
    return np.array(counts).T


def advanced(engine, name, start, *args, n, first=FIRST, n_threads=None, **options):
    """A copy of the chains after n updates, and the numbers the kernel returns."""
    spins = start.copy()
    if engine == "numba":
        return spins, by_numba(name, spins, *args, n=n, first=first, **options)
    module = cluster if engine == "reference" else kernels
    if engine == "cpp":
        options.update(backend="cpp", n_threads=n_threads or 1)
    if name == "wolff":
        return spins, np.array(module.wolff_step(spins, *args, n_steps=n, step=first, **options))
    return spins, np.array(module.swendsen_wang_sweep(spins, *args, n_sweeps=n, sweep=first, **options))


def assert_same(got, want):
    np.testing.assert_array_equal(got[0], want[0])
    np.testing.assert_array_equal(got[1], want[1])


@cache
def expected(name, shape, model, stream):
    start = ising.random_spins((2, *shape), seed=3, ndim=len(shape))
    options = {"n": 5, "seed": 2**63 + 5, "first_chain": 7, "stream": stream, "ndim": len(shape)}
    return start, options, advanced("reference", name, start, beta_of(shape), *model, **options)


@pytest.mark.parametrize("model", MODELS, ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", ["wolff", "swendsen_wang"])
def test_bits_of_the_reference(engine, stream, name, shape, model):
    start, options, want = expected(name, shape, model, stream)
    assert_same(advanced(engine, name, start, beta_of(shape), *model, **options), want)


@pytest.mark.parametrize("shape", LONG_ROWS, ids=str)
@pytest.mark.parametrize("name", ["wolff", "swendsen_wang"])
def test_rows_about_a_word_long(engine, name, shape):
    start, options, want = expected(name, shape, (1.0, 0.05), "philox10")
    assert_same(advanced(engine, name, start, beta_of(shape), 1.0, 0.05, **options), want)


@cache
def expected_square(name, model):
    start = ising.random_spins((1, 64, 64), seed=1)
    start[0, :, 10:] = 1
    return start, advanced("reference", name, start, 0.5, *model, n=1)


@pytest.mark.parametrize("model", [(1.0, 0.0), (1.0, 0.01), (-1.0, 0.0)], ids=str)
@pytest.mark.parametrize("name", ["wolff", "swendsen_wang"])
def test_64x64(engine, name, model):
    start, want = expected_square(name, model)
    assert_same(advanced(engine, name, start, 0.5, *model, n=1), want)


@cache
def by_numba_on_a_large_lattice(name, shape, beta, model):
    start = kernels.random_spins((1, *shape), seed=1, ndim=len(shape), backend="numba")
    start[..., : 2 * shape[-1] // 3] = 1
    return start, advanced("numba", name, start, beta, *model, n=6, stream="philox10", ndim=len(shape))


@pytest.mark.parametrize(
    ("shape", "beta", "model"),
    [
        ((130, 131), 0.44, (1.0, 0.0)),
        ((130, 132), 0.44, (-1.0, 0.0)),
        ((300, 260), 0.46, (1.0, 0.01)),
        ((131, 129), 0.44, (-1.0, 0.1)),
        ((520, 514), 0.45, (1.0, 0.0)),  # larger than what the Wolff kernel takes for the cache
        ((24, 20, 30), 0.23, (1.0, 0.0)),
        ((72, 70, 66), 0.5, (1.0, 0.0)),  # a front longer than the part of the queue that is kept
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["wolff", "swendsen_wang"])
def test_large_lattices(isa, name, shape, beta, model):
    """Too large for the reference: against the Numba twin."""
    start, want = by_numba_on_a_large_lattice(name, shape, beta, model)
    assert_same(advanced("cpp", name, start, beta, *model, n=6, stream="philox10", ndim=len(shape)), want)


@pytest.mark.parametrize("seed", range(8))
def test_wolff_compares_all_64_bits(engine, seed):
    """A threshold that shares its top 16 bits with the first bond's uniform: the tail decides."""
    uniform = cluster.wolff_uniforms(0, 2, FIRST, 0, seed, "ars7").tolist()[0][seed % 4]
    p = ((uniform >> 48) + 0.5) / 2**16
    start = np.ones((1, 4, 4), dtype=np.int8)
    beta = -math.log1p(-p) / 2
    assert cluster.bond_threshold(beta, 1.0) >> 48 == uniform >> 48
    assert_same(
        advanced(engine, "wolff", start, beta, n=1, seed=seed),
        advanced("reference", "wolff", start, beta, n=1, seed=seed),
    )


@cache
def expected_at(beta, name, model):
    start = ising.random_spins((2, 5, 6), seed=2)
    return start, advanced("reference", name, start, beta, *model, n=3)


@pytest.mark.parametrize("beta", [0.0, 1e-300, 1e-9, 40.0, 1e6])
@pytest.mark.parametrize("name", ["wolff", "swendsen_wang"])
def test_extreme_temperatures(engine, name, beta):
    """Bonds that are never and always active."""
    for model in ((1.0, 0.0), (1.0, 0.5), (0.0, 0.5), (-1.0, -0.5)):
        start, want = expected_at(beta, name, model)
        assert_same(advanced(engine, name, start, beta, *model, n=3), want)


@pytest.mark.parametrize("n_threads", [2, 3, 8])
@pytest.mark.parametrize("name", ["wolff", "swendsen_wang"])
def test_threads(name, n_threads):
    start = ising.random_spins((7, 96, 100), seed=1)
    beta = np.linspace(0.3, 0.5, 7)
    options = {"n": 24, "seed": 4}
    one = advanced("cpp", name, start, beta, 1.0, 0.001, **options)
    assert_same(advanced("cpp", name, start, beta, 1.0, 0.001, n_threads=n_threads, **options), one)


@pytest.mark.parametrize("cuts", [[1] * 12, [5, 0, 7], [11, 1]], ids=str)
@pytest.mark.parametrize("name", ["wolff", "swendsen_wang"])
def test_cutting_into_calls(engine, name, cuts):
    start = ising.random_spins((2, 9, 10), seed=1)
    whole = advanced(engine, name, start, 0.44, 1.0, 0.01, n=12)
    spins, total, first = start, 0, FIRST
    for n in cuts:
        spins, counts = advanced(engine, name, spins, 0.44, 1.0, 0.01, n=n, first=first)
        total, first = total + counts, first + n
    assert_same((spins, total), whole)


@pytest.mark.parametrize("name", ["wolff", "swendsen_wang"])
def test_a_chain_depends_on_its_index_alone(engine, name):
    start = ising.random_spins((5, 6, 8), seed=1)
    together, counts = advanced(engine, name, start, 0.44, n=6)
    for c in range(5):
        alone, count = advanced(engine, name, start[c : c + 1], 0.44, n=6, first_chain=c)
        np.testing.assert_array_equal(alone[0], together[c])
        np.testing.assert_array_equal(count[..., 0], counts[..., c])


def test_wolff_without_cluster_sizes_changes_no_spin(isa):
    """A cluster bound to the ghost may then stop growing."""
    for model in ((1.0, 0.1), (1.0, -0.02), (-1.0, 0.1)):
        start = ising.random_spins((4, 20, 21), seed=1)
        start[2:] = 1
        spins, (want, sizes) = advanced("cpp", "wolff", start, 0.5, *model, n=30)
        flipped, other = np.empty(4, dtype=np.int64), start.copy()
        _native.wolff_step(other, np.full(4, 0.5), *model, 30, 0, FIRST, 0, "ars7", 2, 1, flipped, None)
        np.testing.assert_array_equal(other, spins)
        np.testing.assert_array_equal(flipped, want)
        assert np.all(sizes >= want)


@pytest.mark.parametrize("name", ["wolff", "swendsen_wang"])
@pytest.mark.parametrize(
    ("shape", "model"),
    [((4, 4), (1.0, 0.0)), ((4, 4), (1.0, 0.1)), ((3, 3), (-1.0, 0.0)), ((3, 3), (-1.0, 0.3)), ((3, 3), (1.0, -0.2))],
    ids=str,
)
def test_energy_and_magnetization_squared(name, shape, model):
    """Independent chains against sums over all states: within 5σ, σ below 1e-3 a site."""
    beta, n_chains, n_draws = 0.4, 8192, 128
    spins = ising.random_spins((n_chains, *shape), seed=5)
    spins, _ = advanced("cpp", name, spins, beta, *model, n=40, first=0)
    energy, square = np.zeros(n_chains), np.zeros(n_chains)
    for draw in range(n_draws):
        spins, _ = advanced("cpp", name, spins, beta, *model, n=2, first=40 + 2 * draw)
        energy += kernels.ising_energy(spins, *model)
        square += kernels.magnetization(spins) ** 2.0
    probability = enumeration.boltzmann(shape, beta, *model)
    n_sites = math.prod(shape)
    for found, truth in (
        (energy / n_draws / n_sites, probability @ enumeration.energies(shape, *model) / n_sites),
        (square / n_draws / n_sites**2, probability @ enumeration.magnetizations(shape) ** 2.0 / n_sites**2),
    ):
        stderr = found.std(ddof=1) / math.sqrt(n_chains)
        assert stderr < 1e-3
        assert abs(found.mean() - truth) < 5 * stderr


@pytest.mark.parametrize("shape", [(4, 4), (3, 4)], ids=str)
def test_mean_cluster_size_estimates_magnetization_squared(shape):
    """⟨|C|⟩ = N ⟨m²⟩ at h = 0: the cluster of a random site has the sites that are correlated with it."""
    beta, n_chains, n_steps = 0.4, 4096, 64
    spins, _ = advanced("cpp", "wolff", ising.random_spins((n_chains, *shape), seed=5), beta, n=60, first=0)
    _, (flipped, size) = advanced("cpp", "wolff", spins, beta, n=n_steps, first=60)
    np.testing.assert_array_equal(flipped, size)
    truth = enumeration.boltzmann(shape, beta) @ enumeration.magnetizations(shape) ** 2.0 / math.prod(shape)
    means = size / n_steps
    assert abs(means.mean() - truth) < 5 * means.std(ddof=1) / math.sqrt(n_chains)


def test_counters_never_repeat():
    """Every block a Wolff step and a sweep can ask for has its own counter, at the largest row too."""
    rows = np.array([0, 1, 2**31 - 2])[:, None]
    per_kind = [streams.counter("cluster_bond", (k << 16) + np.arange(2**16), rows) for k in range(3)]
    tails = [streams.counter("cluster_tail", np.arange(0, 2**20, 97), rows + (k << 31)) for k in range(2)]
    everything = np.concatenate([*per_kind, *tails]).astype(np.uint64)
    assert len(np.unique(everything[:, 0] << np.uint64(32) | everything[:, 1])) == len(everything)


@pytest.mark.parametrize("name", ["wolff", "swendsen_wang"])
def test_too_many_sites(name):
    spins = np.empty((1, 2048, 2**20), dtype=np.int8)  # never touched
    with pytest.raises(ValueError, match="at most 2147483647 sites"):
        (kernels.wolff_step if name == "wolff" else kernels.swendsen_wang_sweep)(spins, 0.44, backend="cpp")
