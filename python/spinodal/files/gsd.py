# SPDX-License-Identifier: BSD-3-Clause
"""GSD, the format of HOOMD-blue, which OVITO and freud read.

Its own positions and box are in single precision, the box centred on 0; those in double precision are beside them, as
logs of the frame, and are what is read back where they are there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from spinodal.files.atomic import replacing
from spinodal.files.errors import FileFormatError
from spinodal.files.trajectories import FloatArray, Trajectory

_EXACT, _EXACT_BOX = "particles/positions", "configuration/lengths"


def _library() -> Any:
    try:
        import gsd.hoomd
    except ImportError as error:
        raise ImportError("GSD files need gsd: pip install 'spinodal[io]'") from error
    return gsd.hoomd


def write(path: Path, trajectory: Trajectory) -> None:
    """Write all frames."""
    library = _library()
    with replacing(path) as temporary, library.open(name=str(temporary), mode="w") as file:
        for frame in range(trajectory.n_frames):
            file.append(_frame(library, trajectory, frame))


def _frame(library: Any, trajectory: Trajectory, number: int) -> Any:
    positions, frame = trajectory.positions[number], library.Frame()
    box = trajectory.box_of(number)
    if box is None:  # GSD knows no free particles: a box far around them
        lengths = np.full(trajectory.dim, 4.0 * max(1.0, float(np.abs(positions).max())))
        image, center = np.zeros(positions.shape), np.zeros(trajectory.dim)
        frame.log["free"] = np.array([1.0])
    else:
        lengths, center = box, 0.5 * box
        image = np.floor(positions / box)
    inside = positions - image * lengths - center
    frame.configuration.step = number
    frame.configuration.dimensions = trajectory.dim
    frame.configuration.box = [*lengths, *([0.0] if trajectory.dim == 2 else []), 0, 0, 0]
    frame.particles.N = len(positions)
    frame.particles.types = ["X"]
    frame.particles.position = _in_space(inside)
    frame.particles.image = _in_space(image).astype(np.int32)
    frame.log[_EXACT], frame.log[_EXACT_BOX] = positions, lengths
    if trajectory.velocities is not None:
        frame.particles.velocity = _in_space(trajectory.velocities[number])
    if trajectory.forces is not None:
        frame.log["particles/forces"] = trajectory.forces[number]
    for name, values in trajectory.scalars.items():
        frame.log[name] = np.array([values[number]])
    return frame


def _in_space(values: FloatArray) -> FloatArray:
    return np.pad(values, ((0, 0), (0, 3 - values.shape[1])))


def read(path: Path) -> Trajectory:
    """Read all frames."""
    library = _library()
    try:
        with library.open(name=str(path), mode="r") as file:
            frames = list(file)
    except FileNotFoundError:
        raise
    except (RuntimeError, OSError, KeyError) as error:
        raise FileFormatError(path, f"it is not GSD: {error}") from error
    if not frames:
        raise FileFormatError(path, "it has no frame")
    dim = int(frames[0].configuration.dimensions)
    shapes = {(frame.particles.N, int(frame.configuration.dimensions)) for frame in frames}
    if len(shapes) > 1:
        raise FileFormatError(path, f"its frames differ in the number of particles: {sorted(n for n, _ in shapes)}")
    if any(np.any(frame.configuration.box[3:]) for frame in frames):
        raise FileFormatError(path, "its box is not rectangular")
    return _joined(frames, dim)


def _joined(frames: list[Any], dim: int) -> Trajectory:
    boxes = np.stack([np.asarray(f.log.get(_EXACT_BOX, f.configuration.box[:dim]), dtype=np.float64) for f in frames])
    free = all("free" in frame.log for frame in frames)
    box = None if free else boxes[0] if (boxes == boxes[0]).all() else boxes
    positions = np.stack([_positions(frame, length, dim) for frame, length in zip(frames, boxes, strict=True)])
    velocities = np.stack([np.asarray(frame.particles.velocity, dtype=np.float64)[:, :dim] for frame in frames])
    logged = set.intersection(*(set(frame.log) for frame in frames))
    forces = np.stack([f.log["particles/forces"] for f in frames]) if "particles/forces" in logged else None
    names = sorted(name for name in logged - {"free"} if np.size(frames[0].log[name]) == 1)
    scalars = {name: np.array([float(np.ravel(frame.log[name])[0]) for frame in frames]) for name in names}
    return Trajectory(positions, box, velocities if velocities.any() else None, forces, scalars)


def _positions(frame: Any, box: FloatArray, dim: int) -> FloatArray:
    """Return positions in double precision, where the file has them, with the corner of the box at 0."""
    if _EXACT in frame.log:
        return np.asarray(frame.log[_EXACT], dtype=np.float64)
    inside = np.asarray(frame.particles.position, dtype=np.float64)[:, :dim]
    positions: FloatArray = inside + 0.5 * box + np.asarray(frame.particles.image)[:, :dim] * box
    return positions
