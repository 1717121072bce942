# SPDX-License-Identifier: BSD-3-Clause
"""The critical temperature from the crossing of Binder cumulants of different sizes.

U4(T, L) = 1 - <m⁴>/(3 <m²>²) rises with L below T_c and falls with L above; curves of sizes L < L' cross at a
T*(L, L') that tends to T_c as L^(-1/ν - ω), without any exponent to be known.

References
----------
K. Binder, Z. Phys. B 43, 119 (1981); A. M. Ferrenberg, J. Xu, D. P. Landau, Phys. Rev. E 97, 043301 (2018).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from spinodal.analysis.arrays import FloatArray, SamplesLike
from spinodal.analysis.estimates import Estimate
from spinodal.analysis.multihistogram import MultiHistogram, binder_function
from spinodal.analysis.resampling import delete_block

GRID = 1001


@dataclass(frozen=True)
class PairCrossing:
    """Where the cumulants of two sizes cross.

    Attributes
    ----------
    n_sites : tuple of int
        Sites of the smaller and of the larger system.
    temperature, cumulant : Estimate
        The crossing's place and height.
    """

    n_sites: tuple[int, int]
    temperature: Estimate
    cumulant: Estimate


@dataclass(frozen=True)
class BinderCrossing:
    """Crossings of successive sizes, smallest first.

    Attributes
    ----------
    pairs : tuple of PairCrossing
    """

    pairs: tuple[PairCrossing, ...]

    @property
    def critical_temperature(self) -> Estimate:
        """T* of the two largest sizes; its error is statistical."""
        return self.pairs[-1].temperature

    @property
    def drift(self) -> float:
        """T* of the last pair less that of the one before: the scale of finite-size corrections; nan for one pair."""
        if len(self.pairs) < 2:
            return math.nan
        return self.pairs[-1].temperature.mean - self.pairs[-2].temperature.mean


def binder_crossing(
    systems: Sequence[SamplesLike | MultiHistogram], window: tuple[float, float] | None = None
) -> BinderCrossing:
    """Locate the critical temperature by the crossings of U4(T) of successive sizes.

    Each size's temperatures are combined by ``MultiHistogram``; the crossing is found anew for every jackknife
    replica of either size, and the variances add.

    Parameters
    ----------
    systems : sequence of Samples or MultiHistogram
        Two or more sizes, each with several temperatures around the crossing.
    window : (float, float), optional
        Temperatures to search; default the range that all sizes share.

    Returns
    -------
    BinderCrossing

    Raises
    ------
    ValueError
        With fewer than two distinct sizes, or no common range of temperatures.
    """
    curves = [s if isinstance(s, MultiHistogram) else MultiHistogram.from_samples(s) for s in systems]
    curves.sort(key=lambda c: c.n_sites)
    if len({c.n_sites for c in curves}) != len(curves) or len(curves) < 2:
        raise ValueError(f"two or more distinct sizes are needed; got {[c.n_sites for c in curves]} sites")
    low, high = window or (max(c.temperatures[0] for c in curves), min(c.temperatures[-1] for c in curves))
    if not 0.0 < low < high:
        raise ValueError(f"no range of temperatures to search: {low:g} to {high:g}")
    t = np.linspace(low, high, GRID)
    return BinderCrossing(tuple(_pair(a, b, t) for a, b in pairwise(curves)))


def _pair(small: MultiHistogram, large: MultiHistogram, t: FloatArray) -> PairCrossing:
    u, v = (c.replicas(binder_function, ("m2", "m4"), t) for c in (small, large))
    full = crossing(t, u[0], v[0])
    from_small = np.array([crossing(t, row, v[0]) for row in u[1:]])
    from_large = np.array([crossing(t, u[0], row) for row in v[1:]])
    first, var_first = delete_block(full, from_small, small.block_sizes)
    second, var_second = delete_block(full, from_large, large.block_sizes)
    mean, stderr = first + second - full, np.sqrt(var_first + var_second)
    n = sum(c.evaluate(binder_function, ("m2", "m4"), t[:1]).n for c in (small, large))
    reason = _reason(small, large, full[0])
    place, height = (Estimate(float(m), float(s), n=n).failing(reason) for m, s in zip(mean, stderr, strict=True))
    return PairCrossing((small.n_sites, large.n_sites), place, height)


def _reason(small: MultiHistogram, large: MultiHistogram, temperature: float) -> str:
    if not math.isfinite(temperature):
        return "the cumulants do not cross in the range of temperatures"
    found = [c.evaluate(binder_function, ("m2", "m4"), temperature).reasons[0] for c in (small, large)]
    return "; ".join(f for f in found if f)


def crossing(t: FloatArray, small: FloatArray, large: FloatArray) -> FloatArray:
    """Return (T*, U*) where ``large`` falls below ``small``; nan if nowhere within the range.

    Of several sign changes, which noise makes where both are flat, the one is taken that best separates
    ``large`` > ``small`` on its left from ``large`` < ``small`` on its right.
    """
    difference = large - small
    split = int(np.argmax(np.cumsum(difference)))
    if difference[split] <= 0.0 or split + 1 == t.size:
        return np.array([math.nan, math.nan])
    part = difference[split] / (difference[split] - difference[split + 1])
    return np.array([a[split] + part * (a[split + 1] - a[split]) for a in (t, small)])
