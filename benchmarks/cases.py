# SPDX-License-Identifier: BSD-3-Clause
"""What is timed: one row of the table a case."""

from __future__ import annotations

import fnmatch
import math
from dataclasses import dataclass, replace
from typing import Literal

Algorithm = Literal["metropolis", "heat_bath", "wolff", "swendsen_wang", "parallel_tempering"]

NEAR_CRITICAL = 2.269
CRITICAL = 2.0 / math.log1p(math.sqrt(2.0))
CRITICAL_3D = 1.0 / 0.221654626  # Ferrenberg, Xu and Landau (2018), doi:10.1103/PhysRevE.97.043301
LADDER = tuple(2.0 + 0.04 * rung for rung in range(16))


@dataclass(frozen=True)
class Case:
    """Work that any engine can be asked to do.

    A rate is work over time. Work is attempted flips for local updates and Swendsen–Wang (one a
    site and sweep), flipped spins for Wolff. ``temperature`` is unused by parallel tempering,
    whose ``n_chains`` is a multiple of the rungs of ``LADDER``. ``stream`` and ``layout`` are ours alone.
    """

    name: str
    algorithm: Algorithm
    shape: tuple[int, ...]
    n_chains: int = 1
    temperature: float = NEAR_CRITICAL
    field: float = 0.0
    n_threads: int = 1
    stream: str = "ars7"
    layout: Literal["auto", "bytes", "rows", "replicas", "lanes"] = "auto"
    ours_only: bool = False

    @property
    def n_sites(self) -> int:
        return math.prod(self.shape)

    @property
    def is_cluster(self) -> bool:
        return self.algorithm in ("wolff", "swendsen_wang")

    @property
    def unit(self) -> str:
        return {"wolff": "ns/flipped spin", "swendsen_wang": "ns/spin"}.get(self.algorithm, "flips/ns")

    def figure(self, rate: float) -> float:
        """Return a rate, in work per second, in the case's unit."""
        return 1e9 / rate if self.is_cluster else rate / 1e9

    def at(self, **changes: object) -> Case:
        return replace(self, **changes)  # type: ignore[arg-type]


def _square(length: int) -> tuple[int, int]:
    return length, length


METROPOLIS = [
    Case("metropolis-64", "metropolis", _square(64)),
    Case("metropolis-512", "metropolis", _square(512)),
    Case("metropolis-4096", "metropolis", _square(4096)),
    Case("metropolis-1024x32", "metropolis", _square(32), n_chains=1024),
    Case("metropolis-256x64", "metropolis", _square(64), n_chains=256),
    Case("metropolis-field-64", "metropolis", _square(64), field=0.1),
    Case("metropolis-field-512", "metropolis", _square(512), field=0.1),
    Case("metropolis-field-1024x32", "metropolis", _square(32), n_chains=1024, field=0.1),
    Case("metropolis-3d-64", "metropolis", (64, 64, 64), temperature=CRITICAL_3D),
    Case("metropolis-bytes-512", "metropolis", _square(512), layout="bytes"),
    Case("metropolis-bytes-3d-64", "metropolis", (64, 64, 64), temperature=CRITICAL_3D, layout="bytes"),
    Case("metropolis-ars5-512", "metropolis", _square(512), stream="ars5", ours_only=True),
    Case("metropolis-ars5-4096", "metropolis", _square(4096), stream="ars5", ours_only=True),
    Case("metropolis-ars5-1024x32", "metropolis", _square(32), n_chains=1024, stream="ars5", ours_only=True),
    Case("metropolis-philox10-512", "metropolis", _square(512), stream="philox10", ours_only=True),
    Case("metropolis-lanes-1024x32", "metropolis", _square(32), n_chains=1024, layout="lanes", ours_only=True),
    Case("metropolis-3d-256x16", "metropolis", (16, 16, 16), n_chains=256, temperature=CRITICAL_3D, ours_only=True),
]
OTHERS = [
    Case("heat-bath-512", "heat_bath", _square(512)),
    Case("heat-bath-4096", "heat_bath", _square(4096)),
    Case("heat-bath-1024x32", "heat_bath", _square(32), n_chains=1024, ours_only=True),
    Case("parallel-tempering-32", "parallel_tempering", _square(32), n_chains=len(LADDER)),
    Case("parallel-tempering-16x32", "parallel_tempering", _square(32), n_chains=16 * len(LADDER)),
]
CLUSTERS = [
    Case(f"{algorithm.replace('_', '-')}-{length}", algorithm, _square(length), temperature=CRITICAL)  # type: ignore[arg-type]
    for algorithm in ("wolff", "swendsen_wang")
    for length in (64, 512, 2048)
]
CASES = METROPOLIS + OTHERS + CLUSTERS

THREADS = Case("threads-4096", "metropolis", _square(4096))
"""One lattice by one thread and by two."""

INDEPENDENT = [
    Case("independent-metropolis-64", "metropolis", _square(64), temperature=CRITICAL),
    Case("independent-metropolis-256x64", "metropolis", _square(64), n_chains=256, temperature=CRITICAL),
    Case("independent-wolff-64", "wolff", _square(64), temperature=CRITICAL),
    Case("independent-swendsen-wang-64", "swendsen_wang", _square(64), temperature=CRITICAL),
]
"""Independent samples of M² a second."""

# The timed temperature does not matter to a machine's speed; this shape does: it stays in L2.
YARDSTICK = Case("metropolis-512", "metropolis", _square(512))

QUICK = ("metropolis-512", "metropolis-1024x32", "metropolis-field-512", "metropolis-3d-64", "heat-bath-512",
         "wolff-512", "swendsen-wang-512", "parallel-tempering-32", "threads-4096", "independent-*-64")  # fmt: skip


def select(cases: list[Case], pattern: str | None, quick: bool) -> list[Case]:
    """Return the cases whose names match a shell pattern, or contain it; all when there is none."""
    if pattern is not None:
        return [case for case in cases if fnmatch.fnmatch(case.name, pattern) or pattern in case.name]
    return [case for case in cases if any(fnmatch.fnmatch(case.name, name) for name in QUICK)] if quick else cases
