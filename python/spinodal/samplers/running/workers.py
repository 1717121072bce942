# SPDX-License-Identifier: BSD-3-Clause
"""A run on an executor: each group of chains goes to a worker for half a second at a time.

The parent alone keeps the draws, writes the files and hears Ctrl-C; a worker gets arrays and gives
arrays back. So workers need no common file system, a lost one costs half a second, and the run can be
stopped, shown and checkpointed as one that has no workers.
"""

from __future__ import annotations

import contextlib
import queue
import time
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass

from spinodal.files.recording import Recording
from spinodal.samplers.protocol import Array, Sampler
from spinodal.samplers.running.advance import Chains, Snapshot, Values, advance
from spinodal.samplers.running.interrupt import graceful_interrupt
from spinodal.samplers.running.plan import Plan
from spinodal.samplers.running.session import Session

_SLICE_SECONDS = 0.5
_SLICE_BYTES = 1 << 26
_POLL_SECONDS = 0.02  # Ctrl-C is heard this late, and at most
_LAST_CALL_SECONDS = 0.03  # later run returns


@dataclass(frozen=True)
class Task:
    """What a worker is given: chains, where they are, and how to go on."""

    sampler: Sampler
    plan: Plan
    snapshot: Snapshot
    draws: Array | None
    n_threads: int


@dataclass(frozen=True)
class Result:
    """What a worker gives back: draws ``first, first + 1, …``, and where its chains are now.

    An error, if there was one, came after those draws.
    """

    first: int
    block: Values
    last: Array | None
    snapshot: Snapshot
    error: Exception | None


def work(task: Task) -> Result:
    """Step a group of chains for half a second, or until enough draws are there; runs in a worker."""
    plan = task.plan
    index = task.snapshot.index
    chains = Chains.at(task.snapshot, task.sampler, plan, task.draws)
    first = plan.n_draws_at(chains.step)
    room = max(1, _SLICE_BYTES // max(1, chains.state.draws.nbytes))
    recording = Recording(index.stop - index.start, min(plan.n_draws - first, room))
    everyone = slice(0, recording.n_chains)
    deadline = time.monotonic() + _SLICE_SECONDS

    def record(chains: Chains, draw: int, values: Values, configurations: Array) -> None:
        kept = {"draws": configurations} if plan.keep_draws is True else {}
        recording.put(everyone, draw - first, {**kept, **values})
        if plan.keep_draws == "last":
            recording.put_last(everyone, draw - first + 1, configurations)

    error = None
    snapshot = task.snapshot
    with graceful_interrupt() as interrupt:
        try:
            advance(
                chains,
                plan,
                record=record,
                go_on=lambda: not (interrupt.requested or recording.complete or time.monotonic() > deadline),
                n_threads=task.n_threads,
            )
            snapshot = chains.snapshot()
        except Exception as raised:
            error = raised
    block = recording.block(everyone, 0, int(recording.done[0]))
    return Result(first, block, recording.last, snapshot, error)


def drive(session: Session, executor: Executor, sampler: Sampler, init: Array | None, n_threads: int | None) -> None:
    """Run all groups on an executor until the plan ends or the session stops."""
    finished: queue.SimpleQueue[int] = queue.SimpleQueue()
    pending: dict[int, Future[Result]] = {}

    def submit(number: int) -> None:
        snapshot = session.groups[number].snapshot()
        if snapshot.step < session.plan.total:
            index = snapshot.index
            part = sampler if len(session.groups) == 1 else sampler.for_chains(index.start, index.stop)
            draws = None if init is None or snapshot.arrays else init[index]
            future = executor.submit(work, Task(part, session.plan, snapshot, draws, n_threads or 1))
            pending[number] = future
            future.add_done_callback(lambda _: finished.put(number))

    try:
        for number in range(len(session.groups)):
            submit(number)
        while pending and session.go_on():
            for number in _arrivals(finished, _POLL_SECONDS):
                _collect(session, number, pending.pop(number).result())
                submit(number)
        # Workers that heard the Ctrl-C too are about to answer, or broke; what the others had begun is lost.
        for number in _arrivals(finished, _LAST_CALL_SECONDS if pending else 0.0):
            with contextlib.suppress(Exception):
                _collect(session, number, pending.pop(number).result())
    finally:
        for future in pending.values():
            future.cancel()


def _arrivals(finished: queue.SimpleQueue[int], timeout: float) -> Iterator[int]:
    """Yield the groups that came back, waiting for the first of them only."""
    with contextlib.suppress(queue.Empty):
        yield finished.get(timeout=timeout)
        while True:
            yield finished.get_nowait()


def _collect(session: Session, number: int, result: Result) -> None:
    session.groups[number] = result.snapshot
    if result.block:
        session.record_block(result.snapshot.index, result.first, result.block, result.last)
    if result.error is not None:
        raise result.error
