# SPDX-License-Identifier: BSD-3-Clause
"""Numba twins of the filters of graphs; the formulas are in ``cpp/include/spinodal/graph.hpp``."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
Integers = npt.NDArray[np.int64]


class GraphPlan(NamedTuple):
    """The rows of a Laplacian, as they came."""

    indptr: Integers
    indices: npt.NDArray[np.int32]
    values: npt.NDArray[np.float64]


def graph_plan(indptr: Integers, indices: npt.NDArray[np.int32], values: npt.NDArray[np.float64]) -> GraphPlan:
    """Return the plan of a Laplacian after a check."""
    n = len(indptr) - 1
    if n < 1 or indptr[0] != 0 or (np.diff(indptr) < 0).any() or indptr[-1] != len(indices):
        raise ValueError(f"indptr must rise from 0 to the {len(indices)} entries")
    if len(indices) and not 0 <= indices.min() <= indices.max() < n:
        raise ValueError(f"indices must be in [0, {n}); got {indices.min()} to {indices.max()}")
    rows = np.repeat(np.arange(n), np.diff(indptr))
    if (np.diff(rows * n + indices.astype(np.int64)) <= 0).any():
        raise ValueError("indices of a row must rise")
    if not np.isfinite(values).all():
        raise ValueError("values must be finite")
    return GraphPlan(indptr, indices, values)


@numba.njit(cache=True, nogil=True)
def term(plan: GraphPlan, factor, half, ahead: Floats, behind: Floats):
    """Behind ← half · (2 − factor L) ahead − behind, for rows of columns."""
    n, n_columns = ahead.shape
    total = np.empty(n_columns, dtype=ahead.dtype)
    for row in range(n):
        for c in range(n_columns):
            total[c] = 2 * ahead[row, c]
        for e in range(plan.indptr[row], plan.indptr[row + 1]):
            weight = ahead.dtype.type(factor * plan.values[e])
            for c in range(n_columns):
                total[c] -= weight * ahead[plan.indices[e], c]
        for c in range(n_columns):
            behind[row, c] = half * total[c] - behind[row, c]


def chebyshev_filter(
    plan: GraphPlan, x: list[Floats], coefficients: list[npt.NDArray[np.float64]], lmax: float, out: Floats
) -> None:
    """Write Σ_inputs Σ_k c_k T_k(1 − 2L/lmax) x, all of one dtype."""
    n_fields, n_nodes, n_channels = out.shape
    rows = [np.ascontiguousarray(a.transpose(1, 0, 2).reshape(n_nodes, -1)) for a in x]
    series = [c.astype(out.dtype) for c in coefficients]
    ahead = sum((c[-1] * a for c, a in zip(series, rows, strict=True)), np.zeros_like(rows[0]))
    behind = np.zeros_like(ahead)
    for k in range(len(series[0]) - 2, -1, -1):
        half = out.dtype.type(0.5 if k == 0 else 1.0)
        term(plan, 4.0 / lmax, half, ahead, behind)
        for c, a in zip(series, rows, strict=True):
            behind += c[k] * a
        ahead, behind = behind, ahead
    out[:] = ahead.reshape(n_nodes, n_fields, n_channels).transpose(1, 0, 2)


def _fold(x: Floats) -> tuple[Floats, Floats]:
    """Return sums (the middle by itself) and differences along axis 1."""
    n, half = x.shape[1], x.shape[1] // 2
    first, last = x[:, :half], x[:, ::-1][:, :half]
    return np.concatenate([first + last, x[:, half : n - half]], axis=1), first - last


def _along(x: Floats, even: Floats, odd: Floats, kind: str) -> Floats:
    """Return the matrices of one axis, applied along axis 1 of (before, n, after)."""
    n, half = x.shape[1], x.shape[1] // 2
    sums, differences = (x[:, : n - half], x[:, n - half :]) if kind == "inverse" else _fold(x)
    a, b = even.T @ sums, odd.T @ differences
    if kind == "forward":
        return np.concatenate([a, b], axis=1)
    first, last = a[:, :half] + b, a[:, :half] - b
    return np.concatenate([first, a[:, half:], last[:, ::-1]], axis=1)


def _all_axes(lengths: list[int], matrices: list[Floats], each: int, kind: str, x: Floats) -> Floats:
    shape, before = x.shape, x.shape[0]
    for axis, n in enumerate(lengths):
        first = each * axis + (2 if kind == "inverse" else 0)
        x = _along(x.reshape(before, n, -1), matrices[first], matrices[first + 1], kind)
        before *= n
    return x.reshape(shape)


def grid_filter(
    lengths: list[int], matrices: list[Floats], x: list[Floats], multipliers: list[Floats], out: Floats
) -> None:
    """Write the filter of a grid, by NumPy's products."""
    if not multipliers:
        out[:] = _all_axes(lengths, matrices, 2, "direct", x[0])
        return
    total = np.zeros_like(out)
    for field, factors in zip(x, multipliers, strict=True):
        total += factors[:, :, None] * _all_axes(lengths, matrices, 4, "forward", field)
    out[:] = _all_axes(lengths, matrices, 4, "inverse", total)


def block_filter(filters: Floats, offsets: Integers, x: Floats, out: Floats) -> None:
    """Write each block's dense filter of its nodes."""
    at = 0
    for begin, end in pairwise(offsets):
        n = end - begin
        stride = -(-n // 8) * 8
        block = filters[at : at + n * stride].reshape(n, stride)[:, :n]
        out[:, begin:end] = block @ x[:, begin:end]
        at += n * stride
