# SPDX-License-Identifier: BSD-3-Clause
"""Measure spinodal beside its peers: python benchmarks/run.py [--quick] [--only PATTERN] [--json F] [--markdown F]."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import machine
from cases import CASES, INDEPENDENT, THREADS, select
from report import Report, write
from suite import time_case, time_independent, time_threads
from timing import FULL, QUICK


def main() -> None:
    options = _arguments()
    effort = QUICK if options.quick else FULL
    settings = {"command": " ".join(["python", *sys.argv]), "rounds": effort.rounds, "seconds": effort.seconds}
    report = Report(machine.describe(), settings)
    chosen = [case.name for case in select([*CASES, THREADS, *INDEPENDENT], options.only, options.quick)]
    if not chosen:
        raise SystemExit(f"no case matches {options.only!r}; there are: {', '.join(case.name for case in CASES)}")
    for case in CASES:
        if case.name in chosen:
            _progress(case.name)
            report.rows += time_case(case, effort, options.engines)
    if THREADS.name in chosen:
        _progress(THREADS.name)
        report.threads = time_threads(effort, options.engines)
    independent = [case for case in INDEPENDENT if case.name in chosen]
    if independent:
        _progress("independent samples")
        report.independent = time_independent(independent, effort, 300 if options.quick else 2000, options.engines)
    write(report, options.markdown, options.json)
    print(report.to_markdown())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure spinodal beside its peers.")
    parser.add_argument("--quick", action="store_true", help="a subset of the cases, fewer repetitions")
    parser.add_argument("--only", metavar="PATTERN", help="cases by name: a shell pattern or a part of it")
    parser.add_argument("--engines", metavar="NAMES", help="engines by name, separated by commas")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--markdown", type=Path, metavar="FILE")
    return parser.parse_args()


def _progress(name: str) -> None:
    if sys.stderr.isatty():
        print(f"… {name}", file=sys.stderr)


if __name__ == "__main__":
    main()
