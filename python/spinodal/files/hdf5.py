# SPDX-License-Identifier: BSD-3-Clause
"""Arrays and their provenance in one HDF5 file: bit-packed, chunked, checksummed, written atomically.

Layout, version 1 (HDF5 1.10 or newer reads it)::

    /                attributes format = "spinodal-samples", format_version = 1
    /provenance      (1,) JSON text
    /<name>          one dataset an array; names may hold slashes ("info/magnetization")
                     attribute encoding = "raw", or
                     encoding = "spins": int8 ±1, packed one draw after another,
                     dataset (n_chains, n_draws, n_bytes) uint8, attribute shape = the draws' own shape

Every dataset is chunked and carries Fletcher-32 checksums; the file's own structures are
checksummed by HDF5. So a damaged file is an error, never a wrong number.
"""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Iterator, Mapping
from os import PathLike
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from spinodal.files.atomic import replacing
from spinodal.files.encoding import Arrays, check_dtype
from spinodal.files.errors import FileFormatError
from spinodal.files.packing import PackedSpins, Stored, n_packed_bytes, packed_if_spins

# Bytes, also below: HDF5 keeps text of variable length in a heap that has no checksum, and can hang on a damaged one.
FORMAT = b"spinodal-samples"
VERSION = 1
_CHUNK_BYTES = 1 << 20
_BOUNDS = ("v110", "v110")  # the oldest layout in which HDF5 checksums its own structures
_READ_ERRORS = (OSError, KeyError, TypeError, ValueError, RuntimeError, MemoryError, AttributeError)


def require_h5py() -> ModuleType:
    """Return h5py.

    Raises
    ------
    ImportError
        If it is not installed, with the line that installs it.
    """
    try:
        import h5py
    except ImportError as error:
        raise ImportError("reading and writing files of samples needs h5py: pip install 'spinodal[io]'") from error
    module: ModuleType = h5py
    return module


def write(path: str | PathLike[str], arrays: Mapping[str, Stored], provenance: Mapping[str, Any]) -> None:
    """Write a file of samples; an existing one is replaced once the new one is on the disk.

    Parameters
    ----------
    path : path-like
    arrays : mapping of str to array or PackedSpins
        Arrays of numbers. Packed spins are written as they are, and an int8 array of ±1 with more than two axes
        (n_chains, n_draws, …) is packed.
    provenance : mapping
        Anything JSON can hold.
    """
    h5py = require_h5py()
    text = json.dumps(provenance).encode()
    for name, array in arrays.items():
        check_dtype(name, array)
    with replacing(Path(path)) as temporary, h5py.File(temporary, "w", libver=_BOUNDS, locking=False) as file:
        file.attrs["format"] = np.bytes_(FORMAT)
        file.attrs["format_version"] = VERSION
        file.create_dataset("provenance", data=np.array([text]), chunks=(1,), fletcher32=True)
        for name, array in arrays.items():
            stored = packed_if_spins(array, 2)
            if isinstance(stored, PackedSpins) and stored.size:
                _write_spins(file, name, stored)
            else:
                _write_raw(file, name, np.asarray(stored))


def _write_raw(file: Any, name: str, array: npt.NDArray[Any]) -> None:
    chunks = _chunks(array.shape, array.dtype.itemsize)
    # HDF5 has no chunks, and so no checksums, for an empty array.
    options = {"chunks": chunks, "fletcher32": True} if array.size else {}
    file.create_dataset(name, data=array, **options).attrs["encoding"] = np.bytes_(b"raw")


def _write_spins(file: Any, name: str, spins: PackedSpins) -> None:
    chunks = _chunks(spins.bits.shape, 1)
    dataset = file.create_dataset(name, data=spins.bits, chunks=chunks, fletcher32=True)
    dataset.attrs["encoding"] = np.bytes_(b"spins")
    dataset.attrs["shape"] = spins.lattice


def _chunks(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """Return chunks of about a MiB: the last axes whole, as far as they fit."""
    chunks = []
    room = max(1, _CHUNK_BYTES // itemsize)
    for length in reversed(shape):
        chunks.append(max(1, min(length, room)))
        room = max(1, room // chunks[-1])
    return tuple(reversed(chunks))


def read(path: str | PathLike[str]) -> tuple[Arrays, dict[str, Any]]:
    """Read a file of samples.

    Returns
    -------
    arrays : dict of str to array or PackedSpins
        Spins stay packed.
    provenance : dict

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FileFormatError
        If it is truncated, damaged, foreign or of a newer format: the path, and what is wrong.
    ImportError
        If h5py is not installed.
    """
    with _opened(Path(path)) as file:
        names: list[str] = []
        file.visit(names.append)
        datasets = {name: file[name] for name in names if name != "provenance" and hasattr(file[name], "dtype")}
        return {name: _read_dataset(name, dataset) for name, dataset in datasets.items()}, _read_provenance(file)


def read_provenance(path: str | PathLike[str]) -> dict[str, Any]:
    """Read the provenance alone; raises what :func:`read` raises."""
    with _opened(Path(path)) as file:
        return _read_provenance(file)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open a file of samples; what goes wrong inside is a FileFormatError."""
    h5py = require_h5py()
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file of samples")
    try:
        with h5py.File(path, "r", locking=False) as file:
            _check_format(path, file)
            yield file
    except FileFormatError:
        raise
    except _READ_ERRORS as error:
        raise FileFormatError(path, _explain(path, error)) from error


def _check_format(path: Path, file: Any) -> None:
    if file.attrs.get("format") != FORMAT:
        raise FileFormatError(path, "an HDF5 file, but not one of samples: it has no format attribute of spinodal")
    version = int(file.attrs["format_version"])
    if version > VERSION:
        raise FileFormatError(path, f"written by a newer spinodal: format {version}, this one reads up to {VERSION}")


def _read_provenance(file: Any) -> dict[str, Any]:
    provenance: dict[str, Any] = json.loads(file["provenance"][0])
    return provenance


def _read_dataset(name: str, dataset: Any) -> Stored:
    # A dataset whose chunks were lost would read as zeros, or ask for memory that no file can fill.
    if dataset.size and dataset.id.get_storage_size() < dataset.nbytes:
        raise ValueError(f"dataset {name!r} is incomplete")
    array: npt.NDArray[Any] = dataset[()]
    if dataset.attrs["encoding"] == b"raw":
        return array
    shape = tuple(int(length) for length in dataset.attrs["shape"])
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != n_packed_bytes(math.prod(shape)):
        raise ValueError(f"dataset {name!r} does not hold spins of shape {shape}")
    return PackedSpins(array, shape)


def _explain(path: Path, error: Exception) -> str:
    with path.open("rb") as file:
        head = file.read(8)
    if head != b"\x89HDF\r\n\x1a\n":
        return "not an HDF5 file" if head else "the file is empty"
    return f"truncated or damaged: {error}"
