# SPDX-License-Identifier: BSD-3-Clause
"""Run a sampler: burn-in, thinning, progress, checkpoints, interruption and workers, once for all samplers."""

from __future__ import annotations

import contextlib
import math
import tempfile
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spinodal.files.recording import Recording
from spinodal.files.unfinished import as_contents
from spinodal.interop.executors import as_executor, n_workers
from spinodal.samplers.divergence import DivergedError
from spinodal.samplers.protocol import Array, Sampler
from spinodal.samplers.running.advance import Chains, NonFiniteEnergyError, Snapshot, starting_at_will
from spinodal.samplers.running.checkpoint import Opened, Resume, open_checkpoint, recorded_seed
from spinodal.samplers.running.interrupt import graceful_interrupt
from spinodal.samplers.running.plan import KeepDraws, Plan, checked_integer, make_plan
from spinodal.samplers.running.progress import ProgressBar, ProgressEvent, Reporter, make_reporter
from spinodal.samplers.running.provenance import ResumeError, describe_run
from spinodal.samplers.running.session import Callback, Session, split_chains
from spinodal.samplers.running.workers import drive
from spinodal.samplers.tuning import Tunable
from spinodal.samples import Samples
from spinodal.threads import resolve_n_threads

__all__ = ["DivergedError", "NonFiniteEnergyError", "ProgressEvent", "ResumeError", "run"]


