# SPDX-License-Identifier: BSD-3-Clause
"""``spinodal lj``: sample a Lennard-Jones fluid, compare with NIST's values, save, report."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

import spinodal as sp
from spinodal.cli import console
from spinodal.cli.ising import INTERRUPTED, check_outputs, command_line
from spinodal.cli.request import KEPT, Stopwatch
from spinodal.report import FluidResult, write_fluid_report

# By method: recorded steps, and steps a draw.
_LENGTHS = {"langevin": (4000, 20), "nve": (4000, 20), "local": (1000, 5), "mala": (4000, 10), "hmc": (400, 1)}
_TIMESTEP = 0.004
_LEAST_EQUILIBRATION = 1000  # timesteps that melt the lattice


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    request = Request.of(arguments)
    check_outputs(arguments)
    with console.progress_bars(arguments.quiet) as reporter:
        result = request.sample(reporter)
    if not arguments.quiet and result.samples.n_draws > 0:
        console.print_fluid(console.new_console(), result)
    if result.samples.provenance.get("complete") is False:
        print(_how_to_go_on(request, result), file=sys.stderr)
        return INTERRUPTED
    if arguments.report:
        write_fluid_report(arguments.report, result, command=command_line())
    for path in filter(None, (request.out, arguments.report)):
        if not arguments.quiet:
            print(f"wrote {path}")
    return 0


@dataclass(frozen=True)
class Request:
    """A fluid at some temperatures, how it is sampled, and where the samples go."""

    n: int
    density: float
    temperatures: tuple[float, ...]
    dim: int = 3
    cutoff: float = 3.0
    shift: str = "truncated"
    method: str = "local"
    step_size: float | None = None
    friction: float = 1.0
    n_leapfrog: int = 10
    chains: int = 2
    steps: int | None = None
    burn_in: int | None = None
    thin: int | None = None
    seed: int = 0
    threads: int | None = None
    backend: str | None = None
    stream: str = "ars7"
    keep_draws: bool | str = "last"
    out: Path | None = None
    checkpoint_every: float = 5.0
    resume: str = "auto"

    def __post_init__(self) -> None:
        if self.n_steps % self.n_thin:
            raise ValueError(f"--steps must be a multiple of --thin; got {self.n_steps} and {self.n_thin}")
        if self.resume == "must" and self.out is None:
            raise ValueError("--resume must needs --out: the file to go on with")
        self.sampler()

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> Request:
        """Return what a parsed command line asks for."""
        given = {field.name: getattr(arguments, field.name) for field in fields(cls) if field.name in arguments}
        given["temperatures"] = tuple(arguments.temperature)
        given["keep_draws"] = KEPT[arguments.keep_draws]
        given["out"] = None if arguments.out is None else Path(arguments.out)
        return cls(**given)

    @property
    def n_steps(self) -> int:
        """Recorded steps of each chain."""
        return _LENGTHS[self.method][0] if self.steps is None else self.steps

    @property
    def n_thin(self) -> int:
        """Steps a draw."""
        return _LENGTHS[self.method][1] if self.thin is None else self.thin

    @property
    def n_burn_in(self) -> int:
        """Steps before the recorded ones."""
        return self.n_steps // 2 if self.burn_in is None else self.burn_in

    @property
    def chain_temperatures(self) -> Any:
        """The temperature of each chain."""
        return np.repeat(self.temperatures, self.chains)

    def system(self) -> sp.LennardJonesSystem:
        """Return the fluid, in a square or cubic box."""
        box = (self.n / self.density) ** (1 / self.dim)
        options: dict[str, Any] = {"shift": self.shift, "dim": self.dim}
        return sp.LennardJonesSystem(self.n, box=box, cutoff=self.cutoff, **options)

    def sampler(self) -> Any:
        """Return the sampler, one temperature a chain."""
        options: dict[str, Any] = {"stream": self.stream, "backend": self.backend}
        tuned = options if self.step_size is None else {"step_size": self.step_size, **options}
        if self.method == "local":
            moves = options if self.step_size is None else {"step": self.step_size, **options}
            return sp.LocalMoves(self.system(), self.chain_temperatures, **moves)
        if self.method == "mala":
            return sp.MALA(self.system(), self.chain_temperatures, **tuned)
        if self.method == "hmc":
            return sp.HMC(self.system(), self.chain_temperatures, n_leapfrog=self.n_leapfrog, **tuned)
        timestep = _TIMESTEP if self.step_size is None else self.step_size
        if self.method == "nve":
            return sp.VelocityVerlet(self.system(), self.chain_temperatures, timestep=timestep, **options)
        return self._heat_bath(timestep)

    def _heat_bath(self, timestep: float) -> Any:
        options: dict[str, Any] = {"stream": self.stream, "backend": self.backend}
        return sp.Langevin(self.system(), self.chain_temperatures, timestep=timestep, friction=self.friction, **options)

    def sample(self, reporter: Callable[[str], Callable[..., object] | bool]) -> FluidResult:
        """Equilibrate and run; a finished run is read from its file."""
        start = None if self.method == "langevin" else self._equilibrated(reporter("equilibration"))
        clock = Stopwatch(reporter(self.method))
        resume: Any = self.resume
        keep_draws: Any = self.keep_draws
        samples = sp.run(
            self.sampler(), n_chains=len(self.chain_temperatures), n_steps=self.n_steps, burn_in=self.n_burn_in,
            thin=self.n_thin, seed=self.seed, init=start, keep_draws=keep_draws, n_threads=self.threads,
            progress=clock, checkpoint=self.out, checkpoint_every=self.checkpoint_every, resume=resume,
        )  # fmt: skip
        return FluidResult(samples, clock.seconds)

    def _equilibrated(self, progress: Any) -> Any:
        """Return configurations of a heat bath: a crystal melts sooner in it than by steps that can be refused."""
        steps = max(_LEAST_EQUILIBRATION, self.n_burn_in)
        samples = sp.run(
            self._heat_bath(_TIMESTEP), n_chains=len(self.chain_temperatures), n_steps=steps, thin=steps,
            seed=self.seed, n_threads=self.threads, progress=progress,
        )  # fmt: skip
        if samples.n_draws == 0 or samples.draws is None or samples.provenance.get("complete") is False:
            raise KeyboardInterrupt
        return np.array(samples.draws[:, -1])


def _how_to_go_on(request: Request, result: FluidResult) -> str:
    done = f"interrupted: {result.samples.n_draws} of {request.n_steps // request.n_thin} draws"
    if request.out is None:
        return f"{done}; they are not saved (no --out)"
    return f"{done}; they are safe with {request.out}, and the same command goes on from there:\n  {command_line()}"
