# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import os
import random
from dataclasses import replace

import numpy as np
import pytest

from run.conftest import same_bits
from run.toy import BrokenIsing, ToyHeatBath, ToyIsing
from spinodal.files import FileFormatError, FileInUseError
from spinodal.files.journal import Journal, journal_path, state_path
from spinodal.samplers.run import NonFiniteEnergyError, ResumeError, run
from spinodal.samplers.running import checkpoint as checkpoint_module
from spinodal.samples import load

ARGUMENTS = {"n_chains": 4, "n_steps": 20, "burn_in": 5, "thin": 2, "seed": 8}


class Killed(BaseException):
    """Ends a run as a kill would: nothing more is written."""


def kill_at(step):
    def callback(now, *_):
        if now >= step:
            raise Killed

    return callback


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.h5"


def names(path):
    return sorted(each.name for each in path.parent.iterdir())


def killed_run(sampler, path, step=15, **arguments):
    options = {"checkpoint_every": 0, **ARGUMENTS, **arguments}
    with pytest.raises(Killed):
        run(sampler, checkpoint=path, callback=kill_at(step), **options)


@pytest.mark.parametrize("keep_draws", [True, False, "last"])
@pytest.mark.parametrize("every", [0, 100])
def test_finished_run_is_one_file(sampler, path, keep_draws, every):
    samples = run(sampler, checkpoint=path, checkpoint_every=every, keep_draws=keep_draws, **ARGUMENTS)
    same_bits(samples, run(sampler, keep_draws=keep_draws, **ARGUMENTS))
    same_bits(load(path), samples)
    assert load(path).provenance == samples.provenance
    assert names(path) == ["run.h5"]


@pytest.mark.parametrize("keep_draws", [True, False, "last"])
def test_killed_run_goes_on_bit_for_bit(sampler, path, keep_draws):
    reference = run(sampler, keep_draws=keep_draws, **ARGUMENTS)
    killed_run(sampler, path, 13, keep_draws=keep_draws)
    killed_run(sampler, path, 21, keep_draws=keep_draws)
    assert names(path) == ["run.h5.journal", "run.h5.state"]
    part = load(path)
    assert part.provenance["complete"] is False
    assert 6 <= part.n_draws < 10
    np.testing.assert_array_equal(part.energy, reference.energy[:, : part.n_draws])
    if keep_draws is True:
        np.testing.assert_array_equal(part.draws, reference.draws[:, : part.n_draws])
    steps = []
    samples = run(
        sampler, checkpoint=path, keep_draws=keep_draws, callback=lambda step, *_: steps.append(step), **ARGUMENTS
    )
    same_bits(samples, reference)
    assert samples.provenance == load(path).provenance
    assert 17 < steps[0] <= 21, "it began again instead of going on"
    assert names(path) == ["run.h5"]


def test_killed_in_the_burn_in(toy, path):
    reference = run(toy, **{**ARGUMENTS, "burn_in": 50})
    calls = iter(range(1000))

    def step(self, *arguments, **options):
        if next(calls) == 20:
            raise Killed
        return original(self, *arguments, **options)

    original = ToyHeatBath.step
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ToyHeatBath, "step", step)
        patch.setattr("spinodal.samplers.running.advance.Pace.learn", lambda *_: None)
        with pytest.raises(Killed):
            run(toy, checkpoint=path, checkpoint_every=0, **{**ARGUMENTS, "burn_in": 50})
        assert load(path).n_draws == 0
        same_bits(run(toy, checkpoint=path, **{**ARGUMENTS, "burn_in": 50}), reference)
    assert next(calls) < 20 + 1 + 50 + 20, "the burn-in was begun again"


def test_diagnostics_between_draws_survive(toy, path):
    arguments = {"n_chains": 2, "n_steps": 20, "thin": 10}
    reference = run(toy, **arguments)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("spinodal.samplers.running.advance.Pace.learn", lambda *_: None)
        original, calls = ToyHeatBath.step, iter(range(100))

        def step(self, *given, **options):
            if next(calls) == 15:
                raise Killed
            return original(self, *given, **options)

        patch.setattr(ToyHeatBath, "step", step)
        with pytest.raises(Killed):
            run(toy, checkpoint=path, checkpoint_every=0, **arguments)
    same_bits(run(toy, checkpoint=path, **arguments), reference)
    assert (reference.info["n_sweeps"] == 10).all()


