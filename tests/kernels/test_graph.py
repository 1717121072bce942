# SPDX-License-Identifier: BSD-3-Clause
"""Filters of graphs against their definition: shapes, dtypes, threads, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

from reference import graph as reference
from spinodal import kernels

SHAPES = [(), (1,), (3,), (5,), (13,), (16,), (37,)]
TOLERANCE = {np.float32: 2e-5, np.float64: 2e-13}


def series(n_terms, n_series=None, seed=0):
    """Coefficients that fall slowly."""
    rng = np.random.default_rng(seed)
    shape = (n_terms,) if n_series is None else (n_terms, n_series)
    return rng.normal(size=shape) * 0.8 ** np.arange(n_terms).reshape((-1,) + (1,) * (len(shape) - 1))


def close(got, want, dtype):
    assert got.dtype == dtype
    np.testing.assert_allclose(got, want, rtol=0, atol=TOLERANCE[dtype] * max(np.abs(want).max(), 1e-3))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("columns", SHAPES, ids=str)
@pytest.mark.parametrize(("n", "degree", "weighted"), [(60, 0.8, False), (90, 12.0, False), (70, 5.0, True)])
def test_series_are_those_of_the_definition(engine, n, degree, weighted, columns, dtype):
    dense = reference.random_laplacian(n, degree, seed=n, weighted=weighted)
    lmax = 1.1 * np.linalg.eigvalsh(dense)[-1]
    x = np.random.default_rng(1).normal(size=(n, *columns)).astype(dtype)
    for n_terms in (1, 2, 3, 20):
        c = series(n_terms)
        got = kernels.chebyshev_filter(reference.dense_rows(dense), x, c, lmax, backend=engine)
        want = reference.chebyshev_filter(dense, x.reshape(n, -1).astype(float), c[:, None], lmax)
        close(got, want.reshape(x.shape), dtype)


@pytest.mark.parametrize("weighted", [False, True])
def test_many_windows(engine, weighted):
    """A ring with chords: windows of rows, columns of 16 and of 32 bits, rows in parallel."""
    n, rng = 70_000, np.random.default_rng(2)
    pairs = np.stack([np.arange(n), (np.arange(n) + 1) % n], axis=1)
    chords = np.stack([np.arange(0, n, 7), rng.permutation(n)[: len(range(0, n, 7))]], axis=1)
    for edges in (pairs, np.concatenate([pairs, chords[chords[:, 0] != chords[:, 1]]])):
        a, b = np.unique(np.sort(edges, axis=1), axis=0).T
        w = rng.random(len(a)) + 0.5 if weighted else np.ones(len(a))
        rows, columns = np.concatenate([a, b, np.arange(n)]), np.concatenate([b, a, np.arange(n)])
        degree = np.bincount(a, w, n) + np.bincount(b, w, n)
        values = np.concatenate([-w, -w, degree])
        order = np.lexsort([columns, rows])
        indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=n))])
        matrix = (indptr, columns[order].astype(np.int32), values[order])
        lmax = 2.0 * degree.max()
        x, c = rng.normal(size=(n, 3)), series(6)
        sparse = scipy.sparse.csr_array((matrix[2], matrix[1], matrix[0]), shape=(n, n))
        h = 2 / lmax * sparse - scipy.sparse.eye_array(n)
        want, now, before = c[0] * x + c[1] * (h @ x), h @ x, x
        for k in range(2, 6):
            now, before = 2 * (h @ now) - before, now
            want = want + c[k] * now
        got = kernels.chebyshev_filter(matrix, x, c, lmax, n_threads=1, backend=engine)
        close(got, want, np.float64)
        for n_threads in (2, 5):
            again = kernels.chebyshev_filter(matrix, x, c, lmax, n_threads=n_threads, backend=engine)
            np.testing.assert_array_equal(again, got)


def test_each_column_and_each_field_may_have_its_own_series(engine):
    dense = reference.random_laplacian(50, 6.0, seed=3, weighted=False)
    lmax, rng = 2 * dense.max(), np.random.default_rng(3)
    matrix = reference.dense_rows(dense)
    x = rng.normal(size=(7, 50, 3))
    c = series(12, 7)
    got = kernels.chebyshev_filter(matrix, x, c, lmax, backend=engine)
    want = np.stack([reference.chebyshev_filter(dense, f, c[:, b, None], lmax) for b, f in enumerate(x)])
    close(got, want, np.float64)
    columns = rng.normal(size=(50, 19))
    c = series(9, 19)
    close(
        kernels.chebyshev_filter(matrix, columns, c, lmax, backend=engine),
        reference.chebyshev_filter(dense, columns, c, lmax),
        np.float64,
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_two_fields_at_once(engine, dtype):
    dense = reference.random_laplacian(80, 5.0, seed=4, weighted=True)
    lmax, rng = 2.1 * dense.max(), np.random.default_rng(4)
    x = tuple(rng.normal(size=(3, 80, 4)).astype(dtype) for _ in range(2))
    c = (series(11), series(6, 3, seed=1))  # of other lengths
    got = kernels.chebyshev_filter(reference.dense_rows(dense), x, c, lmax, backend=engine)
    want = np.stack(
        [
            reference.chebyshev_filter(dense, x[0][b].astype(float), c[0][:, None], lmax)
            + reference.chebyshev_filter(dense, x[1][b].astype(float), c[1][:, b, None], lmax)
            for b in range(3)
        ]
    )
    close(got, want, dtype)


def path(n, periodic):
    """Laplacian of a path or a ring."""
    m = np.diag(np.full(n, 2.0)) - np.eye(n, k=1) - np.eye(n, k=-1)
    if periodic:
        m[0, -1] -= 1
        m[-1, 0] -= 1
    else:
        m[0, 0] = m[-1, -1] = 1
    return m


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("lengths", [(9,), (14, 6), (3, 17), (4, 5, 7), (8, 8, 16)], ids=str)
@pytest.mark.parametrize("columns", [(), (3,), (21,)], ids=str)
def test_matrices_along_axes(engine, lengths, columns, dtype):
    rng, n = np.random.default_rng(5), int(np.prod(lengths))
    x = rng.normal(size=(n, *columns)).astype(dtype)
    axes = [reference.function_of(path(m, m % 2 == 1), lambda values: np.exp(-0.3 * values)) for m in lengths]
    whole = np.eye(1)
    for axis in axes:
        whole = np.kron(whole, axis)
    got = kernels.grid_filter(lengths, x, [kernels.fold(a) for a in axes], backend=engine)
    close(got, (whole @ x.reshape(n, -1)).reshape(x.shape), dtype)


def test_dense_blocks(engine):
    rng = np.random.default_rng(6)
    sizes = [1, 3, 5, 8, 9, 16, 23, 24, 25, 33, 41, 70]
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    filters = [(m + m.T) / 2 for m in (rng.normal(size=(n, n)) for n in sizes)]
    for dtype in (np.float32, np.float64):
        for shape in ((1, 1), (1, 2), (2, 3), (1, 5), (1, 8), (3, 11), (1, 16), (1, 48), (2, 35)):
            x = rng.normal(size=(shape[0], offsets[-1], shape[1])).astype(dtype)
            want = np.concatenate(
                [f @ x[:, a:b] for f, a, b in zip(filters, offsets, offsets[1:], strict=False)], axis=1
            )
            got = kernels.block_filter(filters, offsets, x, backend=engine)
            close(got, want, dtype)
            again = kernels.block_filter(filters, offsets, x, n_threads=3, backend=engine)
            np.testing.assert_array_equal(again, got)


def test_instruction_sets_agree_bit_for_bit(isa):
    from spinodal.backends.isas import using_isa

    dense = reference.random_laplacian(90, 7.0, seed=7, weighted=True)
    matrix, rng = reference.dense_rows(dense), np.random.default_rng(7)
    x = rng.normal(size=(90, 21)).astype(np.float32)
    axes = [kernels.fold(reference.function_of(path(n, False), np.exp)) for n in (9, 10)]

    def results():
        return [
            kernels.chebyshev_filter(matrix, x, series(15), 60.0, backend="cpp"),
            kernels.grid_filter((9, 10), x, axes, backend="cpp"),
            kernels.block_filter([dense], [0, 90], x, backend="cpp"),
        ]

    ours = results()
    with using_isa("baseline"):
        for mine, theirs in zip(ours, results(), strict=True):
            np.testing.assert_array_equal(mine, theirs)


def test_what_is_refused(engine):
    dense = reference.random_laplacian(20, 4.0, seed=8, weighted=False)
    indptr, indices, data = reference.dense_rows(dense)
    x, c = np.zeros((20, 2)), np.ones(3)

    def run(matrix=(indptr, indices, data), x=x, c=c, lmax=30.0, **options):
        return kernels.chebyshev_filter(matrix, x, c, lmax, backend=engine, **options)

    assert run().shape == (20, 2)
    for wrong, words in [
        ({"lmax": 0.0}, "lmax must be finite and > 0"),
        ({"lmax": np.nan}, "lmax must be finite and > 0"),
        ({"x": np.zeros((19, 2))}, "19 nodes; the graph has 20"),
        ({"x": np.zeros((2, 3, 4, 5))}, "shape"),
        ({"x": (x, x)}, "2 fields need as many"),
        ({"x": (x, x[:, :1]), "c": (c, c)}, "one shape"),
        ({"c": np.ones((3, 5))}, "coefficients must have shape"),
        ({"c": np.array([1.0, np.inf])}, "coefficients must be finite"),
        ({"matrix": (indptr, indices[::-1].copy(), data)}, "must rise"),
        ({"matrix": (indptr, indices + 1, data)}, "must be in"),
        ({"matrix": (indptr, indices, data * np.nan)}, "values must be finite"),
    ]:
        with pytest.raises(ValueError, match=words):
            run(**wrong)
    with pytest.raises(TypeError, match="real numbers"):
        run(x=x.astype(complex))
    with pytest.raises(TypeError, match="out must be"):
        run(out=np.zeros((20, 2), dtype=np.float32))
    with pytest.raises(ValueError, match="multiply to 12"):
        kernels.grid_filter((3, 4), x, [], backend=engine)
    with pytest.raises(ValueError, match="offsets must rise"):
        kernels.block_filter([np.eye(3)], [0, 3], x, backend=engine)
