# SPDX-License-Identifier: BSD-3-Clause
"""Networks that are odd in the spins: flipping all of them flips every logit, exactly.

An odd stream without biases is multiplied by gates that are even, because they see absolute values and the conditions
alone:

    u = W₃ₓ₃ h,    g = σ(W_g |u| ⊙ (1 + a(c)) + b(c)),    h ← h + W_o (u ⊙ g)

with c the conditions (temperature, stride, size, pass). Convolutions are circular. Arrays are (n, m, m, channels):
the layout in which convolutions are fast.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

CRITICAL_K = math.log(1 + math.sqrt(2)) / 2
N_CONDITIONS = 8


def conditions(coupling: Any, stride: int, length: int) -> Any:
    """Return what the networks are told of the system, shape (n, 8).

    With t = K/K_c − 1 and K = J/T: t itself, the stride in correlation lengths, ξ ≈ 1/(2|t|), the lattice in them, and
    corrections for small blocks and small strides. At large strides they depend on t·stride alone, as scaling has it.

    Parameters
    ----------
    coupling : tensor, shape (n,)
        K = J/T.
    """
    t = coupling / CRITICAL_K - 1.0
    blocks, one = 4.0 * stride / length, torch.ones_like(t)
    columns = [
        3 * t, torch.tanh(t * stride), torch.tanh(4 * t * stride), blocks * one, blocks**2 * one,
        blocks * torch.tanh(t * length / 4), one / stride, 3 * t / stride,
    ]  # fmt: skip
    return torch.stack(columns, dim=-1)


def wrapped(x: Any) -> Any:
    """Return x (n, m, m, c) with one more row and column on each side, periodic."""
    x = torch.cat([x[:, -1:], x, x[:, :1]], dim=1)
    return torch.cat([x[:, :, -1:], x, x[:, :, :1]], dim=2)


class CircularConvolution(nn.Module):
    """A 3 × 3 convolution on a torus, without bias."""

    def __init__(self, n_inputs: int, n_outputs: int) -> None:
        super().__init__()
        weight = torch.randn(n_outputs, n_inputs, 3, 3) / math.sqrt(9 * n_inputs)
        self.weight = nn.Parameter(weight.to(memory_format=torch.channels_last))

    def forward(self, x: Any) -> Any:
        """Map (n, m, m, inputs) to (n, m, m, outputs)."""
        if x.shape[1] == 1:  # all nine neighbours are the site itself
            return F.linear(x, self.weight.sum((2, 3)))
        return F.conv2d(wrapped(x).permute(0, 3, 1, 2), self.weight).permute(0, 2, 3, 1)


class GatedBlock(nn.Module):
    """A residual block of the equations above; ``film`` is (a, b), each of shape (n or 1, 1, 1, channels)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.convolution = CircularConvolution(channels, channels)
        self.gate = nn.Linear(channels, channels, bias=False)
        self.output = nn.Linear(channels, channels, bias=False)

    def forward(self, h: Any, film: tuple[Any, Any]) -> Any:
        """Return the stream after the block."""
        u = self.convolution(h)
        scale, shift = film
        gate = torch.sigmoid(torch.addcmul(shift, self.gate(u.abs()), 1 + scale))
        return h + self.output(u * gate)


class LevelNetwork(nn.Module):
    """Logits of the sites that the passes of one kind of a level reveal.

    Parameters
    ----------
    n_passes, channels, n_blocks : int
    """

    def __init__(self, n_passes: int, channels: int, n_blocks: int) -> None:
        super().__init__()
        self.channels, self.n_passes = channels, n_passes
        self.inputs = nn.ModuleList(CircularConvolution(16, channels) for _ in range(n_passes))
        self.blocks = nn.ModuleList(GatedBlock(channels) for _ in range(n_blocks))
        self.outputs = nn.ParameterList(torch.zeros(channels) for _ in range(n_passes))
        self.film = nn.Sequential(
            nn.Linear(N_CONDITIONS + n_passes, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(),
            nn.Linear(64, 2 * n_blocks * channels),
        )  # fmt: skip

    def forward(self, windows: Any, given: Any, number: int) -> Any:
        """Return logits / K of one pass, shape (n, m, m).

        Parameters
        ----------
        windows : tensor, shape (n, m, m, 16)
            Spins, 0 where not revealed.
        given : tensor, shape (n or 1, 8)
            `conditions`.
        number : int
            Which pass.
        """
        which = F.one_hot(torch.tensor(number), self.n_passes).to(given).expand(len(given), -1)
        film = self.film(torch.cat([given, which], dim=-1)).unflatten(-1, (len(self.blocks), 2, 1, 1, self.channels))
        h = self.inputs[number](windows)
        for index, block in enumerate(self.blocks):
            h = block(h, (film[:, index, 0], film[:, index, 1]))
        return h @ self.outputs[number]


class BaseNetwork(nn.Module):
    """Logits of the coarsest sites one after the other, relative to the first: a masked autoregressive network.

    Germain, Gregor, Murray, Larochelle, Proc. ICML (2015), arXiv:1502.03509.
    """

    def __init__(self, n_sites: int, hidden: int) -> None:
        super().__init__()
        degrees = np.arange(hidden) % (n_sites - 1)  # a unit of degree d sees sites 0 … d
        sites = np.arange(n_sites)
        self.first, self.second = nn.Linear(n_sites, hidden), nn.Linear(hidden, hidden)
        self.last = nn.Linear(hidden, n_sites)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)
        self.film = nn.Sequential(nn.Linear(N_CONDITIONS, 64), nn.SiLU(), nn.Linear(64, 4 * hidden + n_sites))
        nn.init.zeros_(self.film[-1].weight[-n_sites:])
        nn.init.zeros_(self.film[-1].bias[-n_sites:])
        masks = (degrees[:, None] >= sites, degrees[:, None] >= degrees, sites[:, None] > degrees)
        for name, mask in zip(("first_mask", "second_mask", "last_mask"), masks, strict=True):
            self.register_buffer(name, torch.from_numpy(mask.astype(np.float32)), persistent=False)

    def forward(self, spins: Any, given: Any) -> Any:
        """Return logits / K of every site given those before, shape (n, n_sites); the first one's is 0.

        Parameters
        ----------
        spins : tensor, shape (n, n_sites)
            Sites not drawn yet may hold anything.
        given : tensor, shape (n or 1, 8)
        """
        first = spins[:, :1]
        film, extra = self.film(given).tensor_split([4 * self.first.out_features], dim=-1)
        a, b, c, d = film.chunk(4, dim=-1)
        h = F.silu(F.linear(spins * first, self.first.weight * self.first_mask, self.first.bias) * (1 + a) + b)
        h = h + F.silu(F.linear(h, self.second.weight * self.second_mask, self.second.bias) * (1 + c) + d)
        logits = F.linear(h, self.last.weight * self.last_mask, self.last.bias) + extra
        return torch.cat([torch.zeros_like(first), (logits * first)[:, 1:]], dim=-1)
