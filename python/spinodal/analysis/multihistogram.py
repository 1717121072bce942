# SPDX-License-Identifier: BSD-3-Clause
"""Multi-histogram reweighting: the draws of several temperatures, combined, give averages at any between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Self

import numpy as np
import numpy.typing as npt

from spinodal.analysis import arrays
from spinodal.analysis.arrays import FloatArray, SamplesLike, as_chains
from spinodal.analysis.curve import Curve
from spinodal.analysis.levels import level_table
from spinodal.analysis.mbar import first_guess, log_mixture, overlap, solve_mbar
from spinodal.analysis.observables import observable
from spinodal.analysis.resampling import delete_block
from spinodal.analysis.weights import FEWEST_EFFECTIVE

LEAST_OVERLAP = 0.03
MAGNETIC = ("abs_magnetization", "m2", "m4")


class MultiHistogram:
    """All temperatures' draws combined by the multi-histogram (WHAM, MBAR) equations, on exact energy levels.

    Methods take one temperature or several and return a ``Curve``; ``curve[0]`` is its first ``Estimate``. Errors
    are from a jackknife that solves the equations anew without each block. Each draw counts 1/(2 τ), which is
    nearly optimal.

    Parameters
    ----------
    energies : sequence of array_like, each (n_chains, n_draws)
        Total energies, one array for each temperature.
    temperatures : sequence of float
        Positive and distinct.
    observables : mapping of str to sequence of array_like, optional
        Further series of the same shapes; "m2" and "m4" are needed for ``binder_cumulant``.
    n_sites : int
        For quantities per site.
    n_blocks : int
        Jackknife blocks wanted.
    effective : bool
        False counts every draw 1, as plain MBAR does.

    References
    ----------
    Ferrenberg and Swendsen (1989), doi:10.1103/PhysRevLett.63.1195; Shirts and Chodera (2008),
    doi:10.1063/1.2978177.
    """

    def __init__(
        self,
        energies: Sequence[npt.ArrayLike],
        temperatures: Sequence[float] | FloatArray,
        observables: Mapping[str, Sequence[npt.ArrayLike]] | None = None,
        *,
        n_sites: int = 1,
        n_blocks: int = 64,
        effective: bool = True,
    ) -> None:
        chains, series = _checked(energies, observables or {})
        order = _order(temperatures, len(chains))
        self.temperatures = np.asarray(temperatures, dtype=np.float64)[order]
        self.n_sites = n_sites
        chains = [chains[k] for k in order]
        series = {name: [s[k] for k in order] for name, s in series.items()}
        self._table = level_table(chains, self.temperatures, series, max(n_blocks, 2), effective)
        # Energies from the middle of the range keep exponents, and so rounding errors, small.
        self._origin = float(0.5 * (self._table.energy[0] + self._table.energy[-1]))
        self._energy = self._table.energy - self._origin
        self._solve()

    @classmethod
    def from_samples(
        cls,
        samples: SamplesLike | Sequence[SamplesLike],
        observables: Sequence[str] = MAGNETIC,
        *,
        n_blocks: int = 64,
        effective: bool = True,
    ) -> Self:
        """Combine all temperatures of a ``Samples``, or of several of one system."""
        parts = list(samples) if isinstance(samples, Sequence) else [samples]
        if any(p.log_weights is not None for p in parts):
            raise ValueError("samples with importance weights are not Boltzmann distributed: cannot combine them")
        split = [(t, arrays.at_temperature(p, float(t))) for p in parts for t in arrays.temperatures(p)]
        return cls(
            [p.energy for _, p in split],
            [float(t) for t, _ in split],
            {name: [observable(p, name) for _, p in split] for name in observables},
            n_sites=arrays.n_sites(parts[0]),
            n_blocks=n_blocks,
            effective=effective,
        )

    def _solve(self) -> None:
        beta, table = 1.0 / self.temperatures, self._table
        n, counts = table.n.sum(axis=0), table.counts.sum(axis=0)
        f = solve_mbar(beta, n, self._energy, counts, first_guess(beta, table.mean_energy - self._origin))
        log_d = log_mixture(beta, n, f, self._energy)
        self._f, self._log_d, self._ratio = f, log_d, np.ones((table.n.shape[0] + 1, log_d.size))
        for j, (nj, cj) in enumerate(zip(n - table.n, counts - table.counts, strict=True)):
            fj = solve_mbar(beta, nj, self._energy, cj, f)
            self._ratio[j + 1] = np.exp(log_d - log_mixture(beta, nj, fj, self._energy))
        neighbours = np.diag(overlap(beta, n, self._energy, counts, f), 1)
        self._gaps = [
            f"T = {self.temperatures[k]:g} and {self.temperatures[k + 1]:g} overlap by {neighbours[k]:.2g} only"
            for k in np.flatnonzero(neighbours < LEAST_OVERLAP)
        ]

    def _left_out(self, blocks: FloatArray) -> FloatArray:
        """Return sums of all blocks, then of all but each, over D, in units of D of all; (n_blocks + 1, n_levels)."""
        total = blocks.sum(axis=0)
        result: FloatArray = np.concatenate([total[None], total - blocks]) * self._ratio
        return result

    def _series(self, name: str) -> FloatArray:
        if name in ("energy", "energy_squared"):
            return self._table.counts * self._energy ** (1 if name == "energy" else 2)
        if name not in self._table.sums:
            raise ValueError(f"no observable {name!r} was given; there are {', '.join(self._table.sums) or 'none'}")
        return self._table.sums[name]

    def replicas(
        self, function: Callable[..., FloatArray], names: Sequence[str], temperature: FloatArray
    ) -> FloatArray:
        """Return f(β, <A>, <B>, …) of all data, then without each block; shape (n_blocks + 1, n_temperatures).

        ``function`` works on arrays. The names "energy" and "energy_squared" are moments about a fixed energy.
        """
        beta = 1.0 / temperature
        log_x = -beta[:, None] * self._energy - self._log_d
        x = np.exp(log_x - log_x.max(axis=1, keepdims=True))
        norm = self._left_out(self._table.counts) @ x.T
        return function(beta, *(self._left_out(self._series(name)) @ x.T / norm for name in names))

    def evaluate(self, function: Callable[..., FloatArray], names: Sequence[str], temperature: npt.ArrayLike) -> Curve:
        """Return the curve of f(β, <A>, <B>, …), see ``replicas``, with jackknife errors."""
        t = _checked_temperatures(temperature)
        values = self.replicas(function, names, t)
        return self._curve(t, values, self._few(t))

    def _curve(self, t: FloatArray, values: FloatArray, reasons: list[str]) -> Curve:
        mean, variance = delete_block(values[0], values[1:], self._table.n.sum(axis=1))
        found = tuple("; ".join(r for r in (self._table.reason, reason) if r) for reason in reasons)
        return Curve(t, mean, np.sqrt(variance), self._kish(t), found, self._table.n_draws)

    def _kish(self, t: FloatArray) -> FloatArray:
        log_x = -self._energy / t[:, None] - self._log_d
        x = np.exp(log_x - log_x.max(axis=1, keepdims=True))
        counts = self._table.counts.sum(axis=0)
        result: FloatArray = (x @ counts) ** 2 / ((x * x) @ counts)
        return result

    def _few(self, t: FloatArray) -> list[str]:
        return [
            f"only {ess:.3g} effective draws at T = {value:g}" if ess < FEWEST_EFFECTIVE else ""
            for value, ess in zip(t, self._kish(t), strict=True)
        ]

    @property
    def free_energies(self) -> FloatArray:
        """f_k = -ln Z(T_k) + ln Z(T_0) of all data together, without bias correction, shape (n_temperatures,)."""
        shift = self._origin * (1.0 / self.temperatures - 1.0 / self.temperatures[0])
        return np.asarray(self._f + shift, dtype=np.float64)

    @property
    def block_sizes(self) -> FloatArray:
        """Weighted number of draws in each jackknife block, shape (n_blocks,)."""
        result: FloatArray = self._table.n.sum(axis=1)
        return result

    def log_z(self, temperature: npt.ArrayLike, reference: float | None = None) -> Curve:
        """Return ln Z(T) - ln Z(T_ref), T_ref the lowest temperature unless given."""
        t = _checked_temperatures(temperature)
        both = np.append(t, self.temperatures[0] if reference is None else reference)
        log_x = -self._energy / both[:, None] - self._log_d
        top = log_x.max(axis=1)
        norm = self._left_out(self._table.counts) @ np.exp(log_x - top[:, None]).T
        log_z = np.log(norm) + top - self._origin / both
        reasons = ["; ".join([*self._gaps, few] if few else self._gaps) for few in self._few(t)]
        return self._curve(t, log_z[:, :-1] - log_z[:, -1:], reasons)

    def mean(self, name: str, temperature: npt.ArrayLike) -> Curve:
        """Return <O> of an observable by name."""
        return self.evaluate(lambda _, o: o, (name,), temperature)

    def energy(self, temperature: npt.ArrayLike) -> Curve:
        """Return the mean total energy."""
        return self.evaluate(lambda _, e: e + self._origin, ("energy",), temperature)

    def energy_per_site(self, temperature: npt.ArrayLike) -> Curve:
        """Return the mean energy per site."""
        return self.evaluate(lambda _, e: (e + self._origin) / self.n_sites, ("energy",), temperature)

    def heat_capacity(self, temperature: npt.ArrayLike) -> Curve:
        """Return the heat capacity per site, β² (<E²> - <E>²)/N."""

        def function(beta: FloatArray, e: FloatArray, e2: FloatArray) -> FloatArray:
            result: FloatArray = beta**2 * (e2 - e * e) / self.n_sites
            return result

        return self.evaluate(function, ("energy", "energy_squared"), temperature)

    def susceptibility(self, temperature: npt.ArrayLike) -> Curve:
        """Return β N (<m²> - <|m|>²)."""

        def function(beta: FloatArray, m2: FloatArray, a: FloatArray) -> FloatArray:
            result: FloatArray = beta * self.n_sites * (m2 - a * a)
            return result

        return self.evaluate(function, ("m2", "abs_magnetization"), temperature)

    def binder_cumulant(self, temperature: npt.ArrayLike) -> Curve:
        """Return U4 = 1 - <m⁴>/(3 <m²>²)."""
        return self.evaluate(binder_function, ("m2", "m4"), temperature)


def binder_function(_: FloatArray, m2: FloatArray, m4: FloatArray) -> FloatArray:
    """Return U4 = 1 - m4/(3 m2²), elementwise."""
    result: FloatArray = 1.0 - m4 / (3.0 * m2 * m2)
    return result


def _checked_temperatures(temperature: npt.ArrayLike) -> FloatArray:
    t = np.atleast_1d(np.asarray(temperature, dtype=np.float64))
    if t.ndim != 1 or not (np.isfinite(t).all() and (t > 0.0).all()):
        raise ValueError(f"temperatures must be positive and finite, one or a list; got {temperature!r}")
    return t


def _order(given: Sequence[float] | FloatArray, n_energies: int) -> npt.NDArray[np.intp]:
    t = _checked_temperatures(given)
    if t.size != n_energies or np.unique(t).size != t.size:
        raise ValueError(f"one distinct temperature for each of {n_energies} series of energies; got {t.tolist()}")
    return np.argsort(t)


def _checked(
    energies: Sequence[npt.ArrayLike], observables: Mapping[str, Sequence[npt.ArrayLike]]
) -> tuple[list[FloatArray], dict[str, list[FloatArray]]]:
    chains = [as_chains(e, "energies") for e in energies]
    series = {name: [as_chains(s, name) for s in values] for name, values in observables.items()}
    for name, values in {"energies": chains, **series}.items():
        if [v.shape for v in values] != [c.shape for c in chains]:
            raise ValueError(f"{name} must have the shapes of the energies, {[c.shape for c in chains]}")
        if not all(np.isfinite(v).all() for v in values):
            raise ValueError(f"{name} are not all finite")
    return chains, series
