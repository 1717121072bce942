# SPDX-License-Identifier: BSD-3-Clause
"""``spinodal ising``: sample, compare with the exact solution, save, report."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from spinodal.cli import console
from spinodal.cli.request import Request
from spinodal.plots.scan import lattice_label
from spinodal.report import Result, agreement, critical_point, write_report

INTERRUPTED = 130


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    request = Request.of(arguments)
    check_outputs(arguments)
    results, interrupted = sample_all(request, quiet=arguments.quiet)
    if not arguments.quiet:
        show(results)
    if interrupted:
        print(_how_to_go_on(request, results[-1]), file=sys.stderr)
        return INTERRUPTED
    if arguments.report:
        write_report(arguments.report, results, command=command_line())
    if not arguments.quiet:
        _tell_files(request, arguments.report)
    return 0


def sample_all(request: Request, *, quiet: bool) -> tuple[list[Result], bool]:
    """Run every lattice; tell whether Ctrl-C ended it early."""
    results: list[Result] = []
    with console.progress_bars(quiet) as reporter:
        for shape in request.shapes:
            results.append(request.sample(shape, reporter(lattice_label(shape))))
            if results[-1].samples.provenance.get("complete") is False:
                return results, True
    return results, False


def show(results: Sequence[Result]) -> None:
    """Print the tables, the agreement with the exact solution, and the critical point."""
    screen = console.new_console()
    measured = [result for result in results if result.samples.n_draws > 0]
    for result in measured:
        console.print_scan(screen, result.scan, result.seconds)
    scans = [result.scan for result in measured]
    if not scans:
        return
    checks = [agreement(scans, name) for name in ("energy_per_site", "heat_capacity")]
    console.print_agreement(screen, [check for check in checks if check is not None])
    critical = critical_point(sorted(scans, key=lambda scan: scan.model.n_sites))
    console.print_critical(screen, critical)


def command_line() -> str:
    """Return the command line of this process."""
    return shlex.join(["spinodal", *sys.argv[1:]])


def check_outputs(arguments: argparse.Namespace) -> None:
    """Find out before the work what would fail after it."""
    if not arguments.quiet:
        console.require_rich()
    for path in filter(None, (getattr(arguments, "out", None), arguments.report)):
        folder = Path(path).resolve().parent
        if not folder.is_dir():
            raise ValueError(f"there is no folder {folder} to write {Path(path).name} in")
        if Path(path).is_dir():
            raise ValueError(f"{path} is a folder, not a file")
    if arguments.report:
        from spinodal.plots.style import new_figure

        new_figure()


def _how_to_go_on(request: Request, result: Result) -> str:
    samples = result.samples
    done = f"interrupted: {result.scan.label} has {samples.n_draws} of {request.steps // request.thin} draws"
    path = request.path(result.scan.model.shape)
    if path is None:
        return f"{done}; they are not saved (no --out)"
    return f"{done}; they are safe with {path}, and the same command goes on from there:\n  {command_line()}"


def _tell_files(request: Request, report: str | None) -> None:
    paths = [request.path(shape) for shape in request.shapes]
    for path in [*paths, report]:
        if path is not None:
            print(f"wrote {path}")
