# SPDX-License-Identifier: BSD-3-Clause
"""Mistakes that published Monte Carlo codes have made, and that these kernels must not.

Others are held elsewhere: the reducibility of the pure checkerboard rule by
test_ising_transition_matrix and test_ising_enumeration; odd lengths and rows that end inside a
word, thresholds to the last bit, and slow paths that must not depend on threads by tests/kernels;
hot starts below the transition and the record of the stream by tests/samplers.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from reference import enumeration, ising
from reference.updates import CLUSTER, UPDATES, Chains, deviations, offered
from spinodal import kernels

BETA_C = 1 / 2.269


def overlaps(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Σ_i s_i s'_i / N of every chain of a with every chain of b."""
    flat = [spins.reshape(len(spins), -1).astype(np.float32) for spins in (a, b)]
    return flat[0] @ flat[1].T / flat[0].shape[1]


def replicas(update: str, seed: int, start: np.ndarray, n_steps: int) -> np.ndarray:
    spins = start.copy()
    Chains(update, BETA_C, seed=seed).advance(spins, 0, n_steps)
    return spins


STARTS = {
    "cold": np.ones((256, 32, 32), dtype=np.int8),
    "hot": ising.random_spins((256, 32, 32), seed=77),
}


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("update", ["metropolis", "heat_bath", "wolff", "swendsen_wang"])
def test_replicas_are_independent(update, start):
    """256 replicas at the critical temperature overlap no more than replicas of different seeds do."""
    if not offered(update, "cpp"):
        pytest.skip(f"cpp has no {update}")
    n_steps = 100 if update in CLUSTER else 1000
    one, other = (replicas(update, seed, STARTS[start], n_steps) for seed in (1, 2))
    within = overlaps(one, one)[np.triu_indices(256, 1)]
    between = overlaps(one, other).ravel()
    assert np.abs(within).max() < 0.99
    # Overlaps of pairs that share a replica are uncorrelated, but their squares are not: the
    # number of independent squares is that of the replicas.
    squares = [(overlaps(one, one) ** 2).sum(axis=1) - 1, (overlaps(one, other) ** 2).sum(axis=1)]
    means = [squares[0] / 255, squares[1] / 256]
    stderr = np.hypot(*(values.std(ddof=1) / np.sqrt(256) for values in means))
    assert abs(means[0].mean() - means[1].mean()) < 5 * np.sqrt(2) * stderr
    assert abs(within.mean() - between.mean()) < 5 * np.hypot(within.std() / 180, between.std() / 256) + 0.02


@pytest.mark.parametrize("update", ["metropolis", "heat_bath"])
def test_shared_random_numbers_would_coalesce(update):
    """The canary: chains that do share their numbers become one, up to a sign, whatever their starts."""
    shared = []
    for start in STARTS["hot"][:8]:
        spins = start[None].copy()
        Chains(update, BETA_C).advance(spins, 0, 4000)  # chain 0 each time
        shared.append(spins[0])
    together = np.abs(overlaps(np.array(shared), np.array(shared)))
    assert together.min() == 1
    apart = replicas(update, 1, STARTS["hot"][:8], 4000)
    assert np.abs(overlaps(apart, apart)[np.triu_indices(8, 1)]).max() < 0.99


def one_down_neighbor(length: int) -> np.ndarray:
    """Even sites up with exactly one neighbour down each: x + 3y = 1 modulo 8."""
    y, x = np.indices((length, length))
    spins = np.where((x + 3 * y) % 8 == 1, -1, 1).astype(np.int8)
    assert (ising.neighbor_sum(spins)[(x + y) % 2 == 0] == 2).all()
    return spins


# Name: (state of the lattice, update, β, p(flip) of every even site).
RARE = {
    "ΔE = 8 at T = 0.5": ("aligned", "metropolis", 2.0, np.exp(-16)),
    "ΔE = 8 at T = 1": ("aligned", "metropolis", 1.0, np.exp(-8)),
    "ΔE = 4 at T = 0.25": ("one down", "metropolis", 4.0, np.exp(-16)),
    "ΔE = 4 at T = 0.4": ("one down", "metropolis", 2.5, np.exp(-10)),
    "heat bath, ΔE = 8 at T = 0.5": ("aligned", "heat_bath", 2.0, 1 / (1 + np.exp(16))),
    "heat bath, ΔE = 4 at T = 0.4": ("one down", "heat_bath", 2.5, 1 / (1 + np.exp(10))),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", RARE)
def test_rare_flips_at_low_temperature(case, stream):
    """A billion attempts at one even site's flip: as many as Poisson's law allows, two-sided at 10⁻⁷."""
    state, update, beta, p = RARE[case]
    length, n_sweeps = 4096, 120
    start = {"aligned": np.ones((length, length), dtype=np.int8), "one down": one_down_neighbor(length)}[state]
    even = start[::2, ::2], start[1::2, 1::2]
    spins, n_flips = start.copy(), 0
    for sweep in range(n_sweeps):
        np.copyto(spins, start)
        Chains(update, beta, stream=stream, seed=4).advance(spins, sweep, 1)
        n_flips += sum(
            np.count_nonzero(s != e) for s, e in zip((spins[::2, ::2], spins[1::2, 1::2]), even, strict=True)
        )
    n_attempts = n_sweeps * length**2 // 2
    assert n_attempts > 1e9
    law = stats.poisson(n_attempts * p)
    assert 2 * min(law.sf(n_flips - 1), law.cdf(n_flips)) > 1e-7


def test_wolff_stopped_at_a_number_of_flipped_spins_would_be_biased():
    """Why the number of clusters is fixed beforehand: "flip N spins, then measure" is far off on 4×4."""
    if not offered("wolff", "cpp"):
        pytest.skip("cpp has no wolff")
    exact = enumeration.exact_means(enumeration.boltzmann((4, 4), BETA_C), (4, 4))
    spins = np.ones((20_000, 4, 4), dtype=np.int8)
    Chains("wolff", BETA_C).advance(spins, 0, 100)
    flipped = np.zeros(len(spins), dtype=np.int64)
    at_stop = np.full(len(spins), np.nan)
    for step in range(100, 1000):
        flipped += UPDATES["wolff"](spins, BETA_C, step=step, seed=1, n_threads=1)[0]
        stops = (flipped >= 16) & np.isnan(at_stop)
        at_stop[stops] = kernels.ising_energy(spins[stops], n_threads=1) / 16 if stops.any() else np.nan
        if not np.isnan(at_stop).any():
            break
    fixed = kernels.ising_energy(spins, n_threads=1) / 16
    assert abs(deviations({"energy": at_stop}, exact)["energy"]) > 20
    assert abs(deviations({"energy": fixed}, exact)["energy"]) < 5
