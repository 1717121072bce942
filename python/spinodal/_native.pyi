# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import numpy.typing as npt

from spinodal.backends.protocol import Bits, Floats, Integers, NDArray, Reals, Spins, Words

def available_isas() -> list[str]: ...
def active_isa() -> str: ...
def select_isa(name: str) -> None: ...
def stream_blocks(stream: str, seed: int, counters: Words) -> Words: ...
def metropolis_sweep(
    spins: Spins,
    beta: Reals,
    J: float,
    h: float,
    n_sweeps: int,
    seed: int,
    sweep: int,
    first_chain: int,
    heat_bath_every: int,
    stream: str,
    ndim: int,
    n_threads: int,
) -> None: ...
def rows_supports(shape: tuple[int, ...]) -> bool: ...
def metropolis_sweep_rows(
    spins: Spins,
    beta: Reals,
    J: float,
    n_sweeps: int,
    seed: int,
    sweep: int,
    first_chain: int,
    heat_bath_every: int,
    stream: str,
    ndim: int,
    n_threads: int,
    energy: Reals | None = None,
    magnetization: Integers | None = None,
) -> None: ...
def metropolis_sweep_replicas(
    spins: Spins,
    beta: Reals,
    J: float,
    h: float,
    n_sweeps: int,
    seed: int,
    sweep: int,
    first_chain: int,
    heat_bath_every: int,
    stream: str,
    ndim: int,
    n_threads: int,
    energy: Reals | None = None,
    magnetization: Integers | None = None,
) -> None: ...
def metropolis_sweep_lanes(
    spins: Spins,
    beta: Reals,
    J: float,
    h: float,
    n_sweeps: int,
    seed: int,
    sweep: int,
    first_chain: int,
    heat_bath_every: int,
    stream: str,
    ndim: int,
    n_threads: int,
    energy: Reals | None = None,
    magnetization: Integers | None = None,
) -> None: ...
def packed_masks(
    exponent: float,
    heat_bath: bool,
    cubic: bool,
    overwrites: bool,
    first_block: int,
    n_blocks: int,
    seed: int,
    sweep: int,
    chain: int,
    stream: str,
) -> Bits: ...
def wolff_step(
    spins: Spins,
    beta: Reals,
    J: float,
    h: float,
    n_steps: int,
    seed: int,
    step: int,
    first_chain: int,
    stream: str,
    ndim: int,
    n_threads: int,
    flipped: Integers,
    cluster_size: Integers | None,
) -> None: ...
def swendsen_wang_sweep(
    spins: Spins,
    beta: Reals,
    J: float,
    h: float,
    n_sweeps: int,
    seed: int,
    sweep: int,
    first_chain: int,
    stream: str,
    ndim: int,
    n_threads: int,
    n_clusters: Integers,
) -> None: ...
def parallel_tempering(
    spins: Spins,
    rung: Integers,
    direction: Integers,
    ladder: Reals,
    J: float,
    h: float,
    swap_every: int,
    heat_bath_every: int,
    n_rounds: int,
    seed: int,
    round: int,
    first_chain: int,
    stream: str,
    layout: str,
    ndim: int,
    n_threads: int,
    swap_attempts: Integers,
    swap_accepts: Integers,
    round_trips: Integers,
) -> None: ...
def ising_energy(spins: Spins, J: float, h: float, out: Reals, ndim: int, n_threads: int) -> None: ...
def magnetization(spins: Spins, out: Integers, ndim: int, n_threads: int) -> None: ...
def local_field(spins: Spins, J: float, h: float, out: Reals, ndim: int, n_threads: int) -> None: ...
def random_spins(out: Spins, seed: int, first_chain: int, stream: str, ndim: int, n_threads: int) -> None: ...
def pack_spins(spins: Spins, out: Bits) -> bool: ...
def unpack_spins(bits: Bits, out: Spins) -> None: ...
def correlate_bits(bits: Bits, n_before: int, length: int, n_after: int, out: Integers) -> None: ...
def lennard_jones(
    positions: Reals,
    box: Reals,
    periodic: bool,
    epsilon: float,
    sigma: float,
    cutoff: float,
    shift: str,
    softening: float,
    precision: str,
    n_threads: int,
    energy: Reals,
    forces: Reals | None,
    virial: Reals,
) -> None: ...

class LennardJonesPlan:
    """Lists of neighbours that are kept from call to call."""

    def __init__(
        self,
        n_particles: int,
        box: Reals,
        periodic: bool,
        epsilon: float,
        sigma: float,
        cutoff: float,
        shift: str,
        softening: float,
        precision: str,
    ) -> None: ...
    def compute(self, positions: Reals, n_threads: int, energy: Reals, forces: Reals, virial: Reals) -> None: ...
    @property
    def n_lists(self) -> int: ...

def langevin_steps(
    positions: Reals,
    velocities: Reals,
    listed: Reals,
    box: Reals,
    periodic: bool,
    epsilon: float,
    sigma: float,
    cutoff: float,
    shift: str,
    softening: float,
    precision: str,
    confinement: float,
    temperature: Reals,
    timestep: float,
    friction: float,
    mass: float,
    n_steps: int,
    seed: int,
    step: int,
    first_chain: int,
    stream: str,
    n_threads: int,
    kinetic_energy: Reals,
) -> None: ...
def maxwell_velocities(
    velocities: Reals,
    periodic: bool,
    temperature: Reals,
    mass: float,
    seed: int,
    step: int,
    first_chain: int,
    stream: str,
    n_threads: int,
) -> None: ...
def neighbor_list(
    positions: Reals, box: Reals, periodic: bool, cutoff: float, half: bool, wanted: str, n_threads: int
) -> tuple[NDArray | None, ...]: ...
def pair_histogram(
    positions: Reals, box: Reals, periodic: bool, r_max: float, n_bins: int, n_threads: int, counts: Integers
) -> None: ...
def local_moves(
    positions: Reals,
    box: Reals,
    periodic: bool,
    epsilon: float,
    sigma: float,
    cutoff: float,
    shift: str,
    softening: float,
    confinement: float,
    temperature: Reals,
    step: Reals,
    n_sweeps: int,
    seed: int,
    sweep: int,
    first_chain: int,
    stream: str,
    n_threads: int,
    energy: Reals,
    accepted: Integers,
) -> None: ...

class GraphPlan:
    """The rows of a Laplacian in the order that its filters work in."""

    def __init__(self, indptr: Integers, indices: npt.NDArray[np.int32], values: Reals) -> None: ...
    @property
    def n_nodes(self) -> int: ...
    @property
    def bandwidth(self) -> int: ...
    @property
    def value_free(self) -> bool: ...
    @property
    def order(self) -> npt.NDArray[np.int32]: ...

def chebyshev_filter(
    plan: GraphPlan, lmax: float, x: list[Floats], coefficients: list[Reals], out: Floats, n_threads: int
) -> None: ...
def grid_filter(
    lengths: list[int],
    matrices: list[Floats],
    x: list[Floats],
    multipliers: list[Floats],
    out: Floats,
    n_threads: int,
) -> None: ...
def block_filter(filters: Floats, offsets: Integers, x: Floats, out: Floats, n_threads: int) -> None: ...