def test_finished_run_is_returned_not_repeated(toy, path, monkeypatch):
    samples = run(toy, checkpoint=path, **ARGUMENTS)
    monkeypatch.setattr(ToyHeatBath, "step", lambda *_, **__: pytest.fail("it was run again"))
    same_bits(run(toy, checkpoint=path, **ARGUMENTS), samples)
    same_bits(run(toy, checkpoint=path, resume="must", **ARGUMENTS), samples)
    same_bits(run(toy, checkpoint=path, n_threads=3, progress=False, **ARGUMENTS), samples)


DIFFERENT = [
    ({"n_steps": 40}, "n_steps was 20, now 40"),
    ({"seed": 9}, "seed was 8, now 9"),
    ({"thin": 1}, "thin was 2, now 1"),
    ({"burn_in": 6}, "burn_in was 5, now 6"),
    ({"n_chains": 2}, "n_chains was 4, now 2"),
    ({"keep_draws": "last"}, "keep_draws was True, now 'last'"),
    ({"init": np.ones((4, 4, 6), np.int8)}, "init was None, now {'sha256'"),
]


@pytest.mark.parametrize("finished", [True, False])
@pytest.mark.parametrize(("change", "message"), DIFFERENT, ids=lambda value: str(value)[:20])
def test_other_arguments_are_refused(toy, path, finished, change, message):
    if finished:
        run(toy, checkpoint=path, **ARGUMENTS)
    else:
        killed_run(toy, path)
    before = [each.read_bytes() for each in sorted(path.parent.iterdir())]
    with pytest.raises(ResumeError, match=message):
        run(toy, checkpoint=path, **{**ARGUMENTS, **change})
    assert [each.read_bytes() for each in sorted(path.parent.iterdir())] == before


def test_another_system_or_sampler_or_version_is_refused(toy, path, monkeypatch):
    killed_run(toy, path)
    with pytest.raises(ResumeError, match=r"system\.h was 0\.1, now 0\.2; sampler\.temperature was 2\.5, now 2\.0"):
        run(ToyHeatBath(ToyIsing(h=0.2), 2.0), checkpoint=path, **ARGUMENTS)
    monkeypatch.setattr("spinodal.__version__", "9.9")
    with pytest.raises(ResumeError, match=r"version was '.*', now '9\.9'"):
        run(toy, checkpoint=path, **ARGUMENTS)


def test_threads_may_change(toy, path):
    killed_run(toy, path)
    same_bits(run(toy, checkpoint=path, n_threads=2, **ARGUMENTS), run(toy, **ARGUMENTS))


def test_an_unnamed_seed_is_that_of_the_file(toy, path):
    killed_run(toy, path, seed=None)
    seed = load(path).provenance["seed"]
    arguments = {**ARGUMENTS, "seed": None}
    samples = run(toy, checkpoint=path, **arguments)
    assert samples.provenance["seed"] == seed
    same_bits(run(toy, checkpoint=path, **arguments), samples)
    assert run(toy, checkpoint=path, resume="never", **arguments).provenance["seed"] != seed


def test_resume_must_find_something(toy, path):
    with pytest.raises(FileNotFoundError, match=r"run\.h5: there is no run to resume"):
        run(toy, checkpoint=path, resume="must", **ARGUMENTS)
    assert names(path) == []
    killed_run(toy, path)
    same_bits(run(toy, checkpoint=path, resume="must", **ARGUMENTS), run(toy, **ARGUMENTS))


def test_resume_never_begins_anew_and_keeps_the_old_result_till_the_end(toy, path):
    old = run(toy, checkpoint=path, **{**ARGUMENTS, "seed": 1})
    killed_run(toy, path, resume="never")
    same_bits(load(path), old)
    # A run that was told not to resume the old file is itself resumed.
    same_bits(run(toy, checkpoint=path, **ARGUMENTS), run(toy, **ARGUMENTS))
    same_bits(load(path), run(toy, **ARGUMENTS))
    killed_run(toy, path, resume="never", seed=5)
    same_bits(run(toy, checkpoint=path, resume="never", **ARGUMENTS), run(toy, **ARGUMENTS))
    assert names(path) == ["run.h5"]


def test_journal_of_a_finished_run_is_removed(toy, path):
    killed_run(toy, path)
    journal = journal_path(path).read_bytes()
    samples = run(toy, checkpoint=path, **ARGUMENTS)
    journal_path(path).write_bytes(journal)  # killed before the journal was removed
    same_bits(run(toy, checkpoint=path, **ARGUMENTS), samples)
    assert names(path) == ["run.h5"]


