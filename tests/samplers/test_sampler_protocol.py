# SPDX-License-Identifier: BSD-3-Clause
"""Every sampler is a Markov kernel with named randomness, to the letter of the protocol."""

from __future__ import annotations

import inspect
import io
import json

import numpy as np
import pytest

import spinodal as sp
from samplers.cases import SAMPLERS, advance, assert_same, mixed, parallel_tempering
from spinodal.samplers.mixed import MixedSampler, Part
from spinodal.samplers.protocol import Key, State

MODELS = {
    "rectangle": sp.IsingModel((4, 6), h=0.1),
    "cube": sp.IsingModel((2, 4, 4), J=-1.0, h=0.3),
    "critical": sp.IsingModel((4, 26)),  # where "auto" takes clusters
}
TEMPERATURE = np.tile([2.0, 2.4, 3.0, 3.5], 3)
N_CHAINS = len(TEMPERATURE)
UNMIXED = {name: build for name, build in SAMPLERS.items() if build is not mixed}  # a mixture's parts have their own
KEY = Key(seed=7, step=13, first_chain=8)  # a heat bath is among the next sixteen sweeps


@pytest.fixture(params=MODELS)
def model(request):
    return MODELS[request.param]


@pytest.fixture
def sampler(build, model):
    return build(model, TEMPERATURE)


@pytest.mark.parametrize("cut", [(1, 8), (4, 5), (8, 1), (3, 3, 3), (0, 9), (1,) * 9])
def test_steps_add_up(sampler, cut):
    whole, sums = advance(sampler, KEY, sampler.init(KEY, N_CHAINS), 9)
    parts, added = advance(sampler, KEY, sampler.init(KEY, N_CHAINS), *cut)
    assert_same(parts.arrays(), whole.arrays())
    assert_same(added, sums)


def test_chains_by_themselves_are_those_of_the_whole(sampler):
    sampler = sampler.settled(N_CHAINS, KEY.first_chain)
    start = sampler.init(KEY, N_CHAINS).draws.copy()
    whole, sums = advance(sampler, KEY, sampler.init(KEY, N_CHAINS), 9)
    for cut in (4, 8):
        states, infos = [], []
        for first, last in ((0, cut), (cut, N_CHAINS)):
            assert first % sampler.chain_group == last % sampler.chain_group == 0
            part, own = sampler.for_chains(first, last), Key(KEY.seed, KEY.step, KEY.first_chain + first)
            assert_same({"T": part.chain_temperatures(last - first)}, {"T": TEMPERATURE[first:last]})
            state = part.init(own, last - first)
            np.testing.assert_array_equal(state.draws, start[first:last])
            state, info = advance(part, own, state, 9)
            states.append(state.arrays())
            infos.append(info)
        assert_same({name: np.concatenate([s[name] for s in states]) for name in states[0]}, whole.arrays())
        for name in set(infos[0]) & set(infos[1]):  # a part of a mixture may know more of itself
            np.testing.assert_array_equal(np.concatenate([info[name] for info in infos])[: len(sums[name])], sums[name])


@pytest.mark.parametrize("n_threads", [2, 5, None])
def test_threads_leave_every_bit(sampler, n_threads):
    one, sums = advance(sampler, KEY, sampler.init(KEY, N_CHAINS), 5)
    many, added = advance(sampler, KEY, sampler.init(KEY, N_CHAINS), 5, n_threads=n_threads)
    assert_same(many.arrays(), one.arrays())
    assert_same(added, sums)


def test_restored_chains_go_on(build, model, sampler):
    """From the arrays alone, through a file, in a sampler built anew."""
    whole, _ = advance(sampler, KEY, sampler.init(KEY, N_CHAINS), 9)
    state, _ = advance(sampler, KEY, sampler.init(KEY, N_CHAINS), 4)
    file = io.BytesIO()
    np.savez(file, **state.arrays())
    file.seek(0)
    arrays = dict(np.load(file))
    advance(sampler, KEY.at(KEY.step + 4), state, 3)  # what happens to the old state changes nothing
    again = build(model, TEMPERATURE)
    after, _ = advance(again, KEY.at(KEY.step + 4), again.restore(arrays), 5)
    assert_same(after.arrays(), whole.arrays())


def test_states_are_configurations(sampler, model):
    state = sampler.init(KEY, N_CHAINS)
    for _ in range(2):
        assert isinstance(state, State)
        assert state.draws.shape == (N_CHAINS, *model.shape) and state.draws.dtype == np.int8
        assert set(np.unique(state.draws)) == {-1, 1}
        state, _ = advance(sampler, KEY, state, 2)


