# SPDX-License-Identifier: BSD-3-Clause
"""Laws that samplers are held to, and the test of draws against all states of a small lattice."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

import spinodal as sp


class GaussianField:
    """Two coupled rows of real numbers, with mean: E = (x - m)ᵀ C⁻¹ (x - m)/2."""

    def __init__(self, shape=(2, 3), seed=5):
        self.shape = shape
        rng = np.random.default_rng(seed)
        n = int(np.prod(shape))
        factor = rng.normal(size=(n, n)) / np.sqrt(n)
        self.covariance = factor @ factor.T + 0.2 * np.eye(n)
        self.mean = rng.normal(size=shape)
        self._precision = np.linalg.inv(self.covariance)

    def energy(self, x: Any) -> Any:
        centred = (np.asarray(x) - self.mean).reshape(len(x), -1)
        return np.einsum("ci,ij,cj->c", centred, self._precision, centred) / 2


class FixedNoise:
    """What a stepper takes for its trajectory's noise: always the same numbers."""

    def __init__(self, values):
        self.values = values

    def __call__(self):
        return self.values


def state_index(draws):
    """Number of each configuration in the order of ``exact.all_states``."""
    flat = np.asarray(draws).reshape(len(draws), -1) > 0
    return flat @ (1 << np.arange(flat.shape[1]))


def chi_square(draws, probabilities):
    """p-value of draws against probabilities of all states; states expected fewer than 5 times count as one."""
    counts = np.bincount(state_index(draws), minlength=len(probabilities)).astype(float)
    possible = probabilities > 0
    if counts[~possible].any():
        return 0.0
    counts, expected = counts[possible], probabilities[possible] * len(draws)
    order = np.argsort(expected)
    # States of at least about 8 expected draws together, from the rarest on.
    _, group = np.unique(np.floor(np.cumsum(expected[order]) / 8 - 1e-9), return_inverse=True)
    seen, wanted = np.bincount(group, counts[order]), np.bincount(group, expected[order])
    return stats.chisquare(seen, wanted * seen.sum() / wanted.sum()).pvalue


def conditional(model, temperature, known, values):
    """Probability of every state given some of its spins."""
    states = sp.exact.all_states(model.shape)
    p = sp.exact.boltzmann(model.shape, temperature, model.J, model.h)
    p = p * (states[:, known] == values[known]).all(axis=1)
    return p / p.sum()
