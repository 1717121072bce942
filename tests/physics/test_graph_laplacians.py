# SPDX-License-Identifier: BSD-3-Clause
"""Laplacians: every way to make one, what they know of their spectrum, and what they refuse."""

from __future__ import annotations

import ase.build
import networkx
import numpy as np
import pytest
import scipy.sparse

from physics.graph_cases import NAMES, adjacency, graph, molecules
from reference.graph import random_laplacian
from spinodal import Laplacian, graph_laplacian, grid_laplacian, molecular_laplacian


@pytest.mark.parametrize(("shape", "periodic"), [((5,), False), ((4, 7), True), ((2, 3, 5), False), ((2, 1, 3), True)])
def test_grids_are_sums_over_axes(shape, periodic):
    total = np.zeros((1, 1))
    for n in shape:
        axis = np.diag(np.full(n, 2.0)) - np.eye(n, k=1) - np.eye(n, k=-1) if n > 1 else np.zeros((1, 1))
        if n > 1 and periodic:
            axis[0, -1] -= 1
            axis[-1, 0] -= 1
        elif n > 1:
            axis[0, 0] = axis[-1, -1] = 1
        total = np.kron(total, np.eye(n)) + np.kron(np.eye(len(total)), axis)
    laplacian = grid_laplacian(shape, periodic)
    np.testing.assert_array_equal(laplacian.dense(), total)
    np.testing.assert_allclose(laplacian.spectrum, np.linalg.eigvalsh(total), atol=1e-13)


def test_sources_agree():
    dense = adjacency(random_laplacian(40, 5.0, 1, True))
    want = np.diag(dense.sum(axis=1)) - dense
    pairs = np.argwhere(np.triu(dense))
    sources = [
        graph_laplacian(dense),
        graph_laplacian(scipy.sparse.coo_array(dense)),
        graph_laplacian(scipy.sparse.csr_matrix(dense)),
        graph_laplacian(networkx.from_numpy_array(dense)),
        graph_laplacian(pairs, dense[tuple(pairs.T)], n_nodes=40),
    ]
    for laplacian in sources:
        np.testing.assert_allclose(laplacian.dense(), want, rtol=0, atol=1e-14 * want.max())
        x = np.random.default_rng(0).normal(size=(40, 3))
        np.testing.assert_allclose(laplacian @ x, want @ x, atol=1e-12)
        np.testing.assert_allclose(
            scipy.sparse.csr_array((laplacian.data, laplacian.indices, laplacian.indptr)) @ x, want @ x, atol=1e-12
        )


def test_molecules():
    benzene = molecular_laplacian(ase.build.molecule("C6H6"))
    assert (benzene.n_nodes, benzene.n_edges, benzene.n_components) == (12, 12, 1)
    water = ase.build.molecule("H2O")
    both = molecular_laplacian([ase.build.molecule("C6H6"), water])
    assert both.kind == "blocks"
    assert both.offsets.tolist() == [0, 12, 15]
    assert both.n_components == 2
    by_positions = molecular_laplacian(water.positions, cutoff=1.2)
    np.testing.assert_array_equal(by_positions.dense(), molecular_laplacian(water).dense())
    listed = molecular_laplacian(water.positions.tolist(), [(0, 1), (0, 2)])
    np.testing.assert_array_equal(listed.dense(), by_positions.dense())


class Bond:
    def __init__(self, a, b, order):
        self.a, self.b, self.order = a, b, order

    def GetBeginAtomIdx(self):
        return self.a

    def GetEndAtomIdx(self):
        return self.b

    def GetBondTypeAsDouble(self):
        return self.order


class Ethene:
    """As RDKit describes it."""

    def GetNumAtoms(self):
        return 6

    def GetBonds(self):
        return [Bond(0, 1, 2.0), *(Bond(0, i, 1.0) for i in (2, 3)), *(Bond(1, i, 1.0) for i in (4, 5))]


def test_bond_orders_are_weights():
    laplacian = molecular_laplacian(Ethene())
    np.testing.assert_array_equal(laplacian.degree, [4, 4, 1, 1, 1, 1])
    assert molecular_laplacian([Ethene(), Ethene()]).n_graphs == 2


