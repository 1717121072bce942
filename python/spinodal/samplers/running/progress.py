# SPDX-License-Identifier: BSD-3-Clause
"""How far a run is: for a terminal, for a program, or not at all."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ProgressEvent:
    """How far a run is.

    Attributes
    ----------
    step, n_steps : int
        Elementary steps of each chain, burn-in included: done, and in all.
    draw, n_draws : int
        Draws that every chain has, and in all.
    seconds : float
        Since the run began or was resumed.
    seconds_left : float
        At the rate so far; infinite before the first step.
    """

    step: int
    n_steps: int
    draw: int
    n_draws: int
    seconds: float
    seconds_left: float


Reporter = Callable[[ProgressEvent], object]


class ProgressBar:
    """A bar on the standard error, by rich.

    Raises
    ------
    ImportError
        If rich is not installed.
    """

    def __init__(self) -> None:
        try:
            from rich import progress
            from rich.console import Console
        except ImportError as error:
            raise ImportError("a progress bar needs rich: pip install 'spinodal[cli]'") from error
        columns = (
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TimeRemainingColumn(),
        )
        # No refresh thread: it would compete with the kernels, and with fork.
        self._bar = progress.Progress(*columns, console=Console(stderr=True), auto_refresh=False)
        self._task: Any = None

    def __call__(self, event: ProgressEvent) -> None:
        """Draw the bar."""
        if self._task is None:
            self._bar.start()
            self._task = self._bar.add_task("", total=event.n_steps)
        phase = "sampling" if event.draw or event.step >= event.n_steps else "running"
        self._bar.update(self._task, completed=event.step, description=phase, refresh=True)

    def close(self) -> None:
        """Leave the bar as it is."""
        self._bar.stop()


def make_reporter(progress: bool | Reporter | None) -> Reporter | None:
    """Return what ``progress`` asks for: None is a bar if somebody can see it, and if rich is installed."""
    if callable(progress):
        return progress
    if progress is None and sys.stderr is not None and sys.stderr.isatty():
        try:
            return ProgressBar()
        except ImportError:
            return None
    return ProgressBar() if progress else None
