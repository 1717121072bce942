# SPDX-License-Identifier: BSD-3-Clause
"""neighbor_list and pair_histogram: against the reference and vesin's conventions, for any box; and refusals."""

from __future__ import annotations

import threading
from functools import cache

import numpy as np
import pytest

from reference import neighbors as reference
from reference.lennard_jones import lattice_with_noise
from spinodal import kernels

# Particles, box, cutoff: few and many, flat and long boxes, boxes shorter than twice the cutoff or than the cutoff
# itself, two dimensions.
BOXES = [
    (1, (1.2, 1.3, 1.4), 2.5),
    (5, (2.0, 2.0, 2.5), 2.6),
    (60, (4.0, 4.0, 4.0), 2.5),
    (75, (9.0, 9.5, 10.0), 2.5),
    (300, (7.0, 8.0, 9.0), 2.2),
    (200, (30.0, 3.2, 3.3), 1.9),
    (150, (12.0, 13.0), 2.5),
    (30, (3.0, 9.0), 3.1),
]


@cache
def case(n, box, cutoff, free=False):
    """Positions, and the pairs of the reference: once for all engines."""
    x = lattice_with_noise(n, np.array(box), seed=n, amplitude=0.3)
    x += np.array(box) * np.random.default_rng(n).integers(-2, 3, x.shape)
    return x, reference.neighbor_list(x, None if free else np.array(box), cutoff)


def in_order(columns):
    i, j, d, vectors, shifts = columns
    order = np.lexsort((*shifts.T[::-1], j, i))
    return i[order], j[order], d[order], vectors[order], shifts[order]


def from_both_sides(columns):
    i, j, d, vectors, shifts = columns
    doubled = (i, j), (j, i), (d, d), (vectors, -vectors), (shifts, -shifts)
    return tuple(np.concatenate(column) for column in doubled)


def check(got, want):
    for ours, theirs, integers in zip(in_order(got), want, (True, True, False, False, True), strict=True):
        assert ours.shape == theirs.shape
        if integers:
            np.testing.assert_array_equal(ours, theirs)
        else:
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-13)


@pytest.mark.parametrize(("n", "box", "cutoff"), BOXES, ids=str)
def test_all_pairs_of_any_box(engine, n, box, cutoff):
    x, want = case(n, box, cutoff)
    check(kernels.neighbor_list(x, box, cutoff, half=False, backend=engine), want)
    check(from_both_sides(kernels.neighbor_list(x, box, cutoff, backend=engine)), want)


@pytest.mark.parametrize(("n", "box", "cutoff"), BOXES[3:], ids=str)
def test_free_particles(engine, n, box, cutoff):
    x, want = case(n, box, cutoff, free=True)
    check(kernels.neighbor_list(x, None, cutoff, half=False, periodic=False, backend=engine), want)
    assert not kernels.neighbor_list(x, None, cutoff, periodic=False, backend=engine)[4].any()


def test_vectors_are_those_of_positions_and_shifts(engine):
    """Of the positions as they were given, outside the box."""
    x, _ = case(300, (7.0, 8.0, 9.0), 2.2)
    i, j, d, vectors, shifts = kernels.neighbor_list(x, (7.0, 8.0, 9.0), 2.2, backend=engine)
    np.testing.assert_allclose(vectors, x[j] - x[i] + shifts * np.array([7.0, 8.0, 9.0]), atol=1e-13)
    np.testing.assert_allclose(d, np.linalg.norm(vectors, axis=1), atol=1e-14)
    assert (shifts != 0).any() and d.max() < 2.2


def test_columns_come_as_they_are_asked_for(engine):
    x, _ = case(75, (9.0, 9.5, 10.0), 2.5)
    whole = dict(zip("ijdDS", kernels.neighbor_list(x, (9.0, 9.5, 10.0), 2.5, backend=engine), strict=True))
    for quantities in ("ij", "d", "SjiD"):
        for name, column in zip(
            quantities,
            kernels.neighbor_list(x, (9.0, 9.5, 10.0), 2.5, quantities=quantities, backend=engine),
            strict=True,
        ):
            np.testing.assert_array_equal(column, whole[name])
    dtypes = {name: column.dtype for name, column in whole.items()}
    assert dtypes == {"i": np.int64, "j": np.int64, "d": np.float64, "D": np.float64, "S": np.int32}


