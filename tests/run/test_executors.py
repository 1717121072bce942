# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import types
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace

import numpy as np
import pytest

from run.conftest import SAMPLERS, same_bits
from run.toy import BrokenIsing, ToyHeatBath, ToyIsing
from spinodal.interop.executors import RayExecutor, as_executor, n_workers
from spinodal.samplers.run import NonFiniteEnergyError, ResumeError, run
from spinodal.samplers.running import workers
from spinodal.samplers.running.session import split_chains
from spinodal.samples import load

ARGUMENTS = {"n_chains": 4, "n_steps": 24, "burn_in": 5, "thin": 2, "seed": 8}


class Inline(Executor):
    """Runs a call when it is submitted."""

    def __init__(self, n_workers):
        self.n_workers = n_workers
        self.tasks = []

    def submit(self, fn, /, *args, **kwargs):
        self.tasks.append(args[0])
        future = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@pytest.fixture
def short_slices(monkeypatch):
    """One draw a slice."""
    monkeypatch.setattr(workers, "_SLICE_BYTES", 1)


@pytest.mark.parametrize(("n_chains", "n_groups", "chain_group"), [(7, 3, 1), (12, 5, 4), (2, 9, 1), (6, 1, 6)])
def test_chains_are_split_evenly_into_whole_groups(n_chains, n_groups, chain_group):
    groups = split_chains(n_chains, n_groups, chain_group)
    assert len(groups) == min(n_groups, n_chains // chain_group)
    assert [chain for group in groups for chain in range(group.start, group.stop)] == list(range(n_chains))
    sizes = [(group.stop - group.start) / chain_group for group in groups]
    assert all(size == int(size) for size in sizes) and max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("keep_draws", [True, False, "last"])
@pytest.mark.parametrize("n_groups", [1, 3])
def test_any_split_gives_the_same_bits(sampler, n_groups, keep_draws, short_slices):
    executor = Inline(n_groups)
    samples = run(sampler, executor=executor, keep_draws=keep_draws, **ARGUMENTS)
    same_bits(samples, run(sampler, keep_draws=keep_draws, **ARGUMENTS))
    assert samples.provenance["complete"]
    assert len(executor.tasks) == min(n_groups, 4 // sampler.chain_group) * samples.n_draws


def test_slices_are_cut_by_time(toy, monkeypatch):
    monkeypatch.setattr(workers, "_SLICE_SECONDS", 0.02)
    executor = Inline(2)
    slow = replace(toy, seconds_per_step=0.005)
    same_bits(run(slow, executor=executor, **ARGUMENTS), run(toy, **ARGUMENTS))
    assert len(executor.tasks) >= 6


@pytest.fixture(scope="module", params=["threads", "fork", "spawn"])
def pool(request):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        if request.param == "threads":
            executor = ThreadPoolExecutor(2)
        elif request.param in multiprocessing.get_all_start_methods():
            executor = ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(request.param))
        else:
            pytest.skip(f"no {request.param}")
        with executor:
            yield executor


def test_pools_give_the_same_bits(sampler, pool, tmp_path):
    reference = run(sampler, **ARGUMENTS)
    same_bits(run(sampler, executor=pool, **ARGUMENTS), reference)
    same_bits(run(sampler, executor=pool, checkpoint=tmp_path / "run.h5", checkpoint_every=0, **ARGUMENTS), reference)
    same_bits(load(tmp_path / "run.h5"), reference)


def test_workers_have_one_thread_unless_told(toy):
    executor = Inline(2)
    samples = run(toy, executor=executor, **ARGUMENTS)
    assert {task.n_threads for task in executor.tasks} == {1}
    assert samples.provenance["executor"] == "Inline"
    executor = Inline(2)
    run(toy, executor=executor, n_threads=3, **ARGUMENTS)
    assert {task.n_threads for task in executor.tasks} == {3}


def test_init_is_handed_to_the_workers(toy):
    start = run(toy, n_chains=4, n_steps=1, seed=99).draws[:, 0]
    same_bits(run(toy, executor=Inline(3), init=start, **ARGUMENTS), run(toy, init=start, **ARGUMENTS))


class Stopping(Inline):
    """Fails after some slices, as a cluster that goes away."""

    def __init__(self, n_workers, n_good):
        super().__init__(n_workers)
        self.n_good = n_good

    def submit(self, fn, /, *args, **kwargs):
        if len(self.tasks) == self.n_good:
            raise ConnectionError("the cluster is gone")
        return super().submit(fn, *args, **kwargs)


@pytest.mark.parametrize("keep_draws", [True, "last"])
@pytest.mark.parametrize("n_good", [0, 10])
@pytest.mark.parametrize("resume_with", ["serial", "one", "three"])
def test_a_run_goes_on_with_other_workers(sampler, tmp_path, n_good, keep_draws, resume_with, short_slices):
    path = tmp_path / "run.h5"
    arguments = {**ARGUMENTS, "keep_draws": keep_draws, "checkpoint": path}
    with pytest.raises(ConnectionError):
        run(sampler, executor=Stopping(2, n_good), checkpoint_every=0, **arguments)
    part = load(path)
    assert part.provenance["complete"] is False
    executor = {"serial": None, "one": Inline(1), "three": Inline(3)}[resume_with]
    samples = run(sampler, executor=executor, **arguments)
    same_bits(samples, run(sampler, **{**arguments, "checkpoint": None}))
    np.testing.assert_array_equal(part.energy, samples.energy[:, : part.n_draws])
    assert [each.name for each in tmp_path.iterdir()] == ["run.h5"]


def test_callback_needs_one_group(toy, tmp_path, short_slices):
    path = tmp_path / "run.h5"
    with pytest.raises(ConnectionError):
        run(toy, executor=Stopping(2, 3), checkpoint=path, checkpoint_every=0, **ARGUMENTS)
    with pytest.raises(ResumeError, match="2 groups of chains"):
        run(toy, checkpoint=path, callback=print, **ARGUMENTS)


def test_progress_of_all_groups(toy, short_slices):
    events = []
    run(toy, executor=Inline(3), progress=events.append, **ARGUMENTS)
    assert events[-1].step == events[-1].n_steps == 29
    assert events[-1].draw == 12


def test_bad_energies_in_a_worker(tmp_path, monkeypatch):
    monkeypatch.setattr(workers, "_SLICE_SECONDS", 1000)
    sampler = ToyHeatBath(BrokenIsing(good_calls=12 + 5))  # the first group's twelve draws, and five of the second
    with pytest.raises(NonFiniteEnergyError, match="chain 3 is nan at step 17") as caught:
        run(sampler, executor=Inline(2), checkpoint=tmp_path / "run.h5", **ARGUMENTS)
    assert caught.value.samples.n_draws == load(tmp_path / "run.h5").n_draws == 5


@dataclass(frozen=True)
class Deadly(ToyHeatBath):
    def step(self, *args, **kwargs):
        os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class Failing(ToyHeatBath):
    def step(self, *args, **kwargs):
        raise RuntimeError("in the worker")


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork")
def test_lost_workers_and_their_errors_are_reported(toy):
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(2, mp_context=context) as executor, pytest.raises(RuntimeError, match="in the worker"):
        run(Failing(ToyIsing()), executor=executor, **ARGUMENTS)
    with ProcessPoolExecutor(2, mp_context=context) as executor, pytest.raises(BrokenProcessPool):
        run(Deadly(ToyIsing()), executor=executor, **ARGUMENTS)


def test_ctrl_c_with_workers_returns_what_all_have(toy, short_slices):
    class Pressing(Inline):
        def submit(self, *args, **kwargs):
            if len(self.tasks) == 5:
                signal.raise_signal(signal.SIGINT)
            return super().submit(*args, **kwargs)

    slow = replace(toy, seconds_per_step=0.002)
    samples = run(slow, executor=Pressing(2), **{**ARGUMENTS, "n_steps": 2000, "burn_in": 0})
    assert samples.provenance["interrupted"]
    assert 0 < samples.n_draws < 100
    np.testing.assert_array_equal(samples.draws, run(toy, **{**ARGUMENTS, "burn_in": 0}).draws[:, : samples.n_draws])


def test_number_of_workers():
    assert n_workers(Inline(5)) == 5
    with ThreadPoolExecutor(3) as pool:
        assert n_workers(pool) == 3
    assert n_workers(types.SimpleNamespace(num_workers=4)) == 4
    assert n_workers(types.SimpleNamespace(_max_workers=None)) >= 1
    client = types.SimpleNamespace(ncores=lambda: {"a": 2, "b": 4})
    assert n_workers(types.SimpleNamespace(_client=client)) == 6


def test_as_executor():
    inline = Inline(1)
    assert as_executor(inline) is inline
    dask_client = types.SimpleNamespace(submit=print, get_executor=lambda: inline)
    assert as_executor(dask_client) is inline
    with pytest.raises(TypeError, match="must have submit"):
        as_executor(3)


@pytest.fixture
def fake_ray(monkeypatch):
    ray = types.ModuleType("ray")
    ray.inits = []
    ray.is_initialized = lambda: bool(ray.inits)
    ray.init = lambda: ray.inits.append(1)
    ray.cluster_resources = lambda: {"CPU": 4.0}

    def remote(**options):
        assert options["num_cpus"] >= 1

        def decorate(function):
            def start(*args, **kwargs):
                future = Inline(1).submit(function, *args, **kwargs)
                return types.SimpleNamespace(future=lambda: future)

            return types.SimpleNamespace(remote=start)

        return decorate

    ray.remote = remote
    monkeypatch.setitem(sys.modules, "ray", ray)
    return ray


def test_ray(fake_ray, toy):
    executor = as_executor(fake_ray)
    assert isinstance(executor, RayExecutor) and fake_ray.inits == [1]
    assert n_workers(executor) == 4
    assert n_workers(RayExecutor(num_cpus=2)) == 2
    same_bits(run(toy, executor=executor, **ARGUMENTS), run(toy, **ARGUMENTS))


def test_missing_ray(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ImportError, match="pip install ray"):
        RayExecutor()


def test_all_samplers_of_the_tests_can_be_pickled():
    import pickle

    for sampler in SAMPLERS.values():
        assert type(pickle.loads(pickle.dumps(sampler))) is type(sampler)
