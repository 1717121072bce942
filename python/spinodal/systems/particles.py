# SPDX-License-Identifier: BSD-3-Clause
"""What all systems of particles offer: distances, and checks of shapes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from spinodal.backends.protocol import Reals


class ParticleSystem:
    """Identical particles in two or three dimensions.

    Every method takes positions of any leading shape, ``(…, n_particles, dim)``, as NumPy arrays, torch tensors (no
    copy) or nested lists.
    """

    n_particles: int
    dim: int
    periodic: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of one configuration."""
        return self.n_particles, self.dim

    @property
    def n_sites(self) -> int:
        """Number of particles."""
        return self.n_particles

    def minimum_image(self, vectors: npt.ArrayLike) -> Reals:
        """Return vectors (…, dim) between nearest images; themselves for free particles."""
        return np.asarray(vectors, dtype=np.float64)

    def pairwise_distances(self, positions: Any) -> Reals:
        """Return the distances of all pairs i < j, row by row, shape (…, n_particles (n_particles − 1)/2)."""
        x = self._check(positions)
        i, j = np.triu_indices(self.n_particles, 1)
        vectors = self.minimum_image(x[..., i, :] - x[..., j, :])
        distances: Reals = np.sqrt((vectors**2).sum(axis=-1))
        return distances

    def _check(self, positions: Any) -> Reals:
        x = np.asarray(positions, dtype=np.float64)
        if x.shape[-2:] != self.shape:
            raise ValueError(f"positions must have shape (…, {self.n_particles}, {self.dim}); got {x.shape}")
        return x


def check_temperature(temperature: float) -> float:
    """Return a temperature after a check."""
    if not (math.isfinite(temperature) and temperature > 0):
        raise ValueError(f"temperature must be finite and > 0; got {temperature}")
    return float(temperature)


def check_count(name: str, value: int) -> int:
    """Return a number of particles after a check."""
    if not isinstance(value, int | np.integer) or value < 1:
        raise ValueError(f"{name} must be an integer >= 1; got {value!r}")
    return int(value)
