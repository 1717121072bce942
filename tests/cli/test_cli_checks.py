# SPDX-License-Identifier: BSD-3-Clause
"""The commands that judge: ``demo``, ``doctor`` and ``bench`` say what is wrong, and their exit status too."""

from __future__ import annotations

import itertools
import time
from types import SimpleNamespace

import pytest

from spinodal import selftest
from spinodal.cli import bench, demo, doctor, main
from spinodal.cli.demo import _FOCUS

pytestmark = pytest.mark.usefixtures("no_pictures")


@pytest.fixture
def small_demo(monkeypatch):
    """Lattices of a second; the largest is left out by --quick."""
    scan = (1.8, *_FOCUS, 2.8)
    monkeypatch.setattr(demo, "_SCAN", scan)
    monkeypatch.setattr(demo, "_QUICK_FLUID_STEPS", 400)
    monkeypatch.setattr("spinodal.report.fluid_figures.pictures", lambda result: iter(()))
    monkeypatch.setattr(demo, "_LATTICES", dict.fromkeys((8, 16, 32, 64), (scan, 16, 64)))


def test_the_demo_agrees_with_the_exact_solution(small_demo, tmp_path, capsys):
    report = tmp_path / "demo.html"
    assert main(["demo", "--quick", "--report", str(report), "--threads", "1"]) == 0
    said = capsys.readouterr().out
    assert "E/N" in said and f"report: {report}" in said and "FAILED" not in said
    assert report.read_text().endswith("</html>\n")
    assert "U/N agrees with NIST" in said
    assert "Lennard-Jones fluid" in (tmp_path / "demo-fluid.html").read_text()


def test_the_demo_fails_where_the_samples_are_wrong(small_demo, tmp_path, capsys, monkeypatch):
    """Samples of another temperature than they say."""
    from spinodal.samplers.lattice import ChainSampler

    sound = ChainSampler.step

    def warmer(self, key, state, n_steps=1, **options):
        other = self.for_chains(0, len(state.spins))
        other.temperature = self.chain_temperatures(len(state.spins)) * 1.05
        return sound(other, key, state, n_steps, **options)

    monkeypatch.setattr(ChainSampler, "step", warmer)
    assert main(["demo", "--quick", "-q", "--report", str(tmp_path / "demo.html"), "--threads", "1"]) == 1
    assert "FAILED: energy_per_site does not agree with the exact solution" in capsys.readouterr().out


def test_the_demo_needs_a_folder_before_the_work(tmp_path, capsys):
    assert main(["demo", "--report", str(tmp_path / "none" / "demo.html")]) == 2
    assert "there is no folder" in capsys.readouterr().err


@pytest.mark.parametrize("status", [0, 1])
def test_the_doctor_passes_its_verdict_on(status, monkeypatch, capsys):
    class Found(SimpleNamespace):
        def __str__(self) -> str:
            return "what was found"

    monkeypatch.setattr(doctor, "diagnose", lambda: Found(exit_code=status))
    assert main(["doctor"]) == status
    assert capsys.readouterr().out == "what was found\n"


def test_the_bench_times_nothing_that_is_wrong(monkeypatch, capsys):
    wrong = selftest.Check("cpp avx2", "wolff energy", False, "3σ too many")
    monkeypatch.setattr(selftest, "check_all", lambda backends: iter([wrong]))
    assert main(["bench"]) == 1
    said = capsys.readouterr().out
    assert "WRONG  cpp avx2: wolff energy: 3σ too many" in said and "flips/ns" not in said


def test_the_bench_reports_every_case(monkeypatch, capsys):
    monkeypatch.setattr(selftest, "check_all", lambda backends: iter(()))
    monkeypatch.setattr(bench, "best_rate", lambda step: step(1, 0) / 1e6)
    assert main(["bench", "--threads", "2"]) == 0
    said = capsys.readouterr().out
    assert "2 threads" in said and "answers checked" in said
    assert all(case.name in said for case in bench.cases(1))


def test_the_rate_is_that_of_the_best_run():
    """Consecutive steps, none twice, in runs that grow."""
    calls = []

    def step(n, t):
        calls.append((n, t))
        time.sleep(1e-4 * n)
        return 1e4 * n

    assert 0 < bench.best_rate(step, seconds=0.1) <= 0.1  # of 10⁴ spins in 10⁵ ns
    taken = calls[1:]  # the first call warms up
    assert all(t + n == following for (n, t), (_, following) in itertools.pairwise(taken))
    assert max(n for n, _ in taken) > 1
