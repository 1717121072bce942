# SPDX-License-Identifier: BSD-3-Clause
"""What every test folder shares: backends, instruction sets, streams, deterministic examples, and the machine."""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import hypothesis
import pytest

# A shell that starts the tests in the background leaves Ctrl-C ignored, for them and for their children.
signal.signal(signal.SIGINT, signal.default_int_handler)

hypothesis.settings.register_profile("fixed", derandomize=True, deadline=None, database=None)
hypothesis.settings.register_profile("explore", deadline=None, max_examples=2000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))

_PARALLEL = "PYTEST_XDIST_WORKER" in os.environ
if _PARALLEL:
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # teams of several workers: one that waits must not spin
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # neither must NumPy's


@contextmanager
def _machine(*, alone: bool) -> Iterator[None]:
    """Share the machine with the tests of other workers, or have it alone: who waits keeps the door shut."""
    with Path(__file__).open() as door, (Path(__file__).parents[1] / "dev").open() as room:
        fcntl.flock(door, fcntl.LOCK_EX)
        fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(door, fcntl.LOCK_UN)
        try:
            yield
        finally:
            fcntl.flock(room, fcntl.LOCK_UN)  # explicitly: a forked child may have the file open still


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Run a test marked ``alone`` while no other worker runs one."""
    if not _PARALLEL:
        return (yield)
    with _machine(alone=item.get_closest_marker("alone") is not None):
        return (yield)


def _require_backend(name: str) -> None:
    """Fail when a backend is missing, unless SPINODAL_TEST_WITHOUT says that it should be."""
    from spinodal.backends import why_missing

    reason = why_missing(name)
    if reason is None:
        return
    if name in os.environ.get("SPINODAL_TEST_WITHOUT", "").split(","):
        pytest.skip(f"SPINODAL_TEST_WITHOUT={name}: {reason}")
    pytest.fail(f"backend {name} is missing: {reason}")


@pytest.fixture(params=["cpp", "numba"])
def backend(request: pytest.FixtureRequest) -> str:
    """Name of each backend in turn."""
    _require_backend(request.param)
    return request.param


@pytest.fixture(params=["baseline", "avx2", "vaes", "avx512"])
def isa(request: pytest.FixtureRequest) -> Iterator[str]:
    """Each instruction set in turn, in use by the compiled backend."""
    _require_backend("cpp")
    from spinodal.backends.isas import available_isas, using_isa

    if request.param not in available_isas():
        pytest.skip(f"this CPU or build has no {request.param}: it has {', '.join(available_isas())}")
    with using_isa(request.param):
        yield request.param


@pytest.fixture(params=["ars7", "ars5", "philox10"])
def stream(request: pytest.FixtureRequest) -> str:
    """Name of each random stream in turn."""
    return request.param
