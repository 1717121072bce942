# SPDX-License-Identifier: BSD-3-Clause
"""Targets are unbiased, training learns, is resumed to the bit, and stops on a loss that is not finite."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import torch

import spinodal as sp
from score.masked_models import TINY, states_4x4
from spinodal.analysis import log_partition
from spinodal.score.masked import MaskedConfig, MaskedIsing, TrainingError, load_model, save_model, train_masked
from spinodal.score.masked.geometry import even_beyond, refinement
from spinodal.score.masked.streams import ChainStream, spread_temperatures
from spinodal.score.masked.tails import log_marginal
from spinodal.score.masked.targets import Targets, field_of_even
from spinodal.score.masked.training import LevelTraining, annealing, network_of, recipe

FAST = {"lengths": (8,), "effort": 0.004, "config": MaskedConfig(8, 1, 2, (2,), 12), "seed": 3, "batch": 0.05}


def boltzmann_4x4(k):
    spins, energy = states_4x4()
    p = np.exp(-k * (energy - energy.min()))
    return torch.from_numpy(spins.reshape(-1, 16)).float(), torch.from_numpy(p / p.sum())


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("length", [8, 12])
def test_b1_targets_are_the_mean_given_all_but_the_tails(length, number):
    """Against the marginal of A and B1, with the spin up and with it down."""
    plan, k = refinement(length), torch.tensor([0.44])
    spins = ChainStream(length, 64, seed=2, temperatures=(2.2, 2.4)).next(64)[0]
    wanted = Targets(length, plan.passes[-2 + number], 0)(spins, k, None)
    for index, site in enumerate(plan.passes[-2 + number].sites):
        logs = []
        for sign in (1.0, -1.0):
            turned = spins.clone()
            turned[:, site] = sign
            logs.append(log_marginal(turned, plan.learned, torch.as_tensor(plan.b2_even), k.double(), k.double() * 0))
        torch.testing.assert_close(wanted[:, index].double(), torch.tanh((logs[0] - logs[1]) / 2), atol=1e-5, rtol=0)


def test_even_targets_have_the_mean_of_the_spin_given_the_other_even_ones():
    spins, p = boltzmann_4x4(0.44)
    site = 10
    field = field_of_even(spins, torch.as_tensor(even_beyond(4, np.array([site]))), torch.tensor([0.44]))[:, 0]
    even = [i for i in range(16) if (i // 4 + i) % 2 == 0 and i != site]
    given = ((spins[:, even] > 0).long() @ (1 << torch.arange(len(even)))).numpy()
    bias = np.bincount(given, (p * (torch.tanh(field).double() - spins[:, site])).numpy())
    assert np.abs(bias).max() < 1e-7


@pytest.mark.parametrize("index", [0, 6])
def test_sweeps_leave_the_mean_and_calm_the_noise(index):
    """The mean of target · φ(V), with and without sweeps, for φ the neighbouring coarse spin."""
    step = [each for each in refinement(8).passes if each.stride == 2][index]
    stream = ChainStream(8, 4000, seed=1, temperatures=(2.2, 2.4))
    spins, k = stream.next(4000)
    shown = spins[:, step.windows[0, 0][step.visible][0]]
    generator = torch.Generator().manual_seed(0)
    plain = Targets(8, step, 0)(spins, k, generator)[:, 0]
    calm = Targets(8, step, 10)(spins, k, generator)[:, 0]
    difference = (calm - plain) * shown
    assert abs(difference.mean()) < 4.5 * difference.std() / 4000**0.5
    assert calm.var() < plain.var() - 0.02


def test_revealed_spins_stay_where_they_are():
    step = [each for each in refinement(8).passes if each.stride == 2 and each.kind == "b"][5]
    targets = Targets(8, step, 1)
    spins, _ = ChainStream(8, 16, seed=1, temperatures=(3.0, 3.4)).next(16)
    grid = spins.reshape(-1, 8, 8)
    a, b = targets._sweep(grid[:, ::2, ::2], grid[:, 1::2, 1::2], torch.tensor([[[0.0]]]), torch.Generator())
    swept = grid.clone()
    swept[:, ::2, ::2], swept[:, 1::2, 1::2] = a, b
    shown = np.unique(step.windows[..., step.visible])
    assert torch.equal(swept.flatten(1)[:, shown], spins[:, shown])
    hidden = np.setdiff1d([i for i in range(64) if (i // 8 + i) % 2 == 0], shown)
    assert 0.3 < (swept.flatten(1)[:, hidden] != spins[:, hidden]).float().mean() < 0.7


def test_temperatures_are_spread_over_the_range_and_gather_near_the_transition():
    t = spread_temperatures(1000, 1.5, 3.5)
    assert 1.5 <= t.min() < 1.51 and 3.49 < t.max() <= 3.5
    assert (np.abs(t - 2.269) < 0.2).mean() > 0.4


def test_training_raises_the_ess(tmp_path):
    path = train_masked(tmp_path / "model.safetensors", config=TINY_BASE, lengths=(8,), effort=0.03, batch=0.12, seed=1)
    trained, manifest = load_model(path)
    found = {}
    for name, model in (("trained", trained), ("fair", MaskedIsing(TINY_BASE))):
        samples = sp.run(model.sampler(sp.IsingModel(8), 2.6), n_chains=1000, progress=False, n_threads=1)
        found[name] = log_partition(samples).weights.ess / 1000
    assert found["trained"] > max(0.15, 2 * found["fair"])
    assert manifest["training"]["2a"]["n_steps"] == 90 and manifest["network"]["channels"] == 16
    assert json.loads(path.with_suffix(".json").read_text()) == manifest


TINY_BASE = MaskedConfig(channels=16, n_blocks=1, n_strides=2, bases=(2,), base_hidden=16)


class Stop(Exception):
    pass


def test_an_interrupted_training_is_resumed_to_the_bit(tmp_path):
    whole = train_masked(tmp_path / "whole.safetensors", checkpoint_every=1e9, **FAST)

    def stop(progress):
        if progress.level == "2b" and progress.step == 7:
            raise Stop

    with pytest.raises(Stop):
        train_masked(tmp_path / "cut.safetensors", checkpoint_every=0.0, report=stop, **FAST)
    cut = train_masked(tmp_path / "cut.safetensors", checkpoint_every=0.0, **FAST)
    assert load_model(cut)[0].fingerprint() == load_model(whole)[0].fingerprint()


KILLED = """
import os, signal, sys
from spinodal.score.masked import MaskedConfig, train_masked
def report(progress):
    if progress.level == "2a" and progress.step == 6:
        os.kill(os.getpid(), signal.SIGKILL)
