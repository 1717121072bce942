# SPDX-License-Identifier: BSD-3-Clause
"""Graphs of every kind, small enough for dense answers."""

from __future__ import annotations

from functools import cache

import numpy as np

from reference.graph import random_laplacian
from spinodal import Laplacian, graph_laplacian, grid_laplacian, molecular_laplacian


def adjacency(dense):
    return np.diag(np.diag(dense)) - dense


@cache
def molecules(n=12) -> Laplacian:
    """Random trees with a ring: connected, of several sizes."""
    rng, parts = np.random.default_rng(11), []
    for size in rng.integers(2, 30, n):
        bonds = [(i, int(rng.integers(0, i))) for i in range(1, size)]
        if size > 5 and (0, size - 1) not in [tuple(sorted(b)) for b in bonds]:
            bonds.append((0, int(size) - 1))
        parts.append(molecular_laplacian(np.zeros((size, 3)), np.array(bonds)))
    return Laplacian.batch(parts)


def _random(degree, weighted):
    return graph_laplacian(adjacency(random_laplacian(90, degree, 3, weighted)))


_MAKERS = {
    "path": lambda: grid_laplacian(37),
    "grid": lambda: grid_laplacian((9, 12)),
    "torus": lambda: grid_laplacian((8, 7), periodic=True),
    "box": lambda: grid_laplacian((4, 5, 6)),
    "molecules": molecules,
    "normalized": lambda: graph_laplacian(adjacency(random_laplacian(80, 5.0, 5, True)), normalized=True),
    "random": lambda: _random(9.0, False),
    "weighted": lambda: _random(9.0, True),
    "disconnected": lambda: _random(1.2, False),
    "weighted_disconnected": lambda: _random(1.2, True),
}
NAMES = list(_MAKERS)


@cache
def graph(name: str) -> Laplacian:
    return _MAKERS[name]()


def methods(laplacian: Laplacian) -> list[str]:
    kind = laplacian.kind
    return ["chebyshev", "dense", *(["grid", "fft"] if kind == "grid" else []),
            *(["blocks"] if kind == "blocks" else [])]  # fmt: skip
