# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import io
import math
import random
import sys
from dataclasses import replace

import numpy as np
import pytest

from run.conftest import same_bits
from run.toy import BrokenIsing, ToyHeatBath, ToyIsing, ToyTempering
from spinodal.samplers.protocol import Key
from spinodal.samplers.run import NonFiniteEnergyError, run
from spinodal.samplers.running import advance


@pytest.fixture
def pace(monkeypatch):
    """Make the number of steps in a native call what the test wants."""

    def set_pace(choose):
        monkeypatch.setattr(advance.Pace, "learn", lambda self, *_: setattr(self, "n_steps", choose()))

    return set_pace


def test_draws_are_those_of_the_sampler(sampler):
    samples = run(sampler, n_chains=4, n_steps=12, burn_in=5, thin=3, seed=11)
    key = Key(11)
    state, _ = sampler.step(key, sampler.init(key, 4), 5)
    for draw in range(4):
        state, info = sampler.step(key.at(5 + 3 * draw), state, 3)
        np.testing.assert_array_equal(samples.draws[:, draw], state.draws)
        np.testing.assert_array_equal(samples.energy[:, draw], sampler.system.energy(state.draws))
        np.testing.assert_array_equal(samples.info["magnetization"][:, draw], sampler.system.magnetization(state.draws))
        for name, sums in info.items():
            np.testing.assert_array_equal(samples.info[name][:, draw], sums)
    assert samples.draws.dtype == np.int8 and samples.energy.dtype == np.float64
    assert samples.temperature.tolist() == sampler.chain_temperatures(4).tolist()
    assert samples.provenance["complete"] and not samples.provenance["interrupted"]
    assert (samples.provenance["first_step"], samples.provenance["last_step"]) == (0, 17)


def test_bits_do_not_depend_on_the_length_of_calls(sampler, pace):
    arguments = {"n_chains": 4, "n_steps": 30, "burn_in": 7, "thin": 10, "seed": 2}
    reference = run(sampler, **arguments)
    for seed in range(3):
        rng = random.Random(seed)
        pace(lambda rng=rng: rng.choice([1, 2, 3, 8, 100]))
        same_bits(run(sampler, **arguments), reference)


def test_diagnostics_are_summed_from_draw_to_draw(toy):
    assert (run(toy, n_chains=2, n_steps=30, burn_in=7, thin=10).info["n_sweeps"] == 10).all()


@pytest.mark.alone
def test_calls_are_short(toy, monkeypatch):
    lengths = []
    step = ToyHeatBath.step

    def counted(self, key, state, n_steps, **options):
        lengths.append(n_steps)
        return step(self, key, state, n_steps, **options)

    monkeypatch.setattr(ToyHeatBath, "step", counted)
    run(replace(toy, seconds_per_step=0.001), n_chains=1, n_steps=200, thin=200)
    assert lengths[0] == 1
    assert 4 < max(lengths) <= 20


def test_seeds(toy):
    same_bits(run(toy, n_chains=2, n_steps=3), run(toy, n_chains=2, n_steps=3, seed=0))
    assert not np.array_equal(run(toy, n_chains=2, n_steps=3, seed=1).draws, run(toy, n_chains=2, n_steps=3).draws)
    highest = run(toy, n_chains=2, n_steps=3, seed=2**64 - 1)
    assert highest.provenance["seed"] == 2**64 - 1
    fresh = run(toy, n_chains=2, n_steps=3, seed=None)
    assert fresh.provenance["seed"] != run(toy, n_chains=2, n_steps=3, seed=None).provenance["seed"]
    same_bits(run(toy, n_chains=2, n_steps=3, seed=fresh.provenance["seed"]), fresh)


def test_no_global_random_numbers(toy):
    before = np.random.get_state()[1].tolist(), random.getstate()  # noqa: NPY002
    run(toy, n_chains=1, n_steps=2, seed=None)
    assert (np.random.get_state()[1].tolist(), random.getstate()) == before  # noqa: NPY002


def test_keep_draws(sampler):
    arguments = {"n_chains": 4, "n_steps": 6, "thin": 2}
    everything = run(sampler, **arguments)
    nothing = run(sampler, **arguments, keep_draws=False)
    last = run(sampler, **arguments, keep_draws="last")
    assert nothing.draws is None
    np.testing.assert_array_equal(last.draws[:, 0], everything.draws[:, -1])
    for samples in (nothing, last):
        np.testing.assert_array_equal(samples.energy, everything.energy)


