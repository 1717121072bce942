# SPDX-License-Identifier: BSD-3-Clause
"""Reports: one self-contained HTML file, with the pictures, the numbers and how they were made."""

from spinodal.reports.page import report, write_report
from spinodal.reports.results import Result, agreement, critical_point

__all__ = ["Result", "agreement", "critical_point", "report", "write_report"]
