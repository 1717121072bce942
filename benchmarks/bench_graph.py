# SPDX-License-Identifier: BSD-3-Clause
"""Measure the filters of graphs beside their peers: python benchmarks/bench_graph.py [--rounds R] [--quick].

One thread, CPU time, engines in turns, the best round of each. Every answer is compared with a float64 one before it is
timed, and its error is printed: relative to the norm of the result. Peers that are not installed are named:

    pip install torch scipy pygsp sparse-dot-mkl mkl
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import machine
import spinodal as sp

TAU, GAMMA, LAM = 10.05, 1.0, 0.0  # τ(1) of the linear schedule
LOOSE = 5e-6
"""An answer with a larger error is none: peers in float32 have less than ours."""


@dataclass
class Work:
    """One filter of one field, by several engines."""

    name: str
    exact: Any
    engines: dict[str, Callable[[], Any]] = field(default_factory=dict)
    errors: dict[str, float] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    slow: set[str] = field(default_factory=set)

    def add(self, name: str, make: Callable[[], Callable[[], Any]], *, slow: bool = False) -> None:
        """Add an engine after a check of its answer; one that cannot be had is named."""
        try:
            run = make()
            answer = np.asarray(run(), dtype=np.float64).reshape(self.exact.shape)
        except (ImportError, OSError, RuntimeError, AttributeError) as error:
            self.missing[name] = f"{type(error).__name__}: {error}".splitlines()[0]
            return
        error = float(np.linalg.norm(answer - self.exact) / np.linalg.norm(self.exact))
        if not error <= LOOSE:
            raise AssertionError(f"{self.name}: the error of {name} is {error:.2e}: nothing to compare")
        self.engines[name], self.errors[name] = run, error
        if slow:
            self.slow.add(name)

    def measure(self, rounds: int) -> dict[str, float]:
        """Milliseconds: the best round."""
        best = dict.fromkeys(self.engines, np.inf)
        for turn in range(rounds):
            for name, run in self.engines.items():
                if name in self.slow and turn > 0:
                    continue
                start = time.process_time()
                run()
                best[name] = min(best[name], time.process_time() - start)
        return {name: 1e3 * seconds for name, seconds in best.items()}


def random_geometric(n: int, degree: float = 8.0) -> sp.Laplacian:
    """Points in a square, neighbours within a radius."""
    from scipy.spatial import cKDTree

    points = np.random.default_rng(0).random((n, 2))
    return sp.graph_laplacian(
        cKDTree(points).query_pairs(np.sqrt(degree / (np.pi * n)), output_type="ndarray"), n_nodes=n
    )


def molecules(n: int) -> sp.Laplacian:
    """Random trees of 8 to 42 nodes with a ring, 25 on average."""
    rng, parts = np.random.default_rng(1), []
    for size in rng.integers(8, 43, n):
        bonds = [(i, int(rng.integers(max(0, i - 4), i))) for i in range(1, size)]
        parts.append(sp.graph_laplacian(np.array([*bonds, (0, size - 1)]), n_nodes=size))
    return sp.Laplacian.batch(parts)


def process_of(laplacian: sp.Laplacian, method: str = "auto", tol: float = 1e-6) -> sp.GraphProcess:
    """The process whose Φ(1) is e^{−10.05 L}."""
    return sp.GraphProcess(laplacian, GAMMA, LAM, schedule="linear", method=method, tol=tol)


def coefficients(process: sp.GraphProcess) -> tuple[Any, float]:
    """The series that all Chebyshev peers use, for T_k(2L/lmax − 1)."""
    engine = process.engine
    series = engine.series([process._transition(1.0)], np.float32)[0]
    return series.coefficients[:, 0], engine.lmax(np.float32)


def clenshaw(matrix: Any, x: Any, c: Any) -> Any:
    """Σ c_k T_k with one product of the peer's matrix a term; ``matrix`` is 2 (2L/lmax − 1)."""
    before, now = x, 0.5 * (matrix @ x)
    total = float(c[0]) * before + float(c[1]) * now
    for k in range(2, len(c)):
        before, now = now, matrix @ now - before
        total += float(c[k]) * now
    return total


def scaled(laplacian: sp.Laplacian, lmax: float) -> Any:
    """2 (2L/lmax − 1) in scipy's rows, float32, in reverse Cuthill-McKee order, and that order."""
    import scipy.sparse
    from scipy.sparse.csgraph import reverse_cuthill_mckee

    matrix = scipy.sparse.csr_matrix((laplacian.data, laplacian.indices, laplacian.indptr))
    order = reverse_cuthill_mckee(matrix, symmetric_mode=True)
    whole = 4 / lmax * matrix - 2 * scipy.sparse.eye(laplacian.n_nodes)
    return whole[order][:, order].tocsr().astype(np.float32), order


