# SPDX-License-Identifier: BSD-3-Clause
"""Instructions per unit of work, counted by valgrind: steady where clocks are not.

python benchmarks/instructions.py [CASE …] [--isa avx2]

Each case runs twice under callgrind with different numbers of updates; the difference is free of
start-up. valgrind does not know VAES, so that the instruction set is AVX2 unless told otherwise.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys

from cases import CASES, Case
from peers.spinodal_engine import SpinodalKernels

_UPDATES = {1 << 12: 400, 1 << 18: 8, 1 << 24: 1}
_DEFAULT = ("metropolis-64", "metropolis-512", "metropolis-field-512", "metropolis-3d-64", "heat-bath-512",
            "wolff-512", "swendsen-wang-512")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description="Count instructions per unit of work.")
    parser.add_argument("cases", nargs="*", default=_DEFAULT, metavar="CASE")
    parser.add_argument("--isa", default="avx2")
    parser.add_argument("--updates", type=int, help=argparse.SUPPRESS)  # the measured process
    options = parser.parse_args()
    by_name = {case.name: case for case in CASES}
    if options.updates is not None:
        print(_run(by_name[options.cases[0]], options.updates))
        return
    if shutil.which("valgrind") is None:
        raise SystemExit("valgrind is not installed (Debian: apt install valgrind)")
    for name in options.cases:
        print(f"{name:26} {_instructions_per_work(by_name[name], options.isa):8.3f} instructions per unit of work")


def _run(case: Case, n_updates: int) -> float:
    simulation = SpinodalKernels().start(case, seed=1)
    return simulation.advance(10) + simulation.advance(n_updates)


def _instructions_per_work(case: Case, isa: str) -> float:
    few = next((n for sites, n in _UPDATES.items() if case.n_sites * case.n_chains <= sites), 1)
    counts = [_count(case, n, isa) for n in (few, 4 * few)]
    (instructions, work), (more_instructions, more_work) = counts
    return (more_instructions - instructions) / (more_work - work)


def _count(case: Case, n_updates: int, isa: str) -> tuple[int, float]:
    """Return instructions and work of a process that runs a case."""
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", sys.executable, __file__, case.name]
    done = subprocess.run(
        [*command, "--updates", str(n_updates)], capture_output=True, text=True, check=False,
        env={**os.environ, "SPINODAL_ISA": isa, "PYTHONHASHSEED": "0"},
    )  # fmt: skip
    collected = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or collected is None:
        raise SystemExit(f"{case.name} failed under valgrind:\n{done.stderr[-2000:]}")
    return int(collected.group(1)), float(done.stdout)


if __name__ == "__main__":
    main()
