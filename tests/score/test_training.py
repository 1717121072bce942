# SPDX-License-Identifier: BSD-3-Clause
"""Training learns, ends with the same bits after a kill, and stops when numbers do."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import spinodal as sp
from score.trainings import MODEL, N_CHAINS, denoiser, source, trainer, weights
from spinodal.files import FileFormatError
from spinodal.samplers.running.provenance import ResumeError
from spinodal.score.losses import CrossEntropy, MeanSquare
from spinodal.score.network_denoisers import FieldDenoiser, IsingDenoiser
from spinodal.score.optimization import Average, Recipe
from spinodal.score.processes import Processes
from spinodal.score.sources import DrawsSource, SamplerSource
from spinodal.score.training import NonFiniteLossError, Trainer
from spinodal.score.unet import ScoreNetwork

TESTS = Path(__file__).parents[1]


def run_child(*command, check=True):
    environment = {**os.environ, "PYTHONPATH": str(TESTS), "OMP_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, *map(str, command)], env=environment, check=check, capture_output=True)


def same_weights(one, other):
    assert one.keys() == other.keys()
    for name in one:
        assert torch.equal(one[name], other[name]), name


def test_training_learns_the_exact_score():
    """The loss falls below that of free spins, most of the way to the exact denoiser's."""
    training = trainer(n_steps=110, denoiser=denoiser(base_channels=16), log_every=0, evaluate_every=0)
    before = training.evaluate()
    after = training.train()["held_out"]

    class Exact:
        network = training.denoiser.network
        at = staticmethod(sp.score.ExactIsingDenoiser(MODEL).at)

    exact = Trainer(Exact(), source(), levels=training.levels, seed=5, device="cpu").evaluate()
    assert before == pytest.approx(0, abs=1e-7) and exact < after < 0.6 * exact


@pytest.mark.slow
def test_a_killed_training_ends_with_the_same_bits(tmp_path):
    """SIGKILL between two checkpoints; the rest by another process, then nothing more to do."""
    whole = trainer(tmp_path / "whole", 12)
    whole.train()
    killed = run_child("-m", "score.trainings", tmp_path / "cut", 12, 6, check=False)
    assert killed.returncode == -signal.SIGKILL
    # Log and kill come before the checkpoint of step 6: the latest is that of step 3.
    assert sp.score.read_manifest(tmp_path / "cut" / "latest.safetensors")["step"] == 3
    again = trainer(tmp_path / "cut", 12)
    metrics = again.train()
    assert metrics["step"] == 12
    same_weights(weights(again), weights(whole))
    for name in ("metrics.csv", "metrics.jsonl"):
        assert (tmp_path / "cut" / name).read_text() == (tmp_path / "whole" / name).read_text()
    assert sorted(each.name for each in (tmp_path / "cut").iterdir()) == [
        "best.safetensors", "latest.safetensors", "metrics.csv", "metrics.jsonl",
    ]  # fmt: skip


