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
from spinodal.kernels.arguments import BackendName
from spinodal.systems import grid_bases
from spinodal.systems.laplacians import DENSE_NODES, Laplacian

Method = Literal["auto", "chebyshev", "grid", "fft", "blocks", "dense", "rational"]
METHODS = ("auto", "chebyshev", "grid", "fft", "blocks", "dense", "rational")

CROSSOVER = {
    "grid_terms": 6,  # up to so many Chebyshev terms beat products along the axes
    "grid_length": 256,  # the longest axis of a product; Fourier transforms beyond
    "block_nodes": 64,  # the largest graph of a batch whose filters are kept dense
    "dense_nodes": 512,  # the largest single graph that is diagonalized
    "rational_terms": 1500,  # more Chebyshev terms than this: factorize, if scipy is there
}
"""Where ``method="auto"`` changes from one method to the next; ``benchmarks/graph_crossover.py`` measures them."""
MAX_TERMS = 2**15
_FLOAT32_ROUNDING = 2.0**-23

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


class Series(NamedTuple):
    """A Chebyshev series in 2λ/lmax − 1, (n_terms, n_series), and the error of cutting it, relative to RMS f."""

    coefficients: Reals
    error: float


def fit_chebyshev(function: Function, lmax: float, tolerance: Reals) -> tuple[Reals, Reals]:
    """Return coefficients (n_terms, n_series), cut where Σ of the rest is below the tolerance of every series.

    Values at Chebyshev nodes are transformed in float64; nodes are doubled until the last quarter is negligible.
    """
    n_nodes = 32
    while True:
        angle = math.pi * (np.arange(n_nodes) + 0.5) / n_nodes
        values = function(0.5 * lmax * (1 + np.cos(angle)))
        values = values.reshape(n_nodes, -1)
        spectrum = np.fft.fft(np.concatenate([values, values[::-1]]), axis=0)[:n_nodes]
        turn = np.exp(-0.5j * math.pi * np.arange(n_nodes) / n_nodes)
        coefficients = (spectrum * turn[:, None]).real / n_nodes
        coefficients[0] /= 2
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
        self._kept: OrderedDict[tuple[Any, ...], Any] = OrderedDict()

    def apply(
        self, parts: Sequence[Part], *, key: tuple[Any, ...] | None = None, n_threads: int | None = None
    ) -> tuple[Floats, FilterInfo]:
        """Return Σ f(L) x over one or two parts; what ``key`` names may be kept for the next call."""
        fields, shape = kernels.graph.read_fields(tuple(part.x for part in parts))
        n = fields[0].shape[1]
        if n != self.laplacian.n_nodes:
            raise ValueError(f"fields of shape {shape} have {n} nodes; the graph has {self.laplacian.n_nodes}")
        dtype = fields[0].dtype
        if dtype == np.float32 and self.tol < _FLOAT32_ROUNDING:
            raise ValueError(
                f"float32 cannot meet tol={self.tol:g}: pass float64 fields, or tol >= {_FLOAT32_ROUNDING:.3g}"
            )
        functions = [part.function for part in parts]
        given = [part.x for part in parts]
        method, series = self.choose(functions, dtype)
        if method == "chebyshev":
            return self._chebyshev(given, series or self._series(functions, dtype), dtype, n_threads)
        many = any(f(np.zeros(1)).size > 1 for f in functions)
        if method == "blocks" and not many:
            values = self._blocks(functions, given, dtype, key, n_threads)
        elif method in ("grid", "fft"):
            values = self._grid(method, functions, given, dtype, n_threads)
        elif method == "rational":
            return self._rational(functions, given, dtype)
        else:
            values = self._eigenvectors(functions, fields, shape)
        return values, FilterInfo(method, 0, self._rounding(functions, dtype))

    def choose(self, functions: Sequence[Function], dtype: Any) -> tuple[str, list[Series] | None]:
        """Return the method, and the series where it was needed to choose."""
        if self.method != "auto":
            return self.method, None
        laplacian = self.laplacian
        if laplacian.kind != "grid":
            blocks = laplacian.n_graphs > 1 and laplacian.max_block <= CROSSOVER["block_nodes"]
            if blocks and not any(f(np.zeros(1)).size > 1 for f in functions):
                return "blocks", None
            if laplacian.n_graphs == 1 and laplacian.n_nodes <= CROSSOVER["dense_nodes"]:
                return "dense", None
        series = self._series(functions, dtype)
        n_terms = max(len(s.coefficients) for s in series)
        if laplacian.kind == "grid" and n_terms > CROSSOVER["grid_terms"]:
            return ("grid" if max(laplacian.shape) <= CROSSOVER["grid_length"] else "fft"), None
        if n_terms > CROSSOVER["rational_terms"] and _have_scipy():
            return "rational", None
        return "chebyshev", series

    def rms(self, function: Function) -> Reals:
        """Return √((1/N) tr f²) of each series, from the density of the spectrum."""
        nodes, weights = self.laplacian.density
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

    def _series(self, functions: Sequence[Function], dtype: Any) -> list[Series]:
        lmax, result = self.lmax(dtype), []
        for function in functions:
            rms = self.rms(function)
            coefficients, rest = fit_chebyshev(function, lmax, self.tol * rms)
            result.append(Series(coefficients, float((rest / np.maximum(rms, 1e-300)).max())))
        return result

    def _rounding(self, functions: Sequence[Function], dtype: Any) -> float:
        """Rounding of some units of the largest value of f, relative to its RMS."""
        unit, worst = np.finfo(dtype).eps, 0.0
        nodes = self.laplacian.density.nodes.reshape(-1)
        for function in functions:
            largest = np.abs(function(nodes)).reshape(len(nodes), -1).max(axis=0)
            worst = max(worst, float((largest / np.maximum(self.rms(function), 1e-300)).max()))
        return float(8 * unit * worst)

    def _chebyshev(
        self, given: list[Any], series: list[Series], dtype: Any, n_threads: int | None
    ) -> tuple[Floats, FilterInfo]:
        lmax, coefficients = self.lmax(dtype), [s.coefficients for s in series]
        x: Any = given[0] if len(given) == 1 else tuple(given)
        c: Any = coefficients[0] if len(given) == 1 else tuple(coefficients)
        values = kernels.chebyshev_filter(self.laplacian, x, c, lmax, n_threads=n_threads, backend=self.backend)
        n_terms = max(len(one) for one in coefficients)
        rounding = max(
            float((np.sqrt((one**2).sum(axis=0)) / np.maximum(_rms_of(one), 1e-300)).max()) for one in coefficients
        )
        error = max(s.error for s in series) + float(np.finfo(dtype).eps) * math.sqrt(n_terms) * rounding
        return values, FilterInfo("chebyshev", n_terms, error)

    def _blocks(
        self,
        functions: list[Function],
        given: list[Any],
        dtype: Any,
        key: tuple[Any, ...] | None,
        n_threads: int | None,
    ) -> Floats:
        total = None
        for number, (function, x) in enumerate(zip(functions, given, strict=True)):
            name = None if key is None else (*key, number, dtype.char)
            packed = self._keep(name, partial(self._dense_blocks, function, dtype))
            values = kernels.block_filter(
                packed, self.laplacian.offsets, np.asarray(x, dtype=dtype), n_threads=n_threads, backend=self.backend
            )
            total = values if total is None else total + values
        assert total is not None
        return total

    def _dense_blocks(self, function: Function, dtype: Any) -> Floats:
        filters = [(v * function(w).reshape(1, -1)) @ v.T for w, v in self.laplacian.eigenvectors]
        return kernels.pack_blocks(filters, dtype)

    def _keep(self, key: tuple[Any, ...] | None, make: Callable[[], Any]) -> Any:
        if key is None:
            return make()
        if key not in self._kept:
            self._kept[key] = make()
            while len(self._kept) > 8:
                self._kept.popitem(last=False)
        return self._kept[key]

    def _grid(
        self, method: str, functions: list[Function], given: list[Any], dtype: Any, n_threads: int | None
    ) -> Floats:
        laplacian = self.laplacian
        if method == "fft":
            return grid_bases.transform_filter(laplacian.shape, laplacian.periodic, functions, given, dtype)
        return grid_bases.product_filter(
            laplacian.shape, laplacian.periodic, functions, given, dtype, n_threads=n_threads, backend=self.backend
        )

    def _eigenvectors(self, functions: list[Function], fields: list[Floats], shape: tuple[int, ...]) -> Floats:
        dtype, out = fields[0].dtype, np.zeros_like(fields[0])
        per_field = len(shape) == 3
        for (values, vectors), begin, end in zip(
            self.laplacian.eigenvectors, self.laplacian.offsets[:-1], self.laplacian.offsets[1:], strict=True
        ):
            v, total = vectors.astype(dtype), 0
            for function, field in zip(functions, fields, strict=True):
                f = function(values).reshape(len(values), -1).astype(dtype)
                total = total + (f.T[:, :, None] if per_field else f[None]) * (v.T @ field[:, begin:end])
            out[:, begin:end] = v @ total
        return out.reshape(shape)

    def _rational(self, functions: list[Function], given: list[Any], dtype: Any) -> tuple[Floats, FilterInfo]:
        from spinodal.systems import rational

        if any(f(np.zeros(1)).size > 1 for f in functions):
            raise ValueError("method='rational' takes one time for all fields")
        total, n_poles, error = None, 0, 0.0
        for function, x in zip(functions, given, strict=True):
            values, poles, bound = rational.apply(self.laplacian, function, x, self.tol, float(self.rms(function)[0]))
            total = values if total is None else total + values
            n_poles, error = max(n_poles, poles), max(error, bound)
        assert total is not None
        return total.astype(dtype), FilterInfo("rational", n_poles, error + self._rounding(functions, dtype))


def _rms_of(coefficients: Reals) -> Reals:
    """Return the RMS of a series over Chebyshev's weight."""
    return np.asarray(np.sqrt(coefficients[0] ** 2 + 0.5 * (coefficients[1:] ** 2).sum(axis=0)))


def _have_scipy() -> bool:
    from importlib.util import find_spec

    return find_spec("scipy") is not None


__all__ = ["CROSSOVER", "DENSE_NODES", "METHODS", "FilterEngine", "FilterInfo", "Method", "Part", "fit_chebyshev"]
