# SPDX-License-Identifier: BSD-3-Clause
r"""Step sizes that find their acceptance during the burn-in, each chain by itself, and then stay.

Dual averaging: with α_t the acceptance probability of step t, and δ the one that is wanted,

.. math::
    \bar h_t = \left(1 - \tfrac{1}{t + t_0}\right) \bar h_{t-1} + \frac{\delta - \alpha_t}{t + t_0}, \qquad
    \log \epsilon_{t+1} = \mu - \frac{\sqrt t}{\gamma} \bar h_t, \qquad
    \log \bar\epsilon_t = t^{-\kappa} \log \epsilon_{t+1} + (1 - t^{-\kappa}) \log \bar\epsilon_{t-1}

and after the last step \bar\epsilon is kept. A chain whose kernel never stops changing has no stationary law, so
nothing is adapted after the burn-in.

References
----------
Hoffman and Gelman, J. Mach. Learn. Res. 15, 1593 (2014), section 3.2.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self, runtime_checkable

import numpy as np

from spinodal.backends.protocol import Reals

_GAMMA, _T0, _KAPPA = 0.05, 10.0, 0.75
_LARGEST_GAIN = 10.0  # μ = log(10 ε₀): the first steps try long ones, which are cheap to refuse


@runtime_checkable
class Tunable(Protocol):
    """A sampler that adapts itself in a range of steps."""

    def tuned_in(self, start: int, stop: int) -> Self:
        """Return the sampler that adapts in the steps ``start`` ≤ step < ``stop``, counted as ``Key.step`` is."""
        ...


@dataclass
class StepSizes:
    """Step sizes of all chains, and what their adaptation has gathered.

    Attributes
    ----------
    current : float64 array, shape (n_chains,)
        Of 20 significant bits: sums of one of them are exact, and rounding in a logarithm cannot change a chain.
    gathered : float64 array, shape (n_chains, 2)
        h̄ and log ε̄.
    """

    current: Reals
    gathered: Reals

    @classmethod
    def starting_at(cls, step_size: Reals) -> Self:
        """Return what no step has changed yet."""
        return cls(_short(step_size), np.zeros((len(step_size), 2)))

    def learn(
        self, acceptance: Reals, wanted: float, initial: Reals, longest: Reals | float, t: int, *, is_last: bool
    ) -> None:
        """Take in the acceptance probabilities of the ``t``-th step of the tuning, counted from 1."""
        h, log_mean = self.gathered.T
        h += (wanted - acceptance - h) / (t + _T0)
        log_step = np.log(_LARGEST_GAIN * initial) - t**0.5 / _GAMMA * h
        log_mean += t**-_KAPPA * (log_step - log_mean)
        self.current = np.minimum(_short(np.exp(log_mean if is_last else log_step)), _short(longest, np.floor))


def _short(values: Reals | float, round_off: np.ufunc = np.rint) -> Reals:
    """Round to 20 significant bits."""
    mantissa, exponent = np.frexp(values)
    rounded: Reals = np.ldexp(round_off(mantissa * 2.0**20), exponent - 20)
    return rounded
