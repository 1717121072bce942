# SPDX-License-Identifier: BSD-3-Clause
"""Who may import what: the layers, and the few places that know a heavy library."""

from __future__ import annotations

import ast
import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from architecture.commands import ROOT, run, tool

PACKAGE = ROOT / "python" / "spinodal"
MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))

# Modules that may import a library, at whatever depth of their code. An empty tuple: tests only.
HOMES = {
    "_native": ("backends/",),
    "numba": ("backends/",),
    "torch": ("score/", "interop/torch_ops.py"),
    "rich": ("cli/", "samplers/running/progress.py"),
    "fastapi": ("service/",),
    "scipy": ("systems/rational.py",),
}
HEAVY = ("numba", "h5py", "matplotlib", "torch", "scipy", "xarray", "pandas", "pymbar", "typer", "rich")


def imported_names(path: Path) -> Iterator[str]:
    """Absolute names a file imports anywhere; ``from a import b`` gives both ``a`` and ``a.b``."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:  # within the package
                continue
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("module", MODULES)
def test_libraries_are_imported_only_in_their_homes(module):
    for name in imported_names(PACKAGE / module):
        library = "_native" if name.startswith("spinodal._native") else name.split(".")[0]
        if library in HOMES:
            assert module.startswith(HOMES[library] or "nowhere"), f"{module} imports {library}"


def test_layers():
    run(tool("lint-imports"), "--no-cache", "--no-logo", cwd=ROOT)


def child_environment() -> dict[str, str]:
    # Bytecode must be written for the second run to be a warm one.
    return {k: v for k, v in os.environ.items() if k not in ("PYTHONDONTWRITEBYTECODE", "COVERAGE_PROCESS_START")}


def cpu_seconds(*arguments: str) -> float:
    """Least CPU time of several runs, the first of which also warms the caches."""
    times = []
    for _ in range(6):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], check=True, env=child_environment(), stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(times)


def loaded_after(code: str) -> set[str]:
    """Heavy libraries in ``sys.modules`` after some code in a new interpreter."""
    report = f"{code}\nimport json, sys; print(json.dumps([m for m in {HEAVY!r} if m in sys.modules]))"
    return set(json.loads(run(sys.executable, "-c", report, env=child_environment())))


@pytest.mark.alone
def test_import_is_fast():
    assert cpu_seconds("-c", "import spinodal") - cpu_seconds("-c", "pass") < 0.25


def test_import_loads_no_heavy_library():
    assert loaded_after("import spinodal") == set()


def test_a_model_and_a_sampler_load_no_heavy_library():
    code = "import spinodal as sp; sp.Metropolis(sp.IsingModel(size=8), temperature=2.0)"
    assert loaded_after(code) == set()


@pytest.mark.alone
def test_help_is_fast():
    code = "import sys; from spinodal.cli import main; sys.argv = ['spinodal', '--help']; main()"
    assert cpu_seconds("-c", code) < 0.3
