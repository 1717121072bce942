# SPDX-License-Identifier: BSD-3-Clause
"""The compiled backend."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from spinodal import _native
from spinodal.backends.protocol import Bits, Floats, Integers, NDArray, Reals, Spins, Words


class _CppBackend:
    name = "cpp"

    @property
    def updates_per_call(self) -> int:
        # Some 50 ms of the slowest stream.
        return 3_000_000 if self.isa == "baseline" else 30_000_000

    def packed_speedup(self, stream: str) -> float:
        if self.isa == "baseline":
            return 1.5
        if stream == "philox10":
            return 3.0
        return 16.0 if self.isa == "avx2" else 40.0

    @property
    def isa(self) -> str:
        return _native.active_isa()

    def stream_blocks(self, stream: str, seed: int, counters: Words) -> Words:
        return _native.stream_blocks(stream, seed, counters)

    def random_spins(self, out: Spins, *, seed: int, first_chain: int, stream: str, n_threads: int) -> None:
        _native.random_spins(out, seed, first_chain, stream, out.ndim - 1, n_threads)

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
        _native.metropolis_sweep(
            spins, beta, J, h, n_sweeps, seed, sweep, first_chain, heat_bath_every, stream, spins.ndim - 1, n_threads
        )

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
        _native.metropolis_sweep_rows(
            spins, beta, J, n_sweeps, seed, sweep, first_chain, heat_bath_every, stream, spins.ndim - 1, n_threads,
            energy, magnetization,
        )  # fmt: skip

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
        _native.metropolis_sweep_replicas(
            spins, beta, J, h, n_sweeps, seed, sweep, first_chain, heat_bath_every, stream, spins.ndim - 1, n_threads,
            energy, magnetization,
        )  # fmt: skip

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
        _native.metropolis_sweep_lanes(
            spins, beta, J, h, n_sweeps, seed, sweep, first_chain, heat_bath_every, stream, spins.ndim - 1, n_threads,
            energy, magnetization,
        )  # fmt: skip

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
        flipped, sizes = np.empty(len(spins), dtype=np.int64), np.empty(len(spins), dtype=np.int64)
        _native.wolff_step(
            spins, beta, J, h, n_steps, seed, step, first_chain, stream, spins.ndim - 1, n_threads, flipped, sizes
        )
        return flipped, sizes

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
        n_clusters = np.empty(len(spins), dtype=np.int64)
        _native.swendsen_wang_sweep(
            spins, beta, J, h, n_sweeps, seed, sweep, first_chain, stream, spins.ndim - 1, n_threads, n_clusters
        )
        return n_clusters

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
        attempts, accepts, trips = (np.zeros(len(spins), dtype=np.int64) for _ in range(3))
        _native.parallel_tempering(
            spins, rung, direction, ladder, J, h, swap_every, heat_bath_every, n_rounds, seed, round, first_chain,
            stream, layout, spins.ndim - 1, n_threads, attempts, accepts, trips,
        )  # fmt: skip
        return attempts, accepts, trips

    def ising_energy(self, spins: Spins, J: float, h: float, out: Reals, *, n_threads: int) -> None:
        _native.ising_energy(spins, J, h, out, spins.ndim - 1, n_threads)

    def magnetization(self, spins: Spins, out: Integers, *, n_threads: int) -> None:
        _native.magnetization(spins, out, spins.ndim - 1, n_threads)

    def local_field(self, spins: Spins, J: float, h: float, out: Reals, *, n_threads: int) -> None:
        _native.local_field(spins, J, h, out, spins.ndim - 1, n_threads)

    def pack_spins(self, spins: Spins, out: Bits) -> bool:
        return _native.pack_spins(spins, out)

    def unpack_spins(self, bits: Bits, out: Spins) -> None:
        _native.unpack_spins(bits, out)

    def correlate_bits(self, bits: Bits, n_before: int, length: int, n_after: int, out: Integers) -> None:
        _native.correlate_bits(bits, n_before, length, n_after, out)

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
        energy, virial = np.empty(len(positions)), np.empty(len(positions))
        _native.lennard_jones(
            positions,
            box,
            periodic,
            epsilon,
            sigma,
            cutoff,
            shift,
            softening,
            precision,
            n_threads,
            energy,
            forces,
            virial,
        )
        return energy, virial

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
        return _native.LennardJonesPlan(n_particles, box, periodic, epsilon, sigma, cutoff, shift, softening, precision)

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
        kinetic_energy = np.empty(len(positions))
        _native.langevin_steps(
            positions, velocities, listed, box, periodic, epsilon, sigma, cutoff, shift, softening, precision,
            confinement, temperature, timestep, friction, mass, n_steps, seed, step, first_chain, stream, n_threads,
            kinetic_energy,
        )  # fmt: skip
        return kinetic_energy

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
        _native.maxwell_velocities(out, periodic, temperature, mass, seed, step, first_chain, stream, n_threads)

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
        return _native.neighbor_list(positions, box, periodic, cutoff, half, wanted, n_threads)

    def pair_histogram(
        self, positions: Reals, box: Reals, counts: Integers, *, periodic: bool, r_max: float, n_threads: int
    ) -> None:
        _native.pair_histogram(positions, box, periodic, r_max, counts.shape[1], n_threads, counts)

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
        accepted = np.zeros(len(positions), dtype=np.int64)
        _native.local_moves(
            positions, box, periodic, epsilon, sigma, cutoff, shift, softening, confinement, temperature, step,
            n_sweeps, seed, sweep, first_chain, stream, n_threads, energy, accepted,
        )  # fmt: skip
        return accepted

    def graph_plan(self, indptr: Integers, indices: npt.NDArray[np.int32], values: Reals) -> Any:
        return _native.GraphPlan(indptr, indices, values)

    def chebyshev_filter(
        self, plan: Any, x: list[Floats], coefficients: list[Reals], *, lmax: float, out: Floats, n_threads: int
    ) -> None:
        _native.chebyshev_filter(plan, lmax, x, coefficients, out, n_threads)

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
        _native.grid_filter(lengths, matrices, x, multipliers, out, n_threads)

    def block_filter(self, filters: Floats, offsets: Integers, x: Floats, *, out: Floats, n_threads: int) -> None:
        _native.block_filter(filters, offsets, x, out, n_threads)


BACKEND = _CppBackend()
