# SPDX-License-Identifier: BSD-3-Clause
"""pack_spins and unpack_spins against the reference, at lengths that end in the middle of a byte, word or vector."""

from __future__ import annotations

import numpy as np
import pytest

from reference import packing
from reference.ising import random_spins
from spinodal.backends import numpy_packing, resolve, resolve_packing

SHAPES = [(n_rows, n_sites) for n_sites in (0, 1, 7, 8, 9, 31, 32, 33, 63, 64, 65, 127, 200, 520) for n_rows in (1, 5)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_bits_are_those_of_the_reference(engine, shape):
    spins = random_spins(shape, seed=3)
    expected = packing.pack_spins(spins)
    bits = np.full_like(expected, 0xAA)
    assert resolve(engine).pack_spins(spins, bits)
    np.testing.assert_array_equal(bits, expected)
    back = np.zeros_like(spins)
    resolve(engine).unpack_spins(bits, back)
    np.testing.assert_array_equal(back, spins)
    np.testing.assert_array_equal(packing.unpack_spins(bits, shape[1]), spins)


def test_no_bytes_behind_the_last_row_are_touched(engine):
    spins = random_spins((3, 77), seed=3)
    bits = np.full(3 * 10 + 64, 0xAA, np.uint8)
    assert resolve(engine).pack_spins(spins, bits[:30].reshape(3, 10))
    assert (bits[30:] == 0xAA).all()
    back = np.full(3 * 77 + 64, 5, np.int8)
    resolve(engine).unpack_spins(bits[:30].reshape(3, 10), back[: 3 * 77].reshape(3, 77))
    assert (back[3 * 77 :] == 5).all()


@pytest.mark.parametrize("value", [0, 2, 3, -2, -3, 127, -128])
@pytest.mark.parametrize("site", [0, 5, 63, 64, 70, 127, 128, 130])
def test_every_other_value_is_noticed(engine, value, site):
    spins = random_spins((2, 131), seed=4)
    spins[1, site] = value
    assert not resolve(engine).pack_spins(spins, np.empty((2, 17), np.uint8))


@pytest.mark.parametrize(
    "axis",
    [
        (1, 1, 1), (1, 2, 1), (3, 5, 1), (5, 8, 1), (2, 63, 1), (4, 64, 1), (3, 65, 1), (1, 128, 1), (2, 200, 1),
        (1, 6, 10), (1, 7, 9), (2, 4, 16), (1, 8, 64), (3, 6, 64), (2, 5, 130), (1, 16, 200), (7, 3, 11),
    ],
    ids=str,
)  # fmt: skip
def test_correlations_are_those_of_the_reference(engine, axis):
    """Rings shorter than a word, of whole words, and ending in the middle of one."""
    for seed in range(3):
        spins = random_spins((4, int(np.prod(axis))), seed=seed)
        spins[3] = np.abs(spins[3])
        bits = packing.pack_spins(spins)
        expected = packing.correlate_bits(bits, *axis)
        sums = np.full_like(expected, 77)
        resolve(engine).correlate_bits(bits, *axis, sums)
        np.testing.assert_array_equal(sums, expected)


def test_wrong_axes_are_refused():
    with pytest.raises(ValueError, match="must be >= 1; got 0"):
        resolve("cpp").correlate_bits(np.zeros((1, 0), np.uint8), 1, 0, 1, np.zeros((1, 1), np.int64))
    with pytest.raises(ValueError, match="out needs 5 elements; got 4"):
        resolve("cpp").correlate_bits(np.zeros((1, 1), np.uint8), 1, 8, 1, np.zeros((1, 4), np.int64))


def test_wrong_arrays_are_refused_not_copied():
    engine = resolve("cpp")
    spins = random_spins((2, 16), seed=4)
    with pytest.raises(ValueError, match="out needs 4 elements; got 5"):
        engine.pack_spins(spins, np.empty(5, np.uint8))
    with pytest.raises(ValueError, match="bits needs 4 elements; got 3"):
        engine.unpack_spins(np.empty(3, np.uint8), spins)
    with pytest.raises(ValueError, match=r"spins must have shape \(n_rows, n_sites\); got 1 axes"):
        engine.pack_spins(spins[0], np.empty(2, np.uint8))
    with pytest.raises(TypeError):
        engine.pack_spins(spins[:, ::2], np.empty((2, 1), np.uint8))


def test_packing_needs_no_backend(monkeypatch):
    monkeypatch.setenv("SPINODAL_BACKEND", "numba")
    assert resolve_packing() is numpy_packing
    monkeypatch.setenv("SPINODAL_BACKEND", "cpp")
    assert resolve_packing() is resolve("cpp")
