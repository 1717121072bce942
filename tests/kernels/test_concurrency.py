# SPDX-License-Identifier: BSD-3-Clause
"""The kernels beside other threads, in forked children, and under Ctrl-C."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time

import numpy as np
import pytest

from reference import ising
from spinodal import kernels
from spinodal.backends import resolve, why_missing

ONE_SWEEP = ising.random_spins((4, 6, 6), seed=1)
AFTER = ONE_SWEEP.copy()
ising.metropolis_sweep(AFTER, 0.4)


def long_native_call(backend: str) -> None:
    """One native call of about half a second, Python's slicing left out."""
    engine = resolve(backend)
    n_sweeps = 3000 if backend == "cpp" else 60
    engine.metropolis_sweep(
        np.ones((4, 256, 256), dtype=np.int8), np.full(4, 0.4), 1.0, 0.0, n_sweeps=n_sweeps, seed=1, sweep=0,
        first_chain=0, heat_bath_every=16, stream="ars7", n_threads=1,
    )  # fmt: skip


@pytest.mark.alone
def test_the_interpreter_runs_beside_a_native_call(backend):
    """Progress of the main thread while another is inside one native call."""
    long_native_call(backend)  # compiled, if it has to be
    started, done = threading.Event(), threading.Event()

    def call() -> None:
        started.set()
        long_native_call(backend)
        done.set()

    thread = threading.Thread(target=call)
    thread.start()
    started.wait()
    beats = 0
    while not done.is_set():
        time.sleep(0.001)
        beats += 1
    thread.join()
    # With the interpreter locked, only the few beats of one switch interval (5 ms) would be possible.
    assert beats > 30


def test_two_threads_sweep_their_own_spins_at_once(backend):
    """Both threads are inside a native call at some moment, and neither disturbs the other's result."""
    results: dict[int, np.ndarray] = {}
    inside = threading.Barrier(2, timeout=60)

    def work(number: int) -> None:
        spins = np.stack([ONE_SWEEP[number]] * 500)
        inside.wait()
        for sweep in range(20):
            kernels.metropolis_sweep(spins, 0.4, sweep=sweep, seed=number, backend=backend, n_threads=2)
        results[number] = spins

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    for number in range(2):
        want = np.stack([ONE_SWEEP[number]] * 500)
        kernels.metropolis_sweep(want, 0.4, n_sweeps=20, seed=number, backend=backend, n_threads=1)
        np.testing.assert_array_equal(results[number], want)


def latency_of_ctrl_c(spins: np.ndarray, stream: str, backend: str) -> float:
    """CPU seconds this process spends between SIGINT and the exception: other processes do not count."""
    pressed: list[float] = []

    def press() -> None:
        pressed.append(time.process_time())
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(0.2, press)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        kernels.metropolis_sweep(spins, 0.4, n_sweeps=10**9, stream=stream, backend=backend, n_threads=1)
    latency = time.process_time() - pressed[0]
    timer.join()
    return latency


@pytest.mark.alone
@pytest.mark.parametrize("stream", ["ars7", "philox10"])
def test_ctrl_c_is_answered_within_100_ms(engine, stream):
    """The better of two; the call itself would take hours."""
    spins = np.ones((3, 64, 64), dtype=np.int8)
    kernels.metropolis_sweep(spins, 0.4, stream=stream, backend=engine)
    assert min(latency_of_ctrl_c(spins, stream, engine) for _ in range(2)) < 0.1
    assert np.isin(spins, (-1, 1)).all()


@pytest.mark.alone
@pytest.mark.skipif(why_missing("cpp") is not None, reason="no compiled kernels")
def test_ctrl_c_on_a_large_lattice():
    spins = np.ones((4096, 4096), dtype=np.int8)
    assert min(latency_of_ctrl_c(spins, "ars7", "cpp") for _ in range(2)) < 0.1
    assert np.isin(spins, (-1, 1)).all()


def _sweep_in_child(backend: str, n_threads: int | None, queue) -> None:
    spins = ONE_SWEEP.copy()
    kernels.metropolis_sweep(spins, 0.4, backend=backend, n_threads=n_threads)
    energy = kernels.ising_energy(spins, backend=backend, n_threads=n_threads)
    queue.put((spins.tobytes(), energy.tolist()))


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("n_threads", [None, 1, 4])
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_children_of_a_process_with_threads_do_not_hang(backend, method, n_threads):
    """An OpenMP team does not survive a fork: the child must not wait for it."""
    warm_up = np.ones((64, 16, 16), dtype=np.int8)
    kernels.metropolis_sweep(warm_up, 0.4, backend=backend, n_threads=3)
    kernels.ising_energy(warm_up, backend=backend, n_threads=3)
    context = multiprocessing.get_context(method)
    queue = context.Queue()
    child = context.Process(target=_sweep_in_child, args=(backend, n_threads, queue), daemon=True)
    child.start()
    try:
        spins, energy = queue.get(timeout=60)
    finally:
        child.join(timeout=10)
        child.kill()
    assert spins == AFTER.tobytes()
    assert energy == ising.ising_energy(AFTER).tolist()
    # The parent's own team still works.
    kernels.metropolis_sweep(warm_up, 0.4, backend=backend, n_threads=3)
