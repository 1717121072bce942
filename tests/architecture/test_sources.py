# SPDX-License-Identifier: BSD-3-Clause
"""Rules the source files keep: what they include, how they begin, what they never contain."""

from __future__ import annotations

import inspect
import re
import tomllib
from pathlib import Path

import pytest

import spinodal
from architecture.commands import ROOT
from spinodal.backends import protocol, resolve

SOURCES = sorted(
    path
    for folder in ("cpp", "python", "tests", "benchmarks", "examples", "docs")
    for pattern in ("*.py", "*.pyi", "*.cpp", "*.hpp", "*.h")
    for path in (ROOT / folder).rglob(pattern)
)
INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^">]+)[">]', re.MULTILINE)
# Containers and algorithms are inline functions: their code would be shared between instruction sets.
KERNEL_HEADERS = {"cstdint", "cstddef", "cstring", "cmath", "immintrin.h", "arm_neon.h"}


def cpp_files(folder: str) -> list[Path]:
    return sorted((ROOT / "cpp" / folder).rglob("*.?pp"))


def includes(path: Path) -> set[str]:
    return set(INCLUDE.findall(path.read_text()))


def test_only_bindings_know_python():
    for folder in ("include", "src", "kernels"):
        for path in cpp_files(folder):
            wrong = {name for name in includes(path) if "pybind11" in name or name == "Python.h"}
            assert not wrong, f"{path.name} includes {wrong}"


def test_kernels_use_no_standard_containers_or_algorithms():
    for path in cpp_files("kernels"):
        foreign = {name for name in includes(path) if not name.startswith(("kernels/", "spinodal/"))}
        assert foreign <= KERNEL_HEADERS, f"{path.name} includes {foreign - KERNEL_HEADERS}"


def test_public_headers_stand_alone():
    for path in cpp_files("include"):
        assert not {name for name in includes(path) if name.startswith(("src/", "kernels/"))}, path.name


def test_the_top_build_file_is_short():
    assert len((ROOT / "CMakeLists.txt").read_text().splitlines()) < 60


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_source_names_its_licence_first(path):
    first = path.read_text().splitlines()[0]
    assert "SPDX-License-Identifier: BSD-3-Clause" in first


FORBIDDEN = {
    "unfinished work": r"\b(TODO|FIXME|XXX)\b|NotImplementedError",
    "a global random generator": r"np\.random\.(seed|rand|randn|randint|random|normal|choice)\("
    r"|\brandom\.seed\(|torch\.manual_seed\(",
    "a flag that ties results to the build machine": r"-march=native|-ffast-math",
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_sources_contain_no(what):
    pattern = re.compile(FORBIDDEN[what])
    others = [path for path in SOURCES if path != Path(__file__)]
    found = [f"{path.relative_to(ROOT)}: {match[0]}" for path in others for match in pattern.finditer(path.read_text())]
    assert not found, "\n".join(found)


def test_there_is_no_attic():
    folders = {
        path.name
        for top in ("cpp", "python", "tests", "benchmarks")
        for path in (ROOT / top).rglob("*")
        if path.is_dir()
    }
    assert not folders & {"attic", "old", "legacy", "deprecated", "backup", "utils", "helpers", "common"}


def test_one_version():
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert spinodal.__version__ == stated
    assert f"project(spinodal VERSION {stated} " in (ROOT / "CMakeLists.txt").read_text()
    assert f"## [{stated}]" in (ROOT / "CHANGELOG.md").read_text()


def test_backends_offer_the_same_functions(backend):
    engine = resolve(backend)
    for name, member in {**vars(protocol.Packing), **vars(protocol.Backend)}.items():
        if name.startswith("_"):
            continue
        if callable(member):
            expected = list(inspect.signature(member).parameters)[1:]
            assert list(inspect.signature(getattr(engine, name)).parameters) == expected, name
        else:
            assert hasattr(engine, name), name
