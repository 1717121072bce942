# SPDX-License-Identifier: BSD-3-Clause
"""The likelihood is exact, whatever the weights: normalised, teacher-forced, odd, and cancelled against the tails."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import spinodal as sp
from score.masked_models import couplings, random_model, state_numbers, states_4x4
from spinodal.score.masked import MaskedConfig, MaskedIsing

MODEL = random_model(config=MaskedConfig(channels=8, n_blocks=1, n_strides=2, base_hidden=40, bases=(2, 6)))


def flat(spins: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(spins.reshape(len(spins), -1)).float()


def drawn(length, n, k, h=0.0, seed=1, model=MODEL):
    uniform = torch.rand(n, length**2, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    with torch.inference_mode():
        return model.sample(uniform, couplings(k), couplings(h))


def pools(probability, least):
    """Number consecutive states so that each pool has about that probability at least."""
    return np.unique(np.floor(np.cumsum(probability) / least), return_inverse=True)[1]


@pytest.mark.parametrize(("k", "h"), [(0.44, 0.0), (0.7, 0.2), (0.0, 0.0)])
def test_probabilities_of_all_states_add_up_to_one(k, h):
    with torch.inference_mode():
        log_q = MODEL.log_q(flat(states_4x4()[0]), couplings(k), couplings(h))
    assert log_q.exp().sum().item() == pytest.approx(1, abs=1e-6)
    assert log_q.std() > 0.1 or k == 0  # not because the model were uniform


@pytest.mark.parametrize("length", [4, 8, 12, 16, 24, 64])
def test_sampling_and_teacher_forcing_agree(length):
    spins, log_weights = drawn(length, 6, 0.44, 0.05)
    with torch.inference_mode():
        again = MODEL.log_weights(spins, couplings(0.44), couplings(0.05))
        log_q = MODEL.log_q(spins, couplings(0.44), couplings(0.05))
    np.testing.assert_allclose(again, log_weights, atol=1e-5)
    system = sp.IsingModel(length, h=0.05 / 0.44)
    energy = system.energy(spins.numpy().astype(np.int8).reshape(-1, length, length))
    np.testing.assert_allclose(-0.44 * energy - log_q.numpy(), log_weights, atol=1e-5)


@pytest.mark.parametrize("length", [8, 24])
def test_log_q_is_odd_to_the_bit(length):
    spins, _ = drawn(length, 5, 0.5)
    with torch.inference_mode():
        up, down = (MODEL.log_q(sign * spins, couplings(0.5), couplings(0.0)) for sign in (1, -1))
    assert torch.equal(up, down)


def test_without_coupling_every_weight_is_two_to_the_n():
    _, log_weights = drawn(16, 8, 0.0)
    np.testing.assert_allclose(log_weights, 256 * np.log(2), rtol=1e-14)


def test_weak_coupling_is_exact_in_the_limit():
    """The weights' spread vanishes with K: logits are K times an output."""
    spreads = [drawn(8, 400, k)[1].std().item() for k in (0.04, 0.02, 0.01)]
    assert spreads[0] > 1.5 * spreads[1] > 2 * spreads[2] and spreads[2] < 0.02


def test_samples_follow_their_likelihood():
    """χ² of 4 × 4 samples against q itself, states pooled to 20 expected ones."""
    k, n = 0.3, 20_000
    spins = drawn(4, n, k)[0].numpy().reshape(-1, 4, 4)
    with torch.inference_mode():
        q = MODEL.log_q(flat(states_4x4()[0]), couplings(k), couplings(0.0)).exp().numpy()
    counts = np.bincount(state_numbers(spins), minlength=1 << 16)
    order = np.argsort(q)
    pool = pools(q[order], 20 / n)
    expected, found = np.bincount(pool, n * q[order]), np.bincount(pool, counts[order])
    z = (((found - expected) ** 2 / expected).sum() - len(expected)) / np.sqrt(2 * len(expected))
    assert abs(z) < 5


@pytest.mark.parametrize("temperature", [1.5, 2.269, 3.5])
def test_weighted_samples_of_any_network_have_the_exact_law(temperature):
    """χ² over the 65,536 states after reweighting, with the exact variance of every pool; the network is random."""
    n, k = 40_000, 1 / temperature
    spins, log_weights = drawn(4, n, k, seed=3)
    states, energy = states_4x4()
    with torch.inference_mode():
        q = MODEL.log_q(flat(states), couplings(k), couplings(0.0)).exp().numpy()
    log_p = -k * energy
    log_z = np.logaddexp.reduce(log_p)
    p = np.exp(log_p - log_z)
    weights = np.exp(log_weights.numpy() - log_z)
    order = np.lexsort((q, np.round(energy, 6)))
    pool = np.empty(1 << 16, dtype=int)
    pool[order] = pools(np.minimum(p, q)[order], 30 / n)
    found = np.bincount(pool[state_numbers(spins.numpy().reshape(-1, 4, 4))], weights, minlength=pool.max() + 1) / n
    expected = np.bincount(pool, p)
    variance = (np.bincount(pool, p * p / q) - expected**2) / n
    z2 = (found - expected) ** 2 / variance
    assert len(z2) > 20
    assert abs(z2.sum() - len(z2)) < 6 * np.sqrt(2 * len(z2)) + 15


def test_unknown_coarsest_lattices_are_refused():
    with pytest.raises(ValueError, match=r"L = 2·2\^k, 6·2\^k, k >= 1; L = 20 has a coarsest 10"):
        MODEL.order(20)
    with pytest.raises(ValueError, match="channels must be >= 1; got 0"):
        MaskedIsing(MaskedConfig(channels=0))


def test_no_global_generator_is_touched():
    before = torch.get_rng_state()
    first, second = MaskedIsing(MODEL.config, seed=3), MaskedIsing(MODEL.config, seed=3)
    assert torch.equal(torch.get_rng_state(), before)
    assert first.fingerprint() == second.fingerprint() != MaskedIsing(MODEL.config, seed=4).fingerprint()
