# SPDX-License-Identifier: BSD-3-Clause
"""Samples that take a moment to make."""

from __future__ import annotations

import numpy as np

import spinodal as sp

TEMPERATURES = (1.8, 2.2, 2.3, 2.8)


def metropolis_samples(size, seed=1, temperatures=TEMPERATURES, **parameters) -> sp.Samples:
    chains = 48
    model = sp.IsingModel(size, **parameters)
    sampler = sp.Metropolis(model, np.repeat(temperatures, chains))
    n_chains = chains * len(temperatures)
    return sp.run(
        sampler, n_chains=n_chains, n_steps=800, burn_in=200, thin=2, seed=seed, keep_draws="last", progress=False
    )
