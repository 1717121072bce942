# SPDX-License-Identifier: BSD-3-Clause
"""One run in progress: where its chains are, and everything that happens between their steps."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from spinodal.files.encoding import Arrays
from spinodal.files.packing import Stored
from spinodal.files.recording import Recording
from spinodal.samplers.protocol import Array, Sampler, State
from spinodal.samplers.running.advance import Chains, Configurations, Meter, Snapshot, Values, advance
from spinodal.samplers.running.checkpoint import Checkpoint
from spinodal.samplers.running.interrupt import Interrupt
from spinodal.samplers.running.plan import Plan
from spinodal.samplers.running.progress import ProgressEvent, Reporter
from spinodal.samplers.running.provenance import ResumeError

Callback = Callable[[int, State, Mapping[str, Array]], object]
_CHORE_SECONDS = 0.1


@dataclass
class Session:
    """What the steps of a run share.

    Attributes
    ----------
    groups : list of Chains or Snapshot
        Where all chains are, group by group: live in this process, or with a worker.
    stopped : bool
        Whether the callback ended the run.
    """

    plan: Plan
    recording: Recording
    groups: list[Chains | Snapshot]
    interrupt: Interrupt
    checkpoint: Checkpoint | None = None
    reporter: Reporter | None = None
    callback: Callback | None = None
    stopped: bool = False
    _began: float = field(default_factory=time.monotonic)
    _began_at: float | None = None
    _chores_due: float = 0.0

    def go_on(self) -> bool:
        """Do what is due between two steps; tell whether there is to be another."""
        if self.checkpoint is not None:
            self.checkpoint.update(self.recording, self.groups)
        if time.monotonic() >= self._chores_due:
            self.report()
            pause = math.inf if self.checkpoint is None else self.checkpoint.every
            self._chores_due = time.monotonic() + min(pause, _CHORE_SECONDS)
        return not (self.interrupt.requested or self.stopped)

    def report(self) -> None:
        """Tell how far the run is."""
        if self.reporter is None:
            return
        step = sum(group.step * (group.index.stop - group.index.start) for group in self.groups) / self.plan.n_chains
        seconds = time.monotonic() - self._began
        if self._began_at is None:
            self._began_at = step
        rate = (step - self._began_at) / max(seconds, 1e-9)
        left = (self.plan.total - step) / rate if rate > 0 else math.inf
        n_draws = int(self.recording.done.min())
        self.reporter(ProgressEvent(int(step), self.plan.total, n_draws, self.plan.n_draws, seconds, left))

    def drive(self, sampler: Sampler, init: Array | None, n_threads: int | None) -> None:
        """Step the chains in this process until the plan ends or the session stops."""
        for number, group in enumerate(self.groups):
            if self.interrupt.requested or self.stopped:
                break
            index = group.index
            part = sampler if len(self.groups) == 1 else sampler.for_chains(index.start, index.stop)
            chains = Chains.at(group.snapshot(), part, self.plan, None if init is None else init[index])
            if not self.recording.arrays:
                # Even a run that is stopped before its first draw then has arrays of the right shape.
                configurations = Configurations(chains.state)
                values = Meter(part.system, n_threads)(chains, configurations)
                self.recording.reserve(self._kept(values, configurations))
            self.groups[number] = chains
            advance(chains, self.plan, record=self.record, go_on=self.go_on, n_threads=n_threads)

    def _kept(self, values: Values, configurations: Configurations) -> Arrays:
        kept: Arrays = {"draws": configurations.stored} if self.plan.keep_draws is True else {}
        return {**kept, **values}

    def record(self, chains: Chains, draw: int, values: Values, configurations: Configurations) -> None:
        """Store one draw of a group, and show it to the callback."""
        if draw < self.recording.done[chains.index].min():
            self._check_again(chains.index, draw, values["energy"][:, np.newaxis])
        else:
            self.recording.put(chains.index, draw, self._kept(values, configurations))
        if self.plan.keep_draws == "last":
            self.recording.put_last(chains.index, draw + 1, configurations.stored)
        if self.callback is not None:
            info = {name.removeprefix("info/"): value for name, value in values.items()}
            answer = self.callback(chains.step, chains.state, info)
            self.stopped = isinstance(answer, bool | np.bool_) and not answer

    def record_block(self, index: slice, first: int, block: Arrays, last: Stored | None) -> None:
        """Store the draws that a worker took."""
        energy = np.asarray(block["energy"])
        known = min(int(self.recording.done[index].min()) - first, energy.shape[1])
        if known > 0:
            self._check_again(index, first, energy[:, :known])
        self.recording.put_block(index, first, block)
        if last is not None:
            self.recording.put_last(index, first + energy.shape[1], last)

    def _check_again(self, index: slice, first: int, energy: Array) -> None:
        # Draws written after the state that a killed run left are taken again, and must come out the same.
        known = np.asarray(self.recording.arrays["energy"])[index, first : first + energy.shape[1]]
        if not np.array_equal(known, energy):
            raise ResumeError(
                f"draw {first} comes out different from the one in the checkpoint: the sampler is not the one that "
                "wrote it, or does not give the same numbers again"
            )


def split_chains(n_chains: int, n_groups: int, chain_group: int) -> Sequence[slice]:
    """Split chains evenly into at most ``n_groups`` consecutive groups of multiples of ``chain_group``."""
    n_units = n_chains // chain_group
    n_groups = min(n_groups, n_units)
    bounds = [chain_group * (n_units * number // n_groups) for number in range(n_groups + 1)]
    return [slice(start, stop) for start, stop in itertools.pairwise(bounds)]
