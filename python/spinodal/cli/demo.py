# SPDX-License-Identifier: BSD-3-Clause
"""``spinodal demo``: the whole of it on real input, checked against the exact solution and against NIST's values."""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from spinodal.cli import console, lj
from spinodal.cli.ising import INTERRUPTED, check_outputs, command_line
from spinodal.cli.parser import build_parser
from spinodal.cli.request import Request
from spinodal.report import (
    FluidResult,
    Result,
    agreement,
    critical_point,
    write_fluid_report,
    write_report,
    write_weighted_report,
)
from spinodal.report.fluid import agreement as fluid_agreement
from spinodal.report.fluid_page import statistic
from spinodal.report.results import Agreement, CriticalPoint

TOLERANCE = 1e-3  # of the critical temperature
_SCAN = tuple(round(1.5 + 0.1 * i, 1) for i in range(21))
_CRITICAL = (2.25, 2.26, 2.27, 2.28, 2.29)
_FOCUS = (2.26, 2.27, 2.28)
# Length: temperatures, chains at each, chains at each of the three around Tc.
_LATTICES: dict[int, tuple[tuple[float, ...], int, int]] = {
    16: (_SCAN + _CRITICAL, 48, 96),
    32: (_SCAN + _CRITICAL, 32, 96),
    64: (_SCAN + _CRITICAL, 16, 96),
    128: ((2.0, *_FOCUS, 2.7), 48, 96),
}
_STEPS, _QUICK_STEPS = 1600, 200
_FLUID_STEPS, _QUICK_FLUID_STEPS = 4000, 500  # of 500 particles, whose energy NIST has published
_NEURAL = "1.8,2.1,2.269,2.5,3.0"


def run(arguments: argparse.Namespace) -> int:
    """Run the command; 0 if every check passes, 1 if one fails."""
    check_outputs(arguments)
    began = time.monotonic()
    results: list[Result] = []
    if not arguments.quiet:
        print("Sampling the two-dimensional Ising model through its phase transition.", flush=True)
    with console.progress_bars(arguments.quiet) as reporter:
        for length, request in requests(arguments):
            results.append(request.sample(request.shapes[0], reporter(f"L = {length}")))
            if results[-1].samples.provenance.get("complete") is False:
                print("interrupted: nothing was saved")
                return INTERRUPTED
        if not arguments.quiet:
            print("Sampling a Lennard-Jones fluid, whose energy and pressure NIST has published.", flush=True)
        fluid = fluid_request(arguments).sample(reporter)
    if fluid.samples.provenance.get("complete") is False:
        print("interrupted: nothing was saved")
        return INTERRUPTED
    write_report(arguments.report, results, command=command_line())
    write_fluid_report(_report_of("fluid", arguments), fluid, command=command_line())
    return max(_conclude(arguments, results, fluid, time.monotonic() - began), _neural(arguments))


def fluid_request(arguments: argparse.Namespace) -> lj.Request:
    """Return the fluid that is sampled: a liquid near its triple point."""
    steps = _QUICK_FLUID_STEPS if arguments.quick else _FLUID_STEPS
    return lj.Request(
        n=500, density=0.776, temperatures=(0.85, 0.9), steps=steps, seed=arguments.seed, threads=arguments.threads
    )


def _report_of(what: str, arguments: argparse.Namespace) -> Path:
    path = Path(arguments.report)
    return path.with_name(f"{path.stem}-{what}{path.suffix}")


def _neural(arguments: argparse.Namespace) -> int:
    """Draw from the neural sampler too, where torch is installed; 1 if its corrected values are not the exact ones."""
    if any(importlib.util.find_spec(name) is None for name in ("torch", "safetensors")):
        return 0
    from spinodal.cli import sample

    path = _report_of("neural", arguments)
    own = build_parser().parse_args(["sample", "--size", "16", "--temperatures", _NEURAL, "--report", str(path)])
    own.seed, own.threads, own.samples = arguments.seed, arguments.threads, 512 if arguments.quick else 2048
    with console.progress_bars(arguments.quiet) as reporter:
        results = list(sample.sample_all(sample.load(own.model), own, reporter))
    write_weighted_report(path, results, command=command_line())
    if not arguments.quiet:
        print("\nThe same model from a neural network, corrected to exact averages by its weights.")
        sample.show(results)
    failures = [(result.temperature, name, z) for result in results for name, z in result.deviations() if abs(z) > 5]
    for temperature, name, z in failures:
        print(f"FAILED: the neural sampler's {name} at T = {temperature:g} is {z:+.1f}σ from the exact value")
    print(f"report: {path.resolve()}")
    return 1 if failures else 0


def requests(arguments: argparse.Namespace) -> Iterator[tuple[int, Request]]:
    """Yield what is to be sampled, lattice by lattice."""
    steps = _QUICK_STEPS if arguments.quick else _STEPS
    for index, (length, (temperatures, chains, focused)) in enumerate(_LATTICES.items()):
        if arguments.quick and length == max(_LATTICES):
            continue
        yield (
            length,
            Request(
                shapes=((length, length),),
                temperatures=tuple(sorted(set(temperatures))),
                chains=chains,
                chains_at=dict.fromkeys(_FOCUS, focused),
                steps=steps,
                burn_in=max(steps // 8, 100),
                seed=arguments.seed + index,
                threads=arguments.threads,
            ),
        )


def _conclude(arguments: argparse.Namespace, results: Sequence[Result], fluid: FluidResult, seconds: float) -> int:
    scans = [result.scan for result in results]
    found = [agreement(scans, name) for name in ("energy_per_site", "heat_capacity")]
    checks = [check for check in found if check is not None]
    critical = critical_point(scans)
    failures = [*_failures(checks), *_critical_failures(critical, 10 if arguments.quick else 1)]
    failures += [
        f"{statistic(check)}: NIST's value is missed" for check in fluid_agreement(fluid) if not check.passes()
    ]
    if not arguments.quiet:
        screen = console.new_console()
        largest_scan = [result for result in results if result.scan.temperature.size >= len(_SCAN)][-1]
        console.print_scan(screen, largest_scan.scan, largest_scan.seconds)
        console.print_agreement(screen, checks)
        console.print_critical(screen, critical)
        console.print_fluid(screen, fluid)
        screen.print(f"{seconds:.0f} s in all")
    for failure in failures:
        print(f"FAILED: {failure}")
    print(f"report: {Path(arguments.report).resolve()}")
    print(f"report of the fluid: {_report_of('fluid', arguments).resolve()}")
    return 1 if failures else 0


def _failures(checks: Sequence[Agreement]) -> Iterator[str]:
    for check in checks:
        if not check.passes():
            yield f"{check.name} does not agree with the exact solution (p = {check.p_value:.1e}, {check.worst:+.1f}σ)"


def _critical_failures(critical: CriticalPoint | None, slack: float) -> Iterator[str]:
    if critical is None:
        yield "the Binder cumulants do not cross"
        return
    off: Any = critical.crossing.critical_temperature.mean - critical.expected
    if abs(off) > slack * TOLERANCE:
        yield f"Tc is off by {off:+.1e}, more than {slack * TOLERANCE:g}"
