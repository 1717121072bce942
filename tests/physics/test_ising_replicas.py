# SPDX-License-Identifier: BSD-3-Clause
"""Replica-packed sweeps against exact solutions, and the mistakes such kernels have made elsewhere."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

import spinodal as sp
from reference import enumeration, ising
from reference.updates import SIGMAS
from spinodal.backends import resolve

T = 2.269


class Replicas:
    """Many chains from random starts, measured without unpacking."""

    def __init__(self, layout, shape, n_chains, beta, J=1.0, h=0.0, *, every=16, stream="ars7", backend="cpp"):
        self.spins = ising.random_spins((n_chains, *shape), seed=3, ndim=len(shape))
        self.model = np.broadcast_to(np.asarray(beta, dtype=float), n_chains).copy(), J, h
        self.options = {"seed": 1, "first_chain": 0, "heat_bath_every": every, "stream": stream, "n_threads": 1}
        self.kernel = getattr(resolve(backend), f"metropolis_sweep_{layout}")
        self.energy, self.magnetization = np.empty(n_chains), np.empty(n_chains, dtype=np.int64)
        self.sweep = 0

    def advance(self, n_sweeps):
        self.kernel(
            self.spins, *self.model, sweep=self.sweep, n_sweeps=n_sweeps, energy=self.energy,
            magnetization=self.magnetization, **self.options,
        )  # fmt: skip
        self.sweep += n_sweeps

    def chain_means(self, burn_in, n_draws, thin):
        """Averages over time of E, E², |m| and m² a site, of every chain."""
        n_sites = self.spins[0].size
        sums = np.zeros((4, len(self.spins)))
        self.advance(burn_in)
        for _ in range(n_draws):
            self.advance(thin)
            e, m = self.energy / n_sites, self.magnetization / n_sites
            sums += np.stack([e, e * e, np.abs(m), m * m])
        return sums / n_draws


def exact_of(shape, beta, J, h):
    probability = enumeration.boltzmann(shape, beta, J, h)
    n_sites = math.prod(shape)
    e, m = enumeration.energies(shape, J, h) / n_sites, enumeration.magnetizations(shape) / n_sites
    return np.array([probability @ x for x in (e, e * e, np.abs(m), m * m)])


def sigmas(means, exact):
    """How many standard errors the means over chains are from the exact values; and the errors."""
    stderr = means.std(axis=1, ddof=1) / np.sqrt(means.shape[1])
    return np.abs(means.mean(axis=1) - exact) / stderr, stderr


@pytest.mark.parametrize("every", [1, 16])
@pytest.mark.parametrize("shape", [(4, 4), (2, 4), (2, 6)], ids=str)
def test_one_temperature(shape, every):
    means = Replicas("replicas", shape, 1 << 16, 1 / T, every=every).chain_means(64, 60, 8)
    deviation, stderr = sigmas(means, exact_of(shape, 1 / T, 1.0, 0.0))
    assert deviation.max() < SIGMAS, deviation
    assert stderr[0] < 4e-4


@pytest.mark.parametrize("temperature", [1.2, 1.8, 3.0, 6.0])
@pytest.mark.parametrize("J", [1.0, -1.0])
def test_every_scheme_of_masks(temperature, J):
    means = Replicas("replicas", (4, 4), 1 << 14, 1 / temperature, J).chain_means(256, 100, 16)
    assert sigmas(means, exact_of((4, 4), 1 / temperature, J, 0.0))[0].max() < SIGMAS


MODELS = {
    "h=0": (1.0, 0.0),
    "field": (1.0, 0.12),
    "antiferromagnet": (-1.0, 0.5),
    "at a tie": (1.0, 2.0),
    "free": (0.0, 0.3),
}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("shape", [(4, 4), (2, 6), (3, 3), (3, 4), (2, 2, 4), (3, 2, 2)], ids=str)
@pytest.mark.parametrize("every", [2, 16])
def test_a_temperature_for_every_chain(shape, model, every):
    """Four temperatures, lane by lane."""
    J, h = MODELS[model]
    beta = 1 / (len(shape) - 1) / np.array([2.0, T, 3.0, 10.0])  # in 3-D, too, none too cold to cross over
    means = Replicas("lanes", shape, 1 << 13, np.tile(beta, 1 << 11), J, h, every=every).chain_means(1000, 25, 16)
    for i, b in enumerate(beta.tolist()):
        deviation, _ = sigmas(means[:, i::4], exact_of(shape, b, J, h))
        assert deviation.max() < SIGMAS, (b, deviation)


@pytest.mark.parametrize("layout", ["replicas", "lanes"])
@pytest.mark.parametrize("shape", [(8, 8), (24, 40)], ids=str)
def test_kaufman(layout, shape):
    exact = sp.exact.kaufman(shape, temperature=T)
    means = Replicas(layout, shape, 2048, 1 / T).chain_means(1500, 100, 10)
    stderr = means[0].std(ddof=1) / np.sqrt(means.shape[1])
    assert abs(means[0].mean() - exact.energy_per_site) < SIGMAS * stderr
    assert stderr < 1e-3


@pytest.mark.parametrize("layout", ["replicas", "lanes"])
def test_a_hundredth_of_the_temperature_shows(layout):
    """The canary: the tests above can fail."""
    means = Replicas(layout, (4, 4), 1 << 14, 0.99 / T).chain_means(64, 30, 8)
    assert sigmas(means, exact_of((4, 4), 1 / T, 1.0, 0.0))[0].max() > 2 * SIGMAS


@pytest.mark.parametrize("backend", ["cpp", "numba"])
@pytest.mark.parametrize("layout", ["replicas", "lanes"])
@pytest.mark.parametrize("beta", [1.2, 1.6])
def test_rare_flips_have_their_probability(backend, layout, beta):
    """From the ground state, exp(−8β) = 7e-5 and 3e-6: a threshold of 8 bits would make it 0 or 1/256."""
    n_chains, n_calls = (2048, 16) if backend == "cpp" else (256, 8)
    chains = Replicas(layout, (64, 64), n_chains, beta, every=0, backend=backend)
    flips = 0
    for _ in range(n_calls):
        chains.spins[:] = 1
        chains.advance(1)
        flips += int((chains.spins[:, ::2, ::2] == -1).sum()) + int((chains.spins[:, 1::2, 1::2] == -1).sum())
    expected = n_chains * n_calls * 2048 * math.exp(-8 * beta)
    assert stats.poisson.cdf(flips, expected) > 1e-9
    assert stats.poisson.sf(flips - 1, expected) > 1e-9


@pytest.mark.parametrize("layout", ["replicas", "lanes"])
@pytest.mark.parametrize("start", ["cold", "hot"])
def test_replicas_are_independent(layout, start):
    """With shared random numbers all lanes become one up to its sign within 1000 sweeps."""
    chains = Replicas(layout, (32, 32), 256, 1 / T)
    if start == "cold":
        chains.spins[:] = 1
    else:
        chains.spins[:] = chains.spins[0]
    chains.advance(1500)
    flat = chains.spins.reshape(256, -1).astype(np.float64)
    overlaps = (flat @ flat.T / flat.shape[1])[np.triu_indices(256, 1)]
    assert np.abs(overlaps).max() < 0.99
    # Replicas without correlation: ⟨q²⟩ over pairs is that of halves swept with different seeds.
    other = Replicas(layout, (32, 32), 256, 1 / T)
    other.options["seed"] = 2
    other.advance(1500)
    between = flat @ other.spins.reshape(256, -1).T.astype(np.float64) / flat.shape[1]
    spread = (between**2).mean(axis=1).std(ddof=1) / 16
    assert abs((overlaps**2).mean() - (between**2).mean()) < 6 * np.sqrt(2) * spread


@pytest.mark.parametrize("layout", ["replicas", "lanes"])
def test_neighbouring_lanes_do_not_share_their_fluctuations(layout):
    """Lanes share a nibble's or a byte's column: their bits must be independent all the same."""
    chains = Replicas(layout, (8, 8), 4096, 1 / T)
    chains.advance(200)
    draws = []
    for _ in range(200):
        chains.advance(20)
        draws.append(chains.energy.copy())
    x = np.array(draws) - np.mean(draws)
    x /= x.std()
    for distance in (1, 2, 3, 4, 7, 8, 16, 64, 128):
        r = (x * np.roll(x, distance, axis=1)).mean()
        assert abs(r) < 6 / np.sqrt(x.size / 4), distance  # 20 sweeps leave a correlation in time: τ < 4 draws


@pytest.mark.parametrize("layout", ["replicas", "lanes"])
def test_the_default_leaves_closed_orbits(layout):
    """Diagonal stripes of width 2: every neighbourhood is balanced, and certain flips only swap them."""
    y, x = np.indices((4, 4))
    stripes = np.where((x + y) // 2 % 2 == 0, 1, -1).astype(np.int8)
    energies = {}
    for every in (0, 16):
        chains = Replicas(layout, (4, 4), 4096, 1 / T, every=every)
        chains.spins[:] = stripes
        chains.advance(160)
        energies[every] = chains.energy.copy()
    assert (energies[0] == 0).all()
    exact = exact_of((4, 4), 1 / T, 1.0, 0.0)[0] * 16
    assert abs(energies[16].mean() - exact) < SIGMAS * energies[16].std() / 64
