# SPDX-License-Identifier: BSD-3-Clause
"""Every state of a very small lattice, one by one, and its Boltzmann probability."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ._validation import FloatArray, IntArray, Size, finite, lattice_shape, temperatures

MAX_SITES = 20


def all_states(shape: Size) -> npt.NDArray[np.int8]:
    """Return all 2^N spin configurations.

    Parameters
    ----------
    shape : int or tuple of int
        Two or three lengths, each ≥ 2, with N ≤ 20 sites.

    Returns
    -------
    int8 array, shape (2^N, *shape)
        Values ±1. Site i in C order of state k is +1 where bit i of k is set.

    Raises
    ------
    ValueError
        For more than 20 sites or a length < 2.
    """
    lengths = small_shape(shape)
    n_sites = math.prod(lengths)
    states = np.empty((1 << n_sites, n_sites), dtype=np.int8)
    index = np.arange(1 << n_sites)
    for site in range(n_sites):
        states[:, site] = 2 * (index >> site & 1) - 1
    return states.reshape(-1, *lengths)


def boltzmann(shape: Size, temperature: float, J: float = 1.0, h: float = 0.0) -> FloatArray:
    """Return the Boltzmann probability of every state, in the order of :func:`all_states`.

    Parameters
    ----------
    shape : int or tuple of int
        Two or three lengths, each ≥ 2, with N ≤ 20 sites.
    temperature : float
        One temperature, finite and > 0.
    J, h : float
        E = -J Σ_i Σ_axis s_i s_{i+e} - h Σ_i s_i.

    Returns
    -------
    float64 array, shape (2^N,)
        exp(-E/T)/Z; the sum is 1.

    Raises
    ------
    ValueError
        For more than 20 sites, a length < 2, temperature ≤ 0, or a non-finite J or h.
    """
    return np.exp(log_boltzmann(shape, temperature, J, h))


def log_boltzmann(shape: Size, temperature: float, J: float = 1.0, h: float = 0.0) -> FloatArray:
    """Return log(exp(-E/T)/Z) of every state; arguments as :func:`boltzmann`."""
    lengths = small_shape(shape)
    coupling, field = finite("J", J), finite("h", h)
    if np.ndim(temperature):
        raise ValueError(f"temperature must be one number, got an array of shape {np.shape(temperature)}")
    t = float(temperatures(temperature))
    bond_sum, spin_sum = _state_sums(lengths)
    energy = -coupling * bond_sum - field * spin_sum
    log_weight = -(energy - energy.min()) / t
    return np.asarray(log_weight - np.log(np.exp(log_weight).sum()))


def small_shape(shape: Size) -> tuple[int, ...]:
    """Return the lengths of a lattice with at most 20 sites."""
    lengths = lattice_shape(shape)
    if math.prod(lengths) > MAX_SITES:
        raise ValueError(f"at most {MAX_SITES} sites can be listed, got {math.prod(lengths)} for shape {lengths}")
    return lengths


@lru_cache(maxsize=8)
def _state_sums(lengths: tuple[int, ...]) -> tuple[IntArray, IntArray]:
    """Return the bond sum and the spin sum of every state."""
    states = all_states(lengths)
    axes = tuple(range(1, states.ndim))
    bonds = np.zeros(len(states), dtype=np.int64)
    for axis in axes:
        bonds += (states * np.roll(states, -1, axis)).sum(axis=axes, dtype=np.int64)
    return bonds, states.sum(axis=axes, dtype=np.int64)
