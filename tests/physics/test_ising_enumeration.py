# SPDX-License-Identifier: BSD-3-Clause
"""Every update × backend × stream against sums over all states of small lattices."""

from __future__ import annotations

import numpy as np
import pytest

from reference import enumeration
from reference.transition import Checkerboard, flip_probability
from reference.updates import CLUSTER, LOCAL, SIGMAS, UPDATES, Chains, deviations, offered
from spinodal import kernels

BETA = 1 / 2.269
MODELS = {"h=0": (1.0, 0.0), "field": (1.0, 0.12), "antiferromagnet": (-1.0, 0.5)}


def hot_start(shape: tuple[int, ...], n_chains: int, seed: int) -> np.ndarray:
    return kernels.random_spins((n_chains, *shape), seed=seed, stream="philox10", ndim=len(shape))


def sampled_deviations(chains: Chains, shape, *, n_chains=4096, n_draws=64, thin=4, exact_beta=None):
    """Standard errors between the chains' averages and the exact ones at ``exact_beta``."""
    beta = chains.beta if exact_beta is None else exact_beta
    probability = enumeration.boltzmann(shape, beta, chains.J, chains.h)
    exact = enumeration.exact_means(probability, shape, chains.J, chains.h)
    means = chains.chain_means(hot_start(shape, n_chains, 5), burn_in=192, n_draws=n_draws, thin=thin)
    return deviations(means, exact)


def require(update: str, backend: str) -> None:
    if not offered(update, backend):
        pytest.skip(f"{backend} has no {update}")


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("update", [name for name in UPDATES if name != "pure_metropolis"])
def test_4x4(update, model, stream):
    require(update, "cpp")
    J, h = MODELS[model]
    found = sampled_deviations(Chains(update, BETA, J, h, stream=stream), (4, 4))
    assert max(map(abs, found.values())) < SIGMAS, found


@pytest.mark.parametrize("update", LOCAL)
def test_4x4_by_numba(update, stream):
    """Fewer samples: the bits are those of cpp."""
    chains = Chains(update, 0.3, 1.0, 0.12, stream=stream, backend="numba")
    found = sampled_deviations(chains, (4, 4), n_chains=512, n_draws=4, thin=32)
    assert max(map(abs, found.values())) < SIGMAS, found


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("update", CLUSTER)
def test_4x4_by_numba_clusters(update, model, stream):
    require(update, "numba")
    J, h = MODELS[model]
    chains = Chains(update, BETA, J, h, stream=stream, backend="numba")
    found = sampled_deviations(chains, (4, 4), n_chains=1024, n_draws=64)
    assert max(map(abs, found.values())) < SIGMAS, found


@pytest.mark.parametrize("shape", [(2, 2), (2, 6), (2, 2, 2), (2, 2, 4)], ids=str)
@pytest.mark.parametrize("update", UPDATES)
def test_double_bonds_and_three_dimensions(backend, update, shape):
    """With a field, so that the pure rule has no certain zero-energy moves either."""
    require(update, backend)
    chains = Chains(update, 0.2, 1.0, 0.3, ndim=len(shape), backend=backend)
    found = sampled_deviations(chains, shape, n_chains=512, n_draws=8, thin=8)
    assert max(map(abs, found.values())) < SIGMAS, found


@pytest.mark.parametrize("shape", [(3, 3), (3, 4), (2, 3), (2, 2, 3)], ids=str)
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("update", CLUSTER)
def test_odd_lengths_by_clusters(backend, update, model, shape):
    """An antiferromagnet on an odd length is frustrated, and still sampled exactly."""
    require(update, backend)
    J, h = MODELS[model]
    chains = Chains(update, 0.4, J, h, ndim=len(shape), backend=backend)
    found = sampled_deviations(chains, shape, n_chains=1024, n_draws=32)
    assert max(map(abs, found.values())) < SIGMAS, found


@pytest.mark.parametrize("update", [name for name in UPDATES if name != "pure_metropolis"])
@pytest.mark.parametrize("model", MODELS)
def test_canary(update, model):
    """The same test fails when the temperature is 1 % off."""
    require(update, "cpp")
    J, h = MODELS[model]
    found = sampled_deviations(Chains(update, BETA, J, h), (4, 4), exact_beta=BETA / 1.01)
    assert max(map(abs, found.values())) > SIGMAS, found


def main_class() -> np.ndarray:
    """Which of the 4×4 states the pure rule reaches from the ground state."""
    square = Checkerboard((4, 4))
    classes = square.communicating_classes(flip_probability("metropolis", BETA, 1.0, 0.0, 2))
    is_main = np.zeros(2**16, dtype=bool)
    is_main[square.to_halves(np.arange(2**16))[classes == classes[0, 0]]] = True
    return is_main


def test_the_pure_rule_samples_its_main_class(stream):
    """Boltzmann's distribution without the 36 states that the rule cannot reach."""
    reachable = main_class()
    probability = np.where(reachable, enumeration.boltzmann((4, 4), BETA), 0)
    exact = enumeration.exact_means(probability / probability.sum(), (4, 4))
    start = hot_start((4, 4), 4096, 5)
    start[~reachable[enumeration.state_numbers(start)]] = 1
    means = Chains("pure_metropolis", BETA, stream=stream).chain_means(start, burn_in=192, n_draws=64, thin=4)
    found = deviations(means, exact)
    assert max(map(abs, found.values())) < SIGMAS, found


@pytest.mark.parametrize("update", ["metropolis", "heat_bath"])
def test_the_default_escapes_every_trap_of_the_pure_rule(update):
    """Chains that start in the 36 trapped states alone sample the full distribution."""
    trapped = enumeration.configurations((4, 4))[~main_class()]
    assert len(trapped) == 36
    exact = enumeration.exact_means(enumeration.boltzmann((4, 4), BETA), (4, 4))
    start = np.repeat(trapped, 100, axis=0)
    found = deviations(Chains(update, BETA).chain_means(start, burn_in=192, n_draws=32, thin=4), exact)
    assert max(map(abs, found.values())) < SIGMAS, found
    pure = Chains("pure_metropolis", BETA)
    stuck = pure.chain_means(np.repeat(trapped, 100, axis=0), burn_in=192, n_draws=4, thin=1)
    assert max(map(abs, deviations(stuck, exact).values())) > 100
