# SPDX-License-Identifier: BSD-3-Clause
"""Files that are there whole or not at all, also after a power loss."""

from __future__ import annotations

import contextlib
import glob
import os
import secrets
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write a file under a temporary name in the same folder, then move it to ``path``.

    The file is synchronised to the disk before it gets its name, and the folder after. An
    exception removes the temporary file and leaves ``path`` as it was; a killed process leaves
    the temporary file, which :func:`remove_leftovers` finds.

    Yields
    ------
    Path
        The temporary file, empty.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        # Created here for the permissions that the user's mask gives, which tempfile would not.
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        yield temporary
        sync(temporary)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def remove_leftovers(path: Path) -> None:
    """Remove what killed writers of ``path`` left; only safe while no other process writes it."""
    for leftover in path.parent.glob(f".{glob.escape(path.name)}.????????.tmp"):
        leftover.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Wait until a file's contents are on the disk."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Wait until a folder's names are on the disk, where the platform can open folders."""
    with contextlib.suppress(PermissionError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
