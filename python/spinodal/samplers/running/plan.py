# SPDX-License-Identifier: BSD-3-Clause
"""What a run is asked to do, checked before any work."""

from __future__ import annotations

import operator
import secrets
from dataclasses import dataclass
from typing import Any, Literal

from spinodal.samplers.protocol import Sampler

KeepDraws = bool | Literal["last"]
_STEP_LIMIT = 1 << 40  # a Key's step has 40 bits


@dataclass(frozen=True)
class Plan:
    """Which steps are taken, and which become draws.

    Step 0 is the first of the burn-in. ``first_step`` is its index among the random numbers: above 0 for a
    run that goes on where another ended.
    """

    n_chains: int
    n_steps: int
    burn_in: int
    thin: int
    seed: int
    first_step: int
    keep_draws: KeepDraws

    @property
    def total(self) -> int:
        """Elementary steps of each chain, burn-in included."""
        return self.burn_in + self.n_steps

    @property
    def n_draws(self) -> int:
        """Draws of each chain."""
        return self.n_steps // self.thin

    def next_stop(self, step: int) -> int:
        """Return the end of the burn-in, or the next draw, after ``step`` steps."""
        if step < self.burn_in:
            return self.burn_in
        return self.burn_in + ((step - self.burn_in) // self.thin + 1) * self.thin

    def n_draws_at(self, step: int) -> int:
        """Return how many draws there are after ``step`` steps."""
        return max(0, step - self.burn_in) // self.thin


def checked_integer(name: str, value: Any, minimum: int, limit: int | None = None) -> int:
    """Return an integer argument as an int.

    Raises
    ------
    TypeError
        If it is no integer.
    ValueError
        If it is out of range: the value and the bound.
    """
    if isinstance(value, bool):
        raise TypeError(f"{name} must be an integer; got {value}")
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer; got {value!r}") from None
    if number < minimum or (limit is not None and number >= limit):
        bound = f">= {minimum}" if limit is None else f">= {minimum} and < 2**{limit.bit_length() - 1}"
        raise ValueError(f"{name} must be {bound}; got {number}")
    return number


def make_plan(  # noqa: D103 - the arguments are those of run
    sampler: Sampler,
    *,
    n_chains: int,
    n_steps: int,
    burn_in: int,
    thin: int,
    seed: int | None,
    first_step: int,
    keep_draws: KeepDraws,
) -> Plan:
    plan = Plan(
        n_chains=checked_integer("n_chains", n_chains, 1),
        n_steps=checked_integer("n_steps", n_steps, 1),
        burn_in=checked_integer("burn_in", burn_in, 0),
        thin=checked_integer("thin", thin, 1),
        seed=secrets.randbits(64) if seed is None else checked_integer("seed", seed, 0, 1 << 64),
        first_step=first_step,
        keep_draws=keep_draws,
    )
    if plan.n_steps % plan.thin:
        raise ValueError(f"n_steps must be a multiple of thin; got n_steps = {n_steps}, thin = {thin}")
    if keep_draws not in (True, False, "last") or (isinstance(keep_draws, int) and not isinstance(keep_draws, bool)):
        raise ValueError(f"keep_draws must be True, False or 'last'; got {keep_draws!r}")
    if first_step + plan.total > _STEP_LIMIT:
        raise ValueError(f"a chain has at most 2**40 steps; got {first_step + plan.total}")
    if plan.n_chains % sampler.chain_group:
        raise ValueError(f"n_chains must be a multiple of {sampler.chain_group} for this sampler; got {n_chains}")
    return plan
