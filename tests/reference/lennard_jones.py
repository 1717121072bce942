# SPDX-License-Identifier: BSD-3-Clause
"""Lennard-Jones energies, forces and virials by definition: every pair, every image."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def pair_energy(rho: Array, epsilon: float = 1.0, sigma: float = 1.0) -> Array:
    """4ε [(σ/ρ)¹² − (σ/ρ)⁶]."""
    s6 = (sigma / rho) ** 6
    return 4 * epsilon * (s6**2 - s6)


def pair_slope(rho: Array, epsilon: float = 1.0, sigma: float = 1.0) -> Array:
    """d/dρ of :func:`pair_energy`."""
    s6 = (sigma / rho) ** 6
    return -24 * epsilon * (2 * s6**2 - s6) / rho


def shifted(r: Array, cutoff: float, shift: str, epsilon: float, sigma: float, softening: float) -> tuple[Array, Array]:
    """Energy u(r) and F/r = −u'(r)/r of pairs at r, 0 where r ≥ cutoff."""
    rho, rho_c = np.sqrt(r**2 + softening**2), np.sqrt(cutoff**2 + softening**2)
    u, slope = pair_energy(rho, epsilon, sigma), pair_slope(rho, epsilon, sigma)
    if shift != "truncated":
        u = u - pair_energy(rho_c, epsilon, sigma)
    if shift == "force":
        u = u - (rho - rho_c) * pair_slope(rho_c, epsilon, sigma)
        slope = slope - pair_slope(rho_c, epsilon, sigma)
    inside = r < cutoff
    return np.where(inside, u, 0.0), np.where(inside, -slope / rho, 0.0)


def images(box: Array | None, cutoff: float, dim: int) -> list[tuple[int, ...]]:
    """All translations that bring particles of one box within the cutoff of those of another."""
    if box is None:
        return [(0,) * dim]
    reach = [math.ceil(cutoff / length) for length in box]
    return list(itertools.product(*(range(-n, n + 1) for n in reach)))


def lennard_jones_one(
    positions: Array,
    box: Array | None,
    cutoff: float = 2.5,
    shift: str = "truncated",
    epsilon: float = 1.0,
    sigma: float = 1.0,
    softening: float = 0.0,
) -> tuple[float, Array, float]:
    """Energy, forces (N, dim) and virial Σ r·F of one system; ``box`` None means free particles.

    Every ordered pair (i, j + image) is counted with weight ½; a particle meets its own images, not itself.
    """
    n, dim = positions.shape
    wrapped = positions if box is None else positions % box
    energy, virial, forces = 0.0, 0.0, np.zeros_like(positions)
    for image in images(box, cutoff, dim):
        translation = np.zeros(dim) if box is None else np.asarray(image) * box
        vectors = wrapped[:, None, :] - (wrapped[None, :, :] + translation)
        r = np.sqrt((vectors**2).sum(axis=-1))
        if not any(image):
            r[np.arange(n), np.arange(n)] = np.inf
        u, force = shifted(r, cutoff, shift, epsilon, sigma, softening)
        inside = np.isfinite(r) & (r < cutoff)
        force = np.where(inside, force, 0.0)
        energy += 0.5 * u[inside].sum()
        virial += 0.5 * (force[inside] * r[inside] ** 2).sum()
        forces += (force[:, :, None] * vectors).sum(axis=1)
    return energy, forces, virial


def lennard_jones(positions: Array, box: Array | None, **options: Any) -> tuple[Array, Array, Array]:
    """:func:`lennard_jones_one` of every system of any leading shape."""
    leading = positions.shape[:-2]
    energy, virial, forces = np.zeros(leading), np.zeros(leading), np.zeros_like(positions)
    for index in np.ndindex(leading):
        energy[index], forces[index], virial[index] = lennard_jones_one(positions[index], box, **options)
    return energy, forces, virial


def tail_corrections(
    density: float, cutoff: float, epsilon: float = 1.0, sigma: float = 1.0, dim: int = 3, n_points: int = 200_001
) -> tuple[float, float]:
    """Energy a particle and pressure from beyond the cutoff, by quadrature at g(r) = 1.

    u = ρ/2 ∫ u(r) dS,  p = −ρ²/(2 dim) ∫ r u'(r) dS, with dS = 4πr² dr or 2πr dr; in t = cutoff/r.
    """
    t = np.linspace(1e-6, 1.0, n_points)
    r = cutoff / t
    shell = (4 * np.pi * r**2 if dim == 3 else 2 * np.pi * r) * cutoff / t**2
    energy = density / 2 * np.trapezoid(pair_energy(r, epsilon, sigma) * shell, t)
    pressure = -(density**2) / (2 * dim) * np.trapezoid(r * pair_slope(r, epsilon, sigma) * shell, t)
    return float(energy), float(pressure)


def lattice_with_noise(n: int, box: Array, seed: int, amplitude: float = 0.1) -> Array:
    """n particles of a jittered grid that fills the box, no two closer than the grid allows."""
    box = np.asarray(box, dtype=np.float64)
    dim = len(box)
    per_axis = [max(1, math.ceil(length * (n / box.prod()) ** (1 / dim) - 1e-9)) for length in box]
    while math.prod(per_axis) < n:
        per_axis[int(np.argmax(box / per_axis))] += 1
    cells = np.array(list(itertools.product(*(range(m) for m in per_axis))))[:, :]
    rng = np.random.default_rng(seed)
    chosen = cells[np.sort(rng.permutation(len(cells))[:n])]
    spacing = box / per_axis
    return (chosen + 0.5 + amplitude * rng.uniform(-1, 1, chosen.shape)) * spacing
