# SPDX-License-Identifier: BSD-3-Clause
"""The exact transition matrices of the local kernels: stationary, irreducible, and what the kernels realise."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy import stats

from reference import enumeration, ising
from reference.transition import Checkerboard, boltzmann, flip_probability, site_matrices
from spinodal import kernels

SQUARE = Checkerboard((4, 4))
BETA_C = 0.44068679350977147
SHAPES = [(2, 2), (2, 4), (4, 4), (2, 6), (2, 2, 2), (2, 2, 4)]


def default_period(lattice, distribution, beta, J, h):
    """Sixteen sweeps of metropolis_sweep's default: fifteen Metropolis, one heat bath."""
    ndim = len(lattice.shape)
    for _ in range(15):
        distribution = lattice.sweep(distribution, flip_probability("metropolis", beta, J, h, ndim))
    return lattice.sweep(distribution, flip_probability("heat_bath", beta, J, h, ndim))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("beta", [0.0, 0.1, BETA_C, 1.5])
@pytest.mark.parametrize(("J", "h"), [(1.0, 0.0), (1.0, 0.3), (-1.0, 0.7)])
def test_boltzmann_is_stationary(shape, beta, J, h):
    lattice = Checkerboard(shape)
    pi = boltzmann(lattice, beta, J, h)
    for rule in ("metropolis", "heat_bath"):
        moved = lattice.sweep(pi, flip_probability(rule, beta, J, h, len(shape)))
        assert np.abs(moved - pi).sum() < 1e-12
    assert np.abs(default_period(lattice, pi, beta, J, h) - pi).sum() < 1e-12


@pytest.mark.parametrize("rule", ["metropolis", "heat_bath"])
def test_the_check_sees_a_temperature_off_by_a_millionth(rule):
    pi = boltzmann(SQUARE, BETA_C, 1.0, 0.0)
    moved = SQUARE.sweep(pi, flip_probability(rule, BETA_C * (1 + 1e-6), 1.0, 0.0, 2))
    assert np.abs(moved - pi).sum() > 1e-8


def test_numba_uses_these_thresholds():
    numba_ising = pytest.importorskip("spinodal.backends.numba_ising")
    for rule in ("metropolis", "heat_bath"):
        table = numba_ising.accept_table(rule, BETA_C, 1.0, 0.3, 4)
        flip = flip_probability(rule, BETA_C, 1.0, 0.3, 2)
        for site_class, threshold in enumerate(table):
            up, spin = site_class // 2, 2 * (site_class % 2) - 1
            assert (int(threshold) + 1) / 2**64 == flip(spin, 2 * up - 4)


def test_the_pure_rule_is_reducible_on_4x4():
    """19 communicating classes; 36 states never reach the ground state, nor are reached."""
    classes = SQUARE.communicating_classes(flip_probability("metropolis", BETA_C, 1.0, 0.0, 2))
    _, sizes = np.unique(classes, return_counts=True)
    assert len(sizes) == 19
    assert sizes.sum() - sizes.max() == 36
    assert classes[0, 0] == np.argmax(np.bincount(classes.ravel()))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("J", "h"), [(1.0, 0.0), (-1.0, 0.0), (1.0, 2.0), (0.0, 0.0), (-0.5, 2.0)])
@pytest.mark.parametrize("beta", [0.0, BETA_C, 2.0])
def test_the_default_is_irreducible(shape, J, h, beta):
    """A heat bath moves every site with a probability strictly between 0 and 1, so one sweep leads anywhere."""
    flip = flip_probability("heat_bath", beta, J, h, len(shape))
    for color in (0, 1):
        assert site_matrices(Checkerboard(shape), color, flip).min() > 0


