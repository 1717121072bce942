# SPDX-License-Identifier: BSD-3-Clause
"""Raw Ising kernels; conventions in :mod:`spinodal.kernels`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from spinodal.backends import Backend, resolve
from spinodal.backends.protocol import Integers, Reals, Spins
from spinodal.kernels.arguments import (
    BackendName,
    StreamName,
    check_coupling,
    check_integer,
    check_randomness,
    check_stream,
    flatten_chains,
    in_place_spins,
    measure,
    output,
    prepare,
    read_spins,
    slices,
)
from spinodal.kernels.layouts import Layout, check_layout, choose_layout, relative_cost
from spinodal.threads import resolve_n_threads


def metropolis_sweep(
    spins: Any,
    beta: float | npt.ArrayLike,
    J: float = 1.0,
    h: float = 0.0,
    *,
    n_sweeps: int = 1,
    seed: int = 0,
    sweep: int = 0,
    first_chain: int = 0,
    heat_bath_every: int = 16,
    stream: StreamName = "ars7",
    layout: Layout | Literal["auto"] = "auto",
    energy: Reals | None = None,
    magnetization: Integers | None = None,
    ndim: int = 2,
    n_threads: int | None = None,
    backend: BackendName | None = None,
) -> None:
    r"""Advance every chain by checkerboard Metropolis sweeps, in place.

    .. math:: P(\text{flip } i) = \min(1, e^{-\beta \Delta E_i}), \quad
              \Delta E_i = 2 s_i (J \sum_j s_j + h)

    On a checkerboard this rule alone is reducible, because moves with ΔE = 0 are certain; so
    every ``heat_bath_every``-th sweep is a heat bath, whose moves are all possible and none
    certain, which makes the chain irreducible at every shape, J, h and T > 0.

    Parameters
    ----------
    spins : int8 array, shape (…, Ly, Lx) or (…, Lz, Ly, Lx)
        Values ±1; C-contiguous and writeable; even lengths, unless ``layout`` says otherwise.
    beta : float or array, broadcast to the leading axes
        Inverse temperature 1/T ≥ 0, in units of 1/J.
    J, h : float
        Coupling and field, in one energy unit.
    n_sweeps, seed, sweep, first_chain : int
        ``sweep`` is the index of the first sweep: calls with sweep=0, n_sweeps=a and sweep=a,
        n_sweeps=b give the bits of one call with n_sweeps=a+b.
    heat_bath_every : int
        Period of the heat-bath sweeps (sweep index ≡ −1); 0 for pure Metropolis, 1 for heat bath.
    stream : {"ars7", "ars5", "philox10"}
        Counter stream the random numbers come from.
    layout : {"auto", "bytes", "rows", "replicas", "lanes"}
        Where the spins lie during the call, and so which random number each gets; the law is the same.
        "bytes" takes all even lattices; "rows" packs the sites of one lattice, square or cubic (h = 0, rows of at
        least 64); "replicas" packs 256 chains of one temperature, "lanes" 256 chains of any, both with any lengths,
        odd ones included (their sites are then updated one after another). "auto" is :func:`choose_layout`: a caller
        who cuts a batch of chains into several calls names the layout of the whole batch.
    energy, magnetization : float64 and int64 arrays, shape of the leading axes, optional
        Get :func:`ising_energy` and Σ_i s_i of every chain after the last sweep: while the spins are packed that
        costs next to nothing.
    ndim : {2, 3}
        Number of trailing axes that are the lattice.
    n_threads : int, optional
        Default: affinity mask and cgroup.
    backend : {"cpp", "numba"}, optional
        Default: cpp, else numba with a warning. A named backend never falls back.

    Raises
    ------
    ValueError
        If a length is odd (with "bytes" and "auto"), the layout cannot hold the lattice, a spin is not ±1, or a
        parameter is out of its bounds.
    TypeError
        If ``spins`` is not an int8 array that can be changed in place.

    References
    ----------
    Metropolis et al., J. Chem. Phys. 21, 1087 (1953), doi:10.1063/1.1699114.
    """
    chains = in_place_spins(spins, ndim)
    check_layout(layout, chains.shape[1:], h)
    check_integer("heat_bath_every", heat_bath_every)
    if heat_bath_every < 0:
        raise ValueError(f"heat_bath_every must be >= 0; got {heat_bath_every}")
    engine, betas = prepare(chains, spins, beta, J, h, ndim, stream, backend)
    check_randomness(seed, sweep, n_sweeps, first_chain, len(chains), "sweep")
    if layout == "auto":
        layout = choose_layout(chains.shape[1:], h, betas, first_chain)
    leading = np.shape(spins)[:-ndim]
    measured = {
        name: output(out, leading, dtype, name).reshape(-1)
        for name, out, dtype in (("energy", energy, np.float64), ("magnetization", magnetization, np.int64))
        if out is not None
    }
    advance = _in_layout(engine, layout, float(J), float(h))
    threads = resolve_n_threads(n_threads)
    cost = relative_cost(engine, stream, layout, chains.shape[1:], h, range(first_chain, first_chain + len(chains)))
    for start, count in slices(engine, chains, sweep, n_sweeps, cost=cost):
        advance(
            chains, betas, n_sweeps=count, seed=seed, sweep=start, first_chain=first_chain,
            heat_bath_every=heat_bath_every, stream=stream, n_threads=threads,
            **(measured if layout != "bytes" else {}),
        )  # fmt: skip
    if layout == "bytes" or n_sweeps == 0:
        _measure_bytes(engine, chains, float(J), float(h), measured, threads)


def _in_layout(engine: Backend, layout: Layout, J: float, h: float) -> Callable[..., None]:
    """Return an engine's sweep in a layout, as ``advance(chains, betas, **options)``."""
    if layout == "rows":
        return lambda chains, betas, **options: engine.metropolis_sweep_rows(chains, betas, J, **options)
    sweep: Callable[..., None] = {
        "bytes": engine.metropolis_sweep,
        "replicas": engine.metropolis_sweep_replicas,
        "lanes": engine.metropolis_sweep_lanes,
    }[layout]
    return lambda chains, betas, **options: sweep(chains, betas, J, h, **options)


