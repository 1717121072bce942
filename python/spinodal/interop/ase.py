# SPDX-License-Identifier: BSD-3-Clause
"""The compiled Lennard-Jones kernel as a calculator of ASE: dynamics, optimisers and everything else that takes one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from spinodal import kernels
from spinodal.kernels.particles import SHIFTS

try:
    from ase.calculators.calculator import Calculator, all_changes
except ImportError as error:
    raise ImportError("the calculator needs ASE: pip install 'spinodal[ase]'") from error

FloatArray = npt.NDArray[np.float64]


class SpinodalLJ(Calculator):  # type: ignore[misc]
    r"""Lennard-Jones potential with the conventions of ``ase.calculators.lj.LennardJones``.

    .. math:: u(r) = 4\epsilon \left[ (\sigma/r)^{12} - (\sigma/r)^6 \right] - u(r_c), \qquad r < r_c

    Parameters
    ----------
    sigma, epsilon : float
        Default 1.
    rc : float, optional
        Cutoff, default 3 σ.
    shift : {"energy", "truncated", "force"}
        "energy" subtracts u(r_c), as ASE does; the others are those of :func:`spinodal.kernels.lennard_jones`. Dynamics
        conserves energy best with "force".
    smooth : bool
        False. ASE's cutoff function between ``ro`` and ``rc`` is another potential, which this kernel does not have.
    n_threads : int, optional

    Notes
    -----
    The cell must be rectangular along the axes; any of them may be periodic, and shorter than twice the cutoff. Stress
    is in ASE's order and sign, of all periodic images. Every element is the same particle.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from spinodal.interop.ase import SpinodalLJ
    >>> atoms = bulk("Ar", cubic=True, a=5.26) * 5
    >>> atoms.calc = SpinodalLJ(sigma=3.4, epsilon=0.0104, rc=10.2)
    """

    implemented_properties: ClassVar[list[str]] = ["energy", "free_energy", "forces", "stress"]
    default_parameters: ClassVar[dict[str, Any]] = {
        "sigma": 1.0,
        "epsilon": 1.0,
        "rc": None,
        "shift": "energy",
        "smooth": False,
        "n_threads": None,
    }
    nolabel = True

    def __init__(self, **parameters: Any) -> None:
        unknown = set(parameters) - {*self.default_parameters, "atoms"}
        if unknown:
            raise TypeError(f"unknown parameters {sorted(unknown)}; there are {', '.join(self.default_parameters)}")
        super().__init__(**parameters)
        chosen = self.parameters
        if chosen.rc is None:
            chosen.rc = 3 * chosen.sigma
        if chosen.shift not in SHIFTS:
            raise ValueError(f"shift={chosen.shift!r} is unknown; choose one of: {', '.join(SHIFTS)}")
        if chosen.smooth:
            raise ValueError("smooth=True, ASE's cutoff function, is not offered: shift='force' has continuous forces")

    def calculate(
        self, atoms: Any = None, properties: Sequence[str] = ("energy",), system_changes: Sequence[str] = all_changes
    ) -> None:
        """Compute energy and forces; the stress only where it is asked for."""
        super().calculate(atoms, properties, system_changes)
        chosen, box = self.parameters, self._box()
        energy, forces, _ = kernels.lennard_jones(
            self.atoms.positions, box, chosen.rc, chosen.shift, epsilon=chosen.epsilon, sigma=chosen.sigma,
            periodic=box is not None, n_threads=chosen.n_threads,
        )  # fmt: skip
        self.results = {"energy": float(energy), "free_energy": float(energy), "forces": forces}
        if "stress" in properties:
            self.results["stress"] = self._stress(box)

    def _box(self) -> FloatArray | None:
        """Return the lengths of a box that has the cell's images; None without any.

        An axis that is not periodic is made longer than all particles and the cutoff: no image is within reach.
        """
        pbc, cell, x = self.atoms.pbc, np.asarray(self.atoms.cell), self.atoms.positions
        if not pbc.any():
            return None
        lengths: FloatArray = np.diag(cell).copy()
        off_axis = cell - np.diag(lengths)
        if (np.abs(off_axis[pbc]) > 1e-12 * max(1.0, np.abs(cell).max())).any() or (lengths[pbc] <= 0).any():
            raise ValueError(f"the periodic cell must be rectangular along the axes; got {cell.tolist()}")
        open_axes = ~pbc
        lengths[open_axes] = np.ptp(x, axis=0)[open_axes] + 1.01 * self.parameters.rc
        return lengths

    def _stress(self, box: FloatArray | None) -> FloatArray:
        """Return −Σ_pairs r ⊗ F / V as (xx, yy, zz, yz, xz, xy)."""
        if self.atoms.cell.rank < 3:
            raise ValueError("stress needs a cell with a volume")
        (vectors,) = kernels.neighbor_list(
            self.atoms.positions, box, self.parameters.rc, quantities="D", periodic=box is not None,
            n_threads=self.parameters.n_threads,
        )  # fmt: skip
        weighted = self._force_over_r(np.linalg.norm(vectors, axis=1))[:, None] * vectors
        tensor = -vectors.T @ weighted / self.atoms.get_volume()
        voigt: FloatArray = tensor[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]
        return voigt

    def _force_over_r(self, r: FloatArray) -> FloatArray:
        chosen = self.parameters

        def minus_slope(distance: Any) -> Any:
            s6 = (chosen.sigma / distance) ** 6
            return 24 * chosen.epsilon * s6 * (2 * s6 - 1) / distance

        force: FloatArray = minus_slope(r)
        return (force - minus_slope(chosen.rc) if chosen.shift == "force" else force) / r
