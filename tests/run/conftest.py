# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from run.toy import ToyHeatBath, ToyIsing, ToyTempering
from spinodal.samplers.metropolis import Metropolis
from spinodal.samplers.tempering import ParallelTempering
from spinodal.samples import Samples
from spinodal.systems.ising import IsingModel

SAMPLERS = {
    "heat_bath": ToyHeatBath(ToyIsing(), 2.5),
    "temperatures": ToyHeatBath(ToyIsing((3, 5)), np.array([2.0, 2.5, 3.0, 3.5])),
    "tempering": ToyTempering(ToyIsing((2, 4, 4))),
    "metropolis": Metropolis(IsingModel((4, 6), h=0.1), [2.0, 2.5, 3.0, 3.5]),
    "parallel_tempering": ParallelTempering(IsingModel((2, 4, 4)), [3.0, 4.0]),
}


@pytest.fixture(params=SAMPLERS)
def sampler(request: pytest.FixtureRequest) -> Any:
    """Every test of `run` holds for every sampler; all take four chains."""
    return SAMPLERS[request.param]


@pytest.fixture
def toy() -> ToyHeatBath:
    return ToyHeatBath(ToyIsing(), 2.5)


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """These lattices are too small to share, and teams of threads wait long for each other on a busy machine."""
    monkeypatch.setenv("SPINODAL_NUM_THREADS", "1")


def same_bits(one: Samples, other: Samples) -> None:
    """Check that two samples have the same arrays, bit for bit."""
    ours, theirs = one.arrays(), other.arrays()
    assert ours.keys() == theirs.keys()
    for name, array in ours.items():
        assert array.dtype == theirs[name].dtype, name
        np.testing.assert_array_equal(array, theirs[name], err_msg=name)