BAD = [
    ({"n_chains": 0}, ValueError, "n_chains must be >= 1; got 0"),
    ({"n_chains": 2.0}, TypeError, "n_chains must be an integer; got 2.0"),
    ({"n_chains": True}, TypeError, "n_chains must be an integer; got True"),
    ({"n_steps": 0}, ValueError, "n_steps must be >= 1; got 0"),
    ({"burn_in": -1}, ValueError, "burn_in must be >= 0; got -1"),
    ({"thin": 0}, ValueError, "thin must be >= 1; got 0"),
    ({"thin": 4}, ValueError, "n_steps must be a multiple of thin; got n_steps = 6, thin = 4"),
    ({"seed": -1}, ValueError, r"seed must be >= 0 and < 2\*\*64; got -1"),
    ({"seed": 2**64}, ValueError, r"< 2\*\*64; got 18446744073709551616"),
    ({"burn_in": 2**40}, ValueError, r"at most 2\*\*40 steps"),
    ({"n_threads": 0}, ValueError, "n_threads must be >= 1; got 0"),
    ({"keep_draws": "all"}, ValueError, "keep_draws must be True, False or 'last'; got 'all'"),
    ({"keep_draws": 1}, ValueError, "keep_draws must be True, False or 'last'; got 1"),
    ({"resume": "yes"}, ValueError, "resume must be"),
    ({"resume": "must"}, ValueError, "needs a checkpoint"),
    ({"checkpoint_every": -1}, ValueError, "checkpoint_every must be"),
    ({"checkpoint_every": math.nan}, ValueError, "checkpoint_every must be"),
    ({"checkpoint": "/"}, IsADirectoryError, "is a folder"),
    ({"checkpoint": "/nowhere/run.h5"}, FileNotFoundError, "there is no folder /nowhere"),
    ({"init": np.ones((3, 4, 6))}, ValueError, r"init must have shape \(2, 4, 6\); got \(3, 4, 6\)"),
    ({"init": np.ones((2, 4, 5))}, ValueError, r"init must have shape \(2, 4, 6\); got \(2, 4, 5\)"),
    ({"executor": "threads"}, TypeError, "executor must have submit"),
    ({"executor": object(), "callback": print}, ValueError, "give one of the two"),
]


@pytest.mark.parametrize(("change", "error", "message"), BAD, ids=lambda value: str(value)[:30])
def test_arguments_are_checked_before_any_work(toy, monkeypatch, change, error, message):
    monkeypatch.setattr(ToyHeatBath, "init", lambda *_: pytest.fail("work was begun"))
    with pytest.raises(error, match=message):
        run(toy, **({"n_chains": 2, "n_steps": 6} | change))


def test_chain_groups_are_checked():
    with pytest.raises(ValueError, match="n_chains must be a multiple of 2 for this sampler; got 3"):
        run(ToyTempering(ToyIsing((2, 4, 4))), n_chains=3, n_steps=1)


def test_integers_of_numpy_are_integers(toy):
    assert run(toy, n_chains=np.int64(2), n_steps=np.int32(3), seed=np.uint64(5)).provenance["seed"] == 5


def test_draws_that_do_not_fit_are_refused_before_the_work(toy, monkeypatch):
    monkeypatch.setattr(ToyHeatBath, "step", lambda *_, **__: pytest.fail("work was begun"))
    with pytest.raises(MemoryError, match=r"does not fit into memory: take fewer draws \(a larger thin\)"):
        run(toy, n_chains=2, n_steps=2**39)


def test_init_from_configurations(toy):
    start = np.ones((2, *toy.system.shape), np.int8)
    samples = run(toy, n_chains=2, n_steps=1, init=start)
    state, _ = toy.step(Key(0), toy.state_from(start))
    np.testing.assert_array_equal(samples.draws[:, 0], state.draws)
    assert (start == 1).all()
    assert samples.provenance["init"] != run(toy, n_chains=2, n_steps=1, init=-start).provenance["init"]


@pytest.mark.parametrize("keep_draws", [True, "last"])
def test_going_on_from_samples_is_one_long_run(toy, keep_draws):
    whole = run(toy, n_chains=2, n_steps=12, burn_in=3, seed=4)
    first = run(toy, n_chains=2, n_steps=5, burn_in=3, seed=4, keep_draws=keep_draws)
    second = run(toy, n_chains=2, n_steps=7, seed=4, init=first)
    np.testing.assert_array_equal(second.draws, whole.draws[:, 5:])
    assert (second.provenance["first_step"], second.provenance["last_step"]) == (8, 15)


class Rigid:
    """A sampler that starts where it likes."""

    def __init__(self, sampler):
        for name in (
            "system",
            "chain_group",
            "chain_temperatures",
            "settled",
            "for_chains",
            "describe",
            "restore",
            "step",
        ):
            setattr(self, name, getattr(sampler, name))

    def init(self, *_):
        pytest.fail("work was begun")


def test_not_every_sampler_starts_from_configurations(toy):
    with pytest.raises(TypeError, match="Rigid cannot start from given configurations: it has no state_from"):
        run(Rigid(toy), n_chains=2, n_steps=1, init=np.ones((2, 4, 6)))


def test_going_on_needs_draws(toy):
    with pytest.raises(ValueError, match="without draws cannot be gone on from"):
        run(toy, n_chains=2, n_steps=2, init=run(toy, n_chains=2, n_steps=2, keep_draws=False))


