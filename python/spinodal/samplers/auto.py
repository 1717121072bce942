# SPDX-License-Identifier: BSD-3-Clause
"""Which sampler serves a model best."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from spinodal.samplers.chains import check_temperature
from spinodal.samplers.cluster import SwendsenWang, Wolff
from spinodal.samplers.lattice import ChainSampler
from spinodal.samplers.metropolis import HeatBath, Metropolis
from spinodal.systems.ising import IsingModel

Method = Literal["auto", "metropolis", "heat_bath", "wolff", "swendsen_wang"]
_SAMPLERS: dict[str, type[ChainSampler]] = {
    "metropolis": Metropolis,
    "heat_bath": HeatBath,
    "wolff": Wolff,
    "swendsen_wang": SwendsenWang,
}

# Within this factor of the critical temperature the correlation length rivals the lattice.
_CRITICAL_WINDOW = (0.9, 1.15)

# Chains that fill half the lanes of a packed sweep, and sweeps between draws that make a draw's own cost small.
_MANY_CHAINS, _THINNED = 128, 16
# The linear size from which clusters give more independent samples of M² a second at Tc, by benchmarks/crossover.py:
# as a rule, and for many chains with thinned draws.
_CROSSOVER = {2: (24, 80), 3: (12, 64)}


def sampler(
    model: IsingModel,
    temperature: float | npt.ArrayLike,
    method: Method = "auto",
    *,
    n_chains: int | None = None,
    thin: int = 1,
    **options: Any,
) -> ChainSampler:
    """Return a sampler of a model by name; "auto" takes the one that decorrelates fastest per second.

    Odd lengths need clusters, or a layout that takes them. Near the transition of an unfrustrated
    lattice without a field the autocorrelation time of local moves grows as L^2.17, that of
    clusters hardly: Swendsen–Wang is taken there from ``crossover_length`` on, which lies higher for
    many chains with thinned draws. Elsewhere local sweeps win.

    Parameters
    ----------
    model : IsingModel
    temperature : float or array of shape (n_chains,)
    method : {"auto", "metropolis", "heat_bath", "wolff", "swendsen_wang"}
    n_chains, thin : int, optional
        What ``run`` will be asked for, for "auto" to choose by; as many chains as temperatures, by default.
    **options
        Passed to the sampler.
    """
    if method == "auto":
        any_length = options.get("layout") in ("replicas", "lanes")
        temperatures = check_temperature(temperature)
        chains = temperatures.size if n_chains is None else n_chains
        method = _choose(model, temperatures, any_length, crossover_length(model.ndim, chains, thin))
    if method not in _SAMPLERS:
        raise ValueError(f"method={method!r} is unknown; choose one of: auto, {', '.join(_SAMPLERS)}")
    return _SAMPLERS[method](model, temperature, **options)


def crossover_length(ndim: int, n_chains: int = 1, thin: int = 1) -> int:
    """Return the linear size from which clusters beat local sweeps at the transition.

    Packed sweeps of many chains cost so little that they win on lattices three to five times longer, unless each
    is followed by a draw, which costs more than the sweep.
    """
    as_a_rule, packed = _CROSSOVER[ndim]
    return packed if n_chains >= _MANY_CHAINS and thin >= _THINNED else as_a_rule


def _choose(model: IsingModel, temperature: npt.NDArray[np.float64], any_length: bool, crossover: int) -> Method:
    if any(length % 2 for length in model.shape):
        return "metropolis" if any_length else "swendsen_wang"
    ratio = temperature / model.critical_temperature if model.J else np.full_like(temperature, np.inf)
    critical = bool(((ratio > _CRITICAL_WINDOW[0]) & (ratio < _CRITICAL_WINDOW[1])).any())
    clusters = critical and model.h == 0 and max(model.shape) >= crossover
    return "swendsen_wang" if clusters else "metropolis"
