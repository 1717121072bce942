# SPDX-License-Identifier: BSD-3-Clause
"""Every update × stream against Kaufman's exact solution, at 2·10⁻⁴ of the energy and better."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

import spinodal as sp
from reference.updates import Chains, offered
from spinodal import kernels

SIZES = [(8, 8), (16, 16), (24, 40), (64, 64)]
TEMPERATURES = [2.0, 2.269, 3.0]
KERNELS = ["metropolis", "heat_bath", "wolff", "swendsen_wang"]

# Steps between draws, near the autocorrelation time of the energy: by size, at 2.0, 2.269, 3.0.
THIN = {(8, 8): (2, 2, 1), (16, 16): (2, 6, 1), (24, 40): (2, 12, 1), (64, 64): (2, 24, 2)}


@dataclass
class EnergyRun:
    """Energy a site of independent chains, drawn until its relative standard error is small enough."""

    chains: Chains
    shape: tuple[int, int]
    n_chains: int = 1024
    means: list[np.ndarray] = field(default_factory=list)
    squares: list[np.ndarray] = field(default_factory=list)

    def run(self, relative: float, *, burn_in: int, thin: int, n_draws: int, max_rounds: int) -> None:
        cold = self.chains.beta > 0.44
        spins = np.ones((self.n_chains, *self.shape), dtype=np.int8)
        if not cold:
            spins = kernels.random_spins(spins.shape, seed=3)
        self.chains.advance(spins, 0, burn_in)
        step = burn_in
        for _ in range(max_rounds):
            means = np.zeros((2, self.n_chains))
            for _ in range(n_draws):
                self.chains.advance(spins, step, thin)
                step += thin
                energy = kernels.ising_energy(spins, n_threads=1) / np.prod(self.shape)
                means += energy, energy**2
            self.means.append(means[0] / n_draws)
            self.squares.append(means[1] / n_draws)
            if self.relative_error() < relative:
                return

    def chain_means(self) -> np.ndarray:
        return np.mean(self.means, axis=0)

    def relative_error(self) -> float:
        means = self.chain_means()
        return float(means.std(ddof=1) / np.sqrt(self.n_chains) / abs(means.mean()))

    def heat_capacity(self) -> tuple[float, float]:
        """Heat capacity a site and its jackknife error over chains."""
        first, second, n = self.chain_means(), np.mean(self.squares, axis=0), self.n_chains
        scale = self.chains.beta**2 * np.prod(self.shape)
        left_out = [(values.sum() - values) / (n - 1) for values in (second, first)]
        samples = scale * (left_out[0] - left_out[1] ** 2)
        return scale * (second.mean() - first.mean() ** 2), np.sqrt((n - 1) * samples.var())


def compare(chains: Chains, shape: tuple[int, int], temperature: float, relative: float, **plan: int) -> None:
    run = EnergyRun(chains, shape)
    run.run(relative, **plan)
    exact = sp.exact.kaufman(shape, temperature)
    error = run.relative_error()
    assert error < relative
    assert abs(run.chain_means().mean() / exact.energy_per_site - 1) < 4 * error
    capacity, stderr = run.heat_capacity()
    assert abs(capacity - exact.heat_capacity_per_site) < 4 * stderr


@pytest.mark.slow
@pytest.mark.parametrize("shape", SIZES, ids=str)
@pytest.mark.parametrize("update", KERNELS)
def test_energy_and_heat_capacity(update, stream, shape):
    """One temperature for each case, all three for each kernel and size, and for each kernel and stream."""
    if not offered(update, "cpp"):
        pytest.skip(f"cpp has no {update}")
    which = (SIZES.index(shape) + kernels.STREAMS.index(stream) + KERNELS.index(update)) % 3
    temperature, thin = TEMPERATURES[which], THIN[shape][which]
    chains = Chains(update, 1 / temperature, stream=stream, seed=2)
    burn_in = 40 if update in ("wolff", "swendsen_wang") else 100 * thin
    if update == "swendsen_wang":
        thin = 1
    if update == "wolff":  # clusters are small in the disorder: it takes many to see every site
        disordered, n_sites = temperature > 2.5, shape[0] * shape[1]
        burn_in, thin = (n_sites, max(2, n_sites // 100)) if disordered else (60, 2)
    compare(chains, shape, temperature, 2e-4, burn_in=max(burn_in, 60), thin=thin, n_draws=20, max_rounds=1000)


@pytest.mark.slow
@pytest.mark.parametrize("update", ["metropolis", "heat_bath"])
def test_energy_by_numba(update, stream):
    """At a low temperature, where few samples do: the bits are those of cpp."""
    temperature = 1.8
    chains = Chains(update, 1 / temperature, stream=stream, seed=2, backend="numba")
    compare(chains, (8, 8), temperature, 2e-4, burn_in=100, thin=20, n_draws=20, max_rounds=20)


def energies_of_words(words: np.ndarray) -> np.ndarray:
    """Energies of 8 × 8 lattices packed row by row into the bytes of uint64: unequal neighbours cost 2."""
    one, seven = np.uint64(1), np.uint64(7)
    first, others = np.uint64(0x0101010101010101), np.uint64(0xFEFEFEFEFEFEFEFE)
    along_x = (words << one) & others | (words >> seven) & first
    along_y = words << np.uint64(8) | words >> np.uint64(56)
    unequal = np.bitwise_count(words ^ along_x).astype(np.int64) + np.bitwise_count(words ^ along_y)
    return -128 + 2 * unequal


def packed_energies(spins: np.ndarray) -> np.ndarray:
    words = np.packbits(spins.reshape(-1, 64) > 0, axis=1, bitorder="little").view("<u8")[:, 0]
    return energies_of_words(words)


def test_packed_energies_are_the_energies():
    spins = kernels.random_spins((500, 8, 8), seed=1)
    np.testing.assert_array_equal(packed_energies(spins), kernels.ising_energy(spins))


@pytest.mark.slow
def test_8x8_to_a_hundred_thousandth(stream):
    """The energy of 3·10⁷ sweeps' draws at T = 1.5: a standard error of 10⁻⁵, so a temperature right to 10⁻⁵."""
    temperature, n_chains, n_draws = 1.5, 4096, 8000
    spins = np.ones((n_chains, 8, 8), dtype=np.int8)
    chains = Chains("metropolis", 1 / temperature, stream=stream, seed=2)
    chains.advance(spins, 0, 50)
    total = np.zeros(n_chains)
    for draw in range(n_draws):
        chains.advance(spins, 50 + draw, 1)
        total += packed_energies(spins)
    means = total / n_draws / 64
    exact = sp.exact.kaufman(8, temperature).energy_per_site
    stderr = means.std(ddof=1) / np.sqrt(n_chains)
    assert stderr / abs(exact) < 1e-5
    assert abs(means.mean() - exact) < 4 * stderr
