# SPDX-License-Identifier: BSD-3-Clause
"""Gaussian fields on graphs: the stationary law of the process, exactly sampled, and conditioned on some nodes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from spinodal.backends.protocol import Reals
from spinodal.systems.graph_filters import FilterEngine, Part
from spinodal.systems.graph_functions import NULL, Stationary

_CG_TOLERANCE = 1e-12


class GaussianField:
    r"""The law N(0, q (2A)^{−1}) of fields (N,) on a graph, A = γL + λ: energy x·Ax/q at temperature 1.

    Made by :meth:`GraphProcess.stationary`. With λ = 0 it is the law of the fields without null modes.
    :class:`GaussianSampler` draws from it in ``run``.
    """

    def __init__(self, engine: FilterEngine, gamma: float, lam: float, q: float, *, project: bool = False) -> None:
        self.laplacian, self.gamma, self.lam, self.q, self.project = engine.laplacian, gamma, lam, q, project
        if project:  # a jump at 0 has no series: eigenvectors know where it is
            if self.laplacian.spectrum is None:
                raise ValueError(
                    f"the projected law needs a known spectrum: a grid, or graphs of at most 512 nodes; one has "
                    f"{self.laplacian.max_block}"
                )
            method = "grid" if self.laplacian.kind == "grid" else "dense"
            engine = FilterEngine(self.laplacian, engine.tol, method, engine.backend)  # type: ignore[arg-type]
        self.engine = engine

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a configuration, (N,)."""
        return (self.laplacian.n_nodes,)

    @property
    def conventions(self) -> dict[str, str]:
        """Return the conventions that samples of this system record."""
        return {"hamiltonian": "x·Ax/q at temperature 1, A = gamma L + lam", "boundary": "a graph"}

    def describe(self) -> dict[str, Any]:
        """Return what defines the system, for provenance."""
        return {
            "kind": "gaussian_field",
            "shape": list(self.shape),
            "dims": ["node"],
            "n_edges": self.laplacian.n_edges,
            "gamma": self.gamma,
            "lam": self.lam,
            "q": self.q,
            "project": self.project,
        }

    def energy(self, fields: Any, *, n_threads: int | None = None) -> Any:
        """Return x·Ax/q, float64 of the leading shape of fields (…, N)."""
        x = self._check(fields)
        value = (x * self._drift(x, n_threads)).sum(axis=-1) / self.q
        return float(value) if value.ndim == 0 else value

    def score(self, fields: Any, temperature: float = 1.0) -> Reals:
        """Return ∇ log p = −2Ax/(q T), float64 in the shape of fields (…, N)."""
        if not (math.isfinite(temperature) and temperature > 0):
            raise ValueError(f"temperature must be finite and > 0; got {temperature}")
        return -2 * self._drift(self._check(fields)) / (self.q * temperature)

    def covariance(self, v: Any, *, n_threads: int | None = None) -> Any:
        """Return C v = q (2A)^{−1} v, for v (N,), (N, C) or (B, N, d)."""
        return self._apply(1.0, v, n_threads)

    def sqrt_covariance(self, v: Any, *, n_threads: int | None = None) -> Any:
        """Return C^½ v."""
        return self._apply(0.5, v, n_threads)

    def sample(self, n: int, seed: int) -> Reals:
        """Return n independent fields (n, N) float64."""
        if n < 1:
            raise ValueError(f"n must be >= 1; got {n}")
        noise = np.random.default_rng(seed).normal(size=(*self.shape, n))
        return np.ascontiguousarray(self.sqrt_covariance(noise).T)

    def condition(self, mask: npt.ArrayLike, values: Any) -> ConditionedField:
        """Return the law given the values at the nodes of a mask."""
        if self.project:
            raise ValueError("condition needs lam > 0: the projected law has no density")
        return ConditionedField(self, mask, values)

    def _apply(self, power: float, v: Any, n_threads: int | None) -> Any:
        function = Stationary(self.gamma, self.lam, self.q, power)
        return self.engine.apply([Part(function, v)], key=(repr(function),), n_threads=n_threads)[0]

    def drift(self, columns: Reals, *, n_threads: int | None = None) -> Reals:
        """Return A x of columns (N, C)."""
        applied = self.laplacian.apply(columns, n_threads=n_threads)
        return np.asarray(self.gamma * applied + self.lam * columns, dtype=np.float64)

    def _drift(self, x: Reals, n_threads: int | None = None) -> Reals:
        flat = x.reshape(-1, *self.shape)
        return self.drift(np.ascontiguousarray(flat.T), n_threads=n_threads).T.reshape(x.shape)

    def _check(self, fields: Any) -> Reals:
        x = np.asarray(fields, dtype=np.float64)
        if x.shape[-1:] != self.shape:
            raise ValueError(f"fields must have shape (…, {self.shape[0]}); got {x.shape}")
        return x


