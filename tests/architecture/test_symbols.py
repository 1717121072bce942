# SPDX-License-Identifier: BSD-3-Clause
"""What the kernels' object files export: code compiled for a newer CPU must never win at link time."""

from __future__ import annotations

import pytest

from architecture.commands import run

LOCAL = "tbdrn?U"  # nm's types of symbols that other files cannot take: local, or only used here


def object_files(native_build, isa):
    files = sorted((native_build / "CMakeFiles" / f"kernels_{isa}.dir").rglob("*.o"))
    assert files, f"no object files for {isa} under {native_build}"
    return files


@pytest.mark.parametrize("isa", ["baseline", "avx2", "vaes", "avx512"])
def test_kernels_export_nothing_outside_their_namespace(native_build, isa):
    if not (native_build / "CMakeFiles" / f"kernels_{isa}.dir").exists():
        pytest.skip(f"this processor architecture has no {isa} kernels")
    foreign = []
    for file in object_files(native_build, isa):
        for line in run("nm", "--demangle", "--defined-only", file).splitlines():
            kind, name = line.split(maxsplit=2)[1:]
            if kind not in LOCAL and not name.startswith(f"spinodal::{isa}::"):
                foreign.append(f"{file.name}: {kind} {name}")
            assert kind not in "WwVvu" or kind in LOCAL, f"{file.name}: weak symbol {name}"
    assert not foreign, "\n".join(foreign)
