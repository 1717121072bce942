# SPDX-License-Identifier: BSD-3-Clause
"""IsingModel against its Hamiltonian, written out site by site."""

from __future__ import annotations

import itertools
import math

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies

import spinodal as sp

SHAPES = [(2, 2), (3, 5), (4, 4), (6, 2), (2, 2, 2), (3, 2, 4), (4, 4, 6)]
COUPLINGS = [(1.0, 0.0), (-1.0, 0.0), (0.7, 0.3), (-1.3, -0.2), (0.0, 1.0)]
LEADING = [(), (1,), (5,), (2, 3), (2, 1, 2)]


def neighbors(site, shape):
    """Two along each axis; on an axis of length 2 they are the same site, twice."""
    for axis, length in enumerate(shape):
        for step in (1, -1):
            yield (*site[:axis], (site[axis] + step) % length, *site[axis + 1 :])


def energy_by_definition(spins, J, h):
    sites = itertools.product(*map(range, spins.shape))
    bonds = field = 0
    for site in sites:
        bonds += sum(int(spins[site]) * int(spins[other]) for other in neighbors(site, spins.shape))
        field += int(spins[site])
    return -J * bonds / 2 - h * field  # every bond was met from both ends


def some_spins(leading, shape, seed=1):
    return np.where(np.random.default_rng(seed).random((*leading, *shape)) < 0.5, -1, 1).astype(np.int8)


def each_lattice(spins, ndim):
    return {index: spins[index] for index in np.ndindex(spins.shape[: spins.ndim - ndim])}


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("J", "h"), COUPLINGS)
@pytest.mark.parametrize("leading", LEADING, ids=str)
def test_sums_over_the_lattice(shape, J, h, leading):
    model = sp.IsingModel(shape, J, h)
    spins = some_spins(leading, shape)
    energy, magnetization = model.energy(spins), model.magnetization(spins)
    assert energy.shape == magnetization.shape == leading
    assert (energy.dtype, magnetization.dtype) == (np.float64, np.int64)
    for index, lattice in each_lattice(spins, len(shape)).items():
        assert energy[index] == pytest.approx(energy_by_definition(lattice, J, h), rel=1e-13, abs=1e-12)
        assert magnetization[index] == sum(lattice.ravel().tolist())


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("J", "h"), COUPLINGS)
@pytest.mark.parametrize("leading", LEADING[:4], ids=str)
def test_local_field(shape, J, h, leading):
    spins = some_spins(leading, shape)
    field = sp.IsingModel(shape, J, h).local_field(spins)
    assert field.shape == spins.shape and field.dtype == np.float64
    for index, lattice in each_lattice(spins, len(shape)).items():
        for site in np.ndindex(shape):
            expected = J * sum(int(lattice[other]) for other in neighbors(site, shape)) + h
            assert field[(*index, *site)] == pytest.approx(expected, rel=1e-13, abs=1e-13)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("J", "h"), COUPLINGS)
def test_local_energy_diff_is_the_energy_of_a_flip(shape, J, h):
    """At every site, also counted from the end, and for batches at once."""
    model = sp.IsingModel(shape, J, h)
    for leading in LEADING:
        spins = some_spins(leading, shape)
        before = model.energy(spins)
        for site in np.ndindex(shape):
            flipped = spins.copy()
            flipped[(..., *site)] *= -1
            difference = model.local_energy_diff(spins, *site)
            assert difference.shape == leading and difference.dtype == np.float64
            np.testing.assert_allclose(difference, model.energy(flipped) - before, rtol=1e-12, atol=1e-11)
            from_the_end = [index - length for index, length in zip(site, shape, strict=True)]
            np.testing.assert_array_equal(model.local_energy_diff(spins, *from_the_end), difference)


