# SPDX-License-Identifier: BSD-3-Clause
r"""Gaussian diffusion of spins by whole paths, and what they weigh.

A draw comes with its path x_K → … → x_1 → s. The reverse kernel is a mixture of two Gaussians a site,

    p(x_k | x_k+1) = Π_i Σ_(r = ±1) P_i(r | x_k+1) N(x_k,i; a x_k+1,i + b r, β)              (1)

with a, b, β of the bridge q(x_k | x_k+1, s), eq. (1) of `steppers`; the last step draws s_i from P_i(s_i | x_1), and
x_K begins with free spins, P_i(r) ∝ exp(h r/T). With ξ_k = x_k - a x_k+1,

    log q(x_1 … x_K | s)/p(x_1 … x_K, s) = -Σ_i { log P_i(s_i | x_1) + Σ_k ℓ_i,k },
    ℓ_i,k = log [P_i(s_i | x_k+1) + P_i(-s_i | x_k+1) e^(-2 b s_i ξ_i,k/β)]                   (2)

where k = K, the start, has α and σ² in the place of b and β, and ξ = x_K.

References
----------
Sohl-Dickstein et al. (2015), arXiv:1503.03585, section 2.3.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional

from spinodal.score.denoisers import SpinDenoiser, per_chain
from spinodal.score.noise import ChainNoise
from spinodal.score.schedules import Schedule
from spinodal.score.steppers import Bridge


class SpinPaths:
    """Paths of a batch of chains, between spins and the noise at the first of some times.

    A path is a list of x, noisiest first, float64 (n_chains, *shape) each.

    Parameters
    ----------
    schedule : Schedule
    denoiser : SpinDenoiser
    times : tensor
        Decreasing.
    known : tensor of bool, shape (*shape), optional
        Sites that keep their spins: their path is that of q, and weighs nothing.
    """

    def __init__(self, schedule: Schedule, denoiser: SpinDenoiser, times: Tensor, known: Tensor | None = None) -> None:
        self.schedule, self.denoiser, self.times, self.known = schedule, denoiser, times, known

    def start(self, field: Tensor, noise: ChainNoise) -> tuple[Tensor, Tensor]:
        """Return x_K of free spins with P(r) ∝ exp(φ r), and these spins."""
        spins = draw_spins(field, noise)
        alpha, sigma = (per_chain(f(self.times[0]), spins) for f in (self.schedule.alpha, self.schedule.sigma))
        return alpha * spins + sigma * noise(), spins

    def noised(self, spins: Tensor, noise: ChainNoise) -> list[Tensor]:
        """Return a path from q(x_1 … x_K | spins)."""
        alpha, sigma = (per_chain(f(self.times[0]), spins) for f in (self.schedule.alpha, self.schedule.sigma))
        path = [alpha * spins + sigma * noise()]
        for t, s in pairwise(self.times):
            bridge = Bridge(self.schedule, t, s, spins)
            path.append(bridge.a * path[-1] + bridge.b * spins + bridge.beta.sqrt() * noise())
        return path

    def denoised(
        self, x: Tensor, noise: ChainNoise, kept: Tensor | None = None, first: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Draw a path down from x by (1).

        Parameters
        ----------
        x : tensor
            At the first time.
        noise : ChainNoise
        kept : tensor, optional
            Spins, of which those of known sites are kept.
        first : tensor, optional
            The field at x, if it is known already.

        Returns
        -------
        spins : tensor
        log_ratio : tensor, shape (n_chains,)
            (2) of the path, without its start.
        """
        path, fields = [x], [self.field(x, self.times[0]) if first is None else first]
        for t, s in pairwise(self.times):
            bridge = Bridge(self.schedule, t, s, x)
            drawn = self._with_kept(draw_spins(fields[-1], noise), kept)
            path.append(bridge.a * path[-1] + bridge.b * drawn + bridge.beta.sqrt() * noise())
            fields.append(self.field(path[-1], s))
        spins = self._with_kept(draw_spins(fields[-1], noise), kept)
        return spins, self._log_ratio(path, spins, fields)

    def log_ratio(self, path: list[Tensor], spins: Tensor, first: Tensor | None = None) -> Tensor:
        """Return (2) of a path, without its start, shape (n_chains,); ``first`` is the field at its first x."""
        fields = [self.field(x, t) for x, t in zip(path[1:], self.times[1:], strict=True)]
        return self._log_ratio(path, spins, [self.field(path[0], self.times[0]) if first is None else first, *fields])

    def log_start_ratio(self, x: Tensor, spins: Tensor, field: Tensor) -> Tensor:
        """Return the start's part of (2), log q(x_K | spins)/p(x_K), shape (n_chains,)."""
        alpha, sigma = (per_chain(f(self.times[0]), x) for f in (self.schedule.alpha, self.schedule.sigma))
        return -self._sum(log_mixture(spins * field, alpha / sigma**2 * spins * x))

    def field(self, x_t: Tensor, t: Tensor) -> Tensor:
        """Return φ at each site: P(s | x_t) = exp(φ s)/(2 cosh φ)."""
        return self.denoiser.field(x_t / per_chain(self.schedule.alpha(t), x_t), self.schedule.noise_level(t))

    def _log_ratio(self, path: list[Tensor], spins: Tensor, fields: list[Tensor]) -> Tensor:
        total = -self._sum(functional.logsigmoid(2 * spins * fields[-1]))
        for k, (t, s) in enumerate(pairwise(self.times)):
            bridge = Bridge(self.schedule, t, s, spins)
            step = path[k + 1] - bridge.a * path[k]
            total = total - self._sum(log_mixture(spins * fields[k], bridge.b / bridge.beta * spins * step))
        return total

    def _sum(self, terms: Tensor) -> Tensor:
        if self.known is not None:
            terms = torch.where(self.known, 0.0, terms)
        return terms.flatten(1).sum(1)

    def _with_kept(self, drawn: Tensor, kept: Tensor | None) -> Tensor:
        return drawn if self.known is None or kept is None else torch.where(self.known, kept, drawn)


def draw_spins(field: Tensor, noise: ChainNoise) -> Tensor:
    """Return spins ±1 with P(s) = exp(φ s)/(2 cosh φ)."""
    return torch.where(noise.uniform() < torch.sigmoid(2 * field), 1.0, -1.0).to(field.dtype)


def log_mixture(field: Tensor, step: Tensor) -> Tensor:
    """Return log [P(s) + P(-s) exp(-2 step)], P(±s) = exp(±φ)/(2 cosh φ), with φ and the step counted along s."""
    return torch.logaddexp(functional.logsigmoid(2 * field), functional.logsigmoid(-2 * field) - 2 * step)
