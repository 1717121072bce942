# SPDX-License-Identifier: BSD-3-Clause
"""Every sampler of the package by name, built for chains of given temperatures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

import spinodal as sp
from spinodal.samplers.mixed import MixedSampler, Part
from spinodal.samplers.protocol import Key

Array = npt.NDArray[Any]


def parallel_tempering(model: sp.IsingModel, temperature: Array, **options: Any) -> sp.ParallelTempering:
    """Ladders of all the temperatures there are."""
    return sp.ParallelTempering(model, np.unique(temperature), **options)


def mixed(model: sp.IsingModel, temperature: Array, **options: Any) -> MixedSampler:
    """Thirds of the chains, of unlike methods, two of them with several updates a step."""
    n = len(temperature)
    bounds = [0, n // 3, 2 * n // 3, n]
    kinds = [(sp.SwendsenWang, 1), (sp.Metropolis, 4), (sp.Wolff, 3)]
    parts = [
        Part(kind(model, temperature[start:stop], **options), start, stop, updates)
        for (kind, updates), start, stop in zip(kinds, bounds, bounds[1:], strict=False)
    ]
    return MixedSampler(parts)


SAMPLERS: dict[str, Callable[..., Any]] = {
    "metropolis": sp.Metropolis,
    "heat_bath": sp.HeatBath,
    "wolff": sp.Wolff,
    "swendsen_wang": sp.SwendsenWang,
    "parallel_tempering": parallel_tempering,
    "mixed": mixed,
    "auto": sp.sampler,
}
"""Name: (model, temperature of each chain, **options) → sampler. Ladders are the temperatures, repeated."""


def advance(
    sampler: Any, key: Key, state: Any, *counts: int, n_threads: int | None = 1
) -> tuple[Any, dict[str, Array]]:
    """State after calls of so many steps each, and the sums of their diagnostics."""
    totals: dict[str, Array] = {}
    for count in counts:
        state, info = sampler.step(key, state, count, n_threads=n_threads)
        assert all(values.shape == (len(state.draws),) for values in info.values())
        totals = {name: totals.get(name, 0) + values for name, values in info.items()}
        key = key.at(key.step + count)
    return state, totals


def assert_same(one: dict[str, Array], other: dict[str, Array]) -> None:
    """Equal arrays under equal names."""
    assert one.keys() == other.keys()
    for name, array in one.items():
        assert array.dtype == other[name].dtype, name
        np.testing.assert_array_equal(array, other[name], err_msg=name)