def test_the_default_mixes():
    """Ten periods at β = 0.3 lead from a trap of the pure rule to the Boltzmann distribution."""
    distribution = np.zeros(2**16)
    distribution[enumeration.state_numbers(np.where(np.add.outer(range(4), range(4)) % 4 < 2, 1, -1))] = 1
    distribution = SQUARE.to_halves(distribution)
    for _ in range(10):
        distribution = default_period(SQUARE, distribution, 0.3, 1.0, 0.0)
    assert np.abs(distribution - boltzmann(SQUARE, 0.3, 1.0, 0.0)).sum() < 1e-9


STARTS = {
    "cold": np.ones((4, 4), dtype=np.int8),
    "Néel": (1 - 2 * (np.indices((4, 4)).sum(axis=0) % 2)).astype(np.int8),
    "random": ising.random_spins((4, 4), seed=5),
    "one down": np.where(np.arange(16).reshape(4, 4) == 6, -1, 1).astype(np.int8),
}


@cache
def matrix_row(rule: str, start: str, beta: float, J: float, h: float) -> np.ndarray:
    row = np.zeros(2**16)
    row[enumeration.state_numbers(STARTS[start])] = 1
    return SQUARE.sweep(SQUARE.to_halves(row), flip_probability(rule, beta, J, h, 2))


def chi_square(observed: np.ndarray, expected: np.ndarray) -> float:
    """Two-sided p-value; states expected less than five times are gathered into one."""
    rare = expected < 5
    counts = np.append(observed[~rare], observed[rare].sum())
    wanted = np.append(expected[~rare], expected[rare].sum())
    assert counts[wanted == 0].sum() == 0
    counts, wanted = counts[wanted > 0], wanted[wanted > 0]
    chi2, freedom = ((counts - wanted) ** 2 / wanted).sum(), len(counts) - 1
    return 2 * min(stats.chi2.sf(chi2, freedom), stats.chi2.cdf(chi2, freedom), 0.5)


@pytest.mark.parametrize("rule", ["metropolis", "heat_bath"])
@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize(("J", "h"), [(1.0, 0.0), (-1.0, 0.35)])
@pytest.mark.parametrize("layout", ["bytes", "replicas", "lanes"])
def test_the_kernel_realises_the_matrix_row(rule, start, J, h, layout):
    """One sweep of a million chains from one state, against that state's row of the matrix."""
    n_chains, beta = 1_000_000, 0.35
    spins = np.broadcast_to(STARTS[start], (n_chains, 4, 4)).copy()
    every = {"metropolis": 0, "heat_bath": 1}[rule]
    seed = sum(map(ord, rule + start))
    kernels.metropolis_sweep(spins, beta, J, h, seed=seed, heat_bath_every=every, layout=layout, n_threads=1)
    observed = np.bincount(enumeration.state_numbers(spins), minlength=2**16)
    expected = n_chains * matrix_row(rule, start, beta, J, h)
    assert chi_square(SQUARE.to_halves(observed), expected) > 1e-6 / 48


@pytest.mark.parametrize("size", [4, 8, 12])
@pytest.mark.parametrize("layout", ["bytes", "replicas", "lanes"])
def test_diagonal_stripes_trap_the_pure_rule_but_not_the_default(backend, size, layout):
    """All moves of width-2 diagonal stripes have ΔE = 0: the pure rule turns them into each other for ever."""
    stripes = np.where(np.add.outer(range(size), range(size)) % 4 < 2, 1, -1).astype(np.int8)
    spins = np.broadcast_to(stripes, (64, size, size)).copy()
    options = {"seed": 1, "layout": layout, "backend": backend}
    kernels.metropolis_sweep(spins, BETA_C, n_sweeps=101, heat_bath_every=0, **options)
    assert (kernels.ising_energy(spins) == 0).all()
    assert (spins == spins[0]).all()
    kernels.metropolis_sweep(spins, BETA_C, n_sweeps=100, sweep=101, **options)
    assert (kernels.ising_energy(spins) < 0).mean() > 0.9
    assert len(np.unique(spins.reshape(64, -1), axis=0)) > 10
