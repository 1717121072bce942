# SPDX-License-Identifier: BSD-3-Clause
r"""Denoisers D(y; σ) = E[x₀ | y], y = x₀ + σ ε: what diffusion needs to know of a system.

The scale of the signal is 1: for x_t = α x₀ + σ ε give y = x_t/α and the noise level σ/α. With the score of y,

    ∇ log p(y; σ) = (D(y; σ) - y)/σ²                                                         (1)

Spins have a *field* φ with D = tanh φ: the probability of s_i given y is exp(φ_i s_i)/(2 cosh φ_i). Where J = 0,

    φ_i = y_i/σ² + h/T                                                                       (2)

exactly, and what a network adds to it vanishes with J/T.

References
----------
Efron (2011), doi:10.1198/jasa.2011.tm11181; Karras et al. (2022), arXiv:2206.00364, eq. (3).
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from spinodal.exact import noised
from spinodal.systems.ising import IsingModel

_PINNED = 1e8  # y/σ² of a known spin: the probability of the other is exp(-2 · 10⁸)
_MAX_MEAN = 1 - 1e-15


class Denoiser(Protocol):
    """D(y; σ) for a batch: ``y`` float64 (n_chains, …), ``sigma`` a number or (n_chains,)."""

    def __call__(self, y: Tensor, sigma: Tensor) -> Tensor:
        """Return E[x₀ | y] in the shape of ``y``."""
        ...


class SpinDenoiser(Protocol):
    """A denoiser of Ising spins ±1, which knows the field too."""

    def field(self, y: Tensor, sigma: Tensor) -> Tensor:
        """Return φ, float64 in the shape of ``y``."""
        ...

    def __call__(self, y: Tensor, sigma: Tensor) -> Tensor:
        """Return tanh φ."""
        ...


def per_chain(values: Any, like: Tensor) -> Tensor:
    """Return a number, or one a chain, so that it multiplies a batch (n_chains, …)."""
    tensor = torch.as_tensor(values, dtype=like.dtype, device=like.device)
    return tensor.reshape(-1, *(1,) * (like.ndim - 1)) if tensor.ndim else tensor


def as_known(known: Any, values: Any, shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Return the mask of known sites and their values, of one configuration's shape, checked."""
    mask, numbers = torch.as_tensor(known), torch.as_tensor(values, dtype=torch.float64)
    if mask.dtype != torch.bool or tuple(mask.shape) != shape:
        raise ValueError(f"known must be a boolean mask of shape {shape}; got {mask.dtype} of {tuple(mask.shape)}")
    if numbers.shape != mask.shape:
        raise ValueError(f"values of known sites must have the mask's shape {shape}; got {tuple(numbers.shape)}")
    if not torch.isfinite(numbers[mask]).all():
        raise ValueError("values of known sites must be finite")
    return mask, numbers


class ConditionalDenoiser(Protocol):
    """A system's denoiser at any temperature; that has ``given(known, values)`` if some sites can be known."""

    def at(self, temperature: npt.ArrayLike) -> Denoiser:
        """Return the denoiser of chains at their temperatures: one, or one a chain."""
        ...

    def describe(self) -> dict[str, Any]:
        """Return what denoises, for provenance."""
        ...


class GaussianDenoiser:
    r"""The exact denoiser of a Gaussian law N(m, C), or at another temperature N(m, T C).

    .. math:: D(y; \sigma) = m + C (C + \sigma^2)^{-1} (y - m)

    Parameters
    ----------
    mean : array, shape (*shape)
    covariance : array, shape (N, N)
        Symmetric, with eigenvalues ≥ 0; N sites in C order.
    """

    def __init__(self, mean: npt.ArrayLike, covariance: npt.ArrayLike) -> None:
        self.mean = torch.as_tensor(np.asarray(mean, dtype=np.float64))
        self.covariance = torch.as_tensor(np.asarray(covariance, dtype=np.float64))
        n = self.mean.numel()
        if tuple(self.covariance.shape) != (n, n):
            raise ValueError(f"covariance must have shape ({n}, {n}); got {tuple(self.covariance.shape)}")
        if not torch.allclose(self.covariance, self.covariance.T, rtol=1e-10):
            raise ValueError("covariance must be symmetric")
        self._variances, self._modes = torch.linalg.eigh(self.covariance)
        if self._variances.min() < -1e-10 * self._variances.max():
            raise ValueError(f"covariance has the eigenvalue {float(self._variances.min()):.3g}; all must be >= 0")

    def __call__(self, y: Tensor, sigma: Tensor) -> Tensor:
        """Return the posterior mean."""
        amplitudes = (y - self.mean).reshape(len(y), -1) @ self._modes
        noise = torch.as_tensor(sigma, dtype=y.dtype).reshape(-1, 1) ** 2
        shrunk = amplitudes * self._variances / (self._variances + noise)
        return self.mean + (shrunk @ self._modes.T).reshape(y.shape)

    def at(self, temperature: npt.ArrayLike) -> _GaussianAt:
        """Return the denoiser of N(m, T C), for one temperature or one a chain."""
        return _GaussianAt(self, torch.as_tensor(np.asarray(temperature, dtype=np.float64)))

    def describe(self) -> dict[str, Any]:
        """Return what denoises, for provenance."""
        return {"kind": "GaussianDenoiser"}

    def given(self, known: Any, values: Any) -> _PartlyKnown:
        """Return the denoiser of the law with some components known: exact."""
        mask, numbers = as_known(known, values, tuple(self.mean.shape))
        k, flat = mask.reshape(-1), self.covariance
        gain = torch.linalg.lstsq(flat[k][:, k], flat[k][:, ~k]).solution.T
        mean = self.mean[~mask] + gain @ (numbers - self.mean)[mask]
        return _PartlyKnown(GaussianDenoiser(mean, flat[~k][:, ~k] - gain @ flat[k][:, ~k]), mask, numbers)


