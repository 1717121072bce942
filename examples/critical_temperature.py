# SPDX-License-Identifier: BSD-3-Clause
"""Locate the critical temperature by the crossing of Binder cumulants, and draw it.

Run:  python examples/critical_temperature.py
"""

import numpy as np

import spinodal as sp

TEMPERATURES = np.array([2.24, 2.26, 2.28, 2.30])


def sample(length: int, n_chains: int) -> sp.Samples:
    """Sample one lattice at all temperatures by Swendsen–Wang clusters."""
    sampler = sp.SwendsenWang(sp.IsingModel(length), np.repeat(TEMPERATURES, n_chains))
    return sp.run(sampler, n_chains=sampler.temperature.size, n_steps=1000, burn_in=100, seed=length, keep_draws=False)


if __name__ == "__main__":
    lattices = [sample(16, 64), sample(32, 64)]
    crossing = sp.analysis.binder_crossing(lattices)
    print(f"Tc = {crossing.critical_temperature}, exact {sp.exact.critical_temperature():.6f}")
    curves = {histogram.n_sites: histogram for histogram in map(sp.analysis.MultiHistogram.from_samples, lattices)}
    ax = sp.plots.plot_binder(lattices, curves=curves, crossing=crossing)
    ax.figure.savefig("binder.svg")
