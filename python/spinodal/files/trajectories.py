# SPDX-License-Identifier: BSD-3-Clause
"""Trajectories of particles, to and from other programs: extended XYZ and GSD."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Trajectory:
    """Frames of one system.

    Parameters
    ----------
    positions : float64 array, shape (n_frames, n_particles, dim)
        One frame may come without its axis. Particles may be outside the box.
    box : float64 array, shape (dim,) or (n_frames, dim), or None
        Lengths of the periodic box, one may stand for all axes; None for free particles.
    velocities, forces : float64 arrays of the shape of ``positions``, or None
    scalars : mapping of str to array of shape (n_frames,)
        "energy" for one.

    Raises
    ------
    ValueError
        If the shapes disagree.
    """

    positions: FloatArray
    box: FloatArray | None = None
    velocities: FloatArray | None = None
    forces: FloatArray | None = None
    scalars: Mapping[str, FloatArray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        positions = np.asarray(self.positions, dtype=np.float64)
        positions = positions[np.newaxis] if positions.ndim == 2 else positions
        if positions.ndim != 3 or positions.shape[-1] not in (2, 3):
            raise ValueError(f"positions must have shape (n_frames, n_particles, 2 or 3); got {positions.shape}")
        converted = {
            "positions": positions,
            "box": _lengths(self.box, len(positions), positions.shape[2]),
            "velocities": _vectors("velocities", self.velocities, positions.shape),
            "forces": _vectors("forces", self.forces, positions.shape),
            "scalars": {name: _numbers(name, values, len(positions)) for name, values in self.scalars.items()},
        }
        for name, value in converted.items():  # a frozen dataclass fills its own fields through object
            object.__setattr__(self, name, value)

    @classmethod
    def of(cls, samples: Any, chain: int = 0) -> Trajectory:
        """Return the draws of one chain, with energies and whatever else was recorded.

        Raises
        ------
        ValueError
            If the samples have no configurations of particles.
        """
        system = samples.provenance.get("system", {})
        if samples.draws is None or system.get("dims") != ["particle", "axis"]:
            raise ValueError("a trajectory needs samples of particles whose configurations were kept (keep_draws=True)")
        draws = samples.draws[chain]
        last = slice(-len(draws), None)  # fewer than the energies where only the last draw was kept
        scalars = {"energy": samples.energy[chain, last]} | {
            name: values[chain, last] for name, values in samples.info.items()
        }
        return cls(draws, system.get("box"), scalars=scalars)

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return len(self.positions)

    @property
    def dim(self) -> int:
        """Dimension of space."""
        return int(self.positions.shape[-1])

    def box_of(self, frame: int) -> FloatArray | None:
        """Return the lengths of one frame's box."""
        if self.box is None or self.box.ndim == 1:
            return self.box
        lengths: FloatArray = self.box[frame]
        return lengths


def write_trajectory(path: str | PathLike[str], trajectory: Trajectory | Any, *, chain: int = 0) -> None:
    """Write a file of particles for other programs; its format follows its suffix.

    The file appears whole or not at all; an existing one is replaced.

    Parameters
    ----------
    path : path-like
        ``.gsd`` (HOOMD-blue, OVITO, freud), ``.xyz`` or ``.extxyz`` (extended XYZ: ASE, OVITO).
    trajectory : Trajectory or Samples
    chain : int
        Which chain of samples.

    Raises
    ------
    ImportError
        If GSD needs the package ``gsd`` and it is not installed.
    """
    frames = trajectory if isinstance(trajectory, Trajectory) else Trajectory.of(trajectory, chain)
    path = Path(path)
    if _format(path) == "gsd":
        from spinodal.files import gsd

        gsd.write(path, frames)
    else:
        from spinodal.files import xyz

        xyz.write(path, frames)


def read_trajectory(path: str | PathLike[str]) -> Trajectory:
    """Read a file of particles; its format follows its suffix.

    Parameters
    ----------
    path : path-like
        ``.gsd``; ``.xyz`` or ``.extxyz``, extended or plain; ``.txt``, a configuration as NIST publishes them (box,
        number of particles, rows of a label and coordinates), which ``.xyz`` may be too.

    Raises
    ------
    FileFormatError
        If the file is damaged or of another kind, or its box is not rectangular (a ValueError): where.
    """
    path = Path(path)
    if _format(path) == "gsd":
        from spinodal.files import gsd

        return gsd.read(path)
    from spinodal.files import xyz

    return xyz.read(path)


def _format(path: Path) -> str:
    found = {".gsd": "gsd", ".xyz": "xyz", ".extxyz": "xyz", ".txt": "xyz"}.get(path.suffix.lower())
    if found is None:
        raise ValueError(f"the suffix of {path} must be .gsd, .xyz, .extxyz or .txt")
    return found


def _lengths(box: npt.ArrayLike | None, n_frames: int, dim: int) -> FloatArray | None:
    if box is None:
        return None
    lengths = np.asarray(box, dtype=np.float64)
    lengths = np.array(np.broadcast_to(lengths, (dim,))) if lengths.ndim == 0 else lengths
    if lengths.shape not in ((dim,), (n_frames, dim)) or not (np.isfinite(lengths) & (lengths > 0)).all():
        raise ValueError(f"box must be {dim} lengths > 0, or so many for each of {n_frames} frames; got {box}")
    return lengths


def _vectors(name: str, values: npt.ArrayLike | None, shape: tuple[int, ...]) -> FloatArray | None:
    if values is None:
        return None
    vectors = np.asarray(values, dtype=np.float64)
    vectors = vectors[np.newaxis] if vectors.ndim == 2 else vectors
    if vectors.shape != shape:
        raise ValueError(f"{name} must have the shape of the positions, {shape}; got {vectors.shape}")
    return vectors


def _numbers(name: str, values: npt.ArrayLike, n_frames: int) -> FloatArray:
    numbers = np.atleast_1d(np.asarray(values, dtype=np.float64))
    if numbers.shape != (n_frames,):
        raise ValueError(f"scalars[{name!r}] must have shape ({n_frames},); got {numbers.shape}")
    return numbers
