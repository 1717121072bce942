# SPDX-License-Identifier: BSD-3-Clause
r"""The two tails whose laws are known, and what is left of the energy when they are summed out.

With K = J/T, H = h/T, and S_d the sum of the three other even neighbours of the odd neighbour d of an even site b:

.. math:: p(b \mid \text{other even}) \propto F_b(s) = e^{H s} \prod_{d=1}^{4} 2 \cosh[K (s + S_d) + H]        (1)

Every odd site is next to exactly one B2 site, so with all odd spins and B2 summed out

.. math:: \tilde p(A, B_1) = e^{H \sum s} \prod_{b \in B_2} [F_b(+) + F_b(-)]                                  (2)
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

LOG_2 = 0.6931471805599453


def log_2cosh(x: Any) -> Any:
    """Return log(2 cosh x) without overflow."""
    return x.abs() + F.softplus(-2 * x.abs())


def log_factors(spins: Any, even_beyond: Any, coupling: Any, field: Any) -> tuple[Any, Any]:
    """Return log F_b(+) and log F_b(−) of equation (1), each of shape (n, n_sites).

    Parameters
    ----------
    spins : tensor, shape (n, L²)
    even_beyond : int64 tensor, shape (n_sites, 4, 3)
    coupling, field : float64 tensors, shape (n or 1,)
        K and H.
    """
    beyond = spins[:, even_beyond].sum(-1).double()
    k, h = coupling[:, None, None], field[:, None, None]
    up, down = (log_2cosh(k * (beyond + sign) + h).sum(-1) + sign * field[:, None] for sign in (1, -1))
    return up, down


def log_marginal(spins: Any, learned: Any, b2_even: Any, coupling: Any, field: Any) -> Any:
    """Return log p̃(A, B1) of equation (2), float64 (n,)."""
    up, down = log_factors(spins, b2_even, coupling, field)
    return torch.logaddexp(up, down).sum(-1) + field * spins[:, learned].double().sum(-1)


def b2_logits(spins: Any, b2_even: Any, coupling: Any, field: Any) -> Any:
    """Return log p(+)/p(−) of the B2 sites given A and B1, float64 (n, L²/8)."""
    up, down = log_factors(spins, b2_even, coupling, field)
    return up - down


def odd_logits(spins: Any, odd_even: Any, coupling: Any, field: Any) -> Any:
    """Return log p(+)/p(−) of the odd sites given the even ones, float64 (n, L²/2)."""
    return 2 * (coupling[:, None] * spins[:, odd_even].sum(-1).double() + field[:, None])
