# SPDX-License-Identifier: BSD-3-Clause
"""Free energies of several temperatures from all their energies together, on discrete levels.

The multi-histogram equations need energies only through their histogram, so runs of millions of draws of a
lattice model with some thousand levels are solved exactly at the cost of the levels:  ::

    exp(-f_i) = Σ_E H(E) exp(-β_i E) / D(E),    D(E) = Σ_k n_k exp(f_k - β_k E)         (1)

with H the histogram of all draws and n_k the number at β_k. The f are the minimum of the convex function  ::

    A(f) = Σ_E H(E) ln D(E) - Σ_k n_k f_k                                              (2)

References
----------
A. M. Ferrenberg, R. H. Swendsen, Phys. Rev. Lett. 63, 1195 (1989); M. R. Shirts, J. D. Chodera,
J. Chem. Phys. 129, 124105 (2008); F. Zhu, G. Hummer, J. Comput. Chem. 33, 453 (2012).
"""

from __future__ import annotations

import numpy as np

from spinodal.analysis.arrays import FloatArray


def log_sum_exp(x: FloatArray, axis: int) -> FloatArray:
    """Return ln Σ exp(x) along an axis, without overflow."""
    top = x.max(axis=axis, keepdims=True)
    result: FloatArray = np.log(np.exp(x - top).sum(axis=axis)) + np.squeeze(top, axis)
    return result


def first_guess(beta: FloatArray, mean_energy: FloatArray) -> FloatArray:
    """Return f by the trapezoidal rule on df/dβ = <E>, with f_0 = 0."""
    steps = np.diff(beta) * 0.5 * (mean_energy[1:] + mean_energy[:-1])
    return np.concatenate([[0.0], np.cumsum(steps)])


def log_mixture(beta: FloatArray, n: FloatArray, f: FloatArray, energy: FloatArray) -> FloatArray:
    """Return ln D(E) of eq. (1), shape (n_levels,)."""
    return log_sum_exp((np.log(n) + f)[:, None] - beta[:, None] * energy, axis=0)


def _log_share(beta: FloatArray, n: FloatArray, f: FloatArray, energy: FloatArray) -> FloatArray:
    """Return ln n_k exp(f_k - β_k E)/D(E), the chance that a draw at E comes from k, (n_temperatures, n_levels)."""
    terms = (np.log(n) + f)[:, None] - beta[:, None] * energy
    result: FloatArray = terms - log_sum_exp(terms, axis=0)
    return result


def solve_mbar(
    beta: FloatArray,
    n: FloatArray,
    energy: FloatArray,
    counts: FloatArray,
    f: FloatArray,
    tolerance: float = 1e-9,
    max_iterations: int = 500,
) -> FloatArray:
    """Return f_k = -ln Z(β_k), up to a constant, with f_0 = 0.

    Newton's method on eq. (2); where a step does not lower A, one iteration of eq. (1) instead.

    Parameters
    ----------
    beta, n : float64 arrays, shape (n_temperatures,)
        Inverse temperatures, and effective numbers of draws; Σ n = Σ counts.
    energy, counts : float64 arrays, shape (n_levels,)
        Energy levels, and the (weighted) number of draws at each.
    f : float64 array, shape (n_temperatures,)
        Initial guess.
    tolerance : float
        On the relative residuals of eq. (1).

    Raises
    ------
    RuntimeError
        If the residuals do not fall below the tolerance.
    """
    seen = counts > 0.0
    energy, counts = energy[seen], counts[seen]
    f, residual = f - f[0], np.inf
    for _ in range(max_iterations):
        log_share = _log_share(beta, n, f, energy)
        share = np.exp(log_share)
        expected = share @ counts
        residual = float(np.abs(expected / n - 1.0).max())
        if residual < tolerance:
            return f
        step = _newton_step(share, counts, expected - n)
        # Where Newton's method converges, steps are short: only long ones are worth a check.
        if not np.abs(step).max() < 0.1 and not _descends(beta, n, energy, counts, f, f + step):
            step = np.log(n) - log_sum_exp(log_share + np.log(counts), axis=1)
        f = f + step - step[0]
    raise RuntimeError(
        f"multi-histogram equations: residual {residual:.2g} after {max_iterations} iterations, "
        f"tolerance {tolerance:g}; do the temperatures overlap?"
    )


def _newton_step(share: FloatArray, counts: FloatArray, gradient: FloatArray) -> FloatArray:
    weighted = share * counts
    hessian = np.diag(weighted.sum(axis=1)) - weighted @ share.T
    step = np.zeros(gradient.size)
    # f_0 is fixed: A does not depend on a common constant. A touch of damping keeps gaps solvable.
    inner = hessian[1:, 1:]
    np.fill_diagonal(inner, inner.diagonal() * (1.0 + 1e-12))
    try:
        step[1:] = -np.linalg.solve(inner, gradient[1:])
    except np.linalg.LinAlgError:
        step[1:] = np.nan
    return step


def _descends(
    beta: FloatArray, n: FloatArray, energy: FloatArray, counts: FloatArray, f: FloatArray, trial: FloatArray
) -> bool:
    if not np.isfinite(trial).all():
        return False
    # ln D(f) - ln D(trial) directly: the two values of A share most of their digits.
    change = log_mixture(beta, n, trial, energy) - log_mixture(beta, n, f, energy)
    lowered = float(counts @ change) - float(n @ (trial - f))
    return lowered <= 1e-12 * float(counts.sum())


def overlap(beta: FloatArray, n: FloatArray, energy: FloatArray, counts: FloatArray, f: FloatArray) -> FloatArray:
    """Return the overlap matrix O_ij: the chance that a draw of i would be taken for one of j.

    Rows sum to one; neighbours should share at least about 0.03.

    References
    ----------
    P. V. Klimovich, M. R. Shirts, D. L. Mobley, J. Comput. Aided Mol. Des. 29, 397 (2015).
    """
    share = np.exp(_log_share(beta, n, f, energy))
    result: FloatArray = (share * counts) @ share.T / n[:, None]
    return result
