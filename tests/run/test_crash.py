# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import os
import random
import signal
import sys
import time

import numpy as np
import pytest

from run.conftest import same_bits
from run.crash import (
    ARGUMENTS,
    FEW_STEPS,
    SAMPLER,
    SAMPLERS,
    checkpointed_run,
    n_draws_on_disk,
    run_with_a_kill,
    start,
)
from spinodal.samplers.run import run
from spinodal.samples import load

N_KILLS = int(os.environ.get("SPINODAL_TEST_KILLS", "200"))


@pytest.fixture(scope="module", autouse=True)
def importable():
    """Let the server that forks the victims import what the tests do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        yield


def finish(process, connection):
    process.join()
    code = process.exitcode
    process.close()
    connection.close()
    return code


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLERS)
def test_random_kills(tmp_path, name):
    """Each sampler gets its share of the kills; every run ends with the bits of an uninterrupted one."""
    path, n_kills = tmp_path / "run.h5", N_KILLS // len(SAMPLERS)
    reference = run(SAMPLERS[name], **ARGUMENTS)
    process, connection = start(checkpointed_run, path, name)
    began = time.monotonic()
    assert finish(process, connection) == 0
    duration = time.monotonic() - began
    path.unlink()
    rng = random.Random(0)
    kills = written = finished = 0
    counts = []
    while kills < n_kills or not finished:  # where every run was killed, one more is left to end
        process, connection = start(checkpointed_run, path, name)
        # The later the run, the less of it is left: half of the kills fall near its end, on the fold.
        time.sleep(rng.uniform(0, duration * rng.choice([0.5, 1.2 * (1 - written / reference.n_draws) + 0.1])))
        if kills < n_kills:
            process.kill()
        killed = finish(process, connection) == -signal.SIGKILL
        kills += killed
        on_disk = n_draws_on_disk(path)
        assert on_disk >= written, "draws were lost"
        written = on_disk
        counts.append(on_disk)
        if on_disk:
            np.testing.assert_array_equal(load(path).draws, reference.draws[:, :on_disk])
        if not killed:
            same_bits(load(path), reference)
            assert [each.name for each in tmp_path.iterdir()] == ["run.h5"]
            path.unlink()
            written = 0
            finished += 1
    same_bits(run(SAMPLERS[name], checkpoint=path, **ARGUMENTS), reference)
    assert len(set(counts)) > min(n_kills // 20, 10), "the kills fell on few moments of the run"


@pytest.mark.slow
@pytest.mark.parametrize("torn", [False, True], ids=["before", "within or after"])
def test_a_kill_at_every_touch_of_a_file(tmp_path, torn):
    arguments = {**ARGUMENTS, **FEW_STEPS}
    reference = run(SAMPLER, **arguments)
    for countdown in range(1000):
        path = tmp_path / f"{countdown}.h5"
        process, connection = start(run_with_a_kill, path, countdown, torn)
        code = finish(process, connection)
        if code == 0:
            break
        assert code == -signal.SIGKILL
        on_disk = n_draws_on_disk(path)
        if on_disk:
            np.testing.assert_array_equal(load(path).draws, reference.draws[:, :on_disk])
        same_bits(run(SAMPLER, checkpoint=path, **arguments), reference)
        assert [each.name for each in tmp_path.iterdir()] == [path.name]
        path.unlink()
    assert countdown > 20
