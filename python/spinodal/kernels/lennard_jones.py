# SPDX-License-Identifier: BSD-3-Clause
"""The raw Lennard-Jones kernel."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from spinodal.backends import resolve
from spinodal.backends.protocol import Reals
from spinodal.kernels.arguments import BackendName, output
from spinodal.kernels.particles import (
    Precision,
    Shift,
    check_potential,
    check_precision,
    check_tail,
    per_system,
    read_box,
    read_positions,
    tail_corrections,
)
from spinodal.threads import resolve_n_threads


def lennard_jones(
    positions: Any,
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
    out: Reals | None = None,
    n_threads: int | None = None,
    backend: BackendName | None = None,
) -> tuple[Any, Reals, Any]:
    r"""Return energy, forces and virial of Lennard-Jones particles.

    .. math::
        U = \sum_{\text{pairs}} 4\epsilon \left[ (\sigma/\rho)^{12} - (\sigma/\rho)^6 \right] + \text{shift},
        \qquad \rho^2 = r^2 + \text{softening}^2, \qquad r < \text{cutoff}

    Pairs are those of all periodic images, also in a box that is shorter than twice the cutoff.

    Parameters
    ----------
    positions : float64 array, shape (…, n_particles, 2 or 3)
        Leading axes count systems. Read without a copy when float64 and C-contiguous. Particles outside the box are
        taken at their image inside.
    box : float or one an axis
        Lengths of the periodic box; not read with ``periodic=False``.
    cutoff : float
        ``numpy.inf`` for all pairs of free particles.
    shift : {"truncated", "energy", "force"}
        Nothing; −u(cutoff); −u(cutoff) − (ρ − ρ_c) u'(cutoff), with which energy and force are continuous.
    epsilon, sigma : float
        Depth and diameter.
    tail : bool
        Add :func:`tail_corrections` to energy and virial ("truncated" alone).
    softening : float
        A length that keeps overlapping particles' energy finite; 0 is the Lennard-Jones potential.
    precision : {"double", "mixed"}
        "mixed": pairs of large systems in single precision, added up in double. Of a melt, energies are right to 10⁻⁷,
        virials to some 10⁻⁷ of the energy, forces to some 10⁻⁵ of the largest. Small systems, and the Numba backend,
        compute in double precision always.
    periodic : bool
        False for a cluster in free space.
    out : float64 array, shape of ``positions``, optional
        Forces are written there; must be C-contiguous.

    Returns
    -------
    energy : float or float64 array, shape of the leading axes
        In the unit of ``epsilon``.
    forces : float64 array, shape of ``positions``
    virial : as energy
        Σ_pairs **r**·**F**: the pressure is (N T + virial/dim)/V. With "truncated" it has no part of the impulse
        at the cutoff.

    Raises
    ------
    ValueError
        If positions are not finite or overlap, or a parameter has no meaning: what, and the bound.

    Notes
    -----
    The same bits for any number of threads and any instruction set; the backends agree to rounding.
    """
    systems = read_positions(positions)
    n_particles, dim = systems.shape[1:]
    lengths = read_box(box, dim, periodic)
    check_potential(epsilon, sigma, cutoff, shift, softening, lengths if periodic else None)
    check_precision(precision)
    forces = output(out, np.shape(positions), np.float64)
    energy, virial = resolve(backend).lennard_jones(
        systems, lengths, periodic=periodic, epsilon=float(epsilon), sigma=float(sigma), cutoff=float(cutoff),
        shift=shift, softening=float(softening), precision=precision, forces=forces.reshape(systems.shape),
        n_threads=resolve_n_threads(n_threads),
    )  # fmt: skip
    if tail:
        check_tail(periodic, shift, softening)
        of_energy, of_virial = tail_corrections(n_particles / lengths.prod(), cutoff, epsilon, sigma, dim)
        energy, virial = energy + n_particles * of_energy, virial + n_particles * of_virial
    return per_system(energy, positions), forces, per_system(virial, positions)
