# SPDX-License-Identifier: BSD-3-Clause
"""What there is to say of a sampled fluid: rows of numbers beside NIST's, and whether they agree."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from spinodal.analysis import Estimate, estimate
from spinodal.analysis.arrays import SamplesLike
from spinodal.report.nist import NAME, Reference, reference
from spinodal.report.results import Agreement, chi2_survival
from spinodal.report.tables import FAR, Cell, Row, minus, quality_cells, signed
from spinodal.samples import Samples

TITLES = {
    "energy_with_tail": "U/N",
    "energy_per_site": "U/N",
    "pressure_with_tail": "p",
    "pressure": "p",
    "kinetic_temperature": "T of velocities",
    "isochoric_heat_capacity": "c_V",
    "acceptance": "accepted",
}


@dataclass(frozen=True)
class FluidResult:
    """A fluid, sampled.

    Attributes
    ----------
    samples : Samples
        Of Lennard-Jones particles in a box, at one or more temperatures.
    seconds : float or None
        Wall time of the sampling, if known.
    """

    samples: Samples
    seconds: float | None = None

    @property
    def system(self) -> Mapping[str, Any]:
        """The system's description."""
        found: Mapping[str, Any] = self.samples.provenance["system"]
        return found

    @property
    def sampler(self) -> Mapping[str, Any]:
        """The sampler's description."""
        found: Mapping[str, Any] = self.samples.provenance.get("sampler", {})
        return found

    @property
    def density(self) -> float:
        """Particles by volume."""
        return float(self.system["n_particles"] / math.prod(self.system["box"]))

    @property
    def label(self) -> str:
        """The fluid, as in "N = 4000, ρ = 0.8442"."""
        return f"N = {self.system['n_particles']}, ρ = {self.density:.6g}"

    @property
    def keeps_energy(self) -> bool:
        """Whether the dynamics is that of constant energy: its temperature is not the one that was asked for."""
        return bool(self.sampler.get("method") == "VelocityVerlet")

    @property
    def names(self) -> tuple[str, ...]:
        """The observables of the table; with tails where these belong to the potential."""
        tail = self.system["shift"] == "truncated" and not self.system["softening"]
        info = self.samples.info
        own = [name for name in ("kinetic_temperature", "acceptance") if _SOURCE[name] in info]
        heat = () if self.keeps_energy else ("isochoric_heat_capacity",)
        return (("energy_with_tail", "pressure_with_tail") if tail else ("energy_per_site", "pressure")) + (*heat, *own)

    def at(self, temperature: float) -> Samples:
        """Return the chains at one temperature."""
        return self.samples.select(temperature=temperature)

    @cached_property
    def estimates(self) -> dict[float, dict[str, Estimate]]:
        """The estimates at each temperature, by name."""
        found: dict[float, dict[str, Estimate]] = {}
        for t in self.samples.temperatures.tolist():
            chains = self.at(t)
            found[t] = {name: self._estimate(chains, name) for name in self.names}
        return found

    def _estimate(self, chains: Samples, name: str) -> Estimate:
        if name not in _SOURCE:
            return chains.estimate(name)
        thin = int(self.samples.provenance["thin"])
        return estimate(np.asarray(chains.info[_SOURCE[name]]) / thin * self._factor(name))

    def _factor(self, name: str) -> float:
        n_particles, dim = self.system["shape"]
        if name == "kinetic_temperature":
            return float(2.0 / (dim * (n_particles - self.keeps_energy)))
        # Local moves count those of each particle.
        return 1.0 / n_particles if "LocalMoves" in (self.sampler.get("method"), self.sampler.get("over")) else 1.0

    def reference(self, temperature: float) -> dict[str, Reference]:
        """Return NIST's values at one temperature."""
        return {} if self.keeps_energy else reference(self.system, temperature)

    def deviation(self, temperature: float, name: str) -> float:
        """Return how far an estimate is from NIST's value, in units of both errors together; nan if there is none."""
        known = self.reference(temperature).get(name)
        if known is None:
            return math.nan
        found = self.estimates[temperature][name]
        return (found.mean - known.value) / math.hypot(found.stderr, known.error)


_SOURCE = {"kinetic_temperature": "kinetic_energy", "acceptance": "accepted"}


def is_fluid(samples: SamplesLike) -> bool:
    """Tell samples of Lennard-Jones particles in a box."""
    system = samples.provenance.get("system", {})
    return bool(system.get("kind") == "lennard_jones" and system.get("box") is not None)


def header(result: FluidResult) -> list[str]:
    """Return the titles of the columns after the temperature's."""
    titles: list[str] = []
    for name in result.names:
        titles.append(TITLES[name])
        if _is_known(result, name):
            titles += [NAME, "σ"]
    return [*titles, "τ_int U", "ESS", "R̂"]


def rows(result: FluidResult) -> Iterator[Row]:
    """Yield the row of each temperature."""
    for t, estimates in result.estimates.items():
        cells: list[Cell] = []
        reasons: dict[str, list[str]] = {}
        for name, found in estimates.items():
            cells.append(Cell(minus(str(found)) + ("" if found.reliable else " ?")))
            if _is_known(result, name):
                cells += _beside_nist(result, t, name)
            if not found.reliable:
                reasons.setdefault(found.reason, []).append(TITLES[name])
        cells += quality_cells(estimates[result.names[0]])
        doubt = "; ".join(f"{', '.join(names)}: {reason}" for reason, names in reasons.items())
        yield Row(f"{t:.6g}", tuple(cells), doubt)


def _is_known(result: FluidResult, name: str) -> bool:
    return any(name in result.reference(t) for t in result.estimates)


def _beside_nist(result: FluidResult, temperature: float, name: str) -> list[Cell]:
    known, z = result.reference(temperature).get(name), result.deviation(temperature, name)
    if known is None:
        return [Cell("–"), Cell("–")]
    return [Cell(minus(f"{known.value:.5g}")), Cell(signed(z), abs(z) > FAR)]


def agreement(result: FluidResult) -> list[Agreement]:
    """Compare energy and pressure with NIST's values, all temperatures together; unreliable ones are left out."""
    checks = []
    for name in result.names[:2]:
        found = [
            (z, t) for t, estimates in result.estimates.items()
            if estimates[name].reliable and math.isfinite(z := result.deviation(t, name))
        ]  # fmt: skip
        if found:
            worst = max(found, key=lambda pair: abs(pair[0]))
            chi2 = sum(z * z for z, _ in found)
            checks.append(Agreement(name, len(found), chi2, chi2_survival(chi2, len(found)), *worst, result.label))
    return checks
