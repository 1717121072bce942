# SPDX-License-Identifier: BSD-3-Clause
"""What analysis takes in: arrays of shape (n_chains, n_draws), and anything that looks like ``Samples``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from spinodal.files.packing import PackedSpins

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
AnyArray = npt.NDArray[Any]
Draws = AnyArray | PackedSpins
CHUNK = 1 << 19  # sites handled at once: 4 MB of float64, near the cache whatever the number of draws


class SamplesLike(Protocol):
    """The fields of ``spinodal.Samples`` that analysis reads.

    Where there is an attribute ``packed_draws`` that is not None, it is read in place of ``draws``.
    """

    @property
    def draws(self) -> AnyArray | None:
        """Configurations, shape (n_chains, n_draws, *lattice), or None when they were not kept."""
        ...

    @property
    def energy(self) -> AnyArray:
        """Total energy, shape (n_chains, n_draws)."""
        ...

    @property
    def temperature(self) -> AnyArray:
        """Temperature of each chain, shape (n_chains,)."""
        ...

    @property
    def log_weights(self) -> AnyArray | None:
        """Log importance weights, shape (n_chains, n_draws), or None when all are equal."""
        ...

    @property
    def info(self) -> Mapping[str, AnyArray]:
        """Per-draw scalars by name, each of shape (n_chains, n_draws)."""
        ...

    @property
    def provenance(self) -> Mapping[str, Any]:
        """How the samples were made; ``provenance["system"]["shape"]`` is the lattice."""
        ...


@dataclass(frozen=True)
class ChainSelection:
    """Some chains of a ``Samples``: views where the chains are evenly spaced."""

    configurations: Draws | None
    energy: AnyArray
    temperature: AnyArray
    log_weights: AnyArray | None
    info: Mapping[str, AnyArray]
    provenance: Mapping[str, Any]

    @property
    def draws(self) -> AnyArray | None:
        """Configurations as an array; spins are unpacked at each access."""
        return None if self.configurations is None else np.asarray(self.configurations)

    @property
    def packed_draws(self) -> PackedSpins | None:
        """Spins as bits, where they are held so."""
        return self.configurations if isinstance(self.configurations, PackedSpins) else None


def configurations(samples: SamplesLike) -> Draws | None:
    """Return the draws in the form they are held in, None if they were not kept."""
    packed: PackedSpins | None = getattr(samples, "packed_draws", None)
    return samples.draws if packed is None else packed


def as_draws(draws: npt.ArrayLike) -> Draws:
    """Return draws as an array; packed ones as they are."""
    return draws if isinstance(draws, PackedSpins) else np.asarray(draws)


def over_draws(draws: Draws, function: Callable[[AnyArray], FloatArray]) -> FloatArray:
    """Return ``function(array)`` of draws (n_chains, n_draws, *lattice), which reduces the axes of the lattice.

    Packed draws are handed over some at a time: the array of them all need not fit into memory.
    """
    if not isinstance(draws, PackedSpins):
        return function(draws)
    flat = draws.flattened()
    step = max(1, CHUNK // max(1, draws.n_sites))
    parts = [function(flat[start : start + step].unpack()) for start in range(0, max(1, len(flat)), step)]
    return np.concatenate(parts).reshape(draws.shape[:2])


def as_chains(x: npt.ArrayLike, name: str = "x") -> FloatArray:
    """Return ``x`` as float64 of shape (n_chains, n_draws); one dimension is one chain.

    Raises
    ------
    ValueError
        If ``x`` is empty, complex, or has more than two dimensions.
    """
    array = np.asarray(x)
    if array.ndim == 1:
        array = array[np.newaxis]
    if array.ndim != 2 or array.size == 0 or np.iscomplexobj(array):
        raise ValueError(f"{name} must be real, of shape (n_chains, n_draws); got {array.dtype} {np.shape(x)}")
    return array.astype(np.float64, copy=False)


def is_constant(x: FloatArray) -> bool:
    """Return whether finite values do not vary, or by so little that their variance underflows."""
    return bool(np.ptp(x) == 0.0 or x.var() == 0.0)


def as_log_weights(log_weights: npt.ArrayLike, shape: tuple[int, ...]) -> FloatArray:
    """Return log weights as float64 of ``shape``, which is that of the series they belong to."""
    array = as_chains(log_weights, "log_weights")
    if array.shape != shape:
        raise ValueError(f"log_weights have shape {array.shape}; the series have {shape}")
    return array


def n_sites(samples: SamplesLike) -> int:
    """Return the number of particles the provenance has, else of lattice sites, from the draws or the provenance."""
    system = (getattr(samples, "provenance", None) or {}).get("system") or {}
    if "n_particles" in system:
        return int(system["n_particles"])
    return int(np.prod(lattice_shape(samples)))


def lattice_shape(samples: SamplesLike) -> tuple[int, ...]:
    """Return the lattice's lengths, from the draws or else from the provenance."""
    draws = configurations(samples)
    if draws is not None:
        return tuple(int(length) for length in draws.shape[2:])
    try:
        return tuple(int(length) for length in samples.provenance["system"]["shape"])
    except (KeyError, TypeError) as error:
        raise ValueError("samples have neither draws nor provenance['system']['shape']") from error


def temperatures(samples: SamplesLike) -> FloatArray:
    """Return the distinct temperatures, sorted."""
    return np.unique(np.asarray(samples.temperature, dtype=np.float64))


def one_temperature(samples: SamplesLike) -> float:
    """Return the temperature that all chains share.

    Raises
    ------
    ValueError
        If the chains have several: averages over them have no meaning.
    """
    found = temperatures(samples)
    if found.size != 1:
        raise ValueError(
            f"samples hold {found.size} temperatures, {found[0]:g} to {found[-1]:g}: select one with temperature="
        )
    return float(found[0])


def at_temperature(samples: SamplesLike, temperature: float) -> SamplesLike:
    """Return the chains at one temperature (nearest, within a relative 1e-9)."""
    values = np.asarray(samples.temperature, dtype=np.float64)
    chains = np.flatnonzero(np.isclose(values, temperature, rtol=1e-9, atol=0.0))
    if chains.size == 0:
        raise ValueError(f"no chain at temperature {temperature:g}; there are {np.unique(values).tolist()}")
    if chains.size == values.size:
        return samples
    index = _slice_if_even(chains)
    draws = configurations(samples)
    return ChainSelection(
        configurations=None if draws is None else draws[index],
        energy=samples.energy[index],
        temperature=values[index],
        log_weights=None if samples.log_weights is None else samples.log_weights[index],
        info={name: value[index] for name, value in samples.info.items()},
        provenance=samples.provenance,
    )


def _slice_if_even(chains: npt.NDArray[np.intp]) -> slice | npt.NDArray[np.intp]:
    steps = np.unique(np.diff(chains))
    if steps.size > 1:
        return chains
    step = int(steps[0]) if steps.size else 1
    return slice(int(chains[0]), int(chains[-1]) + 1, step)