def test_pairs_at_the_cutoff_are_decided_in_double_precision(engine):
    """One at each side of it, by less than single precision can tell."""
    for inside in (True, False):
        x = np.zeros((2, 3))
        x[1, 0] = np.nextafter(2.5, 0.0 if inside else 9.0)
        assert len(kernels.neighbor_list(x, 40.0, 2.5, quantities="d", backend=engine)[0]) == inside
        assert kernels.pair_histogram(x, 40.0, 5.0, 2, backend=engine).tolist() == ([1, 0] if inside else [0, 1])


def test_no_pairs(engine):
    x = np.array([[0.0, 0, 0], [5, 5, 5]])
    columns = kernels.neighbor_list(x, 10.0, 2.0, backend=engine)
    assert [column.shape for column in columns] == [(0,), (0,), (0,), (0, 3), (0, 3)]


def test_a_dense_drop_in_a_large_box(engine):
    """Memory for rows and for pairs must grow, and nothing may be lost."""
    x = np.concatenate([lattice_with_noise(400, np.full(3, 4.0), seed=1) + 20, [[1.0, 1, 1]]])
    got = kernels.neighbor_list(x, 60.0, 2.5, quantities="ij", backend=engine)
    want = reference.neighbor_list(x, np.full(3, 60.0), 2.5)
    assert len(got[0]) * 2 == len(want[0]) > 400 * 100
    check_sets(got, want)


def check_sets(got, want):
    pairs = {tuple(sorted(pair)) for pair in zip(*map(np.ndarray.tolist, got), strict=True)}
    assert pairs == {tuple(sorted(pair)) for pair in zip(want[0].tolist(), want[1].tolist(), strict=True)}


def large(n=24_000, length=30.0):
    return lattice_with_noise(n, np.full(3, length), seed=3, amplitude=0.4), length


@cache
def on_the_baseline():
    from spinodal.backends.isas import using_isa

    x, length = large()
    with using_isa("baseline"):
        listed = kernels.neighbor_list(x, length, 1.6, n_threads=1)
        return listed, kernels.pair_histogram(x, length, 1.6, 77, n_threads=1)


