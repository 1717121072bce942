# SPDX-License-Identifier: BSD-3-Clause
"""The loop that steps some chains of a run, in native calls short enough to stop between."""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from spinodal.files.packing import PackedSpins, Stored, packed_if_spins
from spinodal.samplers.protocol import Array, Key, Sampler, State
from spinodal.samplers.running.plan import Plan

_CALL_SECONDS = 0.02  # Ctrl-C waits for one call, and it is to return within 0.1 s
Values = dict[str, Array]


class NonFiniteEnergyError(FloatingPointError):
    """An energy became NaN or infinite.

    Attributes
    ----------
    step : int
        Elementary steps done, burn-in included.
    chain : int
        The first chain concerned.
    samples : Samples or None
        The draws before.
    """

    def __init__(self, energy: float, step: int, chain: int) -> None:
        super().__init__(energy, step, chain)
        self.energy, self.step, self.chain = energy, step, chain
        self.samples: Any = None

    def __str__(self) -> str:
        return f"the energy of chain {self.chain} is {self.energy} at step {self.step}; the draws before are kept"


@runtime_checkable
class StartsAtWill(Protocol):
    """A sampler that can start from given configurations."""

    def state_from(self, draws: npt.ArrayLike) -> State:
        """Return the state of chains at these configurations, which are copied."""
        ...


def starting_at_will(sampler: object) -> StartsAtWill:
    """Return the sampler.

    Raises
    ------
    TypeError
        If it cannot start from given configurations.
    """
    if not isinstance(sampler, StartsAtWill):
        raise TypeError(f"{type(sampler).__name__} cannot start from given configurations: it has no state_from()")
    return sampler


@dataclass(frozen=True)
class Snapshot:
    """Where some chains are, in arrays: it can be stored, sent to a worker, and gone on from.

    ``arrays`` holds the state's as "state/…" and the diagnostics since the last draw as "info/…"; it is
    empty for chains that have not begun. A pickle of it holds spins as bits.
    """

    index: slice
    step: int = 0
    arrays: Values = field(default_factory=dict)

    def __getstate__(self) -> dict[str, Any]:
        packed = {name: packed_if_spins(array, 1) for name, array in self.arrays.items()}
        return {**self.__dict__, "arrays": packed}

    def __setstate__(self, state: dict[str, Any]) -> None:
        arrays = {name: np.asarray(array) for name, array in state["arrays"].items()}
        self.__dict__.update({**state, "arrays": arrays})

    def snapshot(self) -> Snapshot:
        """Return itself."""
        return self


@dataclass
class Chains:
    """Consecutive chains of a run, and where they are."""

    sampler: Sampler
    index: slice
    step: int
    state: State
    info: Values

    @staticmethod
    def at(snapshot: Snapshot, sampler: Sampler, plan: Plan, draws: Array | None = None) -> Chains:
        """Return the chains where a snapshot has them; chains not begun start from ``draws``, if given."""
        index = snapshot.index
        if not snapshot.arrays:
            key = Key(plan.seed, plan.first_step, index.start)
            n_chains = index.stop - index.start
            if draws is None:
                return Chains(sampler, index, 0, sampler.init(key, n_chains), {})
            return Chains(sampler, index, 0, starting_at_will(sampler).state_from(draws), {})
        # Copies: the sampler may step in the arrays it is given, and the snapshot may still be written to a file.
        parts: dict[str, Values] = {"state": {}, "info": {}}
        for name, array in snapshot.arrays.items():
            part, _, key_in_part = name.partition("/")
            parts[part][key_in_part] = array.copy()
        return Chains(sampler, index, snapshot.step, sampler.restore(parts["state"]), parts["info"])

    def snapshot(self) -> Snapshot:
        """Return where the chains are; the arrays may be the live ones."""
        arrays = {f"state/{name}": array for name, array in self.state.arrays().items()}
        arrays |= {f"info/{name}": array for name, array in self.info.items()}
        return Snapshot(self.index, self.step, arrays)

    def step_once(self, plan: Plan, n_steps: int, n_threads: int | None) -> None:
        """Take ``n_steps`` steps in one call."""
        key = Key(plan.seed, plan.first_step + self.step, self.index.start)
        self.state, info = self.sampler.step(key, self.state, n_steps, n_threads=n_threads)
        self.step += n_steps
        if self.step > plan.burn_in:
            self.info = {name: np.asarray(sums) + self.info.get(name, 0) for name, sums in info.items()}