class _GaussianAt:
    def __init__(self, law: GaussianDenoiser | _PartlyKnown, temperature: Tensor) -> None:
        self._law, self._temperature = law, temperature

    def __call__(self, y: Tensor, sigma: Tensor) -> Tensor:
        """Return the posterior mean: C and σ² scale together."""
        return self._law(y, sigma / self._temperature.sqrt())

    def given(self, known: Any, values: Any) -> _GaussianAt:
        """Return the denoiser with some components known: the conditional covariance scales with T too."""
        assert isinstance(self._law, GaussianDenoiser)
        return _GaussianAt(self._law.given(known, values), self._temperature)


class _PartlyKnown:
    """A denoiser of the free components alone, among known ones."""

    def __init__(self, free: GaussianDenoiser, known: Tensor, values: Tensor) -> None:
        self._free, self.known, self.values = free, known, values

    def __call__(self, y: Tensor, sigma: Tensor) -> Tensor:
        """Return the posterior mean; known components are what they are."""
        mean = self.values.expand(y.shape).clone()
        mean[:, ~self.known] = self._free(y[:, ~self.known], sigma)
        return mean


class ExactIsingDenoiser:
    """The exact denoiser of a small Ising lattice (N ≤ 20), by enumeration.

    Parameters
    ----------
    model : IsingModel
    """

    def __init__(self, model: IsingModel) -> None:
        self.model = model

    def at(self, temperature: npt.ArrayLike) -> _ExactAt:
        """Return the denoiser of chains at their temperatures: one, or one a chain."""
        return _ExactAt(self.model, np.atleast_1d(np.asarray(temperature, dtype=np.float64)))

    def describe(self) -> dict[str, Any]:
        """Return what denoises, for provenance."""
        return {"kind": "ExactIsingDenoiser"}


class _ExactAt:
    def __init__(self, model: IsingModel, temperature: npt.NDArray[np.float64], known: Any = None) -> None:
        self._model, self._temperature, self._known = model, temperature, known

    def __call__(self, y: Tensor, sigma: Tensor) -> Tensor:
        """Return E[s | y]."""
        level = np.broadcast_to(np.asarray(sigma, dtype=np.float64), (len(y),))
        x = y.detach().cpu().numpy().astype(np.float64)
        if self._known is not None:
            mask, spins = self._known
            x = np.where(mask, spins * (_PINNED * level**2).reshape(-1, *(1,) * (x.ndim - 1)), x)
        temperature = np.broadcast_to(self._temperature, (len(y),))
        mean, model = np.empty_like(x), self._model
        for t in np.unique(temperature):
            some = temperature == t
            mean[some] = noised.denoiser(x[some], 1.0, level[some], model.shape, float(t), model.J, model.h)
        return torch.from_numpy(mean).to(y.device)

    def field(self, y: Tensor, sigma: Tensor) -> Tensor:
        """Return artanh E[s | y]."""
        return torch.atanh(self(y, sigma).clamp(-_MAX_MEAN, _MAX_MEAN))

    def given(self, known: Any, values: Any) -> _ExactAt:
        """Return the denoiser with some spins known: exact, as a spin seen without noise."""
        mask, spins = known_spins(known, values, self._model.shape)
        return _ExactAt(self._model, self._temperature, (mask.numpy(), spins.numpy()))


def known_spins(known: Any, values: Any, shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Return the mask of known spins and their values, checked to be ±1."""
    mask, spins = as_known(known, values, shape)
    if not (spins[mask].abs() == 1).all():
        raise ValueError(f"known spins must be -1 or +1; one is {float(spins[mask][spins[mask].abs() != 1][0]):g}")
    return mask, spins
