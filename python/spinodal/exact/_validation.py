# SPDX-License-Identifier: BSD-3-Clause
"""Checks of lattice lengths, couplings and temperatures: each error names the value and the bound."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import TypeVar, cast

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Size = int | Sequence[int]

#: A temperature, and the results that have its shape: a float gives floats, an array gives arrays.
Value = TypeVar("Value", float, FloatArray)


def lattice_shape(size: Size, dimensions: tuple[int, ...] = (2, 3)) -> tuple[int, ...]:
    """Return the lengths of a periodic lattice; an int L means the square lattice (L, L)."""
    lengths = (size, size) if isinstance(size, int | np.integer) else tuple(size)
    shape = tuple(_length(length) for length in lengths)
    if len(shape) not in dimensions:
        allowed = " or ".join(map(str, dimensions))
        raise ValueError(f"size must have {allowed} lengths, got {len(shape)}: {shape}")
    return shape


def _length(length: int) -> int:
    try:
        value = operator.index(length)
    except TypeError:
        raise ValueError(f"lattice lengths must be integers, got {length!r}") from None
    if value < 2:
        raise ValueError(f"lattice lengths must be >= 2, got {value}")
    return value


def finite(name: str, value: float) -> float:
    """Return a finite float."""
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{name} must be finite, got {number}")
    return number


def temperatures(temperature: npt.ArrayLike) -> FloatArray:
    """Return temperatures as a float64 array of the same shape, all finite and > 0."""
    values = np.asarray(temperature, dtype=np.float64)
    bad = ~(np.isfinite(values) & (values > 0))
    if bad.any():
        raise ValueError(f"temperature must be finite and > 0, got {values[bad].flat[0]}")
    return values


def reduced_coupling(energy: float, temperature: FloatArray) -> FloatArray:
    """Return |energy| / temperature, at most 1e100 so that nothing downstream overflows."""
    if temperature.size and abs(energy) > 1e100 * temperature.min():
        raise ValueError(f"|J| / temperature must be <= 1e100, got J = {energy}, temperature = {temperature.min()}")
    return np.asarray(abs(energy) / temperature)


def like(temperature: Value, values: npt.ArrayLike) -> Value:
    """Return ``values`` as a float where the caller passed a scalar temperature, else as an array."""
    array = np.asarray(values, dtype=np.float64)
    return cast(Value, float(array) if np.ndim(temperature) == 0 else array)
