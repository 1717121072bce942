# SPDX-License-Identifier: BSD-3-Clause
"""``spinodal train``: train a network on the compiled samplers' configurations."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import spinodal as sp
from spinodal.cli.sample import load


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    folder = Path(arguments.out).resolve().parent
    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder} to write {Path(arguments.out).name} in")
    from spinodal.score.masked import MaskedConfig
    from spinodal.score.threads import torch_threads

    lengths = [_length(shape) for shape in arguments.sizes]
    start = None if arguments.start_from is None else load(arguments.start_from)
    config = MaskedConfig(arguments.channels, arguments.blocks) if start is None else start.config
    with _bars(arguments.quiet) as report, torch_threads(arguments.threads):
        path = sp.score.train_masked(
            arguments.out, config=config, lengths=lengths, effort=arguments.effort, batch=arguments.batch,
            levels=None if arguments.levels is None else arguments.levels.split(","), start_from=start,
            learning_rate=arguments.learning_rate, seed=arguments.seed, report=report,
        )  # fmt: skip
    print(f"{arguments.out}: other levels are still to be trained" if path is None else f"wrote {path}")
    return 0


def _length(shape: tuple[int, ...]) -> int:
    if len(shape) != 2 or shape[0] != shape[1]:
        raise ValueError(f"the masked sampler takes square lattices; got {'x'.join(map(str, shape))}")
    return shape[0]


@contextlib.contextmanager
def _bars(quiet: bool) -> Iterator[Callable[[Any], None] | None]:
    """Give a reporter that draws a bar for each level, if this is a terminal."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich import progress
    from rich.console import Console

    columns = (
        progress.TextColumn("level {task.description:>3}"), progress.BarColumn(), progress.TaskProgressColumn(),
        progress.TextColumn("loss {task.fields[loss]:.4f}"), progress.TimeRemainingColumn(),
    )  # fmt: skip
    tasks: dict[str, Any] = {}
    with progress.Progress(*columns, console=Console(stderr=True)) as bars:

        def report(done: Any) -> None:
            if done.level not in tasks:
                tasks[done.level] = bars.add_task(done.level, total=done.n_steps, loss=done.loss)
            bars.update(tasks[done.level], completed=done.step, loss=done.loss)

        yield report
