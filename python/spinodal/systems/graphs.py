# SPDX-License-Identifier: BSD-3-Clause
"""Where graphs come from: grids, edges, adjacency matrices, molecules."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from spinodal.backends.protocol import Integers, Reals
from spinodal.kernels.arguments import as_array
from spinodal.systems.laplacians import Kind, Laplacian

_NDIM = (1, 2, 3)


def grid_laplacian(shape: int | Sequence[int], periodic: bool = False) -> Laplacian:
    """Return the Laplacian of a grid in one, two or three dimensions, nodes in C order.

    Parameters
    ----------
    shape : int or sequence of int
        Lengths of the axes, slowest first.
    periodic : bool
        Neighbours across the boundary. An axis of length 2 then has two bonds between the same nodes, one of length 1
        none.
    """
    lengths = tuple(int(n) for n in np.atleast_1d(np.asarray(shape)))
    if len(lengths) not in _NDIM or min(lengths) < 1:
        raise ValueError(f"a grid has 1 to 3 axes of length >= 1; got shape {lengths}")
    nodes = np.arange(math.prod(lengths)).reshape(lengths)
    pairs = [np.empty((0, 2), dtype=np.int64)]
    for axis, n in enumerate(lengths):
        last = n if periodic and n > 1 else n - 1
        here = np.take(nodes, range(last), axis=axis).reshape(-1)
        there = np.take(nodes, [(i + 1) % n for i in range(last)], axis=axis).reshape(-1)
        pairs.append(np.stack([here, there], axis=1))
    edges = np.concatenate(pairs)
    return _assemble(edges, np.ones(len(edges)), nodes.size, False, "grid", lengths, periodic)


def graph_laplacian(
    graph: Any, weights: npt.ArrayLike | None = None, *, n_nodes: int | None = None, normalized: bool = False
) -> Laplacian:
    r"""Return the Laplacian of any graph.

    .. math:: L = D - W, \qquad D_{ii} = \sum_j W_{ij}; \qquad \text{normalized: } D^{-1/2} L D^{-1/2}

    Parameters
    ----------
    graph : (M, 2) integer array, scipy.sparse matrix, networkx graph, or square array; or a list of Laplacians
        Edges, each once; or a symmetric adjacency matrix; or a networkx graph (its "weight"); or what
        :meth:`Laplacian.batch` takes.
    weights : array, shape (M,), optional
        Of the edges, >= 0; 1 by default.
    n_nodes : int, optional
        With edges: nodes past the largest one named are isolated.
    normalized : bool
        Isolated nodes then have a row of zeros.

    Raises
    ------
    ValueError
        If weights are negative, not finite, or an adjacency matrix is not symmetric.
    """
    if isinstance(graph, list | tuple) and len(graph) > 0 and all(isinstance(part, Laplacian) for part in graph):
        return Laplacian.batch(graph)
    if hasattr(graph, "tocoo"):
        edges, values, n = _from_sparse(graph)
    elif hasattr(graph, "nodes") and hasattr(graph, "edges"):
        edges, values, n = _from_networkx(graph)
    else:
        array = as_array(graph)
        if array.ndim == 2 and array.shape[1] == 2 and array.dtype.kind in "iu":
            edges, values, n = _from_edges(array, weights, n_nodes)
        elif array.ndim == 2 and array.shape[0] == array.shape[1] and array.dtype.kind in "fiub":
            edges, values, n = _from_dense(array.astype(np.float64))
        else:
            raise ValueError(
                f"edges are integers (M, 2), an adjacency matrix is square; got {array.dtype} {array.shape}"
            )
    if n_nodes is not None and n != n_nodes:
        raise ValueError(f"n_nodes={n_nodes} was given for a graph of {n} nodes")
    return _assemble(edges, values, n, normalized, "general", (n,), False)


def molecular_laplacian(
    molecule: Any,
    bonds: npt.ArrayLike | None = None,
    *,
    cutoff: float | None = None,
    weights: npt.ArrayLike | None = None,
    normalized: bool = False,
) -> Laplacian:
    """Return the Laplacian of a molecule's bonds, or of a list of molecules, one block each.

    Parameters
    ----------
    molecule : ASE Atoms, RDKit Mol, positions (N, 3), or a list of these
        Without ``bonds``, atoms of an ASE molecule are bonded when closer than 1.2 times the sum of their covalent
        radii, and positions when closer than ``cutoff``; an RDKit molecule has its own bonds, weighed by their order.
    bonds : integer array (M, 2), optional
        A list of such arrays with a list of molecules.
    cutoff : float, optional
        A distance in the unit of the positions, for ASE molecules too.
    """
    if _is_batch(molecule):
        each = [None] * len(molecule) if bonds is None else list(bonds)  # type: ignore[arg-type]
        if len(each) != len(molecule):
            raise ValueError(f"{len(molecule)} molecules need as many lists of bonds; got {len(each)}")
        return Laplacian.batch(
            [
                molecular_laplacian(m, b, cutoff=cutoff, normalized=normalized)
                for m, b in zip(molecule, each, strict=True)
            ]
        )
    if hasattr(molecule, "GetBonds") and bonds is None:
        rows = [(b.GetBeginAtomIdx(), b.GetEndAtomIdx(), b.GetBondTypeAsDouble()) for b in molecule.GetBonds()]
        table = np.array(rows, dtype=np.float64).reshape(-1, 3)
        bonds, weights = table[:, :2].astype(np.int64), table[:, 2] if weights is None else weights
    n = molecule.GetNumAtoms() if hasattr(molecule, "GetNumAtoms") else len(molecule)
    if bonds is None:
        bonds = _bonds_by_distance(molecule, cutoff)
    pairs = np.asarray(bonds, dtype=np.int64).reshape(-1, 2)
    return graph_laplacian(pairs, weights, n_nodes=n, normalized=normalized)


def _is_batch(molecule: Any) -> bool:
    """Whether this is a list of molecules, rather than one given by positions."""
    if not isinstance(molecule, list | tuple) or len(molecule) == 0:
        return False
    first = molecule[0]
    return hasattr(first, "get_positions") or hasattr(first, "GetBonds") or np.ndim(first) == 2


def _bonds_by_distance(molecule: Any, cutoff: float | None) -> Integers:
    """Return pairs (M, 2) of atoms nearer than the cutoff, or than their covalent radii say."""
    atoms = hasattr(molecule, "get_positions")
    positions = np.asarray(molecule.get_positions() if atoms else as_array(molecule), dtype=np.float64)
    if positions.ndim != 2 or positions.shape[1] not in (2, 3) or not np.isfinite(positions).all():
        raise ValueError(f"positions must be finite and of shape (N, 3) or (N, 2); got {positions.shape}")
    if cutoff is not None and not cutoff > 0:
        raise ValueError(f"cutoff must be > 0; got {cutoff}")
    if cutoff is None and not atoms:
        raise ValueError("positions need bonds or a cutoff")
    found = []
    reach: Any = cutoff
    if cutoff is None:
        from ase.data import covalent_radii

        reach = 1.2 * covalent_radii[molecule.get_atomic_numbers()]
    for i in range(len(positions) - 1):
        distance = np.sqrt(((positions[i + 1 :] - positions[i]) ** 2).sum(axis=1))
        near = np.flatnonzero(distance < (cutoff if cutoff is not None else reach[i] + reach[i + 1 :]))
        found.append(np.stack([np.full(len(near), i), near + i + 1], axis=1))
    return np.concatenate(found) if found else np.empty((0, 2), dtype=np.int64)


Edges = tuple[Integers, Reals, int]


def _from_edges(array: npt.NDArray[Any], weights: npt.ArrayLike | None, n_nodes: int | None) -> Edges:
    edges = array.astype(np.int64)
    n = int(edges.max()) + 1 if len(edges) else 0
    if n_nodes is not None:
        if n > n_nodes:
            raise ValueError(f"an edge names node {n - 1}; n_nodes is {n_nodes}")
        n = int(n_nodes)
    values = np.ones(len(edges)) if weights is None else np.asarray(weights, dtype=np.float64)
    if values.shape != (len(edges),):
        raise ValueError(f"{len(edges)} edges need as many weights; got shape {values.shape}")
    if len(edges) and edges.min() < 0:
        raise ValueError(f"nodes are counted from 0; got {edges.min()}")
    return edges, values, n


def _from_sparse(matrix: Any) -> Edges:
    coo = matrix.tocoo()
    if coo.shape[0] != coo.shape[1]:
        raise ValueError(f"an adjacency matrix is square; got shape {coo.shape}")
    coo.sum_duplicates()
    rows, columns = np.asarray(coo.row, dtype=np.int64), np.asarray(coo.col, dtype=np.int64)
    values, n = np.asarray(coo.data, dtype=np.float64), int(coo.shape[0])
    forward, backward = np.lexsort([columns, rows]), np.lexsort([rows, columns])
    same = (rows[forward] == columns[backward]) & (columns[forward] == rows[backward])
    if not same.all() or not np.array_equal(values[forward], values[backward], equal_nan=True):
        raise ValueError(f"an adjacency matrix must be symmetric; a matrix of shape {coo.shape} is not")
    upper = rows <= columns
    return np.stack([rows[upper], columns[upper]], axis=1), values[upper], n


def _from_dense(matrix: Reals) -> Edges:
    difference = np.abs(matrix - matrix.T)
    if not np.isfinite(matrix).all():
        i, j = np.argwhere(~np.isfinite(matrix))[0]
        raise ValueError(f"weights must be finite; entry ({i}, {j}) is {matrix[i, j]}")
    if difference.max(initial=0.0) > 0:
        i, j = np.unravel_index(difference.argmax(), matrix.shape)
        raise ValueError(
            f"an adjacency matrix must be symmetric; ({i}, {j}) is {matrix[i, j]}, ({j}, {i}) {matrix[j, i]}"
        )
    upper = np.argwhere(np.triu(matrix) != 0)
    return upper, matrix[upper[:, 0], upper[:, 1]], len(matrix)


def _from_networkx(graph: Any) -> Edges:
    if graph.is_directed():
        raise ValueError("the graph must be undirected: pass graph.to_undirected()")
    number = {node: i for i, node in enumerate(graph.nodes)}
    rows = [(number[a], number[b], float(w)) for a, b, w in graph.edges(data="weight", default=1.0)]
    table = np.array(rows, dtype=np.float64).reshape(-1, 3)
    return table[:, :2].astype(np.int64), table[:, 2], len(number)


def _assemble(
    edges: Integers, weights: Reals, n: int, normalized: bool, kind: Kind, shape: tuple[int, ...], periodic: bool
) -> Laplacian:
    """Return L of weighted pairs, each once; several of the same pair add up."""
    if n < 1:
        raise ValueError("a graph needs at least one node")
    wrong = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if len(wrong):
        pair = tuple(int(node) for node in edges[wrong[0]])
        raise ValueError(f"weights must be finite and >= 0; edge {pair} has {weights[wrong[0]]}")
    kept = weights > 0
    edges, weights = edges[kept], weights[kept]
    if (edges[:, 0] == edges[:, 1]).any():
        loop = edges[edges[:, 0] == edges[:, 1]][0, 0]
        raise ValueError(f"a node is no neighbour of itself; node {loop} has an edge to itself")
    a, b = edges.T
    degree: Reals = np.asarray(np.bincount(a, weights, n) + np.bincount(b, weights, n), dtype=np.float64)
    off = -np.concatenate([weights, weights])
    diagonal = degree
    if normalized:
        root = np.sqrt(degree)
        off = off / np.concatenate([root[a] * root[b]] * 2)
        diagonal = (degree > 0).astype(np.float64)
    rows = np.concatenate([a, b, np.arange(n)])
    columns = np.concatenate([b, a, np.arange(n)])
    keys, where = np.unique(rows * n + columns, return_inverse=True)
    data: Reals = np.asarray(np.bincount(where, np.concatenate([off, diagonal]), len(keys)), dtype=np.float64)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(keys // n, minlength=n))]).astype(np.int64)
    offsets = np.array([0, n], dtype=np.int64)
    return Laplacian(indptr, (keys % n).astype(np.int32), data, kind, shape, periodic, offsets, normalized, degree)
