# SPDX-License-Identifier: BSD-3-Clause
"""Functions of a Laplacian applied to fields: which method, how many terms, how large an error."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np

from spinodal import kernels
from spinodal.backends.protocol import Floats, Reals
from spinodal.kernels.arguments import BackendName, output
from spinodal.systems import grid_bases
from spinodal.systems.laplacians import DENSE_NODES, Laplacian

Method = Literal["auto", "chebyshev", "grid", "fft", "blocks", "dense", "rational"]
METHODS = ("auto", "chebyshev", "grid", "fft", "blocks", "dense", "rational")

CROSSOVER = {
    "grid_terms": 6,  # up to so many Chebyshev terms beat products along the axes
    "grid_length": 512,  # the longest axis of a product; Fourier transforms beyond
    "block_nodes": 128,  # the largest graph of a batch whose filters are kept dense
    "dense_nodes": 256,  # the largest single graph that is diagonalized
    "rational_terms": 1500,  # more Chebyshev terms than this: factorize, if scipy is there
}
"""Where ``method="auto"`` changes from one method to the next; ``benchmarks/graph_crossover.py`` measures them."""
MAX_TERMS = 2**15
_FLOAT32_ROUNDING = 2.0**-23
_KEPT = 16  # prepared filters an engine remembers

Function = Callable[[Reals], Reals]
"""Of eigenvalues of L, shape (M,): values (M,), or (M, n_series) with one series a field."""


class FilterInfo(NamedTuple):
    """How a filter was applied.

    Attributes
    ----------
    method : str
    n_terms : int
        Of a Chebyshev series, or poles; 0 where the filter is applied by eigenvectors.
    error_bound : float
        Of truncation and rounding, relative to the norm of the result for a white field.
    """

    method: str
    n_terms: int
    error_bound: float


class Part(NamedTuple):
    """One function and the field it is applied to."""

    function: Function
    x: Any


Run = Callable[[list[Floats], int | None, Floats | None], Floats]
"""Takes fields, n_threads, and where to write: a method that cannot write there returns an array of its own."""


class Prepared(NamedTuple):
    """A filter ready to be applied to fields of one dtype."""

    run: Run
    info: FilterInfo


class Series(NamedTuple):
    """A Chebyshev series in 2λ/lmax − 1, (n_terms, n_series), and the error of cutting it, relative to RMS f."""

    coefficients: Reals
    error: float


def chebyshev_coefficients(function: Function, lmax: float, n_nodes: int) -> Reals:
    """Return the coefficients (n_nodes, n_series) of the interpolant at Chebyshev nodes, by a cosine transform."""
    angle = math.pi * (np.arange(n_nodes) + 0.5) / n_nodes
    values = function(0.5 * lmax * (1 + np.cos(angle))).reshape(n_nodes, -1)
    spectrum = np.fft.fft(np.concatenate([values, values[::-1]]), axis=0)[:n_nodes]
    turn = np.exp(-0.5j * math.pi * np.arange(n_nodes) / n_nodes)
    coefficients = (spectrum * turn[:, None]).real / n_nodes
    coefficients[0] /= 2
    return np.asarray(coefficients)


def fit_chebyshev(function: Function, lmax: float, tolerance: Reals) -> tuple[Reals, Reals]:
    """Return coefficients (n_terms, n_series), cut where Σ of the rest is below the tolerance of every series.

    Values at Chebyshev nodes are transformed in float64; nodes are doubled until the last quarter is negligible.
    """
    n_nodes = 32
    while True:
        coefficients = chebyshev_coefficients(function, lmax, n_nodes)
        tails = np.cumsum(np.abs(coefficients[::-1]), axis=0)[::-1]
        floor = 1e-15 * n_nodes * np.abs(coefficients).max(axis=0)
        if (tails[3 * n_nodes // 4] <= np.maximum(0.1 * tolerance, floor)).all():
            break
        n_nodes *= 2
        if n_nodes > 2 * MAX_TERMS:
            raise ValueError(
                f"a Chebyshev series of more than {MAX_TERMS} terms would be needed: the spectrum reaches {lmax:.3g}; "
                "use method='rational'"
            )
    wanted = np.maximum(tolerance, floor)
    enough = (tails <= wanted).all(axis=1)
    n_terms = max(1, int(np.argmax(enough)) if enough.any() else n_nodes)
    rest = tails[n_terms] if n_terms < n_nodes else np.zeros(tails.shape[1])
    return coefficients[:n_terms], rest


class FilterEngine:
    """Applies functions of one Laplacian."""

    def __init__(self, laplacian: Laplacian, tol: float, method: Method, backend: BackendName | None) -> None:
        if method not in METHODS:
            raise ValueError(f"method={method!r} is unknown; choose one of: {', '.join(METHODS)}")
        if method in ("grid", "fft") and laplacian.kind != "grid":
            raise ValueError(f"method={method!r} is for grids; the graph is of kind {laplacian.kind!r}")
        if not 1e-14 <= tol < 1:
            raise ValueError(f"tol must be in [1e-14, 1); got {tol}")
        self.laplacian, self.tol, self.method, self.backend = laplacian, float(tol), method, backend
        self._kept: OrderedDict[tuple[Any, ...], Prepared] = OrderedDict()

    def apply(
        self,
        parts: Sequence[Part],
        *,
        key: tuple[Any, ...] | None = None,
        n_threads: int | None = None,
        out: Floats | None = None,
    ) -> tuple[Floats, FilterInfo]:
        """Return Σ f(L) x over one or two parts; what ``key`` names is kept for the next call."""
        fields, shape = kernels.graph.read_fields(tuple(part.x for part in parts))
        n, dtype = fields[0].shape[1], fields[0].dtype
        if n != self.laplacian.n_nodes:
            raise ValueError(f"fields of shape {shape} have {n} nodes; the graph has {self.laplacian.n_nodes}")
        if dtype == np.float32 and self.tol < _FLOAT32_ROUNDING:
            raise ValueError(
                f"float32 cannot meet tol={self.tol:g}: pass float64 fields, or tol >= {_FLOAT32_ROUNDING:.3g}"
            )
        prepared = self._keep(
            None if key is None else (*key, dtype.char),
            partial(self._prepare, [part.function for part in parts], dtype),
        )
        views = [field.reshape(shape) for field in fields]
        if out is not None:
            output(out, shape, dtype.type)
        values = prepared.run(views, n_threads, out)
        if out is not None and values is not out:
            out[...] = values
            values = out
        return values, prepared.info

    def _prepare(self, functions: list[Function], dtype: Any) -> Prepared:
        method, laplacian = self.choose(functions, dtype), self.laplacian
        if method == "chebyshev":
            return self._chebyshev(functions, dtype)
        if method == "rational":
            return self._rational(functions, dtype)
        info = FilterInfo(method, 0, self._rounding(functions, dtype))
        if method == "grid":
            run = grid_bases.product_filter(laplacian.shape, laplacian.periodic, functions, dtype, self.backend)
        elif method == "fft":
            run = grid_bases.transform_filter(laplacian.shape, laplacian.periodic, functions, dtype)
        elif method == "blocks" and not _many(functions):
            run = self._blocks(functions, dtype)
        else:
            run = self._eigenvectors(functions, dtype)
        return Prepared(run, info)

    def choose(self, functions: Sequence[Function], dtype: Any) -> str:
        """Return the method."""
        if self.method != "auto":
            return self.method
        laplacian, many = self.laplacian, _many(functions)
        if laplacian.kind == "grid":
            long = max(laplacian.shape) > CROSSOVER["grid_length"]
            return "chebyshev" if self._few_terms(functions, dtype) else "fft" if long else "grid"
        if laplacian.n_graphs > 1:
            if laplacian.max_block <= CROSSOVER["block_nodes"] and not many:
                return "blocks"
        elif laplacian.n_nodes <= CROSSOVER["dense_nodes"]:
            return "dense"
        # A bound on the terms is cheap; their number is not.
        stiff = self._terms_bound(functions) > CROSSOVER["rational_terms"] and not many and _have_scipy()
        return "rational" if stiff else "chebyshev"

    def _terms_bound(self, functions: Sequence[Function]) -> int:
        lmax = self.laplacian.lmax
        return max(len(fit_chebyshev(f, lmax, self.tol * self.rms(f))[0]) for f in functions)

    def _few_terms(self, functions: Sequence[Function], dtype: Any) -> bool:
        lmax, most = self.lmax(dtype), CROSSOVER["grid_terms"]
        for function in functions:
            coefficients = chebyshev_coefficients(function, lmax, 4 * most)
            if (np.abs(coefficients[most:]).sum(axis=0) > self.tol * self.rms(function)).any():
                return False
        return True

    def rms(self, function: Function) -> Reals:
        """Return √((1/N) tr f²) of each series, from the density of the spectrum."""
        nodes, weights = self.laplacian.coarse_density
        values = function(nodes.reshape(-1)).reshape(*nodes.shape, -1)
        return np.asarray(np.sqrt((weights[..., None] * values**2).sum(axis=1).mean(axis=0)))

    def lmax(self, dtype: Any) -> float:
        """Return the bound that series are made for.

        For float32 4/lmax has 14 bits, so that 2 − 4 d/lmax is exact for whole degrees d.
        """
        lmax = self.laplacian.lmax
        if dtype != np.float32:
            return lmax
        unit = 2.0 ** (math.floor(math.log2(4 / lmax)) - 13)
        return 4 / (math.floor(4 / lmax / unit) * unit)

    def series(self, functions: Sequence[Function], dtype: Any) -> list[Series]:
        """Return the Chebyshev series of each function, cut at the tolerance."""
        lmax, result = self.lmax(dtype), []
        for function in functions:
            rms = self.rms(function)
            coefficients, rest = fit_chebyshev(function, lmax, self.tol * rms)
            result.append(Series(coefficients, float((rest / np.maximum(rms, 1e-300)).max())))
        return result

    def _rounding(self, functions: Sequence[Function], dtype: Any) -> float:
        """Rounding of some units of the largest value of f, relative to its RMS."""
        unit, worst = np.finfo(dtype).eps, 0.0
        nodes = self.laplacian.coarse_density.nodes.reshape(-1)
        for function in functions:
            largest = np.abs(function(nodes)).reshape(len(nodes), -1).max(axis=0)
            worst = max(worst, float((largest / np.maximum(self.rms(function), 1e-300)).max()))
        return float(8 * unit * worst)

    def _chebyshev(self, functions: list[Function], dtype: Any) -> Prepared:
        lmax, series = self.lmax(dtype), self.series(functions, dtype)
        coefficients = [s.coefficients for s in series]
        n_terms = max(len(one) for one in coefficients)
        spread = max(
            float((np.sqrt((one**2).sum(axis=0)) / np.maximum(self.rms(f), 1e-300)).max())
            for one, f in zip(coefficients, functions, strict=True)
        )
        error = max(s.error for s in series) + float(np.finfo(dtype).eps) * math.sqrt(n_terms) * spread

        def run(x: list[Floats], n_threads: int | None, out: Floats | None) -> Floats:
            one = len(x) == 1
            return kernels.chebyshev_filter(
                self.laplacian, x[0] if one else tuple(x), coefficients[0] if one else tuple(coefficients), lmax,
                out=out, n_threads=n_threads, backend=self.backend,
            )  # fmt: skip

        return Prepared(run, FilterInfo("chebyshev", n_terms, error))

    def _blocks(self, functions: list[Function], dtype: Any) -> Run:
        packed = [
            kernels.pack_blocks([(v * f(w).reshape(1, -1)) @ v.T for w, v in self.laplacian.eigenvectors], dtype)
            for f in functions
        ]

        def run(x: list[Floats], n_threads: int | None, out: Floats | None) -> Floats:
            each = [
                kernels.block_filter(p, self.laplacian.offsets, field, out=o, n_threads=n_threads, backend=self.backend)
                for p, field, o in zip(packed, x, (out, None), strict=False)
            ]
            return each[0] if len(each) == 1 else np.add(each[0], each[1], out=out)

        return run

    def _eigenvectors(self, functions: list[Function], dtype: Any) -> Run:
        pairs = [
            (v.astype(dtype), [f(w).reshape(len(w), -1).astype(dtype) for f in functions])
            for w, v in self.laplacian.eigenvectors
        ]
        offsets = self.laplacian.offsets

        def run(x: list[Floats], n_threads: int | None, out: Floats | None) -> Floats:
            fields, shape = kernels.graph.read_fields(tuple(x))
            total_field = np.zeros_like(fields[0])
            for (v, values), begin, end in zip(pairs, offsets[:-1], offsets[1:], strict=True):
                total: Any = 0
                for f, field in zip(values, fields, strict=True):
                    factors = f.T[:, :, None] if len(shape) == 3 else f[None]
                    total = total + factors * (v.T @ field[:, begin:end])
                total_field[:, begin:end] = v @ total
            return total_field.reshape(shape)

        return run

    def _rational(self, functions: list[Function], dtype: Any) -> Prepared:
        from spinodal.systems import rational

        if _many(functions):
            raise ValueError("method='rational' takes one time for all fields")
        solvers = [rational.solver(self.laplacian, f, self.tol * float(self.rms(f)[0])) for f in functions]
        error = max(s.error / float(self.rms(f)[0]) for s, f in zip(solvers, functions, strict=True))

        def run(x: list[Floats], n_threads: int | None, out: Floats | None) -> Floats:
            return np.asarray(sum(s(field) for s, field in zip(solvers, x, strict=True)), dtype=dtype)

        n_poles = max(s.n_poles for s in solvers)
        return Prepared(run, FilterInfo("rational", n_poles, error + self._rounding(functions, dtype)))

    def _keep(self, key: tuple[Any, ...] | None, make: Callable[[], Prepared]) -> Prepared:
        if key is None:
            return make()
        if key not in self._kept:
            self._kept[key] = make()
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return self._kept[key]


def _many(functions: Sequence[Function]) -> bool:
    """Whether fields have series of their own."""
    return any(f(np.zeros(1)).size > 1 for f in functions)


def _have_scipy() -> bool:
    from importlib.util import find_spec

    return find_spec("scipy") is not None


__all__ = ["CROSSOVER", "DENSE_NODES", "METHODS", "FilterEngine", "FilterInfo", "Method", "Part", "fit_chebyshev"]
