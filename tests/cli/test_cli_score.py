# SPDX-License-Identifier: BSD-3-Clause
"""``spinodal sample`` and ``spinodal train``."""

from __future__ import annotations

import re

import pytest

import spinodal as sp
from spinodal.cli import main


def test_sample_prints_corrected_values_beside_exact_and_raw_ones(tmp_path, capsys):
    report, out = tmp_path / "report.html", tmp_path / "samples.h5"
    command = ["sample", "--size", "8", "-T", "2.269", "--samples", "200", "--threads", "1"]
    assert main([*command, "--report", str(report), "--out", str(out)]) == 0
    shown = capsys.readouterr().out
    for title in ("E/N", "exact", "raw", "ln Z/N", "ESS/M", "largest", "Pareto k"):
        assert title in shown
    assert f"{sp.exact.kaufman((8, 8), temperature=2.269).energy_per_site:.6f}".replace("-", "−") in shown
    page = report.read_text()
    for name in ("weights-histogram", "magnetization-histogram", "correlation"):
        assert f'id="{name}"' in page
    assert "<script" not in page and not re.search(r'(src|href)="http', page)
    samples = sp.load(out)
    assert samples.log_weights.shape == samples.energy.shape == (200, 1)


def test_sample_at_several_temperatures_draws_the_ess(tmp_path, capsys):
    report = tmp_path / "report.html"
    assert main(["sample", "--size", "4", "-T", "2.0,3.0", "--samples", "64", "-q", "--report", str(report)]) == 0
    assert 'id="ess"' in report.read_text()
    assert capsys.readouterr().out == ""  # quiet


def test_independent_draws_are_not_taken_for_correlated_ones(capsys):
    """300 draws are asked for: two calls of 256, whose chains of two draws are too short to judge as chains."""
    assert main(["sample", "--size", "4", "-T", "2.5", "--samples", "300", "--threads", "1"]) == 0
    shown = capsys.readouterr().out
    assert "512 independent samples" in shown and "?" not in shown


def test_equal_weights_have_no_error_of_log_z(capsys):
    assert main(["sample", "--size", "4", "-J", "0", "--samples", "64", "--threads", "1"]) == 0
    shown = capsys.readouterr().out
    assert "0.693147(?)" in shown and "all 64 weights are equal" in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "nothing"], "there is no pretrained network 'nothing'"),
        (["--model", "nothing.safetensors"], "there is no file nothing.safetensors"),
        (["--size", "20"], "L = 20 has a coarsest 10"),
        (["--size", "8,16"], "sample takes one lattice; got 2"),
        (["--size", "8x16"], "square lattices"),
        (["-T", "2,3", "--out", "x.h5"], "--out takes the samples of one temperature"),
        (["--report", "nowhere/x.html"], "there is no folder"),
    ],
)
def test_bad_input_is_one_line(arguments, message, capsys):
    assert main(["sample", "--samples", "8", *arguments]) == 2
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1


def test_train_then_sample(tmp_path, capsys):
    out = tmp_path / "tiny.safetensors"
    command = ["train", "ising", "--out", str(out), "--channels", "4", "--blocks", "1", "--effort", "0.001",
               "--batch", "0.02", "--threads", "1", "--seed", "3"]  # fmt: skip
    assert main([*command, "--sizes", "8,16,24", "--levels", "2"]) == 0
    assert "other levels are still to be trained" in capsys.readouterr().out
    assert main([*command, "--sizes", "8,16,24"]) == 0
    assert f"wrote {out}" in capsys.readouterr().out
    assert out.with_suffix(".json").exists()
    assert main(["sample", "--model", str(out), "--size", "8", "-T", "3.0", "--samples", "16", "-q"]) == 0


def test_train_refuses_what_it_cannot_train_on(tmp_path, capsys):
    out = str(tmp_path / "x.safetensors")
    for arguments, message in (
        (["--sizes", "8x16"], "takes square lattices; got 8x16"),
        (["--sizes", "8"], "no lattice of lengths [8] has level"),
        (["--effort", "0"], "effort must be finite and > 0; got 0"),
        (["--levels", "9z"], "levels ['9z'] are unknown"),
        (["--start-from", "nothing"], "no pretrained network"),
    ):
        assert main(["train", "ising", "--out", out, *arguments]) == 2
        assert message in capsys.readouterr().err
    assert main(["train", "ising", "--out", str(tmp_path / "nowhere" / "x.safetensors")]) == 2
    assert "there is no folder" in capsys.readouterr().err
