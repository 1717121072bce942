# SPDX-License-Identifier: BSD-3-Clause
"""``spinodal --version``."""

from __future__ import annotations

import argparse

import spinodal


def run(arguments: argparse.Namespace) -> int:
    """Print the version."""
    print(f"spinodal {spinodal.__version__}")
    return 0
