# SPDX-License-Identifier: BSD-3-Clause
"""The functions every backend offers, on arrays that :mod:`spinodal.kernels` has prepared."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Spins = npt.NDArray[np.int8]
Reals = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint32]
Bits = npt.NDArray[np.uint8]
NDArray = npt.NDArray[Any]
Floats = npt.NDArray[Any]
"""float32 or float64, one of them in a call."""


class Packing(Protocol):
    """Spins ±1 as bits, eight in a byte, the first in the highest bit; each row starts a new byte."""

    def pack_spins(self, spins: Spins, out: Bits) -> bool:
        """Pack rows (n_rows, n_sites); False, and ``out`` is of no use, if a value is not ±1."""
        ...

    def unpack_spins(self, bits: Bits, out: Spins) -> None:
        """Undo ``pack_spins``: bits (n_rows, ceil(n_sites / 8)), spins (n_rows, n_sites)."""
        ...

    def correlate_bits(self, bits: Bits, n_before: int, length: int, n_after: int, out: Integers) -> None:
        """Write Σ_x s(x) s(x + r) along one axis of each row (n_before, length, n_after), r = 0 … length // 2."""
        ...


class Backend(Packing, Protocol):
    """One implementation of the raw kernels.

    ``spins`` are C-contiguous int8 of shape (n_chains, *lattice), ``beta`` float64 of shape
    (n_chains,); scalars are already checked, the values of the spins are checked here.
    """

    @property
    def name(self) -> str:
        """``cpp`` or ``numba``."""
        ...

    @property
    def isa(self) -> str:
        """Instruction set in use."""
        ...

    @property
    def updates_per_call(self) -> int:
        """Site updates after which a call should return, so that Ctrl-C is answered at once."""
        ...

    def packed_speedup(self, stream: str) -> float:
        """Return how many times faster than those updates bit-packed ones are, at least."""
        ...

    def stream_blocks(self, stream: str, seed: int, counters: Words) -> Words:
        """Return the blocks (n, 4) of a stream at counters (n, 4)."""
        ...

    def random_spins(self, out: Spins, *, seed: int, first_chain: int, stream: str, n_threads: int) -> None:
        """Fill with independent fair spins."""
        ...

    def metropolis_sweep(
        self,
        spins: Spins,
        beta: Reals,
        J: float,
        h: float,
        *,
        n_sweeps: int,
        seed: int,
        sweep: int,
        first_chain: int,
        heat_bath_every: int,
        stream: str,
        n_threads: int,
    ) -> None:
        """Checkerboard Metropolis in place; every ``heat_bath_every``-th sweep is a heat bath."""
        ...

    def metropolis_sweep_rows(
        self,
        spins: Spins,
        beta: Reals,
        J: float,
        *,
        n_sweeps: int,
        seed: int,
        sweep: int,
        first_chain: int,
        heat_bath_every: int,
        stream: str,
        n_threads: int,
        energy: Reals | None = None,
        magnetization: Integers | None = None,
    ) -> None:
        """Sweep as :meth:`metropolis_sweep` does at h = 0, 256 sites at a time and with other random numbers.

        For the shapes of :func:`spinodal.kernels.layouts.rows_supports`. Where given, ``energy`` and
        ``magnetization`` get each chain's after the last sweep, for nearly nothing.
        """
        ...

    def metropolis_sweep_replicas(
        self,
        spins: Spins,
        beta: Reals,
        J: float,
        h: float,
        *,
        n_sweeps: int,
        seed: int,
        sweep: int,
        first_chain: int,
        heat_bath_every: int,
        stream: str,
        n_threads: int,
        energy: Reals | None = None,
        magnetization: Integers | None = None,
    ) -> None:
        """Sweep as :meth:`metropolis_sweep` does, 256 chains at a time and with other random numbers.

        Chains ``256·g`` … ``256·g + 255``, counted from 0 over all calls, need one temperature; a lattice with an odd
        length is swept site after site. Where given, ``energy`` and ``magnetization`` get each chain's after the last
        sweep, for nearly nothing.
        """
        ...

    def metropolis_sweep_lanes(
        self,
        spins: Spins,
        beta: Reals,
        J: float,
        h: float,
        *,
        n_sweeps: int,
        seed: int,
        sweep: int,
        first_chain: int,
        heat_bath_every: int,
        stream: str,
        n_threads: int,
        energy: Reals | None = None,
        magnetization: Integers | None = None,
    ) -> None:
        """Sweep as :meth:`metropolis_sweep_replicas` does, every chain at a temperature of its own."""
        ...

    def wolff_step(
        self,
        spins: Spins,
        beta: Reals,
        J: float,
        h: float,
        *,
        n_steps: int,
        seed: int,
        step: int,
        first_chain: int,
        stream: str,
        n_threads: int,
    ) -> tuple[Integers, Integers]:
        """Grow ``n_steps`` single clusters in place; return summed (flipped, cluster sizes)."""
        ...

    def swendsen_wang_sweep(
        self,
        spins: Spins,
        beta: Reals,
        J: float,
        h: float,
        *,
        n_sweeps: int,
        seed: int,
        sweep: int,
        first_chain: int,
        stream: str,
        n_threads: int,
    ) -> Integers:
        """Update all clusters in place; return the summed number of clusters."""
        ...

    def parallel_tempering(
        self,
        spins: Spins,
        rung: Integers,
        direction: Integers,
        ladder: Reals,
        J: float,
        h: float,
        *,
        swap_every: int,
        heat_bath_every: int,
        n_rounds: int,
        seed: int,
        round: int,
        first_chain: int,
        stream: str,
        layout: str,
        n_threads: int,
    ) -> tuple[Integers, Integers, Integers]:
        """Sweep and exchange in place; return what each chain adds to (swap attempts, accepts, round trips)."""
        ...

    def ising_energy(self, spins: Spins, J: float, h: float, out: Reals, *, n_threads: int) -> None:
        """Write the total energy of each chain."""
        ...

    def magnetization(self, spins: Spins, out: Integers, *, n_threads: int) -> None:
        """Write the sum of the spins of each chain."""
        ...

    def local_field(self, spins: Spins, J: float, h: float, out: Reals, *, n_threads: int) -> None:
        """Write J Σ_j s_j + h at every site."""
        ...

    def lennard_jones(
        self,
        positions: Reals,
        box: Reals,
        *,
        periodic: bool,
        epsilon: float,
        sigma: float,
        cutoff: float,
        shift: str,
        softening: float,
        precision: str,
        forces: Reals,
        n_threads: int,
    ) -> tuple[Reals, Reals]:
        """Write the forces (n_systems, n, dim) on positions of that shape; return energies and virials."""
        ...

    def lennard_jones_plan(
        self,
        n_particles: int,
        box: Reals,
        *,
        periodic: bool,
        epsilon: float,
        sigma: float,
        cutoff: float,
        shift: str,
        softening: float,
        precision: str,
    ) -> Any:
        """Return what has ``compute(positions, n_threads, energy, forces, virial)`` of one system, and ``n_lists``."""
        ...

    def langevin_steps(
        self,
        positions: Reals,
        velocities: Reals,
        listed: Reals,
        box: Reals,
        temperature: Reals,
        *,
        periodic: bool,
        epsilon: float,
        sigma: float,
        cutoff: float,
        shift: str,
        softening: float,
        precision: str,
        confinement: float,
        timestep: float,
        friction: float,
        mass: float,
        n_steps: int,
        seed: int,
        step: int,
        first_chain: int,
        stream: str,
        n_threads: int,
    ) -> Reals:
        """Move particles in place by BAOAB steps; return each system's kinetic energy, summed over them."""
        ...

    def maxwell_velocities(
        self,
        out: Reals,
        temperature: Reals,
        *,
        periodic: bool,
        mass: float,
        seed: int,
        step: int,
        first_chain: int,
        stream: str,
        n_threads: int,
    ) -> None:
        """Fill with velocities (n_systems, n, dim) of each system's temperature."""
        ...

    def neighbor_list(
        self,
        positions: Reals,
        box: Reals,
        *,
        periodic: bool,
        cutoff: float,
        half: bool,
        wanted: str,
        n_threads: int,
    ) -> tuple[NDArray | None, ...]:
        """Return (i, j, d, D, S) of the pairs of positions (1, n, dim); None for columns not in ``wanted``."""
        ...

    def pair_histogram(
        self, positions: Reals, box: Reals, counts: Integers, *, periodic: bool, r_max: float, n_threads: int
    ) -> None:
        """Write the numbers of pairs (n_systems, n_bins) by distance below ``r_max``, each pair once."""
        ...

    def local_moves(
        self,
        positions: Reals,
        box: Reals,
        temperature: Reals,
        step: Reals,
        energy: Reals,
        *,
        periodic: bool,
        epsilon: float,
        sigma: float,
        cutoff: float,
        shift: str,
        softening: float,
        confinement: float,
        n_sweeps: int,
        seed: int,
        sweep: int,
        first_chain: int,
        stream: str,
        n_threads: int,
    ) -> Integers:
        """Move particles one at a time, in place, and their energies with them; return the moves accepted."""
        ...

    def graph_plan(self, indptr: Integers, indices: npt.NDArray[np.int32], values: Reals) -> Any:
        """Return what a Laplacian's filters need, to be kept."""
        ...

    def chebyshev_filter(
        self, plan: Any, x: list[Floats], coefficients: list[Reals], *, lmax: float, out: Floats, n_threads: int
    ) -> None:
        """Write Σ_inputs Σ_k c_k T_k(1 − 2L/lmax) x: fields (B, N, d), coefficients (K, B·d)."""
        ...

    def grid_filter(
        self,
        lengths: list[int],
        matrices: list[Floats],
        x: list[Floats],
        multipliers: list[Floats],
        *,
        out: Floats,
        n_threads: int,
    ) -> None:
        """Write folded matrices along each axis, 2 an axis, or 4 with multipliers (1 or B, N) between them."""
        ...

    def block_filter(self, filters: Floats, offsets: Integers, x: Floats, *, out: Floats, n_threads: int) -> None:
        """Write one dense symmetric filter a block of nodes."""
        ...
