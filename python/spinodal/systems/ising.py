# SPDX-License-Identifier: BSD-3-Clause
r"""The Ising model on periodic square, rectangular and cubic lattices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from spinodal import kernels
from spinodal.backends.protocol import Integers, Reals, Spins

# Onsager (1944); Ferrenberg, Xu and Landau, Phys. Rev. E 97, 043301 (2018).
_CRITICAL_BETA_J = {2: math.log(1 + math.sqrt(2)) / 2, 3: 0.221654626}


def _lattice_shape(size: int | Sequence[int]) -> tuple[int, ...]:
    lengths: tuple[Any, ...] = (size, size) if np.ndim(size) == 0 else tuple(size)  # type: ignore[arg-type]
    if len(lengths) not in (2, 3):
        raise ValueError(f"size must be an int, (Ly, Lx) or (Lz, Ly, Lx); got {size!r}")
    if any(not isinstance(n, int | np.integer) or n < 2 for n in lengths):
        raise ValueError(f"every lattice length must be an integer >= 2; got {size!r}")
    return tuple(int(n) for n in lengths)


def _spins_at(array: npt.NDArray[Any], site: Sequence[int]) -> Reals:
    """Return the spins of one site in every chain, checked: only what is read."""
    index: tuple[Any, ...] = (..., *site)
    values: Reals = array[index].astype(np.float64)
    wrong = values[np.abs(values) != 1]
    if wrong.size:
        raise ValueError(f"spins must be -1 or +1; site {tuple(site)} holds {wrong[0]:g}")
    return values


@dataclass(frozen=True)
class IsingModel:
    r"""Ising spins on a periodic lattice.

    .. math:: E(s) = -J \sum_{\langle ij \rangle} s_i s_j - h \sum_i s_i, \qquad s_i = \pm 1

    Parameters
    ----------
    size : int, (Ly, Lx) or (Lz, Ly, Lx)
        An int L means L × L. An axis of length 2 has two bonds between the same two sites.
    J : float
        Coupling; J > 0 is ferromagnetic.
    h : float
        Field, in the unit of J.

    Notes
    -----
    Every method takes spins with any leading shape, as NumPy arrays, torch tensors (no copy) or
    nested lists. Temperatures are in units of J with k_B = 1.
    """

    size: int | tuple[int, ...]
    J: float = 1.0
    h: float = 0.0
    shape: tuple[int, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for name, value in (("J", self.J), ("h", self.h)):
            if not math.isfinite(value):
                raise ValueError(f"{name} must be finite; got {value}")
        object.__setattr__(self, "shape", _lattice_shape(self.size))

    @property
    def ndim(self) -> int:
        """Number of axes, 2 or 3."""
        return len(self.shape)

    @property
    def n_sites(self) -> int:
        """Number of spins."""
        return math.prod(self.shape)

    @property
    def critical_temperature(self) -> float:
        """Temperature of the infinite lattice's phase transition at h = 0 (square and cubic)."""
        return abs(self.J) / _CRITICAL_BETA_J[self.ndim]

    @property
    def conventions(self) -> dict[str, str]:
        """Return the conventions that samples of this system record."""
        return {
            "hamiltonian": "E = -J Σ_<ij> s_i s_j - h Σ_i s_i",
            "boundary": "periodic; an axis of length 2 has two bonds between the same sites",
            "magnetization": "Σ_i s_i, of the whole lattice",
        }

    def describe(self) -> dict[str, Any]:
        """Return what defines the system, for provenance."""
        return {"kind": "ising", "shape": list(self.shape), "J": float(self.J), "h": float(self.h)}

    def energy(self, spins: Any) -> Reals:
        """Return the total energy, float64 of the leading shape."""
        return kernels.ising_energy(self._check(spins), self.J, self.h, ndim=self.ndim)

    def magnetization(self, spins: Any) -> Integers:
        """Return Σ_i s_i, int64 of the leading shape."""
        return kernels.magnetization(self._check(spins), ndim=self.ndim)

    def local_field(self, spins: Any) -> Reals:
        """Return J Σ_j s_j + h at every site, float64 in the shape of ``spins``."""
        return kernels.local_field(self._check(spins), self.J, self.h, ndim=self.ndim)

    def local_energy_diff(self, spins: Any, *site: int) -> Reals:
        """Return the energy change of flipping one site, float64 of the leading shape.

        Parameters
        ----------
        spins : array of ±1, shape (…, *shape)
        *site : int
            One index an axis, ``(y, x)`` or ``(z, y, x)``; negative indices count from the end.
        """
        if len(site) != self.ndim:
            raise ValueError(f"a site of a {self.shape} lattice has {self.ndim} indices; got {site}")
        for index, length in zip(site, self.shape, strict=True):
            if not -length <= index < length:
                raise ValueError(f"site {site} is outside the lattice {self.shape}")
        array = np.asarray(self._check(spins))
        here = _spins_at(array, site)
        neighbors = np.zeros_like(here)
        for axis, length in enumerate(self.shape):
            for step in (1, -1):
                neighbor = list(site)
                neighbor[axis] = (site[axis] + step) % length
                neighbors += _spins_at(array, neighbor)
        difference: Reals = 2.0 * here * (self.J * neighbors + self.h)
        return difference

    def score(self, x: npt.ArrayLike, temperature: float) -> Reals:
        r"""Return −∇E(x)/T of the continuous relaxation of the spins to real x.

        .. math:: -\nabla_i E(x) / T = (J \sum_j x_j + h) / T

        The exact score of the *noised* spins is :func:`spinodal.exact.noised_score`.
        """
        if not (math.isfinite(temperature) and temperature > 0):
            raise ValueError(f"temperature must be finite and > 0; got {temperature}")
        values = np.asarray(self._check(x), dtype=np.float64)
        axes = range(-self.ndim, 0)
        neighbors = sum(np.roll(values, step, axis) for axis in axes for step in (1, -1))
        relaxed: Reals = (self.J * np.asarray(neighbors) + self.h) / temperature
        return relaxed

    def ground_state(self) -> Spins:
        """Return a state of lowest energy at h = 0; with a field, the one that follows its sign.

        For J < 0 this is the Néel state, a ground state where every length is even.
        """
        if self.J >= 0:
            return np.full(self.shape, -1 if self.h < 0 else 1, dtype=np.int8)
        parity = np.indices(self.shape).sum(axis=0) % 2
        neel: Spins = (1 - 2 * parity).astype(np.int8)
        return neel

    def _check(self, spins: Any) -> Any:
        if np.shape(spins)[-self.ndim :] != self.shape:
            raise ValueError(f"spins must have shape (…, {', '.join(map(str, self.shape))}); got {np.shape(spins)}")
        return spins
