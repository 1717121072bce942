# SPDX-License-Identifier: BSD-3-Clause
r"""The radial distribution function of particles in a periodic box.

.. math::
    g(r) = \frac{V}{N^2} \Big\langle \sum_{i \ne j} \delta(r - r_{ij}) \Big\rangle \Big/ s_d(r),
    \qquad s_3 = 4\pi r^2, \quad s_2 = 2\pi r                                                         \quad (1)

In bins: twice the number of pairs, by N²/V times the exact volume of the shell, (4π/3)(b³ − a³) or π(b² − a²). An ideal
gas has (N − 1)/N there, as every particle is missing among its own neighbours; ``finite_size=True`` divides by
N(N − 1) instead, and then it has 1. These are freud's modes "exact" and "finite_size".
"""

from __future__ import annotations

import math
from typing import cast

import numpy as np
import numpy.typing as npt

from spinodal import kernels
from spinodal.analysis.arrays import FloatArray, SamplesLike, as_log_weights, one_temperature
from spinodal.analysis.autocovariance import usable_autocovariance
from spinodal.analysis.blocks import Blocks, automatic_blocks
from spinodal.analysis.estimates import estimate
from spinodal.analysis.fields import Profile
from spinodal.analysis.resampling import delete_block
from spinodal.analysis.weights import normalized_weights


def radial_distribution(
    samples: SamplesLike | npt.ArrayLike,
    box: npt.ArrayLike | None = None,
    r_max: float | None = None,
    n_bins: int = 100,
    *,
    finite_size: bool = False,
    log_weights: npt.ArrayLike | None = None,
    n_threads: int | None = None,
) -> Profile:
    """Return g(r), eq. (1) of the module, with errors from blocks of draws and chains.

    Parameters
    ----------
    samples : Samples, or positions of shape ([[n_chains,] n_draws,] n_particles, 2 or 3)
        Samples at one temperature; without ``box``, theirs.
    box : float or one an axis
        Lengths of the periodic box.
    r_max : float, optional
        Default: half the shortest length. Beyond it pairs of all images are counted.
    n_bins : int
        Equal bins of [0, r_max).
    finite_size : bool
        Whether an ideal gas has 1, rather than (N − 1)/N.
    log_weights : array_like, shape (n_chains, n_draws), optional
        Default: those of the samples.

    Returns
    -------
    Profile
        Unpacks into the middles of the bins, g and its standard error; NaN for one draw. ``reliable`` is of the number
        of pairs within r_max.

    Raises
    ------
    ValueError
        If there is no box, or the kernel refuses: see `spinodal.kernels.pair_histogram`.
    """
    positions, box, log_weights = _opened(samples, box, log_weights)
    if not 2 <= positions.ndim <= 4:
        raise ValueError(f"positions must have shape ([[n_chains,] n_draws,] n_particles, dim); got {positions.shape}")
    if box is None:
        raise ValueError("g(r) needs the density of a periodic box: give its lengths")
    positions = positions.reshape((1,) * (4 - positions.ndim) + positions.shape)
    lengths = np.broadcast_to(np.asarray(box, dtype=np.float64), positions.shape[-1:])
    reach = float(lengths.min()) / 2 if r_max is None else float(r_max)
    pairs = kernels.pair_histogram(positions, lengths, reach, n_bins, n_threads=n_threads).astype(np.float64)
    weights = np.ones(pairs.shape[:2])
    if log_weights is not None:
        weights = normalized_weights(as_log_weights(log_weights, pairs.shape[:2]))
    edges = np.linspace(0.0, reach, n_bins + 1)
    factor = 2.0 / _ideal_pairs(positions.shape[2], lengths, edges, finite_size)
    return _averaged((edges[1:] + edges[:-1]) / 2, pairs * factor, weights, pairs.sum(axis=2))


def _opened(
    samples: SamplesLike | npt.ArrayLike, box: npt.ArrayLike | None, log_weights: npt.ArrayLike | None
) -> tuple[FloatArray, npt.ArrayLike | None, npt.ArrayLike | None]:
    """Return positions, box and log weights, those of the samples where they are not given."""
    if not hasattr(samples, "provenance"):
        return np.asarray(samples, dtype=np.float64), box, log_weights
    like = cast(SamplesLike, samples)
    one_temperature(like)
    if like.draws is None:
        raise ValueError("samples have no draws: g(r) needs the positions")
    own_box: npt.ArrayLike | None = like.provenance.get("system", {}).get("box")
    own_weights: npt.ArrayLike | None = like.log_weights
    return (
        np.asarray(like.draws, dtype=np.float64),
        own_box if box is None else box,
        own_weights if log_weights is None else log_weights,
    )


def _ideal_pairs(n: int, lengths: FloatArray, edges: FloatArray, finite_size: bool) -> FloatArray:
    """Return the number of ordered pairs that an ideal gas has in each shell."""
    if n < 2:
        raise ValueError(f"g(r) needs at least two particles; got {n}")
    dim = len(lengths)
    volumes = (math.pi if dim == 2 else 4 * math.pi / 3) * np.diff(edges**dim)
    shells: FloatArray = n * (n - 1 if finite_size else n) / lengths.prod() * volumes
    return shells


def _averaged(r: FloatArray, g: FloatArray, weights: FloatArray, pairs: FloatArray) -> Profile:
    """Return the weighted mean of g (n_chains, n_draws, n_bins); blocks are cut by the autocorrelation of ``pairs``."""
    number = estimate(pairs) if pairs.size > 1 else None
    acov = usable_autocovariance(weights * (pairs - (weights * pairs).mean()))
    blocks = automatic_blocks(pairs.shape, acov)
    weight, sums = blocks.sums(weights), _block_sums(blocks, g, weights)
    mean, rest = sums.sum(axis=0) / weight.sum(), weight.sum() - weight
    if number is None or weight.size < 2 or not (rest > 0).all():
        return Profile(r, mean, np.full(mean.shape, math.nan), False, "one block has no error bar")
    replicas = (sums.sum(axis=0) - sums) / rest[:, None]
    variance = delete_block(mean, replicas, blocks.sizes)[1]
    return Profile(r, mean, np.sqrt(variance * blocks.inflation), number.reliable, number.reason)


def _block_sums(blocks: Blocks, g: FloatArray, weights: FloatArray) -> FloatArray:
    return np.stack([(weights[part][..., None] * g[part]).sum(axis=(0, 1)) for part in blocks])
