# SPDX-License-Identifier: BSD-3-Clause
"""The Numba backend: for machines without a compiler, and a second opinion on the compiled one."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from spinodal.backends import (
    numba_cluster,
    numba_cubes,
    numba_graph,
    numba_ising,
    numba_langevin,
    numba_lennard_jones,
    numba_local_moves,
    numba_neighbors,
    numba_packed_words,
    numba_replicas,
    numba_rows,
    numba_streams,
    numba_tempering,
    numpy_packing,
    packed_tables,
)
from spinodal.backends.protocol import Bits, Floats, Integers, NDArray, Reals, Spins, Words

Groups = list[tuple[int, slice, npt.NDArray[np.int64]]]


def _for_each_chain(update: Callable[[int], None], n_chains: int, n_threads: int) -> None:
    # Threads of our own around nogil functions: numba's parallel layers are neither
    # fork-safe nor callable from two threads at once.
    if n_threads == 1 or n_chains == 1:
        for chain in range(n_chains):
            update(chain)
        return
    with ThreadPoolExecutor(min(n_threads, n_chains)) as pool:
        list(pool.map(update, range(n_chains)))


def _check_spins(spins: Spins) -> None:
    wrong = np.flatnonzero((spins.reshape(-1) != 1) & (spins.reshape(-1) != -1))
    if len(wrong):
        raise ValueError(f"spins must be -1 or +1; flat index {wrong[0]} holds {spins.reshape(-1)[wrong[0]]}")


def _check_replicas(spins: Spins) -> None:
    _check_spins(spins)
    n_sites = math.prod(spins.shape[1:])
    if n_sites > numba_replicas.MAX_SITES:
        raise ValueError(f"replica-packed chains can have at most {numba_replicas.MAX_SITES} sites; got {n_sites}")


def _check_one_temperature(beta: Reals, groups: Groups) -> None:
    for _, chains, _ in groups:
        change = np.flatnonzero(beta[chains][1:] != beta[chains][:-1])
        if len(change):
            first = chains.start + change[0]
            raise ValueError(
                f"chains of one group of 256 need one beta; chains {first} and {first + 1} have {beta[first]} and "
                f"{beta[first + 1]} (metropolis_sweep_lanes takes both)"
            )


def _groups(first_chain: int, n_chains: int) -> Groups:
    """Return each group's number, its chains of the call, and their lanes."""
    lanes, stop = numba_replicas.LANES, first_chain + n_chains
    groups = []
    for number in range(first_chain // lanes, -(-stop // lanes) if n_chains else 0):
        begin, end = max(first_chain, number * lanes), min(stop, (number + 1) * lanes)
        groups.append((number, slice(begin - first_chain, end - first_chain), np.arange(begin, end) % lanes))
    return groups


def _sign(x: float) -> int:
    return (x > 0) - (x < 0)


def _boxes(spins: Spins) -> tuple[Spins, bool]:
    """Return the chains as (n_chains, lz, ly, lx), and whether the lattice is planar."""
    planar = spins.ndim == 3
    return (spins[:, None] if planar else spins), planar


class _NumbaBackend:
    name = "numba"
    updates_per_call = 2_000_000

    def packed_speedup(self, stream: str) -> float:
        return 2.0

    @property
    def isa(self) -> str:
        return f"llvm {numba.core.config.CPU_NAME or 'native'}"

    def stream_blocks(self, stream: str, seed: int, counters: Words) -> Words:
        out = np.empty_like(counters)
        numba_streams.stream_blocks(numba_streams.STREAM_IDS[stream], np.uint64(seed), counters, out)
        return out

    def random_spins(self, out: Spins, *, seed: int, first_chain: int, stream: str, n_threads: int) -> None:
        flat = out.reshape(len(out), -1)
        stream_id = numba_streams.STREAM_IDS[stream]

        def fill(chain: int) -> None:
            numba_ising.fill_random(flat[chain], stream_id, np.uint64(seed), first_chain + chain)

        _for_each_chain(fill, len(out), n_threads)

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
        _check_spins(spins)
        boxes, planar = _boxes(spins)
        stream_id = numba_streams.STREAM_IDS[stream]
        n_neighbors = 4 if planar else 6

        def update(chain: int) -> None:
            tables = [
                numba_ising.accept_table(rule, float(beta[chain]), J, h, n_neighbors)
                for rule in ("metropolis", "heat_bath")
            ]
            numba_ising.local_sweeps(
                boxes[chain], *tables, heat_bath_every, planar, n_sweeps, stream_id, np.uint64(seed), sweep,
                first_chain + chain,
            )  # fmt: skip

        _for_each_chain(update, len(spins), n_threads)

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
        _check_spins(spins)
        layout = numba_rows.layout_of(spins.shape[1:])
        words = numba_packed_words.stream_of(numba_streams.STREAM_IDS[stream], seed)
        rows = spins.reshape(len(spins), layout.n_rows, 2 * layout.width)
        rules_at = packed_tables.rules if spins.ndim == 3 else packed_tables.cubic_rules
        sweeps = numba_rows.rows_sweeps if spins.ndim == 3 else numba_cubes.cube_sweeps

        def update(chain: int) -> None:
            rules = rules_at(float(beta[chain]) * abs(J), layout.log_vectors)
            sweeps(rows[chain], layout, *rules, heat_bath_every, J < 0, n_sweeps, words, sweep, first_chain + chain)

        _for_each_chain(update, len(spins), n_threads)
        self._observe(spins, J, 0.0, energy, magnetization, n_threads)

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
        groups = _groups(first_chain, len(spins))
        _check_one_temperature(beta, groups)
        if h != 0 or spins.ndim != 3 or any(length % 2 for length in spins.shape[1:]):
            self.metropolis_sweep_lanes(
                spins, beta, J, h, n_sweeps=n_sweeps, seed=seed, sweep=sweep, first_chain=first_chain,
                heat_bath_every=heat_bath_every, stream=stream, n_threads=n_threads, energy=energy,
                magnetization=magnetization,
            )  # fmt: skip
            return
        _check_replicas(spins)
        order, flat = numba_replicas.order_of(spins.shape[1:]), spins.reshape(len(spins), math.prod(spins.shape[1:]))
        words = numba_packed_words.stream_of(numba_streams.STREAM_IDS[stream], seed)
        log_vectors = min(5, (order.sites.shape[1] - 1).bit_length())

        def update(index: int) -> None:
            number, chains, lanes = groups[index]
            rules = packed_tables.rules(float(beta[chains.start]) * abs(J), log_vectors)
            numba_replicas.alias_sweeps(
                flat[chains], lanes, order, *rules, heat_bath_every, J < 0, n_sweeps, words, sweep, number
            )

        _for_each_chain(update, len(groups), n_threads)
        self._observe(spins, J, h, energy, magnetization, n_threads)

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
        _check_replicas(spins)
        groups = _groups(first_chain, len(spins))
        order, flat = numba_replicas.order_of(spins.shape[1:]), spins.reshape(len(spins), math.prod(spins.shape[1:]))
        words = numba_packed_words.stream_of(numba_streams.STREAM_IDS[stream], seed)
        limits = numba_replicas.hit_limits(order.sites.shape[1])
        turned = [J < 0 and (order.n_colors == 1 or color == 1) for color in range(2)]

        def update(index: int) -> None:
            number, chains, lanes = groups[index]
            of_lane = np.zeros(numba_replicas.LANES)
            of_lane[lanes] = beta[chains]
            rules = [
                tuple(
                    numba_replicas.lane_rule(bath, 2 * spins.ndim - 2, of_lane, abs(J), -h if t else h) for t in turned
                )
                for bath in (False, True)
            ]
            numba_replicas.lane_sweeps(
                flat[chains], lanes, order, *rules, *limits, heat_bath_every, J < 0, n_sweeps, words, sweep, number
            )

        _for_each_chain(update, len(groups), n_threads)
        self._observe(spins, J, h, energy, magnetization, n_threads)

    def _observe(
        self, spins: Spins, J: float, h: float, energy: Reals | None, magnetization: Integers | None, n_threads: int
    ) -> None:
        if energy is not None:
            self.ising_energy(spins, J, h, energy, n_threads=n_threads)
        if magnetization is not None:
            self.magnetization(spins, magnetization, n_threads=n_threads)

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
        _check_spins(spins)
        boxes, planar = _boxes(spins)
        stream_id = numba_streams.STREAM_IDS[stream]
        totals = np.empty((2, len(spins)), dtype=np.int64)

        def update(chain: int) -> None:
            threshold = numba_cluster.bond_threshold(float(beta[chain]), J)
            ghost_exponent = 2.0 * float(beta[chain]) * abs(h)
            field_sign = _sign(float(beta[chain]) * h)
            totals[:, chain] = numba_cluster.wolff_steps(
                boxes[chain], planar, _sign(J), threshold, ghost_exponent, field_sign, n_steps, stream_id,
                np.uint64(seed), step, first_chain + chain,
            )  # fmt: skip

        _for_each_chain(update, len(spins), n_threads)
        return totals[0], totals[1]

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
        _check_spins(spins)
        boxes, planar = _boxes(spins)
        stream_id = numba_streams.STREAM_IDS[stream]
        n_clusters = np.empty(len(spins), dtype=np.int64)

        def update(chain: int) -> None:
            thresholds = [numba_cluster.bond_threshold(float(beta[chain]), coupling) for coupling in (J, h)]
            field_sign = _sign(float(beta[chain]) * h)
            n_clusters[chain] = numba_cluster.swendsen_wang_sweeps(
                boxes[chain], planar, _sign(J), *thresholds, field_sign, n_sweeps, stream_id, np.uint64(seed), sweep,
                first_chain + chain,
            )  # fmt: skip

        _for_each_chain(update, len(spins), n_threads)
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
        exchange = numba_tempering.Exchange(rung, direction, ladder)
        energy = np.empty(len(spins))
        couplings = (J,) if layout == "rows" else (J, h)
        sweep: Callable[..., None] = self.metropolis_sweep
        if layout != "bytes":
            sweep = self.metropolis_sweep_rows if layout == "rows" else self.metropolis_sweep_lanes
        for index in range(round, round + n_rounds):
            sweep(
                spins, ladder[rung], *couplings, n_sweeps=swap_every, seed=seed, sweep=index * swap_every,
                first_chain=first_chain, heat_bath_every=heat_bath_every, stream=stream, n_threads=n_threads,
            )  # fmt: skip
            self.ising_energy(spins, J, h, energy, n_threads=n_threads)
            counters = exchange.counters(index, first_chain)
            exchange.attempt(index, energy, self.stream_blocks(stream, seed, counters))
        return exchange.attempts, exchange.accepts, exchange.round_trips

    def ising_energy(self, spins: Spins, J: float, h: float, out: Reals, *, n_threads: int) -> None:
        _check_spins(spins)
        boxes, planar = _boxes(spins)

        def measure(chain: int) -> None:
            total = int(boxes[chain].sum(dtype=np.int64))
            out[chain] = -J * numba_ising.bond_sum(boxes[chain], planar) - h * total

        _for_each_chain(measure, len(spins), n_threads)

    def magnetization(self, spins: Spins, out: Integers, *, n_threads: int) -> None:
        _check_spins(spins)
        spins.reshape(len(spins), -1).sum(axis=1, dtype=np.int64, out=out)

    def local_field(self, spins: Spins, J: float, h: float, out: Reals, *, n_threads: int) -> None:
        _check_spins(spins)
        lattice = range(1, spins.ndim)
        total = sum(np.roll(spins, step, axis) for axis in lattice for step in (1, -1))
        np.multiply(J, total, out=out)
        out += h

    def pack_spins(self, spins: Spins, out: Bits) -> bool:
        return numpy_packing.pack_spins(spins, out)

    def unpack_spins(self, bits: Bits, out: Spins) -> None:
        numpy_packing.unpack_spins(bits, out)

    def correlate_bits(self, bits: Bits, n_before: int, length: int, n_after: int, out: Integers) -> None:
        numpy_packing.correlate_bits(bits, n_before, length, n_after, out)

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
        constants = numba_lennard_jones.constants(epsilon, sigma, cutoff, shift, softening)
        totals = np.empty((2, len(positions)))

        def compute(system: int) -> None:
            totals[:, system] = numba_lennard_jones.compute(positions[system], box, periodic, constants, forces[system])

        _for_each_chain(compute, len(positions), n_threads)
        numba_lennard_jones.check_finite(totals, positions, box, periodic)
        return totals[0], totals[1]

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
        constants = numba_lennard_jones.constants(epsilon, sigma, cutoff, shift, softening)
        return numba_lennard_jones.Plan(box, periodic, constants)

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
        potential = numba_lennard_jones.constants(epsilon, sigma, cutoff, shift, softening)
        motion = np.array([timestep, friction, mass, confinement])
        stream_id = numba_streams.STREAM_IDS[stream]
        kinetic_energy = np.empty(len(positions))

        def update(system: int) -> None:
            kinetic_energy[system] = numba_langevin.langevin_steps(
                positions[system], velocities[system], box, periodic, potential, motion, float(temperature[system]),
                n_steps, stream_id, np.uint64(seed), step, first_chain + system,
            )  # fmt: skip
            listed[system] = positions[system]

        _for_each_chain(update, len(positions), n_threads)
        numba_langevin.check_energies(kinetic_energy, step + n_steps)
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
        stream_id = numba_streams.STREAM_IDS[stream]
        for system in range(len(out)):
            noise = math.sqrt(float(temperature[system]) / mass)
            numba_langevin.maxwell_velocities(
                out[system], noise, periodic, stream_id, np.uint64(seed), step, first_chain + system
            )

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
        found = numba_neighbors.list_pairs(positions[0], box, periodic, cutoff, half)
        columns = zip("ijdDS", found, strict=True)
        return tuple(column if name in wanted else None for name, column in columns)

    def pair_histogram(
        self, positions: Reals, box: Reals, counts: Integers, *, periodic: bool, r_max: float, n_threads: int
    ) -> None:
        def count(system: int) -> None:
            numba_neighbors.pair_histogram(positions[system], box, periodic, r_max, counts[system])

        _for_each_chain(count, len(positions), n_threads)

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
        potential = numba_lennard_jones.constants(epsilon, sigma, cutoff, shift, softening)
        stream_id = numba_streams.STREAM_IDS[stream]
        accepted = np.zeros(len(positions), dtype=np.int64)

        def move(system: int) -> None:
            energy[system], accepted[system] = numba_local_moves.sweeps(
                positions[system], box, periodic, potential, confinement, float(temperature[system]),
                float(step[system]), float(energy[system]), n_sweeps, stream_id, np.uint64(seed), sweep,
                first_chain + system,
            )  # fmt: skip

        _for_each_chain(move, len(positions), n_threads)
        numba_local_moves.check_energies(energy, sweep + n_sweeps)
        return accepted

    def graph_plan(self, indptr: Integers, indices: npt.NDArray[np.int32], values: Reals) -> Any:
        return numba_graph.graph_plan(indptr, indices, values)

    def chebyshev_filter(
        self, plan: Any, x: list[Floats], coefficients: list[Reals], *, lmax: float, out: Floats, n_threads: int
    ) -> None:
        numba_graph.chebyshev_filter(plan, x, coefficients, lmax, out)

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
        numba_graph.grid_filter(lengths, matrices, x, multipliers, out)

    def block_filter(self, filters: Floats, offsets: Integers, x: Floats, *, out: Floats, n_threads: int) -> None:
        numba_graph.block_filter(filters, offsets, x, out)


BACKEND = _NumbaBackend()
