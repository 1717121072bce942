# SPDX-License-Identifier: BSD-3-Clause
"""Run the programs of the test environment."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run(*command: str | Path, **options) -> str:
    """Return what a command said; fail with it when the command fails."""
    done = subprocess.run(
        [*map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options
    )
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}"
    return done.stdout


def tool(name: str) -> str:
    """Path of a program of the environment, else its bare name."""
    path = Path(sys.prefix) / "bin" / name
    return str(path) if path.exists() else name
