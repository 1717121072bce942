# SPDX-License-Identifier: BSD-3-Clause
"""Replica-packed sweeps by their definition in spinodal/replicas.hpp: a block's masks, then its sites one by one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from reference import packed, packed_tables
from reference.packed_tables import MaskTable

Array = npt.NDArray[Any]
LANES = 256
PURPOSE, PART = 15, {"mask": 0, "overwrite": 1, "thresholds": 2}
CELL = (1 << 62) // 65536 * 255


class Block(packed.Block):
    """One block's random words, at the counters of groups instead of chains."""

    def counters(self, purpose: str, n: Array) -> Array:
        block, color, sweep, group = self.place
        return packed.counters(PURPOSE, n, block, color, sweep, group | PART[purpose] << 24)

    def hits(self, first: int, limits: list[int]) -> list[int]:
        """The 64-bit words of the overwrites of thresholds, whose number word ``first`` tells."""
        u = self.words("thresholds", first, 1).view("<u8")[0].tolist()[0]
        n = sum(u > limit for limit in limits)
        return self.words("thresholds", first + 1, -(-n // 4)).view("<u8").reshape(-1)[:n].tolist()


def as_bits(masks: Array) -> npt.NDArray[np.bool_]:
    """Vectors of bytes (…, 32) as lanes (…, 256)."""
    return np.unpackbits(masks, axis=-1, bitorder="little").astype(bool)


def log_vectors(n_vectors: int, most: int) -> int:
    return min(most, (n_vectors - 1).bit_length())


class Order:
    """The sites of each color in the order of their vectors, and every site's neighbours, as flat indices."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        index = np.arange(math.prod(shape)).reshape(shape)
        steps = [(step, axis) for axis in range(len(shape)) for step in (1, -1)]
        self.neighbors = np.stack([np.roll(index, step, axis).reshape(-1) for step, axis in steps], axis=1)
        self.even = all(n % 2 == 0 for n in shape)
        box = index.reshape(shape if len(shape) == 3 else (1, *shape))
        self.colors = [list(self._tiles(box, color)) for color in (0, 1)] if self.even else [index.reshape(-1).tolist()]

    @staticmethod
    def _tiles(box: Array, color: int) -> Iterator[int]:
        lz, ly, lx = box.shape
        for z in range(lz):
            for y in range(0, ly, 2):
                for k in range(lx // 2):
                    x = 2 * k + (z + color) % 2
                    yield box[z, y, x]
                    yield box[z, y + 1, (x + 1) % lx]


def fixed(p: float) -> int:
    return int(math.ldexp(p, 62))


def against_probability(rule: str, x: float) -> float:
    if rule == "metropolis":
        return math.exp(-x)
    return 1 / (1 + math.exp(x)) if x < 709.78 else 0.0


class LaneClasses:
    """Probabilities of the classes of a color's sites, in units of 2⁻⁶², and what they mean. J ≥ 0."""

    def __init__(self, rule: str, n_neighbors: int, beta: Array, J: float, h: float) -> None:
        self.rule, self.z, self.h = rule, n_neighbors, h
        fields = [J * (2 * n - self.z) + h for n in range(self.z + 1)] if h else self._excess(J)
        self.up = [field > 0 for field in fields]
        against = [[fixed(against_probability(rule, b * (2 * abs(f)))) for b in beta.tolist()] for f in fields]
        self.probability = np.array(
            [[(1 << 62) - p if h and up else p for p in row] for row, up in zip(against, self.up, strict=True)]
        )

    def _excess(self, J: float) -> list[float]:
        return [2 * J * (j + 1) for j in range(self.z // 2)]

    def update(self, spin: Array, n: Array, masks: Array, tie: Array) -> Array:
        """New values of the lanes of one site, n of its neighbours up."""
        lanes = np.arange(len(spin))
        if self.h:
            drawn, favoured = masks[n, lanes], np.array(self.up)[n]
            return drawn if self.rule == "heat_bath" else np.where(spin == favoured, drawn, favoured)
        excess = 2 * n - self.z
        most = excess > 0
        against = masks[np.maximum(abs(excess) // 2 - 1, 0), lanes]
        if self.rule == "heat_bath":
            return np.where(excess == 0, tie, most ^ against)
        return np.where(excess == 0, ~spin, np.where(spin == most, most ^ against, most))


def class_masks(block: Block, probability: Array, log: int) -> tuple[Array, Array]:
    """Masks (classes, 16, 256) and ties (16, 256) of a block."""
    v = as_bits(block.words("thresholds", 0, 128)).reshape(8, 8, 2, LANES).swapaxes(1, 2).reshape(16, 8, LANES)
    cells = np.minimum(probability // CELL, 256)
    rest = (probability - cells * CELL) >> 3
    masks = np.repeat((cells == 256)[:, None], 16, axis=1)
    for k in range(8):
        bit = (np.minimum(cells, 255) >> k & 1).astype(bool)[:, None]
        masks = np.where(bit, masks | ~v[:, k], masks & v[:, k])
    mean = float(LANES << log) * -math.log1p(-1 / 256)
    for word in block.hits(128, packed_tables.count_limits(mean)):
        lane, vector = word & 255, (word >> 8) % (1 << log)
        masks[:, vector, lane] = word >> 13 < rest[:, lane]
    return masks, v[:, 7]


class Group:
    """One group's lattice (sites, lanes) of booleans, 1 = up."""

    def __init__(self, order: Order, up: Array, seed: int, stream: str, group: int) -> None:
        self.order, self.up = order, up
        self.source = group, seed, stream

    def block(self, number: int, color: int, sweep: int) -> Block:
        return Block(number, color, sweep, *self.source)

    def sweep_by_alias(self, tables: dict[str, MaskTable], rule: str, sweep: int) -> None:
        for color, sites in enumerate(self.order.colors):
            log = log_vectors(len(sites), 5)
            for i, site in enumerate(sites):
                if i % 32 == 0:
                    block = self.block(i // 32, color, sweep)
                    x4, r8, tie = map(as_bits, packed.block_masks(block, tables, rule, log))
                spin = self.up[site]
                n_up = self.up[self.order.neighbors[site]].sum(axis=0)
                unlike = np.where(spin, 4 - n_up, n_up)
                self.up[site] ^= packed.flips(rule, spin, unlike, x4[i % 32], r8[i % 32], tie[i % 32])

    def sweep_by_thresholds(self, classes: list[LaneClasses], sweep: int, reverse: bool) -> None:
        for color, sites in enumerate(self.order.colors):
            log = log_vectors(len(sites), 4)
            for i, site in enumerate(sites):
                if i % 16 == 0:
                    block = self.block(i // 16, color, sweep)
                    masks, ties = class_masks(block, classes[color].probability, log)
                n_up = self.up[self.order.neighbors[site]].sum(axis=0)
                new = classes[color].update(self.up[site] ^ reverse, n_up, masks[:, i % 16], ties[i % 16])
                self.up[site] = new ^ reverse


def sweep_group(group: Group, shape: tuple[int, ...], beta: Array, J: float, h: float, alias: bool, sweeps: range,
                heat_bath_every: int) -> None:  # fmt: skip
    even, z = group.order.even, 2 * len(shape)
    odd_sites = (np.indices(shape).sum(axis=0) % 2 == 1).reshape(-1, 1)
    group.up ^= odd_sites & (J < 0 and even)
    turned = [J < 0 and (not even or color == 1) for color in (0, 1)]
    rules = ("metropolis", "heat_bath")
    if alias:
        tables = packed_tables.chain_tables(beta[0] * abs(J), log_vectors(math.prod(shape) // 2, 5))
    else:
        classes = {r: [LaneClasses(r, z, beta, abs(J), -h if t else h) for t in turned] for r in rules}
    for t in sweeps:
        rule = rules[heat_bath_every > 0 and t % heat_bath_every == heat_bath_every - 1]
        if alias:
            group.sweep_by_alias(tables, rule, t)
        else:
            group.sweep_by_thresholds(classes[rule], t, J < 0 and not even)
    group.up ^= odd_sites & (J < 0 and even)


def metropolis_sweep(
    spins: Array,
    beta: npt.ArrayLike,
    J: float = 1.0,
    h: float = 0.0,
    *,
    lanes: bool,
    n_sweeps: int = 1,
    seed: int = 0,
    sweep: int = 0,
    first_chain: int = 0,
    heat_bath_every: int = 16,
    stream: str = "ars7",
) -> None:
    """metropolis_sweep_lanes, or metropolis_sweep_replicas, of chains (n_chains, *shape), in place."""
    shape, order = spins.shape[1:], Order(spins.shape[1:])
    alias = not lanes and h == 0 and len(shape) == 2 and order.even
    chains = np.arange(first_chain, first_chain + len(spins))
    betas = np.broadcast_to(np.asarray(beta, dtype=float), len(spins))
    flat = spins.reshape(len(spins), -1)
    for number in range(first_chain // LANES, (first_chain + len(spins) - 1) // LANES + 1):
        mine = chains // LANES == number
        up, of_lane = np.zeros((flat.shape[1], LANES), dtype=bool), np.zeros(LANES)
        up[:, chains[mine] % LANES] = flat[mine].T > 0
        of_lane[:] = betas[mine][0] if alias else 0.0
        of_lane[chains[mine] % LANES] = betas[mine]
        group = Group(order, up, seed, stream, number)
        sweep_group(group, shape, of_lane, J, h, alias, range(sweep, sweep + n_sweeps), heat_bath_every)
        flat[mine] = 2 * group.up[:, chains[mine] % LANES].T.astype(np.int8) - 1


def metropolis_sweep_replicas(
    spins: Array, beta: npt.ArrayLike, J: float = 1.0, h: float = 0.0, **options: Any
) -> None:
    metropolis_sweep(spins, beta, J, h, lanes=False, **options)


def metropolis_sweep_lanes(spins: Array, beta: npt.ArrayLike, J: float = 1.0, h: float = 0.0, **options: Any) -> None:
    metropolis_sweep(spins, beta, J, h, lanes=True, **options)
