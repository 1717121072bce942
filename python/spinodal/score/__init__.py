# SPDX-License-Identifier: BSD-3-Clause
"""Neural samplers with exact corrections: everything that needs torch. Names are loaded when they are first used."""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "IndependenceMetropolis": "exactness",
    "LogPartition": "exactness",
    "MaskedIsing": "masked",
    "MaskedSampler": "masked",
    "load_pretrained": "pretrained",
    "log_partition": "exactness",
    "train_masked": "masked",
}

__all__ = [
    "IndependenceMetropolis",
    "LogPartition",
    "MaskedIsing",
    "MaskedSampler",
    "load_pretrained",
    "log_partition",
    "train_masked",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'spinodal.score' has no attribute {name!r}")
    try:
        value = getattr(importlib.import_module(f"spinodal.score.{_HOMES[name]}"), name)
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise ImportError("spinodal.score needs torch and safetensors: pip install 'spinodal[torch]'") from error
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