class Pace:
    """How many steps take about 20 ms."""

    def __init__(self) -> None:
        self.n_steps = 1

    def learn(self, n_steps: int, seconds: float) -> None:
        """Adapt to the time a call took; by a factor of 4 at most, as one measurement may be off."""
        wanted = int(n_steps * _CALL_SECONDS / max(seconds, 1e-9))
        self.n_steps = max(1, min(wanted, 4 * max(n_steps, self.n_steps)))


class Configurations:
    """The configurations of some chains at one draw, in the form they are asked for.

    A state that offers packed spins and measured energies is never asked for its array.
    """

    def __init__(self, state: State) -> None:
        self._state = state

    @functools.cached_property
    def array(self) -> Array:
        """Shape (n_chains, …); perhaps the state's own."""
        return self._state.draws

    @property
    def stored(self) -> Stored:
        """What is recorded of them: the state's packed spins, if it has them, else the array."""
        packed: PackedSpins | None = getattr(self._state, "packed_draws", None)
        return self.array if packed is None else packed


Record = Callable[[Chains, int, Values, Configurations], None]


def advance(
    chains: Chains, plan: Plan, *, record: Record, go_on: Callable[[], bool], n_threads: int | None = None
) -> None:
    """Step chains until the plan ends or ``go_on()`` is false.

    Parameters
    ----------
    record : callable
        Called as ``record(chains, draw, values, configurations)`` at each draw.
    go_on : callable
        Asked before each native call, when the chains are whole.
    """
    pace, measure = Pace(), Meter(chains.sampler.system, n_threads)
    while chains.step < plan.total and go_on():
        stop = plan.next_stop(chains.step)
        n_steps = min(stop - chains.step, pace.n_steps)
        began = time.perf_counter()
        chains.step_once(plan, n_steps, n_threads)
        pace.learn(n_steps, time.perf_counter() - began)
        if chains.step == stop > plan.burn_in:
            configurations = Configurations(chains.state)
            values = measure(chains, configurations)
            chains.info = {}
            record(chains, plan.n_draws_at(chains.step) - 1, values, configurations)


class Meter:
    """Measures what is recorded of a draw, as far as the state has not measured it itself.

    Parameters
    ----------
    system : object
        With ``energy(draws)`` and perhaps ``magnetization(draws)``, each of shape (n_chains,), or ``scalars(draws)``,
        a mapping that has the energy and whatever else comes with it.
    n_threads : int or None
        Passed on where these take it.
    """

    def __init__(self, system: Any, n_threads: int | None) -> None:
        self._energy = _with_threads(system.energy, n_threads)
        self._scalars = _with_threads(getattr(system, "scalars", None), n_threads)
        self._magnetization = _with_threads(getattr(system, "magnetization", None), n_threads)

    def __call__(self, chains: Chains, configurations: Configurations) -> Values:
        """Return energy, magnetization and diagnostics, each of shape (n_chains,).

        Raises
        ------
        NonFiniteEnergyError
        """
        measured: Mapping[str, Array] = getattr(chains.state, "measured", None) or {}
        if "energy" not in measured and self._scalars is not None:
            measured = self._scalars(configurations.array)
        energy = np.asarray(measured["energy"] if "energy" in measured else self._energy(configurations.array))
        energy = energy.astype(np.float64, copy=False)
        if not np.isfinite(energy).all():
            chain = int(np.flatnonzero(~np.isfinite(energy))[0])
            raise NonFiniteEnergyError(float(energy[chain]), chains.step, chains.index.start + chain)
        values: Values = {"energy": energy}
        values.update((f"info/{name}", sums) for name, sums in chains.info.items())
        values.update((f"info/{name}", np.array(each)) for name, each in measured.items() if name != "energy")
        if "magnetization" not in measured and self._magnetization is not None:
            values["info/magnetization"] = np.asarray(self._magnetization(configurations.array))
        log_weights = getattr(chains.state, "log_weights", None)
        if log_weights is not None:
            values["log_weights"] = np.asarray(log_weights, np.float64)
        return values


def _with_threads(function: Any, n_threads: int | None) -> Any:
    if function is not None and n_threads is not None and "n_threads" in inspect.signature(function).parameters:
        return functools.partial(function, n_threads=n_threads)
    return function
