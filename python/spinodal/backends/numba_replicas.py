# SPDX-License-Identifier: BSD-3-Clause
"""Numba twin of the replica-packed sweeps: four 64-bit words a site, the same random numbers, the same bits.

``cpp/include/spinodal/replicas.hpp`` defines the order of the sites, the counters, and the probabilities.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from spinodal.backends import packed_tables
from spinodal.backends.numba_packed_words import draw
from spinodal.backends.numba_rows import draw_block, updated

LANES = 256
MAX_SITES = 1 << 23

_U64 = np.uint64
_PURPOSE = 15
_OVERWRITES, _THRESHOLDS = 1 << 24, 2 << 24
_BLOCK, _LANE_BLOCK = 32, 16
_HIT_WORDS = 256  # in words of 128 bits
_ONE = 1 << 62
_CELL = _ONE // 65536 * 255

Sites = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]


class Order(NamedTuple):
    """The sites of each color in the order of their vectors, and the neighbours (n_sites, z) of every site."""

    sites: Sites
    neighbors: Sites
    n_colors: int


@lru_cache(maxsize=8)
def order_of(shape: tuple[int, ...]) -> Order:
    """Return the order of a lattice: two colors, or with an odd length all sites one after another."""
    index = np.arange(math.prod(shape)).reshape(shape)
    steps = [(step, axis) for axis in range(len(shape)) for step in (1, -1)]
    neighbors = np.stack([np.roll(index, step, axis).reshape(-1) for step, axis in steps], axis=1)
    if any(length % 2 for length in shape):
        return Order(index.reshape(1, -1), neighbors, 1)
    box = index.reshape((1, *shape)[-3:])
    lz, ly, lx = box.shape
    z, y, k = np.ogrid[:lz, :ly:2, : lx // 2]
    tiles = []
    for color in range(2):
        x = 2 * k + (z + color) % 2
        tiles.append(np.stack([box[z, y, x], box[z, y + 1, (x + 1) % lx]], axis=-1).reshape(-1))
    return Order(np.stack(tiles), neighbors, 2)


class LaneRule(NamedTuple):
    """Probabilities of one rule on one color: changes of their bits (classes, 9, 4), and what overwrites take."""

    heat_bath: bool
    with_field: bool
    first_up: int
    planes: Words
    rest: Words


def _against(heat_bath: bool, x: float) -> float:
    if not heat_bath:
        return math.exp(-x)
    return 1.0 / (1.0 + math.exp(x)) if x < 709.78 else 0.0


def lane_rule(heat_bath: bool, n_neighbors: int, beta: npt.NDArray[np.float64], J: float, h: float) -> LaneRule:
    """Return the rule of a color that sees the field h; J ≥ 0, one β a lane."""
    fields = [J * (2 * n - n_neighbors) + h for n in range(n_neighbors + 1)]
    classes = fields if h != 0 else [2 * J * (j + 1) for j in range(n_neighbors // 2)]
    probability = np.zeros((len(classes), LANES), dtype=_U64)
    for j, field in enumerate(classes):
        for lane, b in enumerate(beta.tolist()):
            p = int(math.ldexp(_against(heat_bath, b * (2 * abs(field))), 62))
            probability[j, lane] = _ONE - p if h != 0 and field > 0 else p
    cells = np.minimum(probability // _U64(_CELL), _U64(256))
    rest = (probability - cells * _U64(_CELL)) >> _U64(3)
    kept = np.minimum(cells, _U64(255))
    before = kept << _U64(1) | (cells == 256)
    bits = np.stack([(kept ^ before) >> _U64(k) & _U64(1) for k in range(8)] + [kept >> _U64(7)], axis=1)
    planes = np.packbits(bits.astype(np.uint8), axis=-1, bitorder="little").view("<u8").astype(_U64)
    first_up = next((n for n, field in enumerate(fields) if field > 0), n_neighbors + 1)
    return LaneRule(heat_bath, h != 0, first_up, planes, np.ascontiguousarray(rest.T))


def hit_limits(n_vectors: int) -> tuple[Words, int]:
    """Return the limits of the number of overwrites of a block of thresholds, and log2 of the vectors they are over."""
    log_vectors = min(4, (n_vectors - 1).bit_length())
    return packed_tables.count_limits(float(LANES << log_vectors) * -math.log1p(-1.0 / 256)), log_vectors


@numba.njit(cache=True)
def _pack(chains, lanes, sites):
    """Bit `lane` of a site's words: whether the chain's spin there is up."""
    sites[:] = _U64(0)
    for i in range(chains.shape[0]):
        q, s = lanes[i] // 64, _U64(lanes[i] % 64)
        for site in range(sites.shape[0]):
            sites[site, q] |= _U64(chains[i, site] > 0) << s


@numba.njit(cache=True)
def _unpack(sites, lanes, chains):
    for i in range(chains.shape[0]):
        q, s = lanes[i] // 64, _U64(lanes[i] % 64)
        for site in range(sites.shape[0]):
            chains[i, site] = 2 * numba.int8(sites[site, q] >> s & _U64(1)) - 1


@numba.njit(cache=True)
def _reverse(order, sites):
    for site in order.sites[1]:
        for q in range(4):
            sites[site, q] = ~sites[site, q]


@numba.njit(cache=True, nogil=True)
def alias_sweeps(chains, lanes, order, metropolis, heat_bath, heat_bath_every, reverse, n_sweeps, stream, sweep, group):
    """Sweeps of one group at one temperature on the square lattice, in place."""
    sites = np.empty((chains.shape[1], 4), dtype=_U64)
    masks, words = np.zeros((3, _BLOCK, 4), dtype=_U64), np.zeros(12 * _BLOCK, dtype=_U64)
    n_vectors = order.sites.shape[1]
    log_vectors = 1
    while log_vectors < 5 and 1 << log_vectors < n_vectors:
        log_vectors += 1
    _pack(chains, lanes, sites)
    if reverse:
        _reverse(order, sites)
    for t in range(sweep, sweep + n_sweeps):
        rule = heat_bath if heat_bath_every > 0 and t % heat_bath_every == heat_bath_every - 1 else metropolis
        for color in range(2):
            for i in range(n_vectors):
                v = i % _BLOCK
                if v == 0:
                    draw_block(
                        stream, rule, (_PURPOSE, _PURPOSE), i // _BLOCK, min(_BLOCK, n_vectors - i), color, t,
                        (group, group | _OVERWRITES), log_vectors, words, masks,
                    )  # fmt: skip
                site = order.sites[color, i]
                a, b, c, d = order.neighbors[site]
                for q in range(4):
                    sites[site, q] = updated(
                        sites[site, q], sites[a, q], sites[b, q], sites[c, q], sites[d, q],
                        masks[0, v, q], masks[1, v, q], masks[2, v, q], rule.heat_bath,
                    )  # fmt: skip
    if reverse:
        _reverse(order, sites)
    _unpack(sites, lanes, chains)


@numba.njit(cache=True)
def _draw_thresholds(stream, rule, limits, block, n_vectors, color, sweep, group, log_vectors, words, masks):
    """Masks (classes, 16, 4) of a block, and the ties after them."""
    place, chain = 2 * block + color, group | _THRESHOLDS
    n_classes = rule.planes.shape[0]
    draw(stream, 0, 16 * (n_vectors + n_vectors % 2), _PURPOSE, place, sweep, chain, words)
    for v in range(n_vectors):
        first = 64 * (v // 2) + 4 * (v % 2)
        for j in range(n_classes):
            for q in range(4):
                b = rule.planes[j, 0, q]
                for k in range(8):
                    b = (b & words[first + 8 * k + q]) ^ rule.planes[j, k + 1, q]
                masks[j, v, q] = b
        for q in range(4):
            masks[n_classes, v, q] = words[first + 56 + q]
    draw(stream, _HIT_WORDS, 1, _PURPOSE, place, sweep, chain, words)
    n = np.searchsorted(limits, words[0])
    draw(stream, _HIT_WORDS + 2, (n + 1) // 2, _PURPOSE, place, sweep, chain, words)
    for k in range(n):
        lane, v = words[k] & _U64(255), words[k] >> _U64(8) & _U64((1 << log_vectors) - 1)
        q, s = lane >> _U64(6), lane & _U64(63)
        for j in range(n_classes):
            value = _U64(words[k] >> _U64(13) < rule.rest[lane, j])
            masks[j, v, q] = (masks[j, v, q] & ~(_U64(1) << s)) | value << s


@numba.njit(cache=True, inline="always")
def _choose(which, a, b):
    return b ^ (which & (a ^ b))


@numba.njit(cache=True, inline="always")
def _majority(a, b, c):
    return (a & b) | ((a ^ b) & c)


@numba.njit(cache=True)
def _balanced(spin, n0, n1, n2, masks, v, q, planar, heat_bath):
    """h = 0: like most neighbours, or against them."""
    tie = masks[masks.shape[0] - 1, v, q] if heat_bath else ~spin
    if planar:
        up = n2 | (n1 & (n0 | tie))
        against = _choose(n0, masks[0, v, q], masks[1, v, q] & ~n1)
    else:
        up = n2 | (n1 & n0 & tie)
        against = _choose(n0, masks[1, v, q] & ~n1, _choose(n1 ^ n2, masks[0, v, q], masks[2, v, q]))
    return up ^ against if heat_bath else up ^ (against & ~(spin ^ up))


@numba.njit(cache=True)
def _in_field(spin, n0, n1, n2, masks, v, q, planar, heat_bath, first_up):
    """h ≠ 0: a mask for each number of up neighbours."""
    low = _choose(n1, _choose(n0, masks[3, v, q], masks[2, v, q]), _choose(n0, masks[1, v, q], masks[0, v, q]))
    high = masks[4, v, q]
    if not planar:
        high = _choose(n1, masks[6, v, q], _choose(n0, masks[5, v, q], high))
    up = _choose(n2, high, low)
    if heat_bath:
        return up
    zero = _U64(0)
    at_least = n0 if first_up & 1 else ~zero
    at_least = _majority(n1, zero if first_up & 2 else ~zero, at_least)
    favoured = _majority(n2, zero if first_up & 4 else ~zero, at_least)
    return _majority(up, favoured, ~spin)


@numba.njit(cache=True, nogil=True)
def lane_sweeps(
    chains, lanes, order, metropolis, heat_bath, limits, log_vectors, heat_bath_every, reverse, n_sweeps, stream, sweep,
    group,
):  # fmt: skip
    """Sweeps of one group with a temperature a lane, in place; rules by color."""
    sites = np.empty((chains.shape[1], 4), dtype=_U64)
    n_classes = metropolis[0].planes.shape[0]
    masks, words = np.zeros((n_classes + 1, _LANE_BLOCK, 4), dtype=_U64), np.zeros(64 * _LANE_BLOCK, dtype=_U64)
    n_vectors, z = order.sites.shape[1], order.neighbors.shape[1]
    _pack(chains, lanes, sites)
    if reverse and order.n_colors == 2:
        _reverse(order, sites)
    turn = ~_U64(0) if reverse and order.n_colors == 1 else _U64(0)
    for t in range(sweep, sweep + n_sweeps):
        rules = heat_bath if heat_bath_every > 0 and t % heat_bath_every == heat_bath_every - 1 else metropolis
        for color in range(order.n_colors):
            rule = rules[color]
            for i in range(n_vectors):
                v = i % _LANE_BLOCK
                if v == 0:
                    n = min(_LANE_BLOCK, n_vectors - i)
                    _draw_thresholds(
                        stream, rule, limits, i // _LANE_BLOCK, n, color, t, group, log_vectors, words, masks
                    )
                site = order.sites[color, i]
                for q in range(4):
                    n0 = n1 = n2 = _U64(0)
                    for d in range(z):
                        up = sites[order.neighbors[site, d], q]
                        carry = n0 & up
                        n0, n2 = n0 ^ up, n2 | (n1 & carry)
                        n1 = n1 ^ carry
                    spin = sites[site, q] ^ turn
                    if rule.with_field:
                        new = _in_field(spin, n0, n1, n2, masks, v, q, z == 4, rule.heat_bath, rule.first_up)
                    else:
                        new = _balanced(spin, n0, n1, n2, masks, v, q, z == 4, rule.heat_bath)
                    sites[site, q] = new ^ turn
    if reverse and order.n_colors == 2:
        _reverse(order, sites)
    _unpack(sites, lanes, chains)
