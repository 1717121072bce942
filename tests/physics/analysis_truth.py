# SPDX-License-Identifier: BSD-3-Clause
"""Known truth for the tests of analysis: autoregressive chains, and small Ising lattices by enumeration."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np


def ar1(rng: np.random.Generator, rho: float, shape: tuple[int, int]) -> np.ndarray:
    """Return stationary Gaussian chains with unit variance, autocorrelation ρ^t and τ_int = (1+ρ)/(2(1-ρ))."""
    noise = rng.standard_normal(shape)
    noise[:, 1:] *= np.sqrt(1.0 - rho * rho)
    chain = noise[:, 0].copy()
    for t in range(1, shape[1]):
        chain = noise[:, t] = rho * chain + noise[:, t]
    return noise


def ar1_tau(rho: float) -> float:
    return 0.5 * (1.0 + rho) / (1.0 - rho)


@dataclass
class FakeSamples:
    """The fields of Samples that analysis reads."""

    energy: np.ndarray
    temperature: np.ndarray
    draws: np.ndarray | None = None
    log_weights: np.ndarray | None = None
    info: dict[str, np.ndarray] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ExactIsing:
    """All states of a small periodic Ising lattice at J = 1, h = 0."""

    shape: tuple[int, ...]
    energy: np.ndarray
    magnetization: np.ndarray

    @property
    def n_sites(self) -> int:
        return int(np.prod(self.shape))

    def probability(self, temperature: float) -> np.ndarray:
        w = np.exp(-(self.energy - self.energy.min()) / temperature)
        return w / w.sum()

    def log_z(self, temperature: float) -> float:
        low = self.energy.min()
        return float(np.log(np.exp(-(self.energy - low) / temperature).sum()) - low / temperature)

    def mean(self, values: np.ndarray, temperature: float) -> float:
        return float(self.probability(temperature) @ values)

    def observables(self, temperature: float) -> dict[str, float]:
        e, m, n = self.energy, self.magnetization / self.n_sites, self.n_sites
        mean = {
            "energy": self.mean(e, temperature),
            "energy_per_site": self.mean(e, temperature) / n,
            "magnetization": 0.0,
            "magnetization_per_site": 0.0,
            "abs_magnetization": self.mean(np.abs(m), temperature),
            "m2": self.mean(m**2, temperature),
            "m4": self.mean(m**4, temperature),
        }
        e2 = self.mean(e**2, temperature)
        return mean | {
            "binder_cumulant": 1.0 - mean["m4"] / (3.0 * mean["m2"] ** 2),
            "susceptibility": n / temperature * (mean["m2"] - mean["abs_magnetization"] ** 2),
            "susceptibility_m2": n / temperature * mean["m2"],
            "heat_capacity": (e2 - mean["energy"] ** 2) / (temperature**2 * n),
        }

    def spins(self, states: np.ndarray) -> np.ndarray:
        bits = states[..., None] >> np.arange(self.n_sites) & 1
        return (2 * bits - 1).astype(np.int8).reshape(*states.shape, *self.shape)

    def draw(self, rng: np.random.Generator, temperature: float, shape: tuple[int, int]) -> np.ndarray:
        """Return independent states, as indices."""
        return rng.choice(self.energy.size, size=shape, p=self.probability(temperature))

    def samples(self, states: np.ndarray, temperature: float, keep_draws: bool = False) -> FakeSamples:
        return FakeSamples(
            energy=self.energy[states],
            temperature=np.full(states.shape[0], temperature),
            draws=self.spins(states) if keep_draws else None,
            info={"magnetization": self.magnetization[states]},
            provenance={"system": {"kind": "ising", "shape": list(self.shape), "J": 1.0, "h": 0.0}},
        )

    def run(
        self, rng: np.random.Generator, temperatures: list[float], shape: tuple[int, int], rho: float = 0.0
    ) -> FakeSamples:
        """Return draws at several temperatures; with probability ρ a draw repeats the one before: ρ(t) = ρ^t."""
        states = [repeated(rng, self.draw(rng, t, shape), rho) for t in temperatures]
        parts = [self.samples(s, t) for s, t in zip(states, temperatures, strict=True)]
        return FakeSamples(
            energy=np.concatenate([p.energy for p in parts]),
            temperature=np.concatenate([p.temperature for p in parts]),
            info={"magnetization": np.concatenate([p.info["magnetization"] for p in parts])},
            provenance=parts[0].provenance,
        )


def repeated(rng: np.random.Generator, states: np.ndarray, rho: float) -> np.ndarray:
    """Return a chain that stays with probability ρ, else moves to the next of independent ``states``."""
    if rho == 0.0:
        return states
    moves = rng.random(states.shape) >= rho
    moves[:, 0] = True
    last = np.maximum.accumulate(np.where(moves, np.arange(states.shape[1]), 0), axis=1)
    return np.take_along_axis(states, last, axis=1)


@cache
def exact_ising(*shape: int) -> ExactIsing:
    n = int(np.prod(shape))
    states = np.arange(1 << n)
    spins = (2 * ((states[:, None] >> np.arange(n)) & 1) - 1).astype(np.int8).reshape(-1, *shape)
    lattice_axes = tuple(range(1, spins.ndim))
    energy = np.zeros(1 << n)
    for axis in lattice_axes:
        energy -= (spins * np.roll(spins, 1, axis)).sum(axis=lattice_axes)
    return ExactIsing(shape, energy, spins.sum(axis=lattice_axes).astype(np.float64))
