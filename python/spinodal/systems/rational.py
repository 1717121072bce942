# SPDX-License-Identifier: BSD-3-Clause
"""Stiff filters: a rational function of the Laplacian, one sparse factorization a pole, by scipy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from spinodal import kernels
from spinodal.backends.protocol import Floats, Reals
from spinodal.systems.laplacians import Laplacian

Complex = npt.NDArray[np.complex128]


def fit(function: Callable[[Reals], Reals], lmax: float, tolerance: float) -> tuple[float, Complex, Complex, float]:
    """Return constant, poles and residues of f(λ) ≈ c + Σ_k r_k / (λ − z_k) on [0, lmax], and the largest error.

    The AAA algorithm: Nakatsukasa, Sète and Trefethen, SIAM J. Sci. Comput. 40, A1494 (2018), section 3. Poles are the
    generalized eigenvalues of its barycentric form; residues and constant are a least-squares fit to the samples.
    """
    grid = np.concatenate([[0.0], np.geomspace(lmax * 1e-12, lmax, 2000)])
    values = function(grid).reshape(-1)
    left, support = np.ones(len(grid), dtype=bool), []
    approximation = np.full(len(grid), values.mean())
    weights: Reals = np.ones(1)
    for _ in range(40):
        at = int(np.argmax(np.abs(values - approximation) * left))
        support.append(at)
        left[at] = False
        cauchy = 1 / (grid[left, None] - grid[support])
        loewner = values[left, None] * cauchy - cauchy * values[support]
        weights = np.linalg.svd(loewner, full_matrices=False)[2][-1]
        approximation = values.copy()
        approximation[left] = (cauchy @ (weights * values[support])) / (cauchy @ weights)
        if np.abs(values - approximation).max() <= 0.03 * tolerance:
            break
    z = _poles(grid[support], weights)
    z = z[~((np.abs(z.imag) <= 1e-12 * np.abs(z.real)) & (z.real >= 0))]  # none on the spectrum
    basis = np.concatenate([np.ones((len(grid), 1)), 1 / (grid[:, None] - z)], axis=1)
    scale = np.abs(basis).max(axis=0)
    solution = np.linalg.lstsq(basis / scale, values.astype(complex), rcond=1e-15)[0] / scale
    between = np.concatenate([[0.0], np.sqrt(grid[1:-1] * grid[2:]), grid])
    found = solution[0] + (1 / (between[:, None] - z)) @ solution[1:]
    error = float(np.abs(found.real - function(between).reshape(-1)).max())
    return float(solution[0].real), z, solution[1:], error


def _poles(support: Reals, weights: Reals) -> Complex:
    """Return the zeros of Σ_j w_j / (z − x_j)."""
    n = len(support)
    # A shifted and inverted pencil: its finite eigenvalues are the zeros.
    size = max(float(np.abs(support).max()), 1e-300)
    arrow = np.zeros((n + 1, n + 1))
    arrow[0, 1:], arrow[1:, 0] = weights, 1.0
    arrow[1:, 1:] = np.diag(support / size)
    mass = np.eye(n + 1)
    mass[0, 0] = 0.0
    shift = -0.37
    inverse = np.linalg.solve(arrow - shift * mass, mass)
    eigenvalues = np.linalg.eigvals(inverse)
    finite = eigenvalues[np.abs(eigenvalues) > 1e-14]
    return np.asarray(size * (shift + 1 / finite), dtype=np.complex128)


def apply(
    laplacian: Laplacian, function: Callable[[Reals], Reals], x: Any, tol: float, rms: float
) -> tuple[Floats, int, float]:
    """Return f(L) x in float64, the number of poles, and the error relative to RMS f."""
    try:
        from scipy.sparse import csc_array, eye_array
        from scipy.sparse.linalg import splu
    except ImportError as error:
        raise ImportError("method='rational' needs scipy: pip install scipy") from error
    constant, poles, residues, worst = fit(function, laplacian.lmax, tol * rms)
    (field,), shape = kernels.graph.read_fields(x)
    n = laplacian.n_nodes
    columns = field.transpose(1, 0, 2).reshape(n, -1).astype(np.float64)
    matrix = csc_array((laplacian.data, laplacian.indices, laplacian.indptr), shape=(n, n))
    total = constant * columns
    upper = poles.imag >= 0
    for pole, residue in zip(poles[upper], residues[upper], strict=True):
        share = 1.0 if abs(pole.imag) <= 1e-12 * abs(pole) else 2.0  # conjugate pairs solve once
        factors = splu((matrix - pole * eye_array(n)).tocsc().astype(np.complex128))
        total += share * (residue * factors.solve(columns.astype(np.complex128))).real
    values = total.reshape(n, field.shape[0], field.shape[2]).transpose(1, 0, 2).reshape(shape)
    return np.ascontiguousarray(values), len(poles), worst / max(rms, 1e-300)
