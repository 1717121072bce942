# SPDX-License-Identifier: BSD-3-Clause
"""Bad input is one line and exit status 2, before any work; help is cheap."""

import resource
import subprocess
import sys

import pytest

from spinodal.cli import main

HELP_CPU_SECONDS = 0.3


def run_main(*arguments: str) -> int:
    try:
        return main(arguments)
    except SystemExit as stop:
        return int(stop.code or 0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ising", "--size", "15", "--method", "metropolis"], "even lengths; got 15"),
        (["ising", "--size", "1"], "lengths >= 2; got '1'"),
        (["ising", "-T", "0:1:1"], "must be > 0; got 0"),
        (["ising", "--chains", "0"], "must be >= 1; got 0"),
        (["ising", "--chains", "many"], "must be an integer; got 'many'"),
        (["ising", "--seed", "-1"], "must be >= 0; got -1"),
        (["ising", "--steps", "10", "--thin", "3"], "got 10 and 3"),
        (["ising", "--field", "nan"], "must be finite; got 'nan'"),
        (["ising", "--coupling", "inf"], "must be finite; got 'inf'"),
        (["ising", "--method", "magic"], "invalid choice: 'magic'"),
        (["ising", "--method", "tempering", "-T", "2"], "at least two increasing numbers"),
        (["ising", "--out", "no/such/folder/run.h5"], "no folder"),
        (["ising", "--report", "."], "is a folder"),
        (["ising", "--resume", "must"], "needs --out"),
        (["info", "no-such-file.h5"], "no-such-file.h5"),
        (["report", "no-such-file.h5", "--report", "r.html"], "no-such-file.h5"),
        (["nonsense"], "invalid choice: 'nonsense'"),
        (["ising", "--nonsense"], "--nonsense"),
    ],
)
def test_bad_input_is_one_line(arguments, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run_main(*arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.strip().splitlines()) == 1, err
    assert "error: " in err
    assert said in err
    assert list(tmp_path.iterdir()) == []


def test_foreign_file_is_refused(tmp_path, capsys):
    path = tmp_path / "notes.h5"
    path.write_bytes(b"this is not HDF5")
    assert run_main("info", str(path)) == 2
    assert str(path) in capsys.readouterr().err


def test_no_command_shows_help(capsys):
    assert run_main() == 2
    assert "ising" in capsys.readouterr().out


def test_version(capsys):
    import spinodal

    assert run_main("--version") == 0
    assert capsys.readouterr().out.split() == ["spinodal", spinodal.__version__]


def cpu_seconds(*command: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *command], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def test_help_is_cheap():
    assert min(cpu_seconds("-m", "spinodal", "--help") for _ in range(3)) < HELP_CPU_SECONDS


def test_parsing_imports_nothing_heavy():
    script = (
        "import sys; from spinodal.cli.parser import build_parser; build_parser().parse_args(['ising']);"
        "heavy = {'numpy', 'matplotlib', 'rich', 'h5py'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize("command", ["ising", "lj", "sample", "train", "demo", "report", "info", "doctor", "bench"])
def test_every_command_has_help(command, capsys):
    assert run_main(command, "--help") == 0
    assert command in capsys.readouterr().out