def test_callback_sees_every_draw(toy):
    seen = []

    def look(step, state, info):
        seen.append((step, state.draws.copy(), info["energy"].copy(), info["flipped"].copy()))

    samples = run(toy, n_chains=2, n_steps=6, burn_in=4, thin=2, callback=look)
    assert [step for step, *_ in seen] == [6, 8, 10]
    for draw, (_, draws, energy, flipped) in enumerate(seen):
        np.testing.assert_array_equal(draws, samples.draws[:, draw])
        np.testing.assert_array_equal(energy, samples.energy[:, draw])
        np.testing.assert_array_equal(flipped, samples.info["flipped"][:, draw])


def test_callback_can_end_the_run(toy):
    samples = run(toy, n_chains=2, n_steps=9, callback=lambda step, *_: np.bool_(step < 4))
    assert samples.n_draws == 4
    assert not samples.provenance["complete"] and not samples.provenance["interrupted"]
    assert samples.provenance["last_step"] == 4
    same_bits(samples, run(toy, n_chains=2, n_steps=4))


def test_progress_for_a_program(toy):
    events = []
    run(replace(toy, seconds_per_step=0.01), n_chains=2, n_steps=40, burn_in=10, thin=4, progress=events.append)
    assert 3 <= len(events) <= 12
    assert events[0].step == 0 and math.isinf(events[0].seconds_left)
    assert [event.step for event in events] == sorted(event.step for event in events)
    last = events[-1]
    assert (last.step, last.n_steps, last.draw, last.n_draws, last.seconds_left) == (50, 50, 10, 10, 0)


@pytest.mark.parametrize("progress", [None, False])
def test_progress_is_silent_unless_somebody_looks(toy, capfd, progress):
    run(toy, n_chains=2, n_steps=5, progress=progress)
    assert capfd.readouterr() == ("", "")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_on_a_terminal(toy, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    run(toy, n_chains=2, n_steps=5)
    assert "5/5" in terminal.getvalue()
    monkeypatch.setitem(sys.modules, "rich", None)
    terminal.truncate(0)
    run(toy, n_chains=2, n_steps=5)
    assert terminal.getvalue() == ""
    with pytest.raises(ImportError, match=r"pip install 'spinodal\[cli\]'"):
        run(toy, n_chains=2, n_steps=5, progress=True)


def test_bad_energies_stop_the_run_early():
    sampler = ToyHeatBath(BrokenIsing(good_calls=5))  # one call for the start, four draws
    with pytest.raises(NonFiniteEnergyError, match="the energy of chain 1 is nan at step 17") as caught:
        run(sampler, n_chains=3, n_steps=30, burn_in=2, thin=3)
    assert (caught.value.step, caught.value.chain) == (17, 1)
    assert caught.value.samples.n_draws == 4
    assert not caught.value.samples.provenance["complete"]


def test_bad_start_is_found_before_the_burn_in():
    with pytest.raises(NonFiniteEnergyError, match="at step 0"):
        run(ToyHeatBath(BrokenIsing(good_calls=0)), n_chains=3, n_steps=1, burn_in=10**6)


def test_records_must_not_change(toy, monkeypatch):
    step = ToyHeatBath.step

    def changing(self, key, state, n_steps, **options):
        state, info = step(self, key, state, n_steps, **options)
        return state, info if key.step < 3 else changed(info)

    monkeypatch.setattr(ToyHeatBath, "step", changing)
    changed = lambda info: {"other": info["flipped"]}  # noqa: E731
    with pytest.raises(ValueError, match=r"draw 3 has .*'info/other'"):
        run(toy, n_chains=1, n_steps=5)
    changed = lambda info: {**info, "flipped": info["flipped"] / 2}  # noqa: E731
    with pytest.raises(ValueError, match="draw 3 has info/flipped of type float64, the draws before int64"):
        run(toy, n_chains=1, n_steps=5)


def test_log_weights_of_the_state_are_recorded(toy, monkeypatch):
    monkeypatch.setattr("run.toy.ToyState.log_weights", property(lambda self: self.steps * -0.5), raising=False)
    samples = run(toy, n_chains=2, n_steps=3)
    np.testing.assert_array_equal(samples.log_weights, [[-0.5, -1, -1.5]] * 2)


def test_provenance_of_a_system_without_description(toy, monkeypatch):
    monkeypatch.delattr(ToyIsing, "describe")
    monkeypatch.setattr(ToyIsing, "conventions", {"energy": "ours"}, raising=False)
    provenance = run(toy, n_chains=1, n_steps=1).provenance
    assert provenance["system"] == {"kind": "ToyIsing", "shape": [4, 6]}
    assert provenance["conventions"]["energy"] == "ours"


def test_observables_and_estimates_are_those_of_analysis(toy):
    samples = run(toy, n_chains=2, n_steps=200)
    np.testing.assert_array_equal(samples.observable("energy"), samples.energy)
    assert samples.estimate("energy").mean == pytest.approx(samples.energy.mean())
