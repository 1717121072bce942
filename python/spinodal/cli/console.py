# SPDX-License-Identifier: BSD-3-Clause
"""What is said on the terminal: progress, tables, verdicts."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from spinodal.plots.scan import Scan
from spinodal.report import fluid, tables
from spinodal.report.fluid import FluidResult
from spinodal.report.fluid_page import statistic
from spinodal.report.results import Agreement, CriticalPoint

_PIPE_WIDTH = 200  # a table in a log is not folded to the 80 columns of no terminal


def require_rich() -> None:
    """Check that rich is installed.

    Raises
    ------
    ImportError
        With the line that installs it.
    """
    try:
        import rich  # noqa: F401
    except ImportError as error:
        raise ImportError("tables on the terminal need rich: pip install 'spinodal[cli]'") from error


def new_console() -> Any:
    """Return a console on the standard output, wide if it is not a terminal."""
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)


@contextlib.contextmanager
def progress_bars(quiet: bool) -> Iterator[Callable[[str], Callable[..., object] | bool]]:
    """Give a function that makes the reporter of a named run; bars are drawn only on a terminal."""
    if quiet or not sys.stderr.isatty():
        yield lambda name: False
        return
    from rich import progress
    from rich.console import Console

    columns = (
        progress.TextColumn("{task.description:>12}"), progress.BarColumn(), progress.TaskProgressColumn(),
        progress.TimeElapsedColumn(), progress.TimeRemainingColumn(),
    )  # fmt: skip
    # No refresh thread: it would compete with the kernels.
    with progress.Progress(*columns, console=Console(stderr=True), auto_refresh=False) as bars:

        def reporter(name: str) -> Callable[..., object]:
            task = bars.add_task(name, total=None)

            def report(event: Any) -> None:
                bars.update(task, total=event.n_steps, completed=event.step, refresh=True)

            return report

        yield reporter


def print_scan(console: Any, scan: Scan, seconds: float | None) -> None:
    """Print the table of one lattice: each estimate beside its exact value, and how far it is from it in σ."""
    time = "" if seconds is None else f", {seconds:.1f} s"
    title = f"{scan.label}: {scan.samples.energy.shape[0]:,} chains × {scan.samples.energy.shape[1]:,} draws{time}"
    print_rows(console, title, tables.header(scan), list(tables.rows(scan)))


def print_fluid(console: Any, result: FluidResult) -> None:
    """Print the table of a fluid, each estimate beside NIST's value where there is one, and whether they agree."""
    time = "" if result.seconds is None else f", {result.seconds:.1f} s"
    samples = result.samples
    title = f"Lennard-Jones, {result.label}: {samples.n_chains:,} chains × {samples.n_draws:,} draws{time}"
    print_rows(console, title, fluid.header(result), list(fluid.rows(result)))
    for check in fluid.agreement(result):
        verdict = "[green]agrees[/]" if check.passes() else "[bold red]DOES NOT AGREE[/]"
        console.print(f"{fluid.TITLES[check.name]} {verdict} with NIST (SRSW): {statistic(check).partition(': ')[2]}")


def print_rows(console: Any, title: str, titles: Sequence[str], rows: Sequence[tables.Row]) -> None:
    """Print a row for each temperature, as many columns as fit, and why some are not to be trusted."""
    from rich import box
    from rich.table import Table

    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    fitting = _columns_that_fit(console.width, titles, rows)
    for name in ("T", *titles[:fitting]):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        cells = [f"[bold red]{cell.text}[/]" if cell.far else cell.text for cell in row.cells[:fitting]]
        table.add_row(row.label, *cells, style="yellow" if row.doubt else None)
    console.print(table)
    if fitting < len(titles):
        console.print(f"A wider terminal, or the report, has also: {', '.join(titles[fitting:])}", style="dim")
    for row in rows:
        if row.doubt:
            console.print(f"? T = {row.label}: {row.doubt}", style="yellow", markup=False)


def _columns_that_fit(width: int, titles: Sequence[str], rows: Sequence[tables.Row]) -> int:
    """Return how many columns after the temperature's a terminal can show whole."""
    used = 2 + max((len(row.label) for row in rows), default=1)
    for index, title in enumerate(titles):
        used += 3 + max(len(title), *(len(row.cells[index].text) for row in rows))
        if used > width:
            return index
    return len(titles)


def print_agreement(console: Any, checks: list[Agreement]) -> None:
    """Print how the values compare with the exact ones, in a sentence for each observable."""
    for check in checks:
        name = tables.TITLES[check.name]
        verdict = "[green]agrees[/]" if check.passes() else "[bold red]DOES NOT AGREE[/]"
        where = f"{tables.signed(check.worst)}σ (T = {check.worst_at:g}, {check.worst_of})"
        console.print(
            f"{name} {verdict} with the exact solution: χ²/dof = {check.chi2 / max(check.n, 1):.2f} over {check.n} "
            f"values, p = {check.p_value:.2g}, farthest {where}"
        )


def print_critical(console: Any, critical: CriticalPoint | None) -> None:
    """Print where the Binder cumulants cross, if they do."""
    if critical is None:
        return
    found = critical.crossing.critical_temperature
    doubt = "" if found.reliable else f"  ? {found.reason}"
    where = f"{tables.signed(critical.deviation)}σ from {critical.expected:.6f}"
    console.print(f"Binder cumulants cross at Tc = {found}, {where}{doubt}", markup=False)
