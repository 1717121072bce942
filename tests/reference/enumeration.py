# SPDX-License-Identifier: BSD-3-Clause
"""Every configuration of a small lattice, and exact Boltzmann averages over them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from reference import ising

Array = npt.NDArray[Any]


@cache
def configurations(shape: tuple[int, ...]) -> npt.NDArray[np.int8]:
    """All states (2^n, *shape): site i in C order is up where bit i of the state's number is set."""
    n_sites = int(np.prod(shape))
    numbers = np.arange(2**n_sites)[:, None]
    spins = (2 * (numbers >> np.arange(n_sites) & 1) - 1).astype(np.int8)
    return spins.reshape(-1, *shape)


def state_numbers(spins: Array, ndim: int = 2) -> npt.NDArray[np.int64]:
    """Numbers of configurations in the order of :func:`configurations`."""
    flat = spins.reshape(*spins.shape[: spins.ndim - ndim], -1) > 0
    octets = np.packbits(flat, axis=-1, bitorder="little")
    return sum(octets[..., k].astype(np.int64) << 8 * k for k in range(octets.shape[-1]))


@cache
def energies(shape: tuple[int, ...], J: float = 1.0, h: float = 0.0) -> Array:
    return ising.ising_energy(configurations(shape), J, h, len(shape))


@cache
def magnetizations(shape: tuple[int, ...]) -> Array:
    return ising.magnetization(configurations(shape), len(shape))


def boltzmann(shape: tuple[int, ...], beta: float, J: float = 1.0, h: float = 0.0) -> Array:
    """Probability of every state."""
    energy = energies(shape, J, h)
    weight = np.exp(-beta * (energy - energy.min()))
    return weight / weight.sum()


def log_partition(shape: tuple[int, ...], beta: float, J: float = 1.0, h: float = 0.0) -> float:
    energy = energies(shape, J, h)
    return float(np.log(np.exp(-beta * (energy - energy.min())).sum()) - beta * energy.min())


OBSERVABLES: dict[str, Callable[[Array, Array], Array]] = {
    "energy": lambda energy, magnetization: energy,
    "energy²": lambda energy, magnetization: energy**2,
    "m": lambda energy, magnetization: magnetization,
    "|m|": lambda energy, magnetization: np.abs(magnetization),
    "m²": lambda energy, magnetization: magnetization**2,
    "m⁴": lambda energy, magnetization: magnetization**4,
}
"""Functions of the energy and the magnetization a site."""


def exact_means(probability: Array, shape: tuple[int, ...], J: float = 1.0, h: float = 0.0) -> dict[str, float]:
    """Averages of :data:`OBSERVABLES` over a distribution of states."""
    n_sites = np.prod(shape)
    energy, magnetization = energies(shape, J, h) / n_sites, magnetizations(shape) / n_sites
    return {name: float(probability @ f(energy, magnetization)) for name, f in OBSERVABLES.items()}
