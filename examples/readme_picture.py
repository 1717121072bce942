# SPDX-License-Identifier: BSD-3-Clause
"""Draw the picture of the README: a critical lattice, the heat capacity over its exact curves, the Binder crossing.

Run:  python examples/readme_picture.py docs/images/ising.svg
"""

import sys
from pathlib import Path

import numpy as np

import spinodal as sp
from spinodal.plots.style import dress, new_figure
from spinodal.report import Result, critical_point
from spinodal.report.figures import to_svg

SCAN = np.round(np.arange(1.6, 3.01, 0.1), 1)
CRITICAL = np.array([2.25, 2.26, 2.27, 2.28, 2.29])
CHAINS = {16: 96, 32: 64, 64: 48}


def sample(length: int) -> sp.Samples:
    """Sample one lattice by clusters, at all temperatures."""
    temperature = np.repeat(np.union1d(SCAN, CRITICAL), CHAINS[length])
    sampler = sp.SwendsenWang(sp.IsingModel(length), temperature)
    return sp.run(
        sampler, n_chains=temperature.size, n_steps=1500, burn_in=150, seed=length, keep_draws=False, progress=True
    )


def draw(path: Path) -> None:
    """Sample, draw, and write the file."""
    scans = [Result.of(sample(length)).scan for length in CHAINS]
    critical = critical_point(scans)
    figure = new_figure(12.6, 3.7)
    axes = figure.subplots(1, 3, width_ratios=[0.82, 1, 1])
    snapshot = sp.SwendsenWang(sp.IsingModel(192), sp.exact.critical_temperature())
    last = sp.run(snapshot, n_chains=1, n_steps=1, burn_in=300, seed=2, keep_draws="last", progress=False)
    sp.plots.plot_snapshot(last.draws[0, 0], ax=axes[0])
    axes[0].set_title("192 × 192 at the critical temperature", size=10)
    sp.plots.plot_heat_capacity(scans, ax=dress(axes[1]))
    axes[1].set_title("heat capacity over Kaufman’s exact curves", size=10)
    sp.plots.plot_binder(
        scans, ax=dress(axes[2]), window=(2.25, 2.29), curves=critical.curves, crossing=critical.crossing
    )
    axes[2].set_title("Binder cumulants cross at the critical temperature", size=10)
    path.write_text(to_svg(figure))


if __name__ == "__main__":
    draw(Path(sys.argv[1] if len(sys.argv) > 1 else "ising.svg"))
