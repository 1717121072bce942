# SPDX-License-Identifier: BSD-3-Clause
"""How weights move: the optimiser's recipe, and the running average that is kept of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import torch


@dataclass(frozen=True)
class Recipe:
    """Steps and learning rates.

    Parameters
    ----------
    n_steps : int
    learning_rate : float
        After the warm-up.
    optimizer : {"adam", "adamw"}
    weight_decay : float
    betas : (float, float)
    warmup : int
        Steps in which the rate rises linearly.
    decay : {"cosine", "linear", "none"}
        How it falls to ``final`` of itself at the last step.
    final : float
    clip : float
        Largest norm of the gradient.
    average : float
        Decay of the exponential moving average of the weights; 0 is none.
    """

    n_steps: int = 5000
    learning_rate: float = 2e-3
    optimizer: Literal["adam", "adamw"] = "adam"
    weight_decay: float = 0.0
    betas: tuple[float, float] = (0.9, 0.99)
    warmup: int = 100
    decay: Literal["cosine", "linear", "none"] = "cosine"
    final: float = 0.0
    clip: float = 1.0
    average: float = 0.998

    def __post_init__(self) -> None:
        if self.n_steps < 1 or self.warmup < 0:
            raise ValueError(f"n_steps must be >= 1 and warmup >= 0; got {self.n_steps} and {self.warmup}")
        for name in ("learning_rate", "clip"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"{name} must be finite and > 0; got {value}")
        if self.optimizer not in ("adam", "adamw"):
            raise ValueError(f"optimizer={self.optimizer!r} is unknown; choose one of: adam, adamw")
        if self.decay not in ("cosine", "linear", "none"):
            raise ValueError(f"decay={self.decay!r} is unknown; choose one of: cosine, linear, none")
        if not 0 <= self.average < 1:
            raise ValueError(f"average must be in [0, 1); got {self.average}")

    def rate(self, step: int) -> float:
        """Return the learning rate of a step."""
        rising = min(1.0, (step + 1) / self.warmup) if self.warmup else 1.0
        done = min(1.0, step / self.n_steps)
        falling = {"cosine": (1 + math.cos(math.pi * done)) / 2, "linear": 1 - done, "none": 1.0}[self.decay]
        return self.learning_rate * rising * (self.final + (1 - self.final) * falling)

    def optimizer_of(self, network: Any) -> Any:
        """Return the optimiser of a network's weights."""
        kind = torch.optim.Adam if self.optimizer == "adam" else torch.optim.AdamW
        return kind(network.parameters(), lr=self.learning_rate, betas=self.betas, weight_decay=self.weight_decay)


class Average:
    """The exponential moving average of a network's weights, which samples better than the last ones.

    It begins with short memory, min(decay, (1 + step)/(10 + step)), so that the first weights are forgotten.
    """

    def __init__(self, network: Any, decay: float) -> None:
        self.decay = decay
        self.weights = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}

    def update(self, network: Any, step: int) -> None:
        """Take in the weights of a step."""
        decay = min(self.decay, (1 + step) / (10 + step))
        with torch.no_grad():
            for name, tensor in network.state_dict().items():
                kept = self.weights[name]
                if kept.is_floating_point():
                    kept.lerp_(tensor, 1 - decay)
                else:
                    kept.copy_(tensor)

    def put_into(self, network: Any) -> None:
        """Give a network the averaged weights."""
        network.load_state_dict(self.weights)

    @contextmanager
    def in_place_of(self, network: Any) -> Iterator[None]:
        """Give a network the averaged weights for a while."""
        own = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
        self.put_into(network)
        try:
            yield
        finally:
            network.load_state_dict(own)