@pytest.mark.parametrize("build", UNMIXED.values(), ids=UNMIXED)
def test_starts(build, model):
    """Hot chains are named by seed and global number; cold ones are the ground state; "auto" asks the temperature."""
    hot, cold, auto = (build(model, TEMPERATURE, start=start) for start in ("hot", "cold", "auto"))
    draws = hot.init(KEY, N_CHAINS).draws
    assert len(np.unique(draws.reshape(N_CHAINS, -1), axis=0)) == N_CHAINS
    np.testing.assert_array_equal(hot.init(KEY.at(99), N_CHAINS).draws, draws)
    np.testing.assert_array_equal(hot.init(Key(KEY.seed, 0, KEY.first_chain + 4), N_CHAINS).draws[:-4], draws[4:])
    assert not np.array_equal(hot.init(Key(8, 0, KEY.first_chain), N_CHAINS).draws, draws)
    assert (cold.init(KEY, N_CHAINS).draws == model.ground_state()).all()
    is_cold = (model.critical_temperature > TEMPERATURE).reshape(N_CHAINS, *(1,) * model.ndim)
    np.testing.assert_array_equal(auto.init(KEY, N_CHAINS).draws, np.where(is_cold, model.ground_state(), draws))


def test_starting_from_given_configurations(sampler, model):
    given = np.where(np.random.default_rng(1).random((N_CHAINS, *model.shape)) < 0.5, -1, 1)
    before = given.copy()
    state = sampler.state_from(given)
    np.testing.assert_array_equal(state.draws, given)
    advance(sampler, KEY, state, 3)
    np.testing.assert_array_equal(given, before)
    ours = given.astype(np.int8)
    advance(sampler, KEY, sampler.state_from(ours), 3)
    np.testing.assert_array_equal(ours, before)
    lengths = ", ".join(map(str, model.shape))
    for wrong in (given[:, :-1], given[0]):
        with pytest.raises(ValueError, match=rf"of shape \(n_chains, {lengths}\); got shape"):
            sampler.state_from(wrong)
    for wrong, value in (
        (given * 0, 0),
        (np.abs(given) * 3, 3),
        (np.abs(given) + 0.5, 1.5),
        (np.abs(given) * 257, 257),
    ):
        with pytest.raises(ValueError, match=f"must be ±1; one holds {value}"):
            sampler.state_from(wrong)


def test_chain_temperatures(sampler):
    assert_same({"T": sampler.chain_temperatures(N_CHAINS)}, {"T": TEMPERATURE})
    for wrong in (0, -1, N_CHAINS + 1):
        with pytest.raises(ValueError, match=rf"(?<![\d-]){wrong}\b"):
            sampler.chain_temperatures(wrong)
        with pytest.raises(ValueError, match=rf"(?<![\d-]){wrong}\b"):
            sampler.init(KEY, wrong)


@pytest.mark.parametrize("build", UNMIXED.values(), ids=UNMIXED)
def test_one_temperature_serves_any_number_of_chains(build, model):
    temperature = [3.1, 3.2] if getattr(build, "func", build) is parallel_tempering else 3.1
    sampler = build(model, temperature)
    expected = np.resize(temperature, 6)
    assert_same({"T": sampler.chain_temperatures(6)}, {"T": expected})
    assert len(advance(sampler, KEY, sampler.init(KEY, 6), 1)[0].draws) == 6
    with pytest.raises(ValueError, match=r"n_chains must be .*0"):
        sampler.chain_temperatures(0)


OPTIONS = {
    "stream": "philox10",
    "start": "hot",
    "backend": "cpp",
    "heat_bath_every": 3,
    "swap_every": 2,
    "layout": "lanes",
}
KINDS = [sp.Metropolis, sp.HeatBath, sp.Wolff, sp.SwendsenWang, sp.ParallelTempering]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_describe_tells_every_choice(kind):
    """Whatever can be chosen beyond the system and the temperatures; a new option must join."""
    options = set(inspect.signature(kind).parameters) - {"model", "temperature", "temperatures"}
    chosen = {name: OPTIONS[name] for name in options}
    described = kind(MODELS["rectangle"], [2.0, 3.0], **chosen).describe()
    assert described["method"] == kind.__name__
    assert {name: described[name] for name in options} == chosen
    assert described["instruction_set"]


def test_describe_fits_a_file(sampler):
    described = sampler.describe()
    assert json.loads(json.dumps(described)) == described
    assert {"stream", "start", "backend", "instruction_set"} <= described.keys()


