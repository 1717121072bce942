# SPDX-License-Identifier: BSD-3-Clause
"""Samples: what a run returns, analysis takes, and files hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from spinodal.files.packing import PackedSpins, Stored, packed_if_spins

if TYPE_CHECKING:
    import xarray

    from spinodal.analysis import Estimate

Array = npt.NDArray[Any]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False, init=False)
class Samples:
    """Draws of many chains, with what was measured on them and how they were made.

    All arrays are read-only; ``np.array(samples.energy)`` is a copy to write to. Spins are held as bits, one a
    site: ``packed_draws`` has them. ``draws`` unpacks them all when it is first asked for, and keeps the array, eight
    times as large; walk over large ones with ``samples.packed_draws[chain].unpack()``.

    Parameters
    ----------
    draws : array or PackedSpins, shape (n_chains, n_draws, …), or None
        Configurations; an int8 array of ±1 is packed. None if they were not kept; shape (n_chains, 1, …) if
        only the last were (``provenance["keep_draws"] == "last"``).
    energy : float64 array, shape (n_chains, n_draws)
        Total energy of each draw, in the units of the model's coupling.
    temperature : float64 array, shape (n_chains,)
        In units of energy: k_B = 1.
    log_weights : float64 array, shape (n_chains, n_draws), or None
        Natural logarithm of the importance weights; None for equal weights.
    info : mapping of str to array, shape (n_chains, n_draws)
        Per-draw scalars: "magnetization" (total) where the system has it, and the sampler's diagnostics,
        summed over the steps since the draw before.
    provenance : mapping
        How the samples were made: system, sampler, seed, steps, version, conventions. JSON can hold it.

    Raises
    ------
    ValueError
        If the shapes disagree.
    """

    draws: Array | None
    energy: FloatArray
    temperature: FloatArray
    log_weights: FloatArray | None
    info: Mapping[str, Array]
    provenance: Mapping[str, Any]
    _configurations: Stored | None = field(init=False)  # the draws as they are held

    def __init__(
        self,
        draws: Stored | None,
        energy: FloatArray,
        temperature: FloatArray,
        log_weights: FloatArray | None = None,
        info: Mapping[str, Array] | None = None,
        provenance: Mapping[str, Any] | None = None,
    ) -> None:
        # A frozen dataclass fills its own fields through object.
        object.__setattr__(self, "_configurations", _read_only_draws(draws))
        if draws is None:
            object.__setattr__(self, "draws", None)
        object.__setattr__(self, "energy", _read_only(energy, np.float64))
        object.__setattr__(self, "temperature", _read_only(temperature, np.float64))
        object.__setattr__(self, "log_weights", _read_only(log_weights, np.float64))
        object.__setattr__(self, "info", {name: _read_only(values) for name, values in (info or {}).items()})
        object.__setattr__(self, "provenance", dict(provenance or {}))
        self._check_shapes()

    def _check_shapes(self) -> None:
        if self.energy.ndim != 2:
            raise ValueError(f"energy must have shape (n_chains, n_draws); got {self.energy.shape}")
        _check_shape("temperature", self.temperature, self.energy.shape[:1])
        _check_shape("log_weights", self.log_weights, self.energy.shape)
        for name, values in self.info.items():
            _check_shape(f"info[{name!r}]", values, self.energy.shape)
        draws = self._configurations
        if draws is not None:
            _check_shape("draws", draws, (self.n_chains, 1 if self._only_last else self.n_draws, *draws.shape[2:]))

    def __reduce__(self) -> tuple[type[Samples], tuple[Any, ...]]:
        # Through the constructor, so that unpickled arrays are read-only too; and packed, so that pickles are small.
        weights_and_more = (self.log_weights, self.info, self.provenance)
        return Samples, (self._configurations, self.energy, self.temperature, *weights_and_more)

    if not TYPE_CHECKING:  # to a type checker, ``draws`` is a field like the others

        def __getattr__(self, name: str) -> Array:
            # Kept: a loop over ``samples.draws[chain]`` would otherwise unpack all of them again and again.
            if name != "draws" or "_configurations" not in self.__dict__:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            return self.__dict__.setdefault("draws", _read_only(np.asarray(self._configurations)))

    @property
    def packed_draws(self) -> PackedSpins | None:
        """Spins as they are held, a bit a site; None if draws were not kept, or are not spins ±1.

        ``packed_draws[chain, draw]`` is packed too, ``.unpack()`` makes it an array, ``.bits`` are the bytes. The
        functions of `spinodal.analysis` take packed draws, and unpack a few at a time.
        """
        return self._configurations if isinstance(self._configurations, PackedSpins) else None

    @property
    def n_kept(self) -> int:
        """Number of draws of each chain whose configurations were kept."""
        return 0 if self._configurations is None else int(self._configurations.shape[1])

    @property
    def n_chains(self) -> int:
        """Number of chains."""
        return int(self.energy.shape[0])

    @property
    def n_draws(self) -> int:
        """Number of draws of each chain."""
        return int(self.energy.shape[1])

    @property
    def temperatures(self) -> FloatArray:
        """The distinct temperatures, sorted."""
        return np.unique(self.temperature)

    @property
    def _only_last(self) -> bool:
        return bool(self.provenance.get("keep_draws") == "last")

    def observable(self, name: str) -> FloatArray:
        """Return an observable of every draw, shape (n_chains, n_draws).

        Parameters
        ----------
        name : str
            One of `spinodal.analysis.observables`, "energy_per_site" for example.
        """
        from spinodal.analysis import observable

        return observable(self, name)

    def estimate(self, name: str) -> Estimate:
        """Return an observable's mean over all draws, with its error bar and whether to trust it.

        Parameters
        ----------
        name : str
            "energy_per_site", "abs_magnetization", "binder_cumulant", …; see `spinodal.analysis`.

        Raises
        ------
        ValueError
            If the chains have several temperatures: :meth:`select` one.
        """
        from spinodal.analysis import estimate_observable

        return estimate_observable(self, name)

    def select(self, *, temperature: float) -> Samples:
        """Return the chains at one temperature (within a relative 1e-9).

        Raises
        ------
        ValueError
            If there is none; the message lists those there are.
        """
        chains = np.flatnonzero(np.isclose(self.temperature, temperature, rtol=1e-9, atol=0.0))
        if chains.size == 0:
            raise ValueError(f"no chain at temperature {temperature:g}; there are {self.temperatures.tolist()}")
        return Samples.from_arrays({name: array[chains] for name, array in self._stored().items()}, self.provenance)

    @staticmethod
    def concatenate(parts: Sequence[Samples]) -> Samples:
        """Join the chains of several samples of one system, in order.

        The joint provenance holds what all agree on, and the parts' own under "parts".

        Raises
        ------
        ValueError
            If there is no part, or they differ in system, number of draws or what was recorded.
        """
        arrays = [part._stored() for part in parts]
        if not arrays:
            raise ValueError("nothing to concatenate")
        for part, other in zip(parts, arrays, strict=True):
            if part.provenance.get("system") != parts[0].provenance.get("system"):
                raise ValueError("samples of different systems cannot be concatenated")
            if part._only_last != parts[0]._only_last or dict(_layout(other)) != dict(_layout(arrays[0])):
                raise ValueError("samples with different numbers of draws, or other records, cannot be concatenated")
        joined = {name: _concatenate([each[name] for each in arrays]) for name in arrays[0]}
        return Samples.from_arrays(joined, _joint_provenance([part.provenance for part in parts]))

    def arrays(self) -> dict[str, Array]:
        """Return every array under the name it has in files: "draws", "energy", …, "info/magnetization"."""
        stored = self._stored()
        if self.draws is not None:
            stored["draws"] = self.draws
        return {name: np.asarray(array) for name, array in stored.items()}

    def _stored(self) -> dict[str, Stored]:
        """Return :meth:`arrays` with the draws as they are held."""
        named = {"draws": self._configurations, "energy": self.energy, "temperature": self.temperature}
        named |= {"log_weights": self.log_weights} | {f"info/{name}": values for name, values in self.info.items()}
        return {name: array for name, array in named.items() if array is not None}

    @staticmethod
    def from_arrays(arrays: Mapping[str, Stored], provenance: Mapping[str, Any]) -> Samples:
        """Undo :meth:`arrays`; the draws may be packed."""
        others = {name: np.asarray(array) for name, array in arrays.items() if name != "draws"}
        return Samples(
            draws=arrays.get("draws"),
            energy=others["energy"],
            temperature=others["temperature"],
            log_weights=others.get("log_weights"),
            info={name.removeprefix("info/"): values for name, values in others.items() if name.startswith("info/")},
            provenance=provenance,
        )

    def save(self, path: str | PathLike[str]) -> None:
        """Write the samples to an HDF5 file, bit-packed and checksummed; an existing file is replaced.

        The file appears whole or not at all, also if the process is killed or the power fails.

        Raises
        ------
        ImportError
            If h5py is not installed.
        """
        from spinodal.files import hdf5

        hdf5.write(path, self._stored(), self.provenance)

    def to_xarray(self) -> xarray.Dataset:
        """Return a dataset with dimensions ``chain, draw, …``, as ArviZ takes it for a posterior group.

        Lattices have the dimensions ``y, x`` or ``z, y, x``. The temperature is a coordinate of the chain;
        the provenance is the attribute "provenance", in JSON. Where only the last draws were kept, they are
        the variable "last_draw", without the dimension ``draw``.

        Raises
        ------
        ImportError
            If xarray is not installed.
        """
        from spinodal.files.labelled import to_xarray

        return to_xarray(self.arrays(), self.provenance)

    def __repr__(self) -> str:
        kept = " (draws not kept)" if self._configurations is None else " (last draws kept)" if self._only_last else ""
        size = f"{self.n_chains} chains × {self.n_draws} draws{kept}"
        low_high = [f"{value:g}" for value in (self.temperatures[[0, -1]] if self.n_chains else ())]
        unfinished = ["incomplete"] if self.provenance.get("complete") is False else []
        parts = [*_origin(self.provenance), size, "T = " + " … ".join(dict.fromkeys(low_high)), *unfinished]
        return f"Samples({'; '.join(parts)}; total energies, k_B = 1)"


def load(path: str | PathLike[str]) -> Samples:
    """Read samples from a file of :meth:`Samples.save` or of a run's checkpoint.

    If the run that writes ``path`` has not finished, the samples are those written so far, with
    ``provenance["complete"]`` False; the run may go on meanwhile.

    Raises
    ------
    FileNotFoundError
        If there is neither the file nor a journal of a run.
    FileFormatError
        If it is truncated, damaged, foreign or of a newer format (a ValueError).
    ImportError
        If h5py is not installed.
    """
    from spinodal.files import FileFormatError, hdf5
    from spinodal.files.unfinished import read_unfinished

    path = Path(path)
    contents = None if path.exists() else read_unfinished(path)
    if contents is None:
        # No journal either: there is nothing, or the run ended and removed its journal between the two looks.
        contents = hdf5.read(path)
    try:
        return Samples.from_arrays(*contents)
    except (KeyError, ValueError) as error:
        raise FileFormatError(path, f"its arrays are not those of samples: {error}") from error


def _read_only(values: npt.ArrayLike | None, dtype: npt.DTypeLike | None = None) -> Array | None:
    if values is None:
        return None
    view = np.asarray(values, dtype).view()
    view.flags.writeable = False
    return view


def _read_only_draws(draws: Stored | None) -> Stored | None:
    if draws is None:
        return None
    stored = packed_if_spins(draws if isinstance(draws, PackedSpins) else np.asarray(draws), 2)
    return stored.read_only() if isinstance(stored, PackedSpins) else _read_only(stored)


def _concatenate(parts: Sequence[Stored]) -> Stored:
    packed = [part for part in parts if isinstance(part, PackedSpins)]
    if len(packed) == len(parts):
        return PackedSpins.concatenate(packed)
    return np.concatenate([np.asarray(part) for part in parts])


def _check_shape(name: str, values: Stored | None, shape: tuple[int, ...]) -> None:
    if values is not None and values.shape != shape:
        raise ValueError(f"{name} must have shape {shape}; got {values.shape}")


def _layout(arrays: Mapping[str, Stored]) -> Iterator[tuple[str, tuple[Any, ...]]]:
    return ((name, (array.shape[1:], array.dtype)) for name, array in arrays.items())


def _joint_provenance(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    common = {key: value for key, value in parts[0].items() if all(part.get(key) == value for part in parts)}
    complete = all(part.get("complete", True) for part in parts)
    return {**common, "complete": complete, "parts": [dict(part) for part in parts]}


def _origin(provenance: Mapping[str, Any]) -> Iterator[str]:
    """Yield system, method and seed, as far as they are known."""
    system = dict(provenance.get("system", {}))
    if system:
        shape = "×".join(str(length) for length in system.pop("shape", ()))
        kind = str(system.pop("kind", "system"))
        numbers = ", ".join(f"{key} = {value:g}" for key, value in system.items() if isinstance(value, int | float))
        yield f"{kind} {shape}, {numbers}".replace(" ,", ",").strip(", ")
    if "method" in provenance.get("sampler", {}):
        yield str(provenance["sampler"]["method"])
    if "seed" in provenance:
        yield f"seed {provenance['seed']}"