def _measure_bytes(
    engine: Backend, chains: Spins, J: float, h: float, out: dict[str, npt.NDArray[Any]], n_threads: int
) -> None:
    if "energy" in out:
        engine.ising_energy(chains, J, h, out["energy"], n_threads=n_threads)
    if "magnetization" in out:
        engine.magnetization(chains, out["magnetization"], n_threads=n_threads)


def heat_bath_sweep(
    spins: Any,
    beta: float | npt.ArrayLike,
    J: float = 1.0,
    h: float = 0.0,
    *,
    n_sweeps: int = 1,
    seed: int = 0,
    sweep: int = 0,
    first_chain: int = 0,
    stream: StreamName = "ars7",
    layout: Layout | Literal["auto"] = "auto",
    ndim: int = 2,
    n_threads: int | None = None,
    backend: BackendName | None = None,
) -> None:
    r"""Advance every chain by checkerboard heat-bath (Glauber) sweeps, in place.

    .. math:: P(\text{flip } i) = \frac{1}{1 + e^{\beta \Delta E_i}}

    Parameters and errors are those of :func:`metropolis_sweep`.

    References
    ----------
    Glauber, J. Math. Phys. 4, 294 (1963), doi:10.1063/1.1703954.
    """
    metropolis_sweep(
        spins, beta, J, h, n_sweeps=n_sweeps, seed=seed, sweep=sweep, first_chain=first_chain, heat_bath_every=1,
        stream=stream, layout=layout, ndim=ndim, n_threads=n_threads, backend=backend,
    )  # fmt: skip


def wolff_step(
    spins: Any,
    beta: float | npt.ArrayLike,
    J: float = 1.0,
    h: float = 0.0,
    *,
    n_steps: int = 1,
    seed: int = 0,
    step: int = 0,
    first_chain: int = 0,
    stream: StreamName = "ars7",
    ndim: int = 2,
    n_threads: int | None = None,
    backend: BackendName | None = None,
) -> tuple[Integers, Integers]:
    r"""Grow and flip ``n_steps`` single clusters a chain, in place.

    A bond with J s_i s_j > 0 joins the cluster with probability :math:`1 - e^{-2\beta|J|}`. A
    field is a ghost spin: a cluster that bonds to it is left as it is. Odd lengths are allowed.
    The number of clusters is fixed beforehand: stopping on the number of flipped spins would
    bias every average.

    Parameters
    ----------
    spins, beta, J, h, seed, first_chain, stream, ndim, n_threads, backend
        As in :func:`metropolis_sweep`, any lengths ≥ 2.
    n_steps, step : int
        Clusters a chain, and the index of the first.

    Returns
    -------
    flipped, cluster_size : int64 arrays, shape of the leading axes
        Spins flipped, and spins in the clusters grown, summed over the steps.

    References
    ----------
    Wolff, Phys. Rev. Lett. 62, 361 (1989), doi:10.1103/PhysRevLett.62.361.
    """
    chains = in_place_spins(spins, ndim)
    engine, betas = prepare(chains, spins, beta, J, h, ndim, stream, backend)
    check_randomness(seed, step, n_steps, first_chain, len(chains), "step")
    threads = resolve_n_threads(n_threads)
    flipped, sizes = np.zeros(len(chains), dtype=np.int64), np.zeros(len(chains), dtype=np.int64)
    for start, count in slices(engine, chains, step, n_steps, cost=12):
        part_flipped, part_sizes = engine.wolff_step(
            chains, betas, float(J), float(h), n_steps=count, seed=seed, step=start, first_chain=first_chain,
            stream=stream, n_threads=threads,
        )  # fmt: skip
        flipped += part_flipped
        sizes += part_sizes
    leading = np.shape(spins)[:-ndim]
    return flipped.reshape(leading), sizes.reshape(leading)