train_masked(sys.argv[1], lengths=(8,), effort=0.004, config=MaskedConfig(8, 1, 2, (2,), 12), seed=3, batch=0.05,
             levels=("2a",), checkpoint_every=0.0, report=report)
"""


def test_a_killed_training_is_resumed_to_the_bit(tmp_path):
    path = tmp_path / "model.safetensors"
    died = subprocess.run([sys.executable, "-c", textwrap.dedent(KILLED), path], check=False, env={**os.environ})
    assert died.returncode == -signal.SIGKILL
    assert train_masked(path, levels=("2a",), **FAST) is None  # other levels are still to be trained
    train_masked(tmp_path / "whole.safetensors", levels=("2a",), **FAST)
    parts = [(tmp_path / f"{name}.safetensors.parts" / "2a.safetensors").read_bytes() for name in ("model", "whole")]
    trainings = []
    for name in ("model", "whole"):
        how = recipe(FAST["config"], "2a", FAST["lengths"], FAST["effort"], 2e-3, FAST["seed"], batch=FAST["batch"])
        part = tmp_path / f"{name}.safetensors.parts" / "2a.safetensors"
        trainings.append(LevelTraining(FAST["config"], how, part, None))
        trainings[-1].restore()
    assert parts[0] and all(
        torch.equal(trainings[0].averaged[n], trainings[1].averaged[n]) for n in trainings[0].averaged
    )


def test_levels_trained_apart_make_the_same_model(tmp_path):
    together = train_masked(tmp_path / "together.safetensors", **FAST)
    for level in ("2b", "1a", "2"):
        assert train_masked(tmp_path / "apart.safetensors", levels=(level,), **FAST) is None
    apart = train_masked(tmp_path / "apart.safetensors", levels=("2a",), **FAST)
    assert load_model(apart)[0].fingerprint() == load_model(together)[0].fingerprint()


def test_a_loss_that_is_not_finite_stops_the_training(tmp_path):
    config = FAST["config"]
    how = recipe(config, "2a", (8,), 0.01, 2e-3, 0, batch=0.05)
    training = LevelTraining(config, how, tmp_path / "2a.safetensors", None)
    training.run(1e9, None)
    training.how = recipe(config, "2a", (8,), 0.02, 2e-3, 0, batch=0.05)
    with torch.no_grad():
        network_of(training.model, "2a").outputs[0].fill_(float("nan"))
    before = training.path.read_bytes()
    with pytest.raises(
        TrainingError, match=r"the loss of level 2a is nan at step 30; .*2a.safetensors has the last good"
    ):
        while True:
            training._step()
    assert training.path.read_bytes() == before


def test_bad_arguments(tmp_path):
    path = tmp_path / "model.safetensors"
    with pytest.raises(ValueError, match=r"levels \['9x'\] are unknown; there are 1a, 2a"):
        train_masked(path, levels=("9x",), **FAST)
    with pytest.raises(ValueError, match="no lattice of lengths \\[8\\] has level 6"):
        train_masked(path, config=TINY, lengths=(8,))
    with pytest.raises(ValueError, match="lengths to train on must be >= 8; got 4"):
        train_masked(path, config=TINY, lengths=(4, 8))
    with pytest.raises(ValueError, match="effort must be finite and > 0; got 0"):
        train_masked(path, **{**FAST, "effort": 0})
    with pytest.raises(ValueError, match="start_from has"):
        train_masked(path, start_from=MaskedIsing(TINY), **FAST)
    train_masked(path, levels=("2",), **FAST)
    with pytest.raises(ValueError, match="is of another training"):
        train_masked(path, levels=("2",), **{**FAST, "seed": 4})


def test_files_that_are_not_their_manifests_networks(tmp_path):
    path = tmp_path / "model.safetensors"
    model = MaskedIsing(TINY, seed=1)
    save_model(path, model, {"note": "untrained"})
    again, manifest = load_model(path)
    assert manifest["note"] == "untrained" and again.config == TINY
    torch.testing.assert_close(again.state_dict(), model.state_dict(), atol=1e-3, rtol=1e-3)
    damaged = bytearray(path.read_bytes())
    damaged[-3] ^= 0x55
    (tmp_path / "damaged.safetensors").write_bytes(damaged)
    with pytest.raises(ValueError, match="is damaged"):
        load_model(tmp_path / "damaged.safetensors")
    other = path.read_bytes().replace(b'\\"channels\\": 8', b'\\"channels\\": 4')
    (tmp_path / "other.safetensors").write_bytes(other)
    with pytest.raises(ValueError, match="is not its manifest's network"):
        load_model(tmp_path / "other.safetensors")
    (tmp_path / "foreign.safetensors").write_bytes(b"nothing of the kind")
    with pytest.raises(ValueError, match="is not a file of weights"):
        load_model(tmp_path / "foreign.safetensors")
    with pytest.raises(FileNotFoundError, match="there is no file"):
        load_model(tmp_path / "missing.safetensors")


def test_the_learning_rate_warms_up_and_ends_at_zero():
    rates = [annealing(step, 1000) for step in range(1000)]
    assert rates[0] == 0.01 and max(rates) == 1.0 and rates[-1] < 1e-4 and np.argmax(rates) in (99, 100)
