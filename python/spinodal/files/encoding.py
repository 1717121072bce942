# SPDX-License-Identifier: BSD-3-Clause
"""Named arrays as bytes: a JSON table, then the arrays end to end; spins as bits. Never a pickle."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from spinodal.files.packing import PackedSpins, Stored, n_packed_bytes, pack_spins, unpack_spins

Arrays = dict[str, Stored]
_TABLE_LENGTH = struct.Struct("<Q")
_KINDS = "biufc"


def check_dtype(name: str, array: Stored) -> None:
    """Refuse an array that a file cannot hold: objects, strings, records.

    Raises
    ------
    TypeError
        If the array's elements are not numbers.
    """
    if array.dtype.kind not in _KINDS:
        raise TypeError(f"{name} has dtype {array.dtype}: only arrays of numbers can be stored")


def encode(meta: Mapping[str, Any], arrays: Mapping[str, Stored]) -> list[bytes | memoryview]:
    """Return the pieces that, joined, :func:`decode` reads back.

    Parameters
    ----------
    meta : mapping
        Anything JSON can hold.
    arrays : mapping of str to array or PackedSpins
        Arrays of numbers; little-endian in the file. An int8 array of ±1 takes one bit a value; packed spins are
        written and read as they are.
    """
    table, pieces = [], []
    for name, array in arrays.items():
        check_dtype(name, array)
        entry, piece = _encode_array(array)
        table.append({"name": name, "dtype": array.dtype.str, "shape": array.shape, **entry})
        pieces.append(np.ascontiguousarray(piece).reshape(-1).view(np.uint8).data)
    text = json.dumps({"meta": meta, "arrays": table}).encode()
    return [_TABLE_LENGTH.pack(len(text)), text, *pieces]


def _encode_array(array: Stored) -> tuple[dict[str, Any], npt.NDArray[Any]]:
    if isinstance(array, PackedSpins):
        return {"bits": True, "lattice": array.lattice}, array.bits
    bits = pack_spins(array.reshape(-1))
    return {"bits": bits is not None}, array.astype(array.dtype.newbyteorder("<"), copy=False) if bits is None else bits


def decode(data: bytes) -> tuple[dict[str, Any], Arrays]:
    """Return the meta data and the arrays of :func:`encode`'s bytes.

    Raises
    ------
    ValueError
        If the bytes are not such.
    """
    try:
        (length,) = _TABLE_LENGTH.unpack_from(data)
        position = _TABLE_LENGTH.size + length
        header = json.loads(data[_TABLE_LENGTH.size : position])
        arrays: Arrays = {}
        for entry in header["arrays"]:
            arrays[entry["name"]], position = _decode_array(data, position, entry)
    except (struct.error, KeyError, TypeError, UnicodeDecodeError) as error:
        raise ValueError(f"not a table of arrays: {error}") from error
    return header["meta"], arrays


def _decode_array(data: bytes, position: int, entry: Mapping[str, Any]) -> tuple[Stored, int]:
    dtype, shape = np.dtype(entry["dtype"]), tuple(entry["shape"])
    if dtype.kind not in _KINDS:
        raise ValueError(f"{entry['name']} has dtype {dtype}")
    size = math.prod(shape)
    if "lattice" in entry:
        return _decode_packed(data, position, shape, tuple(entry["lattice"]))
    if entry["bits"]:
        n_bytes = n_packed_bytes(size)
        array: npt.NDArray[Any] = unpack_spins(np.frombuffer(data, np.uint8, n_bytes, position), size)
    else:
        n_bytes = size * dtype.itemsize
        array = np.frombuffer(data, dtype.newbyteorder("<"), size, position).astype(dtype)
    return array.reshape(shape), position + n_bytes


def _decode_packed(
    data: bytes, position: int, shape: tuple[int, ...], lattice: tuple[int, ...]
) -> tuple[PackedSpins, int]:
    leading = shape[: len(shape) - len(lattice)]
    bits_shape = (*leading, n_packed_bytes(math.prod(lattice)))
    bits = np.frombuffer(data, np.uint8, math.prod(bits_shape), position).reshape(bits_shape)
    return PackedSpins(bits.copy(), lattice), position + bits.size
