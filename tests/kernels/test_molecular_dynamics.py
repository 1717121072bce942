# SPDX-License-Identifier: BSD-3-Clause
"""langevin_steps and maxwell_velocities: against the reference, and the same bits however they are called."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy import stats

from reference import molecular_dynamics as reference
from reference.lennard_jones import lattice_with_noise
from spinodal import kernels

# Particles, box, and whether periodic: in lanes; in lanes and free; by a list, 3-D, 2-D and a small box.
SYSTEMS = [(20, (6.0, 6.5, 7.0)), (12, None), (200, (6.5, 7.0, 7.5)), (150, (13.0, 14.0)), (40, (3.0, 3.5, 4.0))]


def start(n, box, seed=1, n_systems=1, temperature=1.5):
    periodic = box is not None
    lengths = np.array(box if periodic else (3.2, 3.2, 3.2))
    x = np.stack([lattice_with_noise(n, lengths, seed + k) for k in range(n_systems)])
    v = kernels.maxwell_velocities(x.shape, temperature, periodic=periodic, seed=seed)
    return x, v


def moved(x, v, box, cuts=(10,), first_chain=0, temperature=1.5, step=7, **options):
    """Positions, velocities, listed positions and energies after some calls."""
    x, v, done, kinetic = x.copy(), v.copy(), step, 0.0
    listed = x.copy()
    for n_steps in cuts:
        kinetic = kinetic + kernels.langevin_steps(
            x, v, box, temperature, n_steps=n_steps, step=done, listed=listed, periodic=box is not None, seed=3,
            first_chain=first_chain, **options,
        )  # fmt: skip
        done += n_steps
    return x, v, listed, kinetic


@cache
def expected(n, box, friction, stream, shift):
    x, v = start(n, box)
    options = {"confinement": 0.7} if box is None else {}
    lengths = None if box is None else np.array(box)
    return reference.langevin_steps(
        x[0], v[0], lengths, 1.5, n_steps=4, step=7, friction=friction, stream=stream, shift=shift, seed=3, chain=5,
        mass=1.3, cutoff=2.5, **options,
    )  # fmt: skip


@pytest.mark.parametrize(("n", "box"), SYSTEMS, ids=str)
@pytest.mark.parametrize(("friction", "shift"), [(1.7, "truncated"), (0.0, "force")])
def test_against_the_reference(engine, n, box, friction, shift):
    x, v = start(n, box)
    got = moved(
        x, v, box, cuts=(4,), first_chain=5, friction=friction, shift=shift, mass=1.3, cutoff=2.5, backend=engine,
        confinement=0.7 if box is None else 0.0,
    )  # fmt: skip
    want = expected(n, box, friction, "ars7", shift)
    apart = got[0][0] - want[0]
    if box is not None:
        apart -= np.array(box) * np.rint(apart / box)
    np.testing.assert_allclose(apart, 0, atol=1e-10)
    np.testing.assert_allclose(got[1][0], want[1], atol=1e-9)
    assert got[3][0] == pytest.approx(want[2], abs=1e-5)


def test_mixed_precision(engine):
    """Forces to 10⁻⁵ of the largest; the noise is the same."""
    n, box = SYSTEMS[2]
    x, v = start(n, box)
    options = {"cuts": (4,), "first_chain": 5, "friction": 1.7, "mass": 1.3, "backend": engine}
    full, mixed = (moved(x, v, box, precision=precision, **options) for precision in ("double", "mixed"))
    np.testing.assert_allclose(mixed[1], full[1], rtol=0, atol=1e-5)
    assert engine == "numba" or (mixed[1] != full[1]).any()


def test_every_stream(engine, stream):
    n, box = SYSTEMS[2]
    x, v = start(n, box)
    got = moved(x, v, box, cuts=(4,), first_chain=5, friction=1.7, mass=1.3, stream=stream, backend=engine)
    np.testing.assert_allclose(got[1][0], expected(n, box, 1.7, stream, "truncated")[1], atol=1e-9)


@cache
def on_the_baseline(n, box, n_systems, precision):
    from spinodal.backends.isas import using_isa

    with using_isa("baseline"):
        x, v = start(n, box, n_systems=n_systems, temperature=6.0)
        return moved(x, v, box, cuts=(80,), n_threads=1, precision=precision)


@pytest.mark.parametrize(
    ("n", "box", "n_systems", "precision"),
    [
        (20, (6.0, 6.5, 7.0), 9, "double"),
        (13, None, 3, "double"),
        (2000, (13.0, 14.0, 13.0), 2, "double"),
        (2000, (13.0, 14.0, 13.0), 1, "mixed"),
    ],
)
@pytest.mark.parametrize(("cuts", "n_threads"), [((80,), 2), ((1, 0, 30, 49), 1), ((13,) * 6 + (2,), 3)], ids=str)
def test_one_seed_one_answer(isa, n, box, n_systems, precision, cuts, n_threads):
    """For any threads, cuts into calls and instruction set, also where lists are rebuilt on the way."""
    x, v = start(n, box, n_systems=n_systems, temperature=6.0)
    want = on_the_baseline(n, box, n_systems, precision)
    if n > 128:
        assert (want[2] != x % box).any(), "no list was rebuilt: the test does not test"
    got = moved(x, v, box, cuts=cuts, n_threads=n_threads, precision=precision)
    for ours, theirs in zip(got, want, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(("n", "box"), SYSTEMS[:3], ids=str)
def test_chains_may_be_split(engine, n, box):
    x, v = start(n, box, n_systems=3)
    temperature = np.array([0.5, 1.0, 2.0])
    whole = moved(x, v, box, first_chain=40, temperature=temperature, backend=engine)
    for k in range(3):
        part = moved(
            x[k : k + 1], v[k : k + 1], box, first_chain=40 + k, temperature=temperature[k : k + 1], backend=engine
        )
        for ours, theirs in zip(part, whole, strict=True):
            np.testing.assert_array_equal(ours[0], theirs[k])


@cache
def fast_particle():
    x, v = start(200, (7.0, 7.0, 7.0))
    v[0, 17] = [60.0, 35.0, -20.0]
    options = {"n_steps": 12, "timestep": 0.001, "friction": 0.0, "cutoff": 2.5}
    return x, v, reference.langevin_steps(x[0], v[0], np.full(3, 7.0), 1.0, **options)


def test_a_fast_particle_is_not_lost(engine):
    """It crosses the list's skin every few steps; without a strict check it would pass through the others."""
    box = (7.0, 7.0, 7.0)
    x, v, want = fast_particle()
    got = moved(x, v, box, cuts=(12,), timestep=0.001, friction=0.0, backend=engine)
    np.testing.assert_allclose(got[1][0], want[1], atol=1e-7)


