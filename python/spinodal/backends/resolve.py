# SPDX-License-Identifier: BSD-3-Clause
"""Which backend runs, and why the other one does not."""

from __future__ import annotations

import importlib
import os
import warnings
from functools import lru_cache

from spinodal.backends import numpy_packing
from spinodal.backends.protocol import Backend, Packing

_BACKENDS = {"cpp": "spinodal.backends.cpp", "numba": "spinodal.backends.numba"}
_REMEDY = {
    "cpp": "install a C++17 compiler (Debian: apt install g++) and reinstall spinodal",
    "numba": "pip install 'spinodal[numba]'",
}


class BackendUnavailableError(RuntimeError):
    """A backend that was asked for cannot be loaded; the message says why and what to do."""


@lru_cache(maxsize=len(_BACKENDS))
def _load(name: str) -> Backend:
    backend: Backend = importlib.import_module(_BACKENDS[name]).BACKEND
    return backend


def why_missing(name: str) -> str | None:
    """Return the reason a backend cannot be loaded, or None when it can."""
    try:
        _load(name)
    except ImportError as error:
        return f"{error} ({_REMEDY[name]})"
    return None


@lru_cache(maxsize=1)
def _warn_fallback(reason: str) -> None:
    warnings.warn(
        f"spinodal's compiled kernels are missing, the slower Numba backend runs instead: {reason}",
        RuntimeWarning,
        stacklevel=4,
    )


def resolve(name: str | None = None) -> Backend:
    """Return the backend by name; None means ``SPINODAL_BACKEND``, else cpp, else numba with a warning.

    Raises
    ------
    ValueError
        If the name is unknown.
    BackendUnavailableError
        If a backend asked for by name, or every backend, is missing: nothing falls back silently.
    """
    wanted = name or os.environ.get("SPINODAL_BACKEND") or None
    if wanted is not None:
        if wanted not in _BACKENDS:
            raise ValueError(f"backend={wanted!r} is unknown; choose one of: {', '.join(_BACKENDS)}")
        reason = why_missing(wanted)
        if reason is not None:
            raise BackendUnavailableError(f"backend {wanted!r} is not available: {reason}")
        return _load(wanted)
    reason = why_missing("cpp")
    if reason is None:
        return _load("cpp")
    no_numba = why_missing("numba")
    if no_numba is not None:
        raise BackendUnavailableError(f"no backend is available. cpp: {reason}. numba: {no_numba}")
    _warn_fallback(reason)
    return _load("numba")


def resolve_packing() -> Packing:
    """Return what packs spins fastest; it needs no backend, so that files can be read where there is none."""
    return _packing(os.environ.get("SPINODAL_BACKEND") or "cpp")


@lru_cache(maxsize=len(_BACKENDS))
def _packing(name: str) -> Packing:
    return _load("cpp") if name == "cpp" and why_missing("cpp") is None else numpy_packing
