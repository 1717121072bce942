# SPDX-License-Identifier: BSD-3-Clause
"""One fixture for all that can compute a kernel: each instruction set of cpp, and numba."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from spinodal.backends import why_missing

_ISAS: list[str] = []
if why_missing("cpp") is None:
    from spinodal import _native

    _ISAS = _native.available_isas()


@pytest.fixture(params=[*(f"cpp-{isa}" for isa in _ISAS), "numba"])
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """Name of a backend, with one instruction set in use."""
    backend, _, isa = request.param.partition("-")
    reason = why_missing(backend)
    if reason is not None:
        pytest.skip(reason)
    if not isa:
        yield backend
        return
    before = _native.active_isa()
    _native.select_isa(isa)
    yield backend
    _native.select_isa(before)