def swendsen_wang_sweep(
    spins: Any,
    beta: float | npt.ArrayLike,
    J: float = 1.0,
    h: float = 0.0,
    *,
    n_sweeps: int = 1,
    seed: int = 0,
    sweep: int = 0,
    first_chain: int = 0,
    stream: StreamName = "ars7",
    ndim: int = 2,
    n_threads: int | None = None,
    backend: BackendName | None = None,
) -> Integers:
    r"""Divide every chain into clusters and flip each with probability ½, in place.

    Bonds, field and odd lengths as in :func:`wolff_step`; a cluster bonded to the ghost spin
    does not flip.

    Returns
    -------
    n_clusters : int64 array, shape of the leading axes
        Summed over the sweeps.

    References
    ----------
    Swendsen and Wang, Phys. Rev. Lett. 58, 86 (1987), doi:10.1103/PhysRevLett.58.86.
    """
    chains = in_place_spins(spins, ndim)
    engine, betas = prepare(chains, spins, beta, J, h, ndim, stream, backend)
    check_randomness(seed, sweep, n_sweeps, first_chain, len(chains), "sweep")
    threads = resolve_n_threads(n_threads)
    n_clusters = np.zeros(len(chains), dtype=np.int64)
    for start, count in slices(engine, chains, sweep, n_sweeps, cost=12):
        n_clusters += engine.swendsen_wang_sweep(
            chains, betas, float(J), float(h), n_sweeps=count, seed=seed, sweep=start, first_chain=first_chain,
            stream=stream, n_threads=threads,
        )  # fmt: skip
    return n_clusters.reshape(np.shape(spins)[:-ndim])


def ising_energy(
    spins: Any,
    J: float = 1.0,
    h: float = 0.0,
    *,
    out: Reals | None = None,
    ndim: int = 2,
    n_threads: int | None = None,
    backend: BackendName | None = None,
) -> Reals:
    """Return the total energy of every chain, in the unit of J and h.

    Parameters
    ----------
    spins : array of ±1, shape (…, *lattice)
        Read without a copy when int8 and C-contiguous.
    out : float64 array, shape of the leading axes, optional
        Written in place; must be C-contiguous.

    Returns
    -------
    energy : float64 array, shape of the leading axes
    """
    check_coupling(J, h)
    return measure(
        spins, out, np.float64, ndim, lambda engine, chains, flat, threads: engine.ising_energy(
            chains, float(J), float(h), flat, n_threads=threads
        ), n_threads, backend,
    )  # fmt: skip


def magnetization(
    spins: Any,
    *,
    out: Integers | None = None,
    ndim: int = 2,
    n_threads: int | None = None,
    backend: BackendName | None = None,
) -> Integers:
    """Return Σ_i s_i of every chain as int64, shape of the leading axes."""
    return measure(
        spins, out, np.int64, ndim,
        lambda engine, chains, flat, threads: engine.magnetization(chains, flat, n_threads=threads),
        n_threads, backend,
    )  # fmt: skip


def local_field(
    spins: Any,
    J: float = 1.0,
    h: float = 0.0,
    *,
    out: Reals | None = None,
    ndim: int = 2,
    n_threads: int | None = None,
    backend: BackendName | None = None,
) -> Reals:
    """Return J Σ_j s_j + h at every site as float64, in the shape of ``spins``."""
    check_coupling(J, h)
    chains = read_spins(spins, ndim)
    result = output(out, np.shape(spins), np.float64)
    flat = result.reshape(chains.shape)
    resolve(backend).local_field(chains, float(J), float(h), flat, n_threads=resolve_n_threads(n_threads))
    return result


def random_spins(
    shape: Sequence[int],
    *,
    seed: int = 0,
    first_chain: int = 0,
    stream: StreamName = "ars7",
    ndim: int = 2,
    n_threads: int | None = None,
    backend: BackendName | None = None,
) -> Spins:
    """Return independent fair spins of a shape (…, *lattice): infinite temperature."""
    out: Spins = np.empty(tuple(shape), dtype=np.int8)
    chains = flatten_chains(out, ndim)
    check_stream(stream)
    check_randomness(seed, 0, 0, first_chain, len(chains), "sweep")
    resolve(backend).random_spins(
        chains, seed=seed, first_chain=first_chain, stream=stream, n_threads=resolve_n_threads(n_threads)
    )
    return out
