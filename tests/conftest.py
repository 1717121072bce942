# SPDX-License-Identifier: BSD-3-Clause
"""Fixtures that run one test on every backend, instruction set and stream."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from spinodal import kernels
from spinodal.backends import why_missing

_NATIVE_MISSING = why_missing("cpp")
if _NATIVE_MISSING is None:
    from spinodal import _native

    ISAS = tuple(_native.available_isas())
else:
    ISAS = ()


@pytest.fixture(params=["cpp", "numba"])
def backend(request: pytest.FixtureRequest) -> str:
    """Every backend by name."""
    reason = why_missing(request.param)
    if reason is not None:
        pytest.skip(reason)
    return str(request.param)


@pytest.fixture(params=ISAS)
def isa(request: pytest.FixtureRequest) -> Iterator[str]:
    """Every instruction set this CPU runs, in use for the length of the test."""
    before = _native.active_isa()
    _native.select_isa(request.param)
    yield str(request.param)
    _native.select_isa(before)


@pytest.fixture(params=kernels.STREAMS)
def stream(request: pytest.FixtureRequest) -> str:
    """Every random stream."""
    return str(request.param)
