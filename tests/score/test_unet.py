# SPDX-License-Identifier: BSD-3-Clause
"""The network on its torus: shapes, translations, what is exact before it has learned anything."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import spinodal as sp
from spinodal.score.network_denoisers import FieldDenoiser, IsingDenoiser
from spinodal.score.unet import ScoreNetwork


def network(*, random=True, **arguments):
    """A small network in double precision, every weight random so that nothing hides behind a zero."""
    net = ScoreNetwork(**{"base_channels": 8, "time_embed_dim": 4, "n_heads": 2, **arguments}).double()
    if random:
        generator = torch.Generator().manual_seed(5)
        with torch.no_grad():
            for p in net.parameters():
                p.copy_(0.3 * torch.randn(p.shape, generator=generator, dtype=torch.float64))
    return net


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize(("n_levels", "shape"), [(1, (5, 7)), (2, (4, 6)), (3, (8, 12)), (2, (2, 2))])
def test_the_answer_has_the_shape_of_x(n_levels, shape):
    net = network(n_levels=n_levels, in_channels=2)
    x = normal(3, 2, *shape)
    assert net(x, torch.zeros(3)).shape == x.shape
    assert net(x, torch.tensor(0.5), torch.tensor(0.4), torch.zeros(3)).shape == x.shape
    assert network(n_levels=n_levels, in_channels=2, out_channels=1)(x, torch.zeros(3)).shape == (3, 1, *shape)


def test_three_dimensions():
    net = network(n_levels=2, dim=3)
    x = normal(2, 1, 4, 2, 6)
    out = net(x, torch.zeros(2))
    assert out.shape == x.shape
    moved = net(x.roll((2, 0, 4), (2, 3, 4)), torch.zeros(2))
    torch.testing.assert_close(moved, out.roll((2, 0, 4), (2, 3, 4)))


@pytest.mark.parametrize("n_levels", [1, 2, 3])
def test_translations_by_the_stride(n_levels):
    """Zeros beyond an edge would break this, and so would attention with positions."""
    net = network(n_levels=n_levels, num_blocks=2)
    x, t = normal(2, 1, 8, 16), torch.tensor([0.3, -1.0])
    out = net(x, t)
    for shift in ((net.stride, 0), (0, net.stride), (-net.stride, 3 * net.stride)):
        torch.testing.assert_close(net(x.roll(shift, (2, 3)), t), out.roll(shift, (2, 3)))


def test_every_site_sees_every_site():
    """Attention at the coarsest level reaches the whole lattice."""
    net = network(n_levels=2)
    x = normal(1, 1, 16, 16).requires_grad_()
    net(x, torch.zeros(1))[0, 0, 0, 0].backward()
    assert (x.grad.abs() > 1e-14).all()


@pytest.mark.parametrize("condition", ["t", "coupling", "field"])
def test_every_condition_changes_the_answer(condition):
    """Trap: a temperature that is taken and ignored."""
    net, x = network(), normal(2, 1, 4, 4)
    base = {"t": torch.zeros(2), "coupling": torch.full((2,), 0.4), "field": torch.zeros(2)}
    changed = {**base, condition: base[condition] + torch.tensor([0.5, 0.0])}
    before, after = net(x, **base), net(x, **changed)
    assert (before[0] - after[0]).abs().max() > 1e-3
    torch.testing.assert_close(before[1], after[1])


def test_the_magnetisation_keeps_its_amplitude():
    """No normalisation: a constant configuration of another size has another answer."""
    net = network()
    answers = [net(torch.full((1, 1, 4, 4), size, dtype=torch.float64), torch.zeros(1)) for size in (0.1, 0.2, 2.0)]
    assert (answers[0] - answers[1]).abs().min() > 1e-4 and (answers[1] - answers[2]).abs().min() > 1e-3


def test_seeds_make_weights_and_the_global_generator_rests():
    before = torch.get_rng_state()
    one, same, other = (ScoreNetwork(base_channels=8, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(before, torch.get_rng_state())
    for name, tensor in one.state_dict().items():
        assert torch.isfinite(tensor).all() and torch.equal(tensor, same.state_dict()[name])
    assert not torch.equal(one.first.convolution.weight, other.first.convolution.weight)


def test_a_file_brings_the_network_back(tmp_path):
    net = network(in_channels=2, out_channels=1, n_levels=3).float()
    manifest = {"data": "none", "command": "none", "seed": 0, "ess": {}}
    sp.score.save_weights(tmp_path / "net", net, manifest)
    again, _ = sp.score.load_weights(tmp_path / "net")
    x = normal(1, 2, 8, 8).float()
    assert torch.equal(again(x, torch.zeros(1)), net(x, torch.zeros(1)))


@pytest.mark.parametrize("n_channels", [1, 2, 3])
def test_free_spins_are_exact(n_channels):
    """J = 0, and T → ∞, whatever the weights."""
    y, sigma = normal(3, 4, 4), torch.tensor([0.3, 1.0, 9.0], dtype=torch.float64)
    net = network(in_channels=n_channels, out_channels=1)
    exact = torch.tanh(y / sigma.reshape(3, 1, 1) ** 2 + 0.4 / 1.7)
    free = IsingDenoiser(net, sp.IsingModel(4, J=0.0, h=0.4)).at(1.7)
    torch.testing.assert_close(free(y, sigma), exact, rtol=1e-13, atol=1e-13)
    hot = IsingDenoiser(net, sp.IsingModel(4)).at(1e18)
    torch.testing.assert_close(hot(y, sigma), torch.tanh(y / sigma.reshape(3, 1, 1) ** 2), atol=1e-9, rtol=1e-9)
    coupled = IsingDenoiser(net, sp.IsingModel(4, J=1.0, h=0.4)).at(1.7)
    assert (coupled(y, sigma) - exact).abs().max() > 1e-3


def test_an_untrained_network_is_the_free_denoiser():
    net = network(random=False, in_channels=2, out_channels=1)
    y, sigma = normal(2, 4, 4), torch.tensor([0.5, 2.0], dtype=torch.float64)
    found = IsingDenoiser(net, sp.IsingModel(4)).at([2.0, 3.0])(y, sigma)
    torch.testing.assert_close(found, torch.tanh(y / sigma.reshape(2, 1, 1) ** 2))
    field = FieldDenoiser(net.__class__(base_channels=8, n_heads=2).double(), 2.0).at(1.0)
    torch.testing.assert_close(field(y, sigma), y * (2 / (sigma**2 + 2)).reshape(2, 1, 1))


def test_the_network_is_told_known_spins():
    net = network(in_channels=3, out_channels=1)
    denoiser = IsingDenoiser(net, sp.IsingModel(4)).at(2.3)
    known = np.zeros((4, 4), bool)
    known[1, 2] = True
    y, sigma = normal(2, 4, 4), torch.tensor(1.5, dtype=torch.float64)
    up, down = (denoiser.given(known, value * np.ones((4, 4))) for value in (1, -1))
    assert (up(y, sigma)[:, known] == 1).all() and (down(y, sigma)[:, known] == -1).all()
    assert (up.field(y, sigma) - down.field(y, sigma))[:, ~known].abs().min() > 0
    with pytest.raises(TypeError, match="this network has 2 channels in"):
        IsingDenoiser(network(in_channels=2, out_channels=1), sp.IsingModel(4)).at(2.3).given(known, np.ones((4, 4)))


MISTAKES = {
    "length": (lambda: network(n_levels=3)(normal(1, 1, 8, 6), 0.0), "divisible by 4, this network's stride; got 6"),
    "axes": (
        lambda: network()(normal(1, 4, 4), 0.0),
        r"\(batch, channels, y, x\) with 1 channels; got \(1, 4, 4\)",
    ),
    "channels": (lambda: network()(normal(1, 3, 4, 4), 0.0), r"with 1 channels; got \(1, 3, 4, 4\)"),
    "width": (lambda: ScoreNetwork(base_channels=0), "base_channels must be >= 1; got 0"),
    "heads": (lambda: ScoreNetwork(base_channels=9, n_levels=1), "n_heads=4 must divide the 9 channels"),
    "embedding": (lambda: ScoreNetwork(time_embed_dim=3), "time_embed_dim must be even and >= 2; got 3"),
    "dim": (lambda: ScoreNetwork(dim=4), "dim must be 2 or 3; got 4"),
    "in": (lambda: IsingDenoiser(network(in_channels=4), sp.IsingModel(4)), "1, 2 or 3 channels in; got 4"),
    "out": (lambda: IsingDenoiser(network(in_channels=2), sp.IsingModel(4)), "out_channels=1; got 2"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_named(mistake):
    make, message = MISTAKES[mistake]
    with pytest.raises(ValueError, match=message):
        make()
