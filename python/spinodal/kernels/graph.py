# SPDX-License-Identifier: BSD-3-Clause
"""The raw filters of graphs: Chebyshev series, grids axis by axis, dense blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from spinodal.backends import Backend, resolve
from spinodal.backends.protocol import Floats, Reals
from spinodal.kernels.arguments import BackendName, as_array, output
from spinodal.threads import resolve_n_threads


def chebyshev_filter(
    laplacian: Any,
    x: Any,
    coefficients: Any,
    lmax: float,
    *,
    out: Floats | None = None,
    n_threads: int | None = None,
    backend: BackendName | None = None,
) -> Floats:
    r"""Return a Chebyshev series of a graph's Laplacian, applied to fields.

    .. math:: y = \sum_k c_k\, T_k\!\left(\frac{2}{\lambda_{max}} L - 1\right) x

    Parameters
    ----------
    laplacian : Laplacian, scipy.sparse matrix in CSR form, or (indptr, indices, data)
        Symmetric, diagonal included. A :class:`Laplacian` keeps its plan (the order of its rows) from call to call.
    x : float32 or float64 array, shape (N,), (N, C) or (B, N, d), or a tuple of two
        Two fields need two arrays of coefficients; the results are added at the cost of one.
    coefficients : array, shape (K,) or (K, C), (K, B)
        One series for all columns, or one for each column of (N, C), each field of (B, N, d).
    lmax : float
        At least the largest eigenvalue: below it the recurrence diverges.
    out : array as ``x``, optional

    Returns
    -------
    array of the shape and dtype of ``x``

    Raises
    ------
    ValueError
        If shapes do not fit, the matrix is not one in rows, or ``lmax`` is not finite and > 0.

    Notes
    -----
    The same bits for any number of threads and any instruction set; the backends agree to rounding.

    References
    ----------
    Clenshaw, Math. Tables Aids Comput. 9, 118 (1955), doi:10.2307/2002068.
    """
    engine = resolve(backend)
    fields, shape = read_fields(x)
    series = coefficients if isinstance(x, tuple) else (coefficients,)
    if len(series) != len(fields):
        raise ValueError(f"{len(fields)} fields need as many arrays of coefficients; got {len(series)}")
    n_terms = max(np.shape(c)[0] if np.ndim(c) else 0 for c in series)
    columns = [_columns(c, fields[0].shape, n_terms, shape) for c in series]
    if not (np.isfinite(lmax) and lmax > 0):
        raise ValueError(f"lmax must be finite and > 0; got {lmax}")
    plan = plan_of(laplacian, engine)
    n_nodes = len(laplacian[0] if isinstance(laplacian, tuple) else laplacian.indptr) - 1
    if fields[0].shape[1] != n_nodes:
        raise ValueError(f"fields of shape {shape} have {fields[0].shape[1]} nodes; the graph has {n_nodes}")
    result = output(out, shape, fields[0].dtype.type)
    engine.chebyshev_filter(
        plan, fields, columns, lmax=float(lmax), out=result.reshape(fields[0].shape),
        n_threads=resolve_n_threads(n_threads),
    )  # fmt: skip
    return result


def grid_filter(
    lengths: Sequence[int],
    x: Any,
    matrices: Sequence[tuple[npt.ArrayLike, ...]],
    multipliers: Any = None,
    *,
    out: Floats | None = None,
    n_threads: int | None = None,
    backend: BackendName | None = None,
) -> Floats:
    r"""Return dense matrices along each axis of a grid, applied to fields.

    .. math:: y = (M_1 \otimes M_2 \otimes \dots) x \quad\text{or}\quad y = V\, \mathrm{diag}(m)\, V^T x

    Matrices commute with the reversal of their axis, so that sites which mirror each other share products: see
    :func:`fold`.

    Parameters
    ----------
    lengths : sequence of int
        Of the axes, slowest first; N is their product.
    x : float32 or float64 array, shape (N,), (N, C) or (B, N, d), or a tuple of two with ``multipliers``
    matrices : one tuple an axis
        (even, odd) of the filter, or (even, odd, back_even, back_odd) of the eigenvectors, each (inputs, outputs).
    multipliers : array, shape (N,) or (B, N), or a tuple of two, optional
        In the order of coefficients: along each axis the even ones, then the odd ones.
    """
    fields, shape = read_fields(x)
    dtype = fields[0].dtype
    flat = [np.ascontiguousarray(m, dtype=dtype) for axis in matrices for m in axis]
    n_nodes = int(np.prod(lengths))
    if n_nodes != fields[0].shape[1]:
        raise ValueError(f"lengths {tuple(lengths)} multiply to {n_nodes}; fields have {fields[0].shape[1]} nodes")
    factors: list[Floats] = []
    if multipliers is not None:
        given = multipliers if isinstance(x, tuple) else (multipliers,)
        factors = [np.ascontiguousarray(m, dtype=dtype).reshape(-1, n_nodes) for m in given]
    result = output(out, shape, dtype.type)
    resolve(backend).grid_filter(
        list(lengths), flat, fields, factors, out=result.reshape(fields[0].shape),
        n_threads=resolve_n_threads(n_threads),
    )  # fmt: skip
    return result


def block_filter(
    filters: Sequence[npt.ArrayLike] | Floats,
    offsets: npt.ArrayLike,
    x: Any,
    *,
    out: Floats | None = None,
    n_threads: int | None = None,
    backend: BackendName | None = None,
) -> Floats:
    """Return one dense symmetric filter a block of consecutive nodes, applied to fields.

    Parameters
    ----------
    filters : list of arrays (n_b, n_b), or what :func:`pack_blocks` makes of it
    offsets : array, shape (n_blocks + 1,)
        First node of each block, and N.
    x : float32 or float64 array, shape (N,), (N, C) or (B, N, d)
    """
    fields, shape = read_fields(x)
    starts = np.ascontiguousarray(offsets, dtype=np.int64)
    packed = filters if isinstance(filters, np.ndarray) else pack_blocks(filters, fields[0].dtype)
    if packed.dtype != fields[0].dtype:
        raise TypeError(f"filters are {packed.dtype} and fields {fields[0].dtype}: they must agree")
    if starts[0] != 0 or starts[-1] != fields[0].shape[1] or (np.diff(starts) < 1).any():
        raise ValueError(f"offsets must rise from 0 to the {fields[0].shape[1]} nodes of the fields")
    result = output(out, shape, fields[0].dtype.type)
    resolve(backend).block_filter(
        packed, starts, fields[0], out=result.reshape(fields[0].shape), n_threads=resolve_n_threads(n_threads)
    )
    return result


def pack_blocks(filters: Sequence[npt.ArrayLike], dtype: npt.DTypeLike) -> Floats:
    """Return blocks (n_b, n_b) one after the other, their rows filled up with zeros to a multiple of 8."""
    rows = []
    for block in filters:
        values = np.asarray(block, dtype=dtype)
        n = len(values)
        padded = np.zeros((n, -(-n // 8) * 8), dtype=dtype)
        padded[:, :n] = values
        rows.append(padded.reshape(-1))
    return np.concatenate(rows)


def fold(matrix: npt.ArrayLike) -> tuple[Reals, Reals]:
    """Return the even and odd parts (inputs, outputs) of a matrix (n, n) that commutes with reversal."""
    m = np.asarray(matrix, dtype=np.float64)
    n, half = len(m), len(m) // 2
    mirrored = m[:, ::-1]
    even = 0.5 * (m + mirrored)[: n - half, : n - half]
    odd = 0.5 * (m - mirrored)[:half, :half]
    return np.ascontiguousarray(even.T), np.ascontiguousarray(odd.T)


def read_fields(x: Any) -> tuple[list[Floats], tuple[int, ...]]:
    """Return one or two fields as (B, N, d) float32 or float64, and the shape they came in."""
    arrays = [as_array(part) for part in (x if isinstance(x, tuple) else (x,))]
    if not 1 <= len(arrays) <= 2:
        raise ValueError(f"x must be one field or a tuple of two; got {len(arrays)}")
    shape = arrays[0].shape
    dtype = np.result_type(*arrays)
    if dtype.kind not in "fiu":
        raise TypeError(f"fields must be real numbers; got {dtype}")
    if dtype != np.float32:
        dtype = np.dtype(np.float64)
    if len(shape) not in (1, 2, 3) or 0 in shape:
        raise ValueError(f"fields must have shape (N,), (N, C) or (B, N, d), none of them 0; got {shape}")
    if arrays[-1].shape != shape:
        raise ValueError(f"two fields need one shape; got {shape} and {arrays[-1].shape}")
    full = shape if len(shape) == 3 else (1, shape[0], shape[1] if len(shape) == 2 else 1)
    return [np.ascontiguousarray(a, dtype=dtype).reshape(full) for a in arrays], shape


def plan_of(laplacian: Any, engine: Backend) -> Any:
    """Return the backend's plan for a matrix; one that has ``plans`` keeps it there."""
    plans = getattr(laplacian, "plans", None)
    if plans is not None and engine.name in plans:
        return plans[engine.name]
    parts = laplacian if isinstance(laplacian, tuple) else (laplacian.indptr, laplacian.indices, laplacian.data)
    indptr, indices, data = (
        np.ascontiguousarray(a, dtype=t) for a, t in zip(parts, (np.int64, np.int32, np.float64), strict=True)
    )
    plan = engine.graph_plan(indptr, indices, data)
    if plans is not None:
        plans[engine.name] = plan
    return plan


def _columns(coefficients: Any, full: tuple[int, ...], n_terms: int, shape: tuple[int, ...]) -> Reals:
    """Return coefficients (n_terms, n_columns) of T_k(1 − 2L/lmax): odd terms change their sign."""
    values = np.array(coefficients, dtype=np.float64)
    n_series = full[0] if len(shape) == 3 else full[2]
    if values.ndim == 1:
        values = values[:, None]
    if values.ndim != 2 or len(values) < 1 or values.shape[1] not in (1, n_series):
        raise ValueError(
            f"coefficients must have shape (K,) or (K, {n_series}) for fields of shape {shape}; got {values.shape}"
        )
    if not np.isfinite(values).all():
        raise ValueError("coefficients must be finite")
    values[1::2] *= -1
    result = np.zeros((n_terms, full[0] * full[2]))
    repeats = full[2] if len(shape) == 3 and values.shape[1] > 1 else 1
    result[: len(values)] = np.repeat(values, repeats, axis=1)
    return result
