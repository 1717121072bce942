# SPDX-License-Identifier: BSD-3-Clause
"""What is to be sampled, checked before any work, and the samplers that do it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import spinodal as sp
from spinodal.report import Result
from spinodal.samplers.mixed import MixedSampler

KEPT: dict[str, bool | str] = {"last": "last", "all": True, "none": False}


@dataclass(frozen=True)
class Request:
    """Lattices × temperatures × chains, and where the samples go.

    Attributes
    ----------
    shapes : tuple of tuple of int
        Lattice i is run with ``seed + i``: no two share random numbers.
    temperatures : tuple of float
    chains : int
        At each temperature.
    chains_at : mapping of float to int
        Another number of chains at some of the temperatures.
    """

    shapes: tuple[tuple[int, ...], ...]
    temperatures: tuple[float, ...]
    J: float = 1.0
    h: float = 0.0
    method: str = "auto"
    chains: int = 64
    chains_at: Mapping[float, int] = field(default_factory=dict)
    steps: int = 1000
    burn_in: int = 250
    thin: int = 1
    seed: int = 0
    threads: int | None = None
    backend: str | None = None
    stream: str = "ars7"
    keep_draws: bool | str = "last"
    out: Path | None = None
    checkpoint_every: float = 5.0
    resume: str = "auto"

    def __post_init__(self) -> None:
        if self.steps % self.thin:
            raise ValueError(f"--steps must be a multiple of --thin; got {self.steps} and {self.thin}")
        if self.resume == "must" and self.out is None:
            raise ValueError("--resume must needs --out: the file to go on with")
        for shape in self.shapes:
            self.sampler(shape)

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> Request:
        """Return what a parsed command line asks for."""
        burn_in = arguments.steps // 4 if arguments.burn_in is None else arguments.burn_in
        return cls(
            shapes=tuple(arguments.size),
            temperatures=tuple(arguments.temperatures),
            J=arguments.coupling,
            h=arguments.field,
            method=arguments.method,
            chains=arguments.chains,
            steps=arguments.steps,
            burn_in=burn_in,
            thin=arguments.thin,
            seed=arguments.seed,
            threads=arguments.threads,
            backend=arguments.backend,
            stream=arguments.stream,
            keep_draws=KEPT[arguments.keep_draws],
            out=None if arguments.out is None else Path(arguments.out),
            checkpoint_every=arguments.checkpoint_every,
            resume=arguments.resume,
        )

    @property
    def n_chains(self) -> int:
        """Chains of each lattice."""
        return len(self.chain_temperatures())

    def chain_temperatures(self) -> npt.NDArray[np.float64]:
        """Return the temperature of each chain, increasing."""
        return np.repeat(self.temperatures, [self.chains_at.get(t, self.chains) for t in self.temperatures])

    def sampler(self, shape: tuple[int, ...]) -> Any:
        """Return the sampler of a lattice, one temperature a chain.

        Raises
        ------
        ValueError
            If the method cannot serve the lattice: odd lengths on a checkerboard, for one.
        """
        model = sp.IsingModel(shape, J=self.J, h=self.h)
        options: dict[str, Any] = {"stream": self.stream, "backend": self.backend}
        if self.method == "tempering":
            return sp.ParallelTempering(model, self.temperatures, **options)
        chains = self.chain_temperatures()
        if self.method == "auto":
            return MixedSampler.by_temperature(model, chains, **options)
        method: Any = self.method
        return sp.sampler(model, chains, method, **options)

    def path(self, shape: tuple[int, ...]) -> Path | None:
        """Return the file of a lattice's samples: ``run.h5``, or ``run-L16.h5`` where there are several lattices."""
        if self.out is None or len(self.shapes) == 1:
            return self.out
        name = f"L{shape[0]}" if len(set(shape)) == 1 and len(shape) == 2 else "x".join(map(str, shape))
        return self.out.with_name(f"{self.out.stem}-{name}{self.out.suffix}")

    def sample(self, shape: tuple[int, ...], progress: Callable[..., object] | bool = False) -> Result:
        """Run one lattice; a finished run is read from its file."""
        path = self.path(shape)
        clock = Stopwatch(progress)
        resume: Any = self.resume
        keep_draws: Any = self.keep_draws
        samples = sp.run(
            self.sampler(shape), n_chains=self.n_chains, n_steps=self.steps, burn_in=self.burn_in, thin=self.thin,
            seed=self.seed + self.shapes.index(shape), keep_draws=keep_draws, n_threads=self.threads,
            progress=clock, checkpoint=path, checkpoint_every=self.checkpoint_every, resume=resume,
        )  # fmt: skip
        return Result.of(samples, clock.seconds)


class Stopwatch:
    """Notes how long a whole run took, and passes its progress on."""

    def __init__(self, progress: Callable[..., object] | bool) -> None:
        self._forward = progress if callable(progress) else None
        self._first_step: int | None = None
        self.seconds: float | None = None

    def __call__(self, event: Any) -> None:
        """Hear how far the run is."""
        if self._first_step is None:
            self._first_step = event.step
        # A resumed run took longer than this process knows.
        self.seconds = event.seconds if self._first_step == 0 else None
        if self._forward is not None:
            self._forward(event)
