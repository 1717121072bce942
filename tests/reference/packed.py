# SPDX-License-Identifier: BSD-3-Clause
"""The packed sweep by its definition in spinodal/packed.hpp: masks block by block, then one sublattice at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from reference import packed_tables, streams
from reference.packed_tables import MaskTable

Array = npt.NDArray[Any]
PURPOSE = {"mask": 13, "overwrite": 14}
BLOCK = 32


def counters(purpose: int, n: npt.ArrayLike, block: int, color: int, sweep: int, chain: int) -> Array:
    """Counters (len(n), 4) of a block's 128-bit words n."""
    place = 2 * block + color
    n = np.asarray(n)
    table = np.zeros((len(n), 16), dtype=np.uint8)
    table[:, 0], table[:, 5] = n & 255, n >> 8
    table[:, 1], table[:, 4] = place & 255, place >> 8 & 255
    table[:, 2] = purpose << 4 | place >> 16
    table[:, 3] = sweep >> 32
    for byte in range(2):
        table[:, 6 + byte], table[:, 8 + byte] = sweep >> 8 * byte & 255, sweep >> 16 + 8 * byte & 255
    for byte in range(4):
        table[:, 11 + byte] = chain >> 8 * byte & 255
    return table.view("<u4")


class Block:
    """One block's random words."""

    def __init__(self, block: int, color: int, sweep: int, chain: int, seed: int, stream: str) -> None:
        self.place = block, color, sweep, chain
        self.source = stream, seed

    def counters(self, purpose: str, n: Array) -> Array:
        return counters(PURPOSE[purpose], n, *self.place)

    def words(self, purpose: str, first: int, count: int) -> Array:
        """V(first) … V(first + count - 1) as bytes (count, 32)."""
        at = self.counters(purpose, np.arange(2 * first, 2 * (first + count)))
        return streams.stream_blocks(*self.source, at).astype("<u4").view(np.uint8).reshape(count, 32)


def signed_plus_128(u: Array) -> Array:
    return u ^ 0x80


def nibble_mask(block: Block, first: int, table: MaskTable) -> Array:
    words = block.words("mask", first, 3 * BLOCK).reshape(BLOCK, 3, 32)
    cells, alias = np.array(table.cells), np.array(table.value)
    out = np.zeros((BLOCK, 32), dtype=np.uint8)
    for half in range(2):
        column = words[:, 0] >> 4 * half & 15
        u = signed_plus_128(words[:, 1 + half])
        out |= (np.where(u < cells[column], column, alias[column]) << 4 * half).astype(np.uint8)
    return out


