# SPDX-License-Identifier: BSD-3-Clause
"""Tiny tensors: one thread is the fastest, and leaves the machine to the other workers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(scope="package", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