def test_a_stopped_training_goes_on(tmp_path):
    """Stopped by a callback, resumed twice: weights and average are those of the uninterrupted one, and the logs'."""
    whole = trainer(tmp_path / "whole", 12)
    whole.train()
    stop = trainer(tmp_path / "cut", 12, callbacks=[lambda training, metrics: metrics["step"] < 6])
    assert stop.train()["step"] == 6
    again = trainer(tmp_path / "cut", 12)
    again.train()
    same_weights(weights(again), weights(whole))
    rows = list(csv.DictReader((tmp_path / "cut" / "metrics.csv").read_text().splitlines()))
    assert [int(row["step"]) for row in rows] == [3, 6, 9, 12] and float(rows[-1]["held_out"]) < 0
    lines = [json.loads(line) for line in (tmp_path / "cut" / "metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["loss"] == float(rows[-1]["loss"])
    finished = trainer(tmp_path / "cut", 12)
    finished.train()
    same_weights(weights(finished), weights(whole))


@pytest.mark.slow
def test_two_processes_are_one(tmp_path):
    """Half the batch each, gradients averaged: the single process's weights, up to the order of sums."""
    alone = trainer(tmp_path / "one", 6)
    alone.train()
    launch = ("-m", "torch.distributed.run", "--nproc-per-node=2", "--master-port=0", "--rdzv-backend=c10d")
    run_child(*launch, "--rdzv-endpoint=localhost:0", "-m", "score.trainings", tmp_path / "two", 6)
    together = load_file(tmp_path / "two" / "final.safetensors")
    for name, tensor in weights(alone).items():
        np.testing.assert_allclose(together[name], tensor, rtol=0, atol=2e-4, err_msg=name)
    assert (tmp_path / "two" / "metrics.csv").read_text().count("\n") == 3


def test_nan_stops_and_keeps_the_last_good_checkpoint(tmp_path):
    class Breaking(CrossEntropy):
        def __call__(self, *arguments):
            loss = super().__call__(*arguments)
            return loss * float("nan") if training.step == 7 else loss

    training = trainer(tmp_path, 12, loss=Breaking())
    with pytest.raises(NonFiniteLossError, match=r"the loss is nan at step 7; the last good checkpoint is .*latest"):
        training.train()
    assert all(torch.isfinite(tensor).all() for tensor in weights(training).values())
    assert sp.score.read_manifest(tmp_path / "latest.safetensors")["step"] == 6
    training = trainer(None, 12, loss=Breaking())
    with pytest.raises(NonFiniteLossError, match="at step 7; there is no checkpoint: give a folder"):
        training.train()


def test_the_best_checkpoint_is_a_network(tmp_path):
    training = trainer(tmp_path, 12)
    held_out = training.train()["held_out"]
    assert training.best <= held_out
    network, manifest = sp.score.load_weights(tmp_path / "best.safetensors")
    assert manifest["best"] == training.best and manifest["training"]["data"]["kind"] == "SamplerSource"
    again = trainer(denoiser=IsingDenoiser(network, MODEL))
    assert again.evaluate() == pytest.approx(training.best, abs=1e-6)


def test_another_training_is_not_gone_on_with(tmp_path):
    trainer(tmp_path, 3).train()
    with pytest.raises(ResumeError, match=r"is of another training: seed was 5, now 6"):
        trainer(tmp_path, 3, seed=6).train()
    trainer(tmp_path, 3, seed=6).train(resume=False)
    sp.score.save_weights(
        tmp_path / "latest.safetensors", denoiser().network, {"data": "", "command": "", "seed": 0, "ess": {}}
    )
    with pytest.raises(FileFormatError, match="not a checkpoint of training"):
        trainer(tmp_path, 3).train()


@pytest.mark.parametrize("options", [{"precision": "bfloat16"}, {"compile": {"backend": "eager"}}], ids=str)
def test_options_change_speed_and_not_much_else(options):
    plain, other = trainer(n_steps=5), trainer(n_steps=5, **options)
    assert other.train()["loss"] == pytest.approx(plain.train()["loss"], abs=3e-3)
    assert next(other.denoiser.network.parameters()).dtype == torch.float32


def test_spins_can_be_told_while_training():
    training = trainer(n_steps=4, denoiser=denoiser(in_channels=3), known_fraction=0.5)
    assert np.isfinite(training.train()["loss"])
    with pytest.raises(ValueError, match="needs a network of spins with in_channels=3"):
        trainer(known_fraction=0.5)


@pytest.mark.parametrize(("h", "mean"), [(0.0, 0.0), (0.3, 1.0)])
def test_both_phases_are_seen_without_a_field(h, mean):
    """Cold chains stay up for ever: of spins in no field, half of the configurations are turned."""
    seen = []

    class Watching(CrossEntropy):
        def __call__(self, bound, x_0, *noise):
            seen.append(x_0.mean((1, 2)))
            return super().__call__(bound, x_0, *noise)

    model = sp.IsingModel(4, h=h)
    cold = SamplerSource(sp.Metropolis(model, 0.5), 64, burn_in=0, n_threads=1)
    network = IsingDenoiser(denoiser().network, model)
    Trainer(network, cold, loss=Watching(), recipe=Recipe(n_steps=4), device="cpu", progress=False).train()
    magnetization = torch.stack(seen)
    assert magnetization.abs().min() > 0.9 and abs(float(magnetization.mean()) - mean) < 0.3


def test_real_fields_are_trained_too():
    """Langevin particles: any sampler is a source."""
    sampler = sp.Langevin(sp.LennardJonesSystem(4, box=6.0, dim=2), 1.0)
    data = SamplerSource(sampler, 8, burn_in=20, thin=5, n_threads=1)
    network = FieldDenoiser(ScoreNetwork(1, 8, 4, n_levels=2, n_heads=2), 4.0)
    training = trainer(denoiser=network, loss=MeanSquare("edm", data_variance=4.0), n_steps=4)
    training.source = data
    assert np.isfinite(training.train()["loss"])


def test_draws_are_a_source(tmp_path):
    samples = sp.run(
        sp.HeatBath(MODEL, [1.8, 3.0]), n_chains=2, n_steps=60, seed=1, progress=False, checkpoint=tmp_path / "s.h5"
    )
    data, again = DrawsSource(tmp_path / "s.h5", 16, seed=2), DrawsSource(samples, 16, seed=2)
    held_out, _ = data.held_out()
    seen = [data.next_batch() for _ in range(6)]
    again.restore({"n_batches": np.array(4)})
    np.testing.assert_array_equal(again.next_batch()[0], seen[4][0])
    assert len(held_out) == 12 and all(len(draws) == 16 for draws, _ in seen)
    energies = [MODEL.energy(draws[temperature == 1.8]).mean() for draws, temperature in seen]
    assert max(energies) < -20
    with pytest.raises(ValueError, match=r"batch_size must be in 1 … 108, the draws to train on; got 200"):
        DrawsSource(samples, 200)
    with pytest.raises(ValueError, match="no draws to train on"):
        DrawsSource(sp.run(sp.HeatBath(MODEL, 2.0), n_chains=1, n_steps=2, keep_draws=False, progress=False))


def test_rates_and_averages():
    recipe = Recipe(n_steps=100, learning_rate=1.0, warmup=10, decay="linear", final=0.1)
    assert [round(recipe.rate(step), 3) for step in (0, 4, 50, 100)] == [0.1, 0.482, 0.55, 0.1]
    assert Recipe(n_steps=10, warmup=0, decay="none", learning_rate=0.3).rate(7) == 0.3
    network = denoiser().network
    average = Average(network, 0.9)
    with torch.no_grad():
        network.first.convolution.weight.zero_()
    before = average.weights["first.convolution.weight"].clone()
    average.update(network, 1000)
    torch.testing.assert_close(average.weights["first.convolution.weight"], 0.9 * before)


MISTAKES = {
    "precision": (lambda: trainer(precision="float8"), "precision='float8' is unknown; choose one of: float32"),
    "fraction": (lambda: trainer(known_fraction=2), r"known_fraction must be in \[0, 1\]; got 2"),
    "every": (lambda: trainer(log_every=-1), "log_every must be >= 0 steps; got -1"),
    "log": (lambda: trainer(log="xml").train(), "log='xml' is unknown; choose among: csv"),
    "steps": (lambda: Recipe(n_steps=0), "n_steps must be >= 1 and warmup >= 0; got 0"),
    "rate": (lambda: Recipe(learning_rate=-1.0), "learning_rate must be finite and > 0; got -1.0"),
    "optimizer": (lambda: Recipe(optimizer="sgd"), "optimizer='sgd' is unknown; choose one of: adam, adamw"),
    "decay": (lambda: Recipe(decay="step"), "decay='step' is unknown"),
    "average": (lambda: Recipe(average=1.0), r"average must be in \[0, 1\); got 1.0"),
    "thin": (lambda: source(thin=0), "thin must be >= 1; got 0"),
    "share": (lambda: Processes(0, 5).check_batch(N_CHAINS), "a batch of 24 cannot be shared equally by 5 processes"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_named(mistake):
    make, message = MISTAKES[mistake]
    with pytest.raises(ValueError, match=message):
        make()
