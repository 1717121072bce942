# SPDX-License-Identifier: BSD-3-Clause
"""Code in the documents: Python blocks run as they stand; commands name what exists."""

from __future__ import annotations

import re
import runpy
import shlex
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pytest

from architecture.commands import ROOT, run

DOCUMENTS = ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# First lines of Python blocks that are not run, with the reason.
SKIPPED: dict[str, str] = {}
SHELL = {"bash", "sh", "console"}
OTHER_PROGRAMS = {"pip", "python", "git", "cd", "cmake", "apt", "source"}


@dataclass(frozen=True)
class Block:
    document: str
    line: int
    language: str
    code: str

    def __str__(self) -> str:
        return f"{self.document}:{self.line}"


def blocks(*languages: str) -> list[Block]:
    found = []
    for document in DOCUMENTS:
        text = (ROOT / document).read_text()
        for match in BLOCK.finditer(text):
            if match[1] in languages:
                found.append(Block(document, text.count("\n", 0, match.start()) + 1, match[1], match[2]))
    return found


@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_python_block_runs(block, tmp_path, monkeypatch):
    first = block.code.splitlines()[0]
    if first in SKIPPED:
        pytest.skip(SKIPPED[first])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    code = "\n" * block.line + block.code  # so that a traceback names the document's line
    exec(compile(code, str(ROOT / block.document), "exec"), {"__name__": "__main__"})


def commands(block: Block) -> list[list[str]]:
    """Words of each command of a shell block; prompts, comments and continued lines are resolved."""
    lines = block.code.replace("\\\n", " ").splitlines()
    return [words for line in lines if (words := shlex.split(line.removeprefix("$ "), comments=True))]


@lru_cache
def dev_commands() -> frozenset[str]:
    return frozenset(runpy.run_path(str(ROOT / "dev"), run_name="dev")["COMMANDS"])


@lru_cache
def help_of(subcommand: str) -> str:
    code = "import sys; from spinodal.cli import main; sys.argv[0] = 'spinodal'; main()"
    return run(sys.executable, "-c", code, *filter(None, [subcommand]), "--help")


def check_spinodal(words: list[str]) -> None:
    subcommand = words[1] if len(words) > 1 and not words[1].startswith("-") else ""
    text = help_of(subcommand)
    for option in (word.split("=")[0] for word in words if word.startswith("--")):
        assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", text), f"spinodal {subcommand} has no {option}"


@pytest.mark.parametrize("block", blocks(*SHELL), ids=str)
def test_shell_block_names_commands_that_exist(block):
    for words in commands(block):
        program = words[0]
        if program == "./dev":
            assert words[1] in dev_commands(), words
        elif program == "spinodal":
            check_spinodal(words)
        elif program.startswith("./") or program == ".ci/run":
            assert Path(ROOT, program).exists(), words
        else:
            assert program in OTHER_PROGRAMS, f"{words}: add it to OTHER_PROGRAMS if it is meant"


def test_every_fence_is_known():
    known = SHELL | {"python", "text", "cpp", "cmake", "toml", "json"}
    for document in DOCUMENTS:
        opened = re.findall(r"^```(\w*)$", (ROOT / document).read_text(), re.MULTILINE)[::2]
        assert set(opened) <= known, f"{document}: {set(opened) - known}"
