# SPDX-License-Identifier: BSD-3-Clause
"""A run's file: written while it goes on, resumed after a kill, folded into HDF5 at the end."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from spinodal.files import FileInUseError, hdf5
from spinodal.files.encoding import Arrays
from spinodal.files.journal import Journal, SavedState, journal_path, read_header
from spinodal.files.recording import Recording
from spinodal.samplers.running.advance import Chains, Snapshot
from spinodal.samplers.running.provenance import ResumeError, check_same_run
from spinodal.samples import Samples, load

Resume = Literal["auto", "never", "must"]
_WAITING_BYTES = 1 << 23  # of draws, spins as bits; more do not wait, so that Ctrl-C need not wait for the disk


class Checkpoint:
    """The journal and the state of one run, kept up to date while it goes on.

    Parameters
    ----------
    path : Path
        Where the finished samples will be.
    every : float
        Seconds between two states.

    Raises
    ------
    FileInUseError
        If another run writes ``path``.
    """

    def __init__(self, path: Path, every: float) -> None:
        hdf5.require_h5py()  # before the work, not after
        self.path = path
        self.every = every
        self._saved_bytes = 0
        self._due = time.monotonic() + every
        self._journal = Journal(path)
        self._written: npt.NDArray[np.int64] = np.zeros(0, np.int64)

    def close(self) -> None:
        """Give the files free."""
        self._journal.close()

    def begin(self, recording: Recording, temperature: npt.NDArray[np.float64], provenance: Mapping[str, Any]) -> None:
        """Begin a new run; what the journal held is lost."""
        header = {"n_chains": recording.n_chains, "n_draws": recording.n_draws, "provenance": provenance}
        self._journal.begin(header, temperature)
        self._written = recording.done.copy()

    def resume(self, provenance: Mapping[str, Any]) -> tuple[Recording, list[Snapshot]] | None:
        """Return the draws of the run so far and where its chains are; None if no run was begun.

        No chains are returned if the state was lost: all must begin again, and will come by the same draws.

        Raises
        ------
        ResumeError
            If the journal is of another run.
        """
        contents = self._journal.read()
        if contents is None:
            return None
        check_same_run(journal_path(self.path), contents.header["provenance"], provenance)
        self._written = contents.recording.done.copy()
        self._saved_bytes = contents.recording.stored_bytes
        state = self._journal.load_state()
        if state is None or not _fits(state, contents.recording):
            return contents.recording, []
        state.give_last(contents.recording)
        return contents.recording, _snapshots(state)

    def update(self, recording: Recording, groups: Sequence[Chains | Snapshot]) -> None:
        """Write what is due: the draws if many wait, the state if its time has come."""
        if time.monotonic() >= self._due:
            self.save(recording, groups)
        elif recording.stored_bytes - self._saved_bytes >= _WAITING_BYTES:
            self.save_draws(recording, groups)

    def save(self, recording: Recording, groups: Sequence[Chains | Snapshot]) -> None:
        """Write the draws, then the state."""
        self.save_draws(recording, groups)
        arrays: Arrays = {
            f"{number}/{name}": array
            for number, group in enumerate(groups)
            for name, array in group.snapshot().arrays.items()
        }
        if recording.last is not None:
            arrays["last"] = recording.last
        places = [[group.index.start, group.index.stop, group.step] for group in groups]
        counts = {"done": recording.done.tolist(), "last_at": recording.last_at.tolist()}
        self._journal.save_state({"groups": places, **counts}, arrays)
        self._due = time.monotonic() + self.every

    def save_draws(self, recording: Recording, groups: Sequence[Chains | Snapshot]) -> None:
        """Write the draws that are complete, and wait until they are on the disk."""
        for group in groups:
            first, stop = int(self._written[group.index].min()), int(recording.done[group.index].min())
            row_bytes = sum(array[group.index, :1].nbytes for array in recording.arrays.values())
            n_block = max(1, _WAITING_BYTES // max(1, row_bytes))
            for start in range(first, stop, n_block):
                end = min(start + n_block, stop)
                self._journal.append(group.index, start, recording.block(group.index, start, end))
                self._written[group.index] = end
        self._journal.sync()
        self._saved_bytes = recording.stored_bytes

    def finish(self, samples: Samples) -> None:
        """Write the finished samples, then remove the journal."""
        samples.save(self.path)
        self._journal.remove()


class Opened(NamedTuple):
    """A checkpoint to write, if any, with what it holds already."""

    checkpoint: Checkpoint | None
    recording: Recording
    snapshots: list[Snapshot]


def open_checkpoint(
    path: Path,
    recording: Recording,
    temperature: npt.NDArray[np.float64],
    provenance: Mapping[str, Any],
    *,
    every: float,
    resume: Resume,
) -> Samples | Opened:
    """Find what ``path`` holds of this run: all samples, or some, or none; see ``spinodal.run``.

    Parameters
    ----------
    recording : Recording
        An empty one, for a run that is to begin.
    """
    other = None
    if resume != "never":
        try:
            samples = _finished_samples(path, provenance)
        except ResumeError as error:
            other = error  # it may be older than a run that was told not to resume it
        else:
            if samples is not None:
                return samples
    checkpoint = Checkpoint(path, every)
    try:
        found = None if resume == "never" else checkpoint.resume(provenance)
        if found is not None:
            return Opened(checkpoint, *found)
        if other is not None:
            raise other
        if resume == "must":
            raise FileNotFoundError(f"{path}: there is no run to resume")
        checkpoint.begin(recording, temperature, provenance)
    except BaseException:
        checkpoint.close()
        raise
    return Opened(checkpoint, recording, [])


def _fits(state: SavedState, recording: Recording) -> bool:
    """Tell whether the journal has every draw before the state; not so if it was damaged, or lost its end."""
    return bool((recording.done >= state.meta["done"]).all())


def _snapshots(state: SavedState) -> list[Snapshot]:
    snapshots = []
    for number, (start, stop, step) in enumerate(state.meta["groups"]):
        prefix = f"{number}/"
        found = {name: array for name, array in state.arrays.items() if name.startswith(prefix)}
        arrays = {name.removeprefix(prefix): np.asarray(array) for name, array in found.items()}
        snapshots.append(Snapshot(slice(start, stop), step, arrays))
    return snapshots


def recorded_seed(path: Path) -> int | None:
    """Return the seed of the run that ``path`` is, or will be, the result of; None if there is none."""
    header = read_header(path)
    if header is not None:
        return int(header["provenance"]["seed"])
    return int(hdf5.read_provenance(path)["seed"]) if path.exists() else None


def _finished_samples(path: Path, provenance: Mapping[str, Any]) -> Samples | None:
    """Return the samples at ``path`` if they are those of this run, None if there are none.

    Raises
    ------
    ResumeError
        If they are of another run, or not all.
    """
    if not path.exists():
        return None
    recorded = hdf5.read_provenance(path)
    check_same_run(path, recorded, provenance)
    if recorded.get("complete") is not True:
        raise ResumeError(f"{path} holds only part of the run, and its journal is gone: begin anew in another file")
    if journal_path(path).exists():
        # Killed between the end of the fold and the removal of the journal; unless somebody is at work on it.
        with contextlib.suppress(FileInUseError), Journal(path) as journal:
            journal.remove()
    return load(path)