def byte_mask(block: Block, first: int, table: MaskTable) -> Array:
    words = block.words("mask", first, 3 * BLOCK // 2).reshape(BLOCK // 2, 3, 32)
    cells, value = np.array(table.cells), np.array(table.value)
    out = np.zeros((BLOCK // 2, 2, 32), dtype=np.uint8)
    for half in range(2):
        column = words[:, 0] >> 4 * half & 15
        u = signed_plus_128(words[:, 1 + half])
        out[:, half] = np.where(u < cells[column], value[column], 0)
    return out.reshape(BLOCK, 32)


def apply_overwrites(block: Block, mask: Array, u: int, first: int, table: MaskTable, log_vectors: int) -> None:
    over = table.overwrites
    n_hits = sum(u > limit for limit in over.count_limit)
    flat = mask.reshape(-1)
    for hit in block.words("overwrite", first, 32).view("<u8").reshape(-1)[:n_hits].tolist():
        column = hit & (255 if table.by_bytes else 15)
        value = column if hit < over.cut[column] else over.alias[column]
        if table.by_bytes:
            flat[(hit >> 8) % (32 << log_vectors)] = value
        else:
            place = (hit >> 4) % (64 << log_vectors)
            shift = 4 * (place % 2)
            flat[place // 2] = flat[place // 2] & (0xF0 >> shift) | value << shift


def block_masks(
    block: Block, tables: dict[str, MaskTable], rule: str, log_vectors: int, *, with_overwrites: bool = True
) -> tuple[Array, Array, Array]:
    """X4, r8 and tie of a block, bytes (32, 32)."""
    r8_table = tables[rule]
    x4 = nibble_mask(block, 0, tables["x4"])
    r8 = byte_mask(block, 96, r8_table) if r8_table.by_bytes else nibble_mask(block, 96, r8_table)
    if with_overwrites:
        counts = block.words("overwrite", 0, 1).view("<u8")[0].tolist()
        apply_overwrites(block, x4, counts[0], 1, tables["x4"], log_vectors)
        apply_overwrites(block, r8, counts[1], 33, r8_table, log_vectors)
    return x4, r8, block.words("mask", 192, BLOCK)


def x8_mask(block: Block, table: MaskTable, log_vectors: int) -> Array:
    """X8 of a block, bytes (32, 32)."""
    x8 = nibble_mask(block, 224, table)
    apply_overwrites(block, x8, block.words("overwrite", 0, 1).view("<u8")[0].tolist()[2], 65, table, log_vectors)
    return x8


class Layout:
    """Where the sites of row z·ly + y stand: (number of the vector, first bit, rows)."""

    def __init__(self, *lattice: int) -> None:
        self.cubic = len(lattice) == 3
        lz, self.ly, lx = lattice if self.cubic else (1, *lattice)
        self.n_rows, self.width = lz * self.ly, lx // 2
        fits = [b for b in (8, 4, 2) if b * self.width <= 256 and lattice[0] % b == 0]
        self.n_bands = fits[0] if fits else 1
        self.rows = self.n_rows // self.n_bands
        self.n_vectors = 1 if self.n_bands > 1 else -(-self.width // 256)
        self.n_tiles = (self.rows + 1) // 2 * self.n_vectors
        self.log_vectors = min(5, max(1, (2 * self.n_tiles - 1).bit_length()))

    def sites(self, masks: Array) -> npt.NDArray[np.bool_]:
        """Bits (vector number, 256) as rows of sites (n_rows, width)."""
        row, k = np.arange(self.n_rows)[:, None], np.arange(self.width)
        r, band = row % self.rows, row // self.rows
        number = 2 * (r // 2 * self.n_vectors + k // 256) + r % 2
        return masks[number, k % 256 + 256 // self.n_bands * band].astype(bool)


def sublattice_masks(
    layout: Layout, tables: dict[str, MaskTable], rule: str, color: int, sweep: int, chain: int, seed: int, stream: str
) -> list[npt.NDArray[np.bool_]]:
    """X4, r8, tie and in three dimensions X8 of a sublattice's sites (n_rows, width)."""
    masks = []
    for b in range(-(-2 * layout.n_tiles // BLOCK)):
        block = Block(b, color, sweep, chain, seed, stream)
        extra = [x8_mask(block, tables["x8"], layout.log_vectors)] if layout.cubic else []
        masks.append([*block_masks(block, tables, rule, layout.log_vectors), *extra])
    stacked = np.array(masks, dtype=np.uint8).swapaxes(0, 1)
    return [layout.sites(np.unpackbits(mask.reshape(-1, 32), axis=-1, bitorder="little")) for mask in stacked]


def neighbors_up(up: Array) -> Array:
    return sum(np.roll(up, step, axis).astype(int) for axis in range(up.ndim) for step in (1, -1))


def flips(rule: str, spin: Array, unlike: Array, x4: Array, r8: Array, tie: Array, x8: Array | None = None) -> Array:
    """Whether sites with so many unlike neighbours turn; X8 belongs to three dimensions."""
    if x8 is not None:
        if rule == "metropolis":
            return np.asarray(unlike + x4 + 2 * x8.astype(int) + 4 * r8.astype(int) >= 3)
        return np.choose(unlike, [r8, x8, x4, spin ^ tie, ~x4, ~x8, ~r8])
    if rule == "metropolis":
        return np.asarray((unlike >= 2) | r8 | ((unlike >= 1) & x4))
    return np.choose(unlike, [r8, x4, spin ^ tie ^ r8, ~x4, ~r8])


def update_sublattice(up: Array, color: int, rule: str, masks: list[npt.NDArray[np.bool_]]) -> None:
    """One color of one lattice of booleans, in place."""
    ly, lx = up.shape[-2:]
    flat, row = up.reshape(-1, lx), np.arange(up.size // lx)[:, None]
    columns = 2 * np.arange(lx // 2) + (row // ly + row % ly + color) % 2
    spin, n_up = flat[row, columns], neighbors_up(up).reshape(-1, lx)[row, columns]
    unlike = np.where(spin, 2 * up.ndim - n_up, n_up)
    flat[row, columns] = spin ^ flips(rule, spin, unlike, *masks)


def metropolis_sweep(
    spins: Array,
    beta: npt.ArrayLike,
    J: float = 1.0,
    *,
    n_sweeps: int = 1,
    seed: int = 0,
    sweep: int = 0,
    first_chain: int = 0,
    heat_bath_every: int = 16,
    stream: str = "ars7",
) -> None:
    """Packed sweeps of chains (n_chains, ly, lx) or (n_chains, lz, ly, lx), in place."""
    layout = Layout(*spins.shape[1:])
    reversed_sites = (np.indices(spins.shape[1:]).sum(axis=0) % 2 == 1) & (J < 0)
    for number, b in enumerate(np.broadcast_to(beta, len(spins)).tolist()):
        tables = packed_tables.chain_tables(b * abs(J), layout.log_vectors, cubic=layout.cubic)
        up = (spins[number] > 0) ^ reversed_sites
        for t in range(sweep, sweep + n_sweeps):
            bath = heat_bath_every > 0 and t % heat_bath_every == heat_bath_every - 1
            rule = "heat_bath" if bath else "metropolis"
            for color in (0, 1):
                masks = sublattice_masks(layout, tables, rule, color, t, first_chain + number, seed, stream)
                update_sublattice(up, color, rule, masks)
        spins[number] = 2 * (up ^ reversed_sites) - 1