@hypothesis.given(
    shape=strategies.lists(strategies.integers(2, 6), min_size=2, max_size=3).map(tuple),
    J=strategies.floats(-10, 10),
    h=strategies.floats(-10, 10),
    seed=strategies.integers(0, 2**32),
)
@hypothesis.settings(max_examples=60)
def test_identities(shape, J, h, seed):
    """The fields hold every bond twice; E is odd in (J, h) and the magnetization in the spins."""
    model, spins = sp.IsingModel(shape, J, h), some_spins((3,), shape, seed)
    axes = tuple(range(1, spins.ndim))
    energy, magnetization = model.energy(spins), model.magnetization(spins)
    scale = (1 + abs(J) + abs(h)) * math.prod(shape)
    doubled = -(spins * (model.local_field(spins) + h)).sum(axis=axes)
    np.testing.assert_allclose(2 * energy, doubled, atol=1e-12 * scale)
    np.testing.assert_allclose(sp.IsingModel(shape, -J, -h).energy(spins), -energy, atol=1e-12 * scale)
    np.testing.assert_allclose(sp.IsingModel(shape, J, -h).energy(-spins), energy, atol=1e-12 * scale)
    np.testing.assert_array_equal(model.magnetization(-spins), -magnetization)
    site = tuple(seed % length for length in shape)
    expected = 2 * spins[(slice(None), *site)] * model.local_field(spins)[(slice(None), *site)]
    np.testing.assert_allclose(model.local_energy_diff(spins, *site), expected, atol=1e-12 * scale)


@pytest.mark.parametrize(("J", "h"), [(1.0, 0.0), (1.0, 0.4), (1.0, -0.4), (-1.0, 0.0), (0.0, 1.0)])
@pytest.mark.parametrize("shape", [(2, 2), (4, 4), (2, 4), (2, 2, 4)], ids=str)
def test_the_ground_state_has_the_lowest_energy(shape, J, h):
    model = sp.IsingModel(shape, J, h)
    assert model.energy(model.ground_state()) == model.energy(sp.exact.all_states(shape)).min()


@pytest.mark.parametrize(("J", "h"), COUPLINGS)
def test_score_is_the_gradient(J, h):
    """Against central differences of E(x), which is quadratic: they are exact up to rounding."""
    model, temperature, step = sp.IsingModel((3, 4), J, h), 1.7, 0.5
    x = np.random.default_rng(2).normal(size=(2, 3, 4))

    def energy(values):
        bonds = sum(values * np.roll(values, 1, axis) for axis in (-2, -1))
        return -J * bonds.sum(axis=(-2, -1)) - h * values.sum(axis=(-2, -1))

    score = model.score(x, temperature)
    for site in np.ndindex(3, 4):
        shift = np.zeros((3, 4))
        shift[site] = step
        slope = (energy(x + shift) - energy(x - shift)) / (2 * step)
        np.testing.assert_allclose(score[(..., *site)], -slope / temperature, atol=1e-12)


def test_numpy_is_read_where_it_lies(monkeypatch):
    """Contiguous int8 reaches the backend as a view, any other ±1 as an exact copy; the input is never changed."""
    model, seen = sp.IsingModel((4, 6), h=0.1), []
    engine = type(sp.kernels.ising.resolve(None))
    for name in ("ising_energy", "magnetization", "local_field"):
        original = getattr(engine, name)

        def watched(self, spins, *arguments, original=original, **options):
            seen.append(spins)
            return original(self, spins, *arguments, **options)

        monkeypatch.setattr(engine, name, watched)
    spins = some_spins((2, 3), (4, 6))
    spins.flags.writeable = False
    for method in (model.energy, model.magnetization, model.local_field):
        method(spins)
        assert np.shares_memory(seen[-1], spins)
    for other in (spins.astype(np.int64), spins.astype(np.float32), np.asfortranarray(spins), spins[:, ::2]):
        for method in (model.energy, model.magnetization, model.local_field):
            np.testing.assert_array_equal(method(other), method(np.ascontiguousarray(other, dtype=np.int8)))
        np.testing.assert_array_equal(
            model.local_energy_diff(other, 1, 2), model.local_energy_diff(np.ascontiguousarray(other, np.int8), 1, 2)
        )


def test_tensors_are_read_where_they_lie(monkeypatch):
    torch = pytest.importorskip("torch")
    model, addresses = sp.IsingModel((4, 6), J=-1.0, h=0.1), []
    engine = type(sp.kernels.ising.resolve(None))
    for name in ("ising_energy", "magnetization", "local_field"):
        original = getattr(engine, name)

        def watched(self, spins, *arguments, original=original, **options):
            addresses.append(spins.ctypes.data)
            return original(self, spins, *arguments, **options)

        monkeypatch.setattr(engine, name, watched)
    spins = some_spins((2, 3), (4, 6))
    tensor = torch.from_numpy(spins.copy())
    for method in (model.energy, model.magnetization, model.local_field):
        np.testing.assert_array_equal(method(tensor), method(spins))
        assert addresses[-2] == tensor.data_ptr()
    np.testing.assert_array_equal(model.local_energy_diff(tensor, 3, 5), model.local_energy_diff(spins, 3, 5))
    np.testing.assert_array_equal(model.energy(tensor.to(torch.float64)), model.energy(spins))


