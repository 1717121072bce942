# SPDX-License-Identifier: BSD-3-Clause
"""The rows layout against Kaufman's exact solution: energies at a few 10⁻⁵."""

from __future__ import annotations

import numpy as np
import pytest

import spinodal as sp
from spinodal.backends import resolve


def energies(shape, temperature, *, n_draws, thin, n_chains, burn_in, heat_bath_every=16, seed=1):
    """Energies a site (n_draws, n_chains), from a cold start."""
    spins = np.ones((n_chains, *shape), dtype=np.int8)
    beta, energy = np.full(n_chains, 1 / temperature), np.empty(n_chains)
    draws = np.empty((n_draws, n_chains))
    options = {"seed": seed, "first_chain": 0, "heat_bath_every": heat_bath_every, "stream": "ars7", "n_threads": 1}
    backend = resolve("cpp")
    backend.metropolis_sweep_rows(spins, beta, 1.0, n_sweeps=burn_in, sweep=0, **options)
    for draw in range(n_draws):
        sweep = burn_in + draw * thin
        backend.metropolis_sweep_rows(spins, beta, 1.0, n_sweeps=thin, sweep=sweep, energy=energy, **options)
        draws[draw] = energy / np.prod(shape)
    return draws


def mean_and_error(draws: np.ndarray) -> tuple[float, float]:
    """By blocks far longer than the autocorrelation time."""
    blocks = draws[: len(draws) // 32 * 32].reshape(32, -1, draws.shape[1]).mean(axis=1).ravel()
    return float(blocks.mean()), float(blocks.std(ddof=1) / np.sqrt(len(blocks)))


@pytest.mark.slow
@pytest.mark.parametrize("temperature", [2.0, 3.0])
def test_a_512_lattice(temperature):
    """Not at 2.269, where 3·10⁻⁵ would take hours: the energy's autocorrelation time is thousands of sweeps."""
    draws = energies((512, 512), temperature, n_draws=12_000, thin=8, n_chains=2, burn_in=500)
    mean, error = mean_and_error(draws)
    exact = sp.exact.kaufman((512, 512), temperature=temperature).energy_per_site
    assert error < 3e-5 * abs(exact)
    assert abs(mean - exact) < 4 * error


@pytest.mark.parametrize("shape", [(64, 64), (4, 64), (12, 66)], ids=str)
@pytest.mark.parametrize(("temperature", "burn_in", "every"), [(2.0, 200, 16), (2.269, 4000, 16), (3.0, 100, 1)])
def test_small_lattices(shape, temperature, burn_in, every):
    """Eight bands, two, and rows that end in the middle of a word."""
    draws = energies(shape, temperature, n_draws=800, thin=16, n_chains=32, burn_in=burn_in, heat_bath_every=every)
    mean, error = mean_and_error(draws)
    exact = sp.exact.kaufman(shape, temperature=temperature).energy_per_site
    assert error < 1e-3 * abs(exact)
    assert abs(mean - exact) < 4.5 * error
