# SPDX-License-Identifier: BSD-3-Clause
"""The Ising kernels by definition, one site or one sublattice at a time.

A site of sublattice ``color`` (the parity of the sum of its indices), number k of its row r, flips
when U ≤ ceil(p·2⁶⁴) − 1. The top byte of the 64-bit U is byte k of the row's blocks of purpose
``local_<color>``; the other 56 bits are the top bits of the low half of block k of ``local_<color>_tail``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from reference import streams

Array = npt.NDArray[Any]
COLORS = ("even", "odd")


def lattice_axes(ndim: int) -> range:
    return range(-ndim, 0)


def neighbor_sum(spins: Array, ndim: int = 2) -> Array:
    wide = np.asarray(spins, dtype=np.int64)
    return sum(np.roll(wide, step, axis) for axis in lattice_axes(ndim) for step in (1, -1))


def local_field(spins: Array, J: float = 1.0, h: float = 0.0, ndim: int = 2) -> Array:
    return J * neighbor_sum(spins, ndim) + h


def magnetization(spins: Array, ndim: int = 2) -> Array:
    return np.asarray(spins, dtype=np.int64).sum(axis=tuple(lattice_axes(ndim)))


def ising_energy(spins: Array, J: float = 1.0, h: float = 0.0, ndim: int = 2) -> Array:
    wide = np.asarray(spins, dtype=np.int64)
    bonds = sum(wide * np.roll(wide, -1, axis) for axis in lattice_axes(ndim))
    return -J * bonds.sum(axis=tuple(lattice_axes(ndim))) - h * magnetization(spins, ndim)


def metropolis_probability(x: float) -> float:
    """p(flip) at x = β ΔE."""
    return 1.0 if x <= 0 else math.exp(-x)


def heat_bath_probability(x: float) -> float:
    return 0.0 if x > 709 else 1.0 / (1.0 + math.exp(x))


def threshold(p: float) -> int:
    """Largest U that flips; the smallest probability is 2⁻⁶⁴."""
    return min(max(math.ceil(math.ldexp(p, 64)), 1), 2**64) - 1


def thresholds(rule: str, beta: float, J: float, h: float, ndim: int) -> dict[tuple[int, int], int]:
    """By (spin, sum of its neighbours)."""
    probability = {"metropolis": metropolis_probability, "heat_bath": heat_bath_probability}[rule]
    return {
        (spin, total): threshold(probability(beta * (2.0 * spin * (J * total + h))))
        for spin in (-1, 1)
        for total in range(-2 * ndim, 2 * ndim + 1, 2)
    }


def color_mask(shape: tuple[int, ...], color: int) -> npt.NDArray[np.bool_]:
    return np.indices(shape).sum(axis=0) % 2 == color


def sublattice_uniforms(
    shape: tuple[int, ...], color: int, sweep: int, chain: int, seed: int, stream: str
) -> npt.NDArray[np.uint64]:
    """U of every site of a sublattice, in C order."""
    n_rows, width = math.prod(shape[:-1]), shape[-1] // 2
    n_blocks = -(-width // 16)
    rows = np.arange(n_rows)[:, None]
    heads = streams.counter(f"local_{COLORS[color]}", np.arange(n_blocks), rows, sweep, chain)
    top = streams.stream_blocks(stream, seed, heads).astype("<u4").view(np.uint8).reshape(n_rows, -1)[:, :width]
    tails = streams.counter(f"local_{COLORS[color]}_tail", np.arange(width), rows, sweep, chain)
    words = streams.stream_blocks(stream, seed, tails).astype(np.uint64)
    rest = (words[:, 0] | words[:, 1] << np.uint64(32)) >> np.uint64(8)
    return top.astype(np.uint64).reshape(-1) << np.uint64(56) | rest


def local_sweep(
    spins: Array, rule: str, beta: float, J: float, h: float, sweep: int, chain: int, seed: int, stream: str
) -> None:
    """One sweep of one chain, in place: the even sublattice, then the odd one."""
    limits = thresholds(rule, beta, J, h, spins.ndim)
    for color in (0, 1):
        mask = color_mask(spins.shape, color)
        totals = neighbor_sum(spins, spins.ndim)[mask]
        here = spins[mask]
        limit = np.array([limits[s, t] for s, t in zip(here.tolist(), totals.tolist(), strict=True)], dtype=np.uint64)
        flip = sublattice_uniforms(spins.shape, color, sweep, chain, seed, stream) <= limit
        spins[mask] = np.where(flip, -here, here)


def metropolis_sweep(
    spins: Array,
    beta: npt.ArrayLike,
    J: float = 1.0,
    h: float = 0.0,
    *,
    n_sweeps: int = 1,
    seed: int = 0,
    sweep: int = 0,
    first_chain: int = 0,
    heat_bath_every: int = 16,
    stream: str = "ars7",
    ndim: int = 2,
) -> None:
    leading = spins.shape[:-ndim]
    betas = np.broadcast_to(beta, leading)
    for number, index in enumerate(np.ndindex(leading)):
        for t in range(sweep, sweep + n_sweeps):
            bath = heat_bath_every > 0 and t % heat_bath_every == heat_bath_every - 1
            rule = "heat_bath" if bath else "metropolis"
            local_sweep(spins[index], rule, float(betas[index]), J, h, t, first_chain + number, seed, stream)


def heat_bath_sweep(spins: Array, beta: npt.ArrayLike, J: float = 1.0, h: float = 0.0, **options: Any) -> None:
    metropolis_sweep(spins, beta, J, h, heat_bath_every=1, **options)


def random_spins(
    shape: tuple[int, ...], *, seed: int = 0, first_chain: int = 0, stream: str = "ars7", ndim: int = 2
) -> Array:
    """Site i of a chain is up where bit i % 128 of block (row i / 128) of ``initial_spins`` is set."""
    n_sites = math.prod(shape[-ndim:])
    n_chains = math.prod(shape[:-ndim])
    rows = np.arange(-(-n_sites // 128))
    chains = np.arange(first_chain, first_chain + n_chains)[:, None]
    blocks = streams.stream_blocks(stream, seed, streams.counter("initial_spins", 0, rows, 0, chains))
    bits = np.unpackbits(blocks.astype("<u4").view(np.uint8), bitorder="little").reshape(n_chains, -1)
    return (2 * bits[:, :n_sites].astype(np.int8) - 1).reshape(shape)
