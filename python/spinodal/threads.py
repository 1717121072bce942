# SPDX-License-Identifier: BSD-3-Clause
"""How many threads a call may use: affinity mask, cgroup quota, environment, and after a fork."""

from __future__ import annotations

import math
import os
from functools import lru_cache
from pathlib import Path

_CGROUP_QUOTA = Path("/sys/fs/cgroup/cpu.max")
_in_forked_child = False


def _after_fork() -> None:
    # An OpenMP team does not survive a fork: the child would wait for threads that are not there.
    global _in_forked_child  # noqa: PLW0603
    _in_forked_child = True


os.register_at_fork(after_in_child=_after_fork)


@lru_cache(maxsize=1)
def _cgroup_limit() -> int | None:
    try:
        quota, period = _CGROUP_QUOTA.read_text().split()
    except (OSError, ValueError):
        return None
    return None if quota == "max" else max(1, math.ceil(int(quota) / int(period)))


def default_n_threads() -> int:
    """Return the number of threads a call uses unless told otherwise.

    ``SPINODAL_NUM_THREADS`` if set, else ``OMP_NUM_THREADS``, else the smaller of the affinity
    mask and the cgroup's CPU quota; 1 in a forked child.
    """
    return _default()[0]


def why_n_threads() -> str:
    """Return what :func:`default_n_threads` was taken from."""
    return _default()[1]


def _default() -> tuple[int, str]:
    if _in_forked_child:
        return 1, "being a forked child"
    for name in ("SPINODAL_NUM_THREADS", "OMP_NUM_THREADS"):
        value = os.environ.get(name, "").split(",")[0].strip()
        if value:
            if not value.isdigit() or int(value) < 1:
                raise ValueError(f"{name} must be a positive integer; got {value!r}")
            return int(value), f"the environment's {name}"
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limit = _cgroup_limit()
    if limit is not None and limit < available:
        return limit, "the cgroup's CPU quota"
    return available, "the affinity mask"


def resolve_n_threads(n_threads: int | None) -> int:
    """Return a checked number of threads; None means the default, and a forked child gets 1."""
    if n_threads is None:
        return default_n_threads()
    if not hasattr(n_threads, "__index__"):
        raise TypeError(f"n_threads must be an integer; got {n_threads!r}")
    if n_threads < 1:
        raise ValueError(f"n_threads must be >= 1; got {n_threads}")
    return 1 if _in_forked_child else int(n_threads)
