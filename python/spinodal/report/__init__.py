# SPDX-License-Identifier: BSD-3-Clause
"""Reports: one self-contained HTML file, with the pictures, the numbers and how they were made."""

from spinodal.report.fluid import FluidResult, is_fluid
from spinodal.report.fluid_page import write_fluid_report
from spinodal.report.page import render_report, write_report
from spinodal.report.results import Result, agreement, critical_point

__all__ = [
    "FluidResult",
    "Result",
    "agreement",
    "critical_point",
    "is_fluid",
    "render_report",
    "write_fluid_report",
    "write_report",
]
