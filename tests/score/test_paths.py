# SPDX-License-Identifier: BSD-3-Clause
"""Exact averages with any network: weights of paths and Metropolis moves, against enumeration."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

import spinodal as sp
from score.exact_laws import GaussianField, chi_square, conditional, state_index
from spinodal.samplers.alternating import AlternatingSampler
from spinodal.samplers.mixed import MixedSampler, Part
from spinodal.samplers.protocol import Key
from spinodal.score.denoisers import ExactIsingDenoiser, GaussianDenoiser
from spinodal.score.network_denoisers import IsingDenoiser
from spinodal.score.noise import ChainNoise
from spinodal.score.path_samplers import PartialPathMetropolis, WeightedDiffusion
from spinodal.score.paths import SpinPaths
from spinodal.score.schedules import Cosine, LogLinear
from spinodal.score.unet import ScoreNetwork

MODEL, TEMPERATURE = sp.IsingModel((3, 3), h=0.1), 6.0
PROBABILITIES = sp.exact.boltzmann((3, 3), TEMPERATURE, 1.0, 0.1)
SCHEDULE = LogLinear(-7.0, 3.0)


def log_z(model, temperature):
    states = sp.exact.all_states(model.shape)
    logs = -model.energy(states) / temperature
    return float(np.log(np.exp(logs - logs.max()).sum()) + logs.max())


def bad_denoiser(model, size=0.2, seed=4, **arguments):
    """A network that has learned nothing, and is not the free denoiser either."""
    options = {"base_channels": 4, "time_embed_dim": 2, "n_levels": 1, "n_heads": 1, "out_channels": 1}
    network = ScoreNetwork(**{**options, **arguments})
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in network.parameters():
            p.copy_(size * torch.randn(p.shape, generator=generator))
    return IsingDenoiser(network, model)


def run(sampler, n_chains, n_steps=1, **options):
    return sp.run(sampler, n_chains=n_chains, n_steps=n_steps, n_threads=1, progress=False, **{"seed": 2, **options})


def moves(kind=PartialPathMetropolis, **options):
    """moves of three coarse levels by the bad network, all chains in one batch."""
    common = {"n_steps": 6, "n_levels": 3, "schedule": LogLinear(-3, 1), "start": "hot", "batch_size": 4000}
    return kind(MODEL, DENOISERS["bad"], TEMPERATURE, **{**common, **options})


def ess(logs):
    w = np.exp(logs - logs.max())
    return w.sum() ** 2 / (w**2).sum() / w.size


DENOISERS = {"exact": ExactIsingDenoiser(MODEL), "bad": bad_denoiser(MODEL)}


@pytest.mark.parametrize("name", DENOISERS)
def test_the_mean_weight_is_z(name):
    """Two denoisers agree on Z and on the weighted law of states, and differ in how much of the weight they lose."""
    sampler = WeightedDiffusion(MODEL, DENOISERS[name], TEMPERATURE, n_steps=24, schedule=SCHEDULE, batch_size=4000)
    samples = run(sampler, 4000)
    assert samples.log_weights.shape == (4000, 1)
    logs = samples.log_weights[:, 0] - log_z(MODEL, TEMPERATURE)
    w = np.exp(logs)
    assert abs(w.mean() - 1) < 5 * w.std() / np.sqrt(w.size) and logs.mean() < 0
    share = ess(logs)
    assert share > 0.8 if name == "exact" else share < 0.7
    # Of the rare states and of the frequent ones alike: every class of magnetisation.
    ups = (sp.exact.all_states((3, 3)) > 0).sum((1, 2))
    drawn = ups[state_index(samples.draws[:, 0])]
    for n_up in range(10):
        part = w * (drawn == n_up)
        assert abs(part.mean() - PROBABILITIES[ups == n_up].sum()) < 5 * part.std() / np.sqrt(w.size) + 1e-12


def test_finer_paths_lose_less():
    shares = []
    for n_steps in (4, 64):
        sampler = WeightedDiffusion(MODEL, DENOISERS["exact"], TEMPERATURE, n_steps=n_steps, schedule=SCHEDULE)
        logs = run(sampler, 400).log_weights[:, 0]
        shares.append(log_z(MODEL, TEMPERATURE) - logs.mean())
    assert 0 < shares[1] < 0.1 < shares[0]


def test_raw_and_weighted_energies():
    """The raw mean of a bad network is off by many errors; the weighted one is not."""
    samples = run(WeightedDiffusion(MODEL, DENOISERS["bad"], TEMPERATURE, n_steps=12, schedule=SCHEDULE), 4000)
    exact = float((PROBABILITIES * MODEL.energy(sp.exact.all_states((3, 3)))).sum())
    energy, w = samples.energy[:, 0], np.exp(samples.log_weights[:, 0] - samples.log_weights.max())
    assert abs(energy.mean() - exact) > 10 * energy.std() / np.sqrt(len(energy))
    mean = (w * energy).sum() / w.sum()
    error = np.sqrt((w**2 * (energy - mean) ** 2).sum()) / w.sum()
    assert abs(mean - exact) < 5 * error


@pytest.mark.parametrize("n_steps", [1, 7])
@pytest.mark.parametrize("schedule", [Cosine(-7, 3), LogLinear(-5, 2, scaling="exploding")], ids=["vp", "ve"])
def test_free_spins_weigh_z_each(n_steps, schedule):
    """J = 0: every path of every network has the weight Z, to rounding."""
    model = sp.IsingModel((4, 4), J=0.0, h=0.7)
    sampler = WeightedDiffusion(model, bad_denoiser(model), 1.9, n_steps=n_steps, schedule=schedule)
    np.testing.assert_allclose(run(sampler, 20).log_weights, 16 * np.log(2 * np.cosh(0.7 / 1.9)), rtol=1e-12)


def test_a_path_weighs_the_same_when_it_is_read():
    """Teacher-forced: the ratio found while drawing, that of the finished path by another pass, and by densities."""
    denoiser = DENOISERS["bad"].at(TEMPERATURE)
    times = SCHEDULE.times(5)
    paths = SpinPaths(SCHEDULE, denoiser, times)
    recorded = []

    class Recording(SpinPaths):
        def field(self, x_t, t):
            recorded.append(x_t)
            return super().field(x_t, t)

    x = torch.from_numpy(np.random.default_rng(1).normal(size=(6, 3, 3)))
    with torch.no_grad():
        spins, ratio = Recording(SCHEDULE, denoiser, times).denoised(x, ChainNoise(Key(3), (6, 3, 3)))
        torch.testing.assert_close(paths.log_ratio(recorded, spins), ratio, rtol=1e-10, atol=1e-10)
        total = _by_densities(recorded, spins, times, paths)
    torch.testing.assert_close(total, ratio, rtol=1e-9, atol=1e-9)


def _by_densities(path, spins, times, paths):
    """log q - log p by normal densities, written out."""
    total = 0
    for k in range(len(times) - 1):
        (a_t, v_t), (a_s, v_s) = ((float(SCHEDULE.alpha(u)), float(SCHEDULE.sigma(u)) ** 2) for u in times[k : k + 2])
        r = a_t / a_s
        v = v_t - r**2 * v_s
        beta, up = v_s * v / v_t, torch.sigmoid(2 * paths.field(path[k], times[k]))
        mean = lambda s: r * v_s / v_t * path[k] + a_s * v / v_t * s  # noqa: B023, E731
        density = lambda s: torch.exp(-((path[k + 1] - mean(s)) ** 2) / (2 * beta))  # noqa: B023, E731
        total = total + (torch.log(density(spins)) - torch.log(up * density(1) + (1 - up) * density(-1))).sum((1, 2))
    up = torch.sigmoid(2 * paths.field(path[-1], times[-1]))
    return total - torch.log(torch.where(spins > 0, up, 1 - up)).sum((1, 2))


@pytest.mark.parametrize(("name", "n_levels"), [("exact", None), ("bad", 3), ("bad", 1)])
def test_path_moves_keep_the_boltzmann_law(name, n_levels):
    """From the law to the law, for a good network and for a bad one; most of the chains have moved."""
    sampler = PartialPathMetropolis(
        MODEL, DENOISERS[name], TEMPERATURE, n_steps=8, n_levels=n_levels, schedule=LogLinear(-4, 2), batch_size=4000
    )
    rng = np.random.default_rng(6)
    start = sp.exact.all_states((3, 3))[rng.choice(512, 4000, p=PROBABILITIES)]
    samples = run(sampler, 4000, 4, init=start, thin=4)
    assert chi_square(samples.draws[:, 0], PROBABILITIES) > 1e-3
    moved = (samples.draws[:, 0] != start).any((1, 2)).mean()
    rate = samples.info["n_accepted"].sum() / samples.info["n_proposed"].sum()
    assert moved > 0.05 and 0.01 < rate < 1 and (rate > 0.5 or name == "bad")
    per_move = 2 * sampler.n_levels - 1
    assert (samples.info["n_evaluations"] == 4 * per_move).all()


def test_path_moves_reach_the_law():
    assert chi_square(run(moves(), 2000, 24, thin=24).draws[:, 0], PROBABILITIES) > 1e-3


def test_the_whole_path_decides():
    """Trap: with the states' energies alone the law is another one, and the test above would see it."""

    class Careless(PartialPathMetropolis):
        def _change_of_start(self, paths, x, change):
            return torch.zeros(len(x), dtype=x.dtype)

    assert chi_square(run(moves(Careless), 2000, 24, thin=24).draws[:, 0], PROBABILITIES) < 1e-6


