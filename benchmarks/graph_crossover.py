# SPDX-License-Identifier: BSD-3-Clause
"""Where filters change their method: python benchmarks/graph_crossover.py [--columns C] [--rounds R] [NAME …].

For each constant that ``method="auto"`` chooses by, Σ^½ of float32 fields by the method before it and the one after it,
in turns: milliseconds of CPU time of one thread, the best round, the filter prepared beforehand. The last line of each
has the largest size at which the first method was faster, beside the constant in ``spinodal.systems.graph_filters``.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

import spinodal as sp
from bench_graph import random_geometric
from spinodal.systems.graph_filters import CROSSOVER


class Case(NamedTuple):
    """One point of a contest; a ``size`` of None is the number of terms of the series."""

    size: int | None
    laplacian: sp.Laplacian
    reach: float  # τ λ_max


class Contest(NamedTuple):
    """Two methods, and the sizes at which they meet."""

    before: str
    after: str
    unit: str
    cases: Callable[[], Iterator[Case]]


def grids_of_few_terms() -> Iterator[Case]:
    for shape in ((64, 64), (32, 32, 32)):
        laplacian = sp.grid_laplacian(shape)
        yield from (Case(None, laplacian, reach) for reach in (0.03, 0.1, 0.3, 1, 3, 10, 30))


def long_grids() -> Iterator[Case]:
    yield from (Case(n, sp.grid_laplacian((n, 16)), 80.0) for n in (128, 256, 512, 1024, 2048))


def batches() -> Iterator[Case]:
    for n in (16, 32, 64, 128, 256, 512):
        yield Case(n, sp.Laplacian.batch([connected(n, seed) for seed in range(8192 // n)]), 80.0)


def single_graphs() -> Iterator[Case]:
    yield from (Case(n, connected(n, 0), 80.0) for n in (128, 256, 512, 768, 1024))


def stiff_graphs() -> Iterator[Case]:
    laplacian = random_geometric(20_000)
    yield from (Case(None, laplacian, reach) for reach in (1e3, 1e4, 1e5, 1e6))


def connected(n: int, seed: int) -> sp.Laplacian:
    """A random tree with n more edges between neighbours in its order."""
    rng = np.random.default_rng(seed)
    tree = [(i, int(rng.integers(max(0, i - 4), i))) for i in range(1, n)]
    more = [(i, int(rng.integers(max(0, i - 8), i))) for i in range(1, n)]
    return sp.graph_laplacian(np.unique(np.array(tree + more), axis=0), n_nodes=n)


CONTESTS = {
    "grid_terms": Contest("chebyshev", "grid", "terms", grids_of_few_terms),
    "grid_length": Contest("grid", "fft", "sites", long_grids),
    "block_nodes": Contest("blocks", "chebyshev", "nodes", batches),
    "dense_nodes": Contest("dense", "chebyshev", "nodes", single_graphs),
    "rational_terms": Contest("chebyshev", "rational", "terms", stiff_graphs),
}


def prepared(case: Case, method: Any, x: Any) -> tuple[Callable[[], Any], int]:
    """Return what applies the filter, which is kept, and its number of terms."""
    tau = case.reach / case.laplacian.lmax
    process = sp.GraphProcess(case.laplacian, schedule=lambda t: np.full(np.shape(t), tau), lam=0.0, method=method)
    out = np.empty_like(x)
    _, info = process.sqrt_covariance(1.0, x, info=True, out=out, n_threads=1)
    return lambda: process.sqrt_covariance(1.0, x, out=out, n_threads=1), info.n_terms


def milliseconds(runs: list[Callable[[], Any]], rounds: int) -> list[float]:
    """Return the best round of each, taken in turns."""
    best = [np.inf] * len(runs)
    for _ in range(rounds):
        for i, run in enumerate(runs):
            start = time.process_time()
            run()
            best[i] = min(best[i], time.process_time() - start)
    return [1e3 * seconds for seconds in best]


def settle(name: str, n_columns: int, rounds: int) -> None:
    """Print the contest about one constant."""
    contest, last = CONTESTS[name], 0
    print(f"{name}: {contest.before} up to it, {contest.after} beyond", flush=True)
    for case in contest.cases():
        x = np.random.default_rng(0).normal(size=(case.laplacian.n_nodes, n_columns)).astype(np.float32)
        (first, terms), (second, _) = (prepared(case, m, x) for m in (contest.before, contest.after))
        size = terms if case.size is None else case.size
        times = milliseconds([first, second], rounds)
        last = max(last, size) if times[0] <= times[1] else last
        print(
            f"  {size:5d} {contest.unit} ({case.laplacian.n_nodes} nodes): {contest.before} {times[0]:.3f} ms, "
            f"{contest.after} {times[1]:.3f} ms, ×{times[1] / times[0]:.2f}",
            flush=True,
        )
    print(f"  {contest.before} is faster up to {last} {contest.unit}; the constant is {CROSSOVER[name]}", flush=True)


def main() -> None:
    """Measure what is asked for, or everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(CONTESTS))
    parser.add_argument("--columns", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in CONTESTS]
    if unknown:
        parser.error(f"{unknown[0]!r} is no constant; choose one of: {', '.join(CONTESTS)}")
    for name in options.names or CONTESTS:
        settle(name, options.columns, options.rounds)


if __name__ == "__main__":
    main()