def test_partial_samples_saved_over_the_checkpoint(toy, path):
    killed_run(toy, path)
    load(path).save(path)
    same_bits(run(toy, checkpoint=path, **ARGUMENTS), run(toy, **ARGUMENTS))
    killed_run(toy, path, resume="never")
    path.unlink()
    load(path).save(path)
    journal_path(path).unlink()
    with pytest.raises(ResumeError, match="holds only part of the run"):
        run(toy, checkpoint=path, **ARGUMENTS)


def test_torn_tails_are_cut_at_every_byte(toy, path):
    killed_run(toy, path, 13, n_chains=1)
    data = journal_path(path).read_bytes()
    reference = run(toy, **{**ARGUMENTS, "n_chains": 1})
    found = set()
    for length in [*range(0, len(data), 37), *range(len(data) - 30, len(data))]:
        journal_path(path).write_bytes(data[:length])
        try:
            part = load(path)
        except FileFormatError as error:
            assert "has written nothing yet" in str(error)
            continue
        found.add(part.n_draws)
        np.testing.assert_array_equal(part.draws, reference.draws[:, : part.n_draws])
    assert found == {0, 1, 2}


@pytest.mark.parametrize("cut", [0.0, 0.02, 0.5, 0.9, 0.999])
def test_resume_after_a_torn_tail(sampler, path, cut):
    killed_run(sampler, path)
    data = journal_path(path).read_bytes()
    journal_path(path).write_bytes(data[: int(len(data) * cut)])
    same_bits(run(sampler, checkpoint=path, **ARGUMENTS), run(sampler, **ARGUMENTS))


