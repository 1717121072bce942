# SPDX-License-Identifier: BSD-3-Clause
"""``spinodal lj`` end to end: table, files, report, methods, what goes on after an interruption."""

from __future__ import annotations

import re
import shlex

import numpy as np
import pytest

import spinodal as sp
from spinodal.cli import lj, main
from spinodal.report import FluidResult, is_fluid
from spinodal.report.fluid import agreement
from spinodal.report.fluid_page import render_fluid_report

ARGUMENTS = shlex.split(
    "lj --n 108 --density 0.776 -T 0.85,0.9 --cutoff 3 --method langevin --steps 1600 --burn-in 800 --threads 1"
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lj")
    code = main([*ARGUMENTS, "--quiet", "--out", str(folder / "run.h5"), "--report", str(folder / "report.html")])
    return code, folder


def test_files_and_table(finished, capsys):
    """Run again on the finished file: nothing is sampled, the table is printed from it."""
    code, folder = finished
    assert code == 0
    assert sorted(path.name for path in folder.iterdir()) == ["report.html", "run.h5"]
    samples = sp.load(folder / "run.h5")
    assert samples.energy.shape == (4, 80) and samples.draws.shape == (4, 1, 108, 3)
    assert main([*ARGUMENTS, "--out", str(folder / "run.h5")]) == 0
    text = capsys.readouterr().out
    rows = {row[0]: row for line in text.splitlines() if (row := line.split()) and row[0] in ("0.85", "0.9")}
    for t, energy in (("0.85", "−5.5121"), ("0.9", "−5.4689")):
        assert rows[t][2] == energy or rows[t][3] == energy  # a "?" may stand between
        measured = float(rows[t][1].split("(")[0].replace("−", "-"))
        assert measured == pytest.approx(float(energy.replace("−", "-")), abs=0.15)
    assert "with NIST (SRSW)" in text and "T of velocities" in text


def test_the_report(finished):
    _, folder = finished
    page = (folder / "report.html").read_text()
    assert page.endswith("</html>\n")
    for said in (
        "Lennard-Jones fluid, N = 108, ρ = 0.776",
        "NIST",
        "Standard Reference Simulation",
        "cutoff 3, truncated",
    ):
        assert said in page
    assert page.count("<img ") == 8
    assert "://" not in re.sub(r"data:image[^\"]*", "", page)  # it loads nothing from anywhere
    assert main(["report", str(folder / "run.h5"), "--report", str(folder / "again.html")]) == 0
    assert "All values" in (folder / "again.html").read_text()
    (folder / "again.html").unlink()


def test_info_and_reports_of_several_files(finished, capsys):
    _, folder = finished
    path = str(folder / "run.h5")
    assert main(["info", path]) == 0
    assert "n_particles = 108" in capsys.readouterr().out
    assert main(["report", path, path, "--report", str(folder / "no.html")]) == 2
    assert "of one file; got 2" in capsys.readouterr().err


@pytest.mark.parametrize("method", ["local", "mala", "hmc", "nve", "langevin"])
def test_methods(method, tmp_path, capsys):
    arguments = shlex.split(f"lj --n 32 --density 0.5 -T 1.2 --cutoff 1.9 --shift force --method {method} --dim 3")
    arguments += shlex.split("--steps 40 --thin 2 --burn-in 20 --threads 1 --keep-draws none --chains 2")
    assert main([*arguments, "--out", str(tmp_path / "a.h5"), "--report", str(tmp_path / "a.html")]) == 0
    said = capsys.readouterr().out
    assert "U/N" in said and ("accepted" in said) == (method in ("local", "mala", "hmc"))
    assert ("T of velocities" in said) == (method in ("nve", "langevin"))
    samples = sp.load(tmp_path / "a.h5")
    names = {"local": "LocalMoves", "mala": "MALA", "hmc": "HMC", "nve": "VelocityVerlet", "langevin": "Langevin"}
    assert samples.provenance["sampler"]["method"] == names[method]
    assert (tmp_path / "a.html").read_text().endswith("</html>\n")


def test_disks_and_states_without_reference_values(tmp_path, capsys):
    arguments = shlex.split("lj --n 50 --density 0.6 -T 1 --dim 2 --steps 100 --thin 5 --threads 1")
    assert main([*arguments, "--report", str(tmp_path / "a.html")]) == 0
    assert "NIST" not in capsys.readouterr().out
    page = (tmp_path / "a.html").read_text()
    assert "Lennard-Jones disks" in page and "No reference values" in page


def test_a_run_too_short_for_a_verdict_says_so(tmp_path):
    """NIST's values are in the table; that there are none must not stand above it."""
    arguments = shlex.split("lj --n 180 --density 0.776 -T 0.85 --steps 40 --threads 1 --quiet")
    assert main([*arguments, "--report", str(tmp_path / "a.html")]) == 0
    page = (tmp_path / "a.html").read_text()
    assert "Too short a run" in page and "No reference values" not in page and "−5.5121" in page


def test_dynamics_that_diverges_is_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(shlex.split("lj --n 108 --density 5 --method langevin --steps 20 --threads 1 --quiet")) == 2
    said = capsys.readouterr().err
    assert "kinetic energy" in said and "shorten the timestep" in said and said.count("\n") == 1


def test_a_stopped_run_goes_on(tmp_path):
    """The same command ends with the bits of an uninterrupted run; the start is found again."""
    options = shlex.split("lj --n 32 --density 0.5 -T 1.2 --cutoff 1.9 --method hmc --steps 30 --burn-in 10")
    options += ["--quiet", "--threads", "1"]
    whole, path = tmp_path / "whole.h5", tmp_path / "run.h5"
    assert main([*options, "--out", str(whole)]) == 0
    request = lj.Request(
        n=32, density=0.5, temperatures=(1.2,), cutoff=1.9, method="hmc", steps=30, burn_in=10, threads=1, out=path
    )
    start = request._equilibrated(False)
    stopped = sp.run(
        request.sampler(), n_chains=2, n_steps=30, burn_in=10, init=start, keep_draws="last", checkpoint=path,
        checkpoint_every=0, callback=lambda step, *_: step < 20, n_threads=1,
    )  # fmt: skip
    assert not stopped.provenance["complete"]
    assert main([*options, "--resume", "must", "--out", str(path)]) == 0
    np.testing.assert_array_equal(sp.load(path).energy, sp.load(whole).energy)


@pytest.mark.parametrize("out", [None, "run.h5"])
def test_an_interruption_says_how_to_go_on(out, tmp_path, capsys, monkeypatch):
    system = sp.LennardJonesSystem(32, box=4.0, cutoff=1.9)
    some = sp.run(sp.Langevin(system, 1.0), n_chains=1, n_steps=60, thin=20, callback=lambda step, *_: step < 40)
    monkeypatch.setattr(lj.Request, "sample", lambda self, reporter: FluidResult(some))
    options = [] if out is None else ["--out", str(tmp_path / out)]
    assert main(["lj", "--n", "32", "--method", "langevin", "--steps", "60", *options]) == 130
    said = capsys.readouterr().err
    assert "interrupted: 2 of 3 draws" in said
    assert ("not saved (no --out)" if out is None else "the same command goes on from there") in said


def test_wrong_samples_do_not_agree(finished):
    """Energies of another temperature than the one they are said to have."""
    _, folder = finished
    samples = sp.load(folder / "run.h5")
    assert is_fluid(samples)
    arrays = {**samples.arrays(), "energy": np.random.default_rng(1).normal(-5.0 * 108, 3, (4, 80))}
    wrong = FluidResult(sp.Samples.from_arrays(arrays, samples.provenance))
    assert not next(check.passes() for check in agreement(wrong))
    assert "Does not agree with NIST" in render_fluid_report(wrong)


MISTAKES = {
    "--density 0": "must be > 0; got 0",
    "--density x": "must be a number; got 'x'",
    "--steps 10 --thin 3": "--steps must be a multiple of --thin; got 10 and 3",
    "--resume must": "--resume must needs --out",
    "--cutoff 100": "cutoff must be <= 8 box lengths; got 100",
    "--method magic": "invalid choice: 'magic'",
    "--n 0": "must be >= 1; got 0",
    "--out /nowhere/run.h5": "there is no folder /nowhere",
}


@pytest.mark.parametrize("options", MISTAKES)
def test_mistakes_are_one_line(options, capsys):
    try:
        code = main(["lj", *shlex.split(options)])
    except SystemExit as error:
        code = error.code
    assert code == 2
    said = capsys.readouterr().err
    assert MISTAKES[options] in said and said.count("\n") == 1
