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


def product_filter(
    shape: tuple[int, ...],
    periodic: bool,
    functions: Sequence[Function],
    given: Sequence[Any],
    dtype: Any,
    *,
    n_threads: int | None,
    backend: BackendName | None,
) -> Floats:
    """Return Σ f(L) x by dense products along the axes."""
    bases = [axis_basis(n, periodic) for n in shape]
    eigenvalues = grid_eigenvalues([basis.eigenvalues for basis in bases])
    separate = _separable(functions, bases)
    if separate is not None:
        return kernels.grid_filter(
            shape, np.asarray(given[0], dtype=dtype), separate, n_threads=n_threads, backend=backend
        )
    multipliers = tuple(function(eigenvalues).reshape(len(eigenvalues), -1).T for function in functions)
    x: Any = tuple(given) if len(given) > 1 else given[0]
    factors: Any = multipliers if len(given) > 1 else multipliers[0]
    if np.ndim(given[0]) < 3 and len(multipliers[0]) > 1:  # one series a column: columns become fields
        x = tuple(np.ascontiguousarray(np.asarray(a, dtype=dtype).T)[:, :, None] for a in given)
        x = x if len(given) > 1 else x[0]
        moved = kernels.grid_filter(
            shape, x, [b.matrices for b in bases], factors, n_threads=n_threads, backend=backend
        )
        return np.ascontiguousarray(moved[:, :, 0].T)
    return kernels.grid_filter(shape, x, [b.matrices for b in bases], factors, n_threads=n_threads, backend=backend)


def _separable(functions: Sequence[Function], bases: Sequence[AxisBasis]) -> list[tuple[Reals, Reals]] | None:
    """Return one filter an axis if the function says that it is an exponential, f(a + b) = f(a) f(b) / f(0)."""
    if len(functions) != 1 or not getattr(functions[0], "exponential", False):
        return None
    function, zero = functions[0], np.zeros(1)
    whole = function(zero)
    if whole.size > 1 or whole.reshape(-1)[0] == 0:
        return None
    # f(0) goes to the first axis alone.
    result = []
    for number, basis in enumerate(bases):
        values = function(basis.eigenvalues).reshape(-1) / (1.0 if number == 0 else float(whole.reshape(-1)[0]))
        result.append(kernels.fold((basis.vectors * values) @ basis.vectors.T))
    return result


def transform_filter(
    shape: tuple[int, ...], periodic: bool, functions: Sequence[Function], given: Sequence[Any], dtype: Any
) -> Floats:
    """Return Σ f(L) x by Fourier transforms; an open axis is mirrored, which makes a cosine transform of it."""
    (*fields,), full = kernels.graph.read_fields(tuple(given))
    n_axes = len(shape)
    axes = tuple(range(1, 1 + n_axes))
    per_column = len(full) < 3
    eigenvalues = grid_eigenvalues([axis_spectrum(n, periodic) for n in shape])
    total: Any = 0
    for function, field in zip(functions, fields, strict=True):
        factors = function(eigenvalues).reshape(*shape, -1)
        factors = factors[None] if per_column else np.moveaxis(factors, -1, 0)[..., None]
        total = total + factors.astype(dtype) * _forward(field.reshape(-1, *shape, field.shape[2]), axes, periodic)
    return np.ascontiguousarray(_backward(total, axes, periodic).astype(dtype)).reshape(full)


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
