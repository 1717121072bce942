# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import os
import signal
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from run.conftest import same_bits
from run.crash import SAMPLER, start
from spinodal.samplers.run import run
from spinodal.samples import load

SLOW = replace(SAMPLER, seconds_per_step=0.004)
LONG = {"n_chains": 4, "n_steps": 100_000, "seed": 3}


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))


def press_ctrl_c(at):
    def callback(step, *_):
        if step in at:
            signal.raise_signal(signal.SIGINT)

    return callback


def test_ctrl_c_returns_the_draws_so_far(sampler):
    samples = run(sampler, callback=press_ctrl_c({7}), **{**LONG, "n_steps": 50})
    assert samples.n_draws == 7
    assert samples.provenance["interrupted"] and not samples.provenance["complete"]
    assert samples.provenance["last_step"] == 7
    same_bits(samples, run(sampler, **{**LONG, "n_steps": 7}))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_before_the_first_draw(toy):
    events = []

    def press_once(event):
        events.append(event)
        if len(events) == 1:
            signal.raise_signal(signal.SIGINT)

    samples = run(toy, n_chains=2, n_steps=10, burn_in=10**9, progress=press_once)
    assert samples.draws.shape == (2, 0, 4, 6)
    assert samples.draws.dtype == np.int8
    assert samples.energy.shape == samples.info["magnetization"].shape == (2, 0)
    assert samples.provenance["interrupted"] and samples.provenance["last_step"] == 0


@pytest.mark.parametrize("keep_draws", [True, False, "last"])
def test_an_interrupted_run_goes_on(sampler, tmp_path, keep_draws):
    path = tmp_path / "run.h5"
    arguments = {"n_chains": 4, "n_steps": 20, "thin": 2, "keep_draws": keep_draws}
    part = run(sampler, checkpoint=path, callback=press_ctrl_c({6}), **arguments)
    assert part.n_draws == 3
    same_bits(load(path), part)
    same_bits(run(sampler, checkpoint=path, **arguments), run(sampler, **arguments))


def test_the_second_ctrl_c_raises(toy, tmp_path):
    def callback(step, *_):
        if step == 5:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    arguments = {"n_chains": 2, "n_steps": 20}
    with pytest.raises(KeyboardInterrupt):
        run(toy, callback=callback, checkpoint=tmp_path / "run.h5", checkpoint_every=0, **arguments)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert load(tmp_path / "run.h5").n_draws == 4
    same_bits(run(toy, checkpoint=tmp_path / "run.h5", **arguments), run(toy, **arguments))


def test_ctrl_c_at_the_last_step_is_told(toy):
    samples = run(toy, n_chains=1, n_steps=5, callback=press_ctrl_c({5}))
    assert samples.provenance["complete"] and samples.provenance["interrupted"]


def test_other_handling_of_ctrl_c_is_left_alone(toy):
    heard = []
    previous = signal.signal(signal.SIGINT, lambda *_: heard.append(1))
    try:
        samples = run(toy, n_chains=1, n_steps=5, callback=press_ctrl_c({2}))
    finally:
        signal.signal(signal.SIGINT, previous)
    assert heard == [1]
    assert samples.provenance["complete"] and not samples.provenance["interrupted"]


def test_runs_in_other_threads_need_no_signals(toy):
    results = []
    thread = threading.Thread(target=lambda: results.append(run(toy, n_chains=1, n_steps=5)))
    thread.start()
    thread.join()
    same_bits(results[0], run(toy, n_chains=1, n_steps=5))


def long_run(connection, path, workers):
    os.setpgid(0, 0)  # as a terminal's foreground job, whose workers hear Ctrl-C too
    pool = {"none": lambda: None, "threads": lambda: ThreadPoolExecutor(2), "processes": lambda: ProcessPoolExecutor(2)}
    executor = pool[workers]()
    if executor is not None:
        list(executor.map(abs, range(4)))  # the workers are there before the clock starts
    connection.send("begun")
    samples = run(SLOW, checkpoint=path, checkpoint_every=0.05, executor=executor, **LONG)
    returned = time.monotonic()
    if executor is not None:
        executor.shutdown()
    np.testing.assert_array_equal(samples.energy, run(SAMPLER, **{**LONG, "n_steps": samples.n_draws}).energy)
    connection.send((returned, samples.n_draws, samples.provenance["interrupted"]))


@pytest.mark.alone
@pytest.mark.parametrize("workers", ["none", "threads", "processes"])
@pytest.mark.parametrize("with_checkpoint", [False, True])
def test_ctrl_c_returns_within_a_tenth_of_a_second(tmp_path, with_checkpoint, workers):
    latencies = []
    for attempt in range(5):  # the machine may be busy with something else
        path = tmp_path / f"{attempt}.h5" if with_checkpoint else None
        process, connection = start(long_run, path, workers)
        time.sleep(0.75)  # longer than what a worker does at a time
        pressed = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)
        returned, n_draws, interrupted = connection.recv()
        process.join()
        assert process.exitcode == 0
        process.close()
        connection.close()
        assert interrupted and n_draws > 0
        if path is not None:
            assert load(path).n_draws >= n_draws
        latencies.append(returned - pressed)
        if latencies[-1] < 0.1:
            return
    pytest.fail(f"Ctrl-C took {latencies} s")
