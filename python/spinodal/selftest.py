# SPDX-License-Identifier: BSD-3-Clause
r"""A check, in seconds, that the kernels installed here are exact; and how fast they are.

Asked of every backend on every instruction set: the streams give their known answers, sweeps in each layout give the
bits of the first engine's, and the mean energy of a 4 × 4 lattice at :math:`k_B T = 2.269 J` is that of the sum over
its 2¹⁶ states, by each update (where rows are packed, of a 4 × 64 lattice, from Kaufman's solution, and of a
2 × 2 × 64 bar, from its transfer matrix). Pairs of particles, and their energy and forces, are those of NumPy; local
moves of two give the mean energy of a quadrature; filters of graphs agree with eigenvectors.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from spinodal import kernels
from spinodal.backends.isas import available_isas, using_isa
from spinodal.backends.protocol import Reals, Spins
from spinodal.kernels.arguments import BackendName, StreamName
from spinodal.kernels.layouts import Layout
from spinodal.systems.graph_filters import Method
from spinodal.systems.graph_process import GraphProcess
from spinodal.systems.graphs import grid_laplacian
from spinodal.systems.laplacians import Laplacian

TEMPERATURE, BAR_TEMPERATURE = 2.269, 5.0
MAX_SIGMA = 5.0

# Blocks at counter and key of hexadecimal π: philox10 as distributed with Random123 (kat_vectors), the
# other two from a separate implementation that agrees with that file at ten rounds.
_COUNTER = ((0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),)
_KEY = 0x299F31D0A4093822
_KNOWN_BLOCKS: dict[StreamName, tuple[int, ...]] = {
    "ars7": (0xB330966A, 0xD599DAA5, 0xCA557885, 0xB5DE9CFF),
    "ars5": (0x7772597E, 0x5F9E0483, 0x56CB550F, 0xD0EDDAC2),
    "philox10": (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
}

_SQUARE, _STRIP, _BAR = (4, 4), (4, 64), (2, 2, 64)


@dataclass(frozen=True)
class Update:
    """One way to move spins: ``advance(spins, beta, first, n, **options)``."""

    advance: Callable[..., Any]
    shape: tuple[int, ...] = _SQUARE
    n_chains: int = 512
    burn_in: int = 96

    @property
    def temperature(self) -> float:
        """In the unit of J."""
        return BAR_TEMPERATURE if self.shape == _BAR else TEMPERATURE

    def exact_energy(self) -> float:
        """Return the mean energy it has to give."""
        return {_SQUARE: exact_energy, _STRIP: _exact_strip_energy, _BAR: bar_energy}[self.shape]()


def _sweeps(kernel: Callable[..., Any], layout: Layout) -> Callable[..., Any]:
    return lambda spins, beta, t, n, **o: kernel(spins, beta, sweep=t, n_sweeps=n, layout=layout, **o)


def _steps(kernel: Callable[..., Any], unit: str) -> Callable[..., Any]:
    return lambda spins, beta, t, n, **o: kernel(spins, beta, **{unit: t, f"n_{unit}s": n}, **o)


def _updates() -> dict[str, Update]:
    return {
        "metropolis": Update(_sweeps(kernels.metropolis_sweep, "bytes")),
        "metropolis by rows": Update(_sweeps(kernels.metropolis_sweep, "rows"), _STRIP, 64, 192),
        "metropolis by rows in 3-D": Update(_sweeps(kernels.metropolis_sweep, "rows"), _BAR, 64, 192),
        "metropolis by replicas": Update(_sweeps(kernels.metropolis_sweep, "replicas")),
        "metropolis by lanes": Update(_sweeps(kernels.metropolis_sweep, "lanes")),
        "heat bath": Update(_sweeps(kernels.heat_bath_sweep, "bytes")),
        "heat bath by rows": Update(_sweeps(kernels.heat_bath_sweep, "rows"), _STRIP, 64, 192),
        "heat bath by rows in 3-D": Update(_sweeps(kernels.heat_bath_sweep, "rows"), _BAR, 64, 192),
        "heat bath by replicas": Update(_sweeps(kernels.heat_bath_sweep, "replicas")),
        "wolff": Update(_steps(kernels.wolff_step, "step")),
        "swendsen-wang": Update(_steps(kernels.swendsen_wang_sweep, "sweep")),
    }


@dataclass(frozen=True)
class Engine:
    """A backend, on one of its instruction sets where it has several."""

    backend: BackendName
    isa: str | None = None

    def __str__(self) -> str:
        return f"{self.backend} {self.isa}" if self.isa else self.backend

    def in_use(self) -> AbstractContextManager[None]:
        """Return the context in which this engine runs."""
        return using_isa(self.isa) if self.isa else nullcontext()


@dataclass(frozen=True)
class Check:
    """What one check found."""

    engine: str
    name: str
    passed: bool
    detail: str


def engines(backends: list[BackendName]) -> list[Engine]:
    """Return every backend on every instruction set that can run here."""
    found = []
    for backend in backends:
        isas: list[str | None] = [*available_isas()] if backend == "cpp" else [None]
        found += [Engine(backend, isa) for isa in isas]
    return found


def check_all(backends: list[BackendName]) -> Iterator[Check]:
    """Run every check on every engine; an error in a kernel is a failed check."""
    tested = engines(backends)
    for engine in tested:
        with engine.in_use():
            yield _guarded(engine, "known answers", check_streams)
            if engine != tested[0]:
                yield _guarded(engine, f"same bits as {tested[0]}", check_same_bits, tested[0])
            yield _guarded(engine, "filters of graphs", check_graph_filters)
            for name in _updates():
                yield _guarded(engine, f"{name} energy", check_energy, name)
            yield _guarded(engine, "pairs of particles", check_pairs)
            yield _guarded(engine, "local moves energy", check_local_moves)


def _guarded(engine: Engine, name: str, check: Callable[..., tuple[bool, str]], *arguments: Any) -> Check:
    try:
        passed, detail = check(engine, *arguments)
    except Exception as error:
        passed, detail = False, f"{type(error).__name__}: {error}"
    return Check(str(engine), name, passed, detail)


def check_graph_filters(engine: Engine) -> tuple[bool, str]:
    """Compare Φ and Σ^½ by each method with those of the other methods' eigenvectors, on a grid and on its parts."""
    grid = grid_laplacian((9, 7))
    batch = Laplacian.batch([grid_laplacian((5, 3)), grid_laplacian(11, periodic=True)])
    worst = 0.0
    cases: list[tuple[Laplacian, Method]] = [
        (grid, "chebyshev"),
        (grid, "grid"),
        (batch, "blocks"),
        (batch, "chebyshev"),
    ]
    for laplacian, method in cases:
        process = GraphProcess(laplacian, tol=1e-12, method=method, backend=engine.backend)
        exact = GraphProcess(laplacian, method="dense")
        x = np.cos(np.arange(laplacian.n_nodes * 3.0) ** 2).reshape(-1, 3)
        for name in ("transition", "sqrt_covariance"):
            want = getattr(exact, name)(0.5, x)
            error = np.abs(getattr(process, name)(0.5, x, n_threads=1) - want).max() / np.abs(want).max()
            worst = max(worst, float(error))
    return worst < 1e-10, f"error {worst:.1e}"


