# SPDX-License-Identifier: BSD-3-Clause
"""g(r): freud's, that of an ideal gas, that of two particles by quadrature; and its error bars."""

from __future__ import annotations

import numpy as np
import pytest

import spinodal as sp
from reference.lennard_jones import lattice_with_noise, pair_energy
from spinodal.analysis import radial_distribution


@pytest.mark.parametrize(("dim", "mode"), [(3, "exact"), (2, "exact"), (3, "finite_size")])
def test_freud(dim, mode):
    """The same normalisation; freud's single precision moves a few pairs from bin to bin."""
    freud = pytest.importorskip("freud")
    box = np.array([11.0, 12.0, 13.0])[:dim]
    frames = np.stack([lattice_with_noise(300, box, seed=seed, amplitude=0.4) for seed in range(5)])
    cell = freud.box.Box(*box) if dim == 3 else freud.box.Box(*box, is2D=True)
    theirs = freud.density.RDF(bins=80, r_max=5.0, normalization_mode=mode)
    for frame in frames:
        points = np.zeros((300, 3))
        points[:, :dim] = frame - box / 2
        theirs.compute((cell, points), reset=False)
    ours = radial_distribution(frames, box, 5.0, 80, finite_size=mode == "finite_size")
    np.testing.assert_allclose(ours.x, theirs.bin_centers, rtol=1e-6)
    np.testing.assert_allclose(ours.mean, theirs.rdf, rtol=0, atol=5e-3)
    assert np.median(np.abs(ours.mean - theirs.rdf)) < 1e-6


@pytest.mark.parametrize("dim", [2, 3])
def test_an_ideal_gas(dim):
    """Independent draws: χ² of the bins within 4σ of its mean, which holds the errors' size too."""
    x = 7.0 * np.random.default_rng(4).random((4, 200, 20, dim))
    g = radial_distribution(x, 7.0, 3.4, 17, finite_size=True)
    assert abs((((g.mean - 1) / g.stderr) ** 2).sum() - 17) < 4 * np.sqrt(2 * 17)
    assert abs(g.mean.mean() - 1) < 0.03
    exact = radial_distribution(x, 7.0, 3.4, 17)
    np.testing.assert_allclose(exact.mean, g.mean * 19 / 20, rtol=1e-12)


def test_two_particles():
    """g = (1 − 1/N) V exp(−u/T) / ∫ exp(−u/T), within 4.5σ in every bin."""
    system, temperature = sp.LennardJonesSystem(2, box=5.0), 1.5
    sampler = sp.Langevin(system, temperature, timestep=0.01, friction=2.0)
    samples = sp.run(sampler, n_chains=256, n_steps=8000, burn_in=500, thin=40, seed=3)
    g = radial_distribution(samples, r_max=2.5, n_bins=10)
    axis = (np.arange(200) + 0.5) / 200 * 5.0 - 2.5
    r = np.sqrt((np.stack(np.meshgrid(axis, axis, axis)) ** 2).sum(axis=0))
    weight = np.exp(-np.where(r < 2.5, pair_energy(np.maximum(r, 0.3)), 0.0) / temperature)
    inside, cells = np.histogram(r, 10, (0, 2.5), weights=weight)[0], np.histogram(r, 10, (0, 2.5))[0]
    volumes = 4 * np.pi / 3 * np.diff(np.linspace(0, 2.5, 11) ** 3)
    want = 0.5 * inside * (5 / 200) ** 3 / volumes * 125 / (weight.mean() * 125)
    assert cells.min() > 0
    error = np.maximum(g.stderr, 1e-3) + 0.01 * want  # the grid's own
    assert (np.abs(g.mean - want) < 4.5 * error).all()
    assert g.stderr[4:].max() < 0.05


def test_samples_know_their_box_and_weights():
    system = sp.LennardJonesSystem(20, box=6.0)
    samples = sp.run(sp.Langevin(system, 1.0), n_chains=2, n_steps=40, thin=10, seed=1)
    own = radial_distribution(samples, n_bins=30)
    given = radial_distribution(samples.draws, 6.0, 3.0, 30)
    np.testing.assert_array_equal(own.mean, given.mean)
    log_weights = np.full((2, 4), -40.0)
    log_weights[1, 2] = 0.0
    weighted = radial_distribution(samples, n_bins=30, log_weights=log_weights)
    one = radial_distribution(samples.draws[1, 2], 6.0, 3.0, 30)
    np.testing.assert_allclose(weighted.mean, one.mean, atol=1e-9)
    assert np.isnan(one.stderr).all() and not one.reliable
    log_weights = np.random.default_rng(1).normal(size=(2, 4))
    each = [[radial_distribution(draw, 6.0, 3.0, 30).mean for draw in chain] for chain in samples.draws]
    weighted = radial_distribution(samples, n_bins=30, log_weights=log_weights)
    np.testing.assert_allclose(weighted.mean, np.average(each, axis=(0, 1), weights=np.exp(log_weights)), rtol=1e-12)


def test_mistakes_are_named():
    x = np.random.default_rng(1).random((3, 10, 3))
    for arguments, message in (
        ((x,), "g\\(r\\) needs the density of a periodic box"),
        ((x[:, :1], 1.0), "at least two particles; got 1"),
        ((x[0, 0], 1.0), r"got \(3,\)"),
        ((x, 1.0, 20.0), "r_max must be <= 8 box lengths"),
    ):
        with pytest.raises(ValueError, match=message):
            radial_distribution(*arguments)
    cluster = sp.run(sp.Langevin(sp.LennardJonesSystem.cluster(4), 1.0), n_chains=1, n_steps=2, seed=1)
    with pytest.raises(ValueError, match="periodic box"):
        radial_distribution(cluster)
