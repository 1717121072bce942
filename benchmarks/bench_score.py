# SPDX-License-Identifier: BSD-3-Clause
"""What the shipped masked network is worth: ESS, ln Z and rate, each answer checked against Kaufman's solution.

python benchmarks/bench_score.py [--samples 2048] [--seeds 3] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import math
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

import spinodal as sp

_SCAN = (1.5, 1.8, 2.1, 2.269, 2.5, 3.0, 3.5)
CASES = [*((8, t) for t in _SCAN), *((16, t) for t in _SCAN), (24, 1 / 0.4407), (32, 2.269), (64, 2.269)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="ising-masked", help="a name, or a .safetensors file")
    parser.add_argument("--samples", type=int, default=2048)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--sizes", default="8,16,24,32,64")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    model = _load(arguments.model)
    sizes = {int(size) for size in arguments.sizes.split(",")}
    print(
        f"{'L':>4} {'T':>8} {'ESS/M':>22} {'largest':>8} {'k':>6} {'(ln Z − exact)/N':>20} {'E/N σ':>7} {'a second':>9}"
    )
    rows = [
        row for case in CASES if case[0] in sizes for row in [measure(model, *case, arguments.samples, arguments.seeds)]
    ]
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n")


def _load(name: str) -> Any:
    if name.endswith(".safetensors"):
        from spinodal.score.masked import load_model

        return load_model(name)[0]
    return sp.score.load_pretrained(name)


def measure(model: Any, length: int, temperature: float, n: int, n_seeds: int) -> dict[str, Any]:
    """Sample with each seed; refuse to report a wrong answer."""
    solved = sp.exact.kaufman((length, length), temperature=temperature)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sampler = model.sampler(sp.IsingModel(length), temperature=temperature)
    found, seconds = [], 0.0
    for seed in range(n_seeds):
        began = time.process_time()
        samples = sp.run(sampler, n_chains=n, seed=seed, n_threads=1, progress=False, keep_draws=False)
        seconds += time.process_time() - began
        found.append((sp.score.log_partition(samples), samples.estimate("energy_per_site")))
    sites = length**2
    errors = [(z.mean - solved.log_z) / z.stderr for z, _ in found]
    energies = [(e.mean - solved.energy_per_site) / e.stderr for _, e in found]
    for what, values in (("ln Z", errors), ("E", energies)):
        if max(map(abs, values)) > 5 and all(z.weights.reliable for z, _ in found):
            raise SystemExit(f"L = {length}, T = {temperature:g}: {what} is {values} σ from the exact value")
    mean = float(np.mean([z.mean for z, _ in found]))
    error = math.sqrt(sum(z.stderr**2 for z, _ in found)) / n_seeds
    row = {
        "L": length, "T": temperature, "M": n, "ess": [round(z.weights.ess / n, 4) for z, _ in found],
        "largest_weight": max(z.weights.max_share for z, _ in found),
        "pareto_k": max(z.weights.pareto_k for z, _ in found),
        "log_z_error_per_site": (mean - solved.log_z) / sites, "log_z_stderr_per_site": error / sites,
        "energy_sigmas": energies, "samples_per_cpu_second": n * n_seeds / seconds,
    }  # fmt: skip
    ess = " ".join(f"{value:.3f}" for value in row["ess"])
    print(
        f"{length:4d} {temperature:8.4f} {ess:>22} {row['largest_weight']:8.1e} {row['pareto_k']:6.2f} "
        f"{row['log_z_error_per_site']:+11.1e}({row['log_z_stderr_per_site']:.0e}) {np.mean(energies):+7.1f} "
        f"{row['samples_per_cpu_second']:9.0f}", flush=True,
    )  # fmt: skip
    return row


if __name__ == "__main__":
    main()
