# SPDX-License-Identifier: BSD-3-Clause
"""Observables of a ``Samples`` by name: per-draw series, and functions of their means.

Units: energies as in the model, k_B = 1, β = 1/T; N is the number of sites and m = M/N.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from spinodal.analysis import thermodynamics
from spinodal.analysis.arrays import (
    AnyArray,
    Draws,
    FloatArray,
    SamplesLike,
    at_temperature,
    configurations,
    n_sites,
    one_temperature,
    over_draws,
)
from spinodal.analysis.estimates import Estimate, estimate
from spinodal.analysis.resampling import jackknife


@dataclass(frozen=True)
class Observable:
    """A number for every draw.

    ``series(samples)`` returns float64 of shape (n_chains, n_draws).
    """

    name: str
    description: str
    series: Callable[[SamplesLike], FloatArray]


@dataclass(frozen=True)
class DerivedObservable:
    """A function of the means of several series: it has no value for one draw.

    ``series(samples)`` returns the series; ``function(samples)`` the function of their means.
    """

    name: str
    description: str
    series: Callable[[SamplesLike], tuple[FloatArray, ...]]
    function: Callable[[SamplesLike], Callable[..., float]]


def total_magnetization(samples: SamplesLike) -> FloatArray:
    """Return M of every draw, from ``info["magnetization"]`` or else from the draws."""
    if "magnetization" in samples.info:
        return np.asarray(samples.info["magnetization"], dtype=np.float64)
    draws = configurations(samples)
    if draws is None:
        raise ValueError('samples have neither draws nor info["magnetization"]')
    if draws.shape[:2] != samples.energy.shape:  # only the last configurations were kept
        raise ValueError(f"draws of shape {draws.shape} do not cover all {samples.energy.shape} energies")
    return sum_over_lattice(draws)


def sum_over_lattice(draws: Draws) -> FloatArray:
    """Return the sum over all sites, (n_chains, n_draws), exact for integer spins."""
    lattice_axes = tuple(range(2 - draws.ndim, 0))
    # int32 holds 2^31 spins, and sums twice as fast as int64.
    dtype = np.int32 if np.issubdtype(draws.dtype, np.integer) else np.float64

    def total(array: AnyArray) -> FloatArray:
        return np.asarray(array.sum(axis=lattice_axes, dtype=dtype), dtype=np.float64)

    return over_draws(draws, total)


def _energy(samples: SamplesLike) -> FloatArray:
    return np.asarray(samples.energy, dtype=np.float64)


def _per_site(samples: SamplesLike) -> FloatArray:
    return total_magnetization(samples) / n_sites(samples)


def _moments_2_4(samples: SamplesLike) -> tuple[FloatArray, ...]:
    m2 = _per_site(samples) ** 2
    return m2, m2 * m2


def _energy_moments(samples: SamplesLike) -> tuple[FloatArray, ...]:
    # Moments about a constant near the mean: E² of a large lattice would cancel to nothing.
    shifted = _energy(samples) - float(np.median(samples.energy))
    return shifted, shifted * shifted


def binder(m2: float, m4: float) -> float:
    """Return Binder's cumulant U4 = 1 - <m⁴>/(3 <m²>²)."""
    return 1.0 - m4 / (3.0 * m2 * m2) if m2 > 0.0 else float("nan")


def _susceptibility(samples: SamplesLike) -> Callable[..., float]:
    factor = n_sites(samples) / one_temperature(samples)
    return lambda m2, abs_m: factor * (m2 - abs_m * abs_m)


def _susceptibility_m2(samples: SamplesLike) -> Callable[..., float]:
    factor = n_sites(samples) / one_temperature(samples)
    return lambda m2: factor * m2


def _heat_capacity(samples: SamplesLike) -> Callable[..., float]:
    factor = 1.0 / (one_temperature(samples) ** 2 * n_sites(samples))
    return lambda e, e2: factor * (e2 - e * e)


_DIRECT = (
    Observable("energy", "total energy E", _energy),
    Observable("energy_per_site", "E/N", lambda s: _energy(s) / n_sites(s)),
    Observable("magnetization", "M = Σ s, of the whole lattice", total_magnetization),
    Observable("magnetization_per_site", "m = M/N", _per_site),
    Observable("abs_magnetization", "|m|", lambda s: np.abs(_per_site(s))),
    Observable("m2", "m²", lambda s: _per_site(s) ** 2),
    Observable("pressure", "(N T + virial/d)/V of particles", thermodynamics.pressure),
    Observable("pressure_with_tail", "pressure with what is beyond the cutoff", thermodynamics.pressure_with_tail),
    Observable("energy_with_tail", "U/N with what is beyond the cutoff", thermodynamics.energy_with_tail),
    Observable("m4", "m⁴", lambda s: _per_site(s) ** 4),
)
_DERIVED = (
    DerivedObservable("binder_cumulant", "U4 = 1 - <m⁴>/(3<m²>²)", _moments_2_4, lambda _: binder),
    DerivedObservable(
        "susceptibility",
        "β N (<m²> - <|m|>²)",
        lambda s: (_per_site(s) ** 2, np.abs(_per_site(s))),
        _susceptibility,
    ),
    DerivedObservable("susceptibility_m2", "β N <m²>", lambda s: (_per_site(s) ** 2,), _susceptibility_m2),
    DerivedObservable("heat_capacity", "β² (<E²> - <E>²)/N", _energy_moments, _heat_capacity),
    DerivedObservable(
        "isochoric_heat_capacity",
        "d/2 + β² (<U²> - <U>²)/N of particles",
        _energy_moments,
        thermodynamics.isochoric_heat_capacity,
    ),
)

#: Every named observable; other packages may add their own.
OBSERVABLES: dict[str, Observable | DerivedObservable] = {o.name: o for o in (*_DIRECT, *_DERIVED)}


def observable(samples: SamplesLike, name: str) -> FloatArray:
    """Return an observable for every draw, float64 of shape (n_chains, n_draws).

    Names that are not in ``OBSERVABLES`` are looked up in ``samples.info``.

    Raises
    ------
    ValueError
        For an unknown name, and for a derived observable, which is a function of means.
    """
    found = OBSERVABLES.get(name)
    if isinstance(found, DerivedObservable):
        raise ValueError(f"{name} = {found.description} has no value for one draw: use estimate_observable")
    if found is not None:
        return found.series(samples)
    if name in samples.info:
        return np.asarray(samples.info[name], dtype=np.float64)
    raise ValueError(f"unknown observable {name!r}; known: {', '.join([*OBSERVABLES, *samples.info])}")


def estimate_observable(samples: SamplesLike, name: str, temperature: float | None = None) -> Estimate:
    """Estimate a direct or derived observable, with importance weights if the samples have them.

    Parameters
    ----------
    samples : Samples
    name : str
        A key of ``OBSERVABLES`` or of ``samples.info``.
    temperature : float, optional
        Use the chains at this temperature; needed when there are several.

    Raises
    ------
    ValueError
        For an unknown name, or when the chains have several temperatures and none is given.
    """
    if temperature is not None:
        samples = at_temperature(samples, temperature)
    one_temperature(samples)
    found = OBSERVABLES.get(name)
    if isinstance(found, DerivedObservable):
        return jackknife(found.function(samples), *found.series(samples), log_weights=samples.log_weights)
    return estimate(observable(samples, name), samples.log_weights)
