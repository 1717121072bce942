# SPDX-License-Identifier: BSD-3-Clause
"""The ``dev`` script: what it says on a bare machine, and what it would install."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
import tomllib
from itertools import chain
from types import SimpleNamespace

import pytest

from architecture.commands import ROOT


@pytest.fixture
def dev() -> SimpleNamespace:
    return SimpleNamespace(**runpy.run_path(str(ROOT / "dev"), run_name="dev"))


def test_help_lists_every_command(dev):
    said = subprocess.run([sys.executable, ROOT / "dev", "--help"], capture_output=True, text=True, check=True).stdout
    assert all(f"./dev {command} " in said for command in dev.COMMANDS)


def test_an_unknown_command_is_refused():
    done = subprocess.run([sys.executable, ROOT / "dev", "tset"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "./dev test" in done.stdout


def test_a_missing_compiler_is_named(dev, monkeypatch, tmp_path):
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "g++" in dev.missing_debian_packages()


def test_what_is_there_is_not_asked_for(dev, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    assert "g++" not in dev.missing_debian_packages()


def test_all_tests_have_all_cpus_and_a_selection_one(dev, monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    assert "--numprocesses=2" in dev.workers(["-q", "-k", "metropolis"])
    assert dev.workers(["tests/kernels", "-x"]) == dev.workers(["tests/test_doctor.py::test_x"]) == []
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0})
    assert dev.workers([]) == []


def test_the_demo_has_the_neural_sampler(dev):
    assert any(name.startswith("torch") for name in dev.requirements(dev.USER_EXTRAS, []))


def test_constraints_are_exact_and_name_everything_asked_for():
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9.-]+==[0-9][\w.]*", line) for line in lines)
    pinned = {line.split("==")[0] for line in lines}
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lists = [*config["project"]["optional-dependencies"].values(), *config["dependency-groups"].values()]
    asked = chain(config["project"]["dependencies"], *lists)
    names = {re.match(r"[\w.-]+", requirement)[0].lower().replace("_", "-") for requirement in asked}
    assert names - {"spinodal"} <= pinned
