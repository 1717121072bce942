# SPDX-License-Identifier: BSD-3-Clause
"""Shell blocks of the documents name programs and ``./dev`` commands that exist."""

from __future__ import annotations

import re
import runpy
import shlex

import pytest

from architecture.commands import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
SHELL_BLOCK = re.compile(r"^```(?:bash|sh|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OTHER_PROGRAMS = {"spinodal", "pip", "python", "git", "cd", "cmake", "source"}


def commands(text: str) -> list[list[str]]:
    """Words of each command of the shell blocks; comments and continued lines are resolved."""
    lines = "".join(SHELL_BLOCK.findall(text)).replace("\\\n", " ").splitlines()
    return [words for line in lines if (words := shlex.split(line, comments=True))]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_exist(document):
    known = runpy.run_path(str(ROOT / "dev"), run_name="dev")["COMMANDS"]
    for words in commands(document.read_text()):
        if words[0] == "./dev":
            assert words[1] in known, words
        else:
            assert words[0] in OTHER_PROGRAMS, f"{words}: add it to OTHER_PROGRAMS if it is meant"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_block_names_its_language(document):
    opened = re.findall(r"^```(\w*)$", document.read_text(), re.MULTILINE)[::2]
    assert set(opened) <= {"bash", "python", "text", "cpp", "cmake", "toml", "json"}