def ordered(order: Any, x: Any, run: Callable[[Any], Any]) -> Callable[[], Any]:
    """A peer's answer in its own order: the permutation is no part of its time."""
    there, back = np.ascontiguousarray(x[order]), np.argsort(order)

    class Answer:
        def __call__(self) -> Any:
            self.last = run(there)
            return _Back(self.last, back)

    return Answer()


class _Back:
    """An array in another order, put back only when it is looked at."""

    def __init__(self, values: Any, back: Any) -> None:
        self.values, self.back = values, back

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.asarray(self.values)[self.back].astype(dtype)


def add_chebyshev_peers(work: Work, laplacian: sp.Laplacian, x: Any, c: Any, lmax: float) -> None:
    """scipy, MKL and torch: the same series, their own sparse products."""
    matrix, order = scaled(laplacian, lmax)

    def scipy_csr() -> Callable[[], Any]:
        return ordered(order, x, lambda v: clenshaw(matrix, v, c))

    def mkl() -> Callable[[], Any]:
        from sparse_dot_mkl import dot_product_mkl, mkl_set_num_threads

        mkl_set_num_threads(1)

        class Product:
            def __matmul__(self, v: Any) -> Any:
                return dot_product_mkl(matrix, v)

        return ordered(order, x, lambda v: clenshaw(Product(), v, c))

    def torch_csr() -> Callable[[], Any]:
        import warnings

        import torch

        warnings.filterwarnings("ignore", message="Sparse CSR")
        torch.set_num_threads(1)
        parts = (torch.from_numpy(matrix.indptr), torch.from_numpy(matrix.indices), torch.from_numpy(matrix.data))
        sparse = torch.sparse_csr_tensor(*parts, size=matrix.shape)
        return ordered(order, x, lambda v: clenshaw(sparse, torch.from_numpy(v), c))

    work.add("scipy CSR", scipy_csr)
    work.add("MKL", mkl)
    work.add("torch CSR", torch_csr)


def geometric_graph(n: int, channels: int, others: bool) -> Work:
    """Φ(τ = 10) of a random geometric graph."""
    import scipy.sparse
    from scipy.sparse.linalg import expm_multiply

    laplacian = random_geometric(n)
    process = process_of(laplacian)
    x = np.random.default_rng(2).normal(size=(n, channels)).astype(np.float32)
    exact = process_of(laplacian, "chebyshev", 1e-12).transition(1.0, x.astype(np.float64))
    work = Work(f"random geometric, N={n}, C={channels}", exact)
    out = np.empty_like(x)
    work.add("spinodal", lambda: lambda: process.transition(1.0, x, out=out, n_threads=1))
    c, lmax = coefficients(process)
    add_chebyshev_peers(work, laplacian, x, c, lmax)
    if others:
        matrix = scipy.sparse.csr_matrix((laplacian.data, laplacian.indices, laplacian.indptr))
        wide = x.astype(np.float64)
        work.add("expm_multiply, float64", lambda: lambda: expm_multiply(-TAU * matrix, wide), slow=True)
        work.add("PyGSP, float64", lambda: _pygsp(matrix, wide, len(c)), slow=True)
    return work


def _pygsp(matrix: Any, x: Any, n_terms: int) -> Callable[[], Any]:
    import pygsp.filters
    import pygsp.graphs
    import scipy.sparse

    graph = pygsp.graphs.Graph(scipy.sparse.diags(matrix.diagonal()) - matrix)
    graph.estimate_lmax()
    heat = pygsp.filters.Filter(graph, lambda values: np.exp(-TAU * values))
    return lambda: heat.filter(x, method="chebyshev", order=n_terms + 6)


def many_times() -> Work:
    """64 fields of 3 channels on a 64² grid, each at its own time."""
    laplacian = sp.grid_laplacian((64, 64))
    process = sp.GraphProcess(laplacian, GAMMA, LAM, schedule="linear")
    t = np.linspace(0.02, 1.0, 64)
    x = np.random.default_rng(3).normal(size=(64, 4096, 3)).astype(np.float32)
    exact = process.transition(t, x.astype(np.float64))
    work = Work("64 fields of 3 channels, 64², a time for each", exact)
    out = np.empty_like(x)
    work.add("spinodal", lambda: lambda: process.transition(t, x, out=out, n_threads=1))

    def loop() -> Callable[[], Any]:
        lmax = process.engine.lmax(np.float32)
        matrix, order = scaled(laplacian, lmax)
        back = np.argsort(order)
        series = [process.engine.series([process._transition(s)], np.float32)[0].coefficients[:, 0] for s in t]
        fields = [np.ascontiguousarray(f[order]) for f in x]
        return lambda: np.stack([clenshaw(matrix, f, c) for f, c in zip(fields, series, strict=True)])[:, back]

    work.add("scipy CSR, a loop", loop)
    return work


