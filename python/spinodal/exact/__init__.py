# SPDX-License-Identifier: BSD-3-Clause
"""Exact solutions of the Ising model: what samplers and networks are held against.

E(s) = -J Σ_i Σ_axis s_i s_{i+e} - h Σ_i s_i on periodic lattices, k_B = 1. Along a length of 2
the bond of a pair counts twice.
"""

from .enumeration import ExactEnsemble, enumerate_ising
from .finite_lattice import KaufmanSolution, kaufman
from .infinite_lattice import OnsagerSolution, critical_temperature, onsager, yang_magnetization
from .noised import denoiser, noised_log_density, noised_score
from .spectrum import DensityOfStates, density_of_states
from .states import all_states, boltzmann

__all__ = [
    "DensityOfStates",
    "ExactEnsemble",
    "KaufmanSolution",
    "OnsagerSolution",
    "all_states",
    "boltzmann",
    "critical_temperature",
    "denoiser",
    "density_of_states",
    "enumerate_ising",
    "kaufman",
    "noised_log_density",
    "noised_score",
    "onsager",
    "yang_magnetization",
]
