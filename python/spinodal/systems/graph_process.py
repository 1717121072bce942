# SPDX-License-Identifier: BSD-3-Clause
"""The linear diffusion process on a graph, as operators on fields."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from spinodal.backends.protocol import Floats, Reals
from spinodal.kernels.arguments import BackendName
from spinodal.kernels.graph import read_fields
from spinodal.systems.gaussian_fields import GaussianField
from spinodal.systems.graph_filters import FilterEngine, FilterInfo, Function, Method, Part
from spinodal.systems.graph_functions import Covariance, Ratio, Transition, log_phi
from spinodal.systems.graph_schedules import Rate, Schedule, ScheduleName
from spinodal.systems.laplacians import Laplacian


class LogDet(NamedTuple):
    """log det Σ of one channel, and its standard error: 0 where the spectrum is known."""

    value: float
    stderr: float


class Posterior(NamedTuple):
    """The law of S_s given S_t and S_0: its mean, and a sample where noise was given."""

    mean: Floats
    sample: Floats | None


class GraphProcess:
    r"""The process dS = −β A S dt + √(β q) dW on a graph, A = γL + λ.

    .. math::
        S_t = \Phi S_s + \Sigma^{1/2} \epsilon, \quad \Phi = e^{-\tau A}, \quad
        \Sigma = q \tau\, \varphi(2 \tau A), \quad \varphi(x) = (1 - e^{-x})/x, \quad \tau = \int_s^t \beta

    Fields are (B, N, d), (N, C) or (N,), float32 or float64; t is in [0, 1], one time or one a field (one a column of
    (N, C)). Every method takes ``n_threads`` and, with ``info=True``, also returns a :class:`FilterInfo`: method, terms, and
    a bound of the error relative to the norm of the result for a white field.

    Parameters
    ----------
    laplacian : Laplacian
    gamma, lam : float
        γ > 0 and λ >= 0. With λ = 0 constants on a component do not decay, and there is no stationary law.
    q : float
        Strength of the noise, > 0.
    schedule : {"linear", "cosine"} or function β(t)
    tol : float
        Of a filter's truncation, relative to the norm of its result.
    method : {"auto", "chebyshev", "grid", "fft", "blocks", "dense", "rational"}
    covariance : {"full", "diagonal"}
        "diagonal" keeps the diagonal of Σ alone, a cheap approximation: :meth:`diagonal_error` says how far off it is.
    backend : {"cpp", "numba"}, optional
    """

    def __init__(
        self,
        laplacian: Laplacian,
        gamma: float = 1.0,
        lam: float = 0.1,
        q: float = 1.0,
        schedule: ScheduleName | Rate = "linear",
        tol: float = 1e-6,
        method: Method = "auto",
        *,
        covariance: str = "full",
        backend: BackendName | None = None,
    ) -> None:
        if not isinstance(laplacian, Laplacian):
            raise TypeError(
                f"laplacian must be a Laplacian; got {type(laplacian).__name__} (graph_laplacian makes one of it)"
            )
        for name, value, least in (("gamma", gamma, False), ("lam", lam, True), ("q", q, False)):
            if not (math.isfinite(value) and (value >= 0 if least else value > 0)):
                raise ValueError(f"{name} must be finite and {'>=' if least else '>'} 0; got {value}")
        if covariance not in ("full", "diagonal"):
            raise ValueError(f"covariance must be 'full' or 'diagonal'; got {covariance!r}")
        self.laplacian = laplacian
        self.gamma, self.lam, self.q = float(gamma), float(lam), float(q)
        self.schedule = Schedule(schedule)
        self.covariance_mode = covariance
        self.engine = FilterEngine(laplacian, tol, method, backend)

    def __repr__(self) -> str:
        return f"GraphProcess({self.laplacian!r}, gamma={self.gamma:g}, lam={self.lam:g}, q={self.q:g})"

    def tau(self, t: Any) -> Any:
        """Return ∫₀ᵗ β; a float for one time."""
        value = self.schedule.tau(t)
        return float(value) if value.ndim == 0 else value

    def transition(self, t: Any, v: Any, s: Any = 0.0, **options: Any) -> Any:
        """Return Φ v = e^{−τ(s, t) A} v."""
        return self._filter([(self._transition(t, s), v)], t, s, options)

    def covariance(self, t: Any, v: Any, s: Any = 0.0, **options: Any) -> Any:
        """Return Σ v, of the noise that enters between s and t."""
        return self._filter([(self._sigma(t, 1.0, s), v)], t, s, options)

    def sqrt_covariance(self, t: Any, v: Any, s: Any = 0.0, **options: Any) -> Any:
        """Return Σ^½ v, symmetric."""
        return self._filter([(self._sigma(t, 0.5, s), v)], t, s, options)

    def whiten(self, t: Any, v: Any, s: Any = 0.0, **options: Any) -> Any:
        """Return Σ^{−½} v; t > s, since Σ is 0 at once."""
        self._check_noise(t, s, "whiten")
        return self._filter([(self._sigma(t, -0.5, s), v)], t, s, options)

    def precision(self, t: Any, v: Any, s: Any = 0.0, **options: Any) -> Any:
        """Return Σ^{−1} v; t > s."""
        self._check_noise(t, s, "precision")
        return self._filter([(self._sigma(t, -1.0, s), v)], t, s, options)

    def marginal_sample(self, t: Any, S0: Any, eps: Any, **options: Any) -> Any:
        """Return S_t = Φ S₀ + Σ^½ ε, both filters over one recurrence."""
        if self.covariance_mode == "diagonal":
            noise = self._spread(t, eps) * np.asarray(eps)
            return self.transition(t, S0, **options) + noise
        return self._filter([(self._transition(t), S0), (self._sigma(t, 0.5), eps)], t, 0.0, options)

    def score(self, t: Any, S: Any, S0: Any, **options: Any) -> Any:
        """Return ∇ log p(S_t | S₀) = −Σ^{−1} (S − Φ S₀); t > 0."""
        self._check_noise(t, 0.0, "score")
        inverse = self._sigma(t, -1.0)
        back = Ratio([(self._transition(t), 1.0), (inverse, 1.0)])
        return self._filter([(_negative(inverse), S), (back, S0)], t, 0.0, options)

    def score_from_eps(self, t: Any, eps: Any, **options: Any) -> Any:
        """Return the score −Σ^{−½} ε from the noise that made S_t; t > 0."""
        self._check_noise(t, 0.0, "score_from_eps")
        return self._filter([(_negative(self._sigma(t, -0.5)), eps)], t, 0.0, options)

    def reconstruct(self, t: Any, S: Any, eps: Any, **options: Any) -> Any:
        """Return S₀ = Φ^{−1} (S − Σ^½ ε).

        Φ^{−1} amplifies what rounding left in S by e^{τ λ_max(A)}: refused where that exceeds 10⁶ units.
        """
        worst = float(np.max(self.schedule.tau(t))) * (self.gamma * self.laplacian.lmax + self.lam)
        if worst > math.log(1e6):
            raise ValueError(
                f"Φ^(-1) would amplify rounding errors by e^{worst:.1f}; at most 1e6 = e^13.8 is taken: use a smaller t"
            )
        undo = Ratio([(self._transition(t), -1.0)])
        noise = Ratio([(self._transition(t), -1.0), (self._sigma(t, 0.5), 1.0)])
        return self._filter([(undo, S), (_negative(noise), eps)], t, 0.0, options)

    def posterior(self, s: Any, t: Any, S: Any, S0: Any, eps: Any = None, **options: Any) -> Posterior:
        r"""Return the law of S_s given S_t = S and S₀, s < t.

        .. math:: m = \Phi_{t|s} \Sigma_s \Sigma_t^{-1} S + \Phi_s \Sigma_{t|s} \Sigma_t^{-1} S_0, \qquad
            C = \Sigma_{t|s} \Sigma_s \Sigma_t^{-1}

        With noise ``eps`` the sample is m + C^½ ε.
        """
        self._check_noise(t, s, "posterior")
        step, sigma_s, inverse = self._sigma(t, 1.0, s), self._sigma(s, 1.0), self._sigma(t, -1.0)
        from_now = Ratio([(self._transition(t, s), 1.0), (sigma_s, 1.0), (inverse, 1.0)])
        from_start = Ratio([(self._transition(s), 1.0), (step, 1.0), (inverse, 1.0)])
        mean = self._filter([(from_now, S), (from_start, S0)], t, s, options)
        if eps is None:
            return Posterior(mean, None)
        spread = Ratio([(step, 0.5), (sigma_s, 0.5), (inverse, 0.5)])
        return Posterior(mean, mean + self._filter([(spread, eps)], t, s, options))

    def posterior_covariance(self, s: Any, t: Any, v: Any, **options: Any) -> Any:
        """Return C v of :meth:`posterior`."""
        self._check_noise(t, s, "posterior_covariance")
        factors = [(self._sigma(t, 1.0, s), 1.0), (self._sigma(s, 1.0), 1.0), (self._sigma(t, -1.0), 1.0)]
        return self._filter([(Ratio(factors), v)], t, s, options)

    def deterministic_step(self, s: Any, t: Any, S: Any, S0: Any, **options: Any) -> Any:
        """Return S_s = Σ_s^½ Σ_t^{−½} S + (Φ_s − Σ_s^½ Σ_t^{−½} Φ_t) S₀: the step that keeps ε."""
        self._check_noise(t, 0.0, "deterministic_step")
        keep = Ratio([(self._sigma(s, 0.5), 1.0), (self._sigma(t, -0.5), 1.0)])
        moved = Ratio([(self._sigma(s, 0.5), 1.0), (self._sigma(t, -0.5), 1.0), (self._transition(t), 1.0)])
        back = Difference(self._transition(s), moved)
        return self._filter([(keep, S), (back, S0)], t, s, options)

    def logdet_covariance(self, t: float) -> LogDet:
        """Return log det Σ(t) of one channel; t > 0."""
        self._check_noise(t, 0.0, "logdet_covariance")
        tau, n = float(self.schedule.tau(t)), self.laplacian.n_nodes
        nodes, weights = self.laplacian.density
        means = (weights * log_phi(2 * tau * (self.gamma * nodes + self.lam))).sum(axis=1)
        probes = len(means)
        stderr = float(n * means.std(ddof=1) / math.sqrt(probes)) if probes > 1 else 0.0
        return LogDet(float(n * (math.log(self.q * tau) + means.mean())), stderr)

    def stationary(self, *, project: bool = False) -> GaussianField:
        """Return the law t → ∞, N(0, q/2A); with λ = 0 that of the fields without null modes, if ``project`` asks."""
        if self.lam == 0 and not project:
            raise ValueError(
                f"lam=0: the {self.laplacian.n_components} null mode(s), one a component, have no stationary law; "
                "pass project=True for the law of the others, or lam > 0"
            )
        return GaussianField(self.engine, self.gamma, self.lam, self.q, project=self.lam == 0)

    def condition(self, mask: npt.ArrayLike, values: Any) -> Any:
        """Return the stationary law given the nodes of a mask: its mean, and samples."""
        return self.stationary().condition(mask, values)

    def diagonal(self, t: float) -> Reals:
        """Return the diagonal of Σ(t), (N,): exact by eigenvectors, else by filters of unit vectors (N <= 4096)."""
        n = self.laplacian.n_nodes
        if self.laplacian.max_block <= 512:
            f = self._sigma(t, 1.0)
            return np.concatenate([(v**2) @ f(w).reshape(-1) for w, v in self.laplacian.eigenvectors])
        if n > 4096:
            raise ValueError(f"the diagonal of Σ takes a filter a node: at most 4096 nodes; the graph has {n}")
        return np.concatenate(
            [
                np.einsum("ic,ic->c", half := self.sqrt_covariance(t, np.eye(n)[:, first : first + 256]), half)
                for first in range(0, n, 256)
            ]
        )

    def diagonal_error(self, t: float) -> float:
        """Return ‖Σ − diag Σ‖_F / ‖Σ‖_F: how much of the covariance the diagonal mode leaves out."""
        square = self.laplacian.n_nodes * float(self.engine.rms(self._sigma(t, 1.0))[0]) ** 2
        return math.sqrt(max(0.0, 1 - float((self.diagonal(t) ** 2).sum()) / square))

    def _spread(self, t: Any, field: Any) -> Any:
        times = np.atleast_1d(np.asarray(t, dtype=np.float64))
        spread = np.stack([np.sqrt(self.diagonal(float(one))) for one in times])
        (full,), shape = read_fields(field)
        if len(shape) == 3:
            return spread[:, :, None].astype(full.dtype)
        return (spread.T if len(shape) == 2 else spread[0]).astype(full.dtype)

    def _times(self, t: Any, s: Any) -> Reals:
        times = np.asarray(self.schedule.tau(t) - self.schedule.tau(s))
        if (times < 0).any():
            raise ValueError(f"s must be <= t; got s={s} and t={t}")
        return times

    def _transition(self, t: Any, s: Any = 0.0) -> Transition:
        return Transition(self._times(t, s), self.gamma, self.lam)

    def _sigma(self, t: Any, power: float, s: Any = 0.0) -> Covariance:
        return Covariance(self._times(t, s), self.gamma, self.lam, self.q, power)

    def _check_noise(self, t: Any, s: Any, name: str) -> None:
        if (self._times(t, s) <= 0).any():
            raise ValueError(f"{name} needs tau > 0: without noise the covariance is 0 and has no inverse; got t={t}")

    def _filter(self, parts: list[tuple[Function, Any]], t: Any, s: Any, options: dict[str, Any]) -> Any:
        info = options.pop("info", False)
        n_threads = options.pop("n_threads", None)
        if options:
            raise TypeError(f"unknown options: {', '.join(options)}")
        for name, times in (("t", t), ("s", s)):
            _check_series(np.asarray(times), parts[0][1], name)
        scalar = np.ndim(t) == 0 and np.ndim(s) == 0
        key = (tuple(repr(f) for f, _ in parts)) if scalar else None
        values, report = self.engine.apply([Part(f, x) for f, x in parts], key=key, n_threads=n_threads)
        return (values, report) if info else values


class Difference:
    """f − g."""

    def __init__(self, first: Function, second: Function) -> None:
        self.first, self.second = first, second

    def __repr__(self) -> str:
        return f"{self.first!r} - {self.second!r}"

    def __call__(self, eigenvalues: Reals) -> Reals:
        """Return the values at eigenvalues of L."""
        return np.asarray(self.first(eigenvalues) - self.second(eigenvalues))


def _negative(function: Function) -> Function:
    return Ratio([(function, 1.0)], sign=-1.0)


def _check_series(times: Reals, x: Any, name: str) -> None:
    shape = np.shape(x)
    if times.ndim == 0:
        return
    n_series = shape[0] if len(shape) == 3 else shape[1] if len(shape) == 2 else 1
    if times.shape != (n_series,):
        raise ValueError(
            f"{name} of shape {times.shape} does not match fields of shape {shape}: one time or {n_series}"
        )


__all__ = ["FilterInfo", "GraphProcess", "LogDet", "Posterior"]
