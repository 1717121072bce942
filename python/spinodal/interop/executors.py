# SPDX-License-Identifier: BSD-3-Clause
"""Workers for `spinodal.run(…, executor=)`: anything with the protocol of `concurrent.futures.Executor`.

Process and thread pools, loky, executorlib and ``mpi4py.futures.MPIPoolExecutor`` are such and work as they
are; dask's ``Client`` and ray are adapted by :func:`as_executor`.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class RayExecutor(Executor):
    """Submit calls to a ray cluster, as an executor.

    Parameters
    ----------
    **options
        Of ``ray.remote``; ``num_cpus=1`` unless given. ray is initialised if it is not yet.

    Raises
    ------
    ImportError
        If ray is not installed.
    """

    def __init__(self, **options: Any) -> None:
        try:
            ray = importlib.import_module("ray")
        except ImportError as error:
            raise ImportError("RayExecutor needs ray: pip install ray") from error
        if not ray.is_initialized():
            ray.init()
        self._ray = ray
        self._options = {"num_cpus": 1, **options}

    @property
    def n_workers(self) -> int:
        """Calls that the cluster can run at a time."""
        cpus = self._ray.cluster_resources().get("CPU", 1)
        return max(1, int(cpus // max(1, self._options["num_cpus"])))

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Start ``fn(*args, **kwargs)`` on a worker."""
        future: Future[T] = self._ray.remote(**self._options)(fn).remote(*args, **kwargs).future()
        return future


def as_executor(workers: Any) -> Executor:
    """Return an executor for what a user has at hand.

    Parameters
    ----------
    workers : object
        An executor; a dask ``Client``; or the module ``ray``.

    Raises
    ------
    TypeError
        If it is none of these.
    """
    if hasattr(workers, "get_executor"):  # before submit: a dask client has both, and its own kind of futures
        executor: Executor = workers.get_executor()
        return executor
    if getattr(workers, "__name__", "") == "ray":
        return RayExecutor()
    if isinstance(workers, Executor) or callable(getattr(workers, "submit", None)):
        return workers  # type: ignore[no-any-return]
    raise TypeError(f"executor must have submit(), as concurrent.futures.Executor has; got {type(workers).__name__}")


def n_workers(executor: Executor) -> int:
    """Return how many calls an executor runs at a time, or the number of processors if it does not say."""
    client = getattr(executor, "_client", None)  # dask's executor
    if client is not None and hasattr(client, "ncores"):
        return max(1, int(sum(client.ncores().values())))
    for name in ("n_workers", "num_workers", "_max_workers"):
        number = getattr(executor, name, None)
        if isinstance(number, int) and number > 0:
            return number
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
