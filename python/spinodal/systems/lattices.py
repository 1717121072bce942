# SPDX-License-Identifier: BSD-3-Clause
"""Ordered configurations of particles to start from."""

from __future__ import annotations

import itertools
import math

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]


def fill_box(n_particles: int, box: Reals) -> Reals:
    """Return particles spread evenly over a simple lattice that fills a box, shape (n_particles, dim)."""
    dim = len(box)
    spacing = (box.prod() / n_particles) ** (1 / dim)
    sites = [max(1, round(length / spacing)) for length in box]
    while math.prod(sites) < n_particles:
        sites[int(np.argmax(box / sites))] += 1
    chosen = np.arange(n_particles) * math.prod(sites) // n_particles
    indices = np.stack(np.unravel_index(chosen, sites), axis=-1)
    placed: Reals = (indices + 0.5) * (box / sites)
    return placed


def compact_cluster(n_particles: int, spacing: float, dim: int) -> Reals:
    """Return the sites of a close-packed lattice nearest to one of them, centred, shape (n_particles, dim)."""
    reach = math.ceil(n_particles ** (1 / dim)) + 2
    indices = np.array(list(itertools.product(range(-reach, reach + 1), repeat=dim)), dtype=np.float64)
    vectors = {
        2: np.array([[1.0, 0.0], [0.5, math.sqrt(0.75)]]),
        3: np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 0.0]]) / math.sqrt(2.0),
    }[dim]
    sites = spacing * indices @ vectors
    nearest = np.argsort(np.round((sites**2).sum(axis=1), 9), kind="stable")[:n_particles]
    cluster: Reals = sites[nearest] - sites[nearest].mean(axis=0)
    return cluster
