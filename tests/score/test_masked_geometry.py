# SPDX-License-Identifier: BSD-3-Clause
"""The order of the sites: all once, what is shown is known, far apart in a pass, and the tails are independent."""

from __future__ import annotations

import numpy as np
import pytest

from score.masked_models import states_4x4
from spinodal.score.masked.geometry import CENTRE, even_beyond, neighbours, refinement

LENGTHS = [4, 8, 12, 16, 20, 24, 32, 40, 64]


@pytest.mark.parametrize("length", LENGTHS)
def test_every_site_is_drawn_once(length):
    plan = refinement(length)
    order = np.concatenate([plan.learned, plan.b2, plan.odd])
    np.testing.assert_array_equal(np.sort(order), np.arange(length**2))
    assert len(plan.learned) == 3 * length**2 // 8 and len(plan.b2) == length**2 // 8


@pytest.mark.parametrize("length", LENGTHS)
def test_windows_show_what_is_known_and_hide_the_rest(length):
    plan = refinement(length)
    known = set(plan.base.tolist())
    for step in plan.passes:
        assert not step.visible[CENTRE]
        for window in step.windows.reshape(-1, 16):
            assert all((site in known) == shown for site, shown in zip(window.tolist(), step.visible, strict=True))
        known |= set(step.sites.tolist())


@pytest.mark.parametrize("length", [8, 16, 24])
def test_windows_surround_their_sites(length):
    """Every window is the neighbourhood of its site, as seen along one axis or the other."""
    down, right = np.divmod(np.arange(16), 4)
    for step in refinement(length).passes:
        y, x = np.divmod(step.windows.reshape(-1, 16), length)
        v, u = ((y - y[:, [CENTRE]]) % length, (x - x[:, [CENTRE]]) % length)
        straight = np.array([(step.stride * (down - 2)) % length, (step.stride * (right - 2)) % length])
        seen = np.array([v, u]) if (y[0, CENTRE] // step.stride) % 2 == 0 or step.kind == "a" else np.array([u, v])
        np.testing.assert_array_equal(seen, np.broadcast_to(straight[:, None], seen.shape))


@pytest.mark.parametrize("length", [8, 16, 24, 32])
def test_blocks_are_neighbours_where_windows_are(length):
    """The network's rows and columns run as its windows' do: the next block's window is four strides on."""
    for step in refinement(length).passes:
        m, windows = len(step.windows), step.windows.reshape(*step.windows.shape[:2], 4, 4)
        if m == 1:
            continue
        rows, columns = np.concatenate([windows[0, 0], windows[1, 0]]), np.hstack([windows[0, 0], windows[0, 1]])
        for line in (*rows.T, *columns):
            steps = np.diff(np.stack(np.divmod(line, length)), axis=1) % length
            assert (steps == steps[:, :1]).all() and sorted(steps[:, 0]) == [0, step.stride]


@pytest.mark.parametrize("length", [8, 16, 24, 64])
def test_sites_of_a_pass_are_four_strides_apart(length):
    for step in refinement(length).passes:
        y, x = np.divmod(step.sites, length)
        assert set(((y - y[0]) % (4 * step.stride)).tolist()) == {0} == set(((x - x[0]) % (4 * step.stride)).tolist())


@pytest.mark.parametrize("length", [4, 8, 12])
def test_neighbours(length):
    grid = np.arange(length**2).reshape(length, length)
    around = {grid[y, x]: [grid[(y + 1) % length, x], grid[y - 1, x], grid[y, (x + 1) % length], grid[y, x - 1]]
              for y in range(length) for x in range(length)}  # fmt: skip
    plan = refinement(length)
    for site, four in zip(plan.odd, plan.odd_even, strict=True):
        assert sorted(four) == sorted(around[site])
    for site, four in zip(plan.b2, plan.b2_even, strict=True):
        for odd, three in zip(around[site], four, strict=True):
            assert sorted([*three, site]) == sorted(around[odd])
    assert neighbours(length, np.array([0])).tolist() == [around[0]]
    assert even_beyond(length, plan.b2).shape == (length**2 // 8, 4, 3)


@pytest.mark.parametrize("temperature", [1.5, 2.269])
def test_tails_are_independent(temperature):
    """By enumeration: given all before them, the spins of each tail multiply up, and those of B1 do not."""
    spins, energy = states_4x4()
    plan = refinement(4)
    p = np.exp(-(energy - energy.min()) / temperature)
    p /= p.sum()
    flat = spins.reshape(-1, 16)
    assert _dependence(p, flat, plan.learned, plan.b2) < 1e-12
    assert _dependence(p, flat, np.concatenate([plan.learned, plan.b2]), plan.odd) < 1e-12
    assert _dependence(p, flat, plan.base, plan.passes[0].sites.tolist() + plan.passes[1].sites.tolist()) > 1e-6


def _dependence(p, flat, given, sites):
    """Largest |p(sites | given) − Π p(site | given)|, times p(given)."""
    n_given, n_sites = len(given), len(sites)
    index = (flat[:, given] > 0) @ (1 << np.arange(n_given)) + (
        (flat[:, sites] > 0) @ (1 << np.arange(n_sites)) << n_given
    )
    joint = np.bincount(index, p, minlength=1 << (n_given + n_sites)).reshape(1 << n_sites, 1 << n_given)
    total = joint.sum(0)
    ups = [joint[(np.arange(1 << n_sites) >> i) & 1 == 1].sum(0) / total for i in range(n_sites)]
    product = np.ones_like(joint)
    for i, up in enumerate(ups):
        product *= np.where(((np.arange(1 << n_sites) >> i) & 1)[:, None] == 1, up, 1 - up)
    return np.abs(joint - product * total).max()


@pytest.mark.parametrize("length", [2, 6, 10, 7, 0])
def test_other_lengths_are_refused(length):
    with pytest.raises(ValueError, match=f"multiple of 4 for the masked sampler; got {length}"):
        refinement(length)