class ConditionedField:
    """A Gaussian field given some of its nodes.

    With A in blocks of known (o) and unknown (u) nodes the mean is −A_uu^{−1} A_uo x_o. A sample is one of the field
    plus the mean of what is missing from the known values (Matheron's rule), so that its law is exact.

    Attributes
    ----------
    mean : float64 array, shape (N,) or (N, C) as the values
    """

    def __init__(self, field: GaussianField, mask: npt.ArrayLike, values: Any) -> None:
        self.field = field
        self.mask = np.asarray(mask)
        if self.mask.dtype != np.bool_ or self.mask.shape != field.shape:
            raise ValueError(
                f"mask must be bool of shape {field.shape}; got {self.mask.dtype} of shape {self.mask.shape}"
            )
        self.values = np.asarray(values, dtype=np.float64)
        if self.values.ndim not in (1, 2) or len(self.values) != self.mask.sum():
            raise ValueError(f"{int(self.mask.sum())} nodes are known; values have shape {self.values.shape}")
        if not np.isfinite(self.values).all():
            raise ValueError("values must be finite")
        self.mean = self._extend(self.values.reshape(len(self.values), -1)).reshape(
            *field.shape, *self.values.shape[1:]
        )

    def sample(self, n: int, seed: int) -> Reals:
        """Return n independent fields, (n, N) or (n, N, C), that have the known values."""
        if n < 1:
            raise ValueError(f"n must be >= 1; got {n}")
        n_columns = self.values.reshape(len(self.values), -1).shape[1]
        noise = np.random.default_rng(seed).normal(size=(*self.field.shape, n * n_columns))
        draws = np.asarray(self.field.sqrt_covariance(noise))
        wanted = np.tile(self.values.reshape(len(self.values), -1), n)
        draws += self._extend(wanted - draws[self.mask])
        draws[self.mask] = wanted
        shaped = draws.T.reshape(n, n_columns, *self.field.shape).swapaxes(1, 2)
        return np.ascontiguousarray(shaped.reshape(n, *self.field.shape, *self.values.shape[1:]))

    def _extend(self, known: Reals) -> Reals:
        """Return columns (N, C): the known values, and the mean of the others given them."""
        full = np.zeros((*self.field.shape, known.shape[1]))
        full[self.mask] = known
        unknown = (~self.mask)[:, None]
        right = -self.field.drift(full) * unknown
        diagonal = self.field.gamma * self._diagonal() + self.field.lam
        solved = conjugate_gradient(lambda x: self.field.drift(x) * unknown, right, diagonal[:, None])
        return np.asarray(full + solved * unknown)

    def _diagonal(self) -> Reals:
        laplacian = self.field.laplacian
        return (laplacian.degree > 0).astype(np.float64) if laplacian.normalized else laplacian.degree


def conjugate_gradient(apply: Callable[[Reals], Reals], right: Reals, diagonal: Reals) -> Reals:
    """Solve a positive definite system for all columns, preconditioned by its diagonal.

    Hestenes and Stiefel, J. Res. Natl. Bur. Stand. 49, 409 (1952).
    """
    x, residual = np.zeros_like(right), right.copy()
    search = residual / diagonal
    rho = (residual * search).sum(axis=0)
    goal = _CG_TOLERANCE**2 * np.maximum((right**2).sum(axis=0), 1e-300)
    for _ in range(10 * len(right) + 10):
        if ((residual**2).sum(axis=0) <= goal).all():
            return x
        applied = apply(search)
        step = rho / np.maximum((search * applied).sum(axis=0), 1e-300)
        x += step * search
        residual -= step * applied
        conditioned = residual / diagonal
        before, rho = rho, (residual * conditioned).sum(axis=0)
        search = conditioned + rho / np.maximum(before, 1e-300) * search
    raise RuntimeError(f"conjugate gradients did not reach {_CG_TOLERANCE:g} of the right side's norm")


__all__ = ["NULL", "ConditionedField", "GaussianField", "conjugate_gradient"]
