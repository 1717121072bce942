# SPDX-License-Identifier: BSD-3-Clause
"""Pairs within a distance by definition: every pair, every image."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

from reference.lennard_jones import images

Array = npt.NDArray[np.float64]


def neighbor_list(positions: Array, box: Array | None, cutoff: float) -> tuple[npt.NDArray, ...]:
    """Columns i, j, d, D, S of all pairs from both sides, in the order of (i, j, S)."""
    rows = []
    dim = positions.shape[1]
    boxes_away = np.zeros_like(positions) if box is None else np.floor(positions / box)
    inside = positions if box is None else positions - boxes_away * box
    for image in images(box, cutoff, dim):
        vectors = inside[None, :, :] - inside[:, None, :] + (0 if box is None else np.asarray(image) * box)
        d = np.sqrt((vectors**2).sum(axis=-1))
        for i, j in zip(*np.nonzero(d < cutoff), strict=True):
            if i != j or any(image):
                shift = np.asarray(image) + boxes_away[i] - boxes_away[j]
                rows.append((int(i), int(j), tuple(int(s) for s in shift), d[i, j], vectors[i, j]))
    rows.sort(key=lambda row: row[:3])
    return (
        np.array([row[0] for row in rows], dtype=np.int64),
        np.array([row[1] for row in rows], dtype=np.int64),
        np.array([row[3] for row in rows]),
        np.array([row[4] for row in rows]).reshape(-1, dim),
        np.array([row[2] for row in rows], dtype=np.int32).reshape(-1, dim),
    )


def pair_histogram(positions: Array, box: Array | None, r_max: float, n_bins: int) -> npt.NDArray[np.int64]:
    """How many pairs, each once, have a distance in each of the bins; leading axes are systems."""
    leading = positions.shape[:-2]
    counts = np.zeros((*leading, n_bins), dtype=np.int64)
    for index in itertools.product(*map(range, leading)):
        d = neighbor_list(positions[index], box, r_max)[2]
        bins = np.floor(d * (n_bins / r_max)).astype(int)
        counts[index] = np.bincount(bins, minlength=n_bins)[:n_bins] // 2
    return counts
