# SPDX-License-Identifier: BSD-3-Clause
r"""Exact density, score and denoiser of noised Ising configurations on small lattices.

With spins s ~ exp(-E(s)/T)/Z and unit Gaussian noise ε at every site,

    x = α s + σ ε,        p(x) = Σ_s π(s) Π_i N(x_i; α s_i, σ²)                      (1)
    ∇ log p(x) = (α E[s | x] - x)/σ²                                                 (2)

(2) is Tweedie's formula. The sum runs over all 2^N states in logarithms. With d_i = 2 α |x_i|/σ²

    log p(x) = -Σ_i (|x_i| - |α|)²/(2σ²) - (N/2) log 2πσ²
               + log Σ_s π(s) exp(-Σ_i d_i [s_i ≠ sign(α x_i)])                      (3)

so that no large numbers cancel at small σ. For J = 0, E[s_i | x] = tanh(α x_i/σ² + h/T).

References
----------
Efron (2011), doi:10.1198/jasa.2011.tm11181 (Tweedie's formula).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from ._validation import FloatArray, Size
from .states import log_boltzmann, small_shape

_BLOCK = 1 << 21  # state weights held at once: 16 MiB an array


def noised_log_density(
    x: npt.ArrayLike,
    alpha: npt.ArrayLike,
    sigma: npt.ArrayLike,
    shape: Size,
    temperature: float,
    J: float = 1.0,
    h: float = 0.0,
) -> FloatArray:
    """Return log p(x) of x = α s + σ ε, natural logarithm, normalised over R^N.

    Parameters
    ----------
    x : array, shape (..., *shape)
        Noised configurations, finite.
    alpha, sigma : float, or array broadcastable to the leading axes of ``x``
        Signal scale (any finite number) and noise scale (1e-100 ≤ σ ≤ 1e100).
    shape : int or tuple of int
        Two or three lengths, each ≥ 2, with N ≤ 20 sites.
    temperature : float
        Finite and > 0.
    J, h : float
        E = -J Σ_i Σ_axis s_i s_{i+e} - h Σ_i s_i.

    Returns
    -------
    float64 array of the leading shape of ``x``

    Raises
    ------
    ValueError
        For a shape that does not end ``x``, more than 20 sites, or a parameter out of bounds.
    """
    batch = _Batch(x, alpha, sigma, shape)
    log_norm, _ = batch.posterior(log_boltzmann(shape, temperature, J, h))
    return log_norm.reshape(batch.leading)


def denoiser(
    x: npt.ArrayLike,
    alpha: npt.ArrayLike,
    sigma: npt.ArrayLike,
    shape: Size,
    temperature: float,
    J: float = 1.0,
    h: float = 0.0,
) -> FloatArray:
    """Return E[s | x], the posterior mean of the clean spins; arguments as :func:`noised_log_density`.

    Returns
    -------
    float64 array, shape (..., *shape)
        Values in [-1, 1].
    """
    batch = _Batch(x, alpha, sigma, shape)
    _, mean = batch.posterior(log_boltzmann(shape, temperature, J, h))
    return mean.reshape(batch.shape)


def noised_score(
    x: npt.ArrayLike,
    alpha: npt.ArrayLike,
    sigma: npt.ArrayLike,
    shape: Size,
    temperature: float,
    J: float = 1.0,
    h: float = 0.0,
) -> FloatArray:
    """Return ∇_x log p(x) = (α E[s | x] - x)/σ²; arguments as :func:`noised_log_density`.

    Returns
    -------
    float64 array, shape (..., *shape)
    """
    batch = _Batch(x, alpha, sigma, shape)
    _, mean = batch.posterior(log_boltzmann(shape, temperature, J, h))
    pull = (batch.alpha[:, None] * mean - batch.x) / batch.sigma[:, None]
    return (pull / batch.sigma[:, None]).reshape(batch.shape)


class _Batch:
    """Checked input, flattened: x (n, N), alpha (n,), sigma (n,)."""

    def __init__(self, x: npt.ArrayLike, alpha: npt.ArrayLike, sigma: npt.ArrayLike, shape: Size) -> None:
        lengths = small_shape(shape)
        values = np.asarray(x, dtype=np.float64)
        if values.shape[-len(lengths) :] != lengths:
            raise ValueError(f"x must have shape (..., {', '.join(map(str, lengths))}), got {values.shape}")
        self.shape = values.shape
        self.leading = values.shape[: -len(lengths)]
        self.x = values.reshape(-1, math.prod(lengths))
        self.alpha = self._scale("alpha", alpha, -np.inf, np.inf)
        self.sigma = self._scale("sigma", sigma, 1e-100, 1e100)
        if not np.isfinite(self.x).all():
            raise ValueError(f"x must be finite, got {self.x[~np.isfinite(self.x)][0]}")

    def _scale(self, name: str, scale: npt.ArrayLike, low: float, high: float) -> FloatArray:
        values = np.asarray(scale, dtype=np.float64)
        bad = ~(np.isfinite(values) & (values >= low) & (values <= high))
        if bad.any():
            bound = "finite" if np.isinf(low) else f"in [{low:g}, {high:g}]"
            raise ValueError(f"{name} must be {bound}, got {values[bad].flat[0]}")
        try:
            return np.broadcast_to(values, self.leading).ravel()
        except ValueError:
            message = f"{name} of shape {values.shape} does not broadcast to the leading axes {self.leading} of x"
            raise ValueError(message) from None

    def posterior(self, log_prior: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return log p(x), shape (n,), and E[s | x], shape (n, N)."""
        n, n_sites = self.x.shape
        log_norm, mean = np.empty(n), np.empty((n, n_sites))
        block = max(1, _BLOCK >> (n_sites // 2 + 2))
        with np.errstate(over="ignore"):  # an infinite penalty is a state that cannot be
            for i in range(0, n, block):
                part = slice(i, i + block)
                x, alpha, sigma = self.x[part], self.alpha[part, None], self.sigma[part, None]
                log_sum, mean[part] = _sum_states((alpha / sigma) * (x / sigma), log_prior)
                quadratic = (((np.abs(x) - np.abs(alpha)) / sigma) ** 2).sum(axis=1) / 2
                log_norm[part] = log_sum - quadratic - n_sites * np.log(sigma[:, 0] * np.sqrt(2 * np.pi))
        return log_norm, mean


def _sum_states(tilt: FloatArray, log_prior: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the logarithm of the sum in (3) and the mean spins, for tilt = α x/σ², shape (n, N).

    The penalty is a sum over sites, so with the sites cut in two halves the sum over states is a
    bilinear form in the prior, a matrix of 2^(N/2) × 2^(N/2): two matrix products for a whole batch.
    """
    n_low = tilt.shape[1] // 2
    low, high = _penalties(tilt[:, :n_low]), _penalties(tilt[:, n_low:])
    top = log_prior.max()
    prior = np.exp(log_prior - top).reshape(high.shape[1], low.shape[1])
    low_weight, high_weight = np.exp(low), np.exp(high)
    low_share = low_weight * (high_weight @ prior)
    high_share = high_weight * (low_weight @ prior.T)
    total = low_share.sum(axis=1)
    # Where prior and noise contradict each other every term may underflow: those rows go by logarithms.
    safe = total > 1e-200
    log_total = top + np.log(np.where(safe, total, 1.0))
    rows = max(1, _BLOCK // log_prior.size)
    lost = np.flatnonzero(~safe)
    for i in range(0, lost.size, rows):
        part = lost[i : i + rows]
        log_total[part], low_share[part], high_share[part] = _sum_in_logs(low[part], high[part], log_prior)
    return log_total, np.concatenate([_mean_spins(low_share), _mean_spins(high_share)], axis=1)


def _penalties(tilt: FloatArray) -> FloatArray:
    """Return the exponent in (3) for every state of some sites, shape (n, 2^sites)."""
    exponent = np.zeros((tilt.shape[0], 1))
    for site in range(tilt.shape[1]):  # bit ``site`` of the state index: first clear (down), then set (up)
        down, up = -2 * np.maximum(tilt[:, site, None], 0), 2 * np.minimum(tilt[:, site, None], 0)
        exponent = np.concatenate([exponent + down, exponent + up], axis=1)
    return exponent


def _sum_in_logs(low: FloatArray, high: FloatArray, log_prior: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the log of the sum, and what each state of the low and of the high half contributes."""
    log_weight = high[:, :, None] + low[:, None, :] + log_prior.reshape(high.shape[1], low.shape[1])
    top = log_weight.max(axis=(1, 2))
    weight = np.exp(log_weight - top[:, None, None])
    return top + np.log(weight.sum(axis=(1, 2))), weight.sum(axis=1), weight.sum(axis=2)


def _mean_spins(share: FloatArray) -> FloatArray:
    """Return the mean spins of half the sites, given the weight of each of its states."""
    states = np.arange(share.shape[1])
    sites = np.arange(share.shape[1].bit_length() - 1)
    spins = 2.0 * (states[:, None] >> sites & 1) - 1
    mean = share @ spins / share.sum(axis=1, keepdims=True)
    return np.asarray(np.clip(mean, -1.0, 1.0))  # rounding may step past ±1
