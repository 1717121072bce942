# SPDX-License-Identifier: BSD-3-Clause
"""The cluster updates by definition, one site at a time; they give the bits of the kernels.

Bonds (Fortuin and Kasteleyn 1972): one with J s_i s_j > 0 is active when its 64-bit uniform is
U ≤ ceil(p·2⁶⁴) − 1, p = 1 − exp(−2β|J|). Site (z, y, x) is in row r = z·Ly + y.

Wolff, step t. Block 0 of ``wolff_seed``: the first site is floor(low·n_sites / 2⁶⁴); u = ((high >> 11) + 1)·2⁻⁵³
decides on the ghost. Breadth first: a queue, at first of that site alone, is read from the front. A
site that has not joined the cluster joins it, and appends its neighbours j in the order -x, +x,
-y, +y, -z, +z, if j has not joined, J s_i s_j > 0, and the bond is active; a site that has joined before is passed
over. Bond d of queue position n has the top 16 bits of U in word k = n·w + d of the blocks of ``wolff_bond``, w = 4
in two dimensions and 8 in three, and the other 48 in the top of the low half of block k of ``wolff_tail``. Block
number b has block index b mod 2²⁰ and row b div 2²⁰. Of n sites with h s_i > 0 none bonds to the ghost
when n ≤ floor(−log(u) / 2β|h|); else no spin flips.

Swendsen-Wang, sweep t. The bond from site x of row r in direction +x, +y, +z (kind 0, 1, 2) has the top byte of
U in byte x % 16 of block 2¹⁶·kind + x div 16 of ``cluster_bond``, row r; the bond to the ghost (kind 3) has it in
byte x % 16 of block x div 16 of ``cluster_field``. The other 56 bits are the top of half kind % 2 of block x of
``cluster_tail``, row r + 2³¹·(kind div 2). A cluster whose first site in C order is (r, x) flips if bit x % 128 of
block x div 128 of ``cluster_flip``, row r, is set, unless a bond ties it to the ghost.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from reference import streams
from reference.ising import threshold

Array = npt.NDArray[Any]
BATCH = 64


def bond_threshold(beta: float, coupling: float) -> int:
    return threshold(-math.expm1(-2 * beta * abs(coupling)))


def halves(stream: str, seed: int, counters: Array) -> Array:
    """Blocks as 64-bit halves, (n, 2)."""
    return streams.stream_blocks(stream, seed, counters).astype("<u4").view("<u8")


def wolff_uniforms(first: int, ndim: int, step: int, chain: int, seed: int, stream: str) -> Array:
    """U of every bond of ``BATCH`` queue positions from ``first`` on, (BATCH, 2·ndim)."""
    words = 4 if ndim == 2 else 8
    block = np.arange(first * words // 8, (first + BATCH) * words // 8)
    top = halves(stream, seed, streams.counter("wolff_bond", block % 2**20, block // 2**20, step, chain)).view("<u2")
    word = np.arange(first * words, (first + BATCH) * words)
    rest = halves(stream, seed, streams.counter("wolff_tail", word % 2**20, word // 2**20, step, chain))[:, 0]
    uniform = top.reshape(-1).astype(np.uint64) << np.uint64(48) | rest >> np.uint64(16)
    return uniform.reshape(BATCH, words)[:, : 2 * ndim]


def neighbors(site: tuple[int, ...], shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """In the order -x, +x, -y, +y, -z, +z; both of an axis of length 2 are the same site."""
    return [
        (*site[:axis], (site[axis] + step) % shape[axis], *site[axis + 1 :])
        for axis in reversed(range(len(shape)))
        for step in (-1, 1)
    ]


def grow_cluster(
    spins: Array, first: tuple[int, ...], J: float, limit: int, step: int, chain: int, seed: int, stream: str
) -> set[tuple[int, ...]]:
    """The sites of the cluster of ``first``."""
    queue, cluster, position = [first], set(), 0
    while position < len(queue):
        if position % BATCH == 0:
            uniforms = wolff_uniforms(position, spins.ndim, step, chain, seed, stream).tolist()
        site = queue[position]
        if site not in cluster:
            cluster.add(site)
            for d, other in enumerate(neighbors(site, spins.shape)):
                active = uniforms[position % BATCH][d] <= limit
                if active and other not in cluster and J * spins[site] * spins[other] > 0:
                    queue.append(other)
        position += 1
    return cluster


def wolff_update(
    spins: Array, beta: float, J: float, h: float, step: int, chain: int, seed: int, stream: str
) -> tuple[int, int]:
    """One update of one chain, in place; returns (flipped, cluster size)."""
    low, high = halves(stream, seed, streams.counter("wolff_seed", 0, 0, step, chain))[0].tolist()
    first = tuple(int(i) for i in np.unravel_index(low * spins.size >> 64, spins.shape))
    cluster = grow_cluster(spins, first, J, bond_threshold(beta, J), step, chain, seed, stream)
    aligned = sum(h * spins[site] > 0 for site in cluster)
    if beta * h != 0 and aligned > math.floor(-math.log(((high >> 11) + 1) * 2.0**-53) / (2 * beta * abs(h))):
        return 0, len(cluster)
    for site in cluster:
        spins[site] *= -1
    return len(cluster), len(cluster)


def cluster_uniforms(kind: int, shape: tuple[int, ...], sweep: int, chain: int, seed: int, stream: str) -> Array:
    """U of the bond of one kind of every site, in the lattice's shape."""
    n_rows, length = math.prod(shape[:-1]), shape[-1]
    rows, block = np.arange(n_rows)[:, None], np.arange(-(-length // 16))
    ghost = kind == 3
    purpose, first = ("cluster_field", 0) if ghost else ("cluster_bond", kind << 16)
    top = halves(stream, seed, streams.counter(purpose, first + block, rows, sweep, chain)).view(np.uint8)
    top = top.reshape(n_rows, -1)[:, :length].astype(np.uint64)
    tail = streams.counter("cluster_tail", np.arange(length), rows + (kind // 2 << 31), sweep, chain)
    rest = halves(stream, seed, tail)[:, kind % 2].reshape(n_rows, length)
    return (top << np.uint64(56) | rest >> np.uint64(8)).reshape(shape)


def coins(shape: tuple[int, ...], sweep: int, chain: int, seed: int, stream: str) -> Array:
    """What would flip the cluster whose first site this is, in the lattice's shape."""
    rows, block = np.arange(math.prod(shape[:-1]))[:, None], np.arange(-(-shape[-1] // 128))
    blocks = halves(stream, seed, streams.counter("cluster_flip", block, rows, sweep, chain))
    bits = np.unpackbits(blocks.view(np.uint8), bitorder="little").reshape(len(rows), -1)
    return bits[:, : shape[-1]].reshape(shape).astype(bool)


def cluster_labels(bonds: list[Array]) -> Array:
    """Flat index of the first site of each site's cluster; bonds[k] joins a site to the next along axis k."""
    shape = bonds[0].shape
    label = np.arange(bonds[0].size).reshape(shape)
    before = None
    while before is None or not np.array_equal(label, before):
        before = label.copy()
        for axis, active in enumerate(bonds):
            ahead = np.minimum(label, np.roll(label, -1, axis))
            label = np.where(active, ahead, label)
            label = np.where(np.roll(active, 1, axis), np.minimum(label, np.roll(ahead, 1, axis)), label)
    return label


def swendsen_wang_update(
    spins: Array, beta: float, J: float, h: float, sweep: int, chain: int, seed: int, stream: str
) -> int:
    """One sweep of one chain, in place; returns the number of clusters."""
    key = (spins.shape, sweep, chain, seed, stream)
    wide = spins.astype(np.int64)
    limit = np.uint64(bond_threshold(beta, J))
    bonds = [
        (cluster_uniforms(spins.ndim - 1 - axis, *key) <= limit) & (J * wide * np.roll(wide, -1, axis) > 0)
        for axis in range(spins.ndim)
    ]
    label = cluster_labels(bonds)
    flip = coins(*key).reshape(-1)
    if beta * h != 0:
        tied = (cluster_uniforms(3, *key) <= np.uint64(bond_threshold(beta, h))) & (h * wide > 0)
        flip[label[tied]] = False
    spins[flip[label]] *= -1
    return len(np.unique(label))


def wolff_step(
    spins: Array,
    beta: npt.ArrayLike,
    J: float = 1.0,
    h: float = 0.0,
    *,
    n_steps: int = 1,
    seed: int = 0,
    step: int = 0,
    first_chain: int = 0,
    stream: str = "ars7",
    ndim: int = 2,
) -> tuple[Array, Array]:
    leading = spins.shape[:-ndim]
    betas = np.broadcast_to(beta, leading)
    flipped, size = np.zeros(leading, dtype=np.int64), np.zeros(leading, dtype=np.int64)
    for number, index in enumerate(np.ndindex(leading)):
        for t in range(step, step + n_steps):
            one = wolff_update(spins[index], float(betas[index]), J, h, t, first_chain + number, seed, stream)
            flipped[index] += one[0]
            size[index] += one[1]
    return flipped, size


def swendsen_wang_sweep(
    spins: Array,
    beta: npt.ArrayLike,
    J: float = 1.0,
    h: float = 0.0,
    *,
    n_sweeps: int = 1,
    seed: int = 0,
    sweep: int = 0,
    first_chain: int = 0,
    stream: str = "ars7",
    ndim: int = 2,
) -> Array:
    leading = spins.shape[:-ndim]
    betas = np.broadcast_to(beta, leading)
    n_clusters = np.zeros(leading, dtype=np.int64)
    for number, index in enumerate(np.ndindex(leading)):
        for t in range(sweep, sweep + n_sweeps):
            n_clusters[index] += swendsen_wang_update(
                spins[index], float(betas[index]), J, h, t, first_chain + number, seed, stream
            )
    return n_clusters
