# SPDX-License-Identifier: BSD-3-Clause
"""Numba twins of the cluster kernels: one chain a call, the same random numbers, the same bits.

Chains are boxes (lz, ly, lx), lz = 1 when planar. The formulas are in ``cpp/include/spinodal/cluster.hpp``.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from spinodal.backends.numba_streams import counter_word, stream_block

_U32, _U64 = np.uint32, np.uint64
_WOLFF_SEED, _WOLFF_BOND, _WOLFF_TAIL = 4, 5, 6
_CLUSTER_BOND, _CLUSTER_TAIL, _CLUSTER_FLIP, _CLUSTER_FIELD = 7, 8, 9, 10
_GHOST = 3  # the kind of a bond after those along x, y, z


def bond_threshold(beta: float, coupling: float) -> np.uint64:
    """Return the inclusive 64-bit threshold ceil(p·2⁶⁴) − 1 of p = 1 − exp(−2β|coupling|)."""
    p = -math.expm1(-2.0 * beta * abs(coupling))
    return _U64(min(max(math.ceil(math.ldexp(p, 64)) - 1, 0), 2**64 - 1))


@numba.njit(cache=True)
def _wolff_block(purpose: int, index: int, stream_id: int, seed, step: int, chain: int):
    word = _U32(counter_word(purpose, 0, step) + _U32(index & 0xFFFFF))
    return stream_block(stream_id, seed, word, _U32(index >> 20), _U32(step), _U32(chain))


@numba.njit(cache=True)
def _active_bonds(n: int, low, high, planar: bool, threshold, stream_id: int, seed, step: int, chain: int) -> int:
    """Return the mask of the active bonds of queue position n, whose words are in the block (low, high)."""
    words = 4 if planar else 8
    mask = 0
    for d in range(4 if planar else 6):
        k = n * words + d
        half = low if k % 8 < 4 else high
        top = (half >> _U64(16 * (k % 4))) & _U64(0xFFFF)
        active = top < threshold >> _U64(48)
        if top == threshold >> _U64(48):
            rest, _ = _wolff_block(_WOLFF_TAIL, k, stream_id, seed, step, chain)
            active = rest >> _U64(16) <= threshold & _U64(0xFFFFFFFFFFFF)
        mask |= numba.int64(active) << d
    return mask


@numba.njit(cache=True)
def _neighbor(i: int, d: int, lz: int, ly: int, lx: int) -> int:
    """Return the flat index of a neighbour, in the order -x, +x, -y, +y, -z, +z."""
    axis, up = d // 2, d % 2 == 1
    stride = 1 if axis == 0 else lx if axis == 1 else lx * ly
    length = lx if axis == 0 else ly if axis == 1 else lz
    at = i // stride % length
    if up:
        return i + stride if at < length - 1 else i - stride * (length - 1)
    return i - stride if at > 0 else i + stride * (length - 1)


@numba.njit(cache=True)
def _grow(spins, queue, joined, shape, first, alike, planar, threshold, stream_id, seed, step, chain):
    """Grow the cluster of a site; return the length of the queue, which may hold a site more than once."""
    lz, ly, lx = shape
    queue[0] = first
    head, tail = 0, 1
    low = high = _U64(0)
    while head < tail:
        if not planar or head % 2 == 0:
            low, high = _wolff_block(_WOLFF_BOND, head // 2 if planar else head, stream_id, seed, step, chain)
        i = queue[head]
        if not joined[i]:
            active = _active_bonds(head, low, high, planar, threshold, stream_id, seed, step, chain)
            joined[i] = True
            for d in range(4 if planar else 6):
                j = _neighbor(i, d, lz, ly, lx)
                if active >> d & 1 and not joined[j] and spins[i] * spins[j] == alike:
                    queue[tail] = j
                    tail += 1
        head += 1
    return tail


@numba.njit(cache=True)
def _aligned_limit(uniform, ghost_exponent: float) -> float:
    """Return how many sites aligned with the field may lack a bond to the ghost spin."""
    if ghost_exponent == 0.0:
        return np.inf
    u = (numba.float64((uniform >> _U64(11)) + _U64(1))) * 2.0**-53
    return -math.log(u) / ghost_exponent


@numba.njit(cache=True)
def _settle(spins, queue, joined, n_queued: int, field_sign: int, limit: float):
    """Flip the cluster unless it is bound to the ghost; return (flipped, size)."""
    size = aligned = 0
    for k in range(n_queued):
        if joined[queue[k]]:
            joined[queue[k]] = False
            size += 1
            aligned += spins[queue[k]] == field_sign
            queue[size - 1] = queue[k]
    if aligned > limit:
        return 0, size
    for k in range(size):
        spins[queue[k]] = -spins[queue[k]]
    return size, size


@numba.njit(cache=True)
def _site_of(uniform, n_sites: int) -> int:
    """Return floor(uniform·n / 2⁶⁴); n < 2³², so two products of 32 bits do."""
    n = _U64(n_sites)
    low = (uniform & _U64(0xFFFFFFFF)) * n
    return numba.int64(((uniform >> _U64(32)) * n + (low >> _U64(32))) >> _U64(32))


@numba.njit(cache=True, nogil=True)
def wolff_steps(
    box, planar: bool, alike: int, threshold, ghost_exponent: float, field_sign: int, n_steps: int, stream_id: int,
    seed, first_step: int, chain: int,
):  # fmt: skip
    """Single-cluster updates of one chain, in place; ``alike`` is the sign of J. Return (flipped, cluster size)."""
    spins = box.reshape(-1)
    queue = np.empty(spins.size * (2 if planar else 3) + 1, dtype=np.uint32)
    joined = np.zeros(spins.size, dtype=np.bool_)
    flipped = cluster_size = 0
    for step in range(first_step, first_step + n_steps):
        low, high = _wolff_block(_WOLFF_SEED, 0, stream_id, seed, step, chain)
        n_queued = _grow(
            spins, queue, joined, box.shape, _site_of(low, spins.size), alike, planar, threshold, stream_id, seed,
            step, chain,
        )  # fmt: skip
        limit = _aligned_limit(high, ghost_exponent)
        one_flipped, one_size = _settle(spins, queue, joined, n_queued, field_sign, limit)
        flipped += one_flipped
        cluster_size += one_size
    return flipped, cluster_size


@numba.njit(cache=True)
def _draw_row(active, kind: int, row: int, threshold, stream_id: int, seed, sweep: int, chain: int) -> None:
    """Whether the bond of one kind of each site of a row is active, whatever the spins."""
    head = counter_word(_CLUSTER_FIELD, 0, sweep) if kind == _GHOST else counter_word(_CLUSTER_BOND, kind << 16, sweep)
    tail = counter_word(_CLUSTER_TAIL, 0, sweep)
    low = high = _U64(0)
    for x in range(active.size):
        if x % 16 == 0:
            low, high = stream_block(stream_id, seed, _U32(head + _U32(x // 16)), _U32(row), _U32(sweep), _U32(chain))
        top = ((low if x % 16 < 8 else high) >> _U64(8 * (x % 8))) & _U64(0xFF)
        active[x] = top < threshold >> _U64(56)
        if top == threshold >> _U64(56):
            low_rest, high_rest = stream_block(
                stream_id, seed, _U32(tail + _U32(x)), _U32(row | (kind // 2) << 31), _U32(sweep), _U32(chain)
            )
            rest = low_rest if kind % 2 == 0 else high_rest
            active[x] = rest >> _U64(8) <= threshold & _U64(0xFFFFFFFFFFFFFF)


@numba.njit(cache=True)
def _root(parent, i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@numba.njit(cache=True)
def _unite_row(spins, parent, active, first: int, ahead: int, alike: int) -> int:
    """Unite the sites of a row with those of another; return how many clusters fewer there are."""
    n_unions = 0
    for x in range(active.size):
        if active[x] and spins[first + x] * spins[ahead + x] == alike:
            a, b = _root(parent, first + x), _root(parent, ahead + x)
            if a != b:
                parent[max(a, b)] = min(a, b)
                n_unions += 1
    return n_unions


@numba.njit(cache=True)
def _unite_along_x(spins, parent, active, first: int, alike: int) -> int:
    n_unions = 0
    for x in range(active.size):
        ahead = first + (x + 1 if x + 1 < active.size else 0)
        if active[x] and spins[first + x] * spins[ahead] == alike:
            a, b = _root(parent, first + x), _root(parent, ahead)
            if a != b:
                parent[max(a, b)] = min(a, b)
                n_unions += 1
    return n_unions


@numba.njit(cache=True)
def _divide(
    spins, parent, active, shape, planar: bool, alike: int, threshold, stream_id: int, seed, sweep, chain
) -> int:
    """Make each site's parent lead to its cluster's first site; return the number of clusters."""
    lz, ly, lx = shape
    for i in range(spins.size):
        parent[i] = i
    n_clusters = spins.size
    for row in range(lz * ly):
        y, z = row % ly, row // ly
        _draw_row(active, 0, row, threshold, stream_id, seed, sweep, chain)
        n_clusters -= _unite_along_x(spins, parent, active, row * lx, alike)
        _draw_row(active, 1, row, threshold, stream_id, seed, sweep, chain)
        n_clusters -= _unite_row(spins, parent, active, row * lx, (z * ly + (y + 1) % ly) * lx, alike)
        if not planar:
            _draw_row(active, 2, row, threshold, stream_id, seed, sweep, chain)
            n_clusters -= _unite_row(spins, parent, active, row * lx, ((z + 1) % lz * ly + y) * lx, alike)
    return n_clusters


@numba.njit(cache=True)
def _toss(flips, lx: int, stream_id: int, seed, sweep: int, chain: int) -> None:
    head = counter_word(_CLUSTER_FLIP, 0, sweep)
    low = high = _U64(0)
    for i in range(flips.size):
        x = i % lx
        if x % 128 == 0:
            word = _U32(head + _U32(x // 128))
            low, high = stream_block(stream_id, seed, word, _U32(i // lx), _U32(sweep), _U32(chain))
        flips[i] = ((low if x % 128 < 64 else high) >> _U64(x % 64)) & _U64(1) != 0


@numba.njit(cache=True)
def _bind(spins, parent, flips, active, field_sign: int, ghost_threshold, stream_id: int, seed, sweep, chain) -> None:
    """Clear the coin of every cluster with a bond to the ghost spin."""
    lx = active.size
    for row in range(spins.size // lx):
        _draw_row(active, _GHOST, row, ghost_threshold, stream_id, seed, sweep, chain)
        for x in range(lx):
            if active[x] and spins[row * lx + x] == field_sign:
                flips[_root(parent, row * lx + x)] = False


@numba.njit(cache=True, nogil=True)
def swendsen_wang_sweeps(
    box, planar: bool, alike: int, threshold, ghost_threshold, field_sign: int, n_sweeps: int, stream_id: int, seed,
    first_sweep: int, chain: int,
) -> int:  # fmt: skip
    """All-cluster updates of one chain, in place; ``alike`` is the sign of J. Return the number of clusters."""
    spins = box.reshape(-1)
    parent = np.empty(spins.size, dtype=np.int32)
    flips = np.empty(spins.size, dtype=np.bool_)
    active = np.empty(box.shape[2], dtype=np.bool_)
    n_clusters = 0
    for sweep in range(first_sweep, first_sweep + n_sweeps):
        n_clusters += _divide(
            spins, parent, active, box.shape, planar, alike, threshold, stream_id, seed, sweep, chain
        )  # fmt: skip
        _toss(flips, active.size, stream_id, seed, sweep, chain)
        if field_sign != 0:
            _bind(spins, parent, flips, active, field_sign, ghost_threshold, stream_id, seed, sweep, chain)
        for i in range(spins.size):  # a site's parent comes before it, and is decided
            flips[i] = flips[parent[i]]
            spins[i] = -spins[i] if flips[i] else spins[i]
    return n_clusters