def test_nested_lists():
    model = sp.IsingModel(2)
    assert model.energy([[1, 1], [1, -1]]) == 0
    assert model.magnetization([[1, 1], [1, -1]]) == 2
    assert model.local_energy_diff([[1, 1], [1, -1]], 1, 1) == -8
    assert model.local_field([[1, 1], [1, -1]]).tolist() == [[4, 0], [0, 4]]


@pytest.mark.parametrize(
    ("size", "shape"), [(4, (4, 4)), (np.int64(6), (6, 6)), ((2, 3), (2, 3)), ([2, 3, 4], (2, 3, 4))], ids=str
)
def test_sizes(size, shape):
    model = sp.IsingModel(size)
    assert (model.shape, model.ndim, model.n_sites) == (shape, len(shape), math.prod(shape))
    assert model.describe() == {"kind": "ising", "shape": list(shape), "J": 1.0, "h": 0.0}
    assert all(type(length) is int for length in model.shape)


@pytest.mark.parametrize("size", [1, 0, -4, (4, 1), (4,), (2, 2, 2, 2), (), (4, 2.0), 4.0, None, "4"], ids=repr)
def test_sizes_that_are_no_lattice(size):
    with pytest.raises((ValueError, TypeError), match=r"got " + repr(size).replace("(", r"\(").replace(")", r"\)")):
        sp.IsingModel(size)


@pytest.mark.parametrize("name", ["J", "h"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_energies_must_be_finite(name, value):
    with pytest.raises(ValueError, match=f"{name} must be finite; got {value}"):
        sp.IsingModel(4, **{name: value})


METHODS = ["energy", "magnetization", "local_field", "local_energy_diff"]


def call(model, method, spins):
    site = (0,) * model.ndim if method == "local_energy_diff" else ()
    return getattr(model, method)(spins, *site)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [(4,), (6, 4), (3, 4, 5), (5, 4, 6, 1), ()], ids=str)
def test_spins_of_another_shape(method, shape):
    model = sp.IsingModel((4, 6))
    message = rf"shape \(…, 4, 6\); got {str(shape).replace('(', '[(]').replace(')', '[)]')}"
    with pytest.raises(ValueError, match=message):
        call(model, method, np.ones(shape, dtype=np.int8))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("value", [0, 2, -128])
@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.float64])
def test_values_that_are_no_spins(method, value, dtype):
    model = sp.IsingModel((4, 6))
    spins = np.ones((2, 4, 6), dtype=dtype)
    spins[:, 0, 0] = value
    with pytest.raises(ValueError, match=rf"{value}"):
        call(model, method, spins)


@pytest.mark.parametrize("site", [(4, 0), (0, 6), (-5, 0), (0, -7)])
def test_sites_outside(site):
    with pytest.raises(ValueError, match=rf"site \({site[0]}, {site[1]}\) is outside the lattice \(4, 6\)"):
        sp.IsingModel((4, 6)).local_energy_diff(np.ones((4, 6), dtype=np.int8), *site)


@pytest.mark.parametrize("site", [(), (1,), (1, 1, 1)])
def test_sites_of_another_dimension(site):
    with pytest.raises(ValueError, match=r"2 indices; got \("):
        sp.IsingModel((4, 6)).local_energy_diff(np.ones((4, 6), dtype=np.int8), *site)


@pytest.mark.parametrize("temperature", [0.0, -1.0, math.nan, math.inf])
def test_the_score_needs_a_temperature(temperature):
    with pytest.raises(ValueError, match=f"temperature must be finite and > 0; got {temperature}"):
        sp.IsingModel(4).score(np.zeros((4, 4)), temperature)


def test_critical_temperature():
    assert sp.IsingModel(4).critical_temperature == pytest.approx(2 / math.asinh(1))
    assert sp.IsingModel(4, J=-2.0).critical_temperature == pytest.approx(4 / math.asinh(1))
    assert sp.IsingModel((4, 4, 4)).critical_temperature == pytest.approx(4.5115, abs=1e-3)


def test_a_model_is_a_value():
    assert sp.IsingModel((4, 6), 1.0, 0.1) == sp.IsingModel((4, 6), h=0.1)
    assert sp.IsingModel(4) != sp.IsingModel(4, J=2.0)
    assert len({sp.IsingModel(4), sp.IsingModel(4), sp.IsingModel((4, 6))}) == 2
    with pytest.raises(AttributeError):
        sp.IsingModel(4).J = 2.0
