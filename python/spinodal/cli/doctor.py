# SPDX-License-Identifier: BSD-3-Clause
"""``spinodal doctor``: what is installed here, whether it is exact, how fast it is."""

from __future__ import annotations

import argparse

from spinodal.doctor import diagnose


def run(arguments: argparse.Namespace) -> int:
    """Run the command; 1 if a check failed."""
    found = diagnose()
    print(found)
    return found.exit_code
