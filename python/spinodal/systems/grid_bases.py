# SPDX-License-Identifier: BSD-3-Clause
"""Eigenvectors of paths and rings, and filters of grids by them: products along the axes, or Fourier transforms."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from spinodal import kernels
from spinodal.backends.protocol import Floats, Reals
from spinodal.kernels.arguments import BackendName
from spinodal.systems.laplacians import axis_spectrum

Function = Callable[[Reals], Reals]


class AxisBasis(NamedTuple):
    """Eigenvectors of one axis, those even under reversal first; ``matrices`` are what the kernel takes."""

    eigenvalues: Reals
    vectors: Reals
    matrices: tuple[Reals, Reals, Reals, Reals]


@lru_cache(maxsize=32)
def axis_basis(n: int, periodic: bool) -> AxisBasis:
    """Return the eigenvectors of a path, or of a ring, of n nodes: cosines and sines about its middle."""
    site = np.arange(n) + 0.5
    if periodic:
        # The cosine of frequency n/2 vanishes at half-integers; its sine does not.
        frequency = np.concatenate([np.arange(n - n // 2), np.arange(1, n // 2 + 1)])
        angle = 2 * math.pi * np.outer(site, frequency) / n
        even, odd = np.cos(angle[:, : n - n // 2]), np.sin(angle[:, n - n // 2 :])
        eigenvalues = 4 * np.sin(math.pi * frequency / n) ** 2
    else:
        waves = np.cos(math.pi * np.outer(site, np.arange(n)) / n)
        even, odd = waves[:, ::2], waves[:, 1::2]
        order = np.concatenate([np.arange(0, n, 2), np.arange(1, n, 2)])
        eigenvalues = axis_spectrum(n, False)[order]
    vectors = np.concatenate([even, odd], axis=1)
    vectors /= np.sqrt((vectors**2).sum(axis=0))
    half, n_even = n // 2, n - n // 2
    # Sums meet even vectors, differences odd ones; the way back gives half of each site and of its mirror image.
    to_even, to_odd = vectors[:n_even, :n_even], vectors[:half, n_even:]
    matrices = tuple(np.ascontiguousarray(m) for m in (to_even, to_odd, to_even.T, to_odd.T))
    return AxisBasis(eigenvalues, vectors, matrices)  # type: ignore[arg-type]


def grid_eigenvalues(axes: Sequence[Reals]) -> Reals:
    """Return the sums over axes, flat, slowest first."""
    total = np.zeros(1)
    for axis in axes:
        total = np.add.outer(total, axis).reshape(-1)
    return total


Run = Callable[[list[Floats], int | None, Floats | None], Floats]


def product_filter(
    shape: tuple[int, ...],
    periodic: bool,
    functions: Sequence[Function],
    dtype: Any,
    backend: BackendName | None,
) -> Run:
    """Return what applies Σ f(L) x by dense products along the axes."""
    bases = [axis_basis(n, periodic) for n in shape]
    separate = _separable(functions, bases, dtype)
    if separate is not None:
        return lambda x, n_threads, out: kernels.grid_filter(
            shape, x[0], separate, out=out, n_threads=n_threads, backend=backend
        )
    matrices = [tuple(m.astype(dtype) for m in basis.matrices) for basis in bases]
    multipliers = tuple(_multipliers(function, bases).astype(dtype) for function in functions)

    def run(x: list[Floats], n_threads: int | None, out: Floats | None) -> Floats:
        turned = x[0].ndim < 3 and any(len(m) > 1 for m in multipliers)  # a series for each column: columns are fields
        fields = tuple(np.ascontiguousarray(a.T)[:, :, None] for a in x) if turned else tuple(x)
        one = len(x) == 1
        values = kernels.grid_filter(
            shape, fields[0] if one else fields, matrices, multipliers[0] if one else multipliers,
            out=None if turned else out, n_threads=n_threads, backend=backend,
        )  # fmt: skip
        return np.ascontiguousarray(values[:, :, 0].T) if turned else values

    return run


def _multipliers(function: Function, bases: Sequence[AxisBasis]) -> Reals:
    """Return f at the eigenvalues of the grid, (n_series, N): of an exponential, products of those along the axes."""
    if not getattr(function, "exponential", False):
        eigenvalues = grid_eigenvalues([basis.eigenvalues for basis in bases])
        return np.ascontiguousarray(function(eigenvalues).reshape(len(eigenvalues), -1).T)
    whole = function(np.zeros(1)).reshape(-1)
    total = whole[:, None]
    for basis in bases:
        lowest = function(basis.eigenvalues).reshape(len(basis.eigenvalues), -1).T / np.maximum(whole, 1e-300)[:, None]
        total = (total[:, :, None] * lowest[:, None, :]).reshape(len(whole), -1)
    return total


def _separable(
    functions: Sequence[Function], bases: Sequence[AxisBasis], dtype: Any
) -> list[tuple[Floats, Floats]] | None:
    """Return one filter an axis if the function says that it is an exponential, f(a + b) = f(a) f(b) / f(0)."""
    if len(functions) != 1 or not getattr(functions[0], "exponential", False):
        return None
    function = functions[0]
    whole = function(np.zeros(1)).reshape(-1)
    if len(whole) > 1 or whole[0] == 0:
        return None
    result = []
    for number, basis in enumerate(bases):  # f(0) goes to the first axis alone
        values = function(basis.eigenvalues).reshape(-1) / (1.0 if number == 0 else whole[0])
        even, odd = kernels.fold((basis.vectors * values) @ basis.vectors.T)
        result.append((even.astype(dtype), odd.astype(dtype)))
    return result


def transform_filter(shape: tuple[int, ...], periodic: bool, functions: Sequence[Function], dtype: Any) -> Run:
    """Return what applies Σ f(L) x by Fourier transforms; an open axis is mirrored: a cosine transform."""
    axes = tuple(range(1, 1 + len(shape)))
    eigenvalues = grid_eigenvalues([axis_spectrum(n, periodic) for n in shape])
    factors = [function(eigenvalues).reshape(*shape, -1).astype(dtype) for function in functions]

    def run(x: list[Floats], n_threads: int | None, out: Floats | None) -> Floats:
        fields, full = kernels.graph.read_fields(tuple(x))
        total: Any = 0
        for f, field in zip(factors, fields, strict=True):
            each = f[None] if len(full) < 3 else np.moveaxis(f, -1, 0)[..., None]
            total = total + each * _forward(field.reshape(-1, *shape, field.shape[2]), axes, periodic)
        return np.ascontiguousarray(_backward(total, axes, periodic).astype(dtype)).reshape(full)

    return run


def _forward(x: Floats, axes: tuple[int, ...], periodic: bool) -> Floats:
    if periodic:
        return np.fft.fftn(x, axes=axes)
    for axis in axes:
        n = x.shape[axis]
        mirrored = np.concatenate([x, np.flip(x, axis)], axis=axis)
        half = np.take(np.fft.rfft(mirrored, axis=axis), range(n), axis=axis)
        x = (half * _turn(n, x.ndim, axis, -1)).real
    return x


def _backward(x: Floats, axes: tuple[int, ...], periodic: bool) -> Floats:
    if periodic:
        return np.fft.ifftn(x, axes=axes).real
    for axis in axes:
        n = x.shape[axis]
        nothing = np.zeros_like(np.take(x, [0], axis=axis))
        half = np.concatenate([x * _turn(n, x.ndim, axis, 1), nothing], axis=axis)
        x = np.take(np.fft.irfft(half, 2 * n, axis=axis), range(n), axis=axis)
    return x


def _turn(n: int, ndim: int, axis: int, sign: int) -> Any:
    phase = np.exp(sign * 0.5j * math.pi * np.arange(n) / n)
    return phase.reshape([-1 if a == axis else 1 for a in range(ndim)])