def test_a_mixture_describes_its_parts():
    sampler = mixed(MODELS["rectangle"], TEMPERATURE)
    described = sampler.describe()
    shared = {name: value for name, value in described.items() if name not in ("method", "parts")}
    assert described["method"] == "MixedSampler"
    for part, own in zip(sampler.parts, described["parts"], strict=True):
        bounds = {"chains": [part.start, part.stop], "updates_per_step": part.updates_per_step}
        assert {**shared, **own} == {**part.sampler.describe(), **bounds}


def test_numba_gives_these_bits(build, model):
    """Of the local updates; cluster updates agree in distribution."""
    one, other = (build(model, TEMPERATURE, backend=backend) for backend in ("cpp", "numba"))
    assert other.describe()["backend"] == "numba"
    start = one.init(KEY, N_CHAINS)
    assert_same(start.arrays(), other.init(KEY, N_CHAINS).arrays())
    if isinstance(one, sp.Metropolis | sp.ParallelTempering):
        state, sums = advance(one, KEY, start, 9)
        same, added = advance(other, KEY, other.init(KEY, N_CHAINS), 9)
        assert_same(same.arrays(), state.arrays())
        assert_same(added, sums)


@pytest.mark.parametrize("wrong", [0.0, -1.5, np.nan, np.inf])
def test_temperatures_must_be_positive_and_finite(build, model, wrong):
    temperature = np.array([*TEMPERATURE[:-1], wrong])
    with pytest.raises(ValueError, match=rf"temperature must be finite and > 0; got {wrong}"):
        build(model, temperature)


@pytest.mark.parametrize("shape", [(3, 4), (4, 3), (2, 5, 4)], ids=str)
def test_odd_lengths_are_refused_by_checkerboards_alone(build, shape):
    model = sp.IsingModel(shape)
    if build in (sp.Metropolis, sp.HeatBath, parallel_tempering, mixed):
        odd = next(length for length in shape if length % 2)
        with pytest.raises(ValueError, match=rf"even lengths; got {odd} in"):
            build(model, TEMPERATURE)
        return
    sampler = build(model, TEMPERATURE)
    assert advance(sampler, KEY, sampler.init(KEY, N_CHAINS), 3)[0].draws.shape == (N_CHAINS, *shape)


MISTAKES = {
    "stream": (lambda m: sp.Wolff(m, 2.0, stream="mt19937"), r"stream='mt19937' is unknown; choose one of: ars7"),
    "start": (lambda m: sp.Wolff(m, 2.0, start="warm"), r"start='warm' is unknown; choose one of: auto, hot, cold"),
    "method": (lambda m: sp.sampler(m, 2.0, "magic"), r"method='magic' is unknown; choose one of: auto, metropolis"),
    "axes": (lambda m: sp.Wolff(m, [[2.0]]), r"got shape \(1, 1\)"),
    "heat_bath_every": (lambda m: sp.Metropolis(m, 2.0, heat_bath_every=-1), r"heat_bath_every must be >= 0; got -1"),
    "ladder heat_bath_every": (lambda m: sp.ParallelTempering(m, [2, 3], heat_bath_every=-1), r">= 0; got -1"),
    "swap_every": (lambda m: sp.ParallelTempering(m, [2, 3], swap_every=0), r"swap_every must be >= 1; got 0"),
    "one rung": (lambda m: sp.ParallelTempering(m, [2.0]), r"at least two increasing numbers; got \[2\.\]"),
    "no ladder": (lambda m: sp.ParallelTempering(m, 2.0), r"at least two increasing numbers; got 2"),
    "order": (lambda m: sp.ParallelTempering(m, [2.0, 3.0, 2.5]), r"increasing numbers; got \[2\.  3\.  2\.5\]"),
    "no part": (lambda m: MixedSampler([]), r"without gaps; got \[0\]"),
    "gap": (lambda m: MixedSampler([Part(sp.Wolff(m, 2.0), 1, 2, 1)]), r"without gaps; got \[0, 2\]"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_named(mistake):
    make, message = MISTAKES[mistake]
    with pytest.raises(ValueError, match=message):
        make(MODELS["rectangle"])


def test_a_negative_number_of_steps_is_refused(sampler):
    with pytest.raises(ValueError, match=r">= 0; got -"):
        sampler.step(KEY, sampler.init(KEY, N_CHAINS), -1)


def test_the_two_names_of_metropolis():
    assert sp.MetropolisHastings is sp.Metropolis