def grid(shape: tuple[int, ...], channels: int, general: bool) -> Work:
    """Φ, or Σ^½, of an open grid."""
    laplacian = sp.grid_laplacian(shape)
    process = sp.GraphProcess(laplacian, GAMMA, 0.1, schedule="linear")
    n = laplacian.n_nodes
    x = np.random.default_rng(4).normal(size=(n, channels)).astype(np.float32)
    operator = process.sqrt_covariance if general else process.transition
    exact = operator(1.0, x.astype(np.float64))
    work = Work(f"grid {'×'.join(map(str, shape))}, C={channels}, {'Σ^½' if general else 'Φ'}", exact)
    out = np.empty_like(x)
    work.add("spinodal", lambda: lambda: operator(1.0, x, out=out, n_threads=1))

    def dct() -> Callable[[], Any]:
        import scipy.fft

        axes = tuple(range(len(shape)))
        function = process._sigma(1.0, 0.5) if general else process._transition(1.0)
        values = np.zeros(1)
        for m in shape:
            values = np.add.outer(values, 4 * np.sin(np.pi * np.arange(m) / (2 * m)) ** 2).reshape(-1)
        factors = function(values).reshape(*shape, 1).astype(np.float32)
        v = x.reshape(*shape, channels)
        return lambda: scipy.fft.idctn(factors * scipy.fft.dctn(v, axes=axes, norm="ortho"), axes=axes, norm="ortho")

    work.add("scipy.fft DCT", dct)
    return work


def batched_molecules(channels: int) -> Work:
    """Filters of 1024 molecules, computed before."""
    laplacian = molecules(1024)
    process = sp.GraphProcess(laplacian, GAMMA, 0.1, schedule="linear")
    x = np.random.default_rng(5).normal(size=(laplacian.n_nodes, channels)).astype(np.float32)
    exact = process.sqrt_covariance(1.0, x.astype(np.float64))
    work = Work(f"1024 molecules, N={laplacian.n_nodes}, C={channels}, Σ^½", exact)
    out = np.empty_like(x)
    work.add("spinodal", lambda: lambda: process.sqrt_covariance(1.0, x, out=out, n_threads=1))

    def bmm() -> Callable[[], Any]:
        import torch

        torch.set_num_threads(1)
        sizes = np.diff(laplacian.offsets)
        function = process._sigma(1.0, 0.5)
        filters = np.zeros((1024, sizes.max(), sizes.max()), dtype=np.float32)
        padded = np.zeros((1024, sizes.max(), channels), dtype=np.float32)
        real = np.arange(sizes.max()) < sizes[:, None]
        for b, (values, vectors) in enumerate(laplacian.eigenvectors):
            filters[b, : sizes[b], : sizes[b]] = (vectors * function(values)) @ vectors.T
        padded[real] = x
        f, v = torch.from_numpy(filters), torch.from_numpy(padded)
        result = torch.empty_like(v)

        class Answer:
            def __call__(self) -> Any:
                return _Back(torch.bmm(f, v, out=result).numpy().reshape(-1, channels), np.flatnonzero(real))

        return Answer()

    work.add("torch.bmm", bmm)
    return work


def works(quick: bool) -> dict[str, Callable[[], Work]]:
    """Everything that is measured, by a short name."""
    n = 20_000 if quick else 100_000
    grids = {f"grid {s} {g}": (s, g) for s in ((64, 64), (32, 32, 32)) for g in (False, True)}
    return {
        "geometric 48": lambda: geometric_graph(n, 48, False),
        "geometric 3": lambda: geometric_graph(n, 3, True),
        "times": many_times,
        **{name: lambda s=s, g=g: grid(s, 48, g) for name, (s, g) in grids.items()},
        "molecules 48": lambda: batched_molecules(48),
        "molecules 3": lambda: batched_molecules(3),
    }


def report(work: Work, rounds: int) -> dict[str, Any]:
    """Print one table."""
    best = work.measure(rounds)
    ours = best["spinodal"]
    print(f"\n{work.name}")
    for name, milliseconds in best.items():
        print(f"  {name:26s} {milliseconds:10.3f} ms   ×{milliseconds / ours:7.2f}   error {work.errors[name]:.1e}")
    for name, why in work.missing.items():
        print(f"  {name:26s} missing: {why}")
    return {"work": work.name, "milliseconds": best, "errors": work.errors}


def main() -> None:
    """Measure, print, and write a file if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--quick", action="store_true", help="a smaller random graph")
    parser.add_argument("--only", default="", help="works whose name contains this")
    parser.add_argument("--json", help="write the results there")
    arguments = parser.parse_args()
    print(json.dumps(machine.describe(), ensure_ascii=False))
    results = []
    for name, make in works(arguments.quick).items():
        if arguments.only in name:
            results.append(report(make(), arguments.rounds))
    if arguments.json:
        from pathlib import Path

        Path(arguments.json).write_text(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
