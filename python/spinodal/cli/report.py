# SPDX-License-Identifier: BSD-3-Clause
"""``spinodal report``: the report of files of samples."""

from __future__ import annotations

import argparse

import spinodal as sp
from spinodal.cli.ising import command_line
from spinodal.report import FluidResult, Result, is_fluid, write_fluid_report, write_report


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    samples = [sp.load(path) for path in arguments.files]
    fluids = [is_fluid(each) for each in samples]
    if any(fluids) and len(samples) > 1:
        raise ValueError(f"a report of a Lennard-Jones fluid is of one file; got {len(samples)}")
    if all(fluids):
        write_fluid_report(arguments.report, FluidResult(samples[0]), command=command_line())
    else:
        write_report(arguments.report, [Result.of(each) for each in samples], command=command_line())
    print(f"wrote {arguments.report}")
    return 0
