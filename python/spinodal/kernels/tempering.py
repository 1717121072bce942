# SPDX-License-Identifier: BSD-3-Clause
"""Raw parallel tempering; conventions in :mod:`spinodal.kernels`."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from spinodal.backends.protocol import Integers
from spinodal.kernels.arguments import (
    BackendName,
    StreamName,
    check_integer,
    check_randomness,
    in_place_spins,
    prepare,
    slices,
)
from spinodal.kernels.layouts import COST, TemperingLayout, check_tempering_layout, choose_tempering_layout
from spinodal.threads import resolve_n_threads


def parallel_tempering(
    spins: Any,
    rung: Integers,
    direction: Integers,
    ladder: npt.ArrayLike,
    J: float = 1.0,
    h: float = 0.0,
    *,
    n_rounds: int = 1,
    swap_every: int = 1,
    heat_bath_every: int = 16,
    seed: int = 0,
    round: int = 0,
    first_chain: int = 0,
    stream: StreamName = "ars7",
    layout: TemperingLayout = "auto",
    ndim: int = 2,
    n_threads: int | None = None,
    backend: BackendName | None = None,
) -> tuple[Integers, Integers, Integers]:
    r"""Advance ladders of replicas by rounds of sweeps and exchanges, in place.

    A round is ``swap_every`` sweeps of :func:`~spinodal.kernels.metropolis_sweep` of every replica at
    the temperature of its rung, then an exchange of the rungs of neighbouring pairs (even and odd
    ones in turn), accepted with

    .. math:: P = \min(1, e^{(\beta_r - \beta_{r+1})(E_r - E_{r+1})})

    Parameters
    ----------
    spins : int8 array, shape (n_chains, Ly, Lx) or (n_chains, Lz, Ly, Lx)
        Replicas, ladder after ladder; they stay where they are.
    rung : int64 array, shape (n_chains,)
        Rung of each replica on its ladder: within every ladder a permutation of 0 … n_rungs − 1. Changed in place.
    direction : int64 array, shape (n_chains,)
        +1 where a replica was last on the coldest rung, −1 the hottest, 0 neither yet. Changed in place.
    ladder : array, shape (n_rungs,)
        Inverse temperatures from the coldest rung to the hottest; n_chains is a multiple of n_rungs ≥ 2.
    n_rounds, round : int
        Rounds, and the index of the first.
    layout : {"auto", "bytes", "rows", "lanes"}
        As in :func:`~spinodal.kernels.metropolis_sweep`. In "lanes" the replicas stay packed from the first round of
        a call to its last: an exchange permutes temperatures among them.
    J, h, heat_bath_every, seed, first_chain, stream, ndim, n_threads, backend
        As in :func:`~spinodal.kernels.metropolis_sweep`.

    Returns
    -------
    swap_attempts, swap_accepts : int64 arrays, shape (n_chains,)
        Of each ladder's rung, place by place, with the next hotter one.
    round_trips : int64 array, shape (n_chains,)
        Of each replica: returns to the coldest rung after a visit to the hottest.

    Raises
    ------
    ValueError
        If a parameter is out of its bounds, or ``rung`` is no permutation.
    TypeError
        If ``spins``, ``rung`` or ``direction`` cannot be changed in place.

    References
    ----------
    Hukushima and Nemoto, J. Phys. Soc. Jpn. 65, 1604 (1996), doi:10.1143/JPSJ.65.1604.
    """
    chains = in_place_spins(spins, ndim)
    check_tempering_layout(layout, chains.shape[1:], h)
    betas = np.ascontiguousarray(ladder, dtype=np.float64)
    _check_ladder(betas, rung, direction, len(chains))
    for name, value, least in (("swap_every", swap_every, 1), ("heat_bath_every", heat_bath_every, 0)):
        check_integer(name, value)
        if value < least:
            raise ValueError(f"{name} must be >= {least}; got {value}")
    engine, _ = prepare(chains, chains, np.resize(betas, len(chains)), J, h, ndim, stream, backend)
    check_randomness(seed, round, n_rounds, first_chain, len(chains), "round")
    check_randomness(seed, round * swap_every, n_rounds * swap_every, first_chain, len(chains), "sweep")
    if layout == "auto":
        layout = choose_tempering_layout(chains.shape[1:], h, len(chains), first_chain)
    threads = resolve_n_threads(n_threads)
    totals = np.zeros((3, len(chains)), dtype=np.int64)
    for start, count in slices(engine, chains, round, n_rounds, cost=COST[layout] * (swap_every + 1)):
        totals += engine.parallel_tempering(
            chains, rung, direction, betas, float(J), float(h), swap_every=swap_every, heat_bath_every=heat_bath_every,
            n_rounds=count, seed=seed, round=start, first_chain=first_chain, stream=stream, layout=layout,
            n_threads=threads,
        )  # fmt: skip
    return totals[0], totals[1], totals[2]


def _check_ladder(ladder: npt.NDArray[np.float64], rung: Any, direction: Any, n_chains: int) -> None:
    if ladder.ndim != 1 or len(ladder) < 2:
        raise ValueError(f"ladder must hold at least two inverse temperatures; got shape {ladder.shape}")
    if n_chains % len(ladder):
        raise ValueError(f"n_chains must be a multiple of the {len(ladder)} rungs; got {n_chains}")
    for name, array in (("rung", rung), ("direction", direction)):
        if not (isinstance(array, np.ndarray) and array.dtype == np.int64 and array.flags.c_contiguous):
            raise TypeError(f"{name} must be a C-contiguous int64 array, to be changed in place; got {type(array)}")
        if array.shape != (n_chains,):
            raise ValueError(f"{name} must have shape ({n_chains},); got {array.shape}")
    places = np.sort(rung.reshape(-1, len(ladder)), axis=1)
    if (places != np.arange(len(ladder))).any():
        wrong = np.flatnonzero((places != np.arange(len(ladder))).any(axis=1))[0]
        raise ValueError(f"rung must be a permutation of 0 … {len(ladder) - 1} in every ladder; ladder {wrong} is not")
