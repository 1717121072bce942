# SPDX-License-Identifier: BSD-3-Clause
"""Checksummed records end to end in a file: what a killed writer left is whole records and a torn tail.

One record is ``magic (4 bytes) · kind (4) · payload length (8) · CRC-32 (4) · payload``, little-endian;
the checksum covers kind, length and payload.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import BinaryIO, NamedTuple

_MAGIC = b"SPrc"
_HEAD = struct.Struct("<4s4sQI")
_SUMMED = struct.Struct("<4sQ")


class Record(NamedTuple):
    """A whole record, and where it ends in the file."""

    kind: bytes
    payload: bytes
    end: int


def write_record(file: io.FileIO, kind: bytes, pieces: Sequence[bytes | memoryview]) -> None:
    """Hand a record whose payload is ``pieces`` joined to the operating system."""
    length = sum(len(piece) for piece in pieces)
    checksum = zlib.crc32(_SUMMED.pack(kind, length))
    for piece in pieces:
        checksum = zlib.crc32(piece, checksum)
    for piece in (_HEAD.pack(_MAGIC, kind, length, checksum), *pieces):
        rest = memoryview(piece)
        while rest:
            rest = rest[file.write(rest) :]


def read_records(file: BinaryIO, size: int) -> Iterator[Record]:
    """Yield the records from the file's position on, up to the first that is not whole.

    Parameters
    ----------
    file : binary file
    size : int
        The file's length in bytes.
    """
    end = file.tell()
    while True:
        head = file.read(_HEAD.size)
        if len(head) < _HEAD.size:
            return
        magic, kind, length, checksum = _HEAD.unpack(head)
        if magic != _MAGIC or length > size - end - _HEAD.size:
            return
        payload = file.read(length)
        if len(payload) < length or zlib.crc32(payload, zlib.crc32(_SUMMED.pack(kind, length))) != checksum:
            return
        end += _HEAD.size + length
        yield Record(kind, payload, end)


def is_torn_record(start: bytes, size: int) -> bool:
    """Tell whether a file of ``size`` bytes is a first record that its writer did not finish.

    Parameters
    ----------
    start : bytes
        The file's first bytes, at least 20 where it has them.
    size : int
    """
    if len(start) < _HEAD.size:
        return start[:4] == _MAGIC[: len(start)]
    magic, _, length, _ = _HEAD.unpack_from(start)
    return bool(magic == _MAGIC and size < _HEAD.size + length)
