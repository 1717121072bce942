# SPDX-License-Identifier: BSD-3-Clause
"""``spinodal sample``: draw from a trained network, correct to exact averages, say how good the weights are."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import spinodal as sp
from spinodal.cli import console
from spinodal.cli.ising import INTERRUPTED, check_outputs, command_line
from spinodal.report import WeightedResult, weighted_rows, weighted_titles, write_weighted_report

_CHAINS = 256


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    check_outputs(arguments)
    if arguments.out and len(arguments.temperatures) > 1:
        raise ValueError(f"--out takes the samples of one temperature; {len(arguments.temperatures)} are asked for")
    model = load(arguments.model)
    results: list[WeightedResult] = []
    with console.progress_bars(arguments.quiet) as reporter:
        for result in sample_all(model, arguments, reporter):
            if result.samples.provenance.get("complete") is False:
                print("interrupted: nothing was saved")
                return INTERRUPTED
            results.append(result)
    if not arguments.quiet:
        show(results)
    if arguments.out:
        results[0].samples.save(arguments.out)
    if arguments.report:
        write_weighted_report(arguments.report, results, command=command_line())
    for path in filter(None, (arguments.out, arguments.report)):
        if not arguments.quiet:
            print(f"wrote {path}")
    return 0


def load(name: str) -> Any:
    """Return a network by its name in the package, or of a file."""
    if Path(name).suffix == ".safetensors":
        from spinodal.score.masked import load_model

        return load_model(name)[0]
    return sp.score.load_pretrained(name)


def sample_all(
    model: Any, arguments: argparse.Namespace, reporter: Callable[[str], Callable[..., object] | bool]
) -> Iterator[WeightedResult]:
    """Yield the samples of each temperature."""
    shape = arguments.size[0]
    if len(arguments.size) > 1:
        raise ValueError(f"sample takes one lattice; got {len(arguments.size)}")
    system = sp.IsingModel(shape, J=arguments.coupling, h=arguments.field)
    # The chains of a call are drawn together, and Ctrl-C is heard between calls.
    n_chains = min(arguments.samples, _CHAINS)
    for index, temperature in enumerate(arguments.temperatures):
        sampler = model.sampler(system, temperature=temperature)
        began = time.process_time()
        samples = sp.run(
            sampler, n_chains=n_chains, n_steps=-(-arguments.samples // n_chains), seed=arguments.seed + index,
            n_threads=arguments.threads, progress=reporter(f"T = {temperature:g}"),
        )  # fmt: skip
        yield WeightedResult(system, samples, time.process_time() - began)


def show(results: list[WeightedResult]) -> None:
    """Print the table: corrected values beside exact and raw ones, and what the weights are worth."""
    screen = console.new_console()
    n = results[0].samples.energy.size
    title = f"{results[0].label}: {n:,} independent samples at each temperature"
    console.print_rows(screen, title, weighted_titles(results), list(weighted_rows(results)))
    seconds = sum(result.seconds for result in results)
    screen.print(
        f"{len(results) * n / max(seconds, 1e-9):,.0f} samples a CPU second; raw values are not exact", style="dim"
    )
