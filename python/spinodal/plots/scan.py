# SPDX-License-Identifier: BSD-3-Clause
"""One system at several temperatures: every estimate beside its exact value, each computed once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from spinodal import exact
from spinodal.analysis import Curve, Estimate, compare_exact, estimate_observable
from spinodal.analysis.arrays import FloatArray, SamplesLike, at_temperature, lattice_shape, temperatures
from spinodal.systems.ising import IsingModel

CURVE_POINTS = 240


@dataclass(frozen=True)
class Scan:
    """The estimates of one system over temperature, and the exact solution where there is one.

    Parameters
    ----------
    samples : Samples
        Chains at one or more temperatures.
    """

    samples: SamplesLike
    temperature: FloatArray = field(init=False)
    model: IsingModel = field(init=False)
    _estimates: dict[str, tuple[Estimate, ...]] = field(init=False, default_factory=dict)
    _exact: dict[str, FloatArray | None] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "temperature", temperatures(self.samples))
        object.__setattr__(self, "model", model_of(self.samples))

    @classmethod
    def of(cls, samples: SamplesLike | Scan) -> Scan:
        """Return a scan of samples, or the scan itself."""
        return samples if isinstance(samples, Scan) else cls(samples)

    @property
    def label(self) -> str:
        """The lattice, as in "L = 32" or "24 × 40"."""
        return lattice_label(self.model.shape)

    def estimates(self, name: str) -> tuple[Estimate, ...]:
        """Return an observable's estimate at each temperature."""
        if name not in self._estimates:
            self._estimates[name] = tuple(estimate_observable(self.samples, name, float(t)) for t in self.temperature)
        return self._estimates[name]

    def curve(self, name: str) -> Curve:
        """Return the same as arrays."""
        found = self.estimates(name)
        mean, stderr, ess = (np.array([getattr(e, key) for e in found]) for key in ("mean", "stderr", "ess"))
        return Curve(self.temperature, mean, stderr, ess, tuple(e.reason for e in found), sum(e.n for e in found))

    def at(self, temperature: float) -> SamplesLike:
        """Return the chains at one temperature."""
        return at_temperature(self.samples, temperature)

    def nearest(self, temperature: float) -> float:
        """Return the sampled temperature nearest to one."""
        return float(self.temperature[np.argmin(np.abs(self.temperature - temperature))])

    def exact(self, name: str, temperature: FloatArray | None = None) -> FloatArray | None:
        """Return an observable's exact values, at the scan's temperatures unless others are given; None if unknown."""
        if temperature is not None:
            return self._solve(name, temperature)
        if name not in self._exact:
            self._exact[name] = self._solve(name, self.temperature)
        return self._exact[name]

    def _solve(self, name: str, temperature: FloatArray) -> FloatArray | None:
        solve = _EXACT.get(name)
        if solve is None or self.model.ndim != 2 or self.model.h != 0:
            return None
        try:
            return solve(self.model, temperature)
        except ValueError:  # J < 0 on a large lattice of two odd lengths
            return None

    def deviations(self, name: str) -> FloatArray | None:
        """Return (estimate - exact)/stderr at each temperature, nan where the error is unknown; None if unknown."""
        values = self.exact(name)
        if values is None:
            return None
        pairs = zip(self.estimates(name), values, strict=True)
        return np.array([compare_exact(e, float(x)) for e, x in pairs])

    def fine_temperatures(self) -> FloatArray:
        """Return temperatures for smooth curves, dense where the scan is."""
        low, high = float(self.temperature[0]), float(self.temperature[-1])
        pad = 0.02 * (high - low) or 0.05 * low
        even = np.linspace(max(low - pad, 1e-3), high + pad, CURVE_POINTS)
        return np.unique(np.concatenate([even, self.temperature]))


def scans_of(samples: SamplesLike | Scan | Sequence[SamplesLike | Scan]) -> list[Scan]:
    """Return the scans of one ``Samples`` or of several, by size.

    Raises
    ------
    ValueError
        If there is none.
    """
    given: Sequence[Any] = samples if isinstance(samples, Sequence) else [samples]
    if not given:
        raise ValueError("no samples were given")
    return sorted((Scan.of(s) for s in given), key=lambda scan: scan.model.n_sites)


def model_of(samples: SamplesLike) -> IsingModel:
    """Return the Ising model that samples are of.

    Raises
    ------
    ValueError
        If their provenance does not say what J and h were.
    """
    system = samples.provenance.get("system") or {}
    if not {"J", "h"} <= set(system):
        raise ValueError("these samples are not of an Ising model: provenance['system'] has no J and h")
    return IsingModel(lattice_shape(samples), J=float(system["J"]), h=float(system["h"]))


def lattice_label(shape: Sequence[int]) -> str:
    """Return "L = 32" for equal lengths in two dimensions, "24 × 40" or "16³" for others."""
    if len(set(shape)) > 1:
        return " × ".join(map(str, shape))
    return f"L = {shape[0]}" if len(shape) == 2 else f"{shape[0]}³"


def _energy(model: IsingModel, temperature: FloatArray) -> FloatArray:
    return np.asarray(exact.kaufman(_pair(model), temperature, J=model.J).energy_per_site)


def _heat_capacity(model: IsingModel, temperature: FloatArray) -> FloatArray:
    return np.asarray(exact.kaufman(_pair(model), temperature, J=model.J).heat_capacity_per_site)


def _pair(model: IsingModel) -> tuple[int, int]:
    return model.shape[0], model.shape[1]


_EXACT: dict[str, Callable[[IsingModel, FloatArray], FloatArray]] = {
    "energy_per_site": _energy,
    "heat_capacity": _heat_capacity,
}
