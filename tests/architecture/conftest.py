# SPDX-License-Identifier: BSD-3-Clause
"""The C++ library and its tests, built once for all tests that look at them."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from architecture.commands import ROOT, run, tool


@pytest.fixture(scope="session")
def native_build() -> Path:
    """Build folder with the static library and the native tests, up to date."""
    given = os.environ.get("SPINODAL_BUILD")  # one that ./dev has configured already
    build = Path(given) if given else ROOT / "build" / "tests"
    cmake = tool("cmake")
    build.mkdir(parents=True, exist_ok=True)
    with (build / "tests.lock").open("w") as lock:  # of several workers one builds
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not given:
            options = ["-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={tool('ninja')}", "-DCMAKE_BUILD_TYPE=Release"]
            run(cmake, "-S", ROOT, "-B", build, *options, "-DSPINODAL_PYTHON=OFF", "-DSPINODAL_TESTS=ON")
        run(cmake, "--build", build)
    return build
