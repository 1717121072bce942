# SPDX-License-Identifier: BSD-3-Clause
"""Where the spins of a checkerboard sweep lie while it works; the results are int8 in any case."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from spinodal.backends import Backend
from spinodal.backends.protocol import Reals
from spinodal.kernels.arguments import check_even

Layout = Literal["bytes", "rows", "replicas", "lanes"]
TemperingLayout = Literal["auto", "bytes", "rows", "lanes"]
LAYOUTS: tuple[Layout, ...] = ("bytes", "rows", "replicas", "lanes")
"""``bytes``: a byte a spin. ``rows``: a bit a spin, the sites of a row side by side. ``replicas``: a bit a spin, 256
chains of one temperature side by side. ``lanes``: the same, a temperature a chain."""

GROUP = 256
"""Chains side by side: chain c is in lane c % 256 of group c // 256."""

MAX_SITES = 2**23
"""Sites of a lattice of which 256 chains can lie side by side."""

_MIN_ROW, _MAX_VECTORS = 64, 2**24


def rows_supports(shape: tuple[int, ...]) -> bool:
    """Tell whether a lattice can be swept with the bits of a word along its rows, at h = 0.

    Parameters
    ----------
    shape : tuple of int
        Lattice lengths, the last along x.

    Returns
    -------
    bool
        True for two or three even lengths, the last at least 64, whose sublattice fits 2²⁴ vectors of 256 bits.
    """
    if len(shape) not in (2, 3) or min(shape) < 2 or any(length % 2 for length in shape):
        return False
    return shape[-1] >= _MIN_ROW and math.prod(shape[:-1]) * -(-shape[-1] // 512) <= _MAX_VECTORS


def has_uniform_groups(beta: Reals, first_chain: int = 0) -> bool:
    """Tell whether the chains of every group of 256 have one temperature; chains count from ``first_chain``."""
    changes = 1 + np.flatnonzero(beta[1:] != beta[:-1])
    return bool(((changes + first_chain) % GROUP == 0).all())


def check_layout(layout: str, shape: tuple[int, ...], h: float) -> None:
    """Refuse a layout that is unknown, or cannot hold the lattice."""
    if layout not in ("auto", *LAYOUTS):
        raise ValueError(f"layout={layout!r} is unknown; choose one of: auto, {', '.join(LAYOUTS)}")
    if layout in ("auto", "bytes"):
        check_even(shape)
    if layout == "rows" and not rows_supports(shape):
        raise ValueError(
            f"layout='rows' needs even lengths, the last >= {_MIN_ROW}; got {shape} "
            "(use 'bytes', or 'replicas' for many chains)"
        )
    if layout in ("replicas", "lanes") and math.prod(shape) > MAX_SITES:
        raise ValueError(f"layout={layout!r} takes lattices of at most {MAX_SITES} sites; got {shape}")
    if layout == "rows" and h != 0:
        raise ValueError(f"layout='rows' takes no field; got h = {h} (use 'bytes', or 'replicas' for many chains)")


def choose_layout(shape: tuple[int, ...], h: float, beta: Reals, first_chain: int = 0) -> Layout:
    """Return the fastest layout for chains of these temperatures.

    It depends on the shape of the lattice, on whether there is a field, on the number of chains, and on
    whether chains that would lie side by side have one temperature; not on the machine. So a caller who
    cuts a batch of chains into several calls names the layout of the whole in each.

    Parameters
    ----------
    shape : tuple of int
        The lattice.
    h : float
    beta : float64 array, shape (n_chains,)
    first_chain : int
        Global index of the first.
    """
    return _fastest(shape, h, len(beta), first_chain, has_uniform_groups(beta, first_chain))


def _fastest(shape: tuple[int, ...], h: float, n_chains: int, first_chain: int, uniform: bool) -> Layout:
    speed: dict[Layout, float] = {"bytes": _bytes_speed(shape)}
    if h == 0 and rows_supports(shape):
        speed["rows"] = _rows_speed(shape)
    if math.prod(shape) <= MAX_SITES:
        together: Layout = "replicas" if uniform else "lanes"
        speed[together] = _group_speed(shape, h, uniform) / _padding(n_chains, first_chain)
    return max(speed, key=lambda layout: speed[layout])


def _padding(n_chains: int, first_chain: int) -> float:
    """Lanes there are for each that holds a chain."""
    n_groups = -(-(first_chain % GROUP + n_chains) // GROUP)
    return GROUP * n_groups / n_chains


def relative_cost(
    engine: Backend, stream: str, layout: Layout, shape: tuple[int, ...], h: float, chains: range
) -> float:
    """Return the time of an update in that of a byte's by the same engine, at most; for cutting work into calls."""
    if layout == "bytes":
        return 1.0
    cost = 1.0 / engine.packed_speedup(stream)
    if layout == "rows":
        return cost * (2.0 if len(shape) == 3 else 1.0)
    by_thresholds = layout == "lanes" or h != 0 or len(shape) != 2 or any(length % 2 for length in shape)
    return cost * (3.0 if by_thresholds else 1.0) * _padding(len(chains), chains.start)


def check_tempering_layout(layout: str, shape: tuple[int, ...], h: float) -> None:
    """Refuse a layout that is unknown to parallel tempering, or cannot hold the lattice."""
    if layout == "replicas":
        raise ValueError("layout='replicas' has one temperature for all; parallel tempering takes 'lanes'")
    check_layout(layout, shape, h)


def choose_tempering_layout(
    shape: tuple[int, ...], h: float, n_chains: int, first_chain: int = 0
) -> Literal["bytes", "rows", "lanes"]:
    """Return the fastest layout for that many replicas, no two of neighbouring temperatures alike."""
    chosen = _fastest(shape, h, n_chains, first_chain, uniform=False)
    return "lanes" if chosen == "replicas" else chosen


# Flips per nanosecond of one thread, roughly; only their ratios matter.


def _bytes_speed(shape: tuple[int, ...]) -> float:
    return min(8.0, 2.4 * math.sqrt(shape[-1] / 32)) * (0.6 if len(shape) == 3 else 1.0)


def _rows_speed(shape: tuple[int, ...]) -> float:
    if len(shape) == 3:
        return 18.0
    return 24.0 if shape[-1] < 128 else 34.0


def _group_speed(shape: tuple[int, ...], h: float, uniform: bool) -> float:
    if uniform and h == 0 and len(shape) == 2:
        return 36.0
    return 12.0
