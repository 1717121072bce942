# SPDX-License-Identifier: BSD-3-Clause
"""Lennard-Jones fluids in a periodic box, and clusters in free space."""

from __future__ import annotations

import math
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

from spinodal import kernels
from spinodal.backends.protocol import Reals
from spinodal.kernels.arguments import BackendName
from spinodal.kernels.particles import Shift, check_potential, check_tail, read_box, tail_corrections
from spinodal.systems.lattices import compact_cluster, fill_box
from spinodal.systems.particles import ParticleSystem, check_count, check_temperature
from spinodal.systems.starts import pushed_apart, scattered


class LennardJonesSystem(ParticleSystem):
    r"""Lennard-Jones particles.

    .. math::
        U = \sum_{i<j} 4\epsilon \left[ (\sigma/r_{ij})^{12} - (\sigma/r_{ij})^6 \right] + \text{shift}
            + \tfrac{1}{2} k \sum_i |x_i - \bar x|^2

    Parameters
    ----------
    n_particles : int
    box : float or one an axis, or None
        Lengths of the periodic box, of any ratio to the cutoff; None for free particles.
    epsilon, sigma : float
        Depth and diameter: the units of energy and length where both are 1.
    cutoff : float, optional
        Default 2.5 σ in a box, and none (``numpy.inf``) for free particles.
    shift : {"truncated", "energy", "force"}
        What is subtracted within the cutoff, see :func:`spinodal.kernels.lennard_jones`. Dynamics conserves energy
        with "force"; with "truncated" the pressure has no part of the impulse at the cutoff.
    tail : bool
        Whether energy, virial and pressure have the corrections for what is beyond the cutoff.
    dim : {3, 2}
    periodic : bool
    softening : float
        A length that keeps the energy of overlapping particles finite.
    confinement : float
        k of free particles: springs to their centre of mass, without which a cluster evaporates.

    Notes
    -----
    Temperatures are in units of energy, k_B = 1.
    """

    def __init__(
        self,
        n_particles: int,
        box: float | npt.ArrayLike | None = None,
        epsilon: float = 1.0,
        sigma: float = 1.0,
        cutoff: float | None = None,
        shift: Shift = "truncated",
        tail: bool = False,
        dim: Literal[2, 3] = 3,
        periodic: bool = True,
        softening: float = 0.0,
        confinement: float = 0.0,
    ) -> None:
        self.n_particles = check_count("n_particles", n_particles)
        if dim not in (2, 3):
            raise ValueError(f"dim must be 2 or 3; got {dim}")
        self.dim = int(dim)
        self.periodic = bool(periodic)
        self.epsilon, self.sigma, self.softening = float(epsilon), float(sigma), float(softening)
        self.cutoff = (2.5 * self.sigma if periodic else math.inf) if cutoff is None else float(cutoff)
        self.shift: Shift = shift
        self.tail = bool(tail)
        self.box = read_box(box, self.dim, self.periodic)
        check_potential(epsilon, sigma, self.cutoff, shift, softening, self.box if periodic else None)
        if tail:
            check_tail(self.periodic, shift, self.softening)
        if not (math.isfinite(confinement) and confinement >= 0) or (periodic and confinement != 0):
            raise ValueError(f"confinement must be finite and >= 0, and 0 in a periodic box; got {confinement}")
        self.confinement = float(confinement)

    @classmethod
    def cluster(
        cls, n_particles: int, pairs_counted: Literal["once", "twice"] = "once", dim: Literal[2, 3] = 3
    ) -> Self:
        r"""Return LJ13, LJ55, … as the literature on Boltzmann generators has them.

        .. math::
            U = \sum_{\text{pairs}} \left[ (1/r)^{12} - 2 (1/r)^6 \right] + \tfrac{1}{2} \sum_i |x_i - \bar x|^2

        A pair's minimum is −1 at r = 1, so σ = 2^{-1/6}; temperature 1 is the usual one.

        Parameters
        ----------
        pairs_counted : {"once", "twice"}
            "once" is the physical energy, a sum over i < j. With "twice" the sum is over all i ≠ j and every pair is
            2 deep, as in a part of the literature; the springs are the same.

        References
        ----------
        Köhler, Klein and Noé, Equivariant flows, ICML (2020), arXiv:2006.02425, appendix.
        """
        if pairs_counted not in ("once", "twice"):
            raise ValueError(f"pairs_counted must be 'once' or 'twice'; got {pairs_counted!r}")
        epsilon = 1.0 if pairs_counted == "once" else 2.0
        return cls(n_particles, epsilon=epsilon, sigma=2 ** (-1 / 6), dim=dim, periodic=False, confinement=1.0)

    @property
    def volume(self) -> float:
        """Volume, or area, of the box; infinite for free particles."""
        return float(self.box.prod()) if self.periodic else math.inf

    @property
    def density(self) -> float:
        """Particles by volume."""
        return self.n_particles / self.volume

    @property
    def conventions(self) -> dict[str, str]:
        """Return the conventions that samples of this system record."""
        potential = f"Lennard-Jones, cutoff {self.cutoff:g}, {self.shift}"
        boundary = "periodic, all images" if self.periodic else "free"
        if self.confinement:
            boundary += f", springs of {self.confinement:g} to the centre of mass"
        return {
            "hamiltonian": f"{potential}, {'with' if self.tail else 'without'} tail corrections",
            "boundary": boundary,
            "virial": "Σ_pairs r·F; pressure = (N T + virial / dim) / V",
        }

    def describe(self) -> dict[str, Any]:
        """Return what defines the system, for provenance."""
        return {
            "kind": "lennard_jones",
            "shape": list(self.shape),
            "dims": ["particle", "axis"],
            "n_particles": self.n_particles,
            "box": self.box.tolist() if self.periodic else None,
            "epsilon": self.epsilon,
            "sigma": self.sigma,
            "cutoff": self.cutoff if math.isfinite(self.cutoff) else None,
            "shift": self.shift,
            "tail": self.tail,
            "softening": self.softening,
            "confinement": self.confinement,
        }

    def energy(self, positions: Any, *, n_threads: int | None = None) -> Any:
        """Return the total energy, float64 of the leading shape."""
        return self.measure(positions, n_threads=n_threads)[0]

    def forces(self, positions: Any, *, n_threads: int | None = None) -> Reals:
        """Return −∇U, float64 in the shape of ``positions``."""
        return self.measure(positions, n_threads=n_threads)[1]

    def virial(self, positions: Any, *, n_threads: int | None = None) -> Any:
        """Return Σ_pairs r·F (with the springs' part), float64 of the leading shape."""
        return self.measure(positions, n_threads=n_threads)[2]

    def scalars(self, positions: Any, *, n_threads: int | None = None) -> dict[str, Any]:
        """Return what ``run`` records of every draw: energy and virial, float64 of the leading shape."""
        energy, _, virial = self.measure(positions, n_threads=n_threads)
        return {"energy": energy, "virial": virial}

    def measure(
        self, positions: Any, *, n_threads: int | None = None, backend: BackendName | None = None
    ) -> tuple[Any, Reals, Any]:
        """Return energy, forces and virial, at the cost of one of them."""
        x = self._check(positions)
        energy, forces, virial = kernels.lennard_jones(
            x, self.box, self.cutoff, self.shift, epsilon=self.epsilon, sigma=self.sigma, tail=self.tail,
            softening=self.softening, periodic=self.periodic, n_threads=n_threads, backend=backend,
        )  # fmt: skip
        if self.confinement:
            from_center = x - x.mean(axis=-2, keepdims=True)
            spread = (from_center**2).sum(axis=(-2, -1))
            energy, virial = energy + 0.5 * self.confinement * spread, virial - self.confinement * spread
            forces -= self.confinement * from_center
        return energy, forces, virial

    def pair_energy(self, distances: npt.ArrayLike) -> Reals:
        """Return the energy of pairs at some distances, by the definition; 0 from the cutoff on."""
        r = np.asarray(distances, dtype=np.float64)
        edge = np.hypot(self.cutoff, self.softening)
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            rho = np.hypot(r, self.softening)
            energy = _u(rho, self.epsilon, self.sigma)
        if self.shift != "truncated":
            energy = energy - _u(edge, self.epsilon, self.sigma)
        if self.shift == "force":
            s6 = (self.sigma / edge) ** 6
            energy = energy + (rho - edge) * 24 * self.epsilon * s6 * (2 * s6 - 1) / edge
        within: Reals = np.where(r < self.cutoff, np.where(rho > 0, energy, np.inf), 0.0)
        return within

    def score(self, positions: Any, temperature: float) -> Reals:
        r"""Return ∇ log p = −∇U/T, float64 in the shape of ``positions``."""
        return self.forces(positions) / check_temperature(temperature)

    def pressure(self, positions: Any, temperature: float) -> Any:
        """Return (N T + virial/dim)/V, float64 of the leading shape; a box only."""
        if not self.periodic:
            raise ValueError("free particles have no volume, and so no pressure")
        ideal = self.n_particles * check_temperature(temperature)
        return (ideal + self.virial(positions) / self.dim) / self.volume

    @property
    def tail_energy(self) -> float:
        """What is missing beyond the cutoff from the energy of a uniform fluid, whether or not it is added."""
        check_tail(self.periodic, self.shift, self.softening)
        return self.n_particles * tail_corrections(self.density, self.cutoff, self.epsilon, self.sigma, self.dim)[0]

    @property
    def tail_pressure(self) -> float:
        """The same of the pressure."""
        check_tail(self.periodic, self.shift, self.softening)
        virial = tail_corrections(self.density, self.cutoff, self.epsilon, self.sigma, self.dim)[1]
        return self.density * virial / self.dim

    def minimum_image(self, vectors: npt.ArrayLike) -> Reals:
        """Return vectors (…, dim) between nearest images, in [−L/2, L/2]; themselves for free particles."""
        nearest = super().minimum_image(vectors)
        if self.periodic:
            nearest = nearest - self.box * np.rint(nearest / self.box)
        return nearest

    def wrap(self, positions: Any) -> Reals:
        """Return positions in [0, L); themselves for free particles."""
        x = self._check(positions)
        if self.periodic:
            x = x - self.box * np.floor(x / self.box)
            x = np.where(x >= self.box, 0.0, x)
        return x

    def random(self, n_systems: int, *, seed: int = 0) -> Reals:
        """Return random configurations without overlaps, shape (n_systems, n_particles, dim), to start a sampler from.

        Particles are scattered over the box, or over a loose cluster, and pushed apart by :meth:`relax`.
        """
        return self.relax(scattered(self, check_count("n_systems", n_systems), seed))

    def relax(self, positions: Any, *, max_force: float = 100.0, max_steps: int = 1000) -> Reals:
        """Return configurations whose overlaps are pushed apart, so that dynamics can start from them.

        Particles go downhill, first with a softened core, until no force exceeds ``max_force`` ε/σ; a configuration
        whose forces are within it comes back as it is. Dense random particles, points drawn from noise and
        particles at one place are all taken.

        Raises
        ------
        ValueError
            If forces are left after ``max_steps`` steps: how large, and the bound.
        """
        return pushed_apart(self, self._check(positions), max_force, max_steps)

    def lattice(self) -> Reals:
        """Return an ordered configuration: a lattice that fills the box, or a close-packed cluster."""
        if self.periodic:
            return fill_box(self.n_particles, self.box)
        return compact_cluster(self.n_particles, 2 ** (1 / 6) * self.sigma, self.dim)


def _u(rho: Any, epsilon: float, sigma: float) -> Any:
    """Return 4 ε [(σ/ρ)¹² − (σ/ρ)⁶]; where its terms overflow, +∞."""
    s6 = (sigma / rho) ** 6
    return np.where(np.isfinite(s6 * s6), 4 * epsilon * s6 * (s6 - 1), np.inf)
