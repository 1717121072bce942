# SPDX-License-Identifier: BSD-3-Clause
r"""Trained networks as denoisers.

Spins: the probability of a spin given y = s + σ ε is exp(φ s)/(2 cosh φ), with

    φ = y/σ² + h/T + (J/T) c(σ) net(features; log σ, J/T, h/T),      c = (1 + σ²/N)^-1/2         (1)

so that sites without a coupling, and infinite temperature, are exact with any weights. c is the size of what there is
to learn: beyond σ² = N the order of the whole lattice is under the noise.

Real fields: EDM's preconditioning, with σ_d² the data's variance,

    D = c_skip y + c_out net(c_in y; log σ),                                                       (2)
    c_skip = σ_d²/(σ² + σ_d²),   c_out² = σ² c_skip,   c_in² = 1/(σ² + σ_d²)

References
----------
Karras et al. (2022), arXiv:2206.00364, table 1, for (2).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from spinodal.score.denoisers import known_spins, per_chain
from spinodal.systems.ising import IsingModel


class IsingDenoiser:
    """A network as the denoiser of an Ising model, at any temperature.

    Parameters
    ----------
    network : torch.nn.Module
        Called as ``network(features, log_sigma, J/T, h/T)``. Its ``in_channels`` say which features it sees:
        1: y/√(1 + σ²); 2: tanh(y/σ² + h/T) too, the mean of a free spin; 3: and the known spins, 0 elsewhere.
    model : IsingModel
    """

    def __init__(self, network: Any, model: IsingModel) -> None:
        if network.in_channels not in (1, 2, 3):
            raise ValueError(f"a network of spins has 1, 2 or 3 channels in; got {network.in_channels}")
        if network.out_channels != 1:
            raise ValueError(f"a network of spins has one channel out: out_channels=1; got {network.out_channels}")
        self.network, self.model = network, model

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self.network.parameters()).device

    def at(self, temperature: npt.ArrayLike) -> IsingDenoiserAt:
        """Return the denoiser of chains at their temperatures: one, or one a chain."""
        beta = 1 / torch.as_tensor(np.asarray(temperature, dtype=np.float64))
        return IsingDenoiserAt(self.network, self.model.J * beta, self.model.h * beta)

    def describe(self) -> dict[str, Any]:
        """Return what denoises, for provenance: the architecture, and a digest of the weights."""
        from spinodal.score.tensor_files import digest

        weights = {name: tensor.detach().cpu() for name, tensor in self.network.state_dict().items()}
        return {**self.network.architecture(), "weights": digest(weights)[:16]}


class IsingDenoiserAt:
    """The denoiser (1) of chains with their J/T and h/T, numbers or one a chain."""

    def __init__(
        self, network: Any, coupling: Tensor, field: Tensor, known: tuple[Tensor, Tensor] | None = None
    ) -> None:
        self._network, self._coupling, self._field, self._known = network, coupling, field, known

    def __call__(self, y: Tensor, sigma: Tensor) -> Tensor:
        """Return E[s | y]."""
        mean = torch.tanh(self.field(y, sigma))
        return mean if self._known is None else torch.where(self._known[0], self._known[1], mean)

    def field(self, y: Tensor, sigma: Tensor) -> Tensor:
        """Return φ of (1), in the type of y; the network computes in its own."""
        sigma = torch.as_tensor(sigma, dtype=y.dtype, device=y.device)
        coupling, field = self._coupling.to(y), self._field.to(y)
        free = y / per_chain(sigma, y) ** 2 + per_chain(field, y)
        size = per_chain(coupling / (1 + sigma**2 / math.prod(y.shape[1:])).sqrt(), y)
        answer = self._answer(y, sigma, free, coupling, field)
        return free + size * answer.to(y.dtype)

    def _answer(self, y: Tensor, sigma: Tensor, free: Tensor, coupling: Tensor, field: Tensor) -> Tensor:
        features = [y / per_chain((1 + sigma**2).sqrt(), y), torch.tanh(free)]
        known = torch.zeros_like(y) if self._known is None else torch.where(*self._known, 0.0).expand_as(y)
        weight = next(self._network.parameters())
        seen = torch.stack([*features, known][: self._network.in_channels], 1).to(weight.dtype)
        return self._network(seen.contiguous(memory_format=_layout(y)), sigma.log(), coupling, field).squeeze(1)

    def given(self, known: Any, values: Any) -> IsingDenoiserAt:
        """Return the denoiser with some spins known, as well as the network has learned to use them.

        Raises
        ------
        TypeError
            If the network has no channel for them.
        """
        if self._network.in_channels < 3:
            raise TypeError(
                f"this network has {self._network.in_channels} channels in: only one with 3, trained with "
                "known_fraction > 0, can be told spins; PartialPathMetropolis keeps spins fixed with any network"
            )
        return self.given_each(*known_spins(known, values, tuple(np.shape(known))))

    def given_each(self, known: Tensor, values: Tensor) -> IsingDenoiserAt:
        """Return the same for known spins of each chain, unchecked: tensors (n_chains, *shape), or (*shape)."""
        device = next(self._network.parameters()).device
        return IsingDenoiserAt(self._network, self._coupling, self._field, (known.to(device), values.to(device)))


def _layout(y: Tensor) -> Any:
    """Channels last, where torch has it: convolutions on CPUs run several times as fast."""
    return torch.channels_last if y.ndim == 3 else torch.channels_last_3d


class FieldDenoiser:
    """A network as the denoiser of real fields, by the preconditioning (2); the temperature is one of its conditions.

    Parameters
    ----------
    network : torch.nn.Module
        Called as ``network(c_in y, log_sigma, 1/T, 0)``, in the shape (batch, 1, …).
    data_variance : float
        σ_d² at T = 1, > 0.
    """

    def __init__(self, network: Any, data_variance: float = 1.0) -> None:
        if not (math.isfinite(data_variance) and data_variance > 0):
            raise ValueError(f"data_variance must be finite and > 0; got {data_variance}")
        self.network, self.data_variance = network, float(data_variance)

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self.network.parameters()).device

    def at(self, temperature: npt.ArrayLike) -> FieldDenoiserAt:
        """Return the denoiser of chains at their temperatures: one, or one a chain."""
        beta = 1 / torch.as_tensor(np.asarray(temperature, dtype=np.float64))
        return FieldDenoiserAt(self.network, self.data_variance, beta)

    def describe(self) -> dict[str, Any]:
        """Return what denoises, for provenance: the architecture, and a digest of the weights."""
        from spinodal.score.tensor_files import digest

        weights = {name: tensor.detach().cpu() for name, tensor in self.network.state_dict().items()}
        return {**self.network.architecture(), "data_variance": self.data_variance, "weights": digest(weights)[:16]}


class FieldDenoiserAt:
    """The denoiser (2) of chains with their 1/T, a number or one a chain."""

    def __init__(self, network: Any, data_variance: float, beta: Tensor) -> None:
        self._network, self.data_variance, self._beta = network, data_variance, beta

    def __call__(self, y: Tensor, sigma: Tensor) -> Tensor:
        """Return E[x₀ | y]."""
        sigma = torch.as_tensor(sigma, dtype=y.dtype, device=y.device)
        variance = per_chain(sigma, y) ** 2
        keep = self.data_variance / (variance + self.data_variance)
        weight = next(self._network.parameters())
        seen = (y * (keep / self.data_variance).sqrt()).unsqueeze(1).to(weight.dtype)
        answer = self._network(seen, sigma.log(), self._beta.to(y), None).squeeze(1).to(y.dtype)
        return keep * y + (variance * keep).sqrt() * answer
