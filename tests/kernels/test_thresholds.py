# SPDX-License-Identifier: BSD-3-Clause
"""The 64-bit flip thresholds are the probabilities of their formulas, at every temperature."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest

from reference import ising

BETAS = [0.0, 1e-6, 0.1, 0.4406868, 1.0, 2.0, 5.0, 5.5]
MODELS = [(1.0, 0.0, 2), (-0.8, 0.3, 2), (1.0, 0.0, 3), (0.0, 0.0, 2)]


@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("rule", ["metropolis", "heat_bath"])
@pytest.mark.parametrize(("J", "h", "ndim"), MODELS)
def test_thresholds_are_exact_probabilities(rule, beta, J, h, ndim):
    """P(U ≤ threshold) is p to 2⁻⁶⁴, plus the rounding of p and of its exponent to float64."""
    with localcontext() as context:
        context.prec = 60
        for (spin, total), threshold in ising.thresholds(rule, beta, J, h, ndim).items():
            x = Decimal(beta) * Decimal(2.0 * spin * (J * total + h))
            p = min(Decimal(1), (-x).exp()) if rule == "metropolis" else 1 / (1 + x.exp())
            realised = Decimal(threshold + 1) / 2**64
            rounding = p * (4 + abs(x)) / 2**52
            assert abs(realised - p) <= rounding + Decimal(1) / 2**64


@pytest.mark.parametrize("beta", [*BETAS, 40.0, 1e4])
@pytest.mark.parametrize("rule", ["metropolis", "heat_bath"])
@pytest.mark.parametrize(("J", "h", "ndim"), MODELS)
def test_numba_thresholds_are_those_of_the_reference(rule, beta, J, h, ndim):
    numba_ising = pytest.importorskip("spinodal.backends.numba_ising")
    table = numba_ising.accept_table(rule, beta, J, h, 2 * ndim)
    for (spin, total), threshold in ising.thresholds(rule, beta, J, h, ndim).items():
        up = (total + 2 * ndim) // 2
        assert int(table[2 * up + (spin + 1) // 2]) == threshold
