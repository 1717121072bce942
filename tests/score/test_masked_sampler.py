# SPDX-License-Identifier: BSD-3-Clause
"""The masked sampler and independence Metropolis as samplers of the package."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import spinodal as sp
from score.masked_models import random_model
from spinodal.analysis import log_partition
from spinodal.samplers.protocol import Key, State
from spinodal.score.independence import IndependenceMetropolis

MODEL = random_model(0.3)
SYSTEM = sp.IsingModel(4)
TEMPERATURE = np.tile([2.0, 2.4, 3.0], 3)
KEY = Key(seed=7, step=13, first_chain=8)


def independence(system=SYSTEM, temperature=TEMPERATURE, **options):
    return IndependenceMetropolis(MODEL.sampler(system, temperature), **options)


def with_moves(system=SYSTEM, temperature=TEMPERATURE):
    return independence(system, temperature, moves=sp.Wolff(system, temperature), n_moves=2)


BUILDS = {"masked": MODEL.sampler, "independence": independence, "with_moves": with_moves}


@pytest.fixture(params=BUILDS)
def build(request):
    return BUILDS[request.param]


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name, array in one.items():
        assert array.dtype == other[name].dtype
        np.testing.assert_array_equal(array, other[name], err_msg=name)


def advance(sampler, key, state, *counts, n_threads=1):
    for count in counts:
        state, info = sampler.step(key, state, count, n_threads=n_threads)
        assert all(values.shape == (len(state.draws),) for values in info.values())
        key = key.at(key.step + count)
    return state


@pytest.mark.parametrize("cut", [(1, 4), (3, 2), (0, 5)])
def test_steps_add_up(build, cut):
    sampler = build(SYSTEM, TEMPERATURE)
    whole = advance(sampler, KEY, sampler.init(KEY, 9), 5)
    assert_same(advance(sampler, KEY, sampler.init(KEY, 9), *cut).arrays(), whole.arrays())
    assert isinstance(whole, State) and whole.draws.dtype == np.int8 and whole.draws.shape == (9, 4, 4)


@pytest.mark.parametrize("length", [4, 16])
def test_chains_by_themselves_are_those_of_the_whole(build, length):
    system = sp.IsingModel(length)
    n_chains = 200 if length == 16 else 9  # over the edge of a block
    temperature = np.resize(TEMPERATURE, n_chains)
    sampler = build(system, temperature).settled(n_chains)
    whole = advance(sampler, KEY, sampler.init(KEY, n_chains), 1).arrays()
    for first, last in ((0, 5), (5, n_chains)):
        part = sampler.for_chains(first, last)
        own = Key(KEY.seed, KEY.step, KEY.first_chain + first)
        found = advance(part, own, part.init(own, last - first), 1).arrays()
        assert_same(found, {name: array[first:last] for name, array in whole.items()})


def test_threads_leave_every_bit(build):
    sampler = build(sp.IsingModel(16), TEMPERATURE)
    one = advance(sampler, KEY, sampler.init(KEY, 9), 1)
    assert_same(advance(sampler, KEY, sampler.init(KEY, 9), 1, n_threads=2).arrays(), one.arrays())


def test_restored_chains_go_on(build):
    sampler = build(SYSTEM, TEMPERATURE)
    whole = advance(sampler, KEY, sampler.init(KEY, 9), 5)
    arrays = {name: a.copy() for name, a in advance(sampler, KEY, sampler.init(KEY, 9), 2).arrays().items()}
    again = build(SYSTEM, TEMPERATURE)
    assert_same(advance(again, KEY.at(KEY.step + 2), again.restore(arrays), 3).arrays(), whole.arrays())


def test_run_gives_one_weighted_draw_a_chain(tmp_path):
    samples = sp.run(MODEL.sampler(sp.IsingModel(8), temperature=3.0), n_chains=40, seed=3, progress=False, n_threads=1)
    assert samples.draws.shape == (40, 1, 8, 8) and samples.draws.dtype == np.int8
    assert samples.log_weights.shape == (40, 1)
    sampler = MODEL.sampler(sp.IsingModel(8), temperature=3.0)
    np.testing.assert_allclose(sampler.log_weights(samples.draws[:, 0]), samples.log_weights[:, 0], atol=1e-5)
    same = sp.run(sampler, n_chains=40, seed=3, progress=False, n_threads=1, checkpoint=tmp_path / "run.h5")
    np.testing.assert_array_equal(same.draws, samples.draws)
    assert not np.array_equal(sp.run(sampler, n_chains=40, seed=4, progress=False, n_threads=1).draws, samples.draws)
    loaded = sp.load(tmp_path / "run.h5")
    np.testing.assert_array_equal(loaded.log_weights, samples.log_weights)
    assert loaded.provenance["sampler"]["weights"] == MODEL.fingerprint()


def test_other_samplers_need_a_number_of_steps():
    with pytest.raises(TypeError, match="the chains of Wolff need n_steps"):
        sp.run(sp.Wolff(SYSTEM, 2.0), n_chains=1)


@pytest.mark.parametrize("system", [SYSTEM, sp.IsingModel(4, h=0.1), sp.IsingModel(4, J=-1.0), sp.IsingModel(4, J=2.0)],
                         ids=["ferromagnet", "field", "antiferromagnet", "strong"])  # fmt: skip
def test_weighted_energies_and_ln_z_are_exact(system):
    temperature = 3.0 * abs(system.J)
    samples = sp.run(MODEL.sampler(system, temperature), n_chains=8_000, seed=1, progress=False, n_threads=1)
    exact = sp.exact.enumerate_ising(4, system.J, system.h)
    found = samples.estimate("energy_per_site")
    assert abs(found.mean - exact.energy_per_site(temperature)) < 4.5 * found.stderr
    raw = samples.energy.mean() / 16
    assert abs(raw - exact.energy_per_site(temperature)) > 6 * found.stderr  # what the weights have corrected
    z = log_partition(samples)
    assert abs(z.mean - exact.log_z(temperature)) < 4.5 * z.stderr
    assert 0 < z.weights.ess / 8_000 < 0.99 and z.forward_kl > 0 and z.reverse_kl > 0
    assert z.free_energy_per_site[0] == pytest.approx(-temperature * z.per_site[0])


@pytest.mark.parametrize("build", [independence, with_moves], ids=["alone", "with Wolff"])
def test_metropolis_over_proposals_is_exact(build):
    samples = sp.run(build(SYSTEM, 3.5), n_chains=128, n_steps=60, burn_in=10, seed=5, progress=False, n_threads=1)
    exact = sp.exact.enumerate_ising(4)
    for name in ("energy_per_site", "abs_magnetization"):
        found = samples.estimate(name)
        assert abs(found.mean - getattr(exact, name)(3.5)) < 4.5 * found.stderr and found.stderr < 0.03
    rate = samples.info["accepted"].mean()
    assert 0.05 < rate < 0.95
    assert samples.log_weights is None


def test_accepted_chains_from_given_configurations():
    sampler = independence(SYSTEM, 2.4)
    start = np.ones((6, 4, 4), dtype=np.int8)
    state = sampler.state_from(start)
    np.testing.assert_allclose(state.proposal_weights, sampler.proposal.log_weights(start))
    with pytest.raises(ValueError, match="must be ±1"):
        sampler.state_from(np.zeros((6, 4, 4)))


def test_disagreeing_samplers_are_refused():
    with pytest.raises(ValueError, match="different temperatures"):
        independence(SYSTEM, 2.0, moves=sp.Wolff(SYSTEM, 2.1)).init(KEY, 2)
    with pytest.raises(ValueError, match="moves are of"):
        independence(SYSTEM, 2.0, moves=sp.Wolff(sp.IsingModel(8), 2.0))
    with pytest.raises(ValueError, match="n_moves must be >= 1; got 0"):
        independence(SYSTEM, 2.0, n_moves=0)


def test_what_the_model_cannot_take_is_refused():
    for system, message in (
        (sp.IsingModel((4, 8)), "square lattices"),
        (sp.IsingModel((4, 4, 4)), "square lattices"),
        (sp.IsingModel(6), "multiple of 4"),
        (sp.IsingModel(20), "coarsest 10"),
        (sp.IsingModel(4, J=-1.0, h=0.5), "antiferromagnet in a field"),
    ):
        with pytest.raises(ValueError, match=message):
            MODEL.sampler(system, 2.0)
    with pytest.raises(ValueError, match="temperature must be finite and > 0; got -1"):
        MODEL.sampler(SYSTEM, -1.0)
    with pytest.warns(UserWarning, match=r"T/J = 5 is outside 1.5 … 3.5"):
        MODEL.sampler(SYSTEM, 5.0)


def test_no_coupling_is_exact():
    samples = sp.run(MODEL.sampler(sp.IsingModel(8, J=0.0), 1.0), n_chains=50, progress=False, n_threads=1)
    np.testing.assert_allclose(samples.log_weights, 64 * np.log(2), rtol=1e-14)


def test_without_torch_the_error_says_what_to_install():
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import spinodal as sp\n"
        "try:\n    sp.score.train_masked\nexcept ImportError as error:\n    print(error)"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert said == "spinodal.score needs torch and safetensors: pip install 'spinodal[torch]'\n"