@pytest.mark.parametrize("name", NAMES)
def test_what_is_known_of_the_spectrum(name):
    laplacian = graph(name)
    spectrum = np.linalg.eigvalsh(laplacian.dense())
    np.testing.assert_allclose(laplacian.spectrum, spectrum, atol=1e-12)
    assert laplacian.bound >= spectrum[-1] * (1 - 1e-13)
    assert spectrum[-1] * (1 - 1e-13) <= laplacian.lmax <= spectrum[-1] * 1.01
    assert laplacian.n_components == (spectrum < 1e-10).sum()
    x = np.random.default_rng(0).normal(size=(laplacian.n_nodes, 2))
    null = np.linalg.eigh(laplacian.dense())[1][:, spectrum < 1e-10]
    np.testing.assert_allclose(laplacian.remove_null(x), x - null @ (null.T @ x), atol=1e-10)


def large(kind):
    """Graphs whose eigenvalues are not computed; Lanczos meets few distinct ones, or one far above the others."""
    if kind == "star":
        return graph_laplacian(np.stack([np.zeros(699, dtype=int), np.arange(1, 700)], axis=1))
    if kind == "ring":
        return graph_laplacian(np.stack([np.arange(900), (np.arange(900) + 1) % 900], axis=1))
    return graph_laplacian(adjacency(random_laplacian(1200, 9.0, 2, kind == "weighted")))


@pytest.mark.parametrize("kind", ["star", "ring", "random", "weighted"])
def test_the_guarded_bound_is_one(kind):
    laplacian = large(kind)
    assert laplacian.spectrum is None
    top = np.linalg.eigvalsh(laplacian.dense())[-1]
    assert top * (1 - 1e-12) <= laplacian.lmax <= 1.02 * top
    nodes, weights = laplacian.density
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-9)
    mean = (weights * nodes).sum(axis=1)
    spread = mean.std(ddof=1) / np.sqrt(len(mean)) + 1e-12
    assert abs(mean.mean() - laplacian.degree.mean()) < 6 * spread


def test_batches_keep_their_graphs_apart():
    batch = molecules()
    dense = batch.dense()
    for a, b in zip(batch.offsets, batch.offsets[1:], strict=False):
        assert not dense[a:b, :a].any()
        assert not dense[a:b, b:].any()
    assert batch.n_graphs == batch.n_components == 12
    # Only what is an edge, or the diagonal, is stored.
    assert len(batch.data) == 2 * batch.n_edges + batch.n_nodes


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: grid_laplacian((3, 0)), "1 to 3 axes"),
        (lambda: grid_laplacian((2, 2, 2, 2)), "1 to 3 axes"),
        (lambda: graph_laplacian(np.array([[0.0, 1.0], [2.0, 0.0]])), r"symmetric; \(0, 1\) is 1.0, \(1, 0\) 2.0"),
        (lambda: graph_laplacian(scipy.sparse.csr_array([[0.0, 1.0], [2.0, 0.0]])), "symmetric"),
        (lambda: graph_laplacian(scipy.sparse.csr_array([[0.0, 1.0], [0.0, 0.0]])), "symmetric"),
        (lambda: graph_laplacian(np.array([[0.0, np.nan], [np.nan, 0.0]])), "finite"),
        (lambda: graph_laplacian([[0, 1]], [-1.0]), "edge \\(0, 1\\) has -1"),
        (lambda: graph_laplacian([[0, 1]], [np.inf]), "finite"),
        (lambda: graph_laplacian([[0, 0]]), "no neighbour of itself"),
        (lambda: graph_laplacian([[0, 5]], n_nodes=3), "names node 5"),
        (lambda: graph_laplacian([[0, -1]]), "counted from 0"),
        (lambda: graph_laplacian([[0, 1]], [1.0, 2.0]), "as many weights"),
        (lambda: graph_laplacian(np.zeros((3, 4))), "square"),
        (lambda: graph_laplacian(networkx.DiGraph([(0, 1)])), "undirected"),
        (lambda: molecular_laplacian(np.zeros((3, 3))), "bonds or a cutoff"),
        (lambda: Laplacian.batch([]), "at least one"),
        (lambda: Laplacian.batch([grid_laplacian(3), graph_laplacian([[0, 1]], normalized=True)]), "normalized"),
    ],
)
def test_what_is_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()
