# SPDX-License-Identifier: BSD-3-Clause
"""Named arrays as bytes: a JSON table, then the arrays end to end; arrays of ±1 as bits. Never a pickle."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from spinodal.files.packing import n_packed_bytes, pack_spins, unpack_spins

Arrays = dict[str, npt.NDArray[Any]]
_TABLE_LENGTH = struct.Struct("<Q")
_KINDS = "biufc"


def check_dtype(name: str, array: npt.NDArray[Any]) -> None:
    """Refuse an array that a file cannot hold: objects, strings, records.

    Raises
    ------
    TypeError
        If the array's elements are not numbers.
    """
    if array.dtype.kind not in _KINDS:
        raise TypeError(f"{name} has dtype {array.dtype}: only arrays of numbers can be stored")


def encode(meta: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> list[bytes | memoryview]:
    """Return the pieces that, joined, :func:`decode` reads back.

    Parameters
    ----------
    meta : mapping
        Anything JSON can hold.
    arrays : mapping of str to array
        Arrays of numbers; little-endian in the file. An int8 array of ±1 takes one bit a value.
    """
    table, pieces = [], []
    for name, array in arrays.items():
        check_dtype(name, array)
        bits = pack_spins(array.reshape(-1))
        stored = bits if bits is not None else np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        table.append({"name": name, "dtype": array.dtype.str, "shape": array.shape, "bits": bits is not None})
        pieces.append(stored.reshape(-1).view(np.uint8).data)
    text = json.dumps({"meta": meta, "arrays": table}).encode()
    return [_TABLE_LENGTH.pack(len(text)), text, *pieces]


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
        arrays = {}
        for entry in header["arrays"]:
            arrays[entry["name"]], position = _decode_array(data, position, entry)
    except (struct.error, KeyError, TypeError, UnicodeDecodeError) as error:
        raise ValueError(f"not a table of arrays: {error}") from error
    return header["meta"], arrays


def _decode_array(data: bytes, position: int, entry: Mapping[str, Any]) -> tuple[npt.NDArray[Any], int]:
    dtype, shape = np.dtype(entry["dtype"]), tuple(entry["shape"])
    if dtype.kind not in _KINDS:
        raise ValueError(f"{entry['name']} has dtype {dtype}")
    size = math.prod(shape)
    if entry["bits"]:
        n_bytes = n_packed_bytes(size)
        array: npt.NDArray[Any] = unpack_spins(np.frombuffer(data, np.uint8, n_bytes, position), size)
    else:
        n_bytes = size * dtype.itemsize
        array = np.frombuffer(data, dtype.newbyteorder("<"), size, position).astype(dtype)
    return array.reshape(shape), position + n_bytes
