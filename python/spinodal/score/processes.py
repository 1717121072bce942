# SPDX-License-Identifier: BSD-3-Clause
"""Data-parallel training: several processes share each batch, and step together."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, distributed


@dataclass(frozen=True)
class Processes:
    """The processes that train together, as ``torchrun`` has started them.

    Parameters
    ----------
    rank, size, local_rank : int
        This process's number, how many there are, and its number on its machine.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0

    @staticmethod
    def of_environment() -> Processes:
        """Join the processes that ``torchrun`` started; one alone without it."""
        size = int(os.environ.get("WORLD_SIZE", "1"))
        if size == 1:
            return Processes()
        if not distributed.is_initialized():
            distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
        return Processes(distributed.get_rank(), size, int(os.environ.get("LOCAL_RANK", "0")))

    @property
    def is_first(self) -> bool:
        """Whether this one writes files."""
        return self.rank == 0

    def check_batch(self, n: int) -> None:
        """Refuse batches that cannot be shared equally, whose mean would not be that of the means."""
        if n % self.size:
            raise ValueError(f"a batch of {n} cannot be shared equally by {self.size} processes")

    def share(self, n: int) -> slice:
        """Return this process's part of a batch of n."""
        return slice(self.rank * n // self.size, (self.rank + 1) * n // self.size)

    def average_gradients(self, network: Any) -> None:
        """Make the gradients of all processes their mean, in one message."""
        if self.size == 1:
            return
        gradients = [p.grad for p in network.parameters() if p.grad is not None]
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        distributed.all_reduce(flat)
        for gradient, mean in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(mean.reshape(gradient.shape) / self.size)

    def mean(self, value: Tensor) -> Tensor:
        """Return the mean of a number over the processes."""
        if self.size == 1:
            return value
        total = value.clone()
        distributed.all_reduce(total)
        return total / self.size