def test_damaged_journals_give_the_draws_before_or_an_error(toy, path):
    killed_run(toy, path, n_chains=1)
    data = journal_path(path).read_bytes()
    reference = run(toy, **{**ARGUMENTS, "n_chains": 1})
    rng = random.Random(0)
    for _ in range(200):
        damaged = bytearray(data)
        damaged[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        journal_path(path).write_bytes(damaged)
        try:
            part = load(path)
        except FileFormatError as error:
            assert str(journal_path(path)) in str(error)
        else:
            np.testing.assert_array_equal(part.energy, reference.energy[:, : part.n_draws])
            if part.n_draws:
                np.testing.assert_array_equal(part.draws, reference.draws[:, : part.n_draws])


@pytest.mark.parametrize("loss", ["removed", "emptied", "flipped", "foreign"])
@pytest.mark.parametrize("keep_draws", [True, "last"])
def test_a_lost_state_costs_time_only(sampler, path, loss, keep_draws):
    killed_run(sampler, path, keep_draws=keep_draws)
    state = state_path(path)
    if loss == "removed":
        state.unlink()
    elif loss == "emptied":
        state.write_bytes(b"")
    elif loss == "flipped":
        data = bytearray(state.read_bytes())
        data[-1] ^= 1
        state.write_bytes(data)
    else:
        other = path.with_name("other.h5")
        killed_run(sampler, other, 9, keep_draws=keep_draws, seed=77)
        state_path(other).rename(state)
    samples = run(sampler, checkpoint=path, keep_draws=keep_draws, **ARGUMENTS)
    same_bits(samples, run(sampler, keep_draws=keep_draws, **ARGUMENTS))


def test_draws_that_come_out_different_are_noticed(toy, path, monkeypatch):
    killed_run(toy, path)
    state_path(path).unlink()
    monkeypatch.setattr(ToyIsing, "energy", lambda self, draws: np.zeros(len(draws)))
    with pytest.raises(ResumeError, match="draw 0 comes out different"):
        run(toy, checkpoint=path, **ARGUMENTS)


def test_foreign_files_are_left_alone(toy, path):
    path.write_text("my thesis")
    with pytest.raises(FileFormatError, match="not an HDF5 file"):
        run(toy, checkpoint=path, **ARGUMENTS)
    path.unlink()
    journal_path(path).write_text("my other thesis, which is longer")
    with pytest.raises(FileFormatError, match="not a journal"):
        run(toy, checkpoint=path, **ARGUMENTS)
    with pytest.raises(FileFormatError, match="not a journal"):
        load(path)
    assert journal_path(path).read_text().startswith("my other thesis")


def test_newer_journals_are_refused(toy, path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("spinodal.files.journal.VERSION", 3)
        killed_run(toy, path)
    with pytest.raises(FileFormatError, match="newer spinodal: format 3"):
        run(toy, checkpoint=path, **ARGUMENTS)


def test_two_writers_are_refused(toy, path):
    def second(*_):
        with pytest.raises(FileInUseError, match=r"run\.h5\.journal: another run is writing it"):
            run(toy, checkpoint=path, **ARGUMENTS)
        with pytest.raises(FileInUseError):
            run(toy, checkpoint=path, resume="never", **ARGUMENTS)

    same_bits(run(toy, checkpoint=path, callback=second, **ARGUMENTS), run(toy, **ARGUMENTS))


def test_reading_does_not_disturb_the_writer(toy, path):
    found = []
    arguments = {"checkpoint": path, "checkpoint_every": 0, **ARGUMENTS}
    samples = run(toy, callback=lambda *_: found.append(load(path).n_draws), **arguments)
    assert found == [*range(10)]
    same_bits(samples, run(toy, **ARGUMENTS))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_forked_children_do_not_keep_the_lock(path):
    import multiprocessing
    import time

    journal = Journal(path)
    child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(30,))
    child.start()
    try:
        journal.close()
        Journal(path).close()
    finally:
        child.kill()
        child.join()
        child.close()


def test_a_full_disk_loses_nothing_written(toy, path, monkeypatch):
    from spinodal.files import journal as journal_module

    original, calls = journal_module.write_record, iter(range(100))

    def torn(file, kind, pieces):
        if next(calls) == 8:
            file.write(b"".join(pieces)[:40])
            raise OSError(28, "No space left on device")
        original(file, kind, pieces)

    with monkeypatch.context() as patch:
        patch.setattr(journal_module, "write_record", torn)
        with pytest.raises(OSError, match="No space left"):
            run(toy, checkpoint=path, checkpoint_every=0, **ARGUMENTS)
    assert load(path).n_draws >= 2
    same_bits(run(toy, checkpoint=path, **ARGUMENTS), run(toy, **ARGUMENTS))


def test_an_error_keeps_the_draws_before_it(toy, path):
    def fail(step, *_):
        if step == 15:
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        run(toy, checkpoint=path, checkpoint_every=100, callback=fail, **ARGUMENTS)
    assert load(path).n_draws == 5
    same_bits(run(toy, checkpoint=path, **ARGUMENTS), run(toy, **ARGUMENTS))


def test_bad_energies_keep_the_draws_before_them(path):
    sampler = ToyHeatBath(BrokenIsing(good_calls=5))
    with pytest.raises(NonFiniteEnergyError):
        run(sampler, checkpoint=path, checkpoint_every=100, **ARGUMENTS)
    assert load(path).n_draws == 4


def test_a_run_ended_by_its_callback_goes_on(toy, path):
    part = run(toy, checkpoint=path, callback=lambda step, *_: step < 11, **ARGUMENTS)
    assert part.n_draws == 3
    same_bits(load(path), part)
    assert load(path).provenance == part.provenance
    same_bits(run(toy, checkpoint=path, **ARGUMENTS), run(toy, **ARGUMENTS))


def test_the_journal_does_not_grow_by_states(toy, path):
    sizes = []
    big = replace(toy, system=ToyIsing((32, 32)))
    run(
        big,
        checkpoint=path,
        checkpoint_every=0,
        keep_draws=False,
        callback=lambda *_: sizes.append(journal_path(path).stat().st_size),
        **ARGUMENTS,
    )
    assert max(np.diff(sizes)) < 600  # a record of energies; the states take 512 bytes more


def test_many_waiting_draws_are_written_early(toy, path, monkeypatch):
    monkeypatch.setattr(checkpoint_module, "_WAITING_BYTES", 1000)
    found = []
    arguments = {"checkpoint": path, "checkpoint_every": 1000, **ARGUMENTS}
    samples = run(toy, callback=lambda *_: found.append(load(path).n_draws), **arguments)
    assert max(found) >= 4
    assert not state_path(path).exists()
    same_bits(load(path), samples)


def test_checkpoint_needs_h5py_before_the_work(toy, path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "h5py", None)
    monkeypatch.setattr(ToyHeatBath, "init", lambda *_: pytest.fail("work was begun"))
    with pytest.raises(ImportError, match=r"pip install 'spinodal\[io\]'"):
        run(toy, checkpoint=path, **ARGUMENTS)
    assert names(path) == []
