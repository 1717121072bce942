# SPDX-License-Identifier: BSD-3-Clause
"""Where and with what a benchmark ran."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import spinodal as sp
from spinodal.backends import resolve

_ROOT = Path(__file__).resolve().parent.parent
_PACKAGES = ("numpy", "numba", "llvmlite", "mcising", "peapods", "torch")
_FEATURES = ("sse4_2", "avx2", "avx512f", "avx512bw", "aes", "vaes", "gfni", "asimd", "sve")


def describe() -> dict[str, Any]:
    """Return the machine, the build, the commit and the versions, as JSON values."""
    backend = resolve()
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        **_cpu(),
        "affinity": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
        "load_average": list(os.getloadavg()) if hasattr(os, "getloadavg") else None,
        "system": platform.platform(),
        "python": sys.version.split()[0],
        "spinodal": sp.__version__,
        "backend": backend.name,
        "isa": backend.isa,
        **_build(backend.isa),
        "commit": _commit(),
        "packages": {name: version for name in _PACKAGES if (version := _version(name)) is not None},
    }


def _cpu() -> dict[str, Any]:
    fields = {"cpu": platform.processor() or platform.machine(), "cores": os.cpu_count(), "mhz": None, "features": []}
    path = Path("/proc/cpuinfo")
    if path.exists():
        entries = dict(re.findall(r"^([^\t:]+)\t*: (.*)$", path.read_text(), flags=re.MULTILINE))
        family = ", ".join(f"{name} {entries[name]}" for name in ("cpu family", "model") if name in entries)
        fields["cpu"] = f"{entries.get('model name', fields['cpu'])} ({family})" if family else fields["cpu"]
        fields["mhz"] = float(entries["cpu MHz"]) if "cpu MHz" in entries else None
        flags = set((entries.get("flags") or entries.get("Features") or "").split())
        fields["features"] = [name for name in _FEATURES if name in flags]
    return fields


def _build(isa: str) -> dict[str, str | None]:
    """The compiler left its name in the module; the flags are those of the build file beside us."""
    compiler = flags = None
    try:
        from spinodal import _native
    except ImportError:
        return {"compiler": compiler, "flags": flags}
    found = re.search(rb"(GCC: \([^\0]*|clang version [^\0]*)", Path(str(_native.__file__)).read_bytes())
    compiler = found.group(1).decode() if found else None
    build_file = _ROOT / "CMakeLists.txt"
    if build_file.exists():
        text = build_file.read_text().replace("${kernel_optimization}", "-O3")  # of a release build
        common = re.search(r"kernels_\$\{isa\} PRIVATE \$\{isa_flags_\$\{isa\}\} ([^)]*)\)", text)
        special = re.search(rf"set\(isa_flags_{isa} ([^)]*)\)", text)
        words = [word for match in (special, common) if match for word in match.group(1).split()]
        flags = " ".join(word for word in words if not word.startswith("-W"))
    return {"compiler": compiler, "flags": flags}


def _commit() -> str | None:
    def git(*arguments: str) -> str:
        done = subprocess.run(["git", "-C", str(_ROOT), *arguments], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no", "--", "cpp", "python", "CMakeLists.txt")
        return git("rev-parse", "--short=12", "HEAD") + (" + changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
