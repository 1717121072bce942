# SPDX-License-Identifier: BSD-3-Clause
"""In which order the sites of a lattice are revealed: index arithmetic alone.

Levels are named by their stride st, from the finest, so that a level's network serves every lattice. Before level
st the sites whose coordinates are multiples of 2 st are known; it reveals the *centres* (both coordinates odd
multiples of st), then the *edges* (one odd, one even). Each pass reveals one site in every block of 4 st × 4 st, so
that sites of a pass are far apart::

    known  edge  known  edge        st = 1, one block:   A   odd  A   odd
    edge   cent  edge   cent                             odd  B1  odd  B2
    known  edge  known  edge                             A   odd  A   odd
    edge   cent  edge   cent                             odd  B2  odd  B1

At st = 1 the edges are the odd sublattice, independent given the even one; of the centres, B2 is independent given A
and B1 once the odd spins are summed out. These two tails, 5/8 of the lattice, are drawn from their exact laws.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Sites = npt.NDArray[np.int64]
BLOCK = 4  # sites along a block's side, in strides
CENTRE = 10  # a window's place 2, 2: the site to be revealed
_CENTRES = ((1, 1), (3, 3), (1, 3), (3, 1))
_EDGES = ((0, 1), (2, 3), (0, 3), (2, 1), (1, 0), (3, 2), (3, 0), (1, 2))
_AXES = ((1, 0), (-1, 0), (0, 1), (0, -1))


@dataclass(frozen=True, eq=False)
class Pass:
    """One call of a network: a site in every block, given what was revealed before.

    Attributes
    ----------
    kind : "a" or "b"
        Centres or edges.
    stride, number : int
        The level, and the pass within its kind.
    windows : int64 array, shape (m, m, 16)
        Sites of the 4 × 4 window around each of the m² sites to be revealed, in strides; edges that
        lie along the other axis are seen transposed.
    visible : bool array, shape (16,)
        Which of a window's places are revealed already.
    """

    kind: str
    stride: int
    number: int
    windows: Sites
    visible: npt.NDArray[np.bool_]

    @property
    def sites(self) -> Sites:
        """The sites this pass reveals, shape (m²,)."""
        return self.windows[..., CENTRE].ravel()


@dataclass(frozen=True, eq=False)
class Refinement:
    """The whole order for an L × L lattice; sites are numbered y L + x.

    Attributes
    ----------
    length, base_length : int
    base : int64 array, shape (base_length²,)
        The coarse lattice revealed first, site by site.
    passes : tuple of Pass
    b2 : int64 array, shape (L²/8,)
    b2_even : int64 array, shape (L²/8, 4, 3)
        For each of a B2 site's four odd neighbours, its three other even neighbours.
    odd : int64 array, shape (L²/2,)
    odd_even : int64 array, shape (L²/2, 4)
        The even neighbours of each odd site.
    """

    length: int
    base_length: int
    base: Sites
    passes: tuple[Pass, ...]
    b2: Sites
    b2_even: Sites
    odd: Sites
    odd_even: Sites

    @property
    def learned(self) -> Sites:
        """Sites drawn by networks, in their order: A and B1."""
        return np.concatenate([self.base, *(each.sites for each in self.passes)])


@functools.lru_cache(maxsize=16)
def refinement(length: int) -> Refinement:
    """Return the order for an L × L lattice.

    Raises
    ------
    ValueError
        If L is not a multiple of 4: the centres then have no checkerboard.
    """
    if length < 4 or length % 4:
        raise ValueError(f"L must be a multiple of 4 for the masked sampler; got {length}")
    strides = [1]
    while length % (2 * BLOCK * strides[-1]) == 0:
        strides.append(2 * strides[-1])
    base_length = length // (2 * strides[-1])
    coarse = 2 * strides[-1] * np.arange(base_length)
    passes: list[Pass] = []
    for stride in reversed(strides):
        passes += _centre_passes(length, stride)
        if stride > 1:
            passes += _edge_passes(length, stride)
    y, x = np.divmod(np.arange(length * length), length)
    odd = np.flatnonzero((y + x) % 2)
    b2 = np.flatnonzero((y % 2 == 1) & (x % 2 == 1) & ((y + x) % 4 == 0))
    return Refinement(
        length=length,
        base_length=base_length,
        base=_sites(length, coarse[:, None], coarse).ravel(),
        passes=tuple(passes),
        b2=b2,
        b2_even=even_beyond(length, b2),
        odd=odd,
        odd_even=neighbours(length, odd),
    )


def neighbours(length: int, sites: Sites) -> Sites:
    """Return the four neighbours of sites, shape (n, 4)."""
    y, x = np.divmod(sites, length)
    return np.stack([_sites(length, y + dy, x + dx) for dy, dx in _AXES], axis=-1)


def even_beyond(length: int, sites: Sites) -> Sites:
    """Return, for each neighbour d of sites, the three neighbours of d other than the site: shape (n, 4, 3)."""
    y, x = np.divmod(sites, length)
    beyond = [[(2 * dy, 2 * dx), (dy + dx, dx + dy), (dy - dx, dx - dy)] for dy, dx in _AXES]
    return np.stack([np.stack([_sites(length, y + u, x + v) for u, v in each], -1) for each in beyond], axis=1)


def _sites(length: int, y: Sites, x: Sites) -> Sites:
    return (y % length) * length + x % length


def _centre_passes(length: int, stride: int) -> list[Pass]:
    # At the finest level the other two of a block's centres are B2.
    known = {(y, x) for y in (0, 2) for x in (0, 2)}
    targets = _CENTRES[:2] if stride == 1 else _CENTRES
    return [
        _pass(length, "a", stride, number, target, known | set(targets[:number]))
        for number, target in enumerate(targets)
    ]


def _edge_passes(length: int, stride: int) -> list[Pass]:
    known = {(y, x) for y in range(BLOCK) for x in range(BLOCK) if (y + x) % 2 == 0}
    return [
        _pass(length, "b", stride, number, target, known | set(_EDGES[:number])) for number, target in enumerate(_EDGES)
    ]


def _pass(
    length: int, kind: str, stride: int, number: int, target: tuple[int, int], known: set[tuple[int, int]]
) -> Pass:
    m = length // (BLOCK * stride)
    transposed = kind == "b" and target[0] % 2 == 1
    rows, columns, u, v = np.ogrid[:m, :m, :BLOCK, :BLOCK]
    down, right = BLOCK * rows + u - 2, BLOCK * columns + v - 2
    y, x = (target[0] + right, target[1] + down) if transposed else (target[0] + down, target[1] + right)
    y, x = np.broadcast_arrays(y, x)
    visible = [(int(a), int(b)) in known for a, b in zip(y[0, 0].ravel() % BLOCK, x[0, 0].ravel() % BLOCK, strict=True)]
    windows = _sites(length, stride * y, stride * x).reshape(m, m, BLOCK * BLOCK)
    return Pass(kind, stride, number, windows, np.array(visible))