def run(
    sampler: Sampler,
    *,
    n_chains: int,
    n_steps: int,
    burn_in: int = 0,
    thin: int = 1,
    seed: int | None = 0,
    init: npt.ArrayLike | Samples | None = None,
    keep_draws: KeepDraws = True,
    n_threads: int | None = None,
    progress: bool | Reporter | None = None,
    callback: Callback | None = None,
    checkpoint: str | PathLike[str] | None = None,
    checkpoint_every: float = 5.0,
    resume: Resume = "auto",
    executor: Any = None,
) -> Samples:
    """Sample many chains.

    The draws depend on the sampler, ``n_chains``, ``burn_in``, ``thin``, ``seed`` and ``init`` alone: threads,
    workers, checkpoints and interruptions leave every bit as it is.

    Ctrl-C returns the draws taken so far, within 0.1 s, with ``provenance["interrupted"]`` True; a second
    Ctrl-C raises KeyboardInterrupt. (In the main thread, unless the program handles Ctrl-C itself.)

    Parameters
    ----------
    sampler : Sampler
        For example ``Metropolis(IsingModel(64), temperature=2.269)``.
    n_chains : int
        Number of chains in all, whatever the number of workers.
    n_steps : int
        Elementary steps (sweeps, cluster updates) of each chain after the burn-in; a multiple of ``thin``.
    burn_in : int
        Elementary steps before the first that counts. A sampler that tunes itself does so in the first three quarters.
    thin : int
        Steps from one draw to the next: there are ``n_steps // thin`` draws, the last after the last step.
    seed : int or None
        0 ≤ seed < 2⁶⁴. None draws one from the operating system; the provenance has it.
    init : array, shape (n_chains, …), or Samples, or None
        Configurations to start from; None is the sampler's own start. Samples are gone on from their last
        draw and with the random numbers after theirs.
    keep_draws : bool or "last"
        Whether to keep the configurations; "last" keeps those at the last draw.
    n_threads : int or None
        Threads of the native calls; None is as many as the process may use, or one in each worker of an executor.
    progress : bool, callable or None
        None shows a bar if the standard error is a terminal and rich is installed; True shows one, False none.
        A callable gets a `ProgressEvent` up to ten times a second, and once at the end.
    callback : callable, optional
        Called after every draw as ``callback(step, state, info)``: the steps taken, burn-in included; the
        sampler's live state, to look at and not to keep; and what was measured, "energy" for one, each of
        shape (n_chains,). The run ends there if it returns False (not None). Not with an executor.
    checkpoint : path-like, optional
        Write the samples to this file, and all that a killed run needs to go on to ``<checkpoint>.journal``
        and ``<checkpoint>.state`` meanwhile; see `spinodal.load`, which reads unfinished runs too.
    checkpoint_every : float
        Seconds between two checkpoints; at most so much work is lost to a kill. 0 writes at every step.
    resume : "auto", "must" or "never"
        What to do with what ``checkpoint`` holds already. "auto" goes on with the same run, or returns its
        samples if it has ended, or begins if there is nothing. "must" refuses to begin. "never" begins anew;
        an earlier result is replaced when this run ends.
    executor : concurrent.futures.Executor, or what `spinodal.interop.executors.as_executor` takes
        Where to run the chains, in one group a worker; the results must be able to be pickled. The groups of a
        checkpointed run stay those it began with.

    Returns
    -------
    Samples
        With ``provenance["complete"]`` False if the run was interrupted or ended by the callback.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong: before any work.
    NonFiniteEnergyError
        If an energy becomes NaN or infinite: the step and the chain; ``error.samples`` has the draws before.
    DivergedError
        If dynamics diverges: what, the step, and the file with the last whole states, beside the checkpoint or in the
        folder for temporary files; ``error.samples`` has the draws before.
    ResumeError
        If the checkpoint is of another run (a ValueError): what differs.
    FileInUseError
        If another run is writing the checkpoint.
    FileFormatError
        If the checkpoint is damaged, or another kind of file.
    ImportError
        If the checkpoint needs h5py, or the progress bar rich, and it is not installed.
    """
    path = _checked_path(checkpoint, checkpoint_every, resume)
    if callback is not None and executor is not None:
        raise ValueError("callback needs the live state, which is with the executor's workers: give one of the two")
    if seed is None and path is not None and resume != "never":
        seed = recorded_seed(path)
    start, first_step = _starting_point(init)
    plan = make_plan(
        sampler,
        n_chains=n_chains,
        n_steps=n_steps,
        burn_in=burn_in,
        thin=thin,
        seed=seed,
        first_step=first_step,
        keep_draws=keep_draws,
    )
    _check_start(start, sampler, plan)
    sampler = sampler.settled(plan.n_chains)
    if isinstance(sampler, Tunable):
        # In the last quarter of the burn-in chains forget, at the step sizes that stay, what the tuning did to them.
        sampler = sampler.tuned_in(plan.first_step, plan.first_step + 3 * plan.burn_in // 4)
    workers = None if executor is None else as_executor(executor)
    threads = None if n_threads is None else checked_integer("n_threads", n_threads, 1)
    job = _Job(sampler, plan, start, threads, workers)
    with contextlib.ExitStack() as stack:
        interrupt = stack.enter_context(graceful_interrupt())
        reporter = make_reporter(progress)
        if isinstance(reporter, ProgressBar):
            stack.callback(reporter.close)
        opened = job.open(path, checkpoint_every, resume)
        if isinstance(opened, Samples):
            return opened
        if opened.checkpoint is not None:
            stack.callback(opened.checkpoint.close)
        groups: list[Chains | Snapshot] = [*(opened.snapshots or job.groups())]
        if callback is not None and len(groups) > 1:
            raise ResumeError(f"{path} was begun on an executor, in {len(groups)} groups of chains: callback needs one")
        session = Session(plan, opened.recording, groups, interrupt, opened.checkpoint, reporter, callback)
        return job.sample(session)


@dataclass(frozen=True)
class _Job:
    """A run's checked arguments."""

    sampler: Sampler
    plan: Plan
    start: Array | None
    n_threads: int | None
    executor: Executor | None

    @cached_property
    def temperature(self) -> npt.NDArray[np.float64]:
        return self.sampler.chain_temperatures(self.plan.n_chains)

    @cached_property
    def provenance(self) -> dict[str, Any]:
        n_threads = resolve_n_threads(self.n_threads) if self.executor is None else self.n_threads or 1
        return describe_run(
            self.sampler, self.plan, self.temperature, self.start, n_threads=n_threads, executor=self.executor
        )

    def open(self, path: Path | None, every: float, resume: Resume) -> Samples | Opened:
        recording = Recording(self.plan.n_chains, self.plan.n_draws)
        if path is None:
            return Opened(None, recording, [])
        return open_checkpoint(path, recording, self.temperature, self.provenance, every=every, resume=resume)

    def groups(self) -> list[Snapshot]:
        n_groups = 1 if self.executor is None else n_workers(self.executor)
        return [Snapshot(index) for index in split_chains(self.plan.n_chains, n_groups, self.sampler.chain_group)]

    def sample(self, session: Session) -> Samples:
        """Run the session to its end, or to its interruption."""
        checkpoint, recording = session.checkpoint, session.recording
        try:
            if self.executor is None:
                session.drive(self.sampler, self.start, self.n_threads)
            else:
                drive(session, self.executor, self.sampler, self.start, self.n_threads)
        except Exception as error:
            if checkpoint is not None:
                with contextlib.suppress(OSError):  # a full disk, say: the error itself matters more
                    checkpoint.save_draws(recording, session.groups)
            if isinstance(error, DivergedError):
                with contextlib.suppress(OSError):
                    error.save(Path(tempfile.gettempdir()) if checkpoint is None else checkpoint.path.parent)
            if isinstance(error, DivergedError | NonFiniteEnergyError):
                error.samples = self.result(session)
            raise
        session.report()
        if checkpoint is not None and recording.complete:
            checkpoint.finish(self.result(session))
        elif checkpoint is not None:
            checkpoint.save(recording, session.groups)
        return self.result(session)

    def result(self, session: Session) -> Samples:
        provenance = {**self.provenance, "interrupted": session.interrupt.requested}
        return Samples.from_arrays(*as_contents(session.recording, self.temperature, provenance))


def _checked_path(checkpoint: str | PathLike[str] | None, every: float, resume: str) -> Path | None:
    if resume not in ("auto", "must", "never"):
        raise ValueError(f"resume must be 'auto', 'must' or 'never'; got {resume!r}")
    if not (math.isfinite(every) and every >= 0):
        raise ValueError(f"checkpoint_every must be a number of seconds >= 0; got {every}")
    if checkpoint is None:
        if resume == "must":
            raise ValueError("resume='must' needs a checkpoint")
        return None
    path = Path(checkpoint)
    if path.is_dir():
        raise IsADirectoryError(f"checkpoint {path} is a folder: give the name of a file in it")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"checkpoint {path}: there is no folder {path.parent}")
    return path


def _starting_point(init: npt.ArrayLike | Samples | None) -> tuple[Array | None, int]:
    """Return the configurations to start from, and the first step among the random numbers."""
    if not isinstance(init, Samples):
        return (None if init is None else np.array(init)), 0
    draws = init.draws if init.packed_draws is None else init.packed_draws
    if draws is None or init.n_draws == 0:
        raise ValueError("samples without draws cannot be gone on from: keep at least the last, keep_draws='last'")
    # Numbers that these chains have seen already, given again, would tie the new draws to the old.
    return np.array(draws[:, -1]), int(init.provenance.get("last_step", 0))


def _check_start(start: Array | None, sampler: Sampler, plan: Plan) -> None:
    if start is None:
        return
    starting_at_will(sampler)
    shape = getattr(sampler.system, "shape", start.shape[1:])
    if start.shape != (plan.n_chains, *shape):
        raise ValueError(f"init must have shape {(plan.n_chains, *shape)}; got {start.shape}")
