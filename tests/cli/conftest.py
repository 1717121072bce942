# SPDX-License-Identifier: BSD-3-Clause
"""Small samples that several tests read."""

from __future__ import annotations

import pytest

import spinodal as sp
from cli.small_samples import metropolis_samples
from spinodal.report import Result


@pytest.fixture
def no_pictures(monkeypatch) -> None:
    """Reports without pictures, for tests of the rest: drawing is what takes the time."""
    monkeypatch.setattr("spinodal.report.figures.pictures", lambda scans, critical: iter(()))


@pytest.fixture(scope="session")
def small() -> sp.Samples:
    return metropolis_samples(8)


@pytest.fixture(scope="session")
def medium() -> sp.Samples:
    return metropolis_samples(12, seed=2)


@pytest.fixture(scope="session")
def results(small, medium) -> list[Result]:
    return [Result.of(small, seconds=0.5), Result.of(medium, seconds=1.0)]
