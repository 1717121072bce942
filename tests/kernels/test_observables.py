# SPDX-License-Identifier: BSD-3-Clause
"""ising_energy, magnetization, local_field and random_spins against the reference."""

from __future__ import annotations

import numpy as np
import pytest

from reference import ising
from spinodal import kernels

SHAPES = [(2, 2), (2, 3), (3, 3), (5, 7), (4, 4), (33, 66), (2, 2, 2), (3, 4, 5), (4, 2, 34)]
COUPLINGS = [(1.0, 0.0), (-1.0, 0.25), (0.7, -0.3), (0.0, 2.0)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("leading", [(), (3,), (2, 2)], ids=str)
def test_energy_field_and_magnetization(engine, shape, leading):
    ndim = len(shape)
    spins = ising.random_spins((*leading, *shape), seed=2, ndim=ndim)
    for J, h in COUPLINGS:
        energy = kernels.ising_energy(spins, J, h, ndim=ndim, backend=engine)
        assert energy.shape == leading
        assert energy.dtype == np.float64
        np.testing.assert_allclose(energy, ising.ising_energy(spins, J, h, ndim), rtol=1e-14, atol=1e-12)
        field = kernels.local_field(spins, J, h, ndim=ndim, backend=engine)
        assert field.shape == spins.shape
        np.testing.assert_allclose(field, ising.local_field(spins, J, h, ndim), rtol=1e-14, atol=1e-14)
    total = kernels.magnetization(spins, ndim=ndim, backend=engine)
    assert total.shape == leading
    assert total.dtype == np.int64
    np.testing.assert_array_equal(total, ising.magnetization(spins, ndim))


@pytest.mark.parametrize("shape", [(2, 70_000), (300, 258)], ids=str)
def test_sums_longer_than_a_narrow_accumulator(engine, shape):
    """An int16 overflows after 32767 equal terms."""
    spins = np.ones(shape, dtype=np.int8)
    n_sites = spins.size
    assert kernels.magnetization(spins, backend=engine) == n_sites
    assert kernels.magnetization(-spins, backend=engine) == -n_sites
    assert kernels.ising_energy(spins, backend=engine) == -2 * n_sites
    assert kernels.ising_energy(spins, -1.0, backend=engine) == 2 * n_sites


def test_energy_counts_the_double_bond_of_a_length_of_two():
    spins = np.array([[1, 1], [1, -1]], dtype=np.int8)
    assert kernels.ising_energy(spins) == 0
    assert kernels.ising_energy(np.ones((2, 2), dtype=np.int8), 1.0, 0.5) == -8 - 2
    assert kernels.ising_energy(np.ones((2, 2, 2), dtype=np.int8), ndim=3) == -24


def test_local_field_is_minus_the_energy_gradient(engine):
    """Flipping site i changes the energy by 2 s_i (J Σ_j s_j + h)."""
    spins = ising.random_spins((4, 6), seed=3)
    field = kernels.local_field(spins, 0.8, 0.3, backend=engine)
    before = kernels.ising_energy(spins, 0.8, 0.3, backend=engine)
    for site in np.ndindex(spins.shape):
        flipped = spins.copy()
        flipped[site] *= -1
        change = kernels.ising_energy(flipped, 0.8, 0.3, backend=engine) - before
        assert change == pytest.approx(2 * spins[site] * field[site], abs=1e-12)


@pytest.mark.parametrize("dtype", [np.int16, np.int64, np.float32, np.float64])
def test_other_dtypes_are_read_by_value(engine, dtype):
    spins = ising.random_spins((2, 4, 6), seed=1)
    other = spins.astype(dtype)
    np.testing.assert_array_equal(
        kernels.ising_energy(other, backend=engine), kernels.ising_energy(spins, backend=engine)
    )


def test_strided_and_nested_input_is_read_by_value(engine):
    spins = ising.random_spins((8, 12), seed=1)
    part = spins[::2, ::3]
    assert kernels.ising_energy(part, backend=engine) == ising.ising_energy(part)
    assert kernels.ising_energy(part.tolist(), backend=engine) == ising.ising_energy(part)
    assert kernels.magnetization(spins.T, backend=engine) == spins.sum()


def test_out_is_filled_and_returned(engine):
    spins = ising.random_spins((3, 4, 4), seed=1)
    energy, total, field = np.empty(3), np.empty(3, dtype=np.int64), np.empty((3, 4, 4))
    assert kernels.ising_energy(spins, out=energy, backend=engine) is energy
    assert kernels.magnetization(spins, out=total, backend=engine) is total
    assert kernels.local_field(spins, out=field, backend=engine) is field
    np.testing.assert_array_equal(energy, ising.ising_energy(spins))
    np.testing.assert_array_equal(total, ising.magnetization(spins))
    np.testing.assert_array_equal(field, ising.local_field(spins))


@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (2, 7, 9), (1, 16, 16), (2, 3, 20, 21)], ids=str)
@pytest.mark.parametrize("first_chain", [0, 5, 2**32 - 6])
def test_random_spins(engine, stream, shape, first_chain):
    got = kernels.random_spins(shape, seed=7, first_chain=first_chain, stream=stream, backend=engine)
    assert got.dtype == np.int8
    np.testing.assert_array_equal(got, ising.random_spins(shape, seed=7, first_chain=first_chain, stream=stream))


def test_random_spins_in_3d_and_of_more_than_one_block(engine):
    got = kernels.random_spins((2, 6, 7, 8), seed=7, ndim=3, backend=engine)
    np.testing.assert_array_equal(got, ising.random_spins((2, 6, 7, 8), seed=7, ndim=3))
