# SPDX-License-Identifier: BSD-3-Clause
"""How many threads torch uses, for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from spinodal.threads import resolve_n_threads


@contextmanager
def torch_threads(n_threads: int | None) -> Iterator[None]:
    """Let torch use that many threads here, and as many as before afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(resolve_n_threads(n_threads))
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def inference(n_threads: int | None) -> Iterator[None]:
    """The same, and keep no gradients."""
    with torch_threads(n_threads), torch.inference_mode():
        yield
