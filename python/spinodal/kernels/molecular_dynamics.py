# SPDX-License-Identifier: BSD-3-Clause
"""The raw kernels of molecular dynamics."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from spinodal.backends import resolve
from spinodal.backends.protocol import Reals
from spinodal.kernels.arguments import BackendName, StreamName, check_randomness, check_stream, slices
from spinodal.kernels.particles import (
    Shift,
    check_confinement,
    check_potential,
    in_place_particles,
    one_a_system,
    read_box,
)
from spinodal.threads import resolve_n_threads


def _temperatures(temperature: npt.ArrayLike | None, leading: tuple[int, ...], needed: bool) -> Reals:
    if temperature is None:
        if needed:
            raise ValueError("a heat bath needs a temperature (friction=0 keeps the energy)")
        return np.ones(math.prod(leading))
    return one_a_system("temperature", temperature, leading)


def _check_motion(timestep: float, friction: float, mass: float, confinement: float, periodic: bool) -> None:
    for name, value in (("timestep", timestep), ("mass", mass)):
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f"{name} must be finite and > 0; got {value}")
    if not (math.isfinite(friction) and friction >= 0):
        raise ValueError(f"friction must be finite and >= 0; got {friction}")
    check_confinement(confinement, periodic)


def langevin_steps(
    positions: Reals,
    velocities: Reals,
    box: npt.ArrayLike | None = None,
    temperature: npt.ArrayLike | None = None,
    *,
    timestep: float = 0.004,
    friction: float = 1.0,
    mass: float = 1.0,
    n_steps: int = 1,
    listed: Reals | None = None,
    cutoff: float = 2.5,
    shift: Shift = "truncated",
    epsilon: float = 1.0,
    sigma: float = 1.0,
    softening: float = 0.0,
    confinement: float = 0.0,
    periodic: bool = True,
    seed: int = 0,
    step: int = 0,
    first_chain: int = 0,
    stream: StreamName = "ars7",
    n_threads: int | None = None,
    backend: BackendName | None = None,
) -> Reals:
    r"""Advance particles by BAOAB steps of Langevin dynamics, in place; with ``friction=0`` by velocity Verlet.

    .. math::
        \text{B: } v \mathrel{+}= \tfrac{dt}{2} F/m \quad \text{A: } x \mathrel{+}= \tfrac{dt}{2} v \quad
        \text{O: } v = c v + \sqrt{(1 - c^2) T/m}\, \xi \quad \text{A} \quad \text{B},
        \qquad c = e^{-\gamma dt}

    Parameters
    ----------
    positions, velocities : float64 arrays, shape (…, n_particles, 2 or 3)
        Leading axes count systems. Periodic particles may leave the box by half a list's skin, and are wrapped when
        their neighbour list is rebuilt; small systems are not wrapped. The centre of mass of free particles rests.
    box, cutoff, shift, epsilon, sigma, softening, periodic
        As in :func:`lennard_jones`. Energy is conserved with ``shift="force"``.
    temperature : float or one a system
        Of the bath; not needed with ``friction=0``.
    timestep, friction, mass : float
        dt, γ (a rate) and the mass of every particle.
    n_steps : int
    listed : float64 array, shape of ``positions``, optional
        A part of the state of large systems: the positions when the neighbour list was last built, whose order the
        sums follow. Pass a copy of the positions at the start, and the same array on: then any cut into calls gives
        the same bits. Without it every call builds a new list.
    confinement : float
        Stiffness of springs to the centre of mass, of free particles.
    seed, step, first_chain, stream
        The noise of a particle is a function of (seed, first_chain + system, step, particle) alone.

    Returns
    -------
    kinetic_energy : float64 array, shape of the leading axes
        ½ m v², rounded to 2⁻²⁰ and summed over the steps; divided by them, and by dim (n_particles − 1 where the
        centre of mass rests)/2, it is the temperature.

    Raises
    ------
    ValueError
        If a parameter has no meaning: what, and the bound.
    RuntimeError
        If the energy grows beyond all bounds.

    References
    ----------
    Leimkuhler and Matthews, Appl. Math. Res. Express 2013, 34, doi:10.1093/amrx/abs010.
    """
    x = in_place_particles("positions", positions)
    v = in_place_particles("velocities", velocities, positions.shape)
    order = x.copy() if listed is None else in_place_particles("listed", listed, positions.shape)
    lengths = read_box(box, x.shape[2], periodic)
    check_potential(epsilon, sigma, cutoff, shift, softening, lengths if periodic else None)
    _check_motion(timestep, friction, mass, confinement, periodic)
    check_stream(stream)
    check_randomness(seed, step, n_steps, first_chain, len(x), "step")
    leading = positions.shape[:-2]
    temperatures = _temperatures(temperature, leading, friction > 0)
    engine, threads = resolve(backend), resolve_n_threads(n_threads)
    kinetic_energy = np.zeros(len(x))
    for start, count in slices(engine, x, step, n_steps, cost=20):
        kinetic_energy += engine.langevin_steps(
            x, v, order, lengths, temperatures, periodic=periodic, epsilon=float(epsilon), sigma=float(sigma),
            cutoff=float(cutoff), shift=shift, softening=float(softening), confinement=float(confinement),
            timestep=float(timestep), friction=float(friction), mass=float(mass), n_steps=count, seed=seed, step=start,
            first_chain=first_chain, stream=stream, n_threads=threads,
        )  # fmt: skip
    return kinetic_energy.reshape(leading)


def maxwell_velocities(
    shape: Sequence[int],
    temperature: npt.ArrayLike,
    *,
    mass: float = 1.0,
    periodic: bool = True,
    seed: int = 0,
    step: int = 0,
    first_chain: int = 0,
    stream: StreamName = "ars7",
    n_threads: int | None = None,
    backend: BackendName | None = None,
) -> Reals:
    """Return velocities of a temperature, of a shape (…, n_particles, 2 or 3).

    With ``periodic=False`` each system's centre of mass rests. Randomness as in :func:`langevin_steps`.
    """
    out = np.zeros(tuple(shape))
    v = in_place_particles("velocities", out)
    _check_motion(1.0, 0.0, mass, 0.0, periodic)
    check_stream(stream)
    check_randomness(seed, step, 0, first_chain, len(v), "step")
    temperatures = _temperatures(temperature, out.shape[:-2], needed=True)
    resolve(backend).maxwell_velocities(
        v, temperatures, periodic=periodic, mass=float(mass), seed=seed, step=step, first_chain=first_chain,
        stream=stream, n_threads=resolve_n_threads(n_threads),
    )  # fmt: skip
    return out
