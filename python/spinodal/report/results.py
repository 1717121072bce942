# SPDX-License-Identifier: BSD-3-Clause
"""What a report says in numbers: agreement with the exact solution, the critical point, doubtful estimates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from spinodal.analysis import BinderCrossing, MultiHistogram, binder_crossing
from spinodal.plots.binder import combine_near
from spinodal.plots.scan import Scan
from spinodal.samples import Samples

OBSERVABLES = ("energy_per_site", "heat_capacity", "abs_magnetization", "susceptibility", "binder_cumulant")
MAGNETIC = ("abs_magnetization", "susceptibility", "binder_cumulant")
_NEAR = 0.035  # temperatures this near to Tc, relatively, are combined to find the crossing


@dataclass(frozen=True)
class Result:
    """One lattice, sampled.

    Attributes
    ----------
    samples : Samples
    seconds : float or None
        Wall time of the sampling, if known.
    """

    samples: Samples
    scan: Scan
    seconds: float | None = None

    @classmethod
    def of(cls, samples: Samples, seconds: float | None = None) -> Result:
        """Return a result with its scan."""
        return cls(samples, Scan(samples), seconds)

    @property
    def updates(self) -> int | None:
        """Attempted spin updates of the whole run, None where a step has no fixed number of them."""
        made = self.samples.provenance
        sampler = made.get("sampler", {})
        chains = sampler.get("parts") or [{"chains": [0, self.samples.n_chains], **sampler}]
        methods = {str(part.get("method", sampler.get("method"))) for part in chains}
        if methods & {"Wolff", "None"} or "n_steps" not in made:
            return None
        sweeps = sum((p["chains"][1] - p["chains"][0]) * p.get("updates_per_step", 1) for p in chains)
        sweeps *= int(sampler.get("swap_every", 1))
        return int(sweeps * self.scan.model.n_sites * (made["n_steps"] + made["burn_in"]))


@dataclass(frozen=True)
class Agreement:
    """How far measured values are from the exact ones, all temperatures and lattices together.

    Attributes
    ----------
    name : str
    n : int
        Reliable estimates compared.
    chi2, p_value : float
        Σ z² of z = (measured − exact)/σ, and the chance of a greater one.
    worst : float
        The z of largest size, at temperature ``worst_at`` of the lattice ``worst_of``.
    """

    name: str
    n: int
    chi2: float
    p_value: float
    worst: float
    worst_at: float
    worst_of: str

    def passes(self, sigma: float = 5.0, p_least: float = 1e-6) -> bool:
        """Tell whether nothing speaks against the samples being exact."""
        return self.n > 0 and abs(self.worst) < sigma and self.p_value > p_least


def agreement(scans: Sequence[Scan], name: str) -> Agreement | None:
    """Compare an observable with its exact values; None if there is none. Unreliable estimates are left out."""
    found: list[tuple[float, float, str]] = []
    known = False
    for scan in scans:
        z = scan.deviations(name)
        if z is None:
            continue
        known = True
        flags = [e.reliable for e in scan.estimates(name)]
        rows = zip(z.tolist(), scan.temperature.tolist(), flags, strict=True)
        found += [(value, t, scan.label) for value, t, good in rows if good and math.isfinite(value)]
    if not known:
        return None
    worst = max(found, key=lambda row: abs(row[0]), default=(math.nan, math.nan, ""))
    chi2 = sum(row[0] ** 2 for row in found)
    return Agreement(name, len(found), chi2, chi2_survival(chi2, len(found)), *worst)


def chi2_survival(chi2: float, dof: int) -> float:
    """Return the chance that χ² of ``dof`` degrees of freedom exceeds ``chi2``.

    Q(a, x) with x = χ²/2: Q(1/2, x) = erfc √x, Q(1, x) = e^(−x), and Q(a + 1, x) = Q(a, x) + x^a e^(−x)/Γ(a + 1).
    """
    if dof < 1:
        return math.nan
    x = chi2 / 2
    if x <= 0:
        return 1.0
    a = 0.5 if dof % 2 else 1.0
    q = math.erfc(math.sqrt(x)) if dof % 2 else math.exp(-x)
    while 2 * a < dof:
        q += math.exp(a * math.log(x) - x - math.lgamma(a + 1))
        a += 1
    return min(q, 1.0)


@dataclass(frozen=True)
class CriticalPoint:
    """Where the Binder cumulants of the lattices cross.

    Attributes
    ----------
    crossing : BinderCrossing
    curves : dict of int to MultiHistogram
        By number of sites.
    expected : float
        The known critical temperature.
    """

    crossing: BinderCrossing
    curves: dict[int, MultiHistogram]
    expected: float

    @property
    def deviation(self) -> float:
        """Distance of the estimate from the known value, in σ."""
        found = self.crossing.critical_temperature
        return (found.mean - self.expected) / found.stderr


def critical_point(scans: Sequence[Scan]) -> CriticalPoint | None:
    """Locate Tc by the crossing of two or more lattices; None where there is none to be found."""
    model = scans[0].model
    if len(scans) < 2 or model.h != 0 or model.J <= 0 or len({s.model.ndim for s in scans}) > 1:
        return None
    curves: dict[int, MultiHistogram] = {}
    for scan in scans:
        combined = combine_near(scan, model.critical_temperature, _reach(scan))
        if combined is not None:
            curves[scan.model.n_sites] = combined
    if len(curves) < 2:
        return None
    try:
        crossing = binder_crossing(list(curves.values()))
    except ValueError:  # no common range
        return None
    if not math.isfinite(crossing.critical_temperature.mean):
        return None
    return CriticalPoint(crossing, curves, model.critical_temperature)


def _reach(scan: Scan) -> float:
    """Return how far from Tc temperatures are taken: near ones, but at least one on each side."""
    distance = scan.temperature - scan.model.critical_temperature
    below, above = distance[distance <= 0], distance[distance > 0]
    nearest = max((-below.max(), above.min())) if below.size and above.size else 0.0
    return float(max(_NEAR * scan.model.critical_temperature, nearest))


@dataclass(frozen=True)
class Doubt:
    """An estimate that is not to be trusted, and why."""

    lattice: str
    temperature: float
    name: str
    reason: str


def doubts(scans: Sequence[Scan], names: Sequence[str] = OBSERVABLES) -> list[Doubt]:
    """Return every estimate marked unreliable."""
    return [
        Doubt(scan.label, float(t), name, estimate.reason)
        for scan in scans
        for name in names
        for t, estimate in zip(scan.temperature, scan.estimates(name), strict=True)
        if not estimate.reliable
    ]
