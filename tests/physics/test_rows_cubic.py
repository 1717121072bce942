# SPDX-License-Identifier: BSD-3-Clause
"""The rows layout in three dimensions: its probabilities, exact energies of bars, and the kernel of bytes."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from reference import ising, packed
from spinodal.backends import resolve

T_C = 4.5115


@pytest.mark.parametrize("beta", [0.05, 1 / T_C, 0.5])
@pytest.mark.parametrize("rule", ["metropolis", "heat_bath"])
def test_masks_give_every_class_its_probability(rule, beta):
    """Summed over the sixteen values of X4, r8, tie and X8; the kernels are held to `flips` bit for bit."""
    against = math.exp(-16 * beta) if rule == "metropolis" else 1 / (1 + math.exp(12 * beta))
    p = [1 / (1 + math.exp(4 * beta)), against, 0.5, 1 / (1 + math.exp(8 * beta))]
    wanted = {"metropolis": ising.metropolis_probability, "heat_bath": ising.heat_bath_probability}[rule]
    for spin, unlike in itertools.product((False, True), range(7)):
        total = 0.0
        for bits in itertools.product((False, True), repeat=4):
            weight = math.prod(q if bit else 1 - q for q, bit in zip(p, bits, strict=True))
            total += weight * bool(packed.flips(rule, np.array(spin), np.array(unlike), *map(np.array, bits)))
        assert total == pytest.approx(wanted(beta * (12 - 4 * unlike)), rel=1e-13)


def bar_energy(lz: int, ly: int, lx: int, temperature: float) -> float:
    """⟨E⟩ by the transfer matrix between planes of x, a vector of eigenvalues at a time."""
    n = lz * ly
    states = 2 * (np.arange(2**n)[:, None] >> np.arange(n) & 1) - 1
    plane = states.reshape(-1, lz, ly)
    inside = -(plane * (np.roll(plane, 1, 1) + np.roll(plane, 1, 2))).sum(axis=(1, 2)).astype(float)
    energy = (inside[:, None] + inside) / 2 - states @ states.T
    transfer = np.exp(-(energy - energy.min()) / temperature)
    before = np.linalg.matrix_power(transfer / np.linalg.norm(transfer, 2), lx - 1)
    return lx * float((energy * transfer * before).sum() / (transfer * before).sum())


def energies(layout, shape, temperature, *, n_chains, n_draws, thin=12, burn_in=300, every=16, seed=1):
    """Mean energies of independent chains from a cold start."""
    spins = np.ones((n_chains, *shape), dtype=np.int8)
    beta, energy, total = np.full(n_chains, 1 / temperature), np.empty(n_chains), np.zeros(n_chains)
    backend = resolve("cpp")
    options = {"seed": seed, "first_chain": 0, "heat_bath_every": every, "stream": "ars7", "n_threads": 1}
    for draw in range(n_draws + 1):
        n_sweeps, first = (thin, burn_in + (draw - 1) * thin) if draw else (burn_in, 0)
        if layout == "rows":
            backend.metropolis_sweep_rows(spins, beta, 1.0, n_sweeps=n_sweeps, sweep=first, energy=energy, **options)
        else:
            backend.metropolis_sweep(spins, beta, 1.0, 0.0, n_sweeps=n_sweeps, sweep=first, **options)
            backend.ising_energy(spins, 1.0, 0.0, energy, n_threads=1)
        total += energy if draw else 0
    return total / n_draws


def mean_and_error(means: np.ndarray) -> tuple[float, float]:
    return float(means.mean()), float(means.std(ddof=1) / math.sqrt(len(means)))


@pytest.mark.parametrize(("shape", "every"), [((2, 2, 64), 1), ((4, 2, 66), 16), ((2, 4, 64), 0), ((2, 4, 64), 1)])
@pytest.mark.parametrize("temperature", [T_C, 6.0])
def test_bars(shape, every, temperature):
    mean, error = mean_and_error(energies("rows", shape, temperature, n_chains=48, n_draws=250, every=every))
    exact = bar_energy(*shape, temperature)
    assert error < 2e-3 * abs(exact)
    assert abs(mean - exact) < 4.5 * error


@pytest.mark.parametrize("shape", [(8, 8, 64), (6, 8, 130)], ids=str)
def test_beside_the_kernel_of_bytes(shape):
    sampled = {
        layout: mean_and_error(energies(layout, shape, T_C, n_chains=24, n_draws=250, seed=seed))
        for seed, layout in enumerate(("rows", "bytes"))
    }
    (rows, rows_error), (by_bytes, bytes_error) = sampled.values()
    error = math.hypot(rows_error, bytes_error)
    assert error < 3e-3 * abs(by_bytes)
    assert abs(rows - by_bytes) < 4.5 * error
