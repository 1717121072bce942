# SPDX-License-Identifier: BSD-3-Clause
"""The C++ library by itself: its own tests, and its use from another CMake project."""

from __future__ import annotations

import shutil

import pytest

import spinodal
from architecture.commands import ROOT, run, tool

CROSS_COMPILER = shutil.which("aarch64-linux-gnu-g++")

PROJECT = """
cmake_minimum_required(VERSION 3.21)
project(consumer LANGUAGES CXX)
find_package(spinodal {version} REQUIRED)
add_executable(consumer main.cpp)
target_link_libraries(consumer PRIVATE spinodal::spinodal)
"""
PROGRAM = """
#include <spinodal/ising.hpp>
#include <cstdio>
#include <vector>

int main() {
  std::vector<std::int8_t> spins(2 * 8 * 8, 1);
  const double beta[2] = {0.0, 10.0};
  spinodal::SweepOptions options;
  options.n_sweeps = 100;
  options.n_threads = 2;
  spinodal::metropolis_sweep(spins.data(), 2, {1, 8, 8, true}, beta, {1.0, 0.0}, options, 16);
  double energy[2];
  spinodal::ising_energy(spins.data(), 2, {1, 8, 8, true}, {1.0, 0.0}, energy, 2);
  std::printf("%.1f", energy[1]);
}
"""


def test_native_tests_pass(native_build):
    run(tool("ctest"), "--test-dir", native_build, "--output-on-failure", "--no-tests=error")


@pytest.fixture
def installed(native_build, tmp_path):
    run(tool("cmake"), "--install", native_build, "--component", "library", "--prefix", tmp_path / "prefix")
    return tmp_path / "prefix"


def configure(folder, prefix, version):
    (folder / "CMakeLists.txt").write_text(PROJECT.format(version=version))
    (folder / "main.cpp").write_text(PROGRAM)
    generator = ["-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={tool('ninja')}"]
    return run(tool("cmake"), "-S", folder, "-B", folder / "build", f"-DCMAKE_PREFIX_PATH={prefix}", *generator)


def test_another_project_finds_the_package(installed, tmp_path):
    configure(tmp_path, installed, spinodal.__version__)
    run(tool("cmake"), "--build", tmp_path / "build")
    assert run(tmp_path / "build" / "consumer") == "-128.0"


def test_the_package_refuses_another_version(installed, tmp_path):
    with pytest.raises(AssertionError, match="version"):
        configure(tmp_path, installed, "99.0")


@pytest.mark.skipif(CROSS_COMPILER is None, reason="no aarch64 compiler (Debian: apt install g++-aarch64-linux-gnu)")
def test_the_baseline_compiles_for_aarch64(tmp_path):
    """Every kernel and entry point in one program: nothing of x86-64 is asked for, and no symbol is missing."""
    sources = [path for folder in ("kernels", "src") for path in sorted((ROOT / "cpp" / folder).glob("*.cpp"))]
    (tmp_path / "main.cpp").write_text(PROGRAM)
    strict = ["-std=c++17", "-O0", "-fopenmp", "-Wall", "-Wextra", "-Werror"]
    defines = ["-DSPINODAL_ISA=baseline", "-DSPINODAL_HAVE_BASELINE"]
    folders = [f"-I{ROOT / 'cpp'}", f"-I{ROOT / 'cpp' / 'include'}"]
    run(CROSS_COMPILER, *strict, *defines, *folders, *sources, tmp_path / "main.cpp", "-o", tmp_path / "consumer")
