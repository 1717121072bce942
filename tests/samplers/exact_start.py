# SPDX-License-Identifier: BSD-3-Clause
"""Draws from the exact Boltzmann law of a small lattice, and ranks within it.

If chains start from the law of their temperatures, a kernel that leaves it invariant keeps them on
it after any number of steps. The rank of a draw x of an observable f,

    u = P(f < f(x)) + V P(f = f(x)),   V uniform on [0, 1),

is then uniform, at every temperature: Geweke's joint-distribution test, with the prior on a grid of
temperatures and the exact law in place of a second sampler (Geweke 2004, doi:10.1198/016214504000001132).
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

import spinodal as sp
from reference import enumeration

Array = npt.NDArray[Any]


@cache
def laws(model: sp.IsingModel, temperature: tuple[float, ...]) -> Array:
    """Probability of every state at each temperature."""
    return np.array([enumeration.boltzmann(model.shape, 1 / t, model.J, model.h) for t in temperature])


def exact_states(model: sp.IsingModel, temperature: Array, rng: np.random.Generator) -> Array:
    """One independent configuration a chain, from the law of its temperature."""
    grid, which = np.unique(temperature, return_inverse=True)
    number = np.empty(len(temperature), dtype=np.int64)
    for row, probability in enumerate(laws(model, tuple(grid))):
        chains = np.flatnonzero(which == row)
        number[chains] = rng.choice(len(probability), len(chains), p=probability)
    return enumeration.configurations(model.shape)[number]


def ranks(model: sp.IsingModel, temperature: Array, observable: str, values: Array, rng: np.random.Generator) -> Array:
    """Rank of each chain's value within the law of its temperature, ties broken at random."""
    of_state = {
        "energy": enumeration.energies(model.shape, model.J, model.h),
        "|m|": np.abs(enumeration.magnetizations(model.shape)),
    }[observable]
    levels, level_of_state = np.unique(np.round(of_state, 6), return_inverse=True)
    level = np.searchsorted(levels, np.round(values, 6))
    grid, which = np.unique(temperature, return_inverse=True)
    result = np.empty(len(temperature))
    for row, probability in enumerate(laws(model, tuple(grid))):
        weight = np.bincount(level_of_state, weights=probability)
        below = np.concatenate([[0.0], np.cumsum(weight)[:-1]])
        chains = np.flatnonzero(which == row)
        own = level[chains]
        result[chains] = below[own] + rng.random(len(chains)) * weight[own]
    return result
