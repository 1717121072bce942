# SPDX-License-Identifier: BSD-3-Clause
"""local_moves: against the reference, and the same bits however it is called."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from reference import local_moves as reference
from reference.lennard_jones import lattice_with_noise
from spinodal import kernels

# Particles, box, step: by cells and filtered; with one cell along some axes; a box in which a move may change the
# nearest image; few particles, which have one cell; in two dimensions; free ones.
SYSTEMS = [
    (500, (11.0, 10.0, 10.5), 0.15),
    (150, (14.0, 5.2, 5.1), 0.2),
    (100, (5.0, 5.1, 5.2), 0.3),
    (20, (6.0, 6.5, 7.0), 2.0),
    (180, (15.0, 14.0), 0.3),
    (30, (5.5, 9.0), 0.4),
    (13, None, 0.2),
]


def start(n, box, n_systems=1, seed=1):
    lengths = np.array(box if box is not None else (3.2, 3.2, 3.2))
    return np.stack([lattice_with_noise(n, lengths, seed + k) for k in range(n_systems)])


def options_of(box):
    return {"confinement": 0.7} if box is None else {}


@cache
def expected(n, box, step, shift, stream="ars7", n_sweeps=2):
    lengths = None if box is None else np.array(box)
    return reference.local_moves(
        start(n, box)[0], lengths, 1.2, step=step, n_sweeps=n_sweeps, sweep=9, chain=5, seed=3, shift=shift,
        stream=stream, **options_of(box),
    )  # fmt: skip


def moved(x, box, step, cuts=(2,), first_chain=5, temperature=1.2, **options):
    """Positions, energies and accepted moves after some calls."""
    x, done, accepted = x.copy(), 9, 0
    energy = None
    for n_sweeps in cuts:
        energy, taken = kernels.local_moves(
            x, box, temperature, step=step, n_sweeps=n_sweeps, sweep=done, energy=energy, periodic=box is not None,
            first_chain=first_chain, seed=3, **options_of(box), **options,
        )  # fmt: skip
        done += n_sweeps
        accepted = accepted + taken
    return x, energy, accepted


def energy_of(x, box, **options):
    energy = kernels.lennard_jones(x, box, periodic=box is not None, **options)[0]
    if box is None:
        energy = energy + 0.35 * ((x - x.mean(axis=-2, keepdims=True)) ** 2).sum(axis=(-2, -1))
    return energy


@pytest.mark.parametrize("shift", ["truncated", "force"])
@pytest.mark.parametrize(("n", "box", "step"), SYSTEMS, ids=str)
def test_against_the_reference(engine, n, box, step, shift):
    x = start(n, box)
    got, energy, accepted = moved(x, box, step, shift=shift, backend=engine)
    want, change, count = expected(n, box, step, shift)
    assert accepted[0] == count and 0 < count < 2 * n
    np.testing.assert_allclose(got[0], want, rtol=0, atol=1e-12)
    assert energy[0] - energy_of(x, box, shift=shift)[0] == pytest.approx(change, abs=1e-9)
    assert energy[0] == pytest.approx(energy_of(got, box, shift=shift)[0], abs=1e-9)


def test_every_stream(engine, stream):
    n, box, step = SYSTEMS[1]
    got = moved(start(n, box), box, step, stream=stream, backend=engine)
    want = expected(n, box, step, "truncated", stream)
    assert got[2][0] == want[2]
    np.testing.assert_allclose(got[0][0], want[0], rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "options",
    [{"softening": 0.4, "shift": "energy"}, {"cutoff": 1.6, "epsilon": 0.7, "sigma": 0.9}, {"softening": 0.3}],
    ids=str,
)
def test_potentials(engine, options):
    x, box = start(150, (14.0, 5.2, 5.1)), np.array([14.0, 5.2, 5.1])
    got = moved(x, box, 0.2, backend=engine, **options)
    want = reference.local_moves(x[0], box, 1.2, step=0.2, n_sweeps=2, sweep=9, chain=5, seed=3, **options)
    assert got[2][0] == want[2]
    np.testing.assert_allclose(got[0][0], want[0], rtol=0, atol=1e-12)


def test_all_pairs_of_a_free_cluster(engine):
    x = start(13, None)
    got = moved(x, None, 0.2, cutoff=np.inf, backend=engine)
    want = reference.local_moves(
        x[0], None, 1.2, step=0.2, n_sweeps=2, sweep=9, chain=5, seed=3, confinement=0.7, cutoff=np.inf
    )
    assert got[2][0] == want[2]
    np.testing.assert_allclose(got[0][0], want[0], rtol=0, atol=1e-12)
    np.testing.assert_allclose(got[0].mean(axis=1), x.mean(axis=1), atol=1e-14)


@cache
def on_the_baseline(n, box, step, n_systems, n_sweeps):
    from spinodal.backends.isas import using_isa

    with using_isa("baseline"):
        return moved(start(n, box, n_systems), box, step, cuts=(n_sweeps,), n_threads=1)


@pytest.mark.parametrize(("n", "box", "step", "n_systems"), [(500, (11.0, 10.0, 10.5), 0.3, 3), (13, None, 0.2, 5)])
@pytest.mark.parametrize(("cuts", "n_threads"), [((290,), 2), ((1, 0, 246, 43), 1), ((97, 97, 96), 3)], ids=str)
def test_one_seed_one_answer(isa, n, box, step, n_systems, cuts, n_threads):
    """For any threads, cuts into calls and instruction set; energies are summed anew on the way."""
    want = on_the_baseline(n, box, step, n_systems, 290)
    got = moved(start(n, box, n_systems), box, step, cuts=cuts, n_threads=n_threads)
    for ours, theirs in zip(got, want, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_allclose(got[1], energy_of(got[0], box), rtol=1e-10)


@pytest.mark.parametrize(("n", "box", "step"), SYSTEMS[:3], ids=str)
def test_chains_may_be_split(engine, n, box, step):
    x, temperature, steps = start(n, box, 3), np.array([0.5, 1.0, 3.0]), step * np.array([0.5, 1, 0.7])
    whole = moved(x, box, steps, temperature=temperature, first_chain=40, backend=engine)
    for k in range(3):
        part = slice(k, k + 1)
        alone = moved(x[part], box, steps[part], temperature=temperature[part], first_chain=40 + k, backend=engine)
        for ours, theirs in zip(alone, whole, strict=True):
            np.testing.assert_array_equal(ours[0], theirs[k])


def test_cells_grow(engine):
    """A gas that condenses into one corner: cells overflow, and no particle is lost."""
    x = lattice_with_noise(400, np.full(3, 14.0), seed=1)[None]
    x[0, :350] = lattice_with_noise(350, np.full(3, 6.9), seed=2)
    got, energy, accepted = moved(x, (14.0, 14.0, 14.0), 0.4, cuts=(30,), temperature=0.5, backend=engine)
    assert np.isfinite(got).all() and accepted[0] > 0
    assert energy[0] == pytest.approx(energy_of(got, 14.0)[0], abs=1e-8)


def test_a_wrong_energy_is_noticed(backend):
    x = start(20, (6.0, 6.5, 7.0))
    with pytest.raises(RuntimeError, match=r"accumulated energy of system 0 .*a wrong energy was given"):
        kernels.local_moves(x, (6.0, 6.5, 7.0), 1.0, n_sweeps=300, energy=np.array([5.0]), backend=backend)


def test_energies_are_followed_in_place(backend):
    x = start(20, (6.0, 6.5, 7.0), 2)
    energy = energy_of(x, (6.0, 6.5, 7.0))
    found, _ = kernels.local_moves(x, (6.0, 6.5, 7.0), 1.0, energy=energy, backend=backend)
    assert np.shares_memory(found, energy)
    np.testing.assert_allclose(energy, energy_of(x, (6.0, 6.5, 7.0)), atol=1e-10)
    one = x[0].copy()
    single, accepted = kernels.local_moves(one, (6.0, 6.5, 7.0), 1.0, backend=backend)
    assert single.shape == accepted.shape == ()


def test_overlaps_of_the_start_are_refused_and_near_ones_relax(engine):
    x = start(20, (6.0, 6.5, 7.0))
    x[0, 3] = x[0, 5]
    with pytest.raises(ValueError, match="particles 3 and 5 of system 0 overlap"):
        kernels.local_moves(x, (6.0, 6.5, 7.0), 1.0, backend=engine)
    x[0, 3] += 1e-3
    energy, _ = kernels.local_moves(x, (6.0, 6.5, 7.0), 1.0, step=0.3, n_sweeps=40, backend=engine)
    assert energy[0] < 100


BAD = [
    ({"temperature": None}, ValueError, "local moves need a temperature"),
    ({"temperature": 0.0}, ValueError, "temperature must be finite and > 0; got 0.0"),
    ({"step": -0.1}, ValueError, "step must be finite and > 0; got -0.1"),
    ({"step": 3.0}, ValueError, "at most half the shortest box length, 2.5; got 3.0"),
    ({"step": [0.1, 0.2, 0.3]}, ValueError, r"step of shape \(3,\) does not broadcast"),
    ({"cutoff": 2.6}, ValueError, "at least twice the cutoff; got a length of 5.0 and a cutoff of 2.6"),
    ({"confinement": 1.0}, ValueError, "confinement must be finite and >= 0, and 0 in a periodic box; got 1.0"),
    ({"box": None}, ValueError, "periodic particles need a box"),
    ({"energy": np.zeros(3)}, ValueError, r"energy must have the systems' shape \(2,\); got \(3,\)"),
    ({"energy": np.full(2, np.nan)}, ValueError, "energy must be finite; got nan"),
    ({"energy": np.zeros(2, dtype=np.float32)}, TypeError, "energy is changed in place"),
    ({"n_sweeps": -1}, ValueError, "n_sweeps must be >= 0; got -1"),
    ({"sweep": 2**40}, ValueError, r"sweep \+ n_sweeps <= 2\*\*40"),
    ({"stream": "mt19937"}, ValueError, "stream='mt19937' is unknown"),
    ({"positions": np.zeros((2, 5, 3), dtype=np.float32)}, TypeError, "positions are changed in place and must be"),
    ({"positions": np.full((2, 5, 3), np.nan)}, ValueError, "particle 0 of system 0 has nan"),
]


@pytest.mark.parametrize(("wrong", "error", "message"), BAD, ids=lambda value: str(value)[:40])
def test_bad_input(backend, wrong, error, message):
    x = start(5, (5.0, 5.0, 5.0), 2)
    arguments = {"positions": x, "box": 5.0, "temperature": 1.0, **wrong}
    before = x.copy()
    with pytest.raises(error, match=message):
        kernels.local_moves(backend=backend, **arguments)
    np.testing.assert_array_equal(x, before)
