# SPDX-License-Identifier: BSD-3-Clause
"""Gaussian noise that belongs to a chain: a function of seed, chain, step and its number within the step."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from spinodal import kernels
from spinodal.kernels.arguments import MAX_STEP
from spinodal.samplers.protocol import Key

_PER_STEP = 4096
MAX_SAMPLER_STEP = MAX_STEP // _PER_STEP


class ChainNoise:
    """Standard normal numbers of some chains, one batch a call.

    Cutting a run into groups of chains or calls leaves each chain its numbers. They come from the compiled counter
    streams, on the CPU, whatever the device of the network.

    Parameters
    ----------
    key : Key
        0 ≤ step < 2²⁸.
    shape : sequence of int
        (n_chains, …) of each batch.
    device : torch.device or str
        Where the batches are put.
    """

    def __init__(self, key: Key, shape: Sequence[int], device: torch.device | str = "cpu") -> None:
        if key.step >= MAX_SAMPLER_STEP:
            raise ValueError(f"step must be < {MAX_SAMPLER_STEP} for a neural sampler; got {key.step}")
        self._key, self.shape, self.device = key, tuple(shape), device
        self._n_drawn = 0

    def __call__(self) -> torch.Tensor:
        """Return the next batch, float64 of the shape."""
        if self._n_drawn == _PER_STEP:
            raise RuntimeError(f"one draw takes at most {_PER_STEP} batches of noise: use fewer steps")
        n_chains, n_numbers = self.shape[0], math.prod(self.shape[1:])
        pairs = (n_chains, -(-n_numbers // 2), 2)
        numbers = kernels.maxwell_velocities(
            pairs, 1.0, seed=self._key.seed, step=self._key.step * _PER_STEP + self._n_drawn,
            first_chain=self._key.first_chain, n_threads=1,
        )  # fmt: skip
        self._n_drawn += 1
        flat = torch.from_numpy(numbers).reshape(n_chains, -1)[:, :n_numbers]
        return flat.reshape(self.shape).to(self.device)

    def uniform(self) -> torch.Tensor:
        """Return the next batch of numbers uniform in (0, 1)."""
        return torch.special.ndtr(self())
