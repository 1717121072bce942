# SPDX-License-Identifier: BSD-3-Clause
"""Instruction sets of the compiled backend; results do not depend on the one in use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


def available_isas() -> list[str]:
    """Return the names this build contains and this CPU can run, slowest first."""
    from spinodal import _native

    return _native.available_isas()


def active_isa() -> str:
    """Return the one in use: the last available, unless ``SPINODAL_ISA`` or :func:`using_isa` names another."""
    from spinodal import _native

    return _native.active_isa()


@contextmanager
def using_isa(name: str) -> Iterator[None]:
    """Use another for the length of a ``with`` block, in the whole process.

    Raises
    ------
    ValueError
        If it cannot run here.
    """
    from spinodal import _native

    before = _native.active_isa()
    _native.select_isa(name)
    try:
        yield
    finally:
        _native.select_isa(before)
