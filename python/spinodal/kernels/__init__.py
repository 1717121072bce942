# SPDX-License-Identifier: BSD-3-Clause
r"""The raw kernels, on plain arrays, for other simulation codes.

Spins are ±1 in int8, C-contiguous, shape ``(…, Ly, Lx)``, or ``(…, Lz, Ly, Lx)`` with ``ndim=3``;
every leading axis counts chains. Torch tensors and anything else with DLPack are taken without
a copy. Energies follow

.. math:: E(s) = -J \sum_{\langle ij \rangle} s_i s_j - h \sum_i s_i

on a periodic lattice; an axis of length 2 has two bonds between the same sites. Random numbers
are a function of (``seed``, ``first_chain`` + chain, ``sweep`` + i) alone, in the named
``stream`` and ``layout``: results do not depend on threads, instruction set, backend, or the number of calls.
The global interpreter lock is released, and Ctrl-C is answered between whole sweeps.

Particles are float64 positions ``(…, n_particles, 2 or 3)``: see :func:`lennard_jones`,
:func:`langevin_steps`, :func:`local_moves`, :func:`neighbor_list` and :func:`pair_histogram`.
Fields on graphs are float32 or float64, ``(N,)``, ``(N, C)`` or ``(B, N, d)``: see :func:`chebyshev_filter`.
"""

from spinodal.kernels.arguments import STREAMS
from spinodal.kernels.graph import block_filter, chebyshev_filter, fold, grid_filter, pack_blocks
from spinodal.kernels.ising import (
    heat_bath_sweep,
    ising_energy,
    local_field,
    magnetization,
    metropolis_sweep,
    random_spins,
    swendsen_wang_sweep,
    wolff_step,
)
from spinodal.kernels.layouts import LAYOUTS, choose_layout
from spinodal.kernels.lennard_jones import lennard_jones
from spinodal.kernels.local_moves import local_moves
from spinodal.kernels.molecular_dynamics import langevin_steps, maxwell_velocities
from spinodal.kernels.neighbors import neighbor_list, pair_histogram
from spinodal.kernels.particles import tail_corrections
from spinodal.kernels.streams import stream_blocks
from spinodal.kernels.tempering import parallel_tempering

__all__ = [
    "LAYOUTS",
    "STREAMS",
    "block_filter",
    "chebyshev_filter",
    "choose_layout",
    "fold",
    "grid_filter",
    "heat_bath_sweep",
    "ising_energy",
    "langevin_steps",
    "lennard_jones",
    "local_field",
    "local_moves",
    "magnetization",
    "maxwell_velocities",
    "metropolis_sweep",
    "neighbor_list",
    "pack_blocks",
    "pair_histogram",
    "parallel_tempering",
    "random_spins",
    "stream_blocks",
    "swendsen_wang_sweep",
    "tail_corrections",
    "wolff_step",
]
