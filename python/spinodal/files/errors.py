# SPDX-License-Identifier: BSD-3-Clause
"""What can be wrong with a file."""

from __future__ import annotations

from os import PathLike


class FileFormatError(ValueError):
    """A file is truncated, corrupted, foreign, or of a newer format.

    Parameters
    ----------
    path : path-like
        The file.
    problem : str
        What is wrong with it.
    """

    def __init__(self, path: str | PathLike[str], problem: str) -> None:
        super().__init__(path, problem)
        self.path = path
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"


class FileInUseError(OSError):
    """Another process, or another thread of this one, is writing the same file."""