def test_velocities_are_normal(engine, stream):
    """(Kolmogorov-Smirnov, p > 1e-4, at a fixed seed.)"""
    v = kernels.maxwell_velocities((20, 500, 3), 2.0, mass=0.5, seed=9, stream=stream, backend=engine) / 2.0
    assert stats.kstest(v.ravel(), "norm").pvalue > 1e-4
    for axis in range(3):
        assert stats.kstest(v[..., axis].ravel(), "norm").pvalue > 1e-4
    for numbers in (v, v**2, np.abs(v) ** 0.5):  # a Box-Muller pair shares its radius
        correlation = np.corrcoef(numbers.reshape(-1, 3).T) - np.eye(3)
        assert np.abs(correlation).max() < 4.5 / np.sqrt(v.size / 3)
    assert np.abs(np.corrcoef(v[0].ravel(), v[1].ravel())[0, 1]) < 4 / np.sqrt(v[0].size)


def test_the_centre_of_free_particles_rests(engine):
    x, v = start(12, None, n_systems=2)
    np.testing.assert_allclose(v.mean(axis=1), 0, atol=1e-15)
    after = moved(x, v, None, cuts=(50,), backend=engine, cutoff=np.inf)
    np.testing.assert_allclose(after[0].mean(axis=1), x.mean(axis=1), atol=1e-12)
    np.testing.assert_allclose(after[1].mean(axis=1), 0, atol=1e-12)


@pytest.mark.parametrize("n", [20, 200])
def test_explosions_are_reported(engine, n):
    x, v = start(n, (7.0, 7.0, 7.0))
    x[0, 3] = x[0, 5] + 1e-4
    with pytest.raises(RuntimeError, match=r"the kinetic energy of system 0 is .* overlapped at the start"):
        moved(x, v, (7.0, 7.0, 7.0), backend=engine)


BAD = [
    ({"timestep": 0.0}, ValueError, "timestep must be finite and > 0; got 0.0"),
    ({"friction": -1.0}, ValueError, "friction must be finite and >= 0; got -1.0"),
    ({"mass": np.inf}, ValueError, "mass must be finite and > 0; got inf"),
    ({"confinement": 1.0}, ValueError, "confinement must be finite and >= 0, and 0 in a periodic box; got 1.0"),
    ({"temperature": None}, ValueError, "a heat bath needs a temperature"),
    ({"temperature": -1.0}, ValueError, "temperature must be finite and > 0; got -1.0"),
    ({"temperature": [1.0, 2.0, 3.0]}, ValueError, r"temperature of shape \(3,\) does not broadcast"),
    ({"n_steps": -1}, ValueError, "n_steps must be >= 0; got -1"),
    ({"step": 2**40}, ValueError, r"step \+ n_steps <= 2\*\*40"),
    ({"stream": "mt19937"}, ValueError, "stream='mt19937' is unknown"),
    ({"precision": "single"}, ValueError, "precision='single' is unknown"),
    ({"box": None}, ValueError, "periodic particles need a box"),
    ({"velocities": np.zeros((2, 4, 3))}, ValueError, r"velocities must have the shape of the positions, \(2, 5, 3\)"),
    ({"listed": np.zeros((2, 4, 3))}, ValueError, r"listed must have the shape of the positions"),
    ({"positions": np.zeros((2, 5, 3), dtype=np.float32)}, TypeError, "positions are changed in place and must be"),
    ({"velocities": np.full((2, 5, 3), np.nan)}, ValueError, "velocities must be .* system 0 has nan"),
]


@pytest.mark.parametrize(("wrong", "error", "message"), BAD, ids=lambda value: str(value)[:40])
def test_bad_input(backend, wrong, error, message):
    x, v = start(5, (5.0, 5.0, 5.0), n_systems=2)
    arguments = {"positions": x, "velocities": v, "box": 5.0, "temperature": 1.0, **wrong}
    before = x.copy()
    with pytest.raises(error, match=message):
        kernels.langevin_steps(backend=backend, **arguments)
    np.testing.assert_array_equal(x, before)
