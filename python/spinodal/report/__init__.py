# SPDX-License-Identifier: BSD-3-Clause
"""Reports: one self-contained HTML file, with the pictures, the numbers and how they were made."""

from spinodal.report.page import render_report, write_report
from spinodal.report.results import Result, agreement, critical_point

__all__ = ["Result", "agreement", "critical_point", "render_report", "write_report"]
