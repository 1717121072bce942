# SPDX-License-Identifier: BSD-3-Clause
"""What is installed here, whether it is exact, how fast it is, and why something is missing.

>>> from spinodal.doctor import diagnose
>>> report = diagnose()  # doctest: +SKIP
>>> print(report)  # doctest: +SKIP
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from spinodal import __version__, selftest
from spinodal.backends import why_missing
from spinodal.backends.isas import active_isa, available_isas
from spinodal.kernels.arguments import BackendName
from spinodal.threads import default_n_threads, why_n_threads

Status = Literal["ok", "info", "warning", "failed"]
_MARKS: dict[Status, str] = {"ok": "ok", "info": "", "warning": "!", "failed": "FAILED"}
_MAPS = Path("/proc/self/maps")
_CPU_INFO = Path("/proc/cpuinfo")
_OPENMP_LIBRARY = re.compile(r"lib(?:gomp|i?omp5?)[-.\w]*\.so[.\d]*$")


@dataclass(frozen=True)
class Finding:
    """One line of the report."""

    name: str
    text: str
    status: Status = "info"

    def __str__(self) -> str:
        return f"  {_MARKS[self.status]:7}{self.name:34} {self.text}".rstrip()


@dataclass(frozen=True)
class Report:
    """All findings, by section."""

    sections: dict[str, tuple[Finding, ...]]

    @property
    def failed(self) -> list[Finding]:
        """The checks that failed."""
        return [finding for section in self.sections.values() for finding in section if finding.status == "failed"]

    @property
    def ok(self) -> bool:
        """Whether nothing failed; what is merely missing is no failure."""
        return not self.failed

    @property
    def exit_code(self) -> int:
        """0, or 1 when a check failed."""
        return 0 if self.ok else 1

    def __str__(self) -> str:
        lines = []
        for title, findings in self.sections.items():
            lines += [title, *map(str, findings), ""]
        n_checks = sum(finding.status in ("ok", "failed") for section in self.sections.values() for finding in section)
        verdict = f"all {n_checks} checks passed" if self.ok else f"{len(self.failed)} of {n_checks} checks FAILED"
        return "\n".join([*lines, verdict])


def diagnose() -> Report:
    """Return what this installation has, does and lacks; takes a few seconds.

    The first time, Numba's compilation of its kernels is added to that.
    """
    backends: list[BackendName] = [name for name in ("cpp", "numba") if why_missing(name) is None]
    return Report(
        {
            f"spinodal {__version__}": tuple(_installation()),
            "Backends": tuple(_backends()),
            "Threads": tuple(_threads()),
            "Exactness": tuple(_exactness(backends)),
            "Speed, one thread": tuple(_speed(backends)),
            "Optional packages": tuple(_optional_packages()),
        }
    )


def _installation() -> Iterator[Finding]:
    yield Finding("installed in", str(Path(__file__).parent))
    commit = _commit(Path(__file__).parent)
    if commit:
        yield Finding("commit", commit)
    yield Finding("Python", f"{platform.python_implementation()} {platform.python_version()} at {sys.executable}")
    yield Finding("platform", platform.platform())
    yield Finding("processor", cpu_model())


def _commit(folder: Path) -> str:
    """Return the commit of the checkout a folder is tracked in, or nothing."""
    git = ["git", "-C", str(folder)]
    try:
        tracked = subprocess.run([*git, "ls-files", "--error-unmatch", __file__], capture_output=True, check=False)
        if tracked.returncode:
            return ""
        command = [*git, "describe", "--always", "--dirty", "--exclude=*"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def cpu_model() -> str:
    """Return the processor's name for itself."""
    try:
        named = re.search(r"^model name\s*:\s*(.+)$", _CPU_INFO.read_text(), re.MULTILINE)
    except OSError:
        named = None
    return named[1] if named else platform.processor() or platform.machine()


def _backends() -> Iterator[Finding]:
    missing = {name: why_missing(name) for name in ("cpp", "numba")}
    if missing["cpp"] is None:
        yield Finding("cpp", f"instruction set {active_isa()}, of {', '.join(available_isas())}", "ok")
    if missing["numba"] is None:
        yield Finding("numba", f"version {metadata.version('numba')}", "ok")
    nothing_runs = all(missing.values())
    for name, reason in missing.items():
        if reason is not None:
            yield Finding(name, f"missing: {reason}", "failed" if nothing_runs else "warning")


def _threads() -> Iterator[Finding]:
    yield Finding("default", f"{default_n_threads()}, from {why_n_threads()}")
    yield Finding("processors", f"{os.cpu_count()}")
    runtimes = openmp_runtimes()
    yield Finding("OpenMP runtimes loaded", ", ".join(runtimes) or "none")
    if len(runtimes) > 1:
        advice = "two runtimes in one process compete for processors: pass n_threads="
        yield Finding("OpenMP", advice, "warning")


def openmp_runtimes() -> list[str]:
    """Return the paths of the OpenMP libraries in this process."""
    try:
        words = _MAPS.read_text().split()
    except OSError:
        return []
    return sorted({os.path.realpath(word) for word in words if _OPENMP_LIBRARY.search(word)})


def _exactness(backends: list[BackendName]) -> Iterator[Finding]:
    for check in selftest.check_all(backends):
        yield Finding(f"{check.engine}: {check.name}", check.detail, "ok" if check.passed else "failed")


def _speed(backends: list[BackendName]) -> Iterator[Finding]:
    for engine in selftest.engines(backends):
        rates = [f"{selftest.flips_per_ns(engine, layout):.2f} {layout}" for layout, *_ in selftest.SPEEDS]
        yield Finding(str(engine), f"Metropolis flips/ns by layout: {', '.join(rates)}")


def _optional_packages() -> Iterator[Finding]:
    try:
        requirements = metadata.requires("spinodal") or []
    except metadata.PackageNotFoundError:
        yield Finding("unknown", "spinodal runs from a source folder that pip has not installed", "warning")
        return
    for requirement in requirements:
        stated = re.match(r"([\w.-]+).*extra == ['\"](\w+)['\"]", requirement)
        if stated is None or stated[1] == "spinodal":
            continue
        package, extra = stated.groups()
        try:
            yield Finding(package, metadata.version(package))
        except metadata.PackageNotFoundError:
            yield Finding(package, f"missing: pip install 'spinodal[{extra}]'", "warning")
