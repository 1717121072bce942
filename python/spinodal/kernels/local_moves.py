# SPDX-License-Identifier: BSD-3-Clause
"""The raw kernel of local Monte Carlo moves."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from spinodal.backends import resolve
from spinodal.backends.protocol import Integers, Reals
from spinodal.kernels.arguments import BackendName, StreamName, check_randomness, check_stream, slices
from spinodal.kernels.lennard_jones import lennard_jones
from spinodal.kernels.particles import (
    Shift,
    check_confinement,
    check_potential,
    in_place_particles,
    one_a_system,
    read_box,
)
from spinodal.threads import resolve_n_threads


def _check_box(lengths: Reals, cutoff: float, step: Reals) -> None:
    if lengths.min() < 2 * cutoff:
        raise ValueError(
            f"local moves need a box of at least twice the cutoff; got a length of {lengths.min()} and a cutoff of "
            f"{cutoff}"
        )
    if step.max() > lengths.min() / 2:
        raise ValueError(f"step must be at most half the shortest box length, {lengths.min() / 2}; got {step.max()}")


def local_moves(
    positions: Reals,
    box: npt.ArrayLike | None = None,
    temperature: npt.ArrayLike | None = None,
    *,
    step: npt.ArrayLike = 0.1,
    n_sweeps: int = 1,
    energy: Reals | None = None,
    cutoff: float = 2.5,
    shift: Shift = "truncated",
    epsilon: float = 1.0,
    sigma: float = 1.0,
    softening: float = 0.0,
    confinement: float = 0.0,
    periodic: bool = True,
    seed: int = 0,
    sweep: int = 0,
    first_chain: int = 0,
    stream: StreamName = "ars7",
    n_threads: int | None = None,
    backend: BackendName | None = None,
) -> tuple[Reals, Integers]:
    r"""Move Lennard-Jones particles one at a time by Metropolis' rule, in place.

    A sweep proposes to each particle in turn

    .. math:: x' = x + \text{step} \cdot \xi, \quad \xi \text{ uniform in } (-1, 1)^d, \qquad
        \text{accepted if } U(x') - U(x) \le -T \ln u

    Parameters
    ----------
    positions : float64 array, shape (…, n_particles, 2 or 3)
        Leading axes count systems. Periodic particles are wrapped into the box. The centre of mass of free particles
        is put back after each sweep.
    box, cutoff, shift, epsilon, sigma, softening, periodic
        As in :func:`lennard_jones`; each box length must be at least twice the cutoff.
    temperature : float or one a system
    step : float or one a system
        Largest move along an axis, at most half the shortest box length.
    n_sweeps : int
    energy : float64 array, shape of the leading axes, optional
        That of the positions, without tail corrections; becomes that after the moves. It is summed anew every 256
        sweeps, and checked. Without it, it is computed at the start.
    confinement : float
        Stiffness of springs to the centre of mass, of free particles; a part of ``energy``.
    seed, sweep, first_chain, stream
        The moves of a particle are a function of (seed, first_chain + system, sweep, particle) alone.

    Returns
    -------
    energy : float64 array, shape of the leading axes
    accepted : int64 array, shape of the leading axes
        Moves accepted, of n_sweeps · n_particles.

    Raises
    ------
    ValueError
        If a parameter has no meaning, or particles overlap at the start: what, and the bound.
    RuntimeError
        If the accumulated energy is not that of the positions: a wrong one was given.

    Notes
    -----
    The same bits for any number of threads, any instruction set and any cut into calls that hand ``energy`` on.

    References
    ----------
    Metropolis et al., J. Chem. Phys. 21, 1087 (1953), doi:10.1063/1.1699114.
    """
    x = in_place_particles("positions", positions)
    leading = positions.shape[:-2]
    lengths = read_box(box, x.shape[2], periodic)
    check_potential(epsilon, sigma, cutoff, shift, softening, lengths if periodic else None)
    check_confinement(confinement, periodic)
    if temperature is None:
        raise ValueError("local moves need a temperature")
    temperatures, steps = one_a_system("temperature", temperature, leading), one_a_system("step", step, leading)
    if periodic:
        _check_box(lengths, cutoff, steps)
    check_stream(stream)
    check_randomness(seed, sweep, n_sweeps, first_chain, len(x), "sweep")
    engine, threads = resolve(backend), resolve_n_threads(n_threads)
    if energy is None:
        start = lennard_jones(
            x, lengths, cutoff, shift, epsilon=epsilon, sigma=sigma, softening=softening, periodic=periodic,
            n_threads=threads, backend=backend,
        )[0] + 0.5 * confinement * ((x - x.mean(axis=1, keepdims=True)) ** 2).sum(axis=(1, 2))  # fmt: skip
        energies = np.array(start, dtype=np.float64)
    else:
        energies = _in_place_energies(energy, leading)
    accepted = np.zeros(len(x), dtype=np.int64)
    for first, count in slices(engine, x, sweep, n_sweeps, cost=100):
        accepted += engine.local_moves(
            x, lengths, temperatures, steps, energies, periodic=periodic, epsilon=float(epsilon), sigma=float(sigma),
            cutoff=float(cutoff), shift=shift, softening=float(softening), confinement=float(confinement),
            n_sweeps=count, seed=seed, sweep=first, first_chain=first_chain, stream=stream, n_threads=threads,
        )  # fmt: skip
    return energies.reshape(leading), accepted.reshape(leading)


def _in_place_energies(energy: Reals, leading: tuple[int, ...]) -> Reals:
    if not isinstance(energy, np.ndarray) or energy.dtype != np.float64 or not energy.flags.c_contiguous:
        raise TypeError("energy is changed in place and must be a C-contiguous float64 array")
    if not energy.flags.writeable:
        raise TypeError("energy is changed in place but the array is read-only")
    if energy.shape != leading:
        raise ValueError(f"energy must have the systems' shape {leading}; got {energy.shape}")
    values = energy.reshape(math.prod(leading))
    if not np.isfinite(values).all():
        raise ValueError(f"energy must be finite; got {values[~np.isfinite(values)][0]}")
    return values
