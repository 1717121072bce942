# SPDX-License-Identifier: BSD-3-Clause
"""The guide's Python blocks run as they stand, its commands parse, its links lead somewhere; examples run."""

import re
import runpy
import shlex
from pathlib import Path

import pytest

from spinodal.cli.parser import build_parser

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXAMPLES = ["critical_temperature.py", "in_your_own_loop.py"]


def blocks(language: str) -> list:
    found = []
    for page in PAGES:
        text = page.read_text()
        for match in BLOCK.finditer(text):
            if match[1] == language:
                line = text.count("\n", 0, match.start()) + 1
                found.append(pytest.param(page, line, match[2], id=f"{page.name}:{line}"))
    return found


@pytest.mark.parametrize(("page", "line", "code"), blocks("python"))
def test_python_block_runs(page, line, code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile("\n" * line + code, str(page), "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize(("page", "line", "code"), blocks("bash"))
def test_commands_parse(page, line, code):
    for text in code.splitlines():
        words = shlex.split(text, comments=True)
        if words[:1] == ["spinodal"]:
            build_parser().parse_args(words[1:])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_runs(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(ROOT / "examples" / name), run_name="__main__")
    assert capsys.readouterr().out
