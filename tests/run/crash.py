# SPDX-License-Identifier: BSD-3-Clause
"""Runs in processes that are killed: forked from a server that has everything imported, so that they start at once."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from run.toy import ToyHeatBath, ToyIsing
from spinodal.files import FileFormatError, atomic, hdf5, journal
from spinodal.samplers.run import run
from spinodal.samplers.tempering import ParallelTempering
from spinodal.samples import load
from spinodal.systems.ising import IsingModel

SAMPLER = ToyHeatBath(ToyIsing(), 2.5)
SAMPLERS: dict[str, Any] = {
    "toy": SAMPLER,
    "parallel_tempering": ParallelTempering(IsingModel((4, 6), h=0.1), [2.0, 2.5, 3.0]),
}
ARGUMENTS: dict[str, Any] = {"n_chains": 3, "n_steps": 24, "burn_in": 4, "thin": 2, "seed": 6}
FEW_STEPS = {"n_steps": 2, "burn_in": 1, "thin": 1}
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["h5py", "run.crash", "spinodal.samplers.run"])


def start(target: Callable[..., None], *arguments: Any) -> tuple[ForkServerProcess, Connection]:
    """Start ``target(connection, *arguments)`` and wait until it says that it has begun."""
    ours, theirs = CONTEXT.Pipe()
    process = CONTEXT.Process(target=target, args=(theirs, *arguments))
    process.start()
    theirs.close()
    assert ours.recv() == "begun"
    return process, ours


def checkpointed_run(connection: Connection, path: Path, name: str) -> None:
    connection.send("begun")
    run(SAMPLERS[name], n_threads=1, checkpoint=path, checkpoint_every=0, **ARGUMENTS)


def run_with_a_kill(connection: Connection, path: Path, countdown: int, torn: bool) -> None:
    """Die at the ``countdown``-th time that a file or a name of one is touched; halfway through a write if ``torn``."""
    points = iter(range(countdown, -1, -1))

    def pass_point() -> None:
        if next(points) == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def dying(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if not torn:
                pass_point()
            result = function(*arguments, **options)
            if torn:
                pass_point()
            return result

        return call

    write_record = journal.write_record

    def dying_write(file: Any, kind: bytes, pieces: Any) -> None:
        if torn:
            data = b"".join(bytes(piece) for piece in pieces)
            position = file.tell()
            file.write(b"SPrc" + kind + data[: len(data) // 2])
            pass_point()
            file.seek(position)
        else:
            pass_point()
        write_record(file, kind, pieces)

    journal.write_record = dying_write
    hdf5._write_raw = dying(hdf5._write_raw)
    atomic.sync_folder = dying(atomic.sync_folder)
    for name in ("fsync", "replace", "unlink", "open"):
        setattr(os, name, dying(getattr(os, name)))
    connection.send("begun")
    run(SAMPLER, checkpoint=path, checkpoint_every=0, **{**ARGUMENTS, **FEW_STEPS})


def n_draws_on_disk(path: Path) -> int:
    try:
        return load(path).n_draws
    except FileNotFoundError:
        return 0
    except FileFormatError as error:
        assert "has written nothing yet" in str(error)
        return 0
