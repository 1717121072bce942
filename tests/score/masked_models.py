# SPDX-License-Identifier: BSD-3-Clause
"""Small masked models with weights that mean nothing, and the states of the 4 × 4 lattice."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import torch

import spinodal as sp
from spinodal.score.masked import MaskedConfig, MaskedIsing

TINY = MaskedConfig(channels=8, n_blocks=1, n_strides=2, base_hidden=12)


def random_model(scale: float = 1.0, *, config: MaskedConfig = TINY, seed: int = 0) -> MaskedIsing:
    """A model whose outputs are far from zero and from right: what is exact must be exact for it too."""
    model = MaskedIsing(config, seed=seed).eval()
    rng = np.random.default_rng(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            noise = scale * 0.3 * rng.standard_normal(parameter.shape) / max(1, parameter.shape[-1]) ** 0.5
            parameter.add_(torch.from_numpy(noise).float())
    return model


@functools.cache
def states_4x4() -> tuple[np.ndarray, np.ndarray]:
    """All states of the 4 × 4 lattice, int8 (65536, 4, 4), and E/J of each."""
    numbers = np.arange(1 << 16)
    spins = (2 * ((numbers[:, None] >> np.arange(16)) & 1) - 1).astype(np.int8).reshape(-1, 4, 4)
    return spins, sp.IsingModel(4).energy(spins)


def state_numbers(spins: np.ndarray) -> np.ndarray:
    """Where configurations (n, 4, 4) stand in :func:`states_4x4`."""
    return (spins.reshape(len(spins), 16) > 0) @ (1 << np.arange(16))


def couplings(*values: float) -> Any:
    """K or H as the model takes them."""
    return torch.tensor(values, dtype=torch.float64)
