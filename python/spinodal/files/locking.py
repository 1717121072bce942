# SPDX-License-Identifier: BSD-3-Clause
"""One writer a file."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
import weakref
from pathlib import Path

from spinodal.files.errors import FileInUseError

_NO_LOCKS_HERE = {errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK}  # some cluster file systems
_locked: weakref.WeakSet[io.FileIO] = weakref.WeakSet()


def open_locked(path: Path) -> io.FileIO:
    """Open a file for reading and writing, creating it if needed, and keep other writers out until it is closed.

    The lock is advisory (``flock``) and goes with the process, however it ends. Where the platform or the
    file system has no ``flock``, nothing is locked.

    Raises
    ------
    FileInUseError
        If another writer has it, in another process or in this one.
    """
    while True:
        # Unbuffered: a forked child that closes its copy must not write our buffer a second time.
        file = io.FileIO(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+")
        try:
            _lock(file, path)
        except BaseException:
            file.close()
            raise
        # Its last writer may have removed the file while we waited at the door: then ours has no name any more.
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                _locked.add(file)
                return file
        file.close()


def _lock(file: io.FileIO, path: Path) -> None:
    if sys.platform == "win32":
        return
    import fcntl

    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise FileInUseError(f"{path}: another run is writing it; wait for that run, or use another path") from None
    except OSError as error:
        if error.errno not in _NO_LOCKS_HERE:
            raise


def _close_in_child() -> None:
    # A forked worker shares the lock: it would outlive its parent's death and keep the next run out.
    for file in list(_locked):
        file.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_in_child)
