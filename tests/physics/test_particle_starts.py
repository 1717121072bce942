# SPDX-License-Identifier: BSD-3-Clause
"""Starts from anywhere, minima, and dynamics that diverges."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import spinodal as sp
from spinodal.interop import read_trajectory
from spinodal.samplers.divergence import DivergedError

SYSTEMS = {
    "melt": sp.LennardJonesSystem(256, box=(256 / 0.9) ** (1 / 3)),
    "disks": sp.LennardJonesSystem(100, box=(11.0, 12.0), dim=2, shift="force"),
    "gas": sp.LennardJonesSystem(50, box=20.0),
    "cluster": sp.LennardJonesSystem.cluster(13),
    "argon": sp.LennardJonesSystem(108, box=17.8, sigma=3.4, epsilon=0.0104),
}


@pytest.fixture(params=SYSTEMS)
def system(request):
    return SYSTEMS[request.param]


def test_random_starts_are_fit_for_dynamics(system):
    x = system.random(3, seed=4)
    assert x.shape == (3, *system.shape)
    assert np.sqrt((system.forces(x) ** 2).sum(axis=-1)).max() <= 100 * system.epsilon / system.sigma
    np.testing.assert_array_equal(system.random(2, seed=4), x[:2])  # each named by its number
    assert not np.array_equal(system.random(2, seed=5), x[:2])
    time = system.sigma / system.epsilon**0.5
    sampler = sp.Langevin(system, 1.2 * system.epsilon, timestep=0.002 * time, friction=1 / time)
    samples = sp.run(sampler, n_chains=3, n_steps=200, burn_in=200, thin=100, init=x)
    assert np.isfinite(samples.energy).all()


def test_overlaps_are_pushed_apart_and_others_left(system):
    good = system.random(2, seed=1)
    bad = np.stack([good[0], np.full(system.shape, 0.5), good[1]])
    bad[2, 1] = bad[2, 0] + 1e-9
    relaxed = system.relax(bad)
    np.testing.assert_array_equal(relaxed[0], good[0])
    assert np.sqrt((system.forces(relaxed) ** 2).sum(axis=-1)).max() <= 100 * system.epsilon / system.sigma
    np.testing.assert_array_equal(system.relax(bad[2]), relaxed[2])  # whatever is beside it


def test_what_cannot_be_relaxed_is_said():
    crowded = sp.LennardJonesSystem(500, box=5.0)
    with pytest.raises(ValueError, match=r"a force of .* is left after 20 steps, more than max_force = 1\b"):
        crowded.relax(crowded.lattice(), max_force=1.0, max_steps=20)
    with pytest.raises(ValueError, match="n_systems must be an integer >= 1; got 0"):
        crowded.random(0)


def test_dynamics_that_diverges_leaves_its_last_whole_states(tmp_path):
    system = sp.LennardJonesSystem(64, box=4.6, cutoff=2.2)
    good = system.random(2, seed=1)
    bad = good.copy()
    bad[1, 1] = bad[1, 0] + [0.05, 0, 0]
    for checkpoint in (None, tmp_path / "run.h5"):
        with pytest.raises(DivergedError, match=r"system 1 .*overlapped.* are in .*\.xyz\. Relax the start") as caught:
            sp.run(sp.Langevin(system, 1.0), n_chains=2, n_steps=10, init=bad, checkpoint=checkpoint, n_threads=1)
        error = caught.value
        assert error.path is not None and (checkpoint is None or error.path.parent == tmp_path)
        np.testing.assert_array_equal(read_trajectory(error.path).positions, bad)
        assert error.step == 0 and error.samples.n_draws == 0
        error.path.unlink()
        assert pickle.loads(pickle.dumps(error)).step == 0
    fine = sp.run(sp.Langevin(system, 1.0), n_chains=2, n_steps=10, init=system.relax(bad))
    assert np.isfinite(fine.energy).all()


# Hoare and Pal (1971); Northby, J. Chem. Phys. 87, 6166 (1987).
@pytest.mark.parametrize(
    ("n", "minimum", "n_hops"), [(13, -44.326801420, 6), pytest.param(55, -279.248470463, 16, marks=pytest.mark.slow)]
)
def test_the_lowest_minima_of_clusters_are_found(n, minimum, n_hops):
    """From random starts alone."""
    found = sp.analysis.search_minimum(sp.LennardJonesSystem(n, periodic=False), n_hops=n_hops)
    assert found.energy == pytest.approx(minimum, abs=1e-8)
    assert found.converged and found.largest_force < 1e-7


def test_quenches():
    """Two systems at once; a system without ``measure``; no more steps than allowed."""
    four = sp.DoubleWell()
    start = four.lattice() + np.random.default_rng(1).normal(0, 0.3, (2, 3, 4, 2))
    found = sp.analysis.quench(four, start)
    assert found.positions.shape == start.shape and found.converged.all()
    assert (found.energy < four.energy(start)).all()
    np.testing.assert_allclose(four.forces(found.positions), 0, atol=1e-7)
    assert not sp.analysis.quench(four, start, max_steps=2).converged.any()
    argon = sp.LennardJonesSystem(2, periodic=False, sigma=3.4, epsilon=0.0104)
    pair = sp.analysis.quench(argon, [[0, 0, 0], [4.5, 0, 0]])
    assert pair.energy == pytest.approx(-0.0104, rel=1e-12) and pair.converged
    with pytest.raises(ValueError, match="n_hops must be >= 1; got 0"):
        sp.analysis.search_minimum(argon, n_hops=0)