def check_streams(engine: Engine) -> tuple[bool, str]:
    """Compare each stream's block at one counter with its known value."""
    wrong = []
    for stream, expected in _KNOWN_BLOCKS.items():
        block = kernels.stream_blocks(stream, _KEY, _COUNTER, backend=engine.backend)[0]
        if tuple(int(word) for word in block) != expected:
            wrong.append(stream)
    return not wrong, f"wrong: {', '.join(wrong)}" if wrong else ", ".join(_KNOWN_BLOCKS)


def check_same_bits(engine: Engine, reference: Engine) -> tuple[bool, str]:
    """Compare the spins after a few local sweeps, on rows longer than a vector and in three dimensions."""
    with reference.in_use():
        expected = _swept(reference)
    with engine.in_use():
        spins = _swept(engine)
    wrong = sum(int((a != b).sum()) for a, b in zip(spins, expected, strict=True))
    return wrong == 0, f"{wrong} spins differ" if wrong else "identical"


_LAYOUTS: tuple[tuple[Layout, tuple[int, ...], float], ...] = (
    ("bytes", (2, 6, 66), 0.05),
    ("bytes", (2, 4, 6, 34), 0.05),
    ("rows", (2, 6, 66), 0.0),
    ("rows", (2, 4, 2, 66), 0.0),
    ("replicas", (3, 4, 6), 0.0),
    ("lanes", (3, 5, 4), 0.05),
)


