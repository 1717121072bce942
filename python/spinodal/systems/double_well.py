# SPDX-License-Identifier: BSD-3-Clause
"""Particles bound by double wells: the DW4 system of the literature on Boltzmann generators."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np

from spinodal.backends.protocol import Reals
from spinodal.systems.lattices import compact_cluster
from spinodal.systems.particles import ParticleSystem, check_count, check_temperature


class DoubleWell(ParticleSystem):
    r"""Free particles whose pair energy has two wells.

    .. math:: U = \frac{1}{\tau} \sum_{i<j} a (d_{ij} - d_0) + b (d_{ij} - d_0)^2 + c (d_{ij} - d_0)^4

    Parameters
    ----------
    n_particles, dim : int
        4 and 2: DW4.
    a, b, c, d0, tau : float
        0, −4, 0.9, 4 and 1: DW4. c > 0 and, if it is 0, b ≥ 0, or there is no lowest energy.

    Notes
    -----
    The wells of a pair are at d₀ ± √(−b/2c) for a = 0: 2.51 and 5.49. Energy does not change with the centre of mass.

    References
    ----------
    Köhler, Klein and Noé, Equivariant flows: exact likelihood generative learning for symmetric densities, ICML
    (2020), arXiv:2006.02425, which writes ½ Σ over all i ≠ j.
    """

    def __init__(
        self,
        n_particles: int = 4,
        dim: Literal[2, 3] = 2,
        a: float = 0.0,
        b: float = -4.0,
        c: float = 0.9,
        d0: float = 4.0,
        tau: float = 1.0,
    ) -> None:
        self.n_particles = check_count("n_particles", n_particles)
        if dim not in (2, 3):
            raise ValueError(f"dim must be 2 or 3; got {dim}")
        for name, value in (("a", a), ("b", b), ("c", c), ("d0", d0), ("tau", tau)):
            if not math.isfinite(value):
                raise ValueError(f"{name} must be finite; got {value}")
        if c < 0 or (c == 0 and b < 0):
            raise ValueError(f"the energy needs a lower bound: c > 0, or c = 0 and b >= 0; got b={b}, c={c}")
        if tau <= 0:
            raise ValueError(f"tau must be > 0; got {tau}")
        self.dim = int(dim)
        self.a, self.b, self.c, self.d0, self.tau = float(a), float(b), float(c), float(d0), float(tau)

    @property
    def conventions(self) -> dict[str, str]:
        """Return the conventions that samples of this system record."""
        return {"hamiltonian": "Σ_(i<j) [a (d - d0) + b (d - d0)² + c (d - d0)⁴] / tau", "boundary": "free"}

    def describe(self) -> dict[str, Any]:
        """Return what defines the system, for provenance."""
        numbers = {name: getattr(self, name) for name in ("a", "b", "c", "d0", "tau")}
        return {
            "kind": "double_well",
            "shape": list(self.shape),
            "dims": ["particle", "axis"],
            "n_particles": self.n_particles,
            **numbers,
        }

    def energy(self, positions: Any) -> Any:
        """Return the total energy, float64 of the leading shape."""
        d = self.pairwise_distances(positions) - self.d0
        return (self.a * d + self.b * d**2 + self.c * d**4).sum(axis=-1)[()] / self.tau

    def forces(self, positions: Any) -> Reals:
        """Return −∇U, float64 in the shape of ``positions``.

        Raises
        ------
        ValueError
            If two particles are at the same place, where the force has no direction.
        """
        x = self._check(positions)
        vectors = x[..., :, None, :] - x[..., None, :, :]
        r = np.sqrt((vectors**2).sum(axis=-1)) + np.eye(self.n_particles)  # no particle meets itself
        if not (r > 0).all():
            raise ValueError("two particles are at the same place: their force has no direction")
        d = r - self.d0
        over_r = -(self.a + 2 * self.b * d + 4 * self.c * d**3) / (r * self.tau)
        total: Reals = (over_r[..., None] * vectors).sum(axis=-2)
        return total

    def score(self, positions: Any, temperature: float) -> Reals:
        r"""Return ∇ log p = −∇U/T, float64 in the shape of ``positions``."""
        return self.forces(positions) / check_temperature(temperature)

    def lattice(self) -> Reals:
        """Return a compact ordered configuration with neighbours in the inner well."""
        inner = self.d0 - math.sqrt(max(0.0, -self.b) / (2 * self.c)) if self.c > 0 else self.d0
        return compact_cluster(self.n_particles, max(inner, 0.1), self.dim)
