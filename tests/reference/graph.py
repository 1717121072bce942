# SPDX-License-Identifier: BSD-3-Clause
"""Filters of graphs by definition: dense float64 eigenvectors, and a Chebyshev series term by term."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def dense_rows(matrix: Array) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], Array]:
    """A dense matrix in compressed rows; the diagonal is there even where it is 0."""
    kept = (matrix != 0) | np.eye(len(matrix), dtype=bool)
    indptr = np.concatenate([[0], np.cumsum(kept.sum(axis=1))]).astype(np.int64)
    return indptr, np.nonzero(kept)[1].astype(np.int32), matrix[kept]


def random_laplacian(n: int, degree: float, seed: int, weighted: bool) -> Array:
    """A random graph's Laplacian, with isolated nodes and several components where ``degree`` is small."""
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.random((n, n)) < degree / n, 1).astype(float)
    if weighted:
        upper *= rng.lognormal(size=(n, n))
    adjacency = upper + upper.T
    return np.diag(adjacency.sum(axis=1)) - adjacency


def chebyshev_filter(laplacian: Array, x: Array, coefficients: Array, lmax: float) -> Array:
    """Σ_k c_k T_k(2L/lmax − 1) x for x (N, C) and c (K, C): T_{k+1} = 2 H T_k − T_{k−1}."""
    h = 2 / lmax * laplacian - np.eye(len(laplacian))
    before, now = x, h @ x
    total = coefficients[0] * before
    for c in coefficients[1:]:
        total = total + c * now
        before, now = now, 2 * h @ now - before
    return total


def function_of(laplacian: Array, f: Callable[[Array], Array]) -> Array:
    """f(L), dense."""
    eigenvalues, vectors = np.linalg.eigh(laplacian)
    return (vectors * f(eigenvalues)) @ vectors.T


def covariance(laplacian: Array, tau: float, gamma: float, lam: float, q: float) -> Array:
    """Σ = q (1 − e^{−2τA}) / 2A with A = γL + λ, its limit q τ where A = 0."""

    def f(eigenvalues: Array) -> Array:
        a = gamma * np.maximum(eigenvalues, 0) + lam
        return np.where(a * tau < 1e-12, q * tau, -q * np.expm1(-2 * tau * a) / (2 * np.maximum(a, 1e-300)))

    return function_of(laplacian, f)


def transition(laplacian: Array, tau: float, gamma: float, lam: float) -> Array:
    """Φ = e^{−τA}."""
    return function_of(laplacian, lambda values: np.exp(-tau * (gamma * np.maximum(values, 0) + lam)))
