# SPDX-License-Identifier: BSD-3-Clause
"""Small samples that several tests read."""

from __future__ import annotations

import numpy as np
import pytest

import spinodal as sp
from spinodal.reports import Result

TEMPERATURES = (1.8, 2.2, 2.3, 2.8)


def metropolis_samples(size, seed=1, temperatures=TEMPERATURES, **parameters) -> sp.Samples:
    chains = 48
    model = sp.IsingModel(size, **parameters)
    sampler = sp.Metropolis(model, np.repeat(temperatures, chains))
    n_chains = chains * len(temperatures)
    return sp.run(
        sampler, n_chains=n_chains, n_steps=800, burn_in=200, thin=2, seed=seed, keep_draws="last", progress=False
    )


@pytest.fixture
def no_pictures(monkeypatch) -> None:
    """Reports without pictures, for tests of the rest: drawing is what takes the time."""
    monkeypatch.setattr("spinodal.reports.figures.pictures", lambda scans, critical: iter(()))


@pytest.fixture(scope="session")
def small() -> sp.Samples:
    return metropolis_samples(8)


@pytest.fixture(scope="session")
def medium() -> sp.Samples:
    return metropolis_samples(12, seed=2)


@pytest.fixture(scope="session")
def results(small, medium) -> list[Result]:
    return [Result.of(small, seconds=0.5), Result.of(medium, seconds=1.0)]
