# SPDX-License-Identifier: BSD-3-Clause
"""Independent draws of Gaussian fields: their law, and bits that do not depend on how chains are divided."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
import scipy.stats

import spinodal as sp
from samplers.cases import advance, assert_same
from spinodal.backends.isas import using_isa
from spinodal.samplers.protocol import Key

Q, GAMMA, LAM = 0.8, 1.3, 0.2
KEY = Key(seed=5, step=3, first_chain=13)  # in the middle of a block
N_CHAINS = 40


def random_graph(n: int) -> sp.Laplacian:
    """A tree with more edges, of random weights."""
    rng = np.random.default_rng(3)
    edges = {(i, int(rng.integers(0, i))) for i in range(1, n)} | {(i, i - 1) for i in range(1, n, 3)}
    return sp.graph_laplacian(np.array(sorted(edges)), weights=rng.uniform(0.5, 2, len(edges)), n_nodes=n)


def field(method: str = "auto", lam: float = LAM, tol: float = 1e-9, **options: str) -> sp.GaussianField:
    """The stationary law on a graph, or on a grid for its methods; an odd number of nodes."""
    laplacian = sp.grid_laplacian((5, 7)) if method in ("grid", "fft") else random_graph(35)
    process = sp.GraphProcess(laplacian, gamma=GAMMA, lam=lam, q=Q, method=method, tol=tol, **options)
    return process.stationary(project=lam == 0)


def modes(system: sp.GaussianField, draws: np.ndarray, temperature: float) -> np.ndarray:
    """Draws (n, N) in the eigenvectors of A, each of unit variance if the law is right, by dense algebra."""
    values, vectors = np.linalg.eigh(GAMMA * system.laplacian.dense() + system.lam * np.eye(draws.shape[1]))
    real = values > 1e-9 * values[-1]
    return np.asarray(draws @ vectors[:, real] * np.sqrt(2 * values[real] / (Q * temperature)))


def p_values(whitened: np.ndarray) -> tuple[float, float, float]:
    """Of the variances together, of the worst of them, and of the largest correlation of two modes."""
    n, n_modes = whitened.shape
    squares = (whitened**2).sum(axis=0)
    tails = 2 * np.minimum(scipy.stats.chi2.cdf(squares, n), scipy.stats.chi2.sf(squares, n))
    correlation = np.corrcoef(whitened.T)[np.triu_indices(n_modes, 1)]
    worst = 2 * scipy.stats.norm.sf(np.abs(np.arctanh(correlation)).max() * np.sqrt(n - 3))
    total = scipy.stats.chi2(n * n_modes)
    return (
        2 * min(total.cdf(squares.sum()), total.sf(squares.sum())),
        min(1.0, tails.min() * n_modes),
        min(1.0, worst * correlation.size),
    )


@pytest.mark.parametrize(("method", "lam"), [("auto", LAM), ("chebyshev", LAM), ("grid", LAM), ("dense", 0.0)])
@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_the_covariance_is_that_of_the_law(method, lam, temperature):
    system = field(method, lam)
    samples = sp.run(sp.GaussianSampler(system, temperature), n_chains=1500, n_steps=2, seed=9)
    assert samples.draws.shape == (1500, 2, 35)
    whitened = modes(system, samples.draws.reshape(3000, 35), temperature)
    assert min(p_values(whitened)) > 1e-5
    # Canaries: noise three per cent too strong, one mode too weak, and two modes that know of one another.
    assert p_values(1.03 * whitened)[0] < 1e-5
    weak, tied = whitened.copy(), whitened.copy()
    weak[:, 4] *= 0.85
    tied[:, 3] += 0.2 * tied[:, 20]
    assert p_values(weak)[1] < 1e-5
    assert p_values(tied)[2] < 1e-5
    # The two draws of a chain are independent.
    first, second = modes(system, samples.draws[:, 0], temperature), modes(system, samples.draws[:, 1], temperature)
    assert abs((first * second).sum()) < 5 * np.sqrt(first.size)


def test_energies_are_recorded():
    system, temperature = field(), np.linspace(0.5, 3, 400)
    samples = sp.run(sp.GaussianSampler(system, temperature), n_chains=400, seed=2)
    assert samples.energy.shape == (400, 1)
    np.testing.assert_allclose(samples.energy[:, 0], system.energy(samples.draws[:, 0]), rtol=1e-12)
    ratio = samples.energy[:, 0] / temperature  # N/2 on average, variance N/2
    assert abs(ratio.mean() - 17.5) < 5 * np.sqrt(17.5 / 400)
    assert samples.provenance["sampler"]["method"] == "GaussianSampler"


@pytest.mark.parametrize("method", ["auto", "chebyshev", "grid", "fft", "dense"])
def test_cuts_leave_every_bit(method):
    sampler = sp.GaussianSampler(field(method), np.linspace(1, 2, N_CHAINS))
    whole, _ = advance(sampler, KEY, sampler.init(KEY, N_CHAINS), 4)
    for counts in ((1, 3), (2, 0, 2)):
        state, _ = advance(sampler, KEY, sampler.init(KEY, N_CHAINS), *counts, n_threads=3)
        assert_same(state.arrays(), whole.arrays())
    for cuts in ((0, 1, 19, N_CHAINS), (0, 3, 4, 22, N_CHAINS)):
        parts = []
        for start, stop in pairwise(cuts):
            key, part = Key(KEY.seed, KEY.step, KEY.first_chain + start), sampler.for_chains(start, stop)
            parts.append(advance(part, key, part.init(key, stop - start), 4)[0].arrays())
        assert_same({name: np.concatenate([p[name] for p in parts]) for name in parts[0]}, whole.arrays())
    other, _ = advance(sampler, KEY.at(4), sampler.init(KEY, N_CHAINS), 4)
    assert (other.fields != whole.fields).all()


def test_backends_agree(backend, stream):
    for method in ("chebyshev", "grid"):
        states = []
        for chosen in (None, backend):
            sampler = sp.GaussianSampler(field(method, backend=chosen), stream=stream)
            states.append(advance(sampler, KEY, sampler.init(KEY, 5), 1)[0].arrays())
        np.testing.assert_allclose(states[1]["fields"], states[0]["fields"], rtol=1e-9, atol=1e-12)


def test_instruction_sets_give_the_same_bits(isa):
    sampler = sp.GaussianSampler(field("chebyshev"))
    state = advance(sampler, KEY, sampler.init(KEY, 5), 1)[0]
    with using_isa("baseline"):
        assert_same(state.arrays(), advance(sampler, KEY, sampler.init(KEY, 5), 1)[0].arrays())


def test_workers_files_and_going_on(tmp_path):
    sampler = sp.GaussianSampler(field())
    whole = sp.run(sampler, n_chains=30, n_steps=4, seed=1)
    with ThreadPoolExecutor(3) as pool:
        divided = sp.run(sampler, n_chains=30, n_steps=4, seed=1, executor=pool)
    np.testing.assert_array_equal(divided.draws, whole.draws)
    np.testing.assert_array_equal(divided.energy, whole.energy)
    first = sp.run(sampler, n_chains=30, n_steps=1, seed=1, checkpoint=tmp_path / "fields.h5")
    np.testing.assert_array_equal(sp.load(tmp_path / "fields.h5").draws, whole.draws[:, :1])
    rest = sp.run(sampler, n_chains=30, n_steps=3, seed=1, init=first)
    np.testing.assert_array_equal(rest.draws, whole.draws[:, 1:])


def test_bad_input():
    with pytest.raises(TypeError, match=r"GraphProcess\.stationary makes one"):
        sp.GaussianSampler(random_graph(35))
    with pytest.raises(ValueError, match="finite and > 0; got -1"):
        sp.GaussianSampler(field(), -1.0)
    sampler = sp.GaussianSampler(field(), [1.0, 2.0])
    with pytest.raises(ValueError, match="2 temperatures were given for n_chains=3"):
        sp.run(sampler, n_chains=3)
    with pytest.raises(ValueError, match=r"shape \(n_chains, 35\); got \(2, 34\)"):
        sampler.state_from(np.zeros((2, 34)))
    with pytest.raises(ValueError, match="must be finite"):
        sampler.state_from(np.full((2, 35), np.nan))
    with pytest.raises(ValueError, match="n_steps must be >= 0"):
        sampler.step(KEY, sampler.init(KEY, 2), -1)
