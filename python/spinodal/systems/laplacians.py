# SPDX-License-Identifier: BSD-3-Clause
"""Laplacians of graphs: in compressed rows, with what their filters need to know of the spectrum."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from spinodal import kernels
from spinodal.backends.protocol import Floats, Integers, Reals

Kind = Literal["grid", "blocks", "general"]
DENSE_NODES = 512
"""Up to so many nodes eigenvalues are computed: the cost of a few hundred filters."""
_PROBES, _STEPS, _COARSE = 8, 100, 512


class Density(NamedTuple):
    """Quadrature of the spectrum: for each probe, (1/N) tr f(L) ≈ Σ_i weights_i f(nodes_i).

    Exact spectra have one probe of weights 1/N; else each row is a Lanczos estimate from a random vector.
    """

    nodes: Reals
    weights: Reals


@dataclass(eq=False, repr=False)
class Laplacian:
    """A graph's Laplacian, symmetric and positive semidefinite.

    Made by :func:`grid_laplacian`, :func:`graph_laplacian` and :func:`molecular_laplacian`; several graphs side by side
    by :meth:`batch`. ``indptr``, ``indices`` and ``data`` are its compressed rows, so that scipy takes it as
    ``scipy.sparse.csr_array((L.data, L.indices, L.indptr))``.

    Attributes
    ----------
    kind : {"grid", "blocks", "general"}
    shape, periodic : tuple of int, bool
        Of a grid, else ``(n_nodes,)`` and False.
    offsets : int64 array, shape (n_graphs + 1,)
        First node of each graph of a batch, and n_nodes.
    normalized : bool
        D^{-1/2} L D^{-1/2} rather than L = D − W.
    """

    indptr: Integers
    indices: npt.NDArray[np.int32]
    data: Reals
    kind: Kind
    shape: tuple[int, ...]
    periodic: bool
    offsets: Integers
    normalized: bool
    degree: Reals

    def __post_init__(self) -> None:
        self.plans: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"Laplacian({self.kind}, n_nodes={self.n_nodes}, n_edges={self.n_edges}, lmax<={self.lmax:.4g})"

    @classmethod
    def batch(cls, laplacians: Sequence[Laplacian]) -> Laplacian:
        """Return graphs of any sizes side by side: one block each."""
        parts = list(laplacians)
        if not parts:
            raise ValueError("a batch needs at least one graph")
        if len({part.normalized for part in parts}) > 1:
            raise ValueError("graphs of a batch must all be normalized, or none of them")
        offsets = np.concatenate([[0], np.cumsum([part.n_nodes for part in parts])]).astype(np.int64)
        starts = np.concatenate([[0], np.cumsum([len(part.data) for part in parts])])
        indptr = np.concatenate([[0], *(part.indptr[1:] + s for part, s in zip(parts, starts[:-1], strict=True))])
        indices = np.concatenate([part.indices + o for part, o in zip(parts, offsets[:-1], strict=True)])
        return cls(
            indptr.astype(np.int64), indices.astype(np.int32), np.concatenate([part.data for part in parts]),
            "blocks", (int(offsets[-1]),), False, offsets, parts[0].normalized,
            np.concatenate([part.degree for part in parts]),
        )  # fmt: skip

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return len(self.indptr) - 1

    @property
    def n_edges(self) -> int:
        """Number of edges."""
        return (len(self.indices) - int((self._rows == self.indices).sum())) // 2

    @property
    def n_graphs(self) -> int:
        """Number of graphs of a batch, else 1."""
        return len(self.offsets) - 1

    @cached_property
    def _rows(self) -> Integers:
        return np.repeat(np.arange(self.n_nodes), np.diff(self.indptr))

    @cached_property
    def components(self) -> Integers:
        """Component of each node, numbered from 0 in order of their first nodes."""
        label, rows, columns = np.arange(self.n_nodes), self._rows, self.indices
        while True:
            lower = label.copy()
            np.minimum.at(lower, label[rows], label[columns])
            lower = lower[lower]
            if (lower == label).all():
                return np.unique(label, return_inverse=True)[1].astype(np.int64)
            label = lower

    @property
    def n_components(self) -> int:
        """Number of connected components: the multiplicity of eigenvalue 0."""
        return int(self.components.max()) + 1

    def dense(self) -> Reals:
        """Return the matrix (N, N) float64; for small graphs."""
        matrix = np.zeros((self.n_nodes, self.n_nodes))
        matrix[self._rows, self.indices] = self.data
        return matrix

    def __matmul__(self, x: Any) -> Floats:
        return self.apply(x)

    def apply(self, x: Any, *, n_threads: int | None = None) -> Floats:
        """Return L x for x (N,), (N, C) or (B, N, d)."""
        bound = self.bound
        return kernels.chebyshev_filter(self, x, np.array([bound / 2, bound / 2]), bound, n_threads=n_threads)

    def remove_null(self, x: Any) -> Floats:
        """Return a field without its null modes.

        These are constant on a component; proportional to √degree if normalized.
        """
        (field,), shape = kernels.graph.read_fields(x)
        mode = np.sqrt(self.degree) if self.normalized else np.ones(self.n_nodes)
        mode = np.where(self.degree > 0, mode, 1.0)
        norm = np.bincount(self.components, mode**2)
        rest = np.empty_like(field)
        for b, f in enumerate(field):
            for c in range(f.shape[1]):
                amplitude = np.bincount(self.components, mode * f[:, c]) / norm
                rest[b, :, c] = f[:, c] - mode * amplitude[self.components]
        return rest.reshape(shape)

    @cached_property
    def bound(self) -> float:
        """An upper bound of the eigenvalues that needs no iteration.

        The largest sum of two neighbours' degrees (Anderson and Morley, Linear Multilinear Algebra 18, 141 (1985));
        2 if normalized.
        """
        if self.kind == "grid":
            return float(sum(axis[-1] for axis in self.axis_eigenvalues))
        if self.normalized:
            return 2.0
        edges = self._rows != self.indices
        if not edges.any():
            return 1.0
        return float((self.degree[self._rows[edges]] + self.degree[self.indices[edges]]).max() * (1 + 1e-14))

    @cached_property
    def lmax(self) -> float:
        """A tight upper bound of the eigenvalues: exact where they are known, else a guarded Lanczos bound.

        From m steps on v random vectors θ ≥ (1 − ε) λ_max but for a probability of (1.648 √N e^{−√ε (2m−1)})^v: ε is
        chosen to make that 10⁻¹⁰ (Kuczyński and Woźniakowski, SIAM J. Matrix Anal. Appl. 13, 1094 (1992), theorem 4.1).
        """
        if self.kind == "grid":
            return max(self.bound, 1e-300)
        top = float(self.density.nodes.max())
        if self.density.weights.shape[0] > 1:
            n_probes, steps = self.density.nodes.shape
            per_probe = math.log(1.648 * math.sqrt(self.n_nodes)) + math.log(1e10) / n_probes
            top /= 1 - min(0.5, (per_probe / (2 * steps - 1)) ** 2)
        return min(self.bound, top * (1 + 1e-12)) if top > 0 else self.bound

    @cached_property
    def axis_eigenvalues(self) -> list[Reals]:
        """Eigenvalues along each axis of a grid, rising; the spectrum is their sums."""
        if self.kind != "grid":
            raise ValueError(f"only a grid has axes; this is a graph of kind {self.kind!r}")
        return [np.sort(axis_spectrum(n, self.periodic)) for n in self.shape]

    @cached_property
    def spectrum(self) -> Reals | None:
        """All eigenvalues, rising, where they are cheap: grids, batches of small graphs, small graphs; else None."""
        if self.kind == "grid":
            total = np.zeros(1)
            for axis in self.axis_eigenvalues:
                total = np.add.outer(total, axis).reshape(-1)
            return np.sort(total)
        if self.max_block <= DENSE_NODES:
            return np.sort(np.concatenate([values for values, _ in self.eigenvectors]))
        return None

    @property
    def max_block(self) -> int:
        """Nodes of the largest graph."""
        return int(np.diff(self.offsets).max())

    @cached_property
    def eigenvectors(self) -> list[tuple[Reals, Reals]]:
        """Eigenvalues and eigenvectors of each graph; eigenvalues are made >= 0."""
        result = []
        for begin, end in zip(self.offsets[:-1], self.offsets[1:], strict=True):
            entries = slice(self.indptr[begin], self.indptr[end])
            matrix = np.zeros((end - begin, end - begin))
            matrix[self._rows[entries] - begin, self.indices[entries] - begin] = self.data[entries]
            values, vectors = np.linalg.eigh(matrix)
            result.append((np.maximum(values, 0.0), vectors))
        return result

    @cached_property
    def density(self) -> Density:
        """The density of the spectrum, exact or by stochastic Lanczos quadrature."""
        if self.spectrum is not None:
            n = len(self.spectrum)
            return Density(self.spectrum[None], np.full((1, n), 1 / n))
        return lanczos_density(self, _PROBES, min(_STEPS, self.n_nodes))

    @cached_property
    def coarse_density(self) -> Density:
        """The density by a few hundred nodes: the lowest eigenvalues, then means of ever larger groups."""
        exact = self.density
        n = exact.nodes.shape[1]
        if n <= _COARSE or exact.nodes.shape[0] > 1:
            return exact
        edges = np.concatenate([np.arange(_COARSE // 2), np.geomspace(_COARSE // 2, n, _COARSE // 2).astype(np.int64)])
        starts = np.unique(edges[edges < n])
        counts = np.diff(np.append(starts, n))
        return Density((np.add.reduceat(exact.nodes[0], starts) / counts)[None], (counts / n)[None])


def axis_spectrum(n: int, periodic: bool) -> Reals:
    """Return the eigenvalues of a path (2 − 2 cos πk/n) or a ring (2 − 2 cos 2πk/n) of n nodes."""
    k = np.arange(n)
    return 4 * np.sin((math.pi if periodic else math.pi / 2) * k / n) ** 2


def lanczos_density(laplacian: Laplacian, n_probes: int, n_steps: int) -> Density:
    """Return Gauss quadratures of the spectral measures of random vectors.

    Ubaru, Chen and Saad, SIAM J. Matrix Anal. Appl. 38, 1075 (2017), algorithm 1. The vectors are always the same.
    """
    n = laplacian.n_nodes
    now = np.random.default_rng(0).normal(size=(n, n_probes))
    now /= np.sqrt((now**2).sum(axis=0))
    before, beta = np.zeros_like(now), np.zeros(n_probes)
    alphas, betas = np.zeros((n_steps, n_probes)), np.zeros((n_steps, n_probes))
    for step in range(n_steps):
        ahead = laplacian @ now
        alphas[step] = (now * ahead).sum(axis=0)
        ahead -= alphas[step] * now + beta * before
        beta = betas[step] = np.sqrt((ahead**2).sum(axis=0))
        before, now = now, ahead / np.maximum(beta, 1e-300)
    nodes, weights = [], []
    for probe in range(n_probes):
        tridiagonal = np.diag(alphas[:, probe])
        tridiagonal += np.diag(betas[:-1, probe], 1) + np.diag(betas[:-1, probe], -1)
        values, vectors = np.linalg.eigh(tridiagonal)
        nodes.append(np.maximum(values, 0.0))
        weights.append(vectors[0] ** 2)
    return Density(np.array(nodes), np.array(weights))