def _swept(engine: Engine) -> list[Spins]:
    results = []
    for layout, shape, field in _LAYOUTS:
        options: dict[str, Any] = {"seed": 5, "ndim": len(shape) - 1, "backend": engine.backend, "n_threads": 1}
        spins = kernels.random_spins(shape, **options)
        options |= {"n_sweeps": 8, "heat_bath_every": 4, "layout": layout}
        kernels.metropolis_sweep(spins, 1 / TEMPERATURE, 1.0, field, **options)
        results.append(spins)
    return results


def check_energy(engine: Engine, name: str) -> tuple[bool, str]:
    """Compare a mean energy with the exact one; chains are independent, so their means give its error."""
    update = _updates()[name]
    means = _mean_energies(engine, update)
    exact = update.exact_energy()
    error = float(means.std(ddof=1)) / len(means) ** 0.5
    sigma = (float(means.mean()) - exact) / error if error else float("inf")
    return abs(sigma) < MAX_SIGMA, f"{means.mean():.4f} ± {error:.4f}, exact {exact:.4f} ({sigma:+.1f}σ)"


def _mean_energies(engine: Engine, update: Update) -> Reals:
    """Return the mean energy of each of many hot-started chains after a burn-in."""
    n_chains = update.n_chains if engine.backend == "cpp" else update.n_chains // 4  # Numba is that much slower
    n_draws, thin = 48, 4
    options: dict[str, Any] = {"backend": engine.backend, "n_threads": 1, "ndim": len(update.shape)}
    spins = kernels.random_spins((n_chains, *update.shape), seed=11, **options)
    beta = 1 / update.temperature
    update.advance(spins, beta, 0, update.burn_in, seed=11, **options)
    total = np.zeros(n_chains)
    for draw in range(n_draws):
        update.advance(spins, beta, update.burn_in + draw * thin, thin, seed=11, **options)
        total += kernels.ising_energy(spins, **options)
    means: Reals = total / n_draws
    return means


@cache
def _exact_strip_energy() -> float:
    from spinodal.exact import kaufman

    return float(kaufman(_STRIP, TEMPERATURE).energy_per_site) * float(np.prod(_STRIP))


@cache
def exact_energy() -> float:
    r"""Return :math:`\langle E \rangle` of the 4 × 4 lattice by the sum over its states, without any kernel."""
    states = np.arange(2**16)[:, None] >> np.arange(16) & 1
    spins = (2 * states - 1).reshape(-1, 4, 4)
    ahead = np.roll(spins, -1, axis=1) + np.roll(spins, -1, axis=2)
    energy = -(spins * ahead).sum(axis=(1, 2))
    weight = np.exp(-(energy - energy.min()) / TEMPERATURE)
    return float((weight * energy).sum() / weight.sum())


