# SPDX-License-Identifier: BSD-3-Clause
r"""Observables of particles by name, from the energies and virials that a run records.

Units: those of the system, k_B = 1; N particles of dimension d in a volume V, at temperature T.

.. math::
    p = \frac{N T + W/d}{V}, \qquad c_V = \frac{d}{2} + \frac{\langle U^2 \rangle - \langle U \rangle^2}{N T^2}

The corrections for what is beyond the cutoff are those of a uniform fluid, :func:`spinodal.kernels.tail_corrections`;
names that end in "with_tail" have them whether or not the system adds them itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from spinodal.analysis.arrays import FloatArray, SamplesLike, n_sites, one_temperature
from spinodal.kernels.particles import tail_corrections


def pressure(samples: SamplesLike) -> FloatArray:
    """Return (N T + W/d)/V of every draw; the tail's part as the system has it."""
    system = fluid(samples)
    if "virial" not in samples.info:
        raise ValueError('pressure needs info["virial"], which runs of Lennard-Jones particles record')
    temperature = np.asarray(samples.temperature, dtype=np.float64)[:, np.newaxis]
    virial = np.asarray(samples.info["virial"], dtype=np.float64) / dimension(system)
    total: FloatArray = (n_sites(samples) * temperature + virial) / volume(system)
    return total


def pressure_with_tail(samples: SamplesLike) -> FloatArray:
    """Return the pressure of every draw with the correction for what is beyond the cutoff."""
    system = fluid(samples)
    virial = _missing_tail(system)[1]
    return pressure(samples) + n_sites(samples) / volume(system) * virial / dimension(system)


def energy_with_tail(samples: SamplesLike) -> FloatArray:
    """Return U/N of every draw with the correction for what is beyond the cutoff."""
    energy = np.asarray(samples.energy, dtype=np.float64) / n_sites(samples)
    return energy + _missing_tail(fluid(samples))[0]


def isochoric_heat_capacity(samples: SamplesLike) -> Callable[..., float]:
    """Return c_V as a function of the means of U − U₀ and its square, the kinetic part with it."""
    system = getattr(samples, "provenance", {}).get("system", {})
    factor = 1.0 / (one_temperature(samples) ** 2 * n_sites(samples))
    kinetic = 0.5 * dimension(system)
    return lambda e, e2: kinetic + factor * (e2 - e * e)


def fluid(samples: SamplesLike) -> Mapping[str, Any]:
    """Return the description of a periodic system of particles, from the provenance.

    Raises
    ------
    ValueError
        If the samples are of something else.
    """
    system: Mapping[str, Any] = (getattr(samples, "provenance", None) or {}).get("system") or {}
    if system.get("box") is None:
        kind = system.get("kind", "no system")
        raise ValueError(f"this needs particles in a periodic box; the samples are of {kind}")
    return system


def volume(system: Mapping[str, Any]) -> float:
    """Return the volume of the box, or its area."""
    return float(np.prod(system["box"]))


def dimension(system: Mapping[str, Any]) -> int:
    """Return the dimension of space of a system of particles."""
    if system.get("dims") != ["particle", "axis"]:
        raise ValueError(f"this needs particles; the samples are of {system.get('kind', 'no system')}")
    return int(system["shape"][1])


def _missing_tail(system: Mapping[str, Any]) -> tuple[float, float]:
    """Return what the tail adds to energy and virial a particle; 0 where the system has added it."""
    if system.get("shift") != "truncated" or system.get("softening"):
        shift, softening = system.get("shift"), system.get("softening")
        raise ValueError(f"a tail belongs to shift='truncated' without softening; got {shift!r} and {softening}")
    if system["tail"]:
        return 0.0, 0.0
    density = system["n_particles"] / volume(system)
    return tail_corrections(density, system["cutoff"], system["epsilon"], system["sigma"], dimension(system))
