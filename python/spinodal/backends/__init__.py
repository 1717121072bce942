# SPDX-License-Identifier: BSD-3-Clause
"""Interchangeable implementations of the raw kernels."""

from spinodal.backends.protocol import Backend
from spinodal.backends.resolve import BackendUnavailableError, resolve, resolve_packing, why_missing

__all__ = ["Backend", "BackendUnavailableError", "resolve", "resolve_packing", "why_missing"]
