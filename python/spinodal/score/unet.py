# SPDX-License-Identifier: BSD-3-Clause
"""A U-Net for fields on periodic lattices, told the noise level, the coupling and the field.

What a lattice asks of it:

- circular convolutions everywhere, never a zero beyond the edge;
- down-sampling by strided convolutions over blocks of 2 × 2 and up-sampling by their transposes, so that the output
  moves with the input, by multiples of the stride;
- self-attention between all cells of the coarsest grid, without positions: order is global below Tc;
- FiLM (a scale and a shift of every channel) from the conditions, in every block;
- no normalisation: it would erase the magnetisation's amplitude;
- a last convolution that begins at zero: the untrained network adds nothing to what is known exactly.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

_CONVOLUTIONS = {2: nn.Conv2d, 3: nn.Conv3d}
_TRANSPOSED = {2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}


class ScoreNetwork(nn.Module):
    """U-Net with circular convolutions, attention at the coarsest level, and FiLM.

    Parameters
    ----------
    in_channels : int
        Channels of x.
    base_channels : int
        Width of the finest level; twice as many at each coarser one.
    time_embed_dim : int
        Sines and cosines of each condition; even.
    num_blocks : int
        Residual blocks a level, on the way down and again on the way up.
    n_levels : int
        Grids, each half as fine as the one before: lengths must be divisible by ``stride`` = 2^(n_levels - 1).
    out_channels : int, optional
        By default as many as x has.
    dim : {2, 3}
        Axes of the lattice.
    n_heads : int
        Of the attention.
    seed : int
        Of the initial weights: the global generator is not touched.

    References
    ----------
    Ronneberger, Fischer and Brox (2015), arXiv:1505.04597; Perez et al. (2018), arXiv:1709.07871 (FiLM).
    """

    def __init__(
        self,
        in_channels: int = 1,
        base_channels: int = 32,
        time_embed_dim: int = 32,
        num_blocks: int = 1,
        *,
        n_levels: int = 2,
        out_channels: int | None = None,
        dim: int = 2,
        n_heads: int = 4,
        seed: int = 0,
    ) -> None:
        super().__init__()
        _check(in_channels, base_channels, time_embed_dim, num_blocks, n_levels, dim, n_heads)
        self.in_channels, self.dim, self.n_levels = in_channels, dim, n_levels
        self.out_channels = in_channels if out_channels is None else out_channels
        self._arguments = {
            "in_channels": in_channels, "base_channels": base_channels, "time_embed_dim": time_embed_dim,
            "num_blocks": num_blocks, "n_levels": n_levels, "out_channels": self.out_channels, "dim": dim,
            "n_heads": n_heads,
        }  # fmt: skip
        widths = [base_channels << level for level in range(n_levels)]
        with torch.device("meta"):  # weights come from our generator, below, not from the global one
            self._build(widths, time_embed_dim, num_blocks, n_heads)
        self.to_empty(device="cpu")
        self._initialise(torch.Generator().manual_seed(seed))

    def _build(self, widths: list[int], time_embed_dim: int, num_blocks: int, n_heads: int) -> None:
        dim, n_conditions = self.dim, 4 * time_embed_dim
        self.embedding = _Conditions(time_embed_dim, n_conditions)
        self.first = _Circular(self.in_channels, widths[0], dim)
        self.down_blocks, self.down, self.up, self.up_blocks = (nn.ModuleList() for _ in range(4))
        for fine, coarse in zip(widths, [*widths[1:], None], strict=True):
            self.down_blocks.append(_blocks(num_blocks, fine, n_conditions, dim))
            if coarse is not None:
                self.down.append(_CONVOLUTIONS[dim](fine, coarse, 2, stride=2))
                self.up.append(_TRANSPOSED[dim](coarse, fine, 2, stride=2))
                self.up_blocks.append(_blocks(num_blocks, fine, n_conditions, dim))
        self.attention = _Attention(widths[-1], n_heads)
        self.middle = _blocks(1, widths[-1], n_conditions, dim)
        self.last = _Circular(widths[0], self.out_channels, dim)

    def _initialise(self, generator: torch.Generator) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Conv2d | nn.Conv3d | nn.ConvTranspose2d | nn.ConvTranspose3d):
                nn.init.kaiming_uniform_(module.weight, a=math.sqrt(5), generator=generator)
                nn.init.zeros_(module.bias)
        for module in self.modules():
            if isinstance(module, _Block | _Attention):
                nn.init.zeros_(module.last_layer.weight)
        nn.init.zeros_(self.last.convolution.weight)

    @property
    def stride(self) -> int:
        """What every length must be divisible by."""
        return 1 << (self.n_levels - 1)

    def architecture(self) -> dict[str, Any]:
        """Return kind and arguments, to build it again."""
        return {"kind": "ScoreNetwork", **self._arguments}

    def forward(self, x: Tensor, t: Tensor, coupling: Tensor | None = None, field: Tensor | None = None) -> Tensor:
        """Return the network's answer in the shape of x (with ``out_channels``).

        Parameters
        ----------
        x : tensor, shape (batch, in_channels, *lattice)
        t : tensor, shape (batch,) or ()
            The noise: denoisers give log(σ/α).
        coupling, field : tensor, shape (batch,) or (), optional
            J/T and h/T; 0 by default.

        Raises
        ------
        ValueError
            If x has another number of axes or channels, or a length the stride does not divide.
        """
        self._check_input(x)
        zero = torch.zeros((), dtype=x.dtype, device=x.device)
        given = [zero if c is None else torch.as_tensor(c, dtype=x.dtype, device=x.device) for c in (coupling, field)]
        conditions = self.embedding(*(c.expand(len(x)) for c in (torch.as_tensor(t).to(x), *given)))
        h, skips = self.first(x), []
        for level in range(self.n_levels - 1):
            h = self._through(self.down_blocks[level], h, conditions)
            skips.append(h)
            h = self.down[level](h)
        h = self._through(self.down_blocks[-1], h, conditions)
        h = self._through(self.middle, self.attention(h), conditions)
        for level in reversed(range(self.n_levels - 1)):
            h = self._through(self.up_blocks[level], skips[level] + self.up[level](h), conditions)
        return self.last(functional.silu(h))

    @staticmethod
    def _through(blocks: Any, h: Tensor, conditions: Tensor) -> Tensor:
        for block in blocks:
            h = block(h, conditions)
        return h

    def _check_input(self, x: Tensor) -> None:
        if x.ndim != self.dim + 2 or x.shape[1] != self.in_channels:
            lattice = "(batch, channels, " + ", ".join("zyx"[-self.dim :]) + ")"
            raise ValueError(f"x must have shape {lattice} with {self.in_channels} channels; got {tuple(x.shape)}")
        wrong = [n for n in x.shape[2:] if n % self.stride]
        if wrong:
            raise ValueError(f"every length must be divisible by {self.stride}, this network's stride; got {wrong[0]}")


class _Circular(nn.Module):
    """A 3 × 3 convolution on the torus."""

    def __init__(self, n_in: int, n_out: int, dim: int) -> None:
        super().__init__()
        self.convolution = _CONVOLUTIONS[dim](n_in, n_out, 3)
        self.edges = [1, 1] * dim

    def forward(self, x: Tensor) -> Tensor:
        return self.convolution(functional.pad(x, self.edges, mode="circular"))


class _Block(nn.Module):
    """x + conv(FiLM(conv(silu x)))."""

    def __init__(self, n: int, n_conditions: int, dim: int) -> None:
        super().__init__()
        self.one, self.two = _Circular(n, n, dim), _Circular(n, n, dim)
        self.film = nn.Linear(n_conditions, 2 * n)

    @property
    def last_layer(self) -> nn.Module:
        return self.two.convolution

    def forward(self, x: Tensor, conditions: Tensor) -> Tensor:
        scale, shift = self.film(conditions).reshape(len(x), 2, -1, *(1,) * (x.ndim - 2)).unbind(1)
        h = self.one(functional.silu(x)) * (1 + scale) + shift
        return x + self.two(functional.silu(h))


def _blocks(count: int, n: int, n_conditions: int, dim: int) -> nn.ModuleList:
    return nn.ModuleList(_Block(n, n_conditions, dim) for _ in range(count))


class _Attention(nn.Module):
    """x + the attention of every cell to all cells, without positions: it moves with the lattice."""

    def __init__(self, n: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.queries_keys_values = nn.Linear(n, 3 * n)
        self.last_layer = nn.Linear(n, n)

    def forward(self, x: Tensor) -> Tensor:
        cells = x.flatten(2).transpose(1, 2)
        batch, n_cells, n = cells.shape
        heads = self.queries_keys_values(cells).reshape(batch, n_cells, 3, self.n_heads, n // self.n_heads)
        query, key, value = heads.permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(query, key, value)
        answer = self.last_layer(mixed.transpose(1, 2).reshape(batch, n_cells, n))
        return x + answer.transpose(1, 2).reshape(x.shape)


class _Conditions(nn.Module):
    """Sines and cosines of noise, coupling and field, through two layers."""

    def __init__(self, n_waves: int, n_out: int) -> None:
        super().__init__()
        self.n_waves = n_waves
        self.one, self.two = nn.Linear(3 * n_waves, n_out), nn.Linear(n_out, n_out)

    def forward(self, *conditions: Tensor) -> Tensor:
        like = conditions[0]
        half = self.n_waves // 2
        frequencies = 0.2 * 40 ** (torch.arange(half, dtype=like.dtype, device=like.device) / max(half - 1, 1))
        angles = torch.stack(conditions, 1)[:, :, None] * frequencies
        waves = torch.cat([angles.sin(), angles.cos()], 2).flatten(1)
        return functional.silu(self.two(functional.silu(self.one(waves))))


def _check(in_channels: int, base: int, embed: int, blocks: int, levels: int, dim: int, heads: int) -> None:
    counts = {"in_channels": in_channels, "base_channels": base, "num_blocks": blocks, "n_levels": levels}
    for name, count in counts.items():
        if count < 1:
            raise ValueError(f"{name} must be >= 1; got {count}")
    if embed < 2 or embed % 2:
        raise ValueError(f"time_embed_dim must be even and >= 2; got {embed}")
    if dim not in _CONVOLUTIONS:
        raise ValueError(f"dim must be 2 or 3; got {dim}")
    if (base << (levels - 1)) % heads:
        raise ValueError(f"n_heads={heads} must divide the {base << (levels - 1)} channels of the coarsest level")
