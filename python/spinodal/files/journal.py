# SPDX-License-Identifier: BSD-3-Clause
"""What a run in progress has on the disk: an append-only journal of draws, and the newest state beside it.

``run.h5.journal``
    Records (see `records`): one HEAD with the run's arguments, then DRAW records, each some
    consecutive draws of some consecutive chains. It only grows; a torn tail is cut off on resume.
``run.h5.state``
    One STAT record: the samplers' complete state. It is replaced as a whole, so the journal does not
    grow by a state each time.

Draws are written before the state that follows them: the journal is never behind the state. It may
be ahead, when a kill falls between the two, and then the draws are sampled again, bit for bit. That
also holds if the state is lost: the arguments alone determine every draw.

Records go to the operating system at once, so a killed process loses nothing that was written.
`Journal.sync` also waits for the disk; after a power loss the run goes on from the last sync.
"""

from __future__ import annotations

import contextlib
import io
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

from spinodal.files.atomic import remove_leftovers, replacing
from spinodal.files.encoding import Arrays, decode, encode
from spinodal.files.errors import FileFormatError
from spinodal.files.locking import open_locked
from spinodal.files.packing import Stored, packed_if_spins
from spinodal.files.recording import Recording
from spinodal.files.records import is_torn_record, read_records, write_record

FORMAT = "spinodal-journal"
VERSION = 2  # 1 held no packed spins: its draws are int8, and packed once they are read


def journal_path(path: Path) -> Path:
    """Return the name of the journal of the run that ends in ``path``."""
    return path.with_name(path.name + ".journal")


def state_path(path: Path) -> Path:
    """Return the name of the state of the run that ends in ``path``."""
    return path.with_name(path.name + ".state")


class Contents(NamedTuple):
    """What a journal holds."""

    header: dict[str, Any]
    temperature: npt.NDArray[np.float64]
    recording: Recording
    end: int


class SavedState(NamedTuple):
    """The newest state of a run."""

    meta: dict[str, Any]
    arrays: Arrays

    def give_last(self, recording: Recording) -> None:
        """Hand over the last configurations, which the journal does not hold."""
        last = self.arrays.get("last")
        recording.last = None if last is None else packed_if_spins(last, 1)
        recording.last_at[:] = self.meta["last_at"]


class Journal:
    """The journal and the state file of one run, locked against other writers until closed.

    Parameters
    ----------
    path : Path
        Where the finished run's samples will be.

    Raises
    ------
    FileInUseError
        If another run writes them.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._token = ""
        self._file: io.FileIO = open_locked(journal_path(path))
        remove_leftovers(path)
        remove_leftovers(state_path(path))

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the files free; a journal in which no run was begun is removed."""
        if not self._file.closed:
            if os.fstat(self._file.fileno()).st_size == 0:
                journal_path(self.path).unlink(missing_ok=True)
            self._file.close()

    def read(self) -> Contents | None:
        """Return what was written so far, or None if no run was begun; a torn tail is cut off."""
        contents = read_journal(self.path)
        if contents is not None:
            self._token = contents.header["token"]
            self._file.truncate(contents.end)
            self._file.seek(contents.end)
        return contents

    def begin(self, header: Mapping[str, Any], temperature: npt.NDArray[np.float64]) -> None:
        """Begin a run: forget what the files held, and write the header."""
        self._file.truncate(0)
        self._file.seek(0)
        state_path(self.path).unlink(missing_ok=True)
        # A state belongs to the journal with its token: the run before may have been killed between the lines above.
        self._token = secrets.token_hex(8)
        meta = {"format": FORMAT, "format_version": VERSION, "token": self._token, **header}
        write_record(self._file, b"HEAD", encode(meta, {"temperature": temperature}))
        self.sync()

    def append(self, chains: slice, first: int, block: Mapping[str, Stored]) -> None:
        """Write draws ``first, first + 1, …`` of some chains."""
        meta = {"start": chains.start, "stop": chains.stop, "first": first}
        end = self._file.tell()
        try:
            write_record(self._file, b"DRAW", encode(meta, block))
        except BaseException:
            # A full disk, or Ctrl-C: what would follow a torn record could not be read.
            self._file.truncate(end)
            self._file.seek(end)
            raise

    def sync(self) -> None:
        """Wait until everything written is on the disk."""
        os.fsync(self._file.fileno())

    def save_state(self, meta: Mapping[str, Any], arrays: Mapping[str, Stored]) -> None:
        """Replace the state file; call :meth:`sync` first."""
        with replacing(state_path(self.path)) as temporary, io.FileIO(temporary, "w") as file:
            write_record(file, b"STAT", encode({"token": self._token, **meta}, arrays))

    def load_state(self) -> SavedState | None:
        """Return the state saved last, or None if there is none, it is damaged, or it is another run's."""
        return read_state(self.path, self._token)

    def remove(self) -> None:
        """Remove both files, once the samples themselves are on the disk."""
        state_path(self.path).unlink(missing_ok=True)
        journal_path(self.path).unlink(missing_ok=True)


def read_header(path: Path) -> dict[str, Any] | None:
    """Read what :meth:`Journal.begin` wrote; None if there is no journal, or its run was killed before that."""
    try:
        with journal_path(path).open("rb") as file:
            found = _read_head(journal_path(path), file)
    except FileNotFoundError:
        return None
    return None if found is None else found[0]


def read_journal(path: Path) -> Contents | None:
    """Read the journal of the run that ends in ``path``, up to its first damaged or torn record.

    Returns
    -------
    Contents or None
        None if the run was killed before it had written its header.

    Raises
    ------
    FileNotFoundError
        If there is no journal.
    FileFormatError
        If the file is no journal, or its header is damaged, or of a newer format.
    """
    journal = journal_path(path)
    with journal.open("rb") as file:
        found = _read_head(journal, file)
        if found is None:
            return None
        header, temperature, end = found
        recording = Recording(header["n_chains"], header["n_draws"])
        file.seek(end)
        try:
            for record in read_records(file, os.fstat(file.fileno()).st_size):
                meta, block = decode(record.payload)
                recording.put_block(slice(meta["start"], meta["stop"]), meta["first"], block)
                end = record.end
        except (KeyError, TypeError, IndexError, ValueError) as error:
            raise FileFormatError(journal, f"its records are not those of a run: {error!r}") from error
    return Contents(header, temperature, recording, end)


def _read_head(journal: Path, file: BinaryIO) -> tuple[dict[str, Any], npt.NDArray[np.float64], int] | None:
    size = os.fstat(file.fileno()).st_size
    if is_torn_record(file.read(20), size):
        return None
    file.seek(0)
    record = next(read_records(file, size), None)
    if record is None or record.kind != b"HEAD":
        raise FileFormatError(journal, "not a journal of spinodal, or its header is damaged")
    header, arrays = decode(record.payload)
    if header["format_version"] > VERSION:
        raise FileFormatError(journal, f"written by a newer spinodal: format {header['format_version']}")
    return header, np.asarray(arrays["temperature"]), record.end


def read_state(path: Path, token: str) -> SavedState | None:
    """Read the state of the run whose journal has this token; None if there is no whole one."""
    with contextlib.suppress(FileNotFoundError, ValueError), state_path(path).open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        for record in read_records(file, size):
            meta, arrays = decode(record.payload)
            if record.kind == b"STAT" and meta["token"] == token:
                return SavedState(meta, arrays)
    return None
