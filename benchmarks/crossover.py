# SPDX-License-Identifier: BSD-3-Clause
"""Where clusters overtake local sweeps at Tc: python benchmarks/crossover.py [--chains N] [--thin N] [--ndim 2] L ….

Prints independent samples of M² a second of CPU time, recording included, of Metropolis and of Swendsen–Wang in runs
of that many chains, a draw every ``thin`` sweeps (of clusters, every four at most, which is their τ): what
``spinodal.samplers.auto`` chooses by.
"""

from __future__ import annotations

import argparse
import time

import spinodal as sp

N_TAU = 60  # a chain is that many times τ(M²) long
CLUSTER_TAU = 4
SAMPLERS = {"metropolis": sp.Metropolis, "swendsen-wang": sp.SwendsenWang}


def guess(method: str, ndim: int, length: int) -> float:
    """Return τ(M²) in steps, roughly: it sets how long to run."""
    return CLUSTER_TAU if method == "swendsen-wang" else max(2.0, {2: 0.02, 3: 0.05}[ndim] * length**2.15)


def independent_samples(method: str, ndim: int, length: int, n_chains: int, thin: int) -> tuple[float, float]:
    """Return independent samples a second, and τ in steps."""
    model = sp.IsingModel((length,) * ndim)
    sampler = SAMPLERS[method](model, model.critical_temperature)
    thin = min(thin, CLUSTER_TAU) if method == "swendsen-wang" else thin
    n_steps = thin * max(20, round(N_TAU * guess(method, ndim, length) / thin))
    warm = sp.run(sampler, n_chains=n_chains, n_steps=thin, burn_in=n_steps // 4, thin=thin, keep_draws="last")
    start = time.process_time()
    samples = sp.run(
        sampler, n_chains=n_chains, n_steps=n_steps, thin=thin, seed=1, init=warm, keep_draws="last", n_threads=1
    )
    seconds = time.process_time() - start
    tau = sp.analysis.tau_int(samples.info["magnetization"].astype(float) ** 2).tau  # in draws
    return samples.energy.size / (2.0 * tau) / seconds, thin * tau


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare Metropolis and Swendsen–Wang at Tc.")
    parser.add_argument("lengths", type=int, nargs="+", metavar="L")
    parser.add_argument("--chains", type=int, default=256)
    parser.add_argument("--thin", type=int, default=16)
    parser.add_argument("--ndim", type=int, choices=(2, 3), default=2)
    options = parser.parse_args()
    for length in options.lengths:
        found = {m: independent_samples(m, options.ndim, length, options.chains, options.thin) for m in SAMPLERS}
        text = ", ".join(f"{m} {rate:,.0f}/s (τ = {tau:.1f})" for m, (rate, tau) in found.items())
        ratio = found["metropolis"][0] / found["swendsen-wang"][0]
        print(f"{length}: {text}; metropolis is {ratio:.2f} times as fast", flush=True)


if __name__ == "__main__":
    main()
