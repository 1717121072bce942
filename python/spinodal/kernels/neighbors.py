# SPDX-License-Identifier: BSD-3-Clause
"""Pairs of particles within a distance: listed, or counted."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from spinodal.backends import resolve
from spinodal.backends.protocol import Integers, NDArray
from spinodal.kernels.arguments import BackendName, check_integer, output
from spinodal.kernels.particles import read_box, read_positions
from spinodal.threads import resolve_n_threads

MAX_BINS = 65536
MAX_IMAGES = 8
_COLUMNS = "ijdDS"


def _check_reach(name: str, reach: float, box: npt.NDArray[np.float64], periodic: bool) -> None:
    if not (math.isfinite(reach) and reach > 0):
        raise ValueError(f"{name} must be finite and > 0; got {reach}")
    if periodic and reach > MAX_IMAGES * box.min():
        raise ValueError(f"{name} must be <= {MAX_IMAGES} box lengths; got {reach} and a length of {box.min()}")


def neighbor_list(
    positions: Any,
    box: npt.ArrayLike | None = None,
    cutoff: float = 2.5,
    half: bool = True,
    quantities: str = "ijdDS",
    *,
    periodic: bool = True,
    n_threads: int | None = None,
    backend: BackendName | None = None,
) -> tuple[NDArray, ...]:
    r"""Return the pairs of particles within a cutoff, in the conventions of vesin.

    .. math:: D = r_j - r_i + S \cdot \text{box}, \qquad d = |D| < \text{cutoff}

    Parameters
    ----------
    positions : float64 array, shape (n_particles, 2 or 3)
        Particles may be outside the box: S says so.
    box : float or one an axis
        Lengths of the periodic box, of any ratio to the cutoff up to 1/8: all images are listed, a particle's own too.
    cutoff : float
    half : bool
        Each pair once, as (i, j, S) or (j, i, −S); False: from both sides.
    quantities : str
        Which columns, in which order: any of "i", "j" (particles, int64), "d" (float64), "D" (float64, (n_pairs, dim)),
        "S" (int32, (n_pairs, dim)).
    periodic : bool
        False for free particles.

    Returns
    -------
    tuple of arrays
        One for each letter of ``quantities``.

    Raises
    ------
    ValueError
        If positions are not finite, or a parameter has no meaning: what, and the bound.

    Notes
    -----
    Which pairs, and in which order, depends on positions and box alone: the same for any number of threads and any
    instruction set. The backends list the same pairs in different orders.
    """
    systems = read_positions(positions)
    if np.ndim(positions) != 2:
        raise ValueError(f"a neighbour list is of one system, (n_particles, 2 or 3); got {np.shape(positions)}")
    unknown = set(quantities) - set(_COLUMNS)
    if unknown or not quantities or len(set(quantities)) != len(quantities):
        raise ValueError(f"quantities must be some of the letters {_COLUMNS}, each once; got {quantities!r}")
    lengths = read_box(box, systems.shape[2], periodic)
    _check_reach("cutoff", cutoff, lengths, periodic)
    if periodic and np.abs(systems).max() > 2**30 * lengths.min():
        raise ValueError(
            f"positions must be less than 2^30 box lengths away; one is {np.abs(systems).max()}, and a length is "
            f"{lengths.min()}"
        )
    found = resolve(backend).neighbor_list(
        systems, lengths, periodic=periodic, cutoff=float(cutoff), half=bool(half), wanted=quantities,
        n_threads=resolve_n_threads(n_threads),
    )  # fmt: skip
    columns = dict(zip(_COLUMNS, found, strict=True))
    return tuple(column for name in quantities if (column := columns[name]) is not None)


def pair_histogram(
    positions: Any,
    box: npt.ArrayLike | None = None,
    r_max: float = 2.5,
    n_bins: int = 100,
    *,
    periodic: bool = True,
    out: Integers | None = None,
    n_threads: int | None = None,
    backend: BackendName | None = None,
) -> Integers:
    r"""Count pairs by distance, each pair once, in equal bins of [0, r_max).

    .. math:: \text{bin} = \lfloor d \cdot (n_\text{bins}/r_\text{max}) \rfloor

    Parameters
    ----------
    positions : float64 array, shape (…, n_particles, 2 or 3)
        Leading axes count systems.
    box : float or one an axis
        As in :func:`neighbor_list`: pairs of all images are counted.
    r_max : float
    n_bins : int
        1 to 65536.
    out : int64 array, shape (…, n_bins), optional

    Returns
    -------
    counts : int64 array, shape (…, n_bins)
        Exact: found in single precision, decided in double precision wherever an edge is near. A distance that is an
        edge itself, to rounding, may be counted on either side.

    Raises
    ------
    ValueError
        If positions are not finite, or a parameter has no meaning: what, and the bound.
    """
    systems = read_positions(positions)
    lengths = read_box(box, systems.shape[2], periodic)
    _check_reach("r_max", r_max, lengths, periodic)
    check_integer("n_bins", n_bins)
    if not 1 <= n_bins <= MAX_BINS:
        raise ValueError(f"n_bins must be between 1 and {MAX_BINS}; got {n_bins}")
    counts = output(out, (*np.shape(positions)[:-2], int(n_bins)), np.int64)
    resolve(backend).pair_histogram(
        systems, lengths, counts.reshape(len(systems), -1), periodic=periodic, r_max=float(r_max),
        n_threads=resolve_n_threads(n_threads),
    )  # fmt: skip
    return counts
