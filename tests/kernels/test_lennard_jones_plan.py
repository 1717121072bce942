# SPDX-License-Identifier: BSD-3-Clause
"""LennardJonesPlan: what lennard_jones computes, while lists are kept."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from reference.lennard_jones import lattice_with_noise
from spinodal import kernels


def check(got, want, rtol=1e-11):
    for ours, theirs in zip(got, want, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=rtol * max(1.0, np.abs(theirs).max()))


SYSTEMS = [
    (500, (8.0, 8.5, 9.0), True),
    (200, (16.0, 17.0), True),
    (20, (6.0, 6.5, 7.0), True),
    (300, (7, 7, 7), False),
]


@pytest.mark.parametrize(("n", "box", "periodic"), SYSTEMS, ids=str)
@pytest.mark.parametrize("precision", ["double", "mixed"])
def test_along_a_path(engine, n, box, periodic, precision):
    """Small moves keep the list, long ones do not; wrapped or not, the particles are the same."""
    options = {"shift": "force", "periodic": periodic, "precision": precision, "backend": engine}
    plan = kernels.LennardJonesPlan(n, box if periodic else None, dim=len(box), **options)
    x, rng = lattice_with_noise(n, np.array(box, dtype=float), seed=1), np.random.default_rng(2)
    for step in range(12):
        there = x + np.array(box) * rng.integers(-1, 2, x.shape) if periodic and step % 2 else x
        want = kernels.lennard_jones(x, box if periodic else None, **options)
        check(plan(there), want, 1e-11 if precision == "double" else 2e-5)
        x = x + 0.03 * rng.uniform(-1, 1, x.shape)
    if engine == "cpp" and n > 128:
        assert 1 <= plan.n_lists <= 6
    x = np.concatenate([x[n // 2 :], x[: n // 2]])  # everyone elsewhere
    check(
        plan(x),
        kernels.lennard_jones(x, box if periodic else None, **options),
        1e-11 if precision == "double" else 2e-5,
    )


def test_a_list_is_made_when_one_particle_has_moved_half_the_skin(isa):
    x = lattice_with_noise(300, np.full(3, 9.0), seed=1)
    plan = kernels.LennardJonesPlan(300, 9.0, softening=0.5)
    plan(x)
    for move, n_lists in ((0.3499, 1), (0.3501, 2)):
        moved = x.copy()
        moved[17, 1] += move
        check(plan(moved), kernels.lennard_jones(moved, 9.0, softening=0.5))
        assert plan.n_lists == n_lists


def test_threads_tails_and_out(backend):
    x = lattice_with_noise(9000, np.full(3, 22.0), seed=1)
    found = []
    for n_threads in (1, 3):
        plan = kernels.LennardJonesPlan(9000, 22.0, tail=True, n_threads=n_threads, backend=backend)
        out = np.empty_like(x)
        plan(x)
        energy, forces, virial = plan(x + 0.01 * np.sin(x), out=out)
        assert forces is out and isinstance(energy, float)
        found.append((energy, forces, virial))
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)
    check(found[0], kernels.lennard_jones(x + 0.01 * np.sin(x), 22.0, tail=True, backend=backend))


def test_two_threads_do_not_share_a_plan():
    pytest.importorskip("spinodal._native")
    x = lattice_with_noise(9000, np.full(3, 22.0), seed=1)
    plan, errors = kernels.LennardJonesPlan(9000, 22.0, n_threads=1, backend="cpp"), []
    want = kernels.lennard_jones(x, 22.0)

    def work():
        for _ in range(10):
            try:
                check(plan(x), want)
            except RuntimeError as error:
                errors.append(str(error))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all("one thread at a time" in error for error in errors)


def test_mistakes_are_named(backend):
    x = lattice_with_noise(200, np.full(3, 7.0), seed=1)
    plan = kernels.LennardJonesPlan(200, 7.0, backend=backend)
    for positions, message in (
        (x[:-1], r"the plan's shape \(200, 3\); got \(199, 3\)"),
        (np.where(x < 0.8, np.nan, x), "has nan"),
        (np.concatenate([x[:1], x[:1], x[2:]]), "particles 0 and 1 of system 0 overlap"),
    ):
        with pytest.raises(ValueError, match=message):
            plan(positions)
    check(plan(x), kernels.lennard_jones(x, 7.0, backend=backend))
    for options, message in (
        ({"n_particles": 0}, "n_particles must be >= 1; got 0"),
        ({"dim": 4}, "dim must be 2 or 3; got 4"),
        ({"cutoff": -1.0}, "cutoff must be > 0; got -1.0"),
        ({"precision": "half"}, "precision='half' is unknown"),
        ({"box": None}, "periodic particles need a box"),
    ):
        with pytest.raises(ValueError, match=message):
            kernels.LennardJonesPlan(backend=backend, **{"n_particles": 5, "box": 7.0, **options})
