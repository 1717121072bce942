# SPDX-License-Identifier: BSD-3-Clause
"""The interface changes only when its snapshot does."""

from __future__ import annotations

import difflib

from architecture.public_names import SNAPSHOT, UPDATE, public_names


def test_public_names_are_those_of_the_snapshot():
    expected, actual = SNAPSHOT.read_text().splitlines(), public_names().splitlines()
    changes = "\n".join(difflib.unified_diff(expected, actual, "snapshot", "now", n=0, lineterm=""))
    assert not changes, f"the public names changed; if that is meant, run:  {UPDATE}\n{changes}"
