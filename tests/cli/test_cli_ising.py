# SPDX-License-Identifier: BSD-3-Clause
"""The command end to end: table, files, report, seeds."""

import io
import re
import shlex
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import spinodal as sp
from spinodal.cli import main

ARGUMENTS = shlex.split("ising --size 8 -T 2:3:0.5 --chains 64 --steps 600")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ising")
    code = main([*ARGUMENTS, "--quiet", "--out", str(folder / "run.h5"), "--report", str(folder / "report.html")])
    return code, folder


def test_files_are_written(finished):
    code, folder = finished
    assert code == 0
    assert sorted(path.name for path in folder.iterdir()) == ["report.html", "run.h5"]
    samples = sp.load(folder / "run.h5")
    assert samples.temperatures.tolist() == [2.0, 2.5, 3.0]
    assert samples.energy.shape == (3 * 64, 600)
    assert samples.draws is not None
    assert samples.draws.shape == (3 * 64, 1, 8, 8)


def test_table_agrees_with_kaufman(finished, capsys):
    """Run again on the finished file: nothing is sampled, the table is printed from it."""
    _, folder = finished
    assert main([*ARGUMENTS, "--out", str(folder / "run.h5")]) == 0
    text = capsys.readouterr().out
    found = [line.split() for line in text.splitlines() if re.match(r"\s*[23]\.\d ", line)]
    rows = {float(row[0]): row for row in found}
    assert sorted(rows) == [2.0, 2.5, 3.0]
    for t, row in rows.items():
        exact = sp.exact.kaufman(8, t)
        for measured, stated, z, truth in (
            (*row[1:4], exact.energy_per_site),
            (*row[4:7], exact.heat_capacity_per_site),
        ):
            assert float(stated.replace("−", "-")) == pytest.approx(truth, abs=5e-4)
            assert abs(float(z.replace("−", "-"))) < 4.5
            assert float(measured.split("(")[0].replace("−", "-")) == pytest.approx(truth, rel=0.05)
    assert text.count("agrees with the exact solution") == 2


@pytest.mark.parametrize("width", [40, 60, 80, 100, 140, 200])
def test_table_is_never_cut(finished, width):
    from rich.console import Console

    from spinodal.cli.console import print_scan
    from spinodal.report import tables

    _, folder = finished
    scan = sp.plots.Scan(sp.load(folder / "run.h5"))
    console = Console(width=width, record=True, file=io.StringIO())
    print_scan(console, scan, 1.0)
    text = console.export_text()
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width
    shown = sum(title in text.split("A wider terminal")[0] for title in tables.header(scan))
    assert shown >= {40: 3, 80: 6, 140: 11}.get(width, 3)


def test_same_seed_same_bits(tmp_path):
    arguments = shlex.split("ising --size 8 -T 2,3 --chains 8 --steps 40 -q")
    energies = []
    for seed, threads in ((0, 1), (0, 2), (1, 1)):
        path = tmp_path / f"{seed}-{threads}.h5"
        assert main([*arguments, "--seed", str(seed), "--threads", str(threads), "--out", str(path)]) == 0
        energies.append(sp.load(path).energy)
    assert np.array_equal(energies[0], energies[1])
    assert not np.array_equal(energies[0], energies[2])


def test_another_run_is_not_overwritten(finished, capsys):
    _, folder = finished
    before = (folder / "run.h5").read_bytes()
    assert main([*ARGUMENTS, "-q", "--seed", "7", "--out", str(folder / "run.h5")]) == 2
    assert "seed" in capsys.readouterr().err
    assert (folder / "run.h5").read_bytes() == before


@pytest.mark.usefixtures("no_pictures")
def test_several_lattices(tmp_path, capsys):
    out, report = tmp_path / "run.h5", tmp_path / "r.html"
    arguments = shlex.split("ising --sizes 6,8x4 -T 2.2,2.4 --chains 8 --steps 50 --method metropolis")
    assert main([*arguments, "--out", str(out), "--report", str(report)]) == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["r.html", "run-8x4.h5", "run-L6.h5"]
    seeds = [sp.load(tmp_path / name).provenance["seed"] for name in ("run-L6.h5", "run-8x4.h5")]
    assert seeds == [0, 1]
    assert "wrote" in capsys.readouterr().out
    other = tmp_path / "other.html"
    assert main(["report", str(tmp_path / "run-L6.h5"), str(tmp_path / "run-8x4.h5"), "--report", str(other)]) == 0
    assert "8 × 4" in other.read_text()


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize(
    "options",
    [
        ["--method", "heat_bath", "--field", "0.3", "--keep-draws", "none"],
        ["--method", "tempering", "--coupling", "-1", "--keep-draws", "all"],
        ["--size", "4x4x4", "--stream", "philox10"],
    ],
)
def test_methods(options, tmp_path, capsys):
    report = tmp_path / "r.html"
    arguments = ["ising", "--size", "4", "-T", "2,3", "--chains", "4", "--steps", "40", "--report", str(report)]
    assert main([*arguments, *options]) == 0
    assert "E/N" in capsys.readouterr().out
    assert report.read_text().endswith("</html>\n")


def test_info(finished, capsys):
    _, folder = finished
    assert main(["info", str(folder / "run.h5")]) == 0
    text = capsys.readouterr().out
    for said in ("shape = [8, 8]", "3 from 2 to 3", "192", "seed 0", "complete     yes"):
        assert said in text


def test_ctrl_c_and_resume(tmp_path):
    """Ctrl-C saves what there is, says so, and the same command ends with the bits of an uninterrupted run."""
    options = shlex.split("ising --size 16 -T 2,2.5 --chains 32 --steps 3000 --method metropolis")
    path = tmp_path / "run.h5"
    # A checkpoint at every step makes the run slow enough to be caught in the middle.
    slowly = ["--checkpoint-every", "0", "--threads", "1", "--out", str(path)]
    command = [sys.executable, "-m", "spinodal", *options, *slowly]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    journal = path.with_name("run.h5.journal")
    deadline = time.monotonic() + 20
    while not (journal.exists() and journal.stat().st_size > 5_000) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert "L = 16" in out
    assert "the same command goes on" in err
    assert str(path) in err
    assert "Traceback" not in err
    assert not path.exists()
    assert main([*options, "-q", "--resume", "must", "--out", str(path)]) == 0
    whole = tmp_path / "whole.h5"
    assert main([*options, "-q", "--out", str(whole)]) == 0
    assert np.array_equal(sp.load(path).energy, sp.load(whole).energy)
