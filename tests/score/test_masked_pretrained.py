# SPDX-License-Identifier: BSD-3-Clause
"""The shipped network: good proposals at every temperature, and what a network that only pretends would fail."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

import spinodal as sp
from spinodal.analysis import log_partition
from spinodal.score.pretrained import pretrained_manifest, pretrained_names


@pytest.fixture(scope="module")
def model():
    return sp.score.load_pretrained("ising-masked")


def sampled(model, length, temperature, n, *, seed=1, system=None):
    sampler = model.sampler(system or sp.IsingModel(length), temperature)
    return sp.run(sampler, n_chains=n, seed=seed, progress=False, n_threads=1)


@pytest.mark.parametrize(
    ("length", "temperature", "n", "least"),
    [(8, 1.5, 256, 0.93), (8, 2.269, 512, 0.92), (8, 3.5, 256, 0.93), (16, 2.269, 512, 0.85), (16, 1.8, 256, 0.9),
     (16, 2.05, 256, 0.85), (32, 2.269, 128, 0.3)],
)  # fmt: skip
def test_weights_are_even_and_averages_exact(model, length, temperature, n, least):
    samples = sampled(model, length, temperature, n)
    exact = sp.exact.kaufman((length, length), temperature=temperature)
    z, energy = log_partition(samples), samples.estimate("energy_per_site")
    assert z.weights.ess / n > least
    assert abs(z.mean - exact.log_z) < 4.5 * z.stderr
    assert abs(energy.mean - exact.energy_per_site) < 4.5 * energy.stderr


@pytest.mark.parametrize("length", [4, 12, 24])
def test_lattices_it_was_not_trained_for(model, length):
    samples = sampled(model, length, 2.5, 200)
    exact = sp.exact.kaufman((length, length), temperature=2.5)
    z = log_partition(samples)
    assert z.weights.ess / 200 > 0.5 and abs(z.mean - exact.log_z) < 4.5 * z.stderr


@pytest.mark.parametrize("spoil", ["zeroed", "shuffled"])
def test_spoiled_weights_collapse_the_ess_and_leave_averages_exact(model, spoil):
    """The proposals are the network's doing, the exactness is not."""
    spoiled = copy.deepcopy(model)
    rng = np.random.default_rng(0)
    with torch.no_grad():
        for name, parameter in spoiled.named_parameters():
            if spoil == "zeroed" and (".outputs." in name or ".last." in name or "film.2" in name):
                parameter.zero_()
            if spoil == "shuffled" and parameter.ndim > 1:
                parameter.copy_(
                    parameter.flatten()[torch.from_numpy(rng.permutation(parameter.numel()))].view_as(parameter)
                )
    good, bad = sampled(model, 8, 3.5, 300), sampled(spoiled, 8, 3.5, 4000)
    exact = sp.exact.kaufman((8, 8), temperature=3.5)
    share = [log_partition(good).weights.ess / 300, log_partition(bad).weights.ess / 4000]
    assert share[0] > 0.9 and share[1] < 0.6 * share[0]
    energy = bad.estimate("energy_per_site")
    assert abs(energy.mean - exact.energy_per_site) < 4.5 * energy.stderr
    assert abs(bad.energy.mean() / 64 - exact.energy_per_site) > 5 * energy.stderr  # the raw mean is wrong


def test_two_proposals_agree_on_ln_z(model):
    half = copy.deepcopy(model)
    with torch.no_grad():
        for name, parameter in half.named_parameters():
            if ".outputs." in name:
                parameter.mul_(0.8)
    one, other = (log_partition(sampled(m, 8, 2.6, n)) for m, n in ((model, 400), (half, 4000)))
    assert other.weights.ess / 4000 < 0.9 * one.weights.ess / 400
    assert abs(one.mean - other.mean) < 4.5 * np.hypot(one.stderr, other.stderr)


def test_the_temperature_changes_the_law(model):
    cold, warm = (sampled(model, 8, t, 200).observable("abs_magnetization").mean() for t in (1.6, 3.2))
    assert cold > 0.9 and warm < 0.5
    mixed = sampled(model, 8, np.repeat([1.6, 3.2], 100), 200)
    each = np.abs(mixed.observable("magnetization_per_site")).reshape(2, 100).mean(1)
    assert each[0] > 0.9 and each[1] < 0.5
    both = sampled(model, 8, 1.6, 200).observable("magnetization_per_site")
    assert 0.3 < (both > 0).mean() < 0.7


@pytest.mark.parametrize("temperature", [1.8, 2.269])
def test_no_mode_is_missed(model, temperature):
    """Forward ESS: weights of reference samples, by teacher forcing, are those of own samples."""
    system = sp.IsingModel(16)
    reference = sp.run(
        sp.SwendsenWang(system, temperature), n_chains=300, n_steps=1, burn_in=60, seed=2, progress=False
    )
    logs = model.sampler(system, temperature).log_weights(reference.draws[:, 0], n_threads=1)
    log_z = float(sp.exact.kaufman((16, 16), temperature=temperature).log_z)
    ratio = np.exp(log_z - logs)  # q/p on draws from p: its mean is 1 if q misses nothing
    assert abs(ratio.mean() - 1) < 5 * ratio.std() / 300**0.5
    assert 1 / np.exp(logs - log_z).mean() > 0.8
    forward_kl = (ratio - 1 - np.log(ratio)).mean()
    assert 0 < forward_kl < 0.1


def test_ten_times_the_samples_leave_the_share(model):
    few, many = (log_partition(sampled(model, 8, 2.269, n)).weights.ess / n for n in (200, 2000))
    assert abs(few - many) < 0.05


def test_the_manifest_says_how_it_was_made(model):
    assert "ising-masked" in pretrained_names()
    manifest = pretrained_manifest("ising-masked")
    assert {"command", "training", "measured", "network", "weights"} <= manifest.keys()
    assert manifest["network"] == model.describe()
    with pytest.raises(ValueError, match=r"there is no pretrained network 'nothing'; there are: .*ising-masked"):
        sp.score.load_pretrained("nothing")