@pytest.mark.parametrize("n_threads", [1, 2, 5])
def test_one_list_for_any_threads_and_instruction_set(isa, n_threads):
    x, length = large()
    listed, counts = on_the_baseline()
    for ours, theirs in zip(kernels.neighbor_list(x, length, 1.6, n_threads=n_threads), listed, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(kernels.pair_histogram(x, length, 1.6, 77, n_threads=n_threads), counts)


def test_lists_of_two_threads_do_not_mix(backend):
    x, want = case(300, (7.0, 8.0, 9.0), 2.2)
    y, other = case(75, (9.0, 9.5, 10.0), 2.5)
    found = {}

    def work(name, positions, box, cutoff):
        for _ in range(5):
            found[name] = kernels.neighbor_list(positions, box, cutoff, half=False, n_threads=1, backend=backend)

    threads = [
        threading.Thread(target=work, args=arguments)
        for arguments in (("x", x, (7.0, 8.0, 9.0), 2.2), ("y", y, (9.0, 9.5, 10.0), 2.5))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check(found["x"], want)
    check(found["y"], other)


@pytest.mark.parametrize("half", [True, False])
def test_the_same_pairs_as_vesin(half):
    vesin = pytest.importorskip("vesin")
    x, _ = case(300, (7.0, 8.0, 9.0), 2.2)
    theirs = vesin.NeighborList(cutoff=2.2, full_list=not half).compute(
        points=x, box=np.diag([7.0, 8.0, 9.0]), periodic=True, quantities="ijdDS"
    )
    theirs = (theirs[0].astype(np.int64), theirs[1].astype(np.int64), *theirs[2:])
    ours = kernels.neighbor_list(x, (7.0, 8.0, 9.0), 2.2, half=half)
    if half:
        theirs, ours = from_both_sides(theirs), from_both_sides(ours)
    check(ours, in_order(theirs))


@pytest.mark.parametrize(("n", "box", "cutoff"), BOXES, ids=str)
def test_histograms_of_any_box(engine, n, box, cutoff):
    x, _ = case(n, box, cutoff)
    systems = np.stack([x, x[::-1], 1.01 * x])
    want = reference.pair_histogram(systems, np.array(box), cutoff, 37)
    got = kernels.pair_histogram(systems, box, cutoff, 37, backend=engine)
    np.testing.assert_array_equal(got, want)
    assert got.dtype == np.int64
    one_bin = kernels.pair_histogram(systems, box, cutoff, 1, backend=engine)
    np.testing.assert_array_equal(one_bin[:, 0], want.sum(axis=1))


def test_histograms_of_free_particles_and_fine_bins(engine):
    x, columns = case(150, (12.0, 13.0), 2.5, free=True)
    got = kernels.pair_histogram(x, None, 2.5, 60_000, periodic=False, backend=engine)
    bins = np.floor(columns[2] * (60_000 / 2.5)).astype(int)
    np.testing.assert_array_equal(got, np.bincount(bins, minlength=60_000) // 2)


def test_far_from_the_origin(engine):
    """Single precision tells little there; what is found is right all the same."""
    x = lattice_with_noise(200, np.full(3, 6.0), seed=1) + 3e5
    want = reference.pair_histogram(x, np.full(3, 1e6), 2.5, 50)
    np.testing.assert_array_equal(kernels.pair_histogram(x, 1e6, 2.5, 50, backend=engine), want)
    assert len(kernels.neighbor_list(x, 1e6, 2.5, backend=engine)[0]) == want.sum()


def test_counts_go_to_out(backend):
    x, _ = case(75, (9.0, 9.5, 10.0), 2.5)
    out = np.full((2, 10), -1)
    assert kernels.pair_histogram(np.stack([x, x]), (9.0, 9.5, 10.0), 2.5, 10, out=out, backend=backend) is out
    assert (out[0] == out[1]).all() and out.min() >= 0


BAD_LIST = [
    ({"positions": np.zeros((2, 5, 3))}, ValueError, r"of one system, .* got \(2, 5, 3\)"),
    ({"positions": np.full((5, 3), np.nan)}, ValueError, "particle 0 of system 0 has nan"),
    ({"positions": np.full((5, 3), 1e8), "box": 1e-3, "cutoff": 1e-3}, ValueError, "2\\^30 box lengths away"),
    ({"box": None}, ValueError, "periodic particles need a box"),
    ({"box": 0.0}, ValueError, "got 0.0"),
    ({"cutoff": 0.0}, ValueError, "cutoff must be finite and > 0; got 0.0"),
    ({"cutoff": np.inf}, ValueError, "cutoff must be finite and > 0; got inf"),
    ({"cutoff": 50.0}, ValueError, "cutoff must be <= 8 box lengths; got 50.0 and a length of 5.0"),
    ({"quantities": "ijx"}, ValueError, "letters ijdDS, each once; got 'ijx'"),
    ({"quantities": "ii"}, ValueError, "got 'ii'"),
    ({"quantities": ""}, ValueError, "got ''"),
    ({"n_threads": 0}, ValueError, "n_threads must be >= 1; got 0"),
]


@pytest.mark.parametrize(("wrong", "error", "message"), BAD_LIST, ids=lambda value: str(value)[:40])
def test_bad_input_of_lists(backend, wrong, error, message):
    arguments = {"positions": np.random.default_rng(1).random((5, 3)), "box": 5.0, "cutoff": 1.0, **wrong}
    with pytest.raises(error, match=message):
        kernels.neighbor_list(backend=backend, **arguments)


BAD_HISTOGRAM = [
    ({"r_max": -1.0}, ValueError, "r_max must be finite and > 0; got -1.0"),
    ({"r_max": 41.0}, ValueError, "r_max must be <= 8 box lengths; got 41.0 and a length of 5.0"),
    ({"n_bins": 0}, ValueError, "n_bins must be between 1 and 65536; got 0"),
    ({"n_bins": 70_000}, ValueError, "got 70000"),
    ({"n_bins": 2.5}, TypeError, "n_bins must be an integer; got 2.5"),
    ({"out": np.zeros(7, dtype=np.int64)}, TypeError, r"int64 array of shape \(10,\)"),
]


@pytest.mark.parametrize(("wrong", "error", "message"), BAD_HISTOGRAM, ids=lambda value: str(value)[:40])
def test_bad_input_of_histograms(backend, wrong, error, message):
    arguments = {
        "positions": np.random.default_rng(1).random((5, 3)), "box": 5.0, "r_max": 1.0, "n_bins": 10, **wrong
    }  # fmt: skip
    with pytest.raises(error, match=message):
        kernels.pair_histogram(backend=backend, **arguments)
