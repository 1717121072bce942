# SPDX-License-Identifier: BSD-3-Clause
"""Energy, forces and virial of the same particles, call after call."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from spinodal.backends import resolve
from spinodal.backends.protocol import Reals
from spinodal.kernels.arguments import BackendName, check_integer, output
from spinodal.kernels.particles import (
    Precision,
    Shift,
    check_potential,
    check_precision,
    check_tail,
    read_box,
    read_positions,
    tail_corrections,
)
from spinodal.threads import resolve_n_threads


class LennardJonesPlan:
    """What :func:`lennard_jones` computes, of one system that moves a little from call to call.

    Lists of neighbours are kept, with a skin of 0.7 σ, until a particle has moved half of it, which is checked at every
    call; a call costs half as much, or less. For loops of your own: integrators, minimisers, samplers.

    Parameters
    ----------
    n_particles : int
    box, cutoff, shift, epsilon, sigma, tail, softening, precision, periodic, backend
        As in :func:`lennard_jones`.
    dim : {3, 2}
    n_threads : int, optional

    Notes
    -----
    Results agree with those of :func:`lennard_jones` to rounding; sums follow the order of the particles at the last
    list, so the last bits depend on the calls before. A plan serves one thread of Python at a time. The Numba backend
    keeps nothing.
    """

    def __init__(
        self,
        n_particles: int,
        box: npt.ArrayLike | None = None,
        cutoff: float = 2.5,
        shift: Shift = "truncated",
        *,
        epsilon: float = 1.0,
        sigma: float = 1.0,
        tail: bool = False,
        softening: float = 0.0,
        precision: Precision = "double",
        periodic: bool = True,
        dim: int = 3,
        n_threads: int | None = None,
        backend: BackendName | None = None,
    ) -> None:
        check_integer("n_particles", n_particles)
        if n_particles < 1:
            raise ValueError(f"n_particles must be >= 1; got {n_particles}")
        if dim not in (2, 3):
            raise ValueError(f"dim must be 2 or 3; got {dim}")
        lengths = read_box(box, dim, periodic)
        check_potential(epsilon, sigma, cutoff, shift, softening, lengths if periodic else None)
        check_precision(precision)
        self._shape = (int(n_particles), int(dim))
        self._tail = (0.0, 0.0)
        if tail:
            check_tail(periodic, shift, softening)
            self._tail = tail_corrections(n_particles / lengths.prod(), cutoff, epsilon, sigma, dim)
        self._n_threads = resolve_n_threads(n_threads)
        self._plan = resolve(backend).lennard_jones_plan(
            int(n_particles), lengths, periodic=periodic, epsilon=float(epsilon), sigma=float(sigma),
            cutoff=float(cutoff), shift=shift, softening=float(softening), precision=precision,
        )  # fmt: skip

    def __call__(self, positions: Any, *, out: Reals | None = None) -> tuple[float, Reals, float]:
        """Return energy, forces and virial.

        Parameters
        ----------
        positions : float64 array, shape (n_particles, dim)
            Periodic particles may be at any of their images.
        out : float64 array of that shape, optional
            Forces are written there.

        Raises
        ------
        ValueError
            If positions are not finite, overlap, or are not of the plan's shape.
        """
        systems = read_positions(positions)
        if np.shape(positions) != self._shape:
            raise ValueError(f"positions must have the plan's shape {self._shape}; got {np.shape(positions)}")
        forces = output(out, self._shape, np.float64)
        totals = np.empty((2, 1))
        self._plan.compute(systems[0], self._n_threads, totals[0], forces, totals[1])
        energy, virial = totals[:, 0] + self._shape[0] * np.array(self._tail)
        return float(energy), forces, float(virial)

    @property
    def n_lists(self) -> int:
        """How often lists have been made."""
        return int(self._plan.n_lists)
