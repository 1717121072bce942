# SPDX-License-Identifier: BSD-3-Clause
"""The fixture ``build``: every test of a sampler holds for all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from samplers.cases import SAMPLERS


@pytest.fixture(params=SAMPLERS)
def build(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Build each sampler in turn, as (model, temperature of each chain, **options)."""
    return SAMPLERS[request.param]
