# SPDX-License-Identifier: BSD-3-Clause
"""Each loss is least at the exact score, by enumeration, and stays finite where noise vanishes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import spinodal as sp
from score.exact_laws import GaussianField
from spinodal.exact.states import log_boltzmann
from spinodal.score.denoisers import GaussianDenoiser
from spinodal.score.losses import PREDICTIONS, CrossEntropy, Levels, MeanSquare
from spinodal.score.network_denoisers import FieldDenoiser, IsingDenoiser
from spinodal.score.unet import ScoreNetwork

MODEL, TEMPERATURE = sp.IsingModel((3, 3), h=0.2), 2.1
LOSSES = {
    **{name: MeanSquare(name) for name in PREDICTIONS},
    "edm, wide": MeanSquare("edm", data_variance=3.0),
    "bounded": MeanSquare("epsilon", max_weight=0.3),
    "weighted": MeanSquare("v", weight=lambda log_snr: 2 + torch.tanh(log_snr)),
    "bce": CrossEntropy(),
    "bce, weighted": CrossEntropy(weight=lambda log_snr: torch.exp(log_snr / 3)),
}


class Table:
    """A denoiser that answers with one table of fields, to be optimised."""

    def __init__(self, mean):
        self.fields = torch.atanh(mean).clone().requires_grad_()

    def field(self, y, sigma):
        return self.fields.expand(y.shape)

    def __call__(self, y, sigma):
        return torch.tanh(self.field(y, sigma))


def expected_gradient(loss, mean, y, log_snr):
    """Gradient of E[loss | y] by the table: every state by its posterior, with the noise that leads to y."""
    states = torch.from_numpy(sp.exact.all_states((3, 3))).double()
    sigma = np.exp(-log_snr / 2)
    log_p = torch.from_numpy(log_boltzmann((3, 3), TEMPERATURE, 1.0, 0.2))
    posterior = torch.softmax(log_p - ((y - states) ** 2).sum((1, 2)) / (2 * sigma**2), 0)
    table = Table(mean)
    levels = torch.full((len(states),), log_snr, dtype=torch.float64)
    (posterior * loss(table, states, levels, (y - states) / sigma)).sum().backward()
    return table.fields.grad


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("log_snr", [-3.0, -0.5, 1.0])
def test_the_minimum_is_the_exact_score(name, log_snr):
    """At the exact denoiser the gradient vanishes; beside it it does not, and points back."""
    rng, sigma = np.random.default_rng(3), np.exp(-log_snr / 2)
    y = torch.from_numpy(rng.normal(size=(3, 3)) * sigma)
    exact = torch.from_numpy(sp.exact.denoiser(y.numpy(), 1.0, sigma, (3, 3), TEMPERATURE, 1.0, 0.2))
    assert expected_gradient(LOSSES[name], exact, y, log_snr).abs().max() < 1e-14 * np.exp(max(log_snr, 0) + 3)
    beside = exact + 0.05 * (1 - exact.abs())
    assert (expected_gradient(LOSSES[name], beside, y, log_snr) > 0).all()
    score = sp.exact.noised_score(y.numpy(), 1.0, sigma, (3, 3), TEMPERATURE, 1.0, 0.2)
    np.testing.assert_allclose((exact.numpy() - y.numpy()) / sigma**2, score, rtol=1e-10)


def test_weights_are_those_of_what_they_predict():
    """Errors of ε, v, the EDM target and the scaled score, each written out."""
    rng = torch.Generator().manual_seed(1)
    x_0, epsilon, guess = (torch.randn(5, 2, 3, generator=rng, dtype=torch.float64) for _ in range(3))
    log_snr = torch.linspace(-4, 3, 5, dtype=torch.float64)
    alpha, noise = torch.sigmoid(log_snr).sqrt(), torch.sigmoid(-log_snr).sqrt()
    alpha, noise = alpha.reshape(5, 1, 1), noise.reshape(5, 1, 1)
    sigma = noise / alpha
    x_t, y = alpha * x_0 + noise * epsilon, x_0 + sigma * epsilon
    epsilon_hat = (x_t - alpha * guess) / noise
    v, v_hat = alpha * epsilon - noise * x_0, alpha * epsilon_hat - noise * guess
    keep = 3 / (sigma**2 + 3)
    out = sigma * keep.sqrt()
    errors = {
        "x0": guess - x_0,
        "epsilon": epsilon_hat - epsilon,
        "score": noise * ((alpha * guess - x_t) / noise**2 + epsilon / noise),
        "v": v_hat - v,
        "edm": (guess - keep * y) / out - (x_0 - keep * y) / out,
    }
    for name, error in errors.items():
        found = MeanSquare(name, data_variance=3.0)(lambda y, sigma: guess, x_0, log_snr, epsilon)
        torch.testing.assert_close(found, error.square().flatten(1).mean(1))


@pytest.mark.parametrize("name", LOSSES)
def test_nothing_explodes_as_noise_vanishes(name):
    """Losses and gradients of networks with weights at random, down to σ = 1e-4."""
    generator = torch.Generator().manual_seed(2)
    spins = torch.where(torch.rand(64, 4, 4, generator=generator) < 0.5, -1.0, 1.0)
    network = ScoreNetwork(1, 8, 4, n_levels=1, n_heads=2).double()
    torch.nn.init.normal_(network.last.convolution.weight, generator=generator)
    bound = IsingDenoiser(network, sp.IsingModel(4)).at(2.3)
    if name not in ("bce", "bce, weighted"):
        bound = FieldDenoiser(network).at(1.0) if name != "x0" else bound
    losses = []
    for sigma in (1.0, 1e-2, 1e-4):
        log_snr = torch.full((64,), -2 * np.log(sigma), dtype=torch.float64)
        epsilon = torch.randn(spins.shape, generator=generator, dtype=torch.float64)
        network.zero_grad()
        loss = LOSSES[name](bound, spins.double(), log_snr, epsilon).mean()
        loss.backward()
        losses.append(loss.item())
        assert max(p.grad.abs().max() for p in network.parameters() if p.grad is not None) < 1e3
    assert abs(losses[-1]) < 30 * abs(losses[0]) + 1


def test_an_unbounded_weight_would_explode_for_a_denoiser_that_does_not_shrink():
    x_0, epsilon = torch.zeros(1, 2, dtype=torch.float64), torch.ones(1, 2, dtype=torch.float64)
    level = torch.tensor([18.0], dtype=torch.float64)
    constant = lambda y, sigma: torch.ones_like(y)  # noqa: E731
    assert MeanSquare("epsilon")(constant, x_0, level, epsilon) > 1e7
    assert MeanSquare("epsilon", max_weight=5.0)(constant, x_0, level, epsilon) == 5.0


def test_levels_are_stratified():
    levels = Levels(-8.0, 3.0)
    drawn = levels.draw(100, torch.Generator().manual_seed(0))
    assert drawn.dtype == torch.float64
    strata = np.sort((drawn.numpy() + 8) / 11 * 100)
    np.testing.assert_allclose(np.diff(strata), 1, rtol=1e-9)
    assert not torch.equal(drawn, drawn.sort().values)
    centred = Levels(-8.0, 3.0, quantile=lambda u: u**2).draw(1000, torch.Generator().manual_seed(0))
    assert abs(float(centred.mean()) - (-8 + 11 / 3)) < 0.02
    with pytest.raises(ValueError, match="low < high, finite; got 3"):
        Levels(3, 1)


MISTAKES = {
    "prediction": (lambda: MeanSquare("noise"), "prediction='noise' is unknown; choose one of: x0"),
    "variance": (lambda: MeanSquare("edm", data_variance=0.0), "data_variance must be finite and > 0; got 0.0"),
    "bound": (lambda: MeanSquare(max_weight=-1.0), "max_weight must be finite and > 0; got -1.0"),
    "field": (lambda: FieldDenoiser(None, 0.0), "data_variance must be finite and > 0; got 0.0"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_named(mistake):
    make, message = MISTAKES[mistake]
    with pytest.raises(ValueError, match=message):
        make()


def test_the_gaussian_score_is_learned_in_expectation():
    """Denoising score matching of a Gaussian: the exact denoiser has the least loss of its scalings, and its value."""
    field = GaussianField()
    exact = GaussianDenoiser(np.zeros((2, 3)), field.covariance)
    rng = np.random.default_rng(5)
    x_0 = torch.from_numpy(rng.multivariate_normal(np.zeros(6), field.covariance, size=20000).reshape(-1, 2, 3))
    epsilon = torch.from_numpy(rng.normal(size=x_0.shape))
    level = torch.zeros(len(x_0), dtype=torch.float64)
    losses = [
        float(MeanSquare("x0")(lambda y, sigma, c=c: c * exact(y, sigma), x_0, level, epsilon).mean())
        for c in (0.9, 1.0, 1.1)
    ]
    assert losses[1] < min(losses[0], losses[2])
    values = np.linalg.eigvalsh(field.covariance)
    np.testing.assert_allclose(losses[1], (values / (values + 1)).mean(), rtol=0.02)
