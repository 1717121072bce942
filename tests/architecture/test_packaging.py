# SPDX-License-Identifier: BSD-3-Clause
"""What pip installs: a complete wheel from the source distribution, and one without a compiler."""

from __future__ import annotations

import os
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

from architecture.commands import ROOT, run

# Without the site module no editable install stands before the wheel.
FALL_BACK = """
import sys, warnings
sys.path += sys.argv[1:]
from spinodal.backends import resolve, why_missing
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    name = resolve().name
assert "g++" in why_missing("cpp") and "g++" in str(caught[0].message), caught
sys.stdout.write(name)
"""


@pytest.fixture(scope="module")
def sdist(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    code = f"from scikit_build_core.build import build_sdist; build_sdist({str(folder)!r})"
    run(sys.executable, "-c", code, cwd=ROOT)
    return next(folder.glob("*.tar.gz"))


def build_wheel(source: Path, folder: Path, **environment: str) -> zipfile.ZipFile:
    pip = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index"]
    quick = ("cmake.build-type=Debug", "cmake.define.SPINODAL_ISAS=baseline")  # the contents are the same
    settings = [f"--config-settings={setting}" for setting in quick]
    kept = {k: v for k, v in os.environ.items() if k not in ("SPINODAL_REQUIRE_NATIVE", "SPINODAL_BUILD")}
    run(*pip, *settings, "--wheel-dir", folder, source, env={**kept, **environment})
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def package_files(wheel: zipfile.ZipFile) -> set[str]:
    return {name.removeprefix("spinodal/") for name in wheel.namelist() if name.startswith("spinodal/")}


def expected_files() -> set[str]:
    package = ROOT / "python" / "spinodal"
    kept = (
        path for path in package.rglob("*") if path.is_file() and path.suffix not in (".so", ".pyc", ".nbi", ".nbc")
    )
    return {path.relative_to(package).as_posix() for path in kept}


def test_sdist_is_complete(sdist):
    with tarfile.open(sdist) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    for folder in ("cpp", "python", "tests", "cmake", "benchmarks", "docs", "examples"):
        for path in (ROOT / folder).rglob("*"):
            ignored = {"__pycache__"} & set(path.parts) or path.suffix in (".so", ".nbi", ".nbc", ".pyc")
            if (
                path.is_file()
                and not ignored
                and not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
            ):
                assert path.relative_to(ROOT).as_posix() in names
    assert {"dev", "constraints.txt", "LICENSE", "README.md", "CHANGELOG.md", "CMakePresets.json"} <= names
    assert not {name for name in names if name.startswith((".venv", "build", ".git/", ".ci"))}


@pytest.mark.slow
def test_wheel_from_sdist_is_complete(sdist, tmp_path):
    wheel = build_wheel(sdist, tmp_path)
    files = package_files(wheel)
    native = {name for name in files if name.startswith("_native.") and name.endswith(".so")}
    assert len(native) == 1
    assert files - native == expected_files()
    assert {"py.typed", "_native.pyi"} <= files
    others = {name for name in wheel.namelist() if not name.startswith("spinodal/")}
    assert all(".dist-info/" in name for name in others), others
    assert any(name.endswith("/LICENSE") for name in others)


def test_wheel_without_a_compiler_is_pure_python(sdist, tmp_path):
    wheel = build_wheel(sdist, tmp_path, CXX="/nonexistent/c++")
    assert package_files(wheel) == expected_files()
    assert Path(wheel.filename).name.endswith("-py3-none-any.whl")
    wheel.extractall(tmp_path / "site")
    assert run(sys.executable, "-S", "-c", FALL_BACK, tmp_path / "site", sysconfig.get_path("purelib")) == "numba"
