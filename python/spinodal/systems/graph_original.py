# SPDX-License-Identifier: BSD-3-Clause
"""The original design's names: thin functions over :class:`GraphProcess`, and explicit Euler as a dense reference."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from spinodal.backends.protocol import Floats, Reals
from spinodal.systems.graph_process import GraphProcess
from spinodal.systems.laplacians import Laplacian

MAX_DENSE = 2048


class ExplicitProcess(NamedTuple):
    """Φ and Σ after each step of explicit Euler.

    Attributes
    ----------
    transition, covariance : float64 arrays, shape (n_steps + 1, N, N)
    stability : float
        Largest β_i λ_max(A) Δt of a step; below 2, as checked.
    variance_error : float
        Largest relative error of a mode's variance at the end, against the exact one.
    """

    transition: Reals
    covariance: Reals
    stability: float
    variance_error: float


def build_A_node(laplacian: Laplacian, gamma: float = 1.0, lam: float = 0.1) -> tuple[Any, Any, Reals]:
    """Return A = γL + λ in compressed rows (indptr, indices, data)."""
    if not (np.isfinite(gamma) and gamma > 0 and np.isfinite(lam) and lam >= 0):
        raise ValueError(f"gamma must be > 0 and lam >= 0; got {gamma} and {lam}")
    rows = np.repeat(np.arange(laplacian.n_nodes), np.diff(laplacian.indptr))
    data = gamma * laplacian.data + lam * (rows == laplacian.indices)
    return laplacian.indptr.copy(), laplacian.indices.copy(), data


def precompute_phi_sigma_explicit(
    laplacian: Laplacian,
    betas: npt.ArrayLike,
    gamma: float = 1.0,
    lam: float = 0.1,
    q: float = 1.0,
    dt: float = 1.0,
) -> ExplicitProcess:
    """Return Φ and Σ by explicit Euler, dense: the original recursion, to compare with.

    Φ ← (1 − β_i A Δt) Φ and Σ ← (1 − β_i A Δt) Σ (1 − β_i A Δt) + q β_i Δt, with β_i of each step.

    Raises
    ------
    ValueError
        If β_i λ_max(A) Δt >= 2 at a step, where the recursion grows without bound, or N > 2048.
    """
    rates = np.asarray(betas, dtype=np.float64)
    n = laplacian.n_nodes
    if n > MAX_DENSE:
        raise ValueError(f"dense matrices of each step need at most {MAX_DENSE} nodes; got {n} (use GraphProcess)")
    if rates.ndim != 1 or not (np.isfinite(rates).all() and (rates >= 0).all()):
        raise ValueError("betas must be finite and >= 0, one a step")
    values, vectors = np.linalg.eigh(gamma * laplacian.dense() + lam * np.eye(n))
    stability = float(rates.max(initial=0.0) * dt * values[-1])
    if stability >= 2:
        raise ValueError(
            f"explicit Euler is stable for beta·lmax(A)·dt < 2; a step has {stability:.4g}: use more steps, or "
            "GraphProcess, which is exact"
        )
    phi, sigma = np.ones((len(rates) + 1, n)), np.zeros((len(rates) + 1, n))
    for i, rate in enumerate(rates):
        keep = 1 - rate * dt * values
        phi[i + 1] = keep * phi[i]
        sigma[i + 1] = keep**2 * sigma[i] + q * rate * dt
    tau = float(rates.sum() * dt)
    exact = np.where(values * tau > 1e-12, -q * np.expm1(-2 * tau * values) / (2 * np.maximum(values, 1e-300)), q * tau)
    error = float(np.abs(sigma[-1] / exact - 1).max()) if tau > 0 else 0.0
    dense = [np.einsum("ik,tk,jk->tij", vectors, modes, vectors, optimize=True) for modes in (phi, sigma)]
    return ExplicitProcess(dense[0], dense[1], stability, error)


def forward_noising_batch(process: GraphProcess, S0: Any, t: Any, eps: Any) -> Floats:
    """Return S_t = Φ S₀ + Σ^½ ε for fields (B, N, d), t one time or one a field."""
    result: Floats = process.marginal_sample(t, S0, eps)
    return result


def apply_Phi_node_batch(process: GraphProcess, S: Any, t: Any) -> Floats:
    """Return Φ S for fields (B, N, d)."""
    result: Floats = process.transition(t, S)
    return result


def reconstruct_from_noise(process: GraphProcess, S_t: Any, t: Any, eps: Any) -> Floats:
    """Return S₀ = Φ^{−1}(S_t − Σ^½ ε), where Φ^{−1} does not amplify rounding beyond use."""
    result: Floats = process.reconstruct(t, S_t, eps)
    return result