def check_pairs(engine: Engine) -> tuple[bool, str]:
    """Compare pairs, their histogram, energy and forces of particles in a box with NumPy's."""
    box, cutoff = np.array([6.0, 6.5, 7.0]), 2.5
    grid = np.stack(np.meshgrid(*[np.arange(6)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    x = (grid + 0.25 * np.sin(np.arange(grid.size)).reshape(grid.shape)) * box / 6
    vectors = x[None] - x[:, None]
    vectors -= box * np.rint(vectors / box)
    r = np.sqrt((vectors**2).sum(axis=-1))
    inside = (r < cutoff) & (r > 0)
    s6 = np.where(inside, r, np.inf) ** -6.0
    forces = (-24 * s6 * (2 * s6 - 1) / np.where(inside, r, 1.0) ** 2)[..., None] * vectors
    options: dict[str, Any] = {"backend": engine.backend, "n_threads": 1}
    i, j = kernels.neighbor_list(x, box, cutoff, half=False, quantities="ij", **options)
    counts = kernels.pair_histogram(x, box, cutoff, 50, **options)
    energy, found, _ = kernels.lennard_jones(x, box, cutoff, **options)
    kept = kernels.LennardJonesPlan(len(x), box, cutoff, precision="mixed", **options)(x)[0]
    listed = np.zeros_like(inside)
    listed[i, j] = True
    off = max(abs(float(energy) - 2 * (s6**2 - s6).sum()), float(np.abs(found - forces.sum(axis=1)).max()))
    right = (listed == inside).all() and (2 * counts == np.histogram(r[inside], 50, (0, cutoff))[0]).all()
    right = right and abs(kept - float(energy)) < 1e-6 * abs(kept)
    return bool(right and off < 1e-9), f"{len(i)} pairs, energy and forces within {off:.0e}"


def check_local_moves(engine: Engine) -> tuple[bool, str]:
    """Compare the mean energy of two particles held by springs with a quadrature."""
    r = np.linspace(0.6, 12.0, 20_001)
    energies = 4 * (r**-12 - r**-6) + r**2 / 4
    weight = r**2 * np.exp(-energies / 0.8)
    exact = float((weight * energies).sum() / weight.sum())
    x = np.zeros((256, 2, 3))
    x[:, 1, 0] = 1.1
    options: dict[str, Any] = {"cutoff": np.inf, "periodic": False, "confinement": 1.0, "step": 0.5, "n_threads": 1}
    means = np.zeros(256)
    for sweep in range(0, 1600, 4):
        energy = kernels.local_moves(x, None, 0.8, sweep=sweep, n_sweeps=4, backend=engine.backend, **options)[0]
        means += energy / 375 if sweep >= 100 else 0.0
    error = float(means.std(ddof=1)) / 16
    sigma = (float(means.mean()) - exact) / error
    return abs(sigma) < MAX_SIGMA, f"{means.mean():.4f} ± {error:.4f}, exact {exact:.4f} ({sigma:+.1f}σ)"


@cache
def bar_energy(length: int = 64) -> float:
    r"""Return :math:`\langle E \rangle` of a 2 × 2 × length lattice by the transfer matrix between its squares."""
    squares = 2 * (np.arange(16)[:, None] >> np.arange(4) & 1) - 1
    neighbors = squares @ np.array([[0, 1, 1, 0], [1, 0, 0, 1], [1, 0, 0, 1], [0, 1, 1, 0]])
    inside = -(squares * neighbors).sum(axis=1)  # each bond twice: both ways around a length of 2
    energy = (inside[:, None] + inside) / 2 - squares @ squares.T
    transfer = np.exp(-(energy - energy.min()) / BAR_TEMPERATURE)
    others = np.linalg.matrix_power(transfer / transfer.sum(), length - 1)
    return length * float((energy * transfer * others).sum() / (transfer * others).sum())


SPEEDS: tuple[tuple[Layout, tuple[int, ...], float], ...] = (
    ("bytes", (512, 512), 0.1),
    ("rows", (512, 512), 0.0),
    ("replicas", (256, 32, 32), 0.0),
)
"""Layouts timed, with the chains and the field they are timed on."""


def flips_per_ns(engine: Engine, layout: Layout, seconds: float = 0.1) -> float:
    """Return the attempted Metropolis flips a nanosecond of one thread: the best of short runs."""
    shape, field = next((shape, field) for name, shape, field in SPEEDS if name == layout)
    options: dict[str, Any] = {"backend": engine.backend, "n_threads": 1}
    spins = kernels.random_spins(shape, **options)
    options |= {"layout": layout}
    best, n_sweeps, end = 0.0, 1, float("inf")
    with engine.in_use():
        kernels.metropolis_sweep(spins, 1 / TEMPERATURE, 1.0, field, **options)  # what is done once is not timed
        while best == 0 or time.perf_counter() < end:
            begin = time.perf_counter()
            end = min(end, begin + seconds)
            kernels.metropolis_sweep(spins, 1 / TEMPERATURE, 1.0, field, n_sweeps=n_sweeps, **options)
            elapsed = max(time.perf_counter() - begin, 1e-9)
            best = max(best, n_sweeps * spins.size / elapsed / 1e9)
            n_sweeps = max(1, int(n_sweeps * 5e-3 / elapsed))  # runs of some 5 ms
    return best