def test_known_spins_stay():
    """The others follow the conditional law, whatever the network."""
    known = np.zeros((3, 3), bool)
    known[0, 0], known[1, 2] = True, True
    values = np.where(np.arange(9).reshape(3, 3) % 2, 1, -1)
    draws = run(moves(known=known, values=values), 2000, 24, thin=24).draws[:, 0]
    assert (draws[:, known] == values[known]).all()
    assert chi_square(draws, conditional(MODEL, TEMPERATURE, known, values)) > 1e-3


def test_mixed_with_compiled_moves():
    """In turn on all chains, or each on chains of its own."""
    neural = moves()
    wolff = sp.Wolff(MODEL, TEMPERATURE)
    turn = AlternatingSampler([neural, wolff], updates=[2, 5])
    samples = run(turn, 2000, 6, thin=6)
    assert chi_square(samples.draws[:, 0], PROBABILITIES) > 1e-3
    assert (samples.info["0/n_proposed"] == 12).all() and "1/n_clusters" not in samples.info
    described = turn.describe()
    assert json.loads(json.dumps(described)) == described and described["samplers"][1]["updates"] == 5
    parts = MixedSampler([Part(neural, 0, 500, 20), Part(wolff, 500, 1000, 10)])
    assert chi_square(run(parts, 1000, 2, thin=2).draws[:, 0], PROBABILITIES) > 1e-3


