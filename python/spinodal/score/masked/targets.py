# SPDX-License-Identifier: BSD-3-Clause
r"""What the networks are trained towards: the mean of a spin given what is revealed, estimated with little noise.

The minimum of the binary cross-entropy is ⟨s_i | V⟩ for any target with that mean. The spin itself is one; so is
tanh of its field given all other even spins, with the odd ones summed out (equation 1 of `tails`), and, for B1, with B2
summed out too:

.. math::
    f = \frac12 \sum_{b \in B_2(i)} \log \frac{F_b(+; s_i = +) + F_b(-; s_i = +)}{F_b(+; s_i = -) + F_b(-; s_i = -)}

Both may be averaged over heat-bath sweeps of what is hidden, with what is revealed held fixed: unbiased after any
number of sweeps, because a draw from the Boltzmann law is a draw from the law given V, too.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import torch

from spinodal.score.masked.geometry import Pass, Sites, even_beyond
from spinodal.score.masked.tails import log_2cosh


def field_of_even(spins: Any, beyond: Any, coupling: Any) -> Any:
    """Return the field of even sites given the other even ones, odd spins summed out: (n, n_sites)."""
    sums, k = spins[:, beyond].sum(-1), coupling[:, None, None]
    return 0.5 * (log_2cosh(k * (sums + 1)) - log_2cosh(k * (sums - 1))).sum(-1)


def field_of_b1(spins: Any, cells: tuple[Any, Any], coupling: Any) -> Any:
    """Return the field of B1 sites given A and the other B1, B2 and odd spins summed out: (n, n_sites)."""
    between, others = cells
    k = coupling[:, None, None]
    near = spins[:, between].sum(-1)
    far = spins[:, others].sum(-1)

    def log_sum(target: float) -> Any:
        up, down = (
            log_2cosh(k[..., None] * (far + sign)).sum(-1) + log_2cosh(k * (near + target + sign)) for sign in (1, -1)
        )
        return torch.logaddexp(up, down)

    return 0.5 * (log_sum(1.0) - log_sum(-1.0)).sum(-1)


def b1_cells(length: int, sites: Sites) -> tuple[Sites, Sites]:
    """Return what surrounds the four B2 sites next to each B1 site.

    Returns
    -------
    between : int64 array, shape (n, 4, 2)
        The two A sites next to the odd site between the two.
    others : int64 array, shape (n, 4, 3, 3)
        For the B2 site's three other odd neighbours, the other even neighbours of each.
    """
    y, x = np.divmod(sites, length)
    between, others = [], []
    for axis, (dy, dx) in enumerate(((1, 0), (-1, 0), (0, 1), (0, -1))):
        b2 = ((y + 2 * dy) % length) * length + (x + 2 * dx) % length
        cells = even_beyond(length, b2)
        back = axis ^ 1  # the B2 site's odd neighbour towards the target
        between.append(cells[:, back, 1:])
        others.append(cells[:, [d for d in range(4) if d != back]])
    return np.stack(between, 1), np.stack(others, 1)


class Targets:
    """Targets of one pass on L × L lattices.

    Parameters
    ----------
    length : int
    step : Pass
    n_sweeps : int
        Heat-bath sweeps averaged over; 0 takes the field at the draw itself.
    """

    def __init__(self, length: int, step: Pass, n_sweeps: int) -> None:
        self.length, self.n_sweeps = length, n_sweeps
        if step.stride == 1:
            cells = b1_cells(length, step.sites)
            self._field = functools.partial(field_of_b1, cells=(torch.as_tensor(cells[0]), torch.as_tensor(cells[1])))
        else:
            beyond = torch.as_tensor(even_beyond(length, step.sites))
            self._field = functools.partial(field_of_even, beyond=beyond)
        hidden = np.ones(length * length, dtype=bool)
        hidden[step.windows[..., step.visible]] = False
        grid = torch.as_tensor(hidden.reshape(length, length))
        self._hidden_a, self._hidden_b = grid[::2, ::2], grid[1::2, 1::2]

    def __call__(self, spins: Any, coupling: Any, generator: Any) -> Any:
        """Return estimates of ⟨s_i | V⟩, shape (n, m²).

        Parameters
        ----------
        spins : float32 tensor, shape (n, L²)
            Draws from the Boltzmann law.
        coupling : float32 tensor, shape (n,)
        generator : torch.Generator
        """
        mean = torch.tanh(self._field(spins, coupling=coupling))
        if self.n_sweeps == 0:
            return mean
        grid = spins.reshape(-1, self.length, self.length)
        a, b = grid[:, ::2, ::2].clone(), grid[:, 1::2, 1::2].clone()
        whole = torch.zeros_like(grid)
        for _ in range(self.n_sweeps):
            a, b = self._sweep(a, b, 2 * coupling[:, None, None], generator)
            whole[:, ::2, ::2], whole[:, 1::2, 1::2] = a, b
            mean = mean + torch.tanh(self._field(whole.flatten(1), coupling=coupling))
        return mean / (self.n_sweeps + 1)

    def _sweep(self, a: Any, b: Any, twice_k: Any, generator: Any) -> tuple[Any, Any]:
        """Draw all odd spins given the even ones, then the hidden even ones given the odd."""
        a_right, b_up = a.roll(-1, 2), b.roll(1, 1)
        odd_row = _heat_bath(a + a_right + b + b_up, twice_k, generator)  # sites (even, odd)
        odd_column = _heat_bath(a + a.roll(-1, 1) + b + b.roll(1, 2), twice_k, generator)  # (odd, even)
        b = torch.where(
            self._hidden_b,
            _heat_bath(odd_row + odd_row.roll(-1, 1) + odd_column + odd_column.roll(-1, 2), twice_k, generator),
            b,
        )
        if self._hidden_a.any():
            around = odd_row + odd_row.roll(1, 2) + odd_column + odd_column.roll(1, 1)
            a = torch.where(self._hidden_a, _heat_bath(around, twice_k, generator), a)
        return a, b


def _heat_bath(neighbours: Any, twice_k: Any, generator: Any) -> Any:
    uniform = torch.rand(neighbours.shape, generator=generator, device=neighbours.device)
    return torch.where(uniform < torch.sigmoid(twice_k * neighbours), 1.0, -1.0)
