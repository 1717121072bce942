# SPDX-License-Identifier: BSD-3-Clause
"""Extended XYZ: a count, a line of key=value, and a row of columns for each particle; frame after frame.

Numbers are written so that they read back with the same bits. Plain XYZ and the configurations that NIST publishes
(box, count, rows) are read too.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spinodal.files.atomic import replacing
from spinodal.files.errors import FileFormatError
from spinodal.files.trajectories import FloatArray, Trajectory

_PAIR = re.compile(r"""([A-Za-z_][\w.-]*)=("[^"]*"|'[^']*'|\S+)""")
_VECTORS = {"pos": "positions", "velo": "velocities", "vel": "velocities", "momenta": "", "forces": "forces"}
_WRITTEN = {"velocities": "velo", "forces": "forces"}
_ELSEWHERE = {"virial": "virial_trace"}  # other programs take a virial for a tensor
_PLAIN = "species:S:1:pos:R:3"


def write(path: Path, trajectory: Trajectory) -> None:
    """Write all frames, the species of every particle X."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        for frame in range(trajectory.n_frames):
            file.writelines(f"{line}\n" for line in _lines(trajectory, frame))


def _lines(trajectory: Trajectory, frame: int) -> Iterator[str]:
    columns = [_in_space(trajectory.positions[frame])]
    properties = _PLAIN
    for name, short in _WRITTEN.items():
        values = getattr(trajectory, name)
        if values is not None:
            columns.append(_in_space(values[frame]))
            properties += f":{short}:R:3"
    yield str(len(columns[0]))
    scalars = {_ELSEWHERE.get(name, name): repr(float(x[frame])) for name, x in trajectory.scalars.items()}
    pairs = {**_cell(trajectory, frame), "Properties": properties, **scalars}
    yield " ".join(f"{key}={value}" for key, value in pairs.items())
    for row in np.concatenate(columns, axis=1).tolist():
        yield "X " + " ".join(map(repr, row))


def _cell(trajectory: Trajectory, frame: int) -> dict[str, str]:
    flat = {"dimensions": "2"} if trajectory.dim == 2 else {}
    box = trajectory.box_of(frame)
    if box is None:
        return {**flat, "pbc": '"F F F"'}
    lengths = [*box.tolist(), 1.0][:3]
    lattice = " ".join(repr(v) for v in np.diag(lengths).ravel().tolist())
    return {"Lattice": f'"{lattice}"', "pbc": '"T T F"' if flat else '"T T T"', **flat}


def _in_space(values: FloatArray) -> FloatArray:
    """Return vectors with three components."""
    return np.pad(values, ((0, 0), (0, 3 - values.shape[1])))


def read(path: Path) -> Trajectory:
    """Read all frames; every one needs the same number of particles."""
    lines = path.read_text(encoding="utf-8").split("\n")
    try:
        frames = [_nist(lines)] if _is_nist(lines) else list(_frames(lines))
    except (ValueError, IndexError) as error:
        raise FileFormatError(path, f"it is not XYZ: {error}") from error
    if not frames:
        raise FileFormatError(path, "it is not XYZ: it has no frame")
    counts = {frame.vectors["positions"].shape for frame in frames}
    if len(counts) > 1 or len({frame.pairs.get("dimensions") for frame in frames}) > 1:
        raise FileFormatError(path, f"its frames differ in the number of particles: {sorted(c[0] for c in counts)}")
    return _joined(frames)


@dataclass(frozen=True)
class _Frame:
    vectors: Mapping[str, FloatArray]
    pairs: Mapping[str, str]
    box: FloatArray | None


def _frames(lines: list[str]) -> Iterator[_Frame]:
    at = 0
    while at < len(lines):
        if not lines[at].strip():
            at += 1
            continue
        n = int(lines[at])
        rows = lines[at + 2 : at + 2 + n]
        if n < 1 or len(rows) < n:
            raise ValueError(f"line {at + 1} announces {n} particles, {len(rows)} lines follow")
        pairs = {key: value.strip("\"'") for key, value in _PAIR.findall(lines[at + 1])}
        yield _Frame(_columns(pairs.get("Properties", _PLAIN), rows, at + 3), pairs, _box(pairs))
        at += 2 + n


def _columns(properties: str, rows: list[str], first_line: int) -> dict[str, FloatArray]:
    """Return the columns that are vectors, by name."""
    found: dict[str, FloatArray] = {}
    words = [row.split() for row in rows]
    fields, column = properties.split(":"), 0
    for name, width in zip(fields[::3], map(int, fields[2::3]), strict=True):
        if _VECTORS.get(name) and width == 3:
            for line, row in enumerate(words, first_line):
                if len(row) < column + 3:
                    raise ValueError(f"line {line} has {len(row)} columns, fewer than {column + 3}")
            found[_VECTORS[name]] = np.array([row[column : column + 3] for row in words], dtype=np.float64)
        column += width
    if "positions" not in found:
        raise ValueError(f"Properties={properties} has no pos:R:3")
    return found


def _box(pairs: Mapping[str, str]) -> FloatArray | None:
    """Return the lengths of a rectangular cell; None where nothing is periodic."""
    if "Lattice" not in pairs or set(pairs.get("pbc", "T").upper().replace("TRUE", "T").split()) <= {"F", "FALSE"}:
        return None
    cell = np.array(pairs["Lattice"].split(), dtype=np.float64).reshape(3, 3)
    if (cell != np.diag(np.diag(cell))).any():
        raise ValueError(f"the cell {pairs['Lattice']} is not rectangular along the axes")
    lengths: FloatArray = np.diag(cell).copy()
    return lengths


def _joined(frames: list[_Frame]) -> Trajectory:
    dim = int(frames[0].pairs.get("dimensions", 3))
    shared = set.intersection(*(set(frame.vectors) for frame in frames))
    vectors = {name: np.stack([frame.vectors[name][:, :dim] for frame in frames]) for name in shared}
    boxes = [frame.box for frame in frames]
    given = [box[:dim] for box in boxes if box is not None]
    box = None if len(given) < len(frames) else np.stack(given)
    if box is not None and (box == box[0]).all():
        box = box[0]
    names = set.intersection(*(set(frame.pairs) for frame in frames)) - {"Lattice", "Properties", "pbc", "dimensions"}
    scalars = {}
    for name in sorted(names):
        try:
            scalars[name] = np.array([frame.pairs[name] for frame in frames], dtype=np.float64)
        except ValueError:  # a text, not a number
            continue
    ours = {elsewhere: name for name, elsewhere in _ELSEWHERE.items()}
    return Trajectory(box=box, scalars={ours.get(name, name): x for name, x in scalars.items()}, **vectors)


def _is_nist(lines: list[str]) -> bool:
    head = [line.split() for line in lines[:2]]
    return len(head) == 2 and len(head[0]) == 3 and len(head[1]) == 1


def _nist(lines: list[str]) -> _Frame:
    box, n = np.array(lines[0].split(), dtype=np.float64), int(lines[1])
    rows = list(itertools.takewhile(str.strip, lines[2:]))
    if len(rows) != n:
        raise ValueError(f"line 2 announces {n} particles, {len(rows)} lines follow")
    return _Frame(_columns(_PLAIN, rows, 3), {}, box)
