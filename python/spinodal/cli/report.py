# SPDX-License-Identifier: BSD-3-Clause
"""``spinodal report``: the report of files of samples."""

from __future__ import annotations

import argparse

import spinodal as sp
from spinodal.cli.ising import command_line
from spinodal.report import Result, write_report


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    write_report(arguments.report, [Result.of(sp.load(path)) for path in arguments.files], command=command_line())
    print(f"wrote {arguments.report}")
    return 0
