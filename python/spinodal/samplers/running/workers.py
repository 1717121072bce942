# SPDX-License-Identifier: BSD-3-Clause
"""A run on an executor: each group of chains goes to a worker for half a second at a time.

The parent alone keeps the draws, writes the files and hears Ctrl-C; a worker gets arrays and gives
arrays back. So workers need no common file system, a lost one costs half a second, and the run can be
stopped, shown and checkpointed as one that has no workers.
"""

from __future__ import annotations

import queue
import time
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field

from spinodal.files.encoding import Arrays
from spinodal.files.packing import Stored
from spinodal.files.recording import Recording
from spinodal.samplers.protocol import Array, Sampler
from spinodal.samplers.running.advance import Chains, Configurations, Snapshot, Values, advance
from spinodal.samplers.running.interrupt import graceful_interrupt
from spinodal.samplers.running.plan import Plan
from spinodal.samplers.running.session import Session

_SLICE_SECONDS = 0.5
_SLICE_BYTES = 1 << 26
_POLL_SECONDS = 0.01
_LAST_CALL_SECONDS = 0.03


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
    block: Arrays
    last: Stored | None
    snapshot: Snapshot
    error: Exception | None


def work(task: Task) -> Result:
    """Step a group of chains for half a second, or until enough draws are there; runs in a worker."""
    plan = task.plan
    index = task.snapshot.index
    chains = Chains.at(task.snapshot, task.sampler, plan, task.draws)
    first = plan.n_draws_at(chains.step)
    recording = Recording(index.stop - index.start, plan.n_draws - first)
    everyone = slice(0, recording.n_chains)
    deadline = time.monotonic() + _SLICE_SECONDS

    def record(chains: Chains, draw: int, values: Values, configurations: Configurations) -> None:
        kept: Arrays = {"draws": configurations.stored} if plan.keep_draws is True else {}
        recording.put(everyone, draw - first, {**kept, **values})
        if plan.keep_draws == "last":
            recording.put_last(everyone, draw - first + 1, configurations.stored)

    def go_on() -> bool:
        enough = recording.stored_bytes >= _SLICE_BYTES or time.monotonic() > deadline
        return not (interrupt.requested or enough)

    error = None
    snapshot = task.snapshot
    with graceful_interrupt() as interrupt:
        try:
            advance(chains, plan, record=record, go_on=go_on, n_threads=task.n_threads)
            snapshot = chains.snapshot()
        except Exception as raised:
            error = raised
    block = recording.block(everyone, 0, int(recording.done[0]))
    return Result(first, block, recording.last, snapshot, error)


def drive(session: Session, executor: Executor, sampler: Sampler, init: Array | None, n_threads: int | None) -> None:
    """Run all groups on an executor until the plan ends or the session stops."""
    crew = _Crew(session, executor, sampler, init, n_threads or 1)
    try:
        for number in range(len(session.groups)):
            crew.submit(number)
        while crew.pending and session.go_on():
            returned = crew.collect(_POLL_SECONDS)
            if returned is not None:
                crew.submit(returned)
        # Workers that heard the Ctrl-C too are about to answer; what the others have begun is lost.
        deadline = time.monotonic() + _LAST_CALL_SECONDS
        while crew.pending and crew.collect(max(0.0, deadline - time.monotonic())) is not None:
            pass
    except Exception:
        # Ctrl-C in a terminal reaches the workers as well, and breaks a pool whose workers were idle.
        if not session.interrupt.requested:
            raise
    finally:
        crew.cancel()


@dataclass
class _Crew:
    """The groups that are with the workers."""

    session: Session
    executor: Executor
    sampler: Sampler
    init: Array | None
    n_threads: int
    pending: dict[int, Future[Result]] = field(default_factory=dict)
    _finished: queue.SimpleQueue[int] = field(default_factory=queue.SimpleQueue)

    def submit(self, number: int) -> None:
        """Hand a group out for its next slice, unless it has come to its end."""
        snapshot = self.session.groups[number].snapshot()
        if snapshot.step >= self.session.plan.total:
            return
        index = snapshot.index
        part = self.sampler if len(self.session.groups) == 1 else self.sampler.for_chains(index.start, index.stop)
        draws = None if self.init is None or snapshot.arrays else self.init[index]
        future = self.executor.submit(work, Task(part, self.session.plan, snapshot, draws, self.n_threads))
        self.pending[number] = future
        # Not concurrent.futures.wait: a callback and a queue need no more of the futures than their protocol.
        future.add_done_callback(lambda _: self._finished.put(number))

    def collect(self, timeout: float) -> int | None:
        """Take in the group that comes back next, or None if none does in time; raises what its worker raised."""
        try:
            number = self._finished.get(timeout=timeout)
        except queue.Empty:
            return None
        result = self.pending.pop(number).result()
        if result.block:
            self.session.record_block(result.snapshot.index, result.first, result.block, result.last)
        self.session.groups[number] = result.snapshot
        if result.error is not None:
            raise result.error
        return number

    def cancel(self) -> None:
        """Take back what no worker has begun."""
        for future in self.pending.values():
            future.cancel()