def test_samplers_keep_the_protocol():
    temperature = np.linspace(2.0, 3.0, 10)
    key = Key(5, 3, 2)
    options = {"n_steps": 4, "schedule": LogLinear(-3, 1), "batch_size": 4}
    metropolis = PartialPathMetropolis(MODEL, DENOISERS["bad"], temperature, n_levels=2, **options)
    weighted = WeightedDiffusion(MODEL, DENOISERS["bad"], temperature, **options)
    turns = AlternatingSampler([metropolis, sp.Metropolis(sp.IsingModel((4, 4)), temperature)][:1])
    for sampler in (metropolis, weighted, turns):
        whole, info = sampler.step(key, sampler.init(key, 10), 3, n_threads=1)
        state, total = sampler.init(key, 10), {}
        for i in range(3):
            state, own = sampler.step(key.at(key.step + i), sampler.restore(state.arrays()), 1, n_threads=1)
            total = {name: total.get(name, 0) + sums for name, sums in own.items()}
        for name, array in whole.arrays().items():
            np.testing.assert_allclose(state.arrays()[name], array, rtol=1e-5)
        assert all((info[name] == total[name]).all() for name in info)
        part = sampler.for_chains(3, 10)
        alone, _ = part.step(Key(5, 3, 5), part.init(Key(5, 3, 5), 7), 3, n_threads=1)
        np.testing.assert_array_equal(alone.draws, whole.draws[3:])
        described = sampler.describe()
        assert json.loads(json.dumps(described)) == described and described.get("evaluations_per_draw", 5) == 5


def test_chains_resume_from_a_file(tmp_path):
    sampler = PartialPathMetropolis(MODEL, DENOISERS["bad"], TEMPERATURE, n_steps=3, schedule=LogLinear(-3, 1))
    whole = run(sampler, 3, 8)
    path = tmp_path / "run.h5"
    stopped = run(sampler, 3, 8, checkpoint=path, callback=lambda step, state, info: step < 4)
    assert stopped.n_draws == 4
    np.testing.assert_array_equal(run(sampler, 3, 8, checkpoint=path).draws, whole.draws)


FIELD = GaussianField()
MISTAKES = {
    "levels": (
        lambda: moves(n_steps=4, n_levels=6),
        ValueError,
        r"n_levels must be in 1 … n_steps \+ 1 = 5; got 6",
    ),
    "half": (lambda: moves(known=np.eye(3, dtype=bool)), ValueError, "known, a mask, and values"),
    "start": (lambda: moves(start="warm"), ValueError, "start='warm' is unknown"),
    "system": (
        lambda: WeightedDiffusion(FIELD, GaussianDenoiser(FIELD.mean, FIELD.covariance), 1.0),
        TypeError,
        "need an IsingModel; got GaussianField",
    ),
    "denoiser": (
        lambda: WeightedDiffusion(MODEL, GaussianDenoiser(np.zeros((3, 3)), np.eye(9)), 1.0),
        TypeError,
        "GaussianDenoiser is no denoiser of spins",
    ),
    "none": (lambda: AlternatingSampler([]), ValueError, "at least one: got 0, 0"),
    "counts": (lambda: AlternatingSampler([sp.Wolff(MODEL, 2.0)], [0]), ValueError, "updates must be >= 1; got 0"),
    "systems": (
        lambda: AlternatingSampler([sp.Wolff(MODEL, 2.0), sp.Wolff(sp.IsingModel(4), 2.0)]),
        ValueError,
        "systems differ",
    ),
    "temperatures": (
        lambda: AlternatingSampler([sp.Wolff(MODEL, 2.0), sp.Wolff(MODEL, 2.1)]),
        ValueError,
        "temperatures differ",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_named(mistake):
    make, kind, message = MISTAKES[mistake]
    with pytest.raises(kind, match=message):
        make()
